#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// The forms in which handlers take a message. The memory is used again for the next message, so that a stream of
/// small ones allocates nothing; only what a large one needed is given back.
class message_buffers {
public:
    const std::string& text(const netsys_message& message) {
        release_if_large(text_);
        text_.assign(reinterpret_cast<const char*>(message.data), message.len);
        return text_;
    }

    const std::vector<std::uint8_t>& bytes(const netsys_message& message) {
        release_if_large(bytes_);
        bytes_.assign(message.data, message.data + message.len);
        return bytes_;
    }

private:
    static constexpr std::size_t kept_capacity = 256 * 1024;

    template <typename Buffer>
    static void release_if_large(Buffer& buffer) noexcept {
        if (buffer.capacity() > kept_capacity) {
            Buffer().swap(buffer);
        }
    }

    std::string text_;
    std::vector<std::uint8_t> bytes_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
