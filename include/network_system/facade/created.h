#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "network_system/detail/namespace.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::facade {

/// What a facade has made, or the error that prevented it.
///
/// Programs since April 2026 take it as the result that it is. Earlier ones were given the object itself, or an
/// exception; so it also converts to the object, and there an error is thrown: std::invalid_argument for a bad
/// configuration, else std::runtime_error.
template <typename T>
class created : public Result<std::shared_ptr<T>> {
public:
    using result = Result<std::shared_ptr<T>>;

    created(std::shared_ptr<T> object) : result(std::move(object)) {}
    created(result other) : result(std::move(other)) {}

    operator bool() const noexcept { return this->is_ok(); }
    operator std::shared_ptr<T>() const { return object(); }
    T* operator->() const { return object().get(); }

    friend bool operator==(const created& left, std::nullptr_t) noexcept { return left.is_err(); }
    friend bool operator==(std::nullptr_t, const created& right) noexcept { return right.is_err(); }
    friend bool operator!=(const created& left, std::nullptr_t) noexcept { return left.is_ok(); }
    friend bool operator!=(std::nullptr_t, const created& right) noexcept { return right.is_ok(); }

private:
    const std::shared_ptr<T>& object() const {
        if (this->is_ok()) {
            return this->value();
        }
        const std::string what = this->error().message + " (" + std::to_string(this->error().code) + ")";
        if (this->error().code == NETSYS_ERR_INVALID_ARGUMENT) {
            throw std::invalid_argument(what);
        }
        throw std::runtime_error(what);
    }
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::facade
