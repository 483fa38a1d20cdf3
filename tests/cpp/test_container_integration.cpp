// The containers of the library itself; those of container_system are in tests/companions.
#include <gtest/gtest.h>
#include <network_system/integration/container_integration.h>

#include <algorithm>
#include <any>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace network_system::integration {
namespace {

using bytes = std::vector<uint8_t>;

static_assert(std::is_same_v<container_integration, container_manager>);

bytes to_bytes(const std::string& text) {
    return {text.begin(), text.end()};
}

template <typename T>
T from_native(const bytes& data) {
    T value;
    EXPECT_EQ(sizeof(value), data.size());
    std::memcpy(&value, data.data(), std::min(sizeof(value), data.size()));
    return value;
}

class upper_container : public container_interface {
public:
    bytes serialize(const std::any&) const override { return to_bytes("UPPER"); }
    std::any deserialize(const bytes&) const override { return 5; }
    std::string type_name() const override { return "upper"; }
    bool is_valid() const override { return true; }
};

TEST(BasicContainer, WritesStringsAndPlainTypes) {
    const basic_container container;
    EXPECT_EQ(to_bytes("text"), container.serialize(std::string("text")));
    EXPECT_EQ(-123456, from_native<int>(container.serialize(-123456)));
    EXPECT_EQ(2.5, from_native<double>(container.serialize(2.5)));
    EXPECT_EQ(bytes{1}, container.serialize(true));
    EXPECT_EQ(bytes{0}, container.serialize(false));
}

TEST(BasicContainer, WritesNothingForOtherTypes) {
    const basic_container container;
    EXPECT_TRUE(container.serialize(static_cast<const char*>("text")).empty());
    EXPECT_TRUE(container.serialize(bytes{1, 2}).empty());
    EXPECT_TRUE(container.serialize(std::vector<int>{1, 2}).empty());
    EXPECT_TRUE(container.serialize(5L).empty());
    EXPECT_TRUE(container.serialize(std::any()).empty());
}

TEST(BasicContainer, ReadsStrings) {
    const basic_container container;
    const std::string with_zero("a\0b", 3);
    EXPECT_EQ(with_zero, std::any_cast<std::string>(container.deserialize(to_bytes(with_zero))));
    EXPECT_EQ(sizeof(int), std::any_cast<std::string>(container.deserialize(container.serialize(7))).size());
    EXPECT_FALSE(container.deserialize({}).has_value());
}

TEST(BasicContainer, SaysWhatItIs) {
    const basic_container container;
    EXPECT_EQ("basic_container", container.type_name());
    EXPECT_TRUE(container.is_valid());
}

TEST(BasicContainer, PrefersFunctionsOfTheApplication) {
    basic_container container;
    container.set_serializer([](const std::any& value) { return bytes(std::any_cast<std::size_t>(value)); });
    container.set_deserializer([](const bytes& data) { return std::any(data.size()); });
    EXPECT_EQ(3u, container.serialize(std::size_t{3}).size());
    EXPECT_EQ(4u, std::any_cast<std::size_t>(container.deserialize(bytes(4))));
    EXPECT_EQ(0u, std::any_cast<std::size_t>(container.deserialize({})));

    container.set_serializer(nullptr);
    container.set_deserializer(nullptr);
    EXPECT_EQ(to_bytes("x"), container.serialize(std::string("x")));
    EXPECT_EQ("x", std::any_cast<std::string>(container.deserialize(to_bytes("x"))));
}

TEST(BasicContainer, AFunctionMayReplaceItself) {
    basic_container container;
    container.set_serializer([&container](const std::any&) {
        container.set_serializer(nullptr);
        return bytes{9};
    });
    EXPECT_EQ(bytes{9}, container.serialize(true));
    EXPECT_EQ(bytes{1}, container.serialize(true));
}

class ContainerManager : public ::testing::Test {
protected:
    void SetUp() override { manager.set_default_container(nullptr); }
    void TearDown() override { manager.set_default_container(nullptr); }

    container_manager& manager = container_manager::instance();
};

TEST_F(ContainerManager, IsOneForTheProcess) {
    EXPECT_EQ(&manager, &container_manager::instance());
}

TEST_F(ContainerManager, FindsContainersByName) {
    const auto first = std::make_shared<basic_container>();
    const auto second = std::make_shared<upper_container>();
    manager.register_container("FindsContainersByName", first);
    EXPECT_EQ(first, manager.get_container("FindsContainersByName"));
    manager.register_container("FindsContainersByName", second);
    EXPECT_EQ(second, manager.get_container("FindsContainersByName"));
    EXPECT_EQ(nullptr, manager.get_container("unknown"));

    const auto names = manager.list_containers();
    EXPECT_EQ(1, std::count(names.begin(), names.end(), "FindsContainersByName"));
    EXPECT_EQ(0, std::count(names.begin(), names.end(), "unknown"));
}

TEST_F(ContainerManager, MakesAnUnlistedDefault) {
    const auto before = manager.list_containers().size();
    const auto made = manager.get_default_container();
    ASSERT_NE(nullptr, made);
    EXPECT_EQ("basic_container", made->type_name());
    EXPECT_EQ(made, manager.get_default_container());
    EXPECT_EQ(before, manager.list_containers().size());
    EXPECT_EQ(to_bytes("a"), manager.serialize(std::string("a")));
    EXPECT_EQ("a", std::any_cast<std::string>(manager.deserialize(to_bytes("a"))));
}

TEST_F(ContainerManager, UsesTheDefaultThatWasSet) {
    manager.set_default_container(std::make_shared<upper_container>());
    EXPECT_EQ(to_bytes("UPPER"), manager.serialize(1));
    EXPECT_EQ(5, std::any_cast<int>(manager.deserialize({})));
}

TEST_F(ContainerManager, ServesSeveralThreads) {
    std::atomic<bool> consistent{true};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([this, t, &consistent] {
            const std::string name = "thread " + std::to_string(t);
            for (int i = 0; i < 500; ++i) {
                const auto mine = std::make_shared<basic_container>();
                manager.register_container(name, mine);
                manager.set_default_container(mine);
                if (manager.get_container(name) != mine || manager.serialize(true) != bytes{1}) {
                    consistent = false;
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(consistent);
}

}  // namespace
}  // namespace network_system::integration
