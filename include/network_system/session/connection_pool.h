#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "network_system/core/client_config.h"
#include "network_system/core/messaging_client.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/pooled_clients.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::integration {
class messaging_bridge;
}

namespace NETWORK_SYSTEM_NAMESPACE::session {

struct connection_pool_config {
    std::size_t max_connections_per_client = 10;       ///< those that are being made or closed included
    std::size_t min_idle = 0;                          ///< made without being asked for, and kept
    std::chrono::milliseconds idle_timeout{60000};     ///< ends idle connections beyond min_idle; 0: never
    std::chrono::milliseconds acquire_timeout{30000};  ///< for `acquire()` without a time
    std::string client_id = "connection_pool";         ///< what a framed server is told
};

/// Connections to one server, made when needed and used again and again.
///
/// Every function may be called on any thread, also in a handler; there nothing waits, and `acquire` succeeds if a
/// connection is idle. Who waits for a connection is served in order. A connection that has broken is replaced; one
/// on which something arrives while it is idle is closed, since nobody knows whom it was for. Encrypted connections
/// share certificates, which are read once, and resume each other's sessions.
class connection_pool {
public:
    /// The use of a connection; returns it when it is destroyed.
    class lease {
    public:
        lease() noexcept = default;
        lease(lease&& other) noexcept = default;
        lease& operator=(lease&& other) noexcept {
            lease previous(std::move(*this));
            clients_ = std::move(other.clients_);
            client_ = std::move(other.client_);
            return *this;
        }
        ~lease() { end(netsys_lease_release); }

        core::messaging_client* operator->() const noexcept { return client_.get(); }
        core::messaging_client& operator*() const noexcept { return *client_; }
        core::messaging_client* get() const noexcept { return client_.get(); }
        /// Whether there is a connection: not so after a failure, or when it was returned.
        explicit operator bool() const noexcept { return client_ != nullptr; }
        friend bool operator==(const lease& one, std::nullptr_t) noexcept { return !one.client_; }
        friend bool operator!=(const lease& one, std::nullptr_t) noexcept { return one.client_ != nullptr; }

        /// Returns the connection for the next who needs one. Its handlers are removed.
        void release() { end(netsys_lease_release); }
        /// Returns a connection that nobody must get any more, for example because an answer is outstanding.
        void discard() { end(netsys_lease_discard); }

        /// The client without the lease: to be given to `connection_pool::release`, or destroyed.
        operator std::unique_ptr<core::messaging_client>() && noexcept {
            clients_.reset();
            return std::move(client_);
        }

    private:
        friend class connection_pool;
        lease(std::shared_ptr<detail::pooled_clients> clients, std::unique_ptr<core::messaging_client> client) noexcept
            : clients_(std::move(clients)), client_(std::move(client)) {}

        void end(netsys_status (*how)(netsys_lease)) {
            if (client_) {
                std::exchange(clients_, nullptr)->give_back(std::move(client_), how);
            }
        }

        std::shared_ptr<detail::pooled_clients> clients_;
        std::unique_ptr<core::messaging_client> client_;
    };

    struct statistics {
        std::size_t max_connections = 0;
        std::size_t connections = 0;  ///< leased, idle, or being closed
        std::size_t leased = 0;
        std::size_t idle = 0;
        std::size_t connecting = 0;   ///< being made
        std::size_t waiting = 0;      ///< threads in `acquire`
        std::uint64_t acquired = 0;   ///< leases given
        std::uint64_t timed_out = 0;  ///< waits in vain
        std::uint64_t connected = 0;  ///< connections made
        std::uint64_t failed = 0;     ///< connections that could not be made
        std::uint64_t broken = 0;     ///< connections that ended by themselves
        std::uint64_t discarded = 0;  ///< by their user, or because something came while they were idle
        std::uint64_t expired = 0;    ///< idle for too long
    };

    // A broken connection is the pool's to replace: a client's `reconnect` has no effect. dispatch_mode::manual is
    // refused (-1), and so is what no client takes: `initialize` and `acquire` give the error.

    /// Without limits on message size and silence, as a client that is given no configuration.
    connection_pool(const std::string& host, unsigned short port, std::size_t pool_size = 10)
        : connection_pool(host, port, sized(pool_size), detail::without_limits<core::client_config>()) {}

    connection_pool(const std::string& host, unsigned short port, const connection_pool_config& config,
                    const core::client_config& client = {})
        : connection_pool(host, port, config, client, nullptr) {}

    connection_pool(const connection_pool&) = delete;
    connection_pool& operator=(const connection_pool&) = delete;

    /// Closes. What is leased stays usable, and its connections end when they are returned.
    ~connection_pool() { netsys_pool_destroy(pool_); }

    /// Makes all the connections at once. Optional: otherwise they are made when needed. Errors: why a connection could
    /// not be made, and the library's WOULD_DEADLOCK (-21) in a handler.
    VoidResult initialize() {
        return start_.is_err() ? start_ : detail::to_result(netsys_pool_fill(pool_, NETSYS_INFINITE));
    }

