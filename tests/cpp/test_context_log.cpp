// The log of a context as a C program has it: the callback, the filter, the standard error stream.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <network_system.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <functional>
#include <future>
#include <mutex>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support.h"

namespace {

using test_support::patience;

netsys_str str(const char* text) {
    return {text, std::strlen(text)};
}

struct log_line {
    std::uint32_t level;
    std::string target;
    std::string message;
    std::thread::id thread;
};

/// A context, and what its callback got.
class logged_context {
public:
    explicit logged_context(const std::function<void(netsys_context_config&)>& prepare) {
        netsys_context_config config{};
        netsys_context_config_init(&config, sizeof(config));
        config.userdata = this;
        config.release = [](void* self) { static_cast<logged_context*>(self)->released.set_value(); };
        prepare(config);
        EXPECT_EQ(NETSYS_OK, netsys_context_create(&config, &context));
    }
    logged_context(const logged_context&) = delete;
    logged_context& operator=(const logged_context&) = delete;
    ~logged_context() { shut_down(); }

    void shut_down() { netsys_context_shutdown(context, 0); }

    static void on_log(void* self, const netsys_log_record* record) {
        auto& log = *static_cast<logged_context*>(self);
        const auto text = [](netsys_str view) { return std::string(view.data, view.len); };
        {
            const std::lock_guard<std::mutex> lock(log.mutex_);
            log.lines_.push_back(
                {record->level, text(record->target), text(record->message), std::this_thread::get_id()});
        }
        if (log.at_line) {
            log.at_line(log.lines_.back());
        }
    }

    std::vector<log_line> lines() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return lines_;
    }

    long count(const std::string& part) const {
        const std::vector<log_line> all = lines();
        return std::count_if(all.begin(), all.end(), [&](const log_line& line) {
            return (line.target + ": " + line.message).find(part) != std::string::npos;
        });
    }

    netsys_context context{};
    std::promise<void> released;
    /// Where only one thread logs.
    std::function<void(const log_line&)> at_line;

private:
    mutable std::mutex mutex_;
    std::vector<log_line> lines_;
};

/// A framed server and a client of it, whose messages are logged.
class pair {
public:
    explicit pair(netsys_context context) {
        netsys_server_config server_config{};
        netsys_server_config_init(&server_config, sizeof(server_config));
        server_config.host = str("127.0.0.1");
        netsys_callbacks callbacks{};
        callbacks.struct_size = sizeof(callbacks);
        EXPECT_EQ(NETSYS_OK, netsys_server_start(context, &server_config, &callbacks, &server));
        std::uint16_t port = 0;
        EXPECT_EQ(NETSYS_OK, netsys_server_port(server, &port));
        netsys_client_config config{};
        netsys_client_config_init(&config, sizeof(config));
        config.host = server_config.host;
        config.port = port;
        config.framing = NETSYS_FRAMING_FRAMED;
        config.log_messages = 1;
        EXPECT_EQ(NETSYS_OK, netsys_client_start(context, &config, &callbacks, &client));
        EXPECT_EQ(NETSYS_OK, netsys_client_wait_connected(client, NETSYS_INFINITE));
    }
    pair(const pair&) = delete;
    pair& operator=(const pair&) = delete;
    ~pair() {
        netsys_client_destroy(client);
        netsys_server_destroy(server);
    }

    netsys_status send(const char* text) const {
        netsys_session session{};
        const netsys_status found = netsys_client_session(client, &session);
        return found != NETSYS_OK ? found : netsys_session_send(session, NETSYS_MESSAGE_TEXT, text, std::strlen(text));
    }

    netsys_server server{};
    netsys_client client{};
};

/// The standard error stream is `fd` while this lives.
class stderr_instead {
public:
    explicit stderr_instead(int fd) : saved_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
        ::dup2(fd, STDERR_FILENO);
        ::close(fd);
    }
    stderr_instead(const stderr_instead&) = delete;
    stderr_instead& operator=(const stderr_instead&) = delete;
    ~stderr_instead() {
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
    }

private:
    int saved_;
};

TEST(ContextLog, GoesToTheStandardErrorStreamOnRequest) {
    ::testing::internal::CaptureStderr();
    {
        const logged_context log([](netsys_context_config& config) {
            config.log_level = 3;
            config.log_to_stderr = 1;
        });
        const pair peers(log.context);
        EXPECT_EQ(NETSYS_OK, peers.send("secret"));
    }
    std::istringstream output(::testing::internal::GetCapturedStderr());
    const std::regex form(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO network_system::[a-z:_]+: .+)");
    std::vector<std::string> lines;
    for (std::string line; std::getline(output, line);) {
        EXPECT_TRUE(std::regex_match(line, form)) << line;
        EXPECT_EQ(std::string::npos, line.find("secret")) << line;
        lines.push_back(line);
    }
    ASSERT_LE(3u, lines.size());
    EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find(" network_system::messages: sent session=") != std::string::npos;
    }));
}

