#pragma once

// What the tests include of other libraries, precompiled. Of this library each test itself includes what it uses: some
// find out what comes with a single header.
#include <gtest/gtest.h>
#if __has_include(<asio.hpp>)
#include <asio.hpp>
#endif

#include <any>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
