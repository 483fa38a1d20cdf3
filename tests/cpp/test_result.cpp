// The results that servers, clients and sessions return, in all the ways in which programs use them.
#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>

#include "network_system/utils/result_types.h"

namespace network_system::test {
namespace {

// As the specification prints it.
Result<void> start(bool running) {
    if (running) {
        return error<std::monostate>(codes::network_system::server_already_running, "Server already running");
    }
    return ok();
}

TEST(Result, PrintedFunctionReturnsEitherOutcome) {
    EXPECT_TRUE(start(false));
    EXPECT_FALSE(start(true));
    EXPECT_EQ(-661, start(true).error().code);
    EXPECT_EQ("Server already running", start(true).error().message);
}

TEST(Result, OfVoidAndVoidResultConvertIntoEachOther) {
    const VoidResult narrow = start(true);
    const Result<void> wide = narrow;
    EXPECT_EQ(-661, narrow.error().code);
    EXPECT_EQ(-661, wide.error().code);
    EXPECT_TRUE((std::is_same_v<VoidResult, Result<std::monostate>>));
}

TEST(Result, ConvertsToBool) {
    const bool succeeded = start(false);
    const bool failed = start(true);
    EXPECT_TRUE(succeeded);
    EXPECT_FALSE(failed);
    if (!start(true)) {
        SUCCEED();
    } else {
        FAIL();
    }
}

TEST(Result, MayBeIgnored) {
    start(true);
    start(false);
}

TEST(Result, CarriesAValue) {
    Result<std::string> text = ok(std::string("text"));
    ASSERT_TRUE(text.is_ok());
    EXPECT_FALSE(text.is_err());
    EXPECT_EQ("text", text.value());
    text.value() += '!';
    EXPECT_EQ("text!", std::as_const(text).value());

    const int number = 7;
    EXPECT_EQ(7, ok(number).value());
    EXPECT_EQ("made", ok<std::string>("made").value());
}

TEST(Result, AccessToWhatIsNotThereThrows) {
    const Result<int> failed = error<int>(-1, "no number");
    EXPECT_THROW(failed.value(), std::bad_variant_access);
    EXPECT_THROW(ok(1).error(), std::bad_variant_access);
}

TEST(Result, ErrorTellsCodeMessageSourceAndDetails) {
    const auto failed = error_void(-10, "no route", "router", "errno 113");
    EXPECT_EQ(-10, failed.error().code);
    EXPECT_EQ("no route", failed.error().message);
    EXPECT_EQ("router", failed.error().source);
    EXPECT_EQ("router", failed.error().module);
    EXPECT_EQ("errno 113", failed.error().details);
    EXPECT_EQ("network_system", error_void(-10, "no route").error().source);
}

TEST(Result, SimpleErrorMakesAResult) {
    const simple_error cause(-2, "absent");
    const VoidResult result = cause;
    EXPECT_TRUE(result.is_err());
    EXPECT_EQ(-2, result.error().code);
    EXPECT_TRUE((std::is_same_v<error_info, simple_error>));
}

TEST(Result, CodesHaveTheirNumbersUnderBothSpellings) {
    EXPECT_EQ(-600, error_codes::network_system::connection_failed);
    EXPECT_EQ(-601, error_codes::network_system::connection_refused);
    EXPECT_EQ(-602, error_codes::network_system::connection_timeout);
    EXPECT_EQ(-603, error_codes::network_system::connection_closed);
    EXPECT_EQ(-620, codes::network_system::session_not_found);
    EXPECT_EQ(-621, codes::network_system::session_expired);
    EXPECT_EQ(-622, codes::network_system::invalid_session);
    EXPECT_EQ(-640, codes::network_system::send_failed);
    EXPECT_EQ(-641, codes::network_system::receive_failed);
    EXPECT_EQ(-642, codes::network_system::message_too_large);
    EXPECT_EQ(-643, codes::network_system::would_block);
    EXPECT_EQ(-604, codes::network_system::tls_failed);
    EXPECT_EQ(-608, codes::network_system::certificate_untrusted);
    EXPECT_EQ(-614, codes::network_system::certificate_refused);
    EXPECT_EQ(-644, codes::network_system::protocol_error);
    EXPECT_EQ(-645, codes::network_system::handler_failed);
    EXPECT_EQ(-660, codes::network_system::server_not_started);
    EXPECT_EQ(-661, codes::network_system::server_already_running);
    EXPECT_EQ(-662, codes::network_system::bind_failed);
    EXPECT_EQ(-663, codes::network_system::server_busy);

    EXPECT_EQ(-1, error_codes::common::invalid_argument);
    EXPECT_EQ(-6, error_codes::common::not_initialized);
    EXPECT_EQ(-7, error_codes::common::already_exists);
    EXPECT_EQ(-99, error_codes::common::internal_error);
    EXPECT_EQ(0, error_codes::common_errors::success);
    EXPECT_EQ(-2, error_codes::common_errors::not_found);
    EXPECT_EQ(-3, error_codes::common_errors::permission_denied);
    EXPECT_EQ(-4, error_codes::common_errors::timeout);
    EXPECT_EQ(-5, error_codes::common_errors::cancelled);
    EXPECT_EQ(-8, error_codes::common_errors::out_of_memory);
    EXPECT_EQ(-9, error_codes::common_errors::io_error);
    EXPECT_EQ(-10, error_codes::common_errors::network_error);
}

}  // namespace
}  // namespace network_system::test
