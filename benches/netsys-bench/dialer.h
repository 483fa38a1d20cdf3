#pragma once

#include <network_system.h>

#include <cstdint>
#include <string>
#include <vector>

#include "connection.h"
#include "options.h"

namespace bench {

/// Starts connections to the servers of the command line, in turn.
class dialer {
public:
    /// Names are looked up here, once for all connections. Throws failure.
    dialer(netsys_context context, const options& options);

    /// Starts a connection. Its events may come before this returns; events and connection must live until destroy.
    void start(connection& connection, connection::events& events);
    /// Begins to end it, however far it has come; `ended` follows unless it came before.
    void stop(connection& connection, bool at_once) const;
    /// Waits for it to end, and gives it up. Not on a thread of the library.
    void destroy(connection& connection) const;

    const bench::framing& framing() const { return framing_; }
    /// Of raw streams, how long each message is that comes; holds for connections that are started from now on.
    void set_raw_size(std::size_t size) { raw_size_ = size; }

private:
    struct place {
        std::string host;
        std::string server_name;
        netsys_client_config config;
        netsys_tls_config tls;
    };

    netsys_context context_;
    bench::framing framing_;
    std::uint64_t max_message_;
    std::size_t raw_size_;
    std::vector<place> places_;
};

/// What an operating system's error means here, if it is one that a load program runs into by itself.
std::string explain(const std::string& text, int os_code);

/// Raises the soft limit of descriptors to the hard one. Throws failure where that is not enough for `count`
/// connections, unless fewer are fine too.
void allow_descriptors(std::uint32_t count, bool fewer_are_fine = false);

}  // namespace bench