TEST(ContextLog, GoesToTheStreamBesideACallback) {
    ::testing::internal::CaptureStderr();
    long count = 0;
    {
        logged_context log([](netsys_context_config& config) {
            config.log_level = 3;
            config.log_to_stderr = 1;
            config.on_log = logged_context::on_log;
        });
        { const pair peers(log.context); }
        log.shut_down();
        count = log.count("");
    }
    const std::string output = ::testing::internal::GetCapturedStderr();
    EXPECT_LE(2, count);
    EXPECT_EQ(count, std::count(output.begin(), output.end(), '\n'));
}

TEST(ContextLog, StreamThatNobodyReadsDoesNoHarm) {
    int ends[2];
    ASSERT_EQ(0, ::pipe2(ends, O_CLOEXEC));
    ::close(ends[0]);
    sigset_t before;
    ASSERT_EQ(0, ::pthread_sigmask(SIG_SETMASK, nullptr, &before));
    ASSERT_EQ(0, ::sigismember(&before, SIGPIPE)) << "else nothing is tested";
    for (const int fd : {ends[1], ::open("/dev/null", O_RDONLY | O_CLOEXEC)}) {
        const stderr_instead instead(fd);
        logged_context log([](netsys_context_config& config) {
            config.log_level = 3;
            config.log_to_stderr = 1;
            config.on_log = logged_context::on_log;
        });
        const pair peers(log.context);
        EXPECT_EQ(NETSYS_OK, peers.send("on this thread"));
        EXPECT_EQ(1, log.count("network_system::messages: sent"));
    }
    sigset_t after, pending;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
    ::sigpending(&pending);
    EXPECT_EQ(0, ::sigismember(&after, SIGPIPE));
    EXPECT_EQ(0, ::sigismember(&pending, SIGPIPE));
}

TEST(ContextLog, TellsOfWhatTheProgramsOwnThreadsDo) {
    logged_context log([](netsys_context_config& config) {
        config.log_filter = str("off,network_system::messages=info");
        config.on_log = logged_context::on_log;
    });
    const pair peers(log.context);
    std::vector<netsys_status> inside;
    log.at_line = [&](const log_line&) {
        inside.push_back(netsys_client_wait(peers.client, NETSYS_INFINITE));
        inside.push_back(peers.send("from the callback"));
    };
    ASSERT_EQ(NETSYS_OK, peers.send("from this thread"));
    const std::vector<log_line> lines = log.lines();
    ASSERT_EQ(1u, lines.size()) << "of what the callback sends nothing is logged";
    EXPECT_EQ(3u, lines[0].level);
    EXPECT_EQ("network_system::messages", lines[0].target);
    EXPECT_EQ(std::this_thread::get_id(), lines[0].thread);
    EXPECT_NE(std::string::npos, lines[0].message.find("kind=text bytes=16")) << lines[0].message;
    EXPECT_EQ((std::vector<netsys_status>{NETSYS_ERR_WOULD_DEADLOCK, NETSYS_OK}), inside);
}

TEST(ContextLog, CallbackMayShutTheContextDown) {
    logged_context log([](netsys_context_config& config) {
        config.log_filter = str("network_system::messages=info");
        config.on_log = logged_context::on_log;
    });
    const pair peers(log.context);
    auto released = log.released.get_future();
    std::future_status within = std::future_status::ready;
    log.at_line = [&](const log_line&) {
        EXPECT_EQ(NETSYS_OK, netsys_context_shutdown(log.context, 0));
        within = released.wait_for(std::chrono::milliseconds(20));
    };
    ASSERT_EQ(NETSYS_OK, peers.send("the last"));
    EXPECT_EQ(std::future_status::timeout, within) << "userdata was in use";
    EXPECT_EQ(std::future_status::ready, released.wait_for(patience));
}

TEST(ContextLog, FilterChangesWhileItRuns) {
    logged_context log([](netsys_context_config& config) {
        config.log_level = 5;  // of no effect
        config.log_filter = str("network_system::messages=off");
        config.on_log = logged_context::on_log;
    });
    const pair peers(log.context);
    const auto sent = [&] {
        EXPECT_EQ(NETSYS_OK, peers.send("text"));
        return log.count("");
    };
    EXPECT_EQ(0, sent());
    EXPECT_EQ(NETSYS_OK, netsys_context_set_log_filter(log.context, str("error, network_system::messages=info")));
    EXPECT_EQ(1, sent());
    EXPECT_EQ(NETSYS_ERR_INVALID_ARGUMENT, netsys_context_set_log_filter(log.context, str("network_system=much")));
    netsys_error_info info{};
    info.struct_size = sizeof(info);
    ASSERT_EQ(NETSYS_OK, netsys_last_error(&info));
    EXPECT_STREQ(
        "filter: \"much\" is no level: write off, error, warn, info, debug or trace, for some targets as in "
        "\"warn,network_system::session=debug\"",
        info.message);
    EXPECT_EQ(2, sent()) << "the filter before holds";
    EXPECT_EQ(NETSYS_OK, netsys_context_set_log_filter(log.context, str("error")));
    EXPECT_EQ(2, sent());
}

}  // namespace
