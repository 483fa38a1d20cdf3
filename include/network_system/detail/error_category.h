#pragma once

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

// The legacy callbacks report errors as std::error_code, with the values that asio gave them: the end of the stream
// is {2, "asio.misc"}, and what the system says is its errno.
namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// The library's own codes, where neither the system nor asio has one.
class network_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "network_system"; }
    std::string message(int code) const override { return netsys_status_message(code); }
};

/// Stands in for asio's category of the same name in programs without asio.
class stream_error_category final : public std::error_category {
public:
    static constexpr int end_of_file = 2;

    const char* name() const noexcept override { return "asio.misc"; }
    std::string message(int code) const override { return code == end_of_file ? "End of file" : "asio.misc error"; }
};

/// Set where asio is part of the program, by asio_support.h, so that a comparison with its codes holds in every
/// translation unit. Null: the categories of this file and the standard library.
inline std::atomic<const std::error_category*> asio_misc_category{nullptr};
inline std::atomic<const std::error_category*> asio_system_category{nullptr};

// The categories are never destroyed, so that codes which outlive `main`, in threads and static objects, keep theirs.

inline const std::error_category& network_category() {
    static const auto& category = *new network_error_category;
    return category;
}

inline std::error_code end_of_file_error() {
    static const auto& own = *new stream_error_category;
    const std::error_category* asio = asio_misc_category.load(std::memory_order_acquire);
    return {stream_error_category::end_of_file, asio != nullptr ? *asio : own};
}

inline std::error_code system_error(int os_code) {
    const std::error_category* asio = asio_system_category.load(std::memory_order_acquire);
    return {os_code, asio != nullptr ? *asio : std::system_category()};
}

/// `status` with the errno behind it, or 0, as the legacy error callbacks get it. NETSYS_OK is an orderly end.
inline std::error_code to_error_code(netsys_status status, int os_code) {
    if (os_code != 0) {
        return system_error(os_code);
    }
    switch (status) {
        case NETSYS_OK:
        case NETSYS_ERR_CONNECTION_CLOSED:
            return end_of_file_error();
        case NETSYS_ERR_CONNECTION_REFUSED:
            return system_error(ECONNREFUSED);
        case NETSYS_ERR_CONNECTION_TIMEOUT:
            return system_error(ETIMEDOUT);
        default:
            return {status, network_category()};
    }
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
