// Sends a file to another client, through transfer_server.
//
//   transfer_send HOST PORT RECEIVER FILE
//
// Ends with 0 when the receiver has written the whole file and has computed the same SHA-256.

#include <network_system/core/messaging_client.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include "../sha256.h"
#include "transfer_protocol.h"

namespace {

using network_system::core::messaging_client;
using transfer::kind;

/// What the receiver has answered so far: written by the handlers, awaited by the main thread.
class answers {
public:
    void receive(const std::string& message) {
        const std::lock_guard lock(mutex_);
        if (is(kind::accept, message)) {
            accepted_ = true;
        } else if (is(kind::verified, message)) {
            digest_ = transfer::body(message);
        } else if (is(kind::refuse, message)) {
            fail_locked(std::string(transfer::body(message)));
        }
        changed_.notify_all();
    }

    void fail(const std::string& why) {
        const std::lock_guard lock(mutex_);
        fail_locked(why);
        changed_.notify_all();
    }

    void await_acceptance() {
        std::unique_lock lock(mutex_);
        await(lock, [this] { return accepted_; });
    }

    std::string await_digest() {
        std::unique_lock lock(mutex_);
        await(lock, [this] { return digest_.has_value(); });
        return *digest_;
    }

    void throw_if_failed() {
        const std::lock_guard lock(mutex_);
        throw_if_failed_locked();
    }

private:
    template <typename Predicate>
    void await(std::unique_lock<std::mutex>& lock, Predicate arrived) {
        const auto patience = std::chrono::seconds(transfer::patience_seconds);
        if (!changed_.wait_for(lock, patience, [&] { return arrived() || failure_; })) {
            throw std::runtime_error("no answer");
        }
        if (!arrived()) {
            throw_if_failed_locked();
        }
    }

    void fail_locked(const std::string& why) {
        if (!failure_) {
            failure_ = why;  // the first failure is the cause, later ones its consequences
        }
    }

    void throw_if_failed_locked() const {
        if (failure_) {
            throw std::runtime_error(*failure_);
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool accepted_ = false;
    std::optional<std::string> digest_;
    std::optional<std::string> failure_;
};

void send(messaging_client& client, const std::string& message) {
    const auto sent = client.send_binary_message(message.data(), message.size());
    if (!sent) {
        throw std::runtime_error("cannot send: " + sent.error().message);
    }
}

/// Sends the whole file, one chunk in memory at a time: send() waits while the outgoing queue is full.
std::string stream_file(messaging_client& client, answers& receiver, std::ifstream& file, std::uint64_t size) {
    examples::sha256 hash;
    std::string chunk(1 + transfer::chunk_size, '\0');
    chunk.front() = static_cast<char>(kind::data);

    std::uint64_t sent = 0;
    while (sent < size) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(transfer::chunk_size, size - sent));
        chunk.resize(1 + wanted);
        if (!file.read(chunk.data() + 1, static_cast<std::streamsize>(wanted))) {
            throw std::runtime_error("the file has become shorter, or cannot be read");
        }
        receiver.throw_if_failed();
        hash.update(chunk.data() + 1, wanted);
        send(client, chunk);
        sent += wanted;
    }
    return hash.finish();
}

void send_file(messaging_client& client, answers& receiver, const std::string& to, const std::filesystem::path& path) {
    const std::uint64_t size = std::filesystem::file_size(path);
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("cannot open " + path.string());
    }

    const auto begin = std::chrono::steady_clock::now();
    send(client, transfer::offer{size, to, path.filename().string()}.encode());
    receiver.await_acceptance();
    const std::string digest = stream_file(client, receiver, file, size);
    send(client, transfer::message(kind::end, digest));
    if (receiver.await_digest() != digest) {
        throw std::runtime_error("the receiver has something else");
    }

    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << "sent " << size << " bytes in " << std::fixed << std::setprecision(2) << took.count() << " s, "
              << std::setprecision(1) << static_cast<double>(size) / 1e6 / took.count() << " MB/s, sha256 " << digest
              << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    unsigned short port = 0;
    if (argc != 5 || !transfer::parse_port(argv[2], port)) {
        std::cerr << "usage: " << argv[0] << " HOST PORT RECEIVER FILE\n";
        return EXIT_FAILURE;
    }

    network_system::core::client_config config;
    config.message_timeout = std::chrono::seconds(transfer::patience_seconds);

    answers receiver;
    messaging_client client("sender", config);
    client.set_message_handler([&receiver](const std::string& message) { receiver.receive(message); });
    client.set_disconnect_handler([&receiver](const std::string& why) { receiver.fail("disconnected: " + why); });
    client.set_error_handler([&receiver](const std::string& what, int) { receiver.fail(what); });

    int exit_code = EXIT_SUCCESS;
    try {
        const auto started = client.start_client(argv[1], port);
        if (!started) {
            throw std::runtime_error(started.error().message);
        }
        const auto connected = client.wait_until_connected(config.connection_timeout);
        if (!connected) {
            throw std::runtime_error("cannot connect: " + connected.error().message);
        }
        send_file(client, receiver, argv[3], argv[4]);
    } catch (const std::exception& failure) {
        std::cerr << "transfer_send: " << failure.what() << '\n';
        exit_code = EXIT_FAILURE;
    }
    client.stop_client();
    return exit_code;
}
