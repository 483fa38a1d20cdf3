#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

template <typename Signature>
using handler = std::shared_ptr<const std::function<Signature>>;

/// The handlers of one object: a struct `Table` of shared pointers, any of which may be replaced at any time by
/// any thread, also by the handler that is being replaced.
///
/// Each change publishes a new copy of the table. The loop reads through a `reader`, which costs one atomic load per
/// event as long as nothing has changed.
template <typename Table>
class handler_table {
public:
    template <typename Signature>
    void set(handler<Signature> Table::*member, std::function<Signature> function) {
        handler<Signature> next;
        if (function) {
            next = std::make_shared<const std::function<Signature>>(std::move(function));
        }
        replace(member, std::move(next));
    }

    template <typename Value>
    void replace(Value Table::*member, Value next) {
        std::shared_ptr<const Table> replaced;  // outlives the lock: destroying a handler may run any code
        const std::lock_guard<std::mutex> lock(mutex_);
        auto table = current_ ? std::make_shared<Table>(*current_) : std::make_shared<Table>();
        (*table).*member = std::move(next);
        replaced = std::exchange(current_, std::move(table));
        published_.store(current_.get(), std::memory_order_release);
    }

    void clear() noexcept {
        std::shared_ptr<const Table> replaced;
        const std::lock_guard<std::mutex> lock(mutex_);
        replaced.swap(current_);
        published_.store(&none(), std::memory_order_release);
    }

    Table snapshot() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return current_ ? *current_ : Table{};
    }

    /// For one thread at a time. The table that `current()` returned stays alive until it is called again, and
    /// with it a handler that replaces or removes itself while it runs.
    class reader {
    public:
        explicit reader(const handler_table& table) : table_(table) {}

        const Table& current() noexcept {
            if (table_.published_.load(std::memory_order_acquire) != seen_) {
                refresh();
            }
            return *seen_;
        }

    private:
        // Not inlined, for the sake of events before which nothing has changed.
        [[gnu::cold, gnu::noinline]] void refresh() noexcept {
            std::shared_ptr<const Table> replaced;
            const std::lock_guard<std::mutex> lock(table_.mutex_);
            replaced = std::exchange(owned_, table_.current_);
            seen_ = owned_ ? owned_.get() : &none();
        }

        const handler_table& table_;
        const Table* seen_ = &none();
        std::shared_ptr<const Table> owned_;  // so no other table is where `seen_` points
    };

private:
    static const Table& none() {
        static const Table& table = *new Table;  // never destroyed: loops may outlive `main`
        return table;
    }

    mutable std::mutex mutex_;
    std::shared_ptr<const Table> current_;
    std::atomic<const Table*> published_{&none()};  // `current_`, or that there is none; readers only compare it
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
