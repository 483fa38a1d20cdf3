#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "network_system/detail/namespace.h"

namespace NETWORK_SYSTEM_NAMESPACE::detail {

/// What the application chose of a kind of object, or else a default. The setters return what they replaced, so that
/// the caller destroys it where it holds no lock.
template <typename Interface>
class choice {
public:
    using pointer = std::shared_ptr<Interface>;

    /// Null gives the place back to the default.
    pointer choose(pointer chosen) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return std::exchange(chosen_, std::move(chosen));
    }

    pointer set_default(pointer made) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return std::exchange(default_, std::move(made));
    }

    /// Null when the application has chosen nothing.
    pointer chosen() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return chosen_;
    }

    /// Null when there is none yet.
    pointer current_default() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return default_;
    }

    /// Makes the default where there is none.
    template <typename Make>
    pointer get(Make&& make) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (chosen_) {
            return chosen_;
        }
        if (!default_) {
            default_ = std::forward<Make>(make)();
        }
        return default_;
    }

private:
    mutable std::mutex mutex_;
    pointer chosen_;
    pointer default_;
};

}  // namespace NETWORK_SYSTEM_NAMESPACE::detail
