#include "dialer.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>

#include "abi.h"
#include "failure.h"

namespace bench {

namespace {

constexpr rlim_t descriptors_beside = 64;

bool is_address(const std::string& host) {
    netsys_address_info info{};
    info.struct_size = sizeof info;
    return netsys_address_parse(view(host), &info) == NETSYS_OK;
}

/// The address that a connection to a name leads to: of several, the first that takes one.
std::string look_up(netsys_context context, const target& target, double timeout) {
    netsys_client_config config;
    netsys_callbacks callbacks{};
    callbacks.struct_size = sizeof callbacks;
    require(netsys_client_config_init(&config, sizeof config), "configuration of a client");
    config.host = view(target.host);
    config.port = target.port;
    config.framing = NETSYS_FRAMING_RAW;
    config.connect_timeout_ms = to_ms(timeout);
    netsys_client client;
    require(netsys_client_start(context, &config, &callbacks, &client), "client");
    netsys_status status = netsys_client_wait_connected(client, NETSYS_INFINITE);
    std::string why;
    if (status != NETSYS_OK) {
        netsys_error_info info{};
        info.struct_size = sizeof info;
        netsys_last_error(&info);
        why = info.status == status ? info.message : netsys_status_message(status);
    }
    char address[128] = "";
    netsys_session session;
    if (status == NETSYS_OK) status = netsys_client_session(client, &session);
    if (status == NETSYS_OK) {
        status = netsys_session_remote_address(session, address, sizeof address, nullptr);
        netsys_session_abort(session);
    }
    netsys_client_destroy(client);
    if (status != NETSYS_OK) {
        throw failure(target.host + ":" + std::to_string(target.port) + ": " +
                      (why.empty() ? netsys_status_message(status) : why));
    }
    return address;
}

}  // namespace

dialer::dialer(netsys_context context, const options& options)
    : context_(context), framing_(options.framing), max_message_(options.max_message), raw_size_(options.size) {
    places_.resize(options.targets.size());
    for (std::size_t i = 0; i < places_.size(); ++i) {
        place& place = places_[i];
        const target& target = options.targets[i];
        place.host = is_address(target.host) ? target.host : look_up(context, target, options.connect_timeout);
        place.server_name = options.server_name.empty() ? target.host : options.server_name;
        require(netsys_client_config_init(&place.config, sizeof place.config), "configuration of a client");
        place.config.framing = framing_.for_library();
        place.config.host = view(place.host);
        place.config.port = target.port;
        place.config.connect_timeout_ms = to_ms(options.connect_timeout);
        place.config.drain_ms = to_ms(options.drain);
        place.config.max_message_bytes = options.max_message;
        place.config.send_policy = NETSYS_SEND_WOULD_BLOCK;
        place.config.send_queue_bytes = std::max<std::uint64_t>(1u << 20, 2 * std::uint64_t{options.size} + 64);
        if (options.tls) {
            place.tls = tls_config(options);
            place.tls.server_name = view(place.server_name);
            place.config.tls = &place.tls;
        }
    }
}

void dialer::start(connection& connection, connection::events& events) {
    const place& place = places_[connection.index % places_.size()];
    connection.dialer_ = this;
    connection.events_ = &events;
    connection.ending_ = ending();
    connection.open_ = false;
    connection.refusal_.clear();
    connection.session_ = {};
    connection.splitter_ = framing_.kind == framing::kind_t::length ? splitter::of_prefixed(framing_, max_message_)
                                                                    : splitter::of_size(raw_size_);
    netsys_callbacks callbacks{};
    callbacks.struct_size = sizeof callbacks;
    callbacks.userdata = &connection;
    callbacks.on_open = connection::on_open;
    callbacks.on_message = connection::on_message;
    callbacks.on_writable = connection::on_writable;
    callbacks.on_close = connection::on_close;
    callbacks.on_error = connection::on_error;
    callbacks.on_stopped = connection::on_stopped;
    require(netsys_client_start(context_, &place.config, &callbacks, &connection.client_), "client");
}

void dialer::stop(connection& connection, bool at_once) const {
    netsys_client_stop(connection.client_, at_once ? 0 : NETSYS_INFINITE);
}

void dialer::destroy(connection& connection) const {
    netsys_client_destroy(connection.client_);
    connection.client_ = {};
}

std::string explain(const std::string& text, int os_code) {
    if (os_code == EADDRNOTAVAIL) {
        unsigned low = 0, high = 0;
        std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low >> high;
        return text + ": no source port is left. Each connection to one address and port needs one of " +
               std::to_string(high >= low ? high - low + 1 : 0) +
               " (net.ipv4.ip_local_port_range), and one that this side closed keeps it for a minute (TIME_WAIT, "
               "unless "
               "--reset). Name several addresses or ports of the server: HOST:PORT,HOST:PORT";
    }
    if (os_code == EMFILE || os_code == ENFILE) {
        return text + ": no descriptor is left; raise the limit (ulimit -Hn)";
    }
    return text;
}

void allow_descriptors(std::uint32_t count, bool fewer_are_fine) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t needed = count + descriptors_beside;
    if (!fewer_are_fine && limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed) {
        throw failure("--connections " + std::to_string(count) + " needs " + std::to_string(needed) +
                      " descriptors, and the hard limit is " + std::to_string(limit.rlim_max) +
                      ": raise it (ulimit -Hn, or limits.conf), or ask for fewer");
    }
    if (limit.rlim_cur >= limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace bench
