// The forms of a message that handlers get: whole, whatever came before it, and the same as long as the handler runs.
#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "network_system/detail/message_memory.h"

namespace network_system::test {
namespace {

netsys_message message_of(const std::string& text) {
    netsys_message message{};
    message.data = reinterpret_cast<const std::uint8_t*>(text.data());
    message.len = text.size();
    return message;
}

std::string text_of(const std::string& sent) {
    std::string got;
    detail::as_text(message_of(sent), [&](const std::string& text) { got = text; });
    return got;
}

std::string bytes_of(const std::string& sent) {
    std::string got;
    detail::as_bytes(message_of(sent),
                     [&](const std::vector<std::uint8_t>& bytes) { got.assign(bytes.begin(), bytes.end()); });
    return got;
}

const void* place_of_text(const std::string& sent) {
    const void* place = nullptr;
    detail::as_text(message_of(sent), [&](const std::string& text) { place = &text; });
    return place;
}

TEST(MessageMemory, GivesEachMessageWhole) {
    const std::string large(1024 * 1024, 'l');
    for (const std::string& sent :
         {std::string("one"), std::string("two"), std::string("longer"), std::string(), std::string(),
          std::string("\0\n", 2), std::string("s"), large, large, std::string(256 * 1024, 'k'), std::string("after")}) {
        EXPECT_EQ(sent, text_of(sent));
        EXPECT_EQ(sent, bytes_of(sent));
    }
}

TEST(MessageMemory, IsUsedAgainButForLargeMessages) {
    const void* const place = place_of_text("one");
    EXPECT_EQ(place, place_of_text("another"));
    EXPECT_NE(place, place_of_text(std::string(256 * 1024 + 1, 'l')));
    EXPECT_EQ(place, place_of_text(""));
}

TEST(MessageMemory, StaysAHandlersWhenAnotherRunsInsideIt) {
    detail::as_text(message_of("outer"), [](const std::string& outer) {
        EXPECT_EQ("inner", text_of("inner"));
        EXPECT_NE(&outer, place_of_text("again"));
        EXPECT_EQ("outer", outer);
    });
    detail::as_bytes(message_of("outer"), [](const std::vector<std::uint8_t>& outer) {
        EXPECT_EQ("inner", bytes_of("inner"));
        EXPECT_EQ('o', outer[0]);
    });
}

TEST(MessageMemory, IsUsedAgainAfterAHandlerThrew) {
    const void* const place = place_of_text("before");
    const auto fail = [](const std::string&) { throw std::runtime_error("thrown on purpose"); };
    EXPECT_THROW(detail::as_text(message_of("throws"), fail), std::runtime_error);
    EXPECT_EQ(place, place_of_text("after"));
    EXPECT_EQ("after", text_of("after"));
}

}  // namespace
}  // namespace network_system::test
