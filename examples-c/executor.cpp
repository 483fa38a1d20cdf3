// Handlers on a thread pool of the program's own, in C++: any pool that takes a std::function will do.
//
// The library hands a job to the configuration's `executor` whenever handlers of a session are due. Here the pool that
// runs them is the library's integration::basic_thread_pool, which the program shares among all it has to do. It ends
// while the server is still in use, as happens when a program shuts down in an unlucky order: a job that a pool throws
// away, or does not take, is run by the library itself, so nothing is lost.
#include <network_system/core/messaging_client.h>
#include <network_system/core/messaging_server.h>
#include <network_system/integration/thread_integration.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "tally.h"

namespace core = network_system::core;
using network_system::integration::basic_thread_pool;
using session_ptr = std::shared_ptr<network_system::session::messaging_session>;

namespace {

constexpr int batch = 500;
constexpr auto patience = std::chrono::seconds(20);

thread_local bool on_pool = false;

bool fail(const std::string& what, const std::string& why) {
    std::cerr << "executor: " << what << ": " << why << '\n';
    return false;
}

bool run() {
    const auto pool = std::make_shared<basic_thread_pool>(2);
    network_system::server_config config;
    config.bind_address = "127.0.0.1";
    config.port = 0;
    config.dispatch = network_system::dispatch_mode::executor;
    config.executor = [pool](std::function<void()> job) {
        pool->submit([job = std::move(job)] {
            on_pool = true;
            job();
        });
        return true;  // a pool that has stopped throws the job away, which is as good as `false`
    };

    std::atomic<int> by_pool{0};
    std::atomic<int> by_library{0};
    tally heard;
    core::messaging_server server("executor", config);
    server.set_message_handler([&](const session_ptr& session, const std::string& message) {
        ++(on_pool ? by_pool : by_library);
        session->send_message(message);
    });
    core::messaging_client client("asks");
    client.set_message_handler([&](const std::string&) { heard.add(); });

    const auto started = server.start_server();
    if (started.is_err()) {
        return fail("start the server", started.error().message);
    }
    auto connected = client.start_client("127.0.0.1", server.port());
    if (connected.is_ok()) {
        connected = client.wait_until_connected(patience);
    }
    if (connected.is_err()) {
        return fail("connect", connected.error().message);
    }

    const auto ask = [&](const std::string& question) {
        for (int i = 0; i < batch; ++i) {
            if (client.send_message(question).is_err()) {
                return false;
            }
        }
        return true;
    };
    if (!ask("with the pool") || !heard.reaches(batch)) {
        return fail("with the pool", "not every question was answered");
    }
    const bool all_on_pool = by_pool == batch;
    const bool asked = ask("while the pool ends");
    pool->stop(false);
    if (!asked || !ask("without the pool") || !heard.reaches(3 * batch)) {
        return fail("without the pool", "not every question was answered");
    }
    client.stop_client();
    server.stop_server();
    std::cout << by_pool + by_library << " questions: " << by_pool << " answered on the pool, " << by_library
              << " by the library\n";
    return all_on_pool && by_library >= batch;
}

}  // namespace

int main() {
    return run() ? EXIT_SUCCESS : EXIT_FAILURE;
}
