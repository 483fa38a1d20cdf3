#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connection.h"
#include "plan.h"
#include "recorder.h"

namespace bench {

/// Sends the numbered messages of one connection: as many as are allowed, as fast as the transport takes them. Any
/// thread may call it, and it goes on in the thread that says there is room again.
///
/// The functions that return a bool say true once: when the sender has come to its end, that is, sends no more and
/// expects no more answers.
class sender {
public:
    enum class expects { answers, nothing };
    /// Of the shard's histograms: how late messages of an open loop were accepted.
    static constexpr std::size_t delay_slot = 1;

    sender(const plan& plan, recorder& recorder, const std::vector<std::uint8_t>& body, std::uint32_t size,
           expects expects, connection& connection)
        : plan_(plan), recorder_(recorder), body_(body), size_(size), expects_(expects), connection_(connection) {}

    /// Which of the plan's senders it is.
    void set_turn(std::uint32_t turn) { turn_ = turn; }

    /// `more` messages may be sent; at most `most` of them now.
    bool allow(std::uint64_t more, std::uint64_t most = never);
    bool writable();
    /// One message was answered; in a closed loop the next may be sent.
    bool answered();
    /// Nothing more is allowed; what has been is still sent.
    bool finish();
    /// Nothing more is sent.
    bool stop();
    /// ... and no answer is expected any more.
    bool give_up();

    /// A last message behind all others, once the sender has stopped.
    void send_last(purpose what, std::uint32_t size);

    /// Where it stands.
    struct standing {
        std::uint64_t sent = 0;
        std::uint64_t answered = 0;
        std::uint64_t unsent = 0;  // of an open loop: due, and not sent
        bool stopped = false;
        bool waits = false;  // for room, or for an answer
    };
    standing stands() const;
    /// Of the sent ones, those that are measured.
    std::uint64_t measured_count() const;
    /// Why the connection refuses to send, or nothing.
    std::string refusal() const;
    /// Whether the transport has been full; then it tells when there is room.
    bool was_full() const;

private:
    void pump(std::uint64_t most);
    bool settle();

    const plan& plan_;
    recorder& recorder_;
    const std::vector<std::uint8_t>& body_;
    const std::uint32_t size_;
    const expects expects_;
    connection& connection_;
    std::uint32_t turn_ = 0;

    mutable std::mutex mutex_;
    std::uint64_t allowed_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t first_measured_ = never;
    std::optional<header> last_;
    std::uint64_t unsent_ = 0;
    bool finishing_ = false;
    bool full_ = false;
    bool was_full_ = false;
    bool stopped_ = false;
    bool done_ = false;
};

}  // namespace bench
