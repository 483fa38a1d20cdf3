#pragma once

#include <memory>
#include <utility>

#include "network_system/core/dispatch_mode.h"
#include "network_system/detail/c_api.h"
#include "network_system/detail/guard.h"
#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// A job of the library on its way through an executor. One that is thrown away goes back to the library.
class pending_job {
public:
    explicit pending_job(netsys_job job) noexcept : job_(job) {}
    pending_job(const pending_job&) = delete;
    pending_job& operator=(const pending_job&) = delete;
    ~pending_job() { netsys_job_refuse(job_); }

    void run() const noexcept { netsys_job_run(job_); }

private:
    const netsys_job job_;  // invalid once it has run: then to refuse it does nothing
};

/// The C form of an executor, owned by the library until it calls `release`. All zero for none.
inline netsys_executor to_c(const core::executor& function) {
    if (!function) {
        return netsys_executor{};
    }
    netsys_executor executor{};
    executor.execute = [](void* userdata, netsys_job job) noexcept -> netsys_status {
        netsys_status status = NETSYS_ERR_CANCELLED;
        guarded(
            [&] {
                auto pending = std::make_shared<const pending_job>(job);
                const auto& execute = *static_cast<const core::executor*>(userdata);
                if (execute([pending = std::move(pending)] { pending->run(); })) {
                    status = NETSYS_OK;
                }
            },
            log_failure);
        return status;
    };
    executor.release = [](void* userdata) noexcept { delete static_cast<const core::executor*>(userdata); };
    executor.userdata = new core::executor(function);
    return executor;
}

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
