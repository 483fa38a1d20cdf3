#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// The forms in which handlers take a message. A thread uses the same memory for the next message, so that a stream of
/// small ones allocates nothing; only what a large one needed is given back.
class message_buffers {
public:
    /// The thread's buffers, or new ones inside a handler that has them.
    class loan {
    public:
        loan() : buffers_(take()) {}
        loan(const loan&) = delete;
        loan& operator=(const loan&) = delete;
        ~loan() {
            if (!kept()) {
                kept() = std::move(buffers_);
            }
        }

        message_buffers* operator->() const noexcept { return buffers_.get(); }

    private:
        static std::unique_ptr<message_buffers>& kept() noexcept {
            static thread_local std::unique_ptr<message_buffers> buffers;
            return buffers;
        }

        static std::unique_ptr<message_buffers> take() {
            auto buffers = std::move(kept());
            return buffers ? std::move(buffers) : std::make_unique<message_buffers>();
        }

        std::unique_ptr<message_buffers> buffers_;
    };

    const std::string& text(const netsys_message& message) {
        release_if_large(text_);
        text_.assign(reinterpret_cast<const char*>(message.data), message.len);
        return text_;
    }

    const std::vector<std::uint8_t>& bytes(const netsys_message& message) {
        release_if_large(bytes_);
        bytes_.assign(message.data, message.data + message.len);
        return bytes_;
    }

private:
    static constexpr std::size_t kept_capacity = 256 * 1024;

    template <typename Buffer>
    static void release_if_large(Buffer& buffer) noexcept {
        if (buffer.capacity() > kept_capacity) {
            Buffer().swap(buffer);
        }
    }

    std::string text_;
    std::vector<std::uint8_t> bytes_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
