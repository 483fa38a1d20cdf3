#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "network_system/detail/c_api.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/library_log.h"
#include "network_system/detail/namespace.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// The failure of a call, with what the library remembers of this thread's last one.
[[gnu::cold, gnu::noinline]] inline VoidResult last_failure(netsys_status status) {
    netsys_error_info info{};
    info.struct_size = sizeof(info);
    if (netsys_last_error(&info) != NETSYS_OK || info.status != status) {
        return error_void(status, netsys_status_message(status));
    }
    const std::string system = info.os_code != 0 ? std::system_category().message(info.os_code) : std::string();
    return error_void(status, info.message, "network_system", system);
}

/// Turns the status of a call into a result. To be called right after the call that it is about.
inline VoidResult to_result(netsys_status status) {
    return status == NETSYS_OK ? ok() : last_failure(status);
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

/// A line of the log on its way to the program's logger, if it has one.
inline void forward_log(void*, const netsys_log_record* record) noexcept {
    if (const library_log_function log = library_log.load(std::memory_order_acquire)) {
        const auto view = [](netsys_str text) { return std::string_view(text.data, text.len); };
        guarded([&] { log(record->level, view(record->target), view(record->message)); }, print_failure);
    }
}

/// 0 until it is made.
inline std::atomic<std::uint64_t> default_context_id{0};

/// The context of everything that the C++ classes start, once it is sure that header and library belong together. Made
/// at the first use, then as `prepare` changes its configuration, and never shut down, as the default one of the C
/// interface, which has no log.
template <typename Prepare>
netsys_status default_context(netsys_context& context, Prepare&& prepare) noexcept {
    static const netsys_status version = netsys_check_version(NETSYS_VERSION_NUMBER);
    context.id = default_context_id.load(std::memory_order_acquire);
    if (version != NETSYS_OK || context.id != 0) {
        return version;
    }
    netsys_context_config config{};
    netsys_context_config_init(&config, sizeof(config));
    config.log_level = debug_level;  // the logger, which may change at any time, has the last word
    config.on_log = forward_log;
    prepare(config);
    const netsys_status status = netsys_context_create(&config, &context);
    if (status != NETSYS_OK) {
        return status;
    }
    std::uint64_t none = 0;
    if (!default_context_id.compare_exchange_strong(none, context.id)) {  // another thread was faster
        netsys_context_shutdown(context, 0);
        context.id = none;
    }
    return NETSYS_OK;
}

inline netsys_status default_context(netsys_context& context) noexcept {
    return default_context(context, [](netsys_context_config&) noexcept {});
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
