#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// The forms in which handlers take a message. A thread uses the same memory for the next message, so that a stream of
/// small ones allocates nothing; only what a large one needed is given back.
class message_buffers {
public:
    /// The thread's buffers, or new ones inside a handler that has them.
    class loan {
    public:
        loan() : buffers_(take()) {}
        loan(const loan&) = delete;
        loan& operator=(const loan&) = delete;
        ~loan() {
            if (!kept_ && !thread_ends_) {
                kept_ = buffers_.release();
            }
        }

        message_buffers* operator->() const noexcept { return buffers_.get(); }

    private:
        /// Frees the thread's buffers at its end.
        struct owner {
            ~owner() {
                delete std::exchange(kept_, nullptr);
                thread_ends_ = true;
            }
        };

        static std::unique_ptr<message_buffers> take() {
            static thread_local const owner frees_at_the_end;
            static_cast<void>(frees_at_the_end);
            std::unique_ptr<message_buffers> buffers(std::exchange(kept_, nullptr));
            return buffers ? std::move(buffers) : std::make_unique<message_buffers>();
        }

        // Without destructors, since handlers may run after those of the thread: on the main thread, under manual
        // dispatch, in the destructors of static objects.
        static inline thread_local message_buffers* kept_ = nullptr;
        static inline thread_local bool thread_ends_ = false;

        std::unique_ptr<message_buffers> buffers_;
    };

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
