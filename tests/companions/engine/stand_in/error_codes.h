#pragma once

namespace stand_in::codes {

namespace common_errors {
inline constexpr int success = 0;
inline constexpr int invalid_argument = -1;
inline constexpr int already_exists = -7;
inline constexpr int internal_error = -99;
}  // namespace common_errors

namespace network_system {
inline constexpr int connection_failed = -600;
inline constexpr int connection_refused = -601;
inline constexpr int connection_timeout = -602;
inline constexpr int connection_closed = -603;
inline constexpr int session_not_found = -620;
inline constexpr int session_expired = -621;
inline constexpr int invalid_session = -622;
inline constexpr int send_failed = -640;
inline constexpr int receive_failed = -641;
inline constexpr int message_too_large = -642;
inline constexpr int server_not_started = -660;
inline constexpr int server_already_running = -661;
inline constexpr int bind_failed = -662;
}  // namespace network_system

}  // namespace stand_in::codes
