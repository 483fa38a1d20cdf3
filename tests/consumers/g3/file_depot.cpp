// G3, November and December 2025: files go to a depot and back, in checked pieces over the byte stream. The headers are
// found below kcenon/network, the classes in network_system; the process has one context with a thread pool, a logger
// and a monitoring, all three the program's own.
#include <kcenon/network/config/network_config.h>
#include <kcenon/network/core/messaging_client.h>
#include <kcenon/network/core/messaging_server.h>
#include <kcenon/network/core/network_context.h>
#include <kcenon/network/integration/logger_integration.h>
#include <kcenon/network/integration/monitoring_integration.h>
#include <kcenon/network/integration/thread_integration.h>
#include <kcenon/network/metrics/network_metrics.h>
#include <kcenon/network/network_system.h>
#include <kcenon/network/session/messaging_session.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../check.h"

namespace {

using network_system::core::messaging_client;
using network_system::core::messaging_server;
using network_system::core::network_context;
using network_system::session::messaging_session;
namespace integration = network_system::integration;

enum class frame_kind : uint8_t { open = 'o', piece = 'p', close = 'c', fetch = 'f', stored = 's', unknown = 'u' };

struct frame {
    frame_kind kind = frame_kind::unknown;
    std::string data;
};

constexpr std::size_t header_size = 9;
constexpr std::size_t piece_size = 256 * 1024;

uint32_t checksum(const std::string& data) {
    uint32_t sum = 2166136261u;
    for (const char c : data) {
        sum = (sum ^ static_cast<uint8_t>(c)) * 16777619u;
    }
    return sum;
}

/// The kind, length and checksum as four bytes each, the data.
std::vector<uint8_t> make_frame(frame_kind kind, const std::string& data) {
    std::vector<uint8_t> bytes{static_cast<uint8_t>(kind)};
    for (const uint32_t number : {static_cast<uint32_t>(data.size()), checksum(data)}) {
        for (int shift = 0; shift < 32; shift += 8) {
            bytes.push_back(static_cast<uint8_t>(number >> shift));
        }
    }
    bytes.insert(bytes.end(), data.begin(), data.end());
    return bytes;
}

/// Assembles frames from chunks.
class frame_reader {
public:
    template <typename Consumer>
    void read(const std::vector<uint8_t>& chunk, Consumer&& consume) {
        buffer_.append(chunk.begin(), chunk.end());
        std::size_t at = 0;
        while (buffer_.size() - at >= header_size) {
            const std::size_t length = number(at + 1);
            if (buffer_.size() - at - header_size < length) {
                break;
            }
            frame whole{static_cast<frame_kind>(buffer_[at]), buffer_.substr(at + header_size, length)};
            CHECK(checksum(whole.data) == number(at + 5));
            at += header_size + length;
            consume(whole);
        }
        buffer_.erase(0, at);
    }

private:
    uint32_t number(std::size_t at) const {
        uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            value |= static_cast<uint32_t>(static_cast<uint8_t>(buffer_[at + i])) << 8 * i;
        }
        return value;
    }

    std::string buffer_;
};

/// Sends a file to a client or a session; like all such programs it looks at no result.
template <typename Peer>
void send_file(Peer& peer, const std::string& name, const std::string& content) {
    peer.send_packet(make_frame(frame_kind::open, name));
    for (std::size_t at = 0; at < content.size(); at += piece_size) {
        auto piece = make_frame(frame_kind::piece, content.substr(at, piece_size));
        peer.send_packet(std::move(piece));
    }
    peer.send_packet(make_frame(frame_kind::close, name));
}

/// Puts files together from frames.
class file_sink {
public:
    /// True when the frame completed a file.
    bool take(const frame& part) {
        if (part.kind == frame_kind::open) {
            content.clear();
        } else if (part.kind == frame_kind::piece) {
            content += part.data;
        }
        return part.kind == frame_kind::close;
    }

    std::string content;
};

class depot {
public:
    explicit depot(unsigned short port) {
        server_->set_connection_callback([this](auto session) {
            // What one connection sends is handled with its own state.
            session->set_receive_callback([this, peer = std::weak_ptr<messaging_session>(session),
                                           reader = std::make_shared<frame_reader>(),
                                           sink = std::make_shared<file_sink>()](const auto& chunk) {
                reader->read(chunk, [&](const frame& part) {
                    if (const auto session = peer.lock()) {
                        handle(*session, *sink, part);
                    }
                });
            });
        });
        server_->set_disconnection_callback([](const std::string& id) { CHECK(id == "depot"); });
        const auto started = server_->start_server(port);
        if (!started) {
            std::cerr << started.error().message << '\n';
        }
        CHECK(started.is_ok());
    }
    ~depot() {
        server_->stop_server();
        server_->wait_for_stop();
    }

private:
    void handle(messaging_session& session, file_sink& sink, const frame& part) {
        if (part.kind == frame_kind::fetch) {
            const auto found = files_.find(part.data);
            if (found == files_.end()) {
                session.send_packet(make_frame(frame_kind::unknown, part.data));
            } else {
                send_file(session, part.data, found->second);  // all of it, inside the callback
            }
        } else if (sink.take(part)) {
            files_[part.data] = sink.content;
            session.send_packet(make_frame(frame_kind::stored, part.data));
        }
    }

    // The callbacks of one server never overlap, so the program has no lock here.
    std::map<std::string, std::string> files_;
    const std::shared_ptr<messaging_server> server_ = std::make_shared<messaging_server>("depot");
};

