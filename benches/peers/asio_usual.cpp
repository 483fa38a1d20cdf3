// asio (standalone) as most programs use it, after its own chat example: async_read of a 4-byte length, async_read of
// the body, and a queue of messages each of which has an async_write of its own. Raw has no lengths: async_read_some
// into a buffer of 8 KiB, the same queue. asio_tuned.cpp is what asio can do.
#include <array>
#include <asio.hpp>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "workload.h"

namespace {

using asio::ip::tcp;

constexpr std::size_t queue_bytes = 256 * 1024;
constexpr std::size_t raw_read_bytes = 8 * 1024;
constexpr int listen_backlog = 4096;

asio::io_context context{1};

class connection;
std::vector<std::shared_ptr<connection>> connections;

using message_ptr = std::shared_ptr<const std::vector<std::uint8_t>>;

message_ptr encode(const std::uint8_t* data, std::size_t len) {
    const auto header = static_cast<std::uint32_t>(len);
    const std::size_t header_len = work.options.raw ? 0 : sizeof header;
    auto message = std::make_shared<std::vector<std::uint8_t>>(header_len + len);
    std::memcpy(message->data(), &header, header_len);
    std::memcpy(message->data() + header_len, data, len);
    return message;
}

// First: a peer is its connection.
class connection : public workload_peer, public std::enable_shared_from_this<connection> {
public:
    explicit connection(tcp::socket socket) : workload_peer(), socket_(std::move(socket)) {}

    tcp::socket& socket() { return socket_; }

    void start() {
        socket_.set_option(tcp::no_delay(true));
        if (work.options.raw) {
            read_some();
        } else {
            read_header();
        }
        workload_opened(this);
    }

    bool send(message_ptr message) {
        if (queued_ >= queue_bytes) {
            refused_ = true;
            return false;
        }
        queued_ += message->size();
        queue_.push_back(std::move(message));
        if (queue_.size() == 1) write();
        return true;
    }

private:
    void read_header() {
        asio::async_read(socket_, asio::buffer(&header_, sizeof header_),
                         [self = shared_from_this()](std::error_code error, std::size_t) {
                             if (self->ended(error)) return;
                             if (self->header_ > BENCH_MAX_SIZE) bench_fail("a frame longer than any message");
                             self->read_body();
                         });
    }

    void read_body() {
        body_.resize(header_);
        asio::async_read(socket_, asio::buffer(body_), [self = shared_from_this()](std::error_code error, std::size_t) {
            if (self->ended(error)) return;
            workload_data(self.get(), self->body_.data(), self->body_.size());
            self->read_header();
        });
    }

    void read_some() {
        body_.resize(raw_read_bytes);
        socket_.async_read_some(asio::buffer(body_),
                                [self = shared_from_this()](std::error_code error, std::size_t got) {
                                    if (self->ended(error)) return;
                                    workload_data(self.get(), self->body_.data(), got);
                                    self->read_some();
                                });
    }

    void write() {
        asio::async_write(socket_, asio::buffer(*queue_.front()),
                          [self = shared_from_this()](std::error_code error, std::size_t written) {
                              if (error) return;  // it shows at the next read
                              self->queued_ -= written;
                              self->queue_.pop_front();
                              if (!self->queue_.empty()) self->write();
                              if (!self->refused_ || self->queued_ > queue_bytes / 2) return;
                              self->refused_ = false;
                              workload_writable(self.get());
                          });
    }

    bool ended(std::error_code error) {
        if (!error) return false;
        socket_.close(error);
        workload_closed();
        return true;
    }

    tcp::socket socket_;
    std::uint32_t header_ = 0;
    std::vector<std::uint8_t> body_;
    std::deque<message_ptr> queue_;
    std::size_t queued_ = 0;
    bool refused_ = false;
};

}  // namespace

static bool transport_send(workload_peer* peer, const std::uint8_t* data, std::size_t len) {
    return static_cast<connection*>(peer)->send(encode(data, len));
}

static std::size_t transport_broadcast(const std::uint8_t* data, std::size_t len) {
    const message_ptr message = encode(data, len);
    std::size_t taken = 0;
    for (const auto& each : connections) taken += each->send(message) ? 1 : 0;
    return taken;
}

static void transport_finished() {
    context.stop();
}

namespace {

void accept(tcp::acceptor& acceptor) {
    acceptor.async_accept([&acceptor](std::error_code error, tcp::socket socket) {
        if (error) bench_fail("accept");
        connections.push_back(std::make_shared<connection>(std::move(socket)));
        connections.back()->start();
        accept(acceptor);
    });
}

void serve() {
    tcp::acceptor acceptor(context);
    acceptor.open(tcp::v4());
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen(listen_backlog);
    accept(acceptor);
    // The runner closes our standard input when the client has ended.
    asio::posix::stream_descriptor input(context, dup(STDIN_FILENO));
    char byte;
    input.async_read_some(asio::buffer(&byte, 1), [](std::error_code, std::size_t) { context.stop(); });
    std::printf("%u\n", static_cast<unsigned>(acceptor.local_endpoint().port()));
    std::fflush(stdout);
    context.run();
    workload_end();
}

void drive() {
    const tcp::endpoint server(asio::ip::address_v4::loopback(), work.options.port);
    for (std::uint32_t i = 0; i < work.options.connections; i++) {
        connections.push_back(std::make_shared<connection>(tcp::socket(context)));
        work.peers[i] = connections.back().get();
        connections.back()->socket().connect(server);
    }
    for (const auto& each : connections) each->start();
    context.run();
}

}  // namespace

int main(int argc, char** argv) {
    bench_options options = bench_parse(argc, argv);
    bench_require_plain(&options);
    workload_init(options);
    bench_raise_descriptor_limit();
    if (options.server) {
        serve();
    } else {
        drive();
    }
    workload_report();
    connections.clear();
    workload_release();
    return 0;
}
