#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE {

/// Why an operation failed: one of the library's codes, and words for people.
struct simple_error {
    int code = 0;
    std::string message;
    std::string source;   ///< the part of the program that failed
    std::string module;   ///< the same under the name that common_system gives it
    std::string details;  ///< what the system said, if anything

    simple_error() = default;
    simple_error(int error_code, std::string text, std::string origin = "", std::string more = "")
        : code(error_code),
          message(std::move(text)),
          source(std::move(origin)),
          module(source),
          details(std::move(more)) {}
};

using error_info = simple_error;

/// A value, or the error that prevented it. Converts to `bool` implicitly and may be ignored, since existing
/// programs do both.
template <typename T>
class Result {
public:
    Result(T&& value) : content_(std::in_place_index<0>, std::move(value)) {}
    Result(const T& value) : content_(std::in_place_index<0>, value) {}
    Result(const simple_error& error) : content_(std::in_place_index<1>, error) {}
    Result(simple_error&& error) : content_(std::in_place_index<1>, std::move(error)) {}

    bool is_ok() const noexcept { return content_.index() == 0; }
    bool is_err() const noexcept { return !is_ok(); }
    operator bool() const noexcept { return is_ok(); }

    /// Throws std::bad_variant_access when there is an error instead.
    const T& value() const { return std::get<0>(content_); }
    T& value() { return std::get<0>(content_); }

    /// Throws std::bad_variant_access when there is a value instead.
    const simple_error& error() const { return std::get<1>(content_); }

private:
    std::variant<T, simple_error> content_;
};

using VoidResult = Result<std::monostate>;

/// The same as `VoidResult`, to and from which it converts: `ok()` and `error<std::monostate>()` initialise both.
template <>
class Result<void> : public VoidResult {
public:
    using VoidResult::VoidResult;
    Result(const VoidResult& other) : VoidResult(other) {}
    Result(VoidResult&& other) : VoidResult(std::move(other)) {}
};

template <typename T>
Result<std::decay_t<T>> ok(T&& value) {
    return Result<std::decay_t<T>>(std::forward<T>(value));
}

inline VoidResult ok() {
    return VoidResult(std::monostate{});
}

template <typename T>
Result<T> error(int code, const std::string& message, const std::string& source = "network_system",
                const std::string& details = "") {
    return Result<T>(simple_error(code, message, source, details));
}

inline VoidResult error_void(int code, const std::string& message, const std::string& source = "network_system",
                             const std::string& details = "") {
    return error<std::monostate>(code, message, source, details);
}

namespace error_codes {

namespace network_system {
inline constexpr int connection_failed = NETSYS_ERR_CONNECTION_FAILED;
inline constexpr int connection_refused = NETSYS_ERR_CONNECTION_REFUSED;
inline constexpr int connection_timeout = NETSYS_ERR_CONNECTION_TIMEOUT;
inline constexpr int connection_closed = NETSYS_ERR_CONNECTION_CLOSED;
inline constexpr int tls_failed = NETSYS_ERR_TLS_FAILED;
inline constexpr int tls_mismatch = NETSYS_ERR_TLS_MISMATCH;
inline constexpr int tls_truncated = NETSYS_ERR_TLS_TRUNCATED;
inline constexpr int certificate_required = NETSYS_ERR_CERTIFICATE_REQUIRED;
inline constexpr int certificate_untrusted = NETSYS_ERR_CERTIFICATE_UNTRUSTED;
inline constexpr int certificate_expired = NETSYS_ERR_CERTIFICATE_EXPIRED;
inline constexpr int certificate_wrong_name = NETSYS_ERR_CERTIFICATE_WRONG_NAME;
inline constexpr int certificate_revoked = NETSYS_ERR_CERTIFICATE_REVOKED;
inline constexpr int certificate_wrong_usage = NETSYS_ERR_CERTIFICATE_WRONG_USAGE;
inline constexpr int certificate_invalid = NETSYS_ERR_CERTIFICATE_INVALID;
inline constexpr int certificate_refused = NETSYS_ERR_CERTIFICATE_REFUSED;
inline constexpr int session_not_found = NETSYS_ERR_SESSION_NOT_FOUND;
inline constexpr int session_expired = NETSYS_ERR_SESSION_EXPIRED;
inline constexpr int invalid_session = NETSYS_ERR_INVALID_SESSION;
inline constexpr int send_failed = NETSYS_ERR_SEND_FAILED;
inline constexpr int receive_failed = NETSYS_ERR_RECEIVE_FAILED;
inline constexpr int message_too_large = NETSYS_ERR_MESSAGE_TOO_LARGE;
inline constexpr int would_block = NETSYS_ERR_WOULD_BLOCK;
inline constexpr int protocol_error = NETSYS_ERR_PROTOCOL;
inline constexpr int handler_failed = NETSYS_ERR_HANDLER_FAILED;
inline constexpr int server_not_started = NETSYS_ERR_SERVER_NOT_STARTED;
inline constexpr int server_already_running = NETSYS_ERR_SERVER_ALREADY_RUNNING;
inline constexpr int bind_failed = NETSYS_ERR_BIND_FAILED;
inline constexpr int server_busy = NETSYS_ERR_SERVER_BUSY;
}  // namespace network_system

namespace common_errors {
inline constexpr int success = NETSYS_OK;
inline constexpr int invalid_argument = NETSYS_ERR_INVALID_ARGUMENT;
inline constexpr int not_found = NETSYS_ERR_NOT_FOUND;
inline constexpr int permission_denied = NETSYS_ERR_PERMISSION_DENIED;
inline constexpr int timeout = NETSYS_ERR_TIMEOUT;
inline constexpr int cancelled = NETSYS_ERR_CANCELLED;
inline constexpr int not_initialized = NETSYS_ERR_NOT_INITIALIZED;
inline constexpr int already_exists = NETSYS_ERR_ALREADY_EXISTS;
inline constexpr int out_of_memory = NETSYS_ERR_OUT_OF_MEMORY;
inline constexpr int io_error = NETSYS_ERR_IO;
inline constexpr int network_error = NETSYS_ERR_NETWORK;
inline constexpr int internal_error = NETSYS_ERR_INTERNAL;
}  // namespace common_errors

/// The name that the common codes had first.
namespace common {
using common_errors::already_exists;
using common_errors::internal_error;
using common_errors::invalid_argument;
using common_errors::not_initialized;
}  // namespace common

}  // namespace error_codes

}  // namespace NETWORK_SYSTEM_NAMESPACE
