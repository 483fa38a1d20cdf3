#pragma once

#include <kcenon/thread/core/error_handling.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace kcenon::thread {

class job {
public:
    virtual ~job() = default;
    virtual result_void do_work() = 0;
};

class callback_job : public job {
public:
    explicit callback_job(std::function<std::optional<std::string>()> callback, const std::string& = "callback_job")
        : callback_([callback = std::move(callback)] {
              std::optional<std::string> failure = callback();
              return failure ? result_void(*std::move(failure)) : result_void();
          }) {}
    explicit callback_job(std::function<result_void()> callback, const std::string& = "callback_job")
        : callback_(std::move(callback)) {}

    result_void do_work() override { return callback_(); }

private:
    std::function<result_void()> callback_;
};

}  // namespace kcenon::thread
