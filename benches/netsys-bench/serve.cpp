// A server to drive: it sends back what it gets (echo), counts it (sink), or sends it to everyone (broadcast).

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>

#include "abi.h"
#include "clock.h"
#include "dialer.h"
#include "failure.h"
#include "faults.h"
#include "progress.h"
#include "workloads.h"

namespace bench {

namespace {

/// A sink compares so much of each payload.
constexpr std::size_t compared_bytes = 64 * 1024;

/// What is known of a connection; the library calls for one connection at a time.
struct visitor {
    splitter cut;
    bool cut_is_lost = false;
    /// What the connection had no room for; it is not read meanwhile.
    std::deque<std::vector<std::uint8_t>> waiting;
    std::uint32_t kind = 0;
    sink_report report;
    std::uint64_t expected = 0;
};

class server {
public:
    explicit server(const options& options)
        : options_(options), context_(options), body_(payload::make_body(compared_bytes)) {}

    void start();
    void stop() { netsys_server_destroy(handle_); }
    std::uint16_t port() const;
    std::string summary() const;
    bool any_faults() const { return faults_.total() > 0; }
    const faults& all_faults() const { return faults_; }

private:
    static server& of(void* userdata) { return *static_cast<server*>(userdata); }
    static void on_open(void* userdata, netsys_session session);
    static void on_message(void* userdata, netsys_session session, const netsys_message* message);
    static void on_writable(void* userdata, netsys_session session);

    void take(netsys_session session, visitor& from, std::uint32_t kind, const std::uint8_t* data, std::size_t length);
    void take_message(netsys_session session, visitor& from, std::uint32_t kind, const std::uint8_t* data,
                      std::size_t length);
    void count(netsys_session session, visitor& from, std::uint32_t kind, const std::uint8_t* data, std::size_t length);
    void to_everyone(std::uint32_t kind, const std::uint8_t* data, std::size_t length);
    void answer(netsys_session session, visitor& to, std::uint32_t kind, const std::uint8_t* data, std::size_t length);
    bool is_intact(const std::uint8_t* data, std::size_t length) const;
    netsys_server handle();

