#include "abi.h"

#include <cmath>

#include "failure.h"

namespace bench {

void require(netsys_status status, const std::string& what) {
    if (status == NETSYS_OK) return;
    netsys_error_info info{};
    info.struct_size = sizeof info;
    std::string detail = netsys_status_message(status);
    if (netsys_last_error(&info) == NETSYS_OK && info.status == status && info.message[0] != '\0') {
        detail = info.message;
    }
    throw failure(what + ": " + detail + " (" + netsys_status_name(status) + ")");
}

std::uint32_t to_ms(double seconds) {
    const double ms = std::ceil(seconds * 1000);
    return ms < 1 ? 1 : ms > 4e9 ? 4'000'000'000u : static_cast<std::uint32_t>(ms);
}

context::context(const options& options) : drain_ms_(to_ms(options.drain)) {
    netsys_context_config config;
    require(netsys_context_config_init(&config, sizeof config), "configuration of the context");
    config.max_loops = options.loops;
    // The queues of all connections are bounded already, and a load tool may need a lot of them.
    config.max_buffered_bytes = NETSYS_UNLIMITED_U64;
    config.log_level = 1;
    require(netsys_context_create(&config, &handle_), "context");
}

context::~context() {
    netsys_context_shutdown(handle_, drain_ms_);
}

netsys_tls_config tls_config(const options& options) {
    netsys_tls_config out;
    require(netsys_tls_config_init(&out, sizeof out), "configuration of TLS");
    out.certificate_file = view(options.certificate);
    out.key_file = view(options.key);
    out.ca_file = view(options.ca);
    out.server_name = view(options.server_name);
    out.min_version = options.tls_min;
    if (!options.resumption) out.flags |= NETSYS_TLS_NO_SESSION_RESUMPTION;
    if (options.insecure) out.dangerously_disable_verification = NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION;
    if (options.command == command::serve && !options.ca.empty()) {
        out.client_certificate = NETSYS_CLIENT_CERTIFICATE_REQUIRED;
    }
    return out;
}

}  // namespace bench
