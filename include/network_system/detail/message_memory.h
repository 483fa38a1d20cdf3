#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "network_system/detail/c_api.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// The memory for messages in a form in which handlers take them: `std::string`, or `std::vector` of bytes.
///
/// A thread uses the same for one message after another, so that a stream of small ones allocates nothing. A large one,
/// and one that comes inside a handler which has the thread's, gets some of its own, which goes with it.
template <typename Form>
class message_memory {
public:
    /// Calls `handle` with the message.
    template <typename Handle>
    static void fill(const netsys_message& message, Handle&& handle) {
        Form* const kept = kept_;
        if (kept == nullptr || message.len > largest_kept) {
            return fill_other(message, handle);
        }
        const use while_handled(kept);
        assign(*kept, message);
        handle(static_cast<const Form&>(*kept));
    }

private:
    struct use {
        explicit use(Form* used) noexcept : form(used) { kept_ = nullptr; }
        use(const use&) = delete;
        use& operator=(const use&) = delete;
        ~use() { kept_ = form; }

        Form* const form;
    };

    /// Frees the thread's memory at its end.
    struct owner {
        ~owner() {
            delete std::exchange(kept_, nullptr);
            state_ = state::thread_ends;
        }
    };

    enum class state { not_made, made, thread_ends };

    static constexpr std::size_t largest_kept = 256 * 1024;  ///< message, in bytes

    template <typename Handle>
    [[gnu::cold, gnu::noinline]] static void fill_other(const netsys_message& message, Handle& handle) {
        if (state_ == state::not_made && message.len <= largest_kept) {
            static thread_local const owner frees_at_the_end;
            static_cast<void>(frees_at_the_end);
            kept_ = new Form;
            state_ = state::made;
            return fill(message, handle);
        }
        Form own;
        assign(own, message);
        handle(static_cast<const Form&>(own));
    }

    /// Messages of one length after another are the usual case, and `assign` has a lot more to ask.
    static void assign(std::string& text, const netsys_message& message) {
        const char* const data = reinterpret_cast<const char*>(message.data);
        if (text.size() == message.len) {
            std::char_traits<char>::copy(text.data(), data, message.len);
        } else {
            text.assign(data, message.len);
        }
    }

    static void assign(std::vector<std::uint8_t>& bytes, const netsys_message& message) {
        bytes.assign(message.data, message.data + message.len);
    }

    // Without destructors, since handlers may run after those of the thread: on the main thread, under manual
    // dispatch, in the destructors of static objects.
    static inline thread_local Form* kept_ = nullptr;  ///< null as long as a handler has it, too
    static inline thread_local state state_ = state::not_made;
};

/// Calls `handle` with the message as a text.
template <typename Handle>
void as_text(const netsys_message& message, Handle&& handle) {
    message_memory<std::string>::fill(message, handle);
}

/// Calls `handle` with the message as bytes.
template <typename Handle>
void as_bytes(const netsys_message& message, Handle&& handle) {
    message_memory<std::vector<std::uint8_t>>::fill(message, handle);
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
