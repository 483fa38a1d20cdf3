#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// What servers, clients and adopted sessions have done since it was asked last.
struct traffic {
    std::uint64_t connections = 0;
    std::uint64_t connections_rejected = 0;
    std::uint64_t messages_sent = 0;
    std::uint64_t messages_received = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t errors = 0;

    // as it is now
    std::uint64_t connections_current = 0;
    std::uint64_t bytes_queued = 0;
    std::uint64_t servers = 0;
    std::uint64_t clients = 0;
};

/// Adds up the statistics of all runs of the C++ classes in this process. A run counts to its end, also when that was
/// since the last time.
///
/// Never destroyed, so that threads which outlive `main` may still use it.
class traffic_metrics {
public:
    static traffic_metrics& instance() {
        static auto* const metrics = new traffic_metrics;
        return *metrics;
    }

    traffic_metrics(const traffic_metrics&) = delete;
    traffic_metrics& operator=(const traffic_metrics&) = delete;

    void add(netsys_server server) {
        add(server.id, kind::server,
            [](std::uint64_t id, netsys_stats& stats) noexcept { return netsys_server_stats({id}, &stats); });
    }
    void add(netsys_client client) {
        add(client.id, kind::client,
            [](std::uint64_t id, netsys_stats& stats) noexcept { return netsys_client_stats({id}, &stats); });
    }
    void add(netsys_session session) {
        add(session.id, kind::session,
            [](std::uint64_t id, netsys_stats& stats) noexcept { return netsys_session_stats({id}, &stats); });
    }

    /// To be called when a run has ended, as long as its handle is valid. Again does nothing.
    template <typename Handle>
    void remove(Handle handle) noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = runs_.find(handle.id);
        if (found != runs_.end()) {
            collect(found->first, found->second);
            runs_.erase(found);
        }
    }

    traffic take() noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (auto at = runs_.begin(); at != runs_.end();) {
            run& known = at->second;
            if (!collect(at->first, known)) {
                at = runs_.erase(at);  // its handle is gone
                continue;
            }
            since_last_.connections_current += known.seen.connections_current;
            since_last_.bytes_queued += known.seen.queued_bytes;
            since_last_.servers += known.what == kind::server ? 1 : 0;
            since_last_.clients += known.what == kind::client ? 1 : 0;
            ++at;
        }
        const traffic result = since_last_;
        since_last_ = traffic();
        return result;
    }

private:
    enum class kind { server, client, session };
    using reader = netsys_status (*)(std::uint64_t id, netsys_stats& stats) noexcept;

    struct run {
        kind what;
        reader read;
        netsys_stats seen;
    };

    traffic_metrics() = default;

    void add(std::uint64_t id, kind what, reader read) {
        const std::lock_guard<std::mutex> lock(mutex_);
        runs_.insert_or_assign(id, run{what, read, netsys_stats{}});
    }

    /// With the mutex held. False if there is no such run any more.
    bool collect(std::uint64_t id, run& known) noexcept {
        netsys_stats now{};
        now.struct_size = sizeof(now);
        if (known.read(id, now) != NETSYS_OK) {
            return false;
        }
        // A figure that has become smaller was reset.
        const auto grown = [](std::uint64_t before, std::uint64_t after) {
            return after >= before ? after - before : after;
        };
        since_last_.connections += grown(known.seen.connections_total, now.connections_total);
        since_last_.connections_rejected += grown(known.seen.connections_rejected, now.connections_rejected);
        since_last_.messages_sent += grown(known.seen.messages_sent, now.messages_sent);
        since_last_.messages_received += grown(known.seen.messages_received, now.messages_received);
        since_last_.bytes_sent += grown(known.seen.bytes_sent, now.bytes_sent);
        since_last_.bytes_received += grown(known.seen.bytes_received, now.bytes_received);
        since_last_.errors += grown(known.seen.errors, now.errors);
        known.seen = now;
        return true;
    }

    std::mutex mutex_;
    std::unordered_map<std::uint64_t, run> runs_;
    traffic since_last_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