    /// A connection, waiting for one at most the configured time; null when there is none.
    [[nodiscard]] lease acquire() {
        auto result = acquire(config_.acquire_timeout);
        return result.is_ok() ? std::move(result.value()) : lease();
    }

    /// A connection, waiting for one at most `timeout`. Errors: timeout (-4), cancelled (-5) when the pool is closed,
    /// why the connection that was this caller's turn could not be made, and in a handler WOULD_DEADLOCK (-21).
    template <typename Rep, typename Period>
    [[nodiscard]] Result<lease> acquire(std::chrono::duration<Rep, Period> timeout) {
        if (start_.is_err()) {
            return start_.error();
        }
        // A lease whose connection has ended before it is taken is followed by another.
        const std::chrono::milliseconds whole(detail::to_ms(timeout));
        const auto start = std::chrono::steady_clock::now();
        auto left = whole;
        while (true) {
            netsys_lease acquired{};
            const netsys_status status = netsys_pool_acquire(pool_, detail::to_ms(left), &acquired);
            if (status != NETSYS_OK) {
                return detail::to_result(status).error();
            }
            if (auto client = clients_->take(acquired)) {
                return lease(clients_, std::move(client));
            }
            const auto waited = std::chrono::steady_clock::now() - start;
            left = std::chrono::ceil<std::chrono::milliseconds>(
                std::max<std::chrono::steady_clock::duration>(whole - waited, waited.zero()));
        }
    }

    /// An idle connection; an error (-4) when none is.
    [[nodiscard]] Result<lease> try_acquire() { return acquire(std::chrono::milliseconds::zero()); }

    /// Returns a connection for the next who needs one. Its handlers are removed.
    void release(lease&& leased) { leased.release(); }
    void release(std::unique_ptr<core::messaging_client> client) {
        if (client) {
            clients_->give_back(std::move(client), netsys_lease_release);
        }
    }

    /// Returns a connection that nobody must get any more.
    void discard(lease&& leased) { leased.discard(); }
    void discard(std::unique_ptr<core::messaging_client> client) {
        if (client) {
            clients_->give_back(std::move(client), netsys_lease_discard);
        }
    }

    /// Who waits gets cancelled (-5), idle connections are closed, leased ones when they are returned.
    void close() { netsys_pool_stop(pool_, NETSYS_INFINITE); }

    /// Connections that somebody has.
    std::size_t active_count() const { return get_statistics().leased; }
    /// Connections there may be.
    std::size_t pool_size() const noexcept { return config_.max_connections_per_client; }

    statistics get_statistics() const {
        netsys_pool_info info{};
        info.struct_size = sizeof(info);
        netsys_pool_stats(pool_, &info);
        statistics result;
        result.max_connections = static_cast<std::size_t>(info.max_connections);
        result.connections = static_cast<std::size_t>(info.connections);
        result.leased = static_cast<std::size_t>(info.leased);
        result.idle = static_cast<std::size_t>(info.idle);
        result.connecting = static_cast<std::size_t>(info.connecting);
        result.waiting = static_cast<std::size_t>(info.waiting);
        result.acquired = info.acquired;
        result.timed_out = info.timed_out;
        result.connected = info.connected;
        result.failed = info.failed;
        result.broken = info.broken;
        result.discarded = info.discarded;
        result.expired = info.expired;
        return result;
    }

private:
    friend class integration::messaging_bridge;

    connection_pool(const std::string& host, unsigned short port, const connection_pool_config& config,
                    const core::client_config& client, std::shared_ptr<detail::bridge_core> bridge)
        : config_(config),
          clients_(std::make_shared<detail::pooled_clients>(config.client_id, host, port, client, std::move(bridge))),
          start_(start()) {}

    static connection_pool_config sized(std::size_t pool_size) {
        connection_pool_config config;
        config.max_connections_per_client = pool_size;
        return config;
    }

    VoidResult start() {
        if (config_.max_connections_per_client == 0) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT, "a pool needs at least 1 connection");
        }
        if (VoidResult checked = clients_->check(); checked.is_err()) {
            return checked;
        }
        netsys_context context{};
        const netsys_status status = detail::default_context(context);
        if (status != NETSYS_OK) {
            return detail::to_result(status);
        }
        netsys_pool_config config{};
        netsys_pool_config_init(&config, sizeof(config));
        config.max_connections = detail::to_u32(config_.max_connections_per_client);
        config.min_idle = detail::to_u32(config_.min_idle);
        config.idle_timeout_ms =
            config_.idle_timeout <= config_.idle_timeout.zero() ? NETSYS_INFINITE : detail::to_ms(config_.idle_timeout);
        const netsys_pool_source source = detail::pooled_clients::source(clients_);
        return detail::to_result(netsys_pool_start_with(context, &config, &source, &pool_));
    }

    const connection_pool_config config_;
    const std::shared_ptr<detail::pooled_clients> clients_;
    netsys_pool pool_{};
    const VoidResult start_;  // what became of it
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::session
