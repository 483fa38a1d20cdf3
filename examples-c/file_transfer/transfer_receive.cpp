// Receives one file from another client, through transfer_server.
//
//   transfer_receive HOST PORT NAME DIRECTORY      NAME is what the sender asks for
//
// Prints "waiting as NAME" when a sender may come. Ends with 0 when the file is complete in DIRECTORY and its
// SHA-256 is the sender's. Nothing in DIRECTORY is ever overwritten, and an incomplete file is removed.
//
// The message handler writes to the disk. While it is busy the client reads nothing, TCP pushes back, and the whole
// chain up to the sender goes at the speed of this disk.

#include <network_system/core/messaging_client.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <iomanip>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "../sha256.h"
#include "transfer_protocol.h"

namespace {

using network_system::core::messaging_client;
using transfer::kind;

/// A file that grows under a temporary name, and gets its own when it is complete.
class incoming_file {
public:
    incoming_file(const std::filesystem::path& directory, const transfer::offer& offer)
        : size_(offer.size), final_path_(directory / offer.file), part_path_(final_path_.string() + ".part") {
        if (std::filesystem::exists(final_path_)) {
            throw std::runtime_error("a file of that name exists");
        }
        file_.reset(std::fopen(part_path_.c_str(), "wbx"));
        if (!file_) {
            throw std::runtime_error(std::string("cannot create the file: ") + std::strerror(errno));
        }
    }
    ~incoming_file() { std::remove(part_path_.c_str()); }
    incoming_file(const incoming_file&) = delete;
    incoming_file& operator=(const incoming_file&) = delete;

    void append(std::string_view bytes) {
        if (bytes.size() > size_ - received_) {
            throw std::runtime_error("more data than announced");
        }
        if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
            throw std::runtime_error(std::string("cannot write: ") + std::strerror(errno));
        }
        hash_.update(bytes.data(), bytes.size());
        received_ += bytes.size();
    }

    /// Returns the SHA-256, which equals the sender's.
    std::string complete(std::string_view expected_digest) {
        const std::string digest = hash_.finish();
        if (received_ != size_ || digest != expected_digest) {
            throw std::runtime_error("the data was damaged");
        }
        if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) {
            throw std::runtime_error(std::string("cannot write: ") + std::strerror(errno));
        }
        if (::link(part_path_.c_str(), final_path_.c_str()) != 0) {  // unlike rename, never replaces a file
            throw std::runtime_error(std::string("cannot name the file: ") + std::strerror(errno));
        }
        return digest;
    }

private:
    struct closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::uint64_t size_;
    std::uint64_t received_ = 0;
    std::filesystem::path final_path_;
    std::filesystem::path part_path_;
    std::unique_ptr<std::FILE, closer> file_;
    examples::sha256 hash_;
};

/// One transfer, from offer to end: fed by the handlers, one at a time, and reporting its outcome once.
class reception {
public:
    reception(messaging_client& client, std::string name, std::filesystem::path directory)
        : client_(client), name_(std::move(name)), directory_(std::move(directory)) {}

    /// The summary of a complete transfer; throws what went wrong.
    std::future<std::string> outcome() { return outcome_.get_future(); }

    void receive(const std::string& message) {
        if (done_) {
            return;
        }
        try {
            advance(message);
        } catch (const std::exception& failure) {
            send(transfer::message(kind::refuse, failure.what()));
            fail(failure.what());
        }
    }

    void fail(const std::string& why) {
        if (!done_) {
            done_ = true;
            file_.reset();
            outcome_.set_exception(std::make_exception_ptr(std::runtime_error(why)));
        }
    }

private:
    void advance(const std::string& message) {
        const std::string_view body = transfer::body(message);
        if (is(kind::data, message) && file_) {
            file_->append(body);
        } else if (is(kind::ready, message) && !file_) {
            std::cout << "waiting as " << name_ << std::endl;
        } else if (is(kind::offer, message) && !file_) {
            open(message);
        } else if (is(kind::end, message) && file_) {
            const std::string digest = file_->complete(body);
            file_.reset();
            send(transfer::message(kind::verified, digest));
            done_ = true;
            outcome_.set_value(summary_ + ", sha256 " + digest);
        } else if (is(kind::refuse, message)) {
            throw std::runtime_error(std::string(body));
        } else {
            throw std::runtime_error("a message out of turn");
        }
    }

    void open(const std::string& message) {
        const auto offer = transfer::offer::decode(message);
        if (!offer || !transfer::is_safe_file_name(offer->file)) {
            throw std::runtime_error("not a name for a file");
        }
        file_ = std::make_unique<incoming_file>(directory_, *offer);
        summary_ = "received " + offer->file + ", " + std::to_string(offer->size) + " bytes";
        send(transfer::message(kind::accept));
    }

    void send(const std::string& message) { client_.send_binary_message(message.data(), message.size()); }

    messaging_client& client_;
    std::string name_;
    std::filesystem::path directory_;
    std::unique_ptr<incoming_file> file_;
    std::string summary_;
    std::promise<std::string> outcome_;
    bool done_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    unsigned short port = 0;
    if (argc != 5 || !transfer::parse_port(argv[2], port)) {
        std::cerr << "usage: " << argv[0] << " HOST PORT NAME DIRECTORY\n";
        return EXIT_FAILURE;
    }

    const network_system::core::client_config config;
    messaging_client client(argv[3], config);
    reception transfer_in(client, argv[3], argv[4]);
    auto outcome = transfer_in.outcome();
    client.set_message_handler([&](const std::string& message) { transfer_in.receive(message); });
    client.set_disconnect_handler([&](const std::string& why) { transfer_in.fail("disconnected: " + why); });
    client.set_error_handler([&](const std::string& what, int) { transfer_in.fail(what); });

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
        const std::string ready = transfer::message(kind::ready);
        client.send_binary_message(ready.data(), ready.size());
        std::cout << outcome.get() << std::endl;
    } catch (const std::exception& failure) {
        std::cerr << "transfer_receive: " << failure.what() << '\n';
        exit_code = EXIT_FAILURE;
    }
    client.stop_client();  // what was sent last arrives; no handler runs after it
    return exit_code;
}