    const options& options_;
    context context_;
    faults faults_;
    const std::vector<std::uint8_t> body_;
    std::mutex starting_;
    netsys_server handle_{};
    std::atomic<std::uint64_t> connections_{0};
    std::atomic<std::uint64_t> messages_{0};
    std::atomic<std::uint64_t> bytes_{0};
};

void server::start() {
    netsys_server_config config;
    netsys_callbacks callbacks{};
    netsys_tls_config tls;
    const std::string name = "netsys-bench";
    require(netsys_server_config_init(&config, sizeof config), "configuration of the server");
    config.framing = options_.framing.for_library();
    config.server_id = view(name);
    config.host = view(options_.listen_host);
    config.port = options_.listen_port;
    config.max_connections = NETSYS_UNLIMITED_U32;
    config.max_connections_per_address = NETSYS_UNLIMITED_U32;
    config.max_message_bytes = options_.max_message;
    config.io_threads = options_.loops;
    config.send_policy = NETSYS_SEND_WOULD_BLOCK;
    if (options_.tls) {
        tls = tls_config(options_);
        config.tls = &tls;
    }
    callbacks.struct_size = sizeof callbacks;
    callbacks.userdata = this;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_writable = on_writable;
    const std::lock_guard<std::mutex> lock(starting_);
    require(netsys_server_start(context_.handle(), &config, &callbacks, &handle_), "server");
}

std::uint16_t server::port() const {
    std::uint16_t port = 0;
    require(netsys_server_port(handle_, &port), "port");
    return port;
}

std::string server::summary() const {
    return grouped(connections_) + " connections, " + grouped(messages_) + " messages, " + grouped(bytes_) + " bytes";
}

/// Callbacks may run before the start has told the handle.
netsys_server server::handle() {
    const std::lock_guard<std::mutex> lock(starting_);
    return handle_;
}

void server::on_open(void* userdata, netsys_session session) {
    server& own = of(userdata);
    ++own.connections_;
    auto next = std::make_unique<visitor>();
    next->cut = own.options_.framing.kind == framing::kind_t::length
                    ? splitter::of_prefixed(own.options_.framing, own.options_.max_message)
                    : splitter::of_payloads(own.options_.max_message);
    if (netsys_session_set_userdata(session, next.get(), [](void* old) { delete static_cast<visitor*>(old); }) ==
        NETSYS_OK) {
        next.release();
    }
}

void server::on_message(void* userdata, netsys_session session, const netsys_message* message) {
    visitor* from = static_cast<visitor*>(message->session_userdata);
    if (from != nullptr) of(userdata).take(session, *from, message->kind, message->data, message->len);
}

void server::on_writable(void*, netsys_session session) {
    void* userdata = nullptr;
    if (netsys_session_userdata(session, &userdata) != NETSYS_OK || userdata == nullptr) return;
    visitor& to = *static_cast<visitor*>(userdata);
    while (!to.waiting.empty()) {
        const std::vector<std::uint8_t>& next = to.waiting.front();
        if (netsys_session_send(session, to.kind, next.data(), next.size()) == NETSYS_ERR_WOULD_BLOCK) return;
        to.waiting.pop_front();
    }
    netsys_session_pause(session, false);
}

void server::take(netsys_session session, visitor& from, std::uint32_t kind, const std::uint8_t* data,
                  std::size_t length) {
    bytes_ += length;
    const bool has_lengths = options_.framing.kind == framing::kind_t::length;
    // An echo or broadcast of raw bytes has no need to know where a message ends.
    if (kind != NETSYS_MESSAGE_STREAM || from.cut_is_lost || (!has_lengths && options_.work != serve_work::sink)) {
        take_message(session, from, kind, data, length);
        return;
    }
    const bool good = from.cut.feed(data, length, [&](const std::uint8_t* data, std::size_t length) {
        take_message(session, from, kind, data, length);
    });
    if (good) return;
    if (has_lengths) {
        faults_.add("broken framing", 1, from.cut.fault());
        netsys_session_abort(session);
        return;
    }
    // Somebody else's raw bytes: what is counted from now on is reads.
    from.cut_is_lost = true;
    ++from.report.wrong;
}

void server::take_message(netsys_session session, visitor& from, std::uint32_t kind, const std::uint8_t* data,
                          std::size_t length) {
    ++messages_;
    if (options_.work == serve_work::sink) {
        count(session, from, kind, data, length);
        return;
    }
    std::uint8_t prefix[8];
    const std::size_t width = options_.framing.write_prefix(length, prefix);
    if (width == 0 && options_.work == serve_work::echo && from.waiting.empty()) {
        answer(session, from, kind, data, length);
        return;
    }
    thread_local std::vector<std::uint8_t> whole;
    whole.assign(prefix, prefix + width);
    whole.insert(whole.end(), data, data + length);
    if (options_.work == serve_work::broadcast) {
        to_everyone(kind, whole.data(), whole.size());
    } else {
        answer(session, from, kind, whole.data(), whole.size());
    }
}

bool server::is_intact(const std::uint8_t* data, std::size_t length) const {
    const std::size_t compared = std::min(length - payload::header_bytes, body_.size());
    return std::memcmp(data + payload::header_bytes, body_.data(), compared) == 0;
}

void server::count(netsys_session session, visitor& from, std::uint32_t kind, const std::uint8_t* data,
                   std::size_t length) {
    const std::optional<header> header = payload::read(data, length);
    if (header && header->what == purpose::query && length == payload::report_bytes) {
        std::uint8_t out[8 + payload::report_bytes];
        const std::size_t width = options_.framing.write_prefix(payload::report_bytes, out);
        bench::header head = *header;
        head.what = purpose::report;
        payload::write(head, out + width);
        payload::write_report(from.report, out + width + payload::header_bytes);
        answer(session, from, kind, out, width + payload::report_bytes);
        return;
    }
    ++from.report.messages;
    from.report.bytes += length;
    if (from.cut_is_lost) return;
    if (!header || !is_intact(data, length)) {
        ++from.report.wrong;
        return;
    }
    if (header->sequence != from.expected) ++from.report.out_of_order;
    from.expected = header->sequence + 1;
}

void server::to_everyone(std::uint32_t kind, const std::uint8_t* data, std::size_t length) {
    std::size_t queued = 0, refused = 0;
    netsys_server_broadcast(handle(), kind, data, length, &queued, &refused);
    faults_.add("not delivered", refused, "the queue of a connection was full: it reads too slowly");
}

void server::answer(netsys_session session, visitor& to, std::uint32_t kind, const std::uint8_t* data,
                    std::size_t length) {
    to.kind = kind;
    if (to.waiting.empty() && netsys_session_send(session, kind, data, length) != NETSYS_ERR_WOULD_BLOCK) return;
    to.waiting.emplace_back(data, data + length);
    netsys_session_pause(session, true);
}

}  // namespace

bool serve(const options& options, control& control) {
    allow_descriptors(1'000'000, true);
    server serving(options);
    serving.start();
    const char* works[] = {"echo", "sink", "broadcast"};
    std::printf("serving %s, %s, on %s:%u\n", works[static_cast<int>(options.work)], options.framing.name().c_str(),
                options.listen_host.c_str(), static_cast<unsigned>(serving.port()));
    std::fflush(stdout);
    const std::uint64_t deadline = options.duration > 0 ? now_ns() + seconds_to_ns(options.duration) : never;
    control.wait(deadline, [] { return false; });
    serving.stop();
    if (!options.quiet) std::printf("served %s\n", serving.summary().c_str());
    for (const auto& [kind, count] : serving.all_faults().by_kind()) {
        std::fprintf(stderr, "netsys-bench: %s %s\n", grouped(count).c_str(), kind.c_str());
    }
    for (const auto& [text, count] : serving.all_faults().by_text()) {
        std::fprintf(stderr, "netsys-bench: %s (%s times)\n", text.c_str(), grouped(count).c_str());
    }
    return !serving.any_faults();
}

}  // namespace bench
