#pragma once

#include <kcenon/common/patterns/result.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace kcenon::thread {

class job {
public:
    virtual ~job() = default;
    virtual common::VoidResult do_work() = 0;
};

class callback_job : public job {
public:
    explicit callback_job(std::function<std::optional<std::string>()> callback, const std::string& = "callback_job")
        : callback_([callback = std::move(callback)]() -> common::VoidResult {
              if (const std::optional<std::string> failure = callback()) {
                  return common::error_info{-1, *failure, "thread_system", std::nullopt};
              }
              return std::monostate{};
          }) {}
    explicit callback_job(std::function<common::VoidResult()> callback, const std::string& = "callback_job")
        : callback_(std::move(callback)) {}

    common::VoidResult do_work() override { return callback_(); }

private:
    std::function<common::VoidResult()> callback_;
};

}  // namespace kcenon::thread
