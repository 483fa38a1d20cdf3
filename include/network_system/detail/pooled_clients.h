#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "network_system/core/messaging_client.h"
#include "network_system/detail/client_access.h"
#include "network_system/detail/config_mapping.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/namespace.h"
#include "network_system/utils/result_types.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// The client objects of a pool. The pool itself knows their handles only; it asks for clients and tells which ones
/// have ended.
///
/// A client that somebody has leased is that one's own object. What is kept here is the lease of it, under its handle:
/// a client that was started anew meanwhile has another, and is not taken back.
class pooled_clients {
public:
    using client_ptr = std::unique_ptr<core::messaging_client>;

    /// `bridge` may be null.
    pooled_clients(std::string client_id, std::string host, std::uint16_t port, const core::client_config& config,
                   std::shared_ptr<bridge_core> bridge)
        : client_id_(std::move(client_id)),
          host_(std::move(host)),
          port_(port),
          config_(config),
          bridge_(std::move(bridge)) {
        config_.reconnect = {};  // a broken connection is the pool's to replace
    }

    /// Whether clients can be made of what it was given.
    VoidResult check() const {
        if (host_.empty()) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT, "the host is empty: a name or an address is expected");
        }
        if (config_.dispatch == core::dispatch_mode::manual) {
            return error_void(NETSYS_ERR_INVALID_ARGUMENT,
                              "dispatch is manual: whoever waits for a pool's connection cannot run the handlers that "
                              "tell of it; use another dispatch");
        }
        return detail::check(config_);
    }

    /// For the pool, which releases it when it has ended.
    static netsys_pool_source source(std::shared_ptr<pooled_clients> clients) {
        netsys_pool_source source{};
        source.struct_size = sizeof(source);
        source.userdata = new std::shared_ptr<pooled_clients>(std::move(clients));
        source.open = [](void* userdata, netsys_client* client) noexcept { return self(userdata)->open(*client); };
        source.closed = [](void* userdata, netsys_client client) noexcept { self(userdata)->closed(client); };
        source.release = [](void* userdata) noexcept { delete &self(userdata); };
        return source;
    }

    /// The client of a lease; null when it has ended already. Then the lease is returned.
    client_ptr take(netsys_lease lease) {
        netsys_client handle{};
        netsys_lease_client(lease, &handle);
        std::unique_lock<std::mutex> lock(mutex_);
        const auto found = idle_.find(handle.id);
        if (found == idle_.end()) {
            lock.unlock();
            netsys_lease_release(lease);
            return nullptr;
        }
        leased_.emplace(handle.id, lease);
        client_ptr client = std::move(found->second);
        idle_.erase(found);
        changed_.notify_all();
        return client;
    }

    /// Takes a client back from its user.
    void give_back(client_ptr client, netsys_status (*end_lease)(netsys_lease)) {
        const std::uint64_t id = client_access::handle(*client).id;
        client_access::clear_handlers(*client);  // without the lock: they may hold anything
        netsys_lease lease{};
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            const auto found = leased_.find(id);
            if (found == leased_.end()) {
                return;  // it has ended, and with it its lease
            }
            lease = found->second;
            idle_.emplace(id, std::move(client));
            leased_.erase(found);
        }
        end_lease(lease);
    }

    /// Waits until no client is left that nobody has leased. That comes once the pool is closed.
    void wait_for_unleased() {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return idle_.empty() && ending_ == 0; });
    }

private:
    static std::shared_ptr<pooled_clients>& self(void* userdata) noexcept {
        return *static_cast<std::shared_ptr<pooled_clients>*>(userdata);
    }

    netsys_status open(netsys_client& handle) noexcept {
        netsys_status status = NETSYS_ERR_INTERNAL;
        guarded(
            [&] {
                auto client = std::make_unique<core::messaging_client>(client_id_, config_);
                client_access::join(*client, bridge_);
                const auto started = client->start_client(host_, port_);
                if (started.is_err()) {
                    status = started.error().code;
                    return;
                }
                handle = client_access::handle(*client);
                const std::lock_guard<std::mutex> lock(mutex_);
                idle_.emplace(handle.id, std::move(client));
                status = NETSYS_OK;
            },
            log_failure);
        return status;
    }

    void closed(netsys_client handle) noexcept {
        client_ptr client;  // destroyed after the lock: its handlers may hold anything
        netsys_lease lease{};
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (const auto found = idle_.find(handle.id); found != idle_.end()) {
                client = std::move(found->second);
                idle_.erase(found);
            }
            if (const auto found = leased_.find(handle.id); found != leased_.end()) {
                lease = found->second;
                leased_.erase(found);
            }
            ++ending_;
        }
        if (lease.id != 0) {
            netsys_lease_release(lease);
        }
        client.reset();
        const std::lock_guard<std::mutex> lock(mutex_);
        --ending_;
        changed_.notify_all();
    }

    const std::string client_id_;
    const std::string host_;
    const std::uint16_t port_;
    core::client_config config_;
    const std::shared_ptr<bridge_core> bridge_;
    std::mutex mutex_;
    std::condition_variable changed_;  // fewer clients are idle or ending
    std::unordered_map<std::uint64_t, client_ptr> idle_;
    std::unordered_map<std::uint64_t, netsys_lease> leased_;
    std::size_t ending_ = 0;  // clients in `closed`
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
