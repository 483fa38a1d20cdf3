#pragma once

#include <string>
#include <system_error>
#include <utility>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Turns the status of a call into a result, with what the library remembers of this thread's last failure. To be
/// called right after the call that it is about.
inline VoidResult to_result(netsys_status status) {
    if (status == NETSYS_OK) {
        return ok();
    }
    netsys_error_info info{};
    info.struct_size = sizeof(info);
    if (netsys_last_error(&info) != NETSYS_OK || info.status != status) {
        return error_void(status, netsys_status_message(status));
    }
    const std::string system = info.os_code != 0 ? std::system_category().message(info.os_code) : std::string();
    return error_void(status, info.message, "network_system", system);
}

/// The same for a call that gives a value.
template <typename T>
Result<T> to_result(netsys_status status, T&& value) {
    if (status == NETSYS_OK) {
        return Result<T>(std::forward<T>(value));
    }
    const VoidResult failed = to_result(status);
    return Result<T>(failed.error());
}

/// For failures that this layer finds by itself.
inline VoidResult failure(netsys_status status) {
    return error_void(status, netsys_status_message(status));
}

/// The process-wide context, once it is sure that header and library belong together.
inline netsys_status default_context(netsys_context& context) noexcept {
    static const netsys_status version = netsys_check_version(NETSYS_VERSION_NUMBER);
    return version == NETSYS_OK ? netsys_context_default(&context) : version;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
