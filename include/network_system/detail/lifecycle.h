#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/traffic_metrics.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

struct server_functions {
    using handle = netsys_server;
    static netsys_status stop(handle server) noexcept { return netsys_server_stop(server, NETSYS_INFINITE); }
    static netsys_status wait(handle server) noexcept { return netsys_server_wait(server, NETSYS_INFINITE); }
    static void destroy(handle server) noexcept {
        traffic_metrics::instance().remove(server);
        netsys_server_destroy(server);
    }
};

struct client_functions {
    using handle = netsys_client;
    static netsys_status stop(handle client) noexcept { return netsys_client_stop(client, NETSYS_INFINITE); }
    static netsys_status wait(handle client) noexcept { return netsys_client_wait(client, NETSYS_INFINITE); }
    static void destroy(handle client) noexcept {
        traffic_metrics::instance().remove(client);
        netsys_client_destroy(client);
    }
};

/// Starting, stopping and waiting of a server or client, each run of which is a new handle. An ended run keeps its
/// handle until the next start, so that its statistics stay readable.
///
/// The lock is held while the library starts a run, which never waits for a callback, and never while anything waits.
template <typename Functions>
class lifecycle {
public:
    using handle = typename Functions::handle;
    using launcher = std::function<netsys_status(handle&)>;

    /// NETSYS_ERR_ALREADY_EXISTS while a run goes on. One that is ending is waited for; on a library thread, where
    /// nothing waits, the start is put off until the run has ended, if it ends by itself.
    netsys_status start(launcher launch) {
        std::unique_lock<std::mutex> lock(mutex_);
        while (phase_ != phase::idle) {
            if (runs_locked()) {
                return NETSYS_ERR_ALREADY_EXISTS;
            }
            if (wait_for_end(lock, handle_) != NETSYS_ERR_WOULD_DEADLOCK || phase_ == phase::idle) {
                continue;
            }
            if (phase_ != phase::ending || next_) {
                return NETSYS_ERR_ALREADY_EXISTS;
            }
            next_ = std::move(launch);
            return NETSYS_OK;
        }
        return launch_run(lock, launch);
    }

    /// Stops and, outside library threads, waits until no handler runs. False when there was nothing to stop.
    bool stop() {
        const handle run = request_stop();
        if (run.id != 0) {
            wait_for_end(run);
        }
        return run.id != 0;
    }

    /// Begins to stop, and waits for nothing. Tells which run ends; id 0 when there is none.
    handle request_stop() {
        std::unique_lock<std::mutex> lock(mutex_);
        if (phase_ == phase::idle) {
            return handle{};
        }
        begin_stop();
        const handle run = handle_;
        lock.unlock();
        Functions::stop(run);
        return run;
    }

    /// The run that is ending; id 0 when there is none, or it goes on.
    handle ending_run() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return phase_ == phase::ending || phase_ == phase::stopping ? handle_ : handle{};
    }

    /// The rest of such a stop, which leaves a run that was started meanwhile alone.
    void wait_for_end(handle run) {
        std::unique_lock<std::mutex> lock(mutex_);
        wait_for_end(lock, run);
    }

    /// Until the run, and one that its handlers started after it, has ended. Returns at once on a library thread.
    void wait() {
        std::unique_lock<std::mutex> lock(mutex_);
        while (phase_ != phase::idle && wait_for_end(lock, handle_) != NETSYS_ERR_WOULD_DEADLOCK) {
        }
    }

    /// Stops and gives the handle back. False on a library thread: there the rest of the run ends behind this.
    bool shut_down() noexcept {
        std::unique_lock<std::mutex> lock(mutex_);
        begin_stop();
        const handle run = handle_;
        lock.unlock();
        if (run.id == 0) {
            return true;
        }
        Functions::stop(run);
        const bool waited = Functions::wait(run) != NETSYS_ERR_WOULD_DEADLOCK;
        lock.lock();
        handle_ = handle{};
        lock.unlock();
        Functions::destroy(run);
        return waited;
    }

    bool is_running() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return runs_locked();
    }

    /// Of the last run; id 0 if there was none.
    handle current() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return handle_;
    }

    bool is_stopping() const noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        return phase_ == phase::stopping;
    }

    /// For the callbacks: the run is ending. Tells whether a stop is the cause.
    bool ending() noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (phase_ == phase::running) {
            phase_ = phase::ending;
        }
        return phase_ == phase::stopping;
    }

    /// The same for those who learn it without a callback; `run` may be an earlier one.
    void ending(handle run) noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (phase_ == phase::running && handle_.id == run.id) {
            phase_ = phase::ending;
        }
    }

    /// For the last callback: the run has ended. The status is that of the start that was put off, if there was one.
    netsys_status ended() {
        std::unique_lock<std::mutex> lock(mutex_);
        phase_ = phase::idle;
        ended_.notify_all();
        const launcher next = std::exchange(next_, nullptr);
        return next ? launch_run(lock, next) : NETSYS_OK;
    }

private:
    enum class phase { idle, running, ending, stopping };

    bool runs_locked() const noexcept { return phase_ == phase::running || next_ != nullptr; }

    void begin_stop() noexcept {
        next_ = nullptr;
        if (phase_ != phase::idle) {
            phase_ = phase::stopping;
        }
    }

    netsys_status launch_run(std::unique_lock<std::mutex>& lock, const launcher& launch) {
        handle run{};
        phase_ = phase::running;  // before its first callback
        netsys_status status = NETSYS_ERR_INTERNAL;
        try {
            status = launch(run);
        } catch (...) {
            phase_ = phase::idle;
            throw;
        }
        if (status != NETSYS_OK) {
            phase_ = phase::idle;
            return status;
        }
        const handle previous = std::exchange(handle_, run);
        lock.unlock();
        if (previous.id != 0) {
            Functions::destroy(previous);
        }
        return NETSYS_OK;
    }

    /// Waits without the lock. A handler that ended the run meanwhile may have begun another.
    netsys_status wait_for_end(std::unique_lock<std::mutex>& lock, handle run) {
        lock.unlock();
        const netsys_status status = Functions::wait(run);
        lock.lock();
        if (status == NETSYS_ERR_FORKED) {
            phase_ = phase::idle;  // the run goes on in the parent process; here no callback will tell of its end
        } else if (status != NETSYS_ERR_WOULD_DEADLOCK) {
            ended_.wait(lock, [&] { return phase_ == phase::idle || handle_.id != run.id; });
        }
        return status;
    }

    mutable std::mutex mutex_;
    std::condition_variable ended_;
    phase phase_ = phase::idle;
    handle handle_{};
    launcher next_;  // the start that follows the end of this run
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
