// connection_pool: connections that are shared, returned, discarded and replaced.
#include <network_system/core/messaging_server.h>
#include <network_system/session/connection_pool.h>

#include <chrono>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace {

using network_system::core::messaging_client;
using network_system::session::connection_pool;

std::string ask(messaging_client& client, const std::string& question) {
    // Shared with the handler, which an answer that is late may still find.
    const auto answer = std::make_shared<std::promise<std::string>>();
    client.set_message_handler([answer](const std::string& text) { answer->set_value(text); });
    client.send_message(question);
    auto future = answer->get_future();
    return future.wait_for(std::chrono::seconds(20)) == std::future_status::ready ? future.get() : "no answer";
}

bool expect(const std::string& what, const std::string& expected, const std::string& found) {
    std::cout << what << ": " << found << "\n";
    return expected == found;
}

}  // namespace

int main() {
    network_system::core::messaging_server server("answers");
    server.set_message_handler([](auto session, const std::string& text) { session->send_message("re: " + text); });
    if (const auto started = server.start_server(0); started.is_err()) {
        std::cerr << started.error().message << "\n";
        return 1;
    }

    connection_pool pool("127.0.0.1", server.port(), 2);
    bool good = true;
    unsigned short port = 0;
    {
        auto lease = pool.acquire(std::chrono::seconds(20));
        if (lease.is_err()) {
            std::cerr << lease.error().message << "\n";
            return 1;
        }
        auto client = std::move(lease.value());
        good &= expect("a new connection", "re: one", ask(*client, "one"));
        port = client->local_port();
    }  // here the lease ends, and the connection is free again

    auto same = pool.acquire();
    good &= expect("the same again", std::to_string(port), std::to_string(same->local_port()));

    // Asked, and not waited for: the next user would get the answer. So it must not come back.
    same->send_message("never mind");
    pool.discard(std::move(same));

    // The older way: the client itself, given back by hand.
    std::unique_ptr<messaging_client> client = pool.acquire();
    good &= expect("another connection", "re: two", ask(*client, "two"));
    pool.release(std::move(client));

    const auto statistics = pool.get_statistics();
    good &= expect("connections made", "2", std::to_string(statistics.connected));
    good &= expect("leases", "3", std::to_string(statistics.acquired));
    good &= expect("in use", "0", std::to_string(pool.active_count()));
    return good ? 0 : 1;
}
