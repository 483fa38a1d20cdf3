#pragma once

#include <any>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "network_system/detail/namespace.h"

#ifdef BUILD_WITH_CONTAINER_SYSTEM
#if __has_include(<kcenon/container/container.h>)
#include <kcenon/container/container.h>
#elif __has_include(<container/core/container.h>)
#include <container/core/container.h>
#elif __has_include(<container.h>)
#include <container.h>
#else
#error "BUILD_WITH_CONTAINER_SYSTEM is defined, but the headers of container_system are not in the include path"
#endif
#endif

namespace NETWORK_SYSTEM_NAMESPACE::integration {

/// Turns application values into bytes and back; applications may implement it over a format of their own.
class container_interface {
public:
    virtual ~container_interface() = default;

    virtual std::vector<uint8_t> serialize(const std::any& data) const = 0;
    virtual std::any deserialize(const std::vector<uint8_t>& data) const = 0;
    virtual std::string type_name() const = 0;
    virtual bool is_valid() const = 0;
};

/// Strings and the plain types `int`, `double` and `bool` in the machine's representation, unless the
/// application sets functions of its own. Anything else serializes to nothing.
class basic_container : public container_interface {
public:
    basic_container() = default;

    std::vector<uint8_t> serialize(const std::any& data) const override {
        if (const auto custom = get(serializer_)) {
            return (*custom)(data);
        }
        if (const auto* text = std::any_cast<std::string>(&data)) {
            return {text->begin(), text->end()};
        }
        if (const auto* number = std::any_cast<int>(&data)) {
            return bytes_of(*number);
        }
        if (const auto* number = std::any_cast<double>(&data)) {
            return bytes_of(*number);
        }
        if (const auto* flag = std::any_cast<bool>(&data)) {
            return {static_cast<uint8_t>(*flag ? 1 : 0)};
        }
        return {};
    }

    /// Bytes do not tell what they were made of: without a deserializer they come back as a `std::string`,
    /// and no bytes as an empty value.
    std::any deserialize(const std::vector<uint8_t>& data) const override {
        if (const auto custom = get(deserializer_)) {
            return (*custom)(data);
        }
        if (data.empty()) {
            return {};
        }
        return std::string(data.begin(), data.end());
    }

    std::string type_name() const override { return "basic_container"; }

    bool is_valid() const override { return true; }

    /// An empty function brings back the default.
    void set_serializer(std::function<std::vector<uint8_t>(const std::any&)> serializer) {
        set(serializer_, std::move(serializer));
    }

    void set_deserializer(std::function<std::any(const std::vector<uint8_t>&)> deserializer) {
        set(deserializer_, std::move(deserializer));
    }

private:
    template <typename T>
    static std::vector<uint8_t> bytes_of(const T& value) {
        std::vector<uint8_t> bytes(sizeof(value));
        std::memcpy(bytes.data(), &value, sizeof(value));
        return bytes;
    }

    /// Holding a pointer lets the function run outside the lock, and be replaced while it runs.
    template <typename Function>
    std::shared_ptr<const Function> get(const std::shared_ptr<const Function>& slot) const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return slot;
    }

    template <typename Function>
    void set(std::shared_ptr<const Function>& slot, Function function) {
        auto replacement = function ? std::make_shared<const Function>(std::move(function)) : nullptr;
        const std::lock_guard<std::mutex> lock(mutex_);
        slot.swap(replacement);
    }

    mutable std::mutex mutex_;
    std::shared_ptr<const std::function<std::vector<uint8_t>(const std::any&)>> serializer_;
    std::shared_ptr<const std::function<std::any(const std::vector<uint8_t>&)>> deserializer_;
};

/// The process-wide table of named containers, and the one used when no name is given.
///
/// Never destroyed, so that threads which outlive `main` may still use it.
class container_manager {
public:
    static container_manager& instance() {
        static auto* const manager = new container_manager;
        return *manager;
    }

    container_manager(const container_manager&) = delete;
    container_manager& operator=(const container_manager&) = delete;

    /// Replaces a container of the same name.
    void register_container(const std::string& name, std::shared_ptr<container_interface> container) {
        const std::lock_guard<std::mutex> lock(mutex_);
        containers_[name].swap(container);
    }

    /// A null pointer if no container has that name.
    std::shared_ptr<container_interface> get_container(const std::string& name) const {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = containers_.find(name);
        return found == containers_.end() ? nullptr : found->second;
    }

    /// A null pointer: the next use makes a `basic_container`.
    void set_default_container(std::shared_ptr<container_interface> container) {
        const std::lock_guard<std::mutex> lock(mutex_);
        default_.swap(container);
    }

    std::shared_ptr<container_interface> get_default_container() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!default_) {
            default_ = std::make_shared<basic_container>();
        }
        return default_;
    }

    std::vector<uint8_t> serialize(const std::any& data) { return get_default_container()->serialize(data); }

    std::any deserialize(const std::vector<uint8_t>& data) { return get_default_container()->deserialize(data); }

    /// The registered names in no particular order; the default container is not among them.
    std::vector<std::string> list_containers() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::vector<std::string> names;
        names.reserve(containers_.size());
        for (const auto& entry : containers_) {
            names.push_back(entry.first);
        }
        return names;
    }

