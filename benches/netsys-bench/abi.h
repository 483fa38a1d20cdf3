#pragma once

#include <network_system.h>

#include <string>

#include "options.h"

namespace bench {

inline netsys_str view(const std::string& text) {
    return {text.data(), text.size()};
}
netsys_str view(std::string&& text) = delete;  // it would be gone

/// Throws failure with what the library says is wrong, unless the call has succeeded.
void require(netsys_status status, const std::string& what);

/// The library's context of this run; ends with it.
class context {
public:
    explicit context(const options& options);
    ~context();
    context(const context&) = delete;
    context& operator=(const context&) = delete;

    netsys_context handle() const { return handle_; }

private:
    netsys_context handle_{};
    std::uint32_t drain_ms_;
};

/// How connections are encrypted, as the command line says. It refers to the options.
netsys_tls_config tls_config(const options& options);

std::uint32_t to_ms(double seconds);

}  // namespace bench
