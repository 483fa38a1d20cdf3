#pragma once

#include <network_system.h>

#include <atomic>
#include <string>
#include <vector>

#include "framing.h"
#include "payload.h"

namespace bench {

class dialer;

/// How a connection ended.
struct ending {
    bool was_open = false;
    netsys_status status = NETSYS_OK;
    std::string text;
    std::uint64_t accepted = 0;
    std::uint64_t undelivered = 0;
    bool exact = false;  // the peer has confirmed the rest
};

enum class sent { accepted, full, gone };

/// One client of the library, with the framing of this tool on top. It may be started again after it was destroyed.
class connection {
public:
    /// What happens to it, on a thread of the library; one at a time for a connection.
    class events {
    public:
        virtual ~events() = default;
        virtual void opened(connection&) {}
        virtual void message(connection&, const std::uint8_t*, std::size_t) {}
        virtual void writable(connection&) {}
        /// The last one; exactly one for each start.
        virtual void ended(connection&, const ending&) {}
    };

    connection() = default;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Sends a message; its body is what `body` begins with. Only after `opened`.
    sent send(const header& header, const std::vector<std::uint8_t>& body);
    /// Ends it in good order; what was sent is delivered first. `ended` follows.
    void close();
    /// Ends it by a reset. `ended` follows.
    void abort();

    /// Why a send was refused, if it was for another reason than that the connection has ended.
    const std::string& refusal() const { return refusal_; }
    /// Whether it has been opened; it may have ended since.
    bool is_open() const { return open_; }

    std::uint32_t index = 0;

private:
    friend class dialer;

    static void on_open(void* self, netsys_session session);
    static void on_message(void* self, netsys_session session, const netsys_message* message);
    static void on_writable(void* self, netsys_session session);
    static void on_close(void* self, netsys_session session, const netsys_close_info* why);
    static void on_error(void* self, netsys_session session, const netsys_error_info* error);
    static void on_stopped(void* self);

    dialer* dialer_ = nullptr;
    events* events_ = nullptr;
    netsys_client client_{};
    netsys_session session_{};
    splitter splitter_;
    ending ending_;
    std::string refusal_;
    std::atomic<bool> open_{false};
};

}  // namespace bench
