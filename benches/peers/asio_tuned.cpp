// asio (standalone) by somebody who knows what costs: async_read_some into a big buffer, all whole frames in it handled
// in place, what is sent meanwhile appended to the connection's buffer and handed to one async_write, after the handler
// or when 256 KiB are waiting. A frame is a 4-byte length in host order and the payload; raw has no frames.
#include <asio.hpp>
#include <cstring>
#include <memory>
#include <vector>

#include "workload.h"

namespace {

using asio::ip::tcp;

constexpr std::size_t read_buffer_bytes = 256 * 1024;
constexpr std::size_t flush_bytes = 256 * 1024;
constexpr int listen_backlog = 4096;

asio::io_context context{1};

class connection;
std::vector<std::shared_ptr<connection>> connections;
std::vector<connection*> dirty;  // to flush after this handler

void flush_dirty();

// First: a peer is its connection.
class connection : public workload_peer, public std::enable_shared_from_this<connection> {
public:
    explicit connection(tcp::socket socket)
        : workload_peer(), socket_(std::move(socket)), input_(new std::uint8_t[read_buffer_bytes]) {}

    tcp::socket& socket() { return socket_; }

    void start() {
        socket_.set_option(tcp::no_delay(true));
        read();
        workload_opened(this);
    }

    bool send(const std::uint8_t* data, std::size_t len) {
        if (out_.size() >= flush_bytes) {
            flush();
            if (out_.size() >= flush_bytes) {
                refused_ = true;
                return false;
            }
        }
        const auto header = static_cast<std::uint32_t>(len);
        const auto* header_bytes = reinterpret_cast<const std::uint8_t*>(&header);
        if (!work.options.raw) out_.insert(out_.end(), header_bytes, header_bytes + sizeof header);
        out_.insert(out_.end(), data, data + len);
        if (!dirty_) {
            dirty_ = true;
            dirty.push_back(this);
        }
        return true;
    }

    void flush_after_handler() {
        dirty_ = false;
        flush();
    }

private:
    // The front of a frame whose rest has not come yet stays at the front of the buffer.
    void read() {
        socket_.async_read_some(asio::buffer(input_.get() + kept_, read_buffer_bytes - kept_),
                                [self = shared_from_this()](std::error_code error, std::size_t got) {
                                    if (error) {
                                        self->socket_.close(error);
                                        workload_closed();
                                        return;
                                    }
                                    self->handle(got);
                                    flush_dirty();
                                    self->read();
                                });
    }

    void handle(std::size_t got) {
        if (work.options.raw) {
            workload_data(this, input_.get(), got);
            return;
        }
        const std::uint8_t* at = input_.get();
        std::size_t available = kept_ + got;
        std::uint32_t len;
        while (available >= sizeof len) {
            std::memcpy(&len, at, sizeof len);
            if (len > BENCH_MAX_SIZE) bench_fail("a frame longer than any message");
            if (available < sizeof len + len) break;
            workload_data(this, at + sizeof len, len);
            at += sizeof len + len;
            available -= sizeof len + len;
        }
        std::memmove(input_.get(), at, available);
        kept_ = available;
    }

    void flush() {
        if (writing_ || out_.empty()) return;
        writing_ = true;
        std::swap(out_, written_);
        asio::async_write(socket_, asio::buffer(written_),
                          [self = shared_from_this()](std::error_code error, std::size_t) {
                              if (error) return;  // it shows at the next read
                              self->writing_ = false;
                              self->written_.clear();
                              self->flush();
                              if (!self->refused_) return;
                              self->refused_ = false;
                              workload_writable(self.get());
                              flush_dirty();
                          });
    }

    tcp::socket socket_;
    const std::unique_ptr<std::uint8_t[]> input_;
    std::size_t kept_ = 0;
    std::vector<std::uint8_t> out_;      // sent and not handed to asio yet
    std::vector<std::uint8_t> written_;  // what async_write has
    bool writing_ = false;
    bool dirty_ = false;
    bool refused_ = false;
};

void flush_dirty() {
    for (connection* each : dirty) each->flush_after_handler();
    dirty.clear();
}

}  // namespace

static bool transport_send(workload_peer* peer, const std::uint8_t* data, std::size_t len) {
    return static_cast<connection*>(peer)->send(data, len);
}

static std::size_t transport_broadcast(const std::uint8_t* data, std::size_t len) {
    std::size_t taken = 0;
    for (const auto& each : connections) taken += each->send(data, len) ? 1 : 0;
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
        flush_dirty();
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
    flush_dirty();
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
