#pragma once

#include <unistd.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "network_system/detail/guard.h"
#include "network_system/detail/namespace.h"
#include "network_system/integration/logger_integration.h"

namespace NETWORK_SYSTEM_NAMESPACE::integration {

/// Hands the lines to another logger on a thread of its own, so that whoever logs does not wait for a disk or terminal.
/// When too many lines wait, later ones are dropped, and a line says how many.
class async_logger : public logger_interface {
public:
    /// `capacity`: how many lines may wait; at least 1.
    explicit async_logger(std::shared_ptr<logger_interface> target, std::size_t capacity = 8192)
        : state_(std::make_shared<state>(std::move(target), capacity)), writer_(write_lines, state_) {}

    async_logger(const async_logger&) = delete;
    async_logger& operator=(const async_logger&) = delete;

    /// What waits is written first.
    ~async_logger() override {
        {
            const std::lock_guard<std::mutex> lock(state_->mutex);
            state_->stopping = true;
        }
        state_->changed.notify_all();
        if (on_writer() || is_fork_child()) {
            writer_.detach();
        } else {
            writer_.join();
        }
    }

    void log(log_level level, const std::string& message) override { push({level, message, {}, 0, {}}); }

    void log(log_level level, const std::string& message, const std::string& file, int line,
             const std::string& function) override {
        push({level, message, file, line, function});
    }

    bool is_level_enabled(log_level level) const override { return state_->target->is_level_enabled(level); }

    /// Returns at once when the target itself calls it.
    void flush() override {
        if (on_writer() || is_fork_child()) {
            return;
        }
        std::unique_lock<std::mutex> lock(state_->mutex);
        const std::uint64_t last = state_->accepted;
        state_->written_some.wait(lock, [&] { return state_->written >= last; });
        lock.unlock();
        state_->target->flush();
    }

private:
    struct entry {
        log_level level;
        std::string message;
        std::string file;  // empty: unknown
        int line;
        std::string function;
    };

    /// Shared with the writer, which outlives a logger that its own target destroys.
    struct state {
        state(std::shared_ptr<logger_interface> logger, std::size_t limit)
            : target(std::move(logger)), capacity(limit == 0 ? 1 : limit) {}

        const std::shared_ptr<logger_interface> target;
        const std::size_t capacity;
        const pid_t process = ::getpid();
        std::mutex mutex;
        std::condition_variable changed;
        std::condition_variable written_some;
        std::deque<entry> waiting;
        std::uint64_t accepted = 0;
        std::uint64_t written = 0;
        std::uint64_t dropped = 0;
        bool stopping = false;
    };

    bool on_writer() const noexcept { return writer_.get_id() == std::this_thread::get_id(); }
    /// The child of a fork has no writer.
    bool is_fork_child() const noexcept { return state_->process != ::getpid(); }

    void push(entry line) {
        if (!is_level_enabled(line.level)) {
            return;
        }
        {
            const std::lock_guard<std::mutex> lock(state_->mutex);
            if (state_->waiting.size() >= state_->capacity) {
                ++state_->dropped;
                return;
            }
            state_->waiting.push_back(std::move(line));
            ++state_->accepted;
        }
        state_->changed.notify_one();
    }

    static void write(logger_interface& target, const entry& line) noexcept {
        const auto hand_over = [&] {
            if (line.file.empty()) {
                target.log(line.level, line.message);
            } else {
                target.log(line.level, line.message, line.file, line.line, line.function);
            }
        };
        detail::guarded(hand_over, detail::print_failure);
    }

    static void write_lines(const std::shared_ptr<state>& shared) {
        std::unique_lock<std::mutex> lock(shared->mutex);
        for (;;) {
            shared->changed.wait(lock, [&] { return shared->stopping || !shared->waiting.empty(); });
            if (shared->waiting.empty()) {
                return;
            }
            std::deque<entry> lines;
            lines.swap(shared->waiting);
            const std::uint64_t dropped = std::exchange(shared->dropped, 0);
            lock.unlock();
            for (const entry& line : lines) {
                write(*shared->target, line);
            }
            if (dropped != 0) {
                write(*shared->target, {log_level::warn, std::to_string(dropped) + " lines were dropped", {}, 0, {}});
            }
            lock.lock();
            shared->written += lines.size();
            shared->written_some.notify_all();
        }
    }

    const std::shared_ptr<state> state_;
    std::thread writer_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::integration
