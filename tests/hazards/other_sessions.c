/* other_sessions: inside a callback, the library has the session that it is for at hand. Each other handle names what
 * it names elsewhere too: another session, one that has ended, none. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "hazard.h"

enum { FIRST, SECOND, ENDED, SESSIONS };

static netsys_session sessions[SESSIONS]; /* stored by callbacks before `opened` counts them */
static hazard_counter opened, closed;

static netsys_status send_text(netsys_session session, const char* text) {
    return netsys_session_send(session, NETSYS_MESSAGE_STREAM, text, strlen(text));
}

/* A handle that names no session. */
static void require_refused(uint64_t id) {
    netsys_session session;
    uint32_t state;
    session.id = id;
    REQUIRE_STATUS(NETSYS_ERR_SESSION_NOT_FOUND, send_text(session, "nowhere"));
    REQUIRE_STATUS(NETSYS_ERR_SESSION_NOT_FOUND, netsys_session_state(session, &state));
}

static void on_open(void* userdata, netsys_session session) {
    (void)userdata;
    sessions[hazard_value(&opened)] = session;
    hazard_count(&opened);
}

static void on_message(void* userdata, netsys_session session, const netsys_message* message) {
    const int number = session.id == sessions[SECOND].id;
    (void)userdata;
    (void)message;
    REQUIRE_OK(send_text(session, "own "));
    REQUIRE_OK(send_text(sessions[!number], "other "));
    require_refused(sessions[ENDED].id);
    require_refused(0);
    require_refused(session.id + 1);
    require_refused(session.id ^ (uint64_t)1 << 32);
    REQUIRE_OK(send_text(session, "end"));
}

static void on_end(void* userdata, netsys_session session, const netsys_close_info* why) {
    (void)userdata;
    (void)session;
    (void)why;
    hazard_count(&closed);
}

static int connect_to(uint16_t port) {
    struct sockaddr_in address;
    const unsigned long before = hazard_value(&opened);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(fd >= 0 && connect(fd, (const struct sockaddr*)&address, sizeof address) == 0);
    REQUIRE(hazard_await(&opened, before + 1));
    return fd;
}

static void require_received(int fd, const char* expected) {
    char text[32];
    const size_t len = strlen(expected);
    REQUIRE(recv(fd, text, len, MSG_WAITALL) == (ssize_t)len && memcmp(text, expected, len) == 0);
}

int main(void) {
    netsys_context context;
    netsys_callbacks callbacks = hazard_callbacks(NULL);
    netsys_server server;
    uint16_t port;
    int peers[SESSIONS], i;
    callbacks.on_open = on_open;
    callbacks.on_message = on_message;
    callbacks.on_end = on_end;
    REQUIRE_OK(netsys_context_create(NULL, &context));
    server = hazard_start_server(context, NETSYS_FRAMING_RAW, &callbacks, &port);
    for (i = 0; i < SESSIONS; ++i) {
        peers[i] = connect_to(port);
    }
    REQUIRE(close(peers[ENDED]) == 0);
    REQUIRE(hazard_await(&closed, 1));
    for (i = FIRST; i <= SECOND; ++i) {
        REQUIRE(send(peers[i], "?", 1, 0) == 1);
        require_received(peers[i], "own end");
        require_received(peers[!i], "other ");
    }
    REQUIRE_OK(netsys_server_destroy(server));
    REQUIRE_OK(netsys_context_shutdown(context, NETSYS_INFINITE));
    return 0;
}
