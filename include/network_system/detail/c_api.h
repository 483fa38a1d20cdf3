#pragma once

// By its place relative to this file: the C header shares its name with the umbrella header of the C++ layer, and
// which of the two <network_system.h> finds depends on the user's include paths.
#include "../../network_system.h"

#include <string>
#include <string_view>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

inline netsys_str c_str(std::string_view text) noexcept {
    return netsys_str{text.data(), text.size()};
}

/// Reads a string through one of the C functions that fill a buffer: `get(buffer, capacity, &needed)`. The text is
/// empty when there is nothing to read.
template <typename Get>
netsys_status read_string(Get get, std::string& text) {
    char small[128];
    std::size_t needed = 0;
    netsys_status status = get(small, sizeof(small), &needed);
    if (status == NETSYS_OK) {
        text.assign(small, needed);
        return status;
    }
    text.clear();
    while (status == NETSYS_ERR_BUFFER_TOO_SMALL) {  // again when it has grown in between
        text.resize(needed + 1);
        status = get(text.data(), text.size(), &needed);
    }
    text.resize(status == NETSYS_OK ? needed : 0);
    return status;
}

/// The same where it does not matter why there is nothing to read.
template <typename Get>
std::string read_string(Get get) {
    std::string text;
    read_string(get, text);
    return text;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