class depot_user {
public:
    explicit depot_user(unsigned short port) {
        check::event connected;
        client_->set_connected_callback([&connected] { connected.set(); });
        client_->set_receive_callback([this](const auto& chunk) {
            reader_.read(chunk, [this](const frame& part) {
                if (part.kind == frame_kind::stored || part.kind == frame_kind::unknown) {
                    answers_.add(part);
                } else if (sink_.take(part)) {
                    answers_.add({frame_kind::close, sink_.content});
                }
            });
        });
        CHECK(client_->start_client("localhost", port));
        CHECK(connected.wait());
        client_->set_connected_callback(nullptr);
    }
    ~depot_user() { client_->stop_client(); }

    void store(const std::string& name, const std::string& content) {
        send_file(*client_, name, content);
        CHECK(answers_.wait_for(++asked_));
        CHECK(answers_.last().kind == frame_kind::stored && answers_.last().data == name);
    }

    frame fetch(const std::string& name) {
        client_->send_packet(make_frame(frame_kind::fetch, name));
        CHECK(answers_.wait_for(++asked_));
        return answers_.last();
    }

private:
    const std::shared_ptr<messaging_client> client_ = std::make_shared<messaging_client>("user");
    frame_reader reader_;
    file_sink sink_;
    std::size_t asked_ = 0;
    check::recorder<frame> answers_;
};

/// What another program, on asio, gets from the depot.
std::string fetch_with_asio(unsigned short port, const std::string& name) {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
    asio::write(socket, asio::buffer(make_frame(frame_kind::fetch, name)));
    frame_reader reader;
    file_sink sink;
    std::vector<uint8_t> chunk(100000);
    for (bool complete = false; !complete;) {
        chunk.resize(socket.read_some(asio::buffer(chunk)));
        reader.read(chunk, [&](const frame& part) { complete = sink.take(part); });
        chunk.resize(100000);
    }
    return sink.content;
}

std::string make_content(std::size_t size, uint32_t seed) {
    std::string content(size, '\0');
    for (char& c : content) {
        seed = seed * 1664525u + 1013904223u;
        c = static_cast<char>(seed >> 24);
    }
    return content;
}

/// The program's own monitoring.
class totals final : public integration::monitoring_interface {
public:
    using labels = std::map<std::string, std::string>;

    void report_counter(const std::string& name, double value, const labels&) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        sums_[name] += value;
    }
    void report_gauge(const std::string&, double, const labels&) override {}
    void report_histogram(const std::string&, double, const labels&) override {}
    void report_health(const std::string&, bool, double, std::size_t, double) override {}

    double of(const std::string& name) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return sums_[name];
    }

private:
    std::mutex mutex_;
    std::map<std::string, double> sums_;
};

/// The program's own logger.
class line_count final : public integration::logger_interface {
public:
    void log(integration::log_level, const std::string& message) override { lines.add(message); }
    void log(integration::log_level level, const std::string& message, const std::string&, int,
             const std::string&) override {
        log(level, message);
    }
    bool is_level_enabled(integration::log_level level) const override { return level >= integration::log_level::info; }
    void flush() override {}

    check::recorder<std::string> lines;
};

}  // namespace

int main() {
    const auto log = std::make_shared<line_count>();
    const auto monitoring = std::make_shared<totals>();
    const auto pool = std::make_shared<integration::basic_thread_pool>(2);
    network_context::instance().set_thread_pool(pool);
    network_context::instance().set_logger(log);
    integration::monitoring_integration_manager::instance().set_monitoring(monitoring);

    if (!network_system::initialize(network_system::config::network_config::production())) {
        return 1;
    }
    CHECK(network_system::is_initialized());
    CHECK(network_context::instance().get_thread_pool() == pool);
    NETWORK_LOG_INFO("the depot opens");
    NETWORK_LOG_DEBUG("not at this level");

    const std::string large = make_content(24 * piece_size + 17, 1);
    const std::string small = make_content(100, 2);
    {
        const unsigned short port = check::free_port();
        depot files(port);
        depot_user user(port);
        user.store("large", large);
        network_system::metrics::metric_reporter::report_bytes_sent(large.size());
        user.store("small", small);
        CHECK(user.fetch("large").data == large);
        CHECK(user.fetch("small").data == small);
        CHECK(user.fetch("never stored").kind == frame_kind::unknown);
        CHECK(fetch_with_asio(port, "large") == large);

        // Several users at once, each on a worker of the pool.
        std::vector<std::future<void>> transfers;
        for (uint32_t i = 0; i < 4; ++i) {
            transfers.push_back(pool->submit([port, i] {
                depot_user other(port);
                const std::string name = "file " + std::to_string(i);
                other.store(name, make_content(300000 + i, i));
                CHECK(other.fetch(name).data == make_content(300000 + i, i));
            }));
        }
        for (auto& transfer : transfers) {
            transfer.get();
        }
    }

    CHECK(network_system::shutdown().is_ok());
    CHECK(network_system::shutdown().error().code == network_system::error_codes::common_errors::not_initialized);
    CHECK(pool->is_running());  // it is the program's
    CHECK(monitoring->of("network.bytes.sent") >= static_cast<double>(large.size()));
    const auto lines = log->lines.all();
    CHECK(std::count(lines.begin(), lines.end(), "the depot opens") == 1);
    CHECK(std::count(lines.begin(), lines.end(), "not at this level") == 0);
    std::cout << "6 files arrived, and came back\n";
}
