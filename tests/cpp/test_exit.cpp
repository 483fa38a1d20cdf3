// What outlives `main`, or the end of a thread.
#include <gtest/gtest.h>
#include <network_system/network_system.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>

namespace network_system::test {
namespace {

/// Keeps codes until after the tests. A failure there can only be the program's.
struct kept_codes {
    ~kept_codes() {
        for (const std::error_code& code : {ours, end_of_file}) {
            if (code && code.message().empty()) {
                std::fprintf(stderr, "a code has lost its text\n");
                std::_Exit(1);
            }
        }
    }

    std::error_code ours;
    std::error_code end_of_file;
};

kept_codes codes;

TEST(Exit, CodesInStaticObjectsKeepTheirText) {
    codes.ours = detail::to_error_code(NETSYS_ERR_HANDLER_FAILED, 0);
    codes.end_of_file = detail::to_error_code(NETSYS_OK, 0);
    EXPECT_EQ("End of file", codes.end_of_file.message());
    EXPECT_FALSE(codes.ours.message().empty());
}

std::string received(const std::string& sent) {
    netsys_message message{};
    message.data = reinterpret_cast<const std::uint8_t*>(sent.data());
    message.len = sent.size();
    std::string text;
    detail::as_text(message, [&](const std::string& received) { text = received; });
    return text;
}

/// Receives once more at the end of its thread, when the thread's memory for messages is gone.
struct late_receiver {
    ~late_receiver() { *result = received("late"); }

    std::string* result = nullptr;
};

TEST(Exit, AMessageMayComeWhenTheMemoryOfItsThreadIsGone) {
    std::string late;
    std::string early;
    std::thread([&] {
        static thread_local late_receiver receiver;  // made before that memory, so it goes after it
        receiver.result = &late;
        early = received("early");
    }).join();
    EXPECT_EQ("early", early);
    EXPECT_EQ("late", late);
}

}  // namespace
}  // namespace network_system::test
