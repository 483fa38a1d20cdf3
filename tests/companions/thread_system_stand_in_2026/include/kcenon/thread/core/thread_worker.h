#pragma once

namespace kcenon::thread {

struct thread_context {};

class thread_worker {
public:
    explicit thread_worker(bool = true, const thread_context& = {}) {}
};

}  // namespace kcenon::thread
