#pragma once

#include <unistd.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "network_system/detail/config_mapping.h"
#include "network_system/detail/namespace.h"
#include "network_system/detail/session_events.h"
#include "network_system/detail/traffic_metrics.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// Whether `Socket` hands over its descriptor as asio's sockets do.
template <typename Socket, typename = void>
struct gives_descriptor : std::false_type {};

template <typename Socket>
struct gives_descriptor<Socket,
                        std::enable_if_t<std::is_convertible_v<decltype(std::declval<Socket&>().is_open()), bool> &&
                                         std::is_convertible_v<decltype(std::declval<Socket&>().release()), int>>>
    : std::true_type {};

/// Takes the descriptor of a connected socket; -1 if it has none.
template <typename Socket>
int take_descriptor(Socket& socket) {
    return socket.is_open() ? static_cast<int>(socket.release()) : -1;
}

/// Ties a session without a server to the C++ object that stands for it: keeps the object alive while it serves, and
/// keeps its handlers from running once it has gone.
class session_anchor {
public:
    /// Runs `event`, unless the object has gone.
    template <typename Event>
    void run(Event&& event) noexcept {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (gone_) {
                return;
            }
            running_on_ = std::this_thread::get_id();
        }
        std::forward<Event>(event)();
        const std::lock_guard<std::mutex> lock(mutex_);
        running_on_ = std::thread::id();
        idle_.notify_all();
    }

    void keep_alive(session_ptr session) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!ended_) {
            kept_ = std::move(session);
        }
    }

    /// The session has ended: nothing keeps the object alive any more.
    void let_go() noexcept {
        session_ptr kept;  // may be the last reference, so it goes after the lock
        const std::lock_guard<std::mutex> lock(mutex_);
        ended_ = true;
        kept.swap(kept_);
    }

    /// The object goes. Returns when no event runs, except one that is calling this.
    void cut() noexcept {
        std::unique_lock<std::mutex> lock(mutex_);
        gone_ = true;
        idle_.wait(lock,
                   [this] { return running_on_ == std::thread::id() || running_on_ == std::this_thread::get_id(); });
    }

private:
    std::mutex mutex_;
    std::condition_variable idle_;
    std::thread::id running_on_;
    session_ptr kept_;
    bool ended_ = false;
    bool gone_ = false;
};

/// The callbacks of one adopted socket; the library owns them until it calls `release`.
class session_adoption {
public:
    /// Hands the socket to the library, paused. Without one, or when the library refuses it, `core` stays without a
    /// session: it stands for a disconnected one.
    static void adopt(int fd, const std::shared_ptr<session_core>& core, std::shared_ptr<session_anchor> anchor) {
        netsys_context context{};
        if (fd < 0 || default_context(context) != NETSYS_OK) {
            close_descriptor(fd);
            return;
        }
        const core::server_config settings = unlimited_server();
        const netsys_server_config config = to_c(settings, core->server_id);
        const netsys_callbacks callbacks = table(std::make_unique<session_adoption>(core, std::move(anchor)));
        netsys_session session{};
        if (netsys_session_adopt(context, fd, &config, &callbacks, &session) != NETSYS_OK) {
            close_descriptor(fd);
            return;
        }
        core->handle = session_handle::adopted(session);
        traffic_metrics::instance().add(session);
    }

    session_adoption(std::shared_ptr<session_core> core, std::shared_ptr<session_anchor> anchor) noexcept
        : core_(std::move(core)), anchor_(std::move(anchor)) {}

private:
    static void close_descriptor(int fd) noexcept {
        if (fd >= 0) {
            ::close(fd);
        }
    }

    static session_adoption& self(void* userdata) noexcept { return *static_cast<session_adoption*>(userdata); }

    static netsys_callbacks table(std::unique_ptr<session_adoption> adoption) noexcept {
        netsys_callbacks callbacks{};
        callbacks.struct_size = sizeof(callbacks);
        callbacks.userdata = adoption.release();
        callbacks.on_accept = [](void* userdata, netsys_session session) noexcept { self(userdata).accept(session); };
        callbacks.on_message = [](void* userdata, netsys_session, const netsys_message* message) noexcept {
            self(userdata).deliver([&](session_events& events) { events.message(*message); });
        };
        callbacks.on_writable = [](void* userdata, netsys_session) noexcept {
            self(userdata).deliver([](session_events& events) { events.writable(); });
        };
        callbacks.on_state = [](void* userdata, netsys_session, std::uint32_t from, std::uint32_t to) noexcept {
            self(userdata).deliver([&](session_events& events) { events.state_changed(from, to); });
        };
        callbacks.on_error = [](void* userdata, netsys_session, const netsys_error_info* error) noexcept {
            self(userdata).deliver([&](session_events& events) { events.error(*error); });
        };
        callbacks.on_end = [](void* userdata, netsys_session session, const netsys_close_info* why) noexcept {
            traffic_metrics::instance().remove(session);
            self(userdata).deliver([&](session_events& events) { events.ended(*why); });
            self(userdata).anchor_->let_go();
        };
        callbacks.release = [](void* userdata) noexcept { delete &self(userdata); };
        return callbacks;
    }

    void accept(netsys_session session) noexcept {
        guarded([&] { events_ = std::make_unique<session_events>(session, core_); },
                [&](const char* what) { netsys_session_close(session, NETSYS_ERR_INTERNAL, c_str(what)); });
    }

    template <typename Event>
    void deliver(Event&& event) noexcept {
        if (events_) {
            anchor_->run([&] { event(*events_); });
        }
    }

    const std::shared_ptr<session_core> core_;
    const std::shared_ptr<session_anchor> anchor_;
    std::unique_ptr<session_events> events_;  // from on_accept on; the loop's alone
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
