#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/config_mapping.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/status.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::utils {

/// Which addresses of a host are wanted. Within an IP version they stay in the system's order of preference.
enum class address_family : std::uint32_t {
    any = NETSYS_FAMILY_ANY,                ///< all, as the system orders them
    ipv4_first = NETSYS_FAMILY_IPV4_FIRST,  ///< all
    ipv6_first = NETSYS_FAMILY_IPV6_FIRST,  ///< all
    ipv4_only = NETSYS_FAMILY_IPV4_ONLY,
    ipv6_only = NETSYS_FAMILY_IPV6_ONLY,
};

struct resolver_config {
    std::size_t max_threads = 4;    ///< look-ups at a time, each of which has a thread while it goes on; at least 1
    std::size_t max_queued = 1024;  ///< names that wait for one of these threads, and more are refused; at least 1
    std::size_t max_cached = 1024;  ///< names that are kept; at least 1
    std::chrono::milliseconds cache_lifetime{60000};   ///< how long addresses are kept; 0: not at all
    std::chrono::milliseconds failure_lifetime{5000};  ///< how long failures are kept; 0: not at all
};

/// Looks host names up, several at a time, and keeps for a while what it learns. An address is its own only address,
/// and is not looked up. All functions may be called on any thread at any time.
///
/// Errors: timeout (-4); cancelled (-5): the resolver was destroyed; not_found (-2): no host has that name, or none of
/// its addresses is of the family; connection_failed (-600): no name server answered; invalid_argument (-1): what can
/// be no name; out_of_memory (-8): `max_queued` names wait; -21: a waiting call in a handler of the library.
class address_resolver {
public:
    using addresses = std::vector<std::string>;
    using handler = std::function<void(const Result<addresses>&)>;

    static constexpr std::chrono::milliseconds default_timeout{5000};

    /// What is wrong with the configuration, if anything, each look-up tells.
    explicit address_resolver(const resolver_config& config = resolver_config())
        : created_(create(config, resolver_)) {}

    address_resolver(const address_resolver&) = delete;
    address_resolver& operator=(const address_resolver&) = delete;

    /// Handlers that are still due get `cancelled`, and when this returns none runs any more. It waits for handlers,
    /// never for a look-up. In a handler it does not wait, and what is still due follows.
    ~address_resolver() {
        if (resolver_.id != 0) {
            netsys_resolver_destroy(resolver_);
        }
    }

    /// Waits for the addresses of `host`, at most `timeout`. Not for handlers.
    Result<addresses> resolve(std::string_view host, std::chrono::milliseconds timeout = default_timeout,
                              address_family family = address_family::any) {
        if (!created_.is_ok()) {
            return Result<addresses>(created_.error());
        }
        addresses found;
        const auto add = [](void* userdata, netsys_str address) noexcept {
            detail::guarded([&] { static_cast<addresses*>(userdata)->emplace_back(address.data, address.len); },
                            detail::log_failure);
        };
        const netsys_status status = netsys_resolver_resolve(
            resolver_, detail::c_str(host), static_cast<std::uint32_t>(family), detail::to_ms(timeout), add, &found);
        return detail::to_result(status, std::move(found));
    }

    /// Has `on_resolved` told of the addresses of `host`, or of the failure. It is called exactly once if this
    /// succeeds, and else not at all; on a thread of the resolver, one at a time, and never inside this call. It may
    /// destroy the resolver.
    VoidResult async_resolve(std::string_view host, handler on_resolved,
                             std::chrono::milliseconds timeout = default_timeout,
                             address_family family = address_family::any) {
        if (!created_.is_ok()) {
            return created_;
        }
        if (!on_resolved) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT, "on_resolved is empty: give a function to be called");
        }
        auto waiting = std::make_unique<handler>(std::move(on_resolved));
        const netsys_status status =
            netsys_resolver_resolve_async(resolver_, detail::c_str(host), static_cast<std::uint32_t>(family),
                                          detail::to_ms(timeout), &address_resolver::tell, waiting.get());
        if (status == NETSYS_OK) {
            (void)waiting.release();  // the call has it, and may be over already
        }
        return detail::to_result(status);
    }

    /// Forgets what was looked up. What is being looked up now is still given to those who asked, and kept.
    void clear_cache() noexcept {
        if (resolver_.id != 0) {
            netsys_resolver_clear_cache(resolver_);
        }
    }

    /// How many names are kept, those included that could not be resolved.
    std::size_t cached() const noexcept {
        std::size_t count = 0;
        if (resolver_.id != 0) {
            netsys_resolver_cached(resolver_, &count);
        }
        return count;
    }

private:
    static VoidResult create(const resolver_config& config, netsys_resolver& resolver) {
        if (config.max_threads == 0 || config.max_queued == 0 || config.max_cached == 0) {
            return error_void(
                NETSYS_ERR_INVALID_ARGUMENT,
                "max_threads, max_queued and max_cached must be at least 1; a lifetime of 0 keeps nothing");
        }
        netsys_resolver_config given{};
        given.struct_size = sizeof(given);
        given.max_threads = detail::to_u32(config.max_threads);
        given.max_queued = detail::to_u32(config.max_queued);
        given.cache_capacity = detail::to_u32(config.max_cached);
        given.cache_lifetime_ms = detail::to_ms(config.cache_lifetime);
        given.failure_lifetime_ms = detail::to_ms(config.failure_lifetime);
        given.flags = (given.cache_lifetime_ms == 0 ? NETSYS_RESOLVER_KEEP_NO_ADDRESSES : 0u) |
                      (given.failure_lifetime_ms == 0 ? NETSYS_RESOLVER_KEEP_NO_FAILURES : 0u);
        return detail::to_result(netsys_resolver_create(&given, &resolver));
    }

    static Result<addresses> outcome_of(const netsys_resolution& resolution) {
        if (resolution.status != NETSYS_OK) {
            const std::string system =
                resolution.os_code != 0 ? std::system_category().message(resolution.os_code) : std::string();
            return error<addresses>(resolution.status, std::string(resolution.message.data, resolution.message.len),
                                    "network_system", system);
        }
        addresses found;
        found.reserve(resolution.count);
        for (std::size_t i = 0; i < resolution.count; ++i) {
            found.emplace_back(resolution.addresses[i].data, resolution.addresses[i].len);
        }
        return ok(std::move(found));
    }

    static void tell(void* userdata, const netsys_resolution* resolution) noexcept {
        const std::unique_ptr<handler> on_resolved(static_cast<handler*>(userdata));
        detail::guarded([&] { (*on_resolved)(outcome_of(*resolution)); }, detail::log_failure);
    }

    netsys_resolver resolver_{};
    VoidResult created_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::utils
