#pragma once

#include <network_system/network_system.h>

#include <memory>
#include <string>
#include <variant>

/// The same calls on either generation of the libraries that are linked, so that each test is written once.
namespace generation {

#ifdef BUILD_WITH_CONTAINER_SYSTEM
using container = container_module::value_container;

inline std::shared_ptr<container> make_container(const std::string& type, int number) {
    auto made = std::make_shared<container>();
    made->set_message_type(type);
#if __has_include(<kcenon/container/container.h>)
    made->set("number", number).set("name", std::string("Ann"));
#else
    made->add(std::make_shared<container_module::int_value>("number", number));
    made->add(std::make_shared<container_module::string_value>("name", "Ann"));
#endif
    return made;
}

/// -1 when there is none.
inline int number_in(container& read) {
#if __has_include(<kcenon/container/container.h>)
    const auto found = read.get("number");
    return found ? std::get<int>(found->data) : -1;
#else
    const auto found = read.get_value("number");
    return found->is_null() ? -1 : found->to_int();
#endif
}
#endif

#ifdef BUILD_WITH_THREAD_SYSTEM
using pool = kcenon::thread::thread_pool;

inline std::shared_ptr<pool> make_pool(int workers) {
    auto made = std::make_shared<pool>("of the program");
    for (int count = 0; count < workers; ++count) {
        made->enqueue(std::make_unique<kcenon::thread::thread_worker>());
    }
    return made;
}
#endif

}  // namespace generation
