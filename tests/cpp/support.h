#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "waiting.h"

/// What the tests of the C++ layer share.
namespace test_support {

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
