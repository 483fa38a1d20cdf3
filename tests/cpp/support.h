#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

/// What the tests of the C++ layer share.
namespace test_support {

/// After so long a test gives up on an event that has to come.
constexpr std::chrono::seconds patience{20};

/// Keeps what handlers report, in order, and lets the test wait for it.
template <typename Entry>
class recorder {
public:
    void add(Entry entry) {
        const std::lock_guard<std::mutex> lock(mutex_);
        entries_.push_back(std::move(entry));
        changed_.notify_all();
    }

    /// False when there are not that many entries in time.
    bool wait_for(std::size_t count) {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return entries_.size() >= count; });
    }

    std::vector<Entry> all() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return entries_;
    }

    std::size_t size() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return entries_.size();
    }

    /// The entry of that number, once it is there; an empty one when it does not come in time.
    Entry at(std::size_t index) {
        const bool there = wait_for(index + 1);
        const std::lock_guard<std::mutex> lock(mutex_);
        return there ? entries_[index] : Entry();
    }

    Entry last() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return entries_.empty() ? Entry() : entries_.back();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Entry> entries_;
};

using journal = recorder<std::string>;

/// Collects a byte stream, which comes in chunks of any size.
class stream_sink {
public:
    template <typename Chunk>
    void add(const Chunk& chunk) {
        const std::lock_guard<std::mutex> lock(mutex_);
        bytes_.append(chunk.begin(), chunk.end());
        changed_.notify_all();
    }

    /// The stream, once it is that long; what has come when it takes too long.
    std::string wait_for(std::size_t length) {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait_for(lock, patience, [&] { return bytes_.size() >= length; });
        return bytes_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string bytes_;
};

/// Something that happens once.
class event {
public:
    void set() {
        const std::lock_guard<std::mutex> lock(mutex_);
        set_ = true;
        changed_.notify_all();
    }

    bool wait() {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool set_ = false;
};

/// A TCP peer that knows nothing of the library.
class raw_peer {
public:
    explicit raw_peer(unsigned short port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
            throw std::system_error(errno, std::generic_category(), "connect");
        }
        limit_waiting();
    }

    static raw_peer on(int connected_fd) { return raw_peer(connected_fd, adopted{}); }

    raw_peer(raw_peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    raw_peer& operator=(raw_peer&&) = delete;
    ~raw_peer() { close(); }

    void send(const std::string& bytes) {
        ASSERT_EQ(static_cast<ssize_t>(bytes.size()), ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }

    /// That many bytes, or fewer when the stream ends before.
    std::string receive(std::size_t length) {
        std::string bytes(length, '\0');
        std::size_t got = 0;
        while (got < length) {
            const ssize_t count = ::recv(fd_, &bytes[got], length - got, 0);
            if (count <= 0) {
                break;
            }
            got += static_cast<std::size_t>(count);
        }
        bytes.resize(got);
        return bytes;
    }

    bool at_end() {
        char byte = 0;
        return ::recv(fd_, &byte, 1, 0) == 0;
    }

    /// Resets the connection.
    void reset() {
        const linger hard{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        close();
    }

    int take_descriptor() { return std::exchange(fd_, -1); }

    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

private:
    struct adopted {};
    raw_peer(int fd, adopted) : fd_(fd) { limit_waiting(); }

    void limit_waiting() {
        const timeval limit{static_cast<time_t>(patience.count()), 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    }

    int fd_;
};

/// A TCP server that knows nothing of the library.
class raw_listener {
public:
    raw_listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(fd_, generic, length) != 0 || ::listen(fd_, 8) != 0 || ::getsockname(fd_, generic, &length) != 0) {
            throw std::system_error(errno, std::generic_category(), "listen");
        }
        port_ = ntohs(address.sin_port);
    }
    raw_listener(const raw_listener&) = delete;
    raw_listener& operator=(const raw_listener&) = delete;
    ~raw_listener() { ::close(fd_); }

    unsigned short port() const { return port_; }
    raw_peer accept() { return raw_peer::on(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)); }

private:
    int fd_;
    unsigned short port_ = 0;
};

/// A port that refuses connections: bound, and not listened on. A server may listen on it meanwhile.
class refusing_port {
public:
    refusing_port() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        const int shared = 1;
        ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &shared, sizeof(shared));
        if (::bind(fd_, generic, length) != 0 || ::getsockname(fd_, generic, &length) != 0) {
            throw std::system_error(errno, std::generic_category(), "bind");
        }
        port_ = ntohs(address.sin_port);
    }
    refusing_port(const refusing_port&) = delete;
    refusing_port& operator=(const refusing_port&) = delete;
    ~refusing_port() { ::close(fd_); }

    unsigned short port() const { return port_; }

private:
    int fd_;
    unsigned short port_ = 0;
};

inline std::vector<std::uint8_t> bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
}
inline std::string text_of(const std::vector<std::uint8_t>& bytes) {
    return {bytes.begin(), bytes.end()};
}

}  // namespace test_support