private:
    container_manager() = default;

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<container_interface>> containers_;
    std::shared_ptr<container_interface> default_;
};

using container_integration = container_manager;

}  // namespace NETWORK_SYSTEM_NAMESPACE::integration

namespace NETWORK_SYSTEM_NAMESPACE::detail {

template <typename Container, typename = void>
struct has_serialize_array : std::false_type {};

template <typename Container>
struct has_serialize_array<Container, std::void_t<decltype(std::declval<const Container&>().serialize_array())>>
    : std::true_type {};

/// The bytes of a container as its own library writes them; none when it reports an error. The versions of
/// 2025 have `serialize_array()`; those of 2026 have `serialize(format)`, which returns a result.
template <typename Container>
std::vector<uint8_t> container_to_bytes(const Container& container) {
    if constexpr (has_serialize_array<Container>::value) {
        return container.serialize_array();
    } else {
        const auto result = container.serialize(Container::serialization_format::binary);
        return result.is_err() ? std::vector<uint8_t>{} : result.value();
    }
}

template <typename Container, typename = void>
struct has_text_deserialize : std::false_type {};

template <typename Container>
struct has_text_deserialize<
    Container, std::void_t<decltype(static_cast<bool>(std::declval<Container&>().deserialize(std::string(), false)))>>
    : std::true_type {};

/// Has a container read a text in full: their default, the header only, leaves the values unread in some versions.
/// False when it says that it cannot.
template <typename Container>
bool read_container(Container& container, const std::string& text) {
    if constexpr (has_text_deserialize<Container>::value) {
        constexpr bool parse_only_header = false;
        return container.deserialize(text, parse_only_header);
    } else {
        return !container.deserialize(std::string_view(text)).is_err();
    }
}

/// Reads what `container_to_bytes` wrote; a null pointer if the bytes are no container. `make`, if there is one, makes
/// the container that they are read into.
template <typename Container>
std::shared_ptr<Container> container_from_bytes(const std::vector<uint8_t>& bytes,
                                                const std::function<std::shared_ptr<Container>()>& make = nullptr) {
    const std::string text(bytes.begin(), bytes.end());
    // The library turns anything into an empty container without a word, so look for its marks first.
    if (text.find("@header=") == std::string::npos && text.find("@data=") == std::string::npos) {
        return nullptr;
    }
    std::shared_ptr<Container> made = make ? make() : nullptr;
    try {
        if (made) {
            return read_container(*made, text) ? std::move(made) : nullptr;
        }
        constexpr bool parse_only_header = false;
        return std::make_shared<Container>(text, parse_only_header);
    } catch (const std::exception&) {
        return nullptr;
    }
}

template <typename Container>
class container_adapter : public integration::container_interface {
public:
    explicit container_adapter(std::shared_ptr<Container> container) : container_(std::move(container)) {}

    /// A string gives its bytes, a container (by value or by pointer) its own, and an empty value those of the
    /// adapted container. Anything else, and everything when no container is adapted, gives nothing.
    std::vector<uint8_t> serialize(const std::any& data) const override {
        if (!container_) {
            return {};
        }
        if (!data.has_value()) {
            return container_to_bytes(*container_);
        }
        if (const auto* text = std::any_cast<std::string>(&data)) {
            return {text->begin(), text->end()};
        }
        if (const auto* value = std::any_cast<Container>(&data)) {
            return container_to_bytes(*value);
        }
        const auto* pointer = std::any_cast<std::shared_ptr<Container>>(&data);
        return pointer != nullptr && *pointer ? container_to_bytes(**pointer) : std::vector<uint8_t>{};
    }

    /// Always a `std::string`, since that is what programs cast the result to; `parse` reads a container.
    std::any deserialize(const std::vector<uint8_t>& data) const override {
        if (!container_ || data.empty()) {
            return {};
        }
        return std::string(data.begin(), data.end());
    }

    /// A null pointer if the bytes are no container.
    static std::shared_ptr<Container> parse(const std::vector<uint8_t>& data) {
        return container_from_bytes<Container>(data);
    }

    std::string type_name() const override { return "container_system_adapter"; }

    bool is_valid() const override { return container_ != nullptr; }

    std::shared_ptr<Container> get_container() const { return container_; }

private:
    std::shared_ptr<Container> container_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail

namespace NETWORK_SYSTEM_NAMESPACE::integration {

#ifdef BUILD_WITH_CONTAINER_SYSTEM
/// The container_system library's container behind `container_interface`.
class container_system_adapter : public detail::container_adapter<container_module::value_container> {
public:
    explicit container_system_adapter(std::shared_ptr<container_module::value_container> container)
        : container_adapter(std::move(container)) {}
};
#endif

}  // namespace NETWORK_SYSTEM_NAMESPACE::integration
