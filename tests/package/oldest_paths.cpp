// The include paths and class names of the oldest generation of programs, which reached them through the target
// `network` and printed nothing of their own.
#include <network/network.h>

#include <iostream>
#include <memory>

#include "core/messaging_client.h"
#include "core/messaging_server.h"
#include "network.h"
#include "network/session/messaging_session.h"
#include "session/messaging_session.h"

int main() {
    const auto server = std::make_shared<network_module::messaging_server>("oldest_paths");
    server->start_server(0);
    server->stop_server();
    server->wait_for_stop();
    std::cout << "exchanged: nothing, but every path was found\n";
}
