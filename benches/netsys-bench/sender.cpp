#include "sender.h"

#include <algorithm>

namespace bench {

bool sender::allow(std::uint64_t more, std::uint64_t most) {
    const std::lock_guard<std::mutex> lock(mutex_);
    allowed_ = more > never - allowed_ ? never : allowed_ + more;
    pump(most);
    return settle();
}

bool sender::writable() {
    const std::lock_guard<std::mutex> lock(mutex_);
    full_ = false;
    pump(never);
    return settle();
}

bool sender::answered() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++answered_;
    if (!plan_.open_loop()) {
        ++allowed_;
        pump(never);
    }
    return settle();
}

bool sender::finish() {
    const std::lock_guard<std::mutex> lock(mutex_);
    finishing_ = true;
    pump(0);
    return settle();
}

bool sender::stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    // Who fell behind the plan has to say so: these messages would have been the slowest.
    if (finishing_ && !stopped_) unsent_ = allowed_ - sent_;
    stopped_ = true;
    return settle();
}

bool sender::give_up() {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    last_.reset();
    const bool was_done = done_;
    done_ = true;
    return !was_done;
}

void sender::send_last(purpose what, std::uint32_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    header header;
    header.what = what;
    header.size = size;
    header.sequence = sent_;
    header.connection = connection_.index;
    last_ = header;
    pump(never);
}

sender::standing sender::stands() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return {sent_, answered_, unsent_, stopped_, full_ || (expects_ == expects::answers && answered_ < sent_)};
}

std::uint64_t sender::measured_count() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return first_measured_ == never ? 0 : sent_ - first_measured_;
}

std::string sender::refusal() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return connection_.refusal();
}

bool sender::was_full() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return was_full_;
}

void sender::pump(std::uint64_t most) {
    const std::uint64_t share = plan_.messages == 0 ? never : plan_.share(turn_);
    for (; !stopped_ && !full_ && sent_ < allowed_ && most > 0; --most) {
        const std::uint64_t now = now_ns();
        header header;
        header.time = plan_.open_loop() ? plan_.due(sent_, turn_) : now;
        if (header.time >= plan_.until.load(std::memory_order_relaxed)) {
            stopped_ = true;
            break;
        }
        if (first_measured_ == never && header.time >= plan_.from) first_measured_ = sent_;
        if (first_measured_ != never && sent_ - first_measured_ >= share) {
            stopped_ = true;
            break;
        }
        header.size = size_;
        header.sequence = sent_;
        header.connection = connection_.index;
        switch (connection_.send(header, body_)) {
            case sent::full:
                full_ = was_full_ = true;
                break;
            case sent::gone:
                stopped_ = true;
                break;
            case sent::accepted:
                ++sent_;
                if (first_measured_ == never) break;
                if (plan_.open_loop()) recorder_.local().times[delay_slot].record(now - std::min(now, header.time));
                if (expects_ == expects::nothing && plan_.is_measured(now)) {
                    recorder_.local().complete(now, now - plan_.from, size_);
                }
                break;
        }
    }
    // The share may be done with the last one: its answer should then end the run, not the attempt at a next one.
    if (first_measured_ != never && sent_ - first_measured_ >= share) stopped_ = true;
    if (finishing_ && sent_ >= allowed_) stopped_ = true;
    if (stopped_ && last_ && !full_) {
        switch (connection_.send(*last_, body_)) {
            case sent::full:
                full_ = true;
                break;
            case sent::gone:
            case sent::accepted:
                last_.reset();
                break;
        }
    }
}

bool sender::settle() {
    if (done_ || !stopped_ || (expects_ == expects::answers && answered_ < sent_)) return false;
    done_ = true;
    return true;
}

}  // namespace bench
