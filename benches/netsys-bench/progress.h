#pragma once

#include <cstdint>
#include <string>

#include "faults.h"
#include "options.h"
#include "plan.h"
#include "recorder.h"

namespace bench {

/// The line on stderr that says how far a run is; gone when the run has ended.
class progress {
public:
    progress(const options& options, const plan& plan, const recorder& recorder, const faults& faults,
             const char* unit);
    ~progress();
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    /// What is done before or after the measured time: "connecting".
    void set_phase(const std::string& phase, std::uint32_t total = 0);
    void set_done(std::uint32_t done) { done_ = done; }
    void measuring() { set_phase(""); }

    void tick();

private:
    std::string measured_text(std::uint64_t now);

    const options& options_;
    const plan& plan_;
    const recorder& recorder_;
    const faults& faults_;
    const char* unit_;
    bool shown_;
    std::string phase_;
    std::uint32_t total_ = 0;
    std::uint32_t done_ = 0;
    std::uint64_t last_ns_ = 0;
    std::uint64_t last_count_ = 0;
};

/// 12345678 as "12,345,678".
std::string grouped(std::uint64_t number);

}  // namespace bench
