/*
 * network_system: messaging servers, clients and sessions. The C interface.
 *
 * This file is generated from the library's source; do not edit it.
 *
 * Conventions
 *
 * Results     Functions return a netsys_status: NETSYS_OK, or a negative NETSYS_ERR_*. netsys_last_error says in words
 *             what was wrong. Results go to the out parameters, and only on NETSYS_OK; a size is stored with
 *             NETSYS_ERR_BUFFER_TOO_SMALL too. Next to the statuses that a function lists, each may return
 *             NETSYS_ERR_INTERNAL (a fault of the library; the object concerned is ended) and NETSYS_ERR_FORKED (in the
 *             child of a fork, which does not have the library's threads: every call fails there, but for those that
 *             say otherwise).
 *
 * Handles     Contexts, servers, clients, sessions, jobs, configurations, resolvers, connection pools, leases, session
 *             managers and bridges are named by small values that are copied freely. A handle that is 0, stale or made
 *             up does no harm: it is refused with NETSYS_ERR_INVALID_HANDLE; where a session is wanted, with
 *             NETSYS_ERR_SESSION_NOT_FOUND, and with NETSYS_ERR_INVALID_SESSION if it is that of something else.
 *
 * Threads     Any function may be called on any thread at any time, callbacks included, and none waits, except:
 *             - Functions tagged [BLOCKING] wait. On a library thread, and so in callbacks, they return
 *               NETSYS_ERR_WOULD_DEADLOCK instead of waiting.
 *             - netsys_server_destroy, netsys_client_destroy, netsys_resolver_destroy, netsys_pool_destroy,
 *               netsys_bridge_destroy and netsys_context_shutdown wait too, but not on a library thread, where they
 *               return at once and the rest follows.
 *             - Sends wait under NETSYS_SEND_WAIT, but never on a library thread.
 *
 * Ownership   Nothing that the library returns has to be freed. What a function is given, it uses during the call only,
 *             except for userdata, which is yours again when its release runs. What a callback is given is valid until
 *             it returns.
 *
 * Structs     The first member, struct_size, is sizeof the struct, set by whoever makes it: that lets later versions
 *             append members. In configurations 0 means the default, in any other member too; members named reserved
 *             must be 0.
 *
 * Strings     UTF-8. In: a netsys_str, which need not end with a NUL. Out: a buffer of yours, buf and cap, in which the
 *             string ends with a NUL; *needed becomes its length without the NUL, also if cap is too small for both,
 *             which is NETSYS_ERR_BUFFER_TOO_SMALL. To ask for the length, give NULL and 0.
 *
 * Times       In milliseconds, unless the name says _ns.
 */

#ifndef NETWORK_SYSTEM_H
#define NETWORK_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Framing: a server goes by a peer's first bytes. A client goes by its own first send: framed for
 * NETSYS_MESSAGE_TEXT and _BINARY, raw for _STREAM; if it receives before it sends, it is raw.
 */
#define NETSYS_FRAMING_AUTO 0

/**
 * Framing: the library's own protocol, whole messages.
 */
#define NETSYS_FRAMING_FRAMED 1

/**
 * Framing: the bytes as they are.
 */
#define NETSYS_FRAMING_RAW 2

/**
 * Kind of message: text. The library does not check that it is UTF-8.
 */
#define NETSYS_MESSAGE_TEXT 1

/**
 * Kind of message: binary.
 */
#define NETSYS_MESSAGE_BINARY 2

/**
 * Kind of message: bytes of the stream of a raw session, cut where the network cut them. Sent on a framed session,
 * they travel as one binary message. Never empty.
 */
#define NETSYS_MESSAGE_STREAM 3

/**
 * Send policy: the default, NETSYS_SEND_WOULD_BLOCK.
 */
#define NETSYS_SEND_DEFAULT 0

/**
 * Send policy: a send to a full queue fails with NETSYS_ERR_WOULD_BLOCK; one on_writable follows when there is room.
 */
#define NETSYS_SEND_WOULD_BLOCK 1

/**
 * Send policy: a send to a full queue waits for room, at most send_timeout_ms, then fails with
 * NETSYS_ERR_SEND_FAILED. On a library thread, where waiting would stop the loop that makes room, it queues up to
 * send_hard_limit_bytes, and past that the session ends.
 */
#define NETSYS_SEND_WAIT 2

/**
 * Send policy: a send to a full queue succeeds, and its message is dropped and counted.
 */
#define NETSYS_SEND_DROP_NEWEST 3

/**
 * Send policy: a send to a full queue drops the oldest messages of which no byte was written, counts them, and
 * succeeds. A message larger than the whole queue takes the place of all that wait.
 */
#define NETSYS_SEND_DROP_OLDEST 4

/**
 * Send policy: a send to a full queue fails with NETSYS_ERR_SEND_FAILED and ends the session, which is the reason in
 * on_close.
 */
#define NETSYS_SEND_DISCONNECT 5

/**
 * Dispatch: callbacks run on the thread that reads from the network, one at a time for a server or client.
 */
#define NETSYS_DISPATCH_INLINE 0

/**
 * Dispatch: callbacks run on the context's pool of threads, one at a time for a session, several sessions at a time.
 * Those that concern no session (on_error of a server, on_stopped, release) may run beside others, but for the last
 * two, which come after all.
 */
#define NETSYS_DISPATCH_POOL 1

/**
 * Dispatch: callbacks run in netsys_context_poll, one at a time. What waits for a server or client with
 * this dispatch (wait, destroy, netsys_context_shutdown) runs them too, while no other thread does.
 */
#define NETSYS_DISPATCH_MANUAL 2

/**
 * Dispatch: callbacks run where the executor of the configuration runs them; otherwise as with NETSYS_DISPATCH_POOL.
 */
#define NETSYS_DISPATCH_EXECUTOR 3

/**
 * Compression: off. Nobody's compressed messages are taken either.
 */
#define NETSYS_COMPRESSION_OFF 0

/**
 * Compression: LZ4, or zstd if the peer has only that.
 */
#define NETSYS_COMPRESSION_AUTO 1

/**
 * Compression: LZ4, which takes the least time.
 */
#define NETSYS_COMPRESSION_LZ4 2

/**
 * Compression: zstd, which leaves the fewest bytes.
 */
#define NETSYS_COMPRESSION_ZSTD 3

/**
 * State of a session: being connected.
 */
#define NETSYS_STATE_CONNECTING 0

/**
 * State of a session: connected.
 */
#define NETSYS_STATE_CONNECTED 1

/**
 * State of a session: being closed; what was accepted for sending is still being sent.
 */
#define NETSYS_STATE_DISCONNECTING 2

/**
 * State of a session: closed in good order, or never connected.
 */
#define NETSYS_STATE_DISCONNECTED 3

/**
 * State of a session: ended by a failure.
 */
#define NETSYS_STATE_ERROR 4

/**
 * State of a server or client: at work.
 */
#define NETSYS_ENDPOINT_RUNNING 1

/**
 * State of a server or client: a stop has begun.
 */
#define NETSYS_ENDPOINT_STOPPING 2

/**
 * State of a server or client: over, and no callback runs.
 */
#define NETSYS_ENDPOINT_STOPPED 3

/**
 * Flag of a configuration: do not switch TCP keep-alive on.
 */
#define NETSYS_FLAG_NO_KEEP_ALIVE 1

/**
 * Flag of a configuration: do not switch TCP_NODELAY on.
 */
#define NETSYS_FLAG_NO_NODELAY 2

/**
 * No limit, in the fields and parameters of 32 bits that say so.
 */
#define NETSYS_UNLIMITED_U32 UINT32_MAX

/**
 * No limit, in the fields and parameters of 64 bits that say so.
 */
#define NETSYS_UNLIMITED_U64 UINT64_MAX

/**
 * A time in milliseconds: for ever; as a drain time: as configured.
 */
#define NETSYS_INFINITE UINT32_MAX

/**
 * Version of TLS: 1.2.
 */
#define NETSYS_TLS_1_2 12

/**
 * Version of TLS: 1.3.
 */
#define NETSYS_TLS_1_3 13

/**
 * Clients are not asked for a certificate.
 */
#define NETSYS_CLIENT_CERTIFICATE_NONE 0

/**
 * Clients may show a certificate; one that does not hold is refused.
 */
#define NETSYS_CLIENT_CERTIFICATE_OPTIONAL 1

/**
 * Clients must show a certificate.
 */
#define NETSYS_CLIENT_CERTIFICATE_REQUIRED 2

/**
 * Flag of TLS: make the whole handshake each time.
 */
#define NETSYS_TLS_NO_SESSION_RESUMPTION 1

/**
 * Flag of TLS, of clients: do not tell the server the name that is connected to before it shows a certificate.
 */
#define NETSYS_TLS_NO_SNI 2

/**
 * Flag of TLS: it is switched off. NULL in the place of the whole struct says so too; but with this, settings that are
 * given beside it are an error, and no connection in plain text that nobody expects. Of server_tls and client_tls of a
 * bridge, NETSYS_BRIDGE_ENCRYPT alone decides.
 */
#define NETSYS_TLS_OFF 4

/**
 * The one value of dangerously_disable_verification that means it.
 */
#define NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION 1315916100

/**
 * Text about TLS: its version, "TLSv1.3".
 */
#define NETSYS_TLS_TEXT_VERSION 1

/**
 * Text about TLS: the cipher suite, "TLS13_AES_256_GCM_SHA384".
 */
#define NETSYS_TLS_TEXT_CIPHER_SUITE 2

/**
 * Text about TLS: the application protocol that was agreed on (ALPN); empty: none.
 */
#define NETSYS_TLS_TEXT_ALPN 3

/**
 * Text about TLS, of a server's session: the name that the client asked for (SNI); empty: none.
 */
#define NETSYS_TLS_TEXT_SERVER_NAME 4

/**
 * Text about TLS: the common name in the subject of the peer's certificate; empty: none.
 */
#define NETSYS_TLS_TEXT_PEER_COMMON_NAME 5

/**
 * Text about TLS: the first alternative name in the peer's certificate that is no address, with its kind, as in
 * "DNS:host.example", "URI:spiffe://a/b" or "email:a@b.example"; empty: none.
 */
#define NETSYS_TLS_TEXT_PEER_ALTERNATIVE_NAME 6

/**
 * Text about TLS: the SHA-256 of the peer's certificate, 64 hexadecimal digits; empty: it showed none.
 */
#define NETSYS_TLS_TEXT_PEER_FINGERPRINT 7

/**
 * The version of this header: major. Programs made for another major version do not run.
 */
#define NETSYS_VERSION_MAJOR 2

/**
 * The version of this header: minor. A library runs programs made for its own or an earlier one.
 */
#define NETSYS_VERSION_MINOR 0

/**
 * The version of this header: patch.
 */
#define NETSYS_VERSION_PATCH 0

/**
 * The version of this header as one number: major << 24 | minor << 16 | patch << 8.
 */
#define NETSYS_VERSION_NUMBER (((NETSYS_VERSION_MAJOR << 24) | (NETSYS_VERSION_MINOR << 16)) | (NETSYS_VERSION_PATCH << 8))

/**
 * Address: one of the internet, whatever no RFC sets apart (RFC 4291 section 2.4).
 */
#define NETSYS_ADDRESS_GLOBAL 1

/**
 * Address: none yet, or every one of this host: 0.0.0.0 (RFC 1122), :: (RFC 4291).
 */
#define NETSYS_ADDRESS_UNSPECIFIED 2

/**
 * Address: this host: 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291).
 */
#define NETSYS_ADDRESS_LOOPBACK 3

/**
 * Address: of a network of one's own: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918), fc00::/7 (RFC 4193).
 */
#define NETSYS_ADDRESS_PRIVATE 4

/**
 * Address: of the link and no further: 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291).
 */
#define NETSYS_ADDRESS_LINK_LOCAL 5

/**
 * Address: a group of hosts: 224.0.0.0/4 (RFC 5771), ff00::/8 (RFC 4291).
 */
#define NETSYS_ADDRESS_MULTICAST 6

/**
 * Address: all hosts of the link: 255.255.255.255 (RFC 919).
 */
#define NETSYS_ADDRESS_BROADCAST 7

/**
 * Address: between a provider and its customers: 100.64.0.0/10 (RFC 6598).
 */
#define NETSYS_ADDRESS_SHARED 8

/**
 * Address: for examples in texts: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849),
 * 3fff::/20 (RFC 9637).
 */
#define NETSYS_ADDRESS_DOCUMENTATION 9

/**
 * Address: for measuring network devices: 198.18.0.0/15 (RFC 2544), 2001:2::/48 (RFC 5180).
 */
#define NETSYS_ADDRESS_BENCHMARKING 10

/**
 * Address: set apart for protocols or the future, and no host's: the rest of 0.0.0.0/8 (RFC 1122), 192.0.0.0/24 (RFC
 * 6890), 240.0.0.0/4 (RFC 1112), 100::/64 (RFC 6666), 64:ff9b:1::/48 (RFC 8215).
 */
#define NETSYS_ADDRESS_RESERVED 11

/**
 * Addresses of a host: all, in the order of preference that the system gives them (RFC 6724).
 */
#define NETSYS_FAMILY_ANY 0

/**
 * Addresses of a host: all, those of IPv4 first.
 */
#define NETSYS_FAMILY_IPV4_FIRST 1

/**
 * Addresses of a host: all, those of IPv6 first.
 */
#define NETSYS_FAMILY_IPV6_FIRST 2

/**
 * Addresses of a host: those of IPv4 only.
 */
#define NETSYS_FAMILY_IPV4_ONLY 3

/**
 * Addresses of a host: those of IPv6 only.
 */
#define NETSYS_FAMILY_IPV6_ONLY 4

/**
 * Flag of a resolver: addresses are not kept, each is looked up anew.
 */
#define NETSYS_RESOLVER_KEEP_NO_ADDRESSES 1

/**
 * Flag of a resolver: it is not kept that a name could not be resolved.
 */
#define NETSYS_RESOLVER_KEEP_NO_FAILURES 2

/**
 * Flag of a session manager: it never reports back-pressure.
 */
#define NETSYS_MANAGER_NO_BACKPRESSURE 1

/**
 * A report as JSON, one object. docs/metrics.schema.json describes it.
 */
#define NETSYS_REPORT_JSON 1

/**
 * A report for people.
 */
#define NETSYS_REPORT_TEXT 2

/**
 * A report in the text format of Prometheus, version 0.0.4: what a scrape of /metrics gets, with the content type
 * "text/plain; version=0.0.4".
 */
#define NETSYS_REPORT_PROMETHEUS 3

/**
 * Flag of a bridge: nothing is counted and measured. Else each framed session is sent a heartbeat when one is due, also
 * while its peer speaks, to measure the round trip.
 */
#define NETSYS_BRIDGE_NO_MONITORING 1

/**
 * Flag of a bridge: netsys_pool_start refuses clients of the bridge.
 */
#define NETSYS_BRIDGE_NO_POOLING 2

/**
 * Flag of a bridge: each message of its servers and clients is logged, as log_messages of their configuration says.
 */
#define NETSYS_BRIDGE_LOG_MESSAGES 4

/**
 * Flag of a bridge: messages are compressed where peers agree, as under NETSYS_COMPRESSION_AUTO, unless a configuration
 * says otherwise or is for raw sessions only.
 */
#define NETSYS_BRIDGE_COMPRESS 8

/**
 * Flag of a bridge: all connections are encrypted, as server_tls and client_tls say unless a configuration has TLS of
 * its own. A server for which neither names a certificate does not start.
 */
#define NETSYS_BRIDGE_ENCRYPT 16

/**
 * Preset of a configuration: the defaults.
 */
#define NETSYS_PRESET_DEFAULT 0

/**
 * Preset of a configuration: for a developer's machine.
 */
#define NETSYS_PRESET_DEVELOPMENT 1

/**
 * Preset of a configuration: for production, which is what the defaults are for.
 */
#define NETSYS_PRESET_PRODUCTION 2

/**
 * Preset of a configuration: for tests.
 */
#define NETSYS_PRESET_TESTING 3

/**
 * Format of a text of configuration: TOML.
 */
#define NETSYS_FORMAT_TOML 1

/**
 * Format of a text of configuration: JSON.
 */
#define NETSYS_FORMAT_JSON 2

/**
 * What went wrong. The numbers are part of the ABI: they are never changed and never used again for another
 * meaning.
 *
 * The general ones lie above -100. The specification's ranges below: -600 to -619 connection and TLS, -620 to -639
 * session, -640 to -659 send and receive, -660 to -679 server.
 */
enum netsys_err
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * An argument is outside its documented range.
     */
    NETSYS_ERR_INVALID_ARGUMENT = -1,
    /**
     * The named thing does not exist.
     */
    NETSYS_ERR_NOT_FOUND = -2,
    /**
     * The operating system refused for lack of permission.
     */
    NETSYS_ERR_PERMISSION_DENIED = -3,
    /**
     * The time given ran out.
     */
    NETSYS_ERR_TIMEOUT = -4,
    /**
     * The operation was cancelled before it ended.
     */
    NETSYS_ERR_CANCELLED = -5,
    /**
     * The object has not been started or configured yet.
     */
    NETSYS_ERR_NOT_INITIALIZED = -6,
    /**
     * The thing exists, or runs, already.
     */
    NETSYS_ERR_ALREADY_EXISTS = -7,
    /**
     * Memory, or a bound on it, is exhausted.
     */
    NETSYS_ERR_OUT_OF_MEMORY = -8,
    /**
     * An operating system call failed.
     */
    NETSYS_ERR_IO = -9,
    /**
     * The network failed in a way that has no code of its own.
     */
    NETSYS_ERR_NETWORK = -10,
    /**
     * The handle is 0, stale, forged, or of another kind.
     */
    NETSYS_ERR_INVALID_HANDLE = -20,
    /**
     * The call would wait, and this is a library thread, whose work it would wait for.
     */
    NETSYS_ERR_WOULD_DEADLOCK = -21,
    /**
     * This version, or this object, cannot do that.
     */
    NETSYS_ERR_UNSUPPORTED = -22,
    /**
     * The caller's buffer is too small; the size needed was stored.
     */
    NETSYS_ERR_BUFFER_TOO_SMALL = -23,
    /**
     * The process is a fork of the one that loaded the library: its threads are not here.
     */
    NETSYS_ERR_FORKED = -24,
    /**
     * A fault of the library itself; the object concerned is closed.
     */
    NETSYS_ERR_INTERNAL = -99,
    /**
     * The connection could not be made.
     */
    NETSYS_ERR_CONNECTION_FAILED = -600,
    /**
     * The peer refused the connection.
     */
    NETSYS_ERR_CONNECTION_REFUSED = -601,
    /**
     * The connection was not made in time.
     */
    NETSYS_ERR_CONNECTION_TIMEOUT = -602,
    /**
     * There is no connection (any more).
     */
    NETSYS_ERR_CONNECTION_CLOSED = -603,
    /**
     * The TLS handshake failed, or what TLS protects was broken.
     */
    NETSYS_ERR_TLS_FAILED = -604,
    /**
     * One side speaks TLS and the other does not.
     */
    NETSYS_ERR_TLS_MISMATCH = -605,
    /**
     * The peer ended the connection without TLS saying so: what it sent last may be missing.
     */
    NETSYS_ERR_TLS_TRUNCATED = -606,
    /**
     * A client gave no certificate where one is required.
     */
    NETSYS_ERR_CERTIFICATE_REQUIRED = -607,
    /**
     * The peer's certificate comes from no issuer that this side trusts.
     */
    NETSYS_ERR_CERTIFICATE_UNTRUSTED = -608,
    /**
     * The peer's certificate is not valid any more, or not yet.
     */
    NETSYS_ERR_CERTIFICATE_EXPIRED = -609,
    /**
     * The server's certificate is for another name than the one that was connected to.
     */
    NETSYS_ERR_CERTIFICATE_WRONG_NAME = -610,
    /**
     * The peer's certificate is revoked, or the revocation list cannot rule that out.
     */
    NETSYS_ERR_CERTIFICATE_REVOKED = -611,
    /**
     * The peer's certificate is for another use: a client's is no server's.
     */
    NETSYS_ERR_CERTIFICATE_WRONG_USAGE = -612,
    /**
     * The peer's certificate is malformed or has something that is not accepted.
     */
    NETSYS_ERR_CERTIFICATE_INVALID = -613,
    /**
     * The peer does not accept this side's certificate, or that it has none.
     */
    NETSYS_ERR_CERTIFICATE_REFUSED = -614,
    /**
     * No session has that handle or id (any more).
     */
    NETSYS_ERR_SESSION_NOT_FOUND = -620,
    /**
     * Nothing was received for longer than the idle timeout.
     */
    NETSYS_ERR_SESSION_EXPIRED = -621,
    /**
     * The handle is not that of a session.
     */
    NETSYS_ERR_INVALID_SESSION = -622,
    /**
     * The message could not be sent.
     */
    NETSYS_ERR_SEND_FAILED = -640,
    /**
     * Receiving failed.
     */
    NETSYS_ERR_RECEIVE_FAILED = -641,
    /**
     * The message is larger than the limit.
     */
    NETSYS_ERR_MESSAGE_TOO_LARGE = -642,
    /**
     * The outgoing queue is full; a writable event follows.
     */
    NETSYS_ERR_WOULD_BLOCK = -643,
    /**
     * The peer broke the framed protocol.
     */
    NETSYS_ERR_PROTOCOL = -644,
    /**
     * A handler threw or panicked.
     */
    NETSYS_ERR_HANDLER_FAILED = -645,
    /**
     * The server is not running.
     */
    NETSYS_ERR_SERVER_NOT_STARTED = -660,
    /**
     * The server is running already.
     */
    NETSYS_ERR_SERVER_ALREADY_RUNNING = -661,
    /**
     * The address could not be bound.
     */
    NETSYS_ERR_BIND_FAILED = -662,
    /**
     * The server is at its connection limit.
     */
    NETSYS_ERR_SERVER_BUSY = -663,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum netsys_err netsys_err;
#else
typedef int32_t netsys_err;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What functions return: NETSYS_OK, or one of NETSYS_ERR_*, which are all negative.
 */
typedef int32_t netsys_status;

/**
 * Text that somebody else owns: UTF-8, not NUL-terminated.
 */
typedef struct netsys_str {
    /**
     * The first byte; may be NULL if len is 0.
     */
    const char *data;
    /**
     * How many bytes.
     */
    size_t len;
} netsys_str;

/**
 * Bytes that somebody else owns.
 */
typedef struct netsys_bytes {
    /**
     * The first byte; may be NULL if len is 0.
     */
    const uint8_t *data;
    /**
     * How many bytes.
     */
    size_t len;
} netsys_bytes;

/**
 * How the connections of a server or client are encrypted: TLS 1.2 and 1.3 with forward secrecy and authenticated
 * ciphers. What is PEM is in a file, which is read when the server or client starts, or in memory, which is copied,
 * and zeroed in the end; not in both.
 *
 * A server needs its certificate and the key. A client needs nothing: then it trusts the issuers that the system does.
 */
typedef struct netsys_tls_config {
    /**
     * sizeof(netsys_tls_config).
     */
    uint32_t struct_size;
    /**
     * The least version that is spoken: NETSYS_TLS_1_2 or _1_3; 0: 1.2.
     */
    uint32_t min_version;
    /**
     * Servers: NETSYS_CLIENT_CERTIFICATE_*.
     */
    uint32_t client_certificate;
    /**
     * NETSYS_TLS_NO_* and NETSYS_TLS_OFF together.
     */
    uint32_t flags;
    /**
     * Clients: NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION takes any certificate for the server's. Whoever is in
     * between can then read and change everything, and a warning is logged with each start. 0: the certificate has to
     * be for the host that is connected to, valid, and of an issuer that is trusted.
     */
    uint32_t dangerously_disable_verification;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The own certificate, and behind it those of the issuers up to the root: the file.
     */
    struct netsys_str certificate_file;
    /**
     * The same in memory.
     */
    struct netsys_bytes certificate;
    /**
     * The certificate's private key, not encrypted: the file.
     */
    struct netsys_str key_file;
    /**
     * The same in memory.
     */
    struct netsys_bytes key;
    /**
     * The issuers that the peer's certificate has to come from: the file. Clients: none: those that the system trusts.
     * Servers: needed if clients are asked for a certificate; errors and configuration files call it client_ca_file.
     */
    struct netsys_str ca_file;
    /**
     * The same in memory.
     */
    struct netsys_bytes ca;
    /**
     * Lists of the peers' certificates that are revoked: the file; none: none is. With a list, a certificate is
     * refused of whose issuer there is no list that is up to date.
     */
    struct netsys_str crl_file;
    /**
     * The same in memory.
     */
    struct netsys_bytes crl;
    /**
     * Clients: the name that the server's certificate has to be for; empty: the host that is connected to.
     */
    struct netsys_str server_name;
    /**
     * The application protocols (ALPN), the preferred one first, with commas between them, at most 1023 bytes; may be
     * empty.
     */
    struct netsys_str alpn;
} netsys_tls_config;

/**
 * A session: one connection, of a server or of a client. 0 is never a valid id.
 */
typedef struct netsys_session {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_session;

/**
 * What TLS came to on a connection.
 */
typedef struct netsys_tls_info {
    /**
     * sizeof(netsys_tls_info); set it before the call.
     */
    uint32_t struct_size;
    /**
     * NETSYS_TLS_1_2 or _1_3.
     */
    uint32_t version;
    /**
     * The number that IANA gave the cipher suite.
     */
    uint32_t cipher_suite;
    /**
     * 1 if most of the handshake was left out, since the two had met before, else 0.
     */
    uint32_t resumed;
    /**
     * 1 if the peer showed a certificate, else 0.
     */
    uint32_t has_peer_certificate;
    /**
     * 1 if that certificate was verified, else 0.
     */
    uint32_t peer_verified;
} netsys_tls_info;

/**
 * What failed. Made by the library for on_error, and filled in by netsys_last_error.
 */
typedef struct netsys_error_info {
    /**
     * sizeof(netsys_error_info).
     */
    uint32_t struct_size;
    /**
     * The code, NETSYS_ERR_*.
     */
    netsys_status status;
    /**
     * errno of the operating system call that failed, or 0.
     */
    int32_t os_code;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * What was wrong, what was expected and what to do: UTF-8, NUL-terminated, cut to fit.
     */
    char message[232];
} netsys_error_info;

/**
 * A line of the library's log. Valid for the callback.
 */
typedef struct netsys_log_record {
    /**
     * sizeof(netsys_log_record) of the library.
     */
    uint32_t struct_size;
    /**
     * 1 error, 2 warning, 3 information, 4 debugging, 5 trace.
     */
    uint32_t level;
    /**
     * When: milliseconds since 1970-01-01 00:00 UTC.
     */
    uint64_t unix_ms;
    /**
     * The part of the library that says it: "network_system::transport::listener".
     */
    struct netsys_str target;
    /**
     * What it says, in one line of at most some 3 KiB: control characters, which a peer may have sent, are escaped, a
     * line feed as "\n". It ends with "(N more like it were left out)" where lines before it were too many.
     */
    struct netsys_str message;
} netsys_log_record;

/**
 * What a context is like. All zero but struct_size, which is what netsys_context_config_init makes, means all
 * defaults.
 *
 * The callbacks run on the context's own threads, several at a time, and must not throw. on_log also runs on a thread
 * of the program's that is in a function of the library, which then counts as one of the library's.
 */
typedef struct netsys_context_config {
    /**
     * sizeof(netsys_context_config).
     */
    uint32_t struct_size;
    /**
     * The most loop threads; 0: 64. Each server and client gets one of its own while there are fewer, then they share.
     */
    uint32_t max_loops;
    /**
     * Which lines are logged: 1 errors only .. 5 everything; 0: 2, errors and warnings. Of no effect beside a
     * log_filter.
     */
    uint32_t log_level;
    /**
     * For how many microseconds after its last work a loop thread asks for events over and over before it sleeps until
     * there are some, at most 1,000,000; 0: it sleeps at once. To be woken takes longer than to look: busy polling by
     * both ends halves the time of a lone round trip, and gains nothing where messages are many. Each loop thread keeps
     * a whole processor busy meanwhile, so there have to be more of these than such threads.
     */
    uint32_t busy_poll_us;
    /**
     * What the names of the threads begin with; empty: "netsys".
     */
    struct netsys_str thread_name_prefix;
    /**
     * A line of the log. Without it and without log_to_stderr, nothing is logged anywhere. Nothing is logged of what it
     * calls.
     *
     * No peer can flood it: of each place in the library that logs, 10 lines a second come in the long run, and 20 at
     * once after a rest; at level 4 and 5, and of single messages (log_messages of servers and clients), 1000 and 2000.
     * The next line that comes tells how many like it were left out; for the last ones, netsys_context_shutdown does,
     * before the release.
     */
    void (*on_log)(void *userdata, const struct netsys_log_record *record);
    /**
     * Runs first on each thread that runs callbacks.
     */
    void (*on_thread_start)(void *userdata);
    /**
     * Runs last on each thread that runs callbacks.
     */
    void (*on_thread_stop)(void *userdata);
    /**
     * Given to the callbacks above.
     */
    void *userdata;
    /**
     * The callbacks are not called any more, and userdata is no longer used. Runs exactly once: when the context has
     * been shut down, or on the calling thread when it could not be created.
     */
    void (*release)(void *userdata);
    /**
     * What all sessions of the context may hold together in the library's buffers, messages that have arrived in part
     * and queues for sending, without what TLS holds, in bytes; 0: 256 MiB; NETSYS_UNLIMITED_U64. Beyond it, sends
     * meet a full queue (see NETSYS_SEND_*), and a session in the middle of a message stops reading until there is
     * room.
     */
    uint64_t max_buffered_bytes;
    /**
     * How many threads run callbacks under NETSYS_DISPATCH_POOL, while there is a server or client with that; 0: as
     * many as the machine has processors; at most 4096.
     */
    uint32_t pool_threads;
    /**
     * 1: the log goes to the standard error stream too, each line in one write, as in
     * "2026-11-23T12:00:00.123Z WARN network_system::core::server: text", whether there is an on_log or not; 0: it does
     * not. Who logs waits for who reads the stream; one that is closed is no failure, and raises no SIGPIPE.
     */
    uint32_t log_to_stderr;
    /**
     * Which lines are logged, by target, instead of log_level: a level for all (off, error, warn, info, debug, trace),
     * levels for targets and what is below them at a "::", or both, with commas between them, as in
     * "warn,network_system::session=debug,network_system::transport=off". The longest target decides, and what none is
     * for is off. Empty: by log_level.
     */
    struct netsys_str log_filter;
} netsys_context_config;

/**
 * A context: what owns the library's threads. 0 is never a valid id.
 */
typedef struct netsys_context {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_context;

/**
 * Callbacks that are due, for an executor to run. 0 is never a valid id.
 */
typedef struct netsys_job {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_job;

/**
 * Who runs the callbacks of a server or client under NETSYS_DISPATCH_EXECUTOR.
 */
typedef struct netsys_executor {
    /**
     * Given to both functions.
     */
    void *userdata;
    /**
     * Takes a job, and sees to it that netsys_job_run is called with it soon, once, on any thread; this may be right
     * now. NETSYS_OK; anything else says that the job is not taken, and the library runs it on a thread of its own.
     * Called on several threads at a time; must not wait, nor throw.
     */
    netsys_status (*execute)(void *userdata, struct netsys_job job);
    /**
     * No job will come any more. Runs exactly once, on any thread: after the release of the callbacks, when no session
     * is retained any more, or when the start has failed, unless it was the struct_size of the configuration that was
     * refused.
     */
    void (*release)(void *userdata);
} netsys_executor;

/**
 * Servers and clients under one configuration, counted together. 0 is never a valid id.
 */
typedef struct netsys_bridge {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_bridge;

/**
 * What a server, or an adopted session, is like. All zero but struct_size, which is what netsys_server_config_init
 * makes, means all defaults.
 */
typedef struct netsys_server_config {
    /**
     * sizeof(netsys_server_config).
     */
    uint32_t struct_size;
    /**
     * NETSYS_FRAMING_*; 0, AUTO: each peer's first bytes decide.
     */
    uint32_t framing;
    /**
     * What framed peers are told, at most 255 bytes; may be empty.
     */
    struct netsys_str server_id;
    /**
     * The address or name to listen on; empty: "0.0.0.0".
     */
    struct netsys_str host;
    /**
     * The port; 0: a free one, which netsys_server_port tells.
     */
    uint16_t port;
    /**
     * 0.
     */
    uint16_t reserved16;
    /**
     * How many connections the kernel holds for the server to accept; 0: 4096.
     */
    uint32_t backlog;
    /**
     * The most connections at a time, counted from accept to end; 0: 1000; NETSYS_UNLIMITED_U32.
     */
    uint32_t max_connections;
    /**
     * NETSYS_SEND_*: what a send does when the session's queue is full.
     */
    uint32_t send_policy;
    /**
     * The largest message sent or received; 0: 1 MiB; at most 4 GiB - 1, which larger values mean too.
     */
    uint64_t max_message_bytes;
    /**
     * How much a session queues for sending; 0: 1 MiB; NETSYS_UNLIMITED_U64.
     */
    uint64_t send_queue_bytes;
    /**
     * How much a session queues for sends on library threads under NETSYS_SEND_WAIT; 0: 64 MiB, or send_queue_bytes if
     * that is more.
     */
    uint64_t send_hard_limit_bytes;
    /**
     * How long a send waits under NETSYS_SEND_WAIT, in ms; 0: 5000.
     */
    uint32_t send_timeout_ms;
    /**
     * A session that has received nothing for this long, in ms, ends with NETSYS_ERR_SESSION_EXPIRED; 0: never.
     */
    uint32_t idle_timeout_ms;
    /**
     * A framed session that has received nothing for this long, in ms, asks the peer for a sign of life, and ends
     * after three times this without one; 0: 10000; NETSYS_INFINITE: no heartbeats.
     */
    uint32_t heartbeat_ms;
    /**
     * How long a peer that has begun to say who it is may take to end, in ms; with tls: how long any peer may take from
     * its connection on, for the handshake of TLS and, if framed, to say who it is together; 0: 5000.
     */
    uint32_t handshake_timeout_ms;
    /**
     * How long a graceful close or stop may take to deliver what is queued, in ms; 0: 5000.
     */
    uint32_t drain_ms;
    /**
     * NETSYS_FLAG_* together.
     */
    uint32_t flags;
    /**
     * The first capacity of a session's buffer for a message that has arrived in part; 0: 8192.
     */
    uint32_t receive_buffer_bytes;
    /**
     * The first capacity of a session's buffer for sending; 0: 8192.
     */
    uint32_t send_buffer_bytes;
    /**
     * SO_RCVBUF; 0: the system's choice, which adapts.
     */
    uint32_t kernel_receive_bytes;
    /**
     * SO_SNDBUF; 0: the system's choice, which adapts.
     */
    uint32_t kernel_send_bytes;
    /**
     * NETSYS_DISPATCH_*: where callbacks run.
     */
    uint32_t dispatch;
    /**
     * Over how many threads the sessions are spread; 0: 1. With more than one, callbacks of different sessions run at
     * the same time also under NETSYS_DISPATCH_INLINE. At most max_loops of the context.
     */
    uint32_t io_threads;
    /**
     * How many bytes of a session's messages may wait for their callbacks where these do not run inline; then no more
     * is read, and TCP slows the peer down; 0: 256 KiB.
     */
    uint64_t receive_queue_bytes;
    /**
     * Who runs the callbacks under NETSYS_DISPATCH_EXECUTOR; all zero otherwise.
     */
    struct netsys_executor executor;
    /**
     * How many messages a session queues for sending; 0: as many as send_queue_bytes holds.
     */
    uint32_t send_queue_messages;
    /**
     * A framed peer that has begun a frame must end it within this time, in ms, and a second more for each 240 bytes,
     * or the session ends with NETSYS_ERR_TIMEOUT; 0: 10000; NETSYS_INFINITE: never.
     */
    uint32_t frame_timeout_ms;
    /**
     * A session whose peer's host has acknowledged nothing of what was sent for this long, in ms, ends with
     * NETSYS_ERR_SESSION_EXPIRED, unless NETSYS_FLAG_NO_KEEP_ALIVE is set. A peer that lives and does not read is not
     * ended by this. 0: 30000; NETSYS_INFINITE: never.
     */
    uint32_t unresponsive_timeout_ms;
    /**
     * The most connections of one address at a time, of IPv6 of one /64; 0: 256, and no limit for loopback addresses;
     * NETSYS_UNLIMITED_U32. Whoever is over it is refused as over max_connections, and refuses nobody else.
     */
    uint32_t max_connections_per_address;
    /**
     * How many connections a second one address may make in the long run; 0: as many as it likes.
     */
    uint32_t accept_rate;
    /**
     * How many of them at once, after a rest; 0: as many as in a second.
     */
    uint32_t accept_burst;
    /**
     * Addresses that the two limits above do not hold for: ranges with commas between them, as in
     * "10.0.0.0/8, 2001:db8::/32, ::1"; may be empty.
     */
    struct netsys_str exempt_addresses;
    /**
     * 1: each message that is accepted for sending, and each that is handed to on_message, is a line of the context's
     * log, of level 3 (information) and target "network_system::messages", with the session's id, the peer's address,
     * the kind and the size in bytes, and nothing of what is in it; 0: none is. See log_level and log_filter of
     * netsys_context_config, which must let such lines through.
     */
    uint32_t log_messages;
    /**
     * NETSYS_COMPRESSION_*: whether and how messages are compressed, on framed sessions whose peer does the same and
     * where it makes them shorter. A message that a client sends before the server has greeted it never is. Not with
     * NETSYS_FRAMING_RAW.
     */
    uint32_t compression;
    /**
     * Messages of fewer bytes are not compressed; 0: 256.
     */
    uint32_t compression_threshold_bytes;
    /**
     * How hard zstd tries, 1 to 19; 0: 1.
     */
    uint32_t compression_level;
    /**
     * The bridge that the server belongs to, whose settings take the place of defaults; 0: none.
     */
    struct netsys_bridge bridge;
    /**
     * How connections are encrypted; NULL: not at all. A session that is adopted cannot be.
     */
    const struct netsys_tls_config *tls;
} netsys_server_config;

/**
 * A message that arrived. Valid for the callback.
 */
typedef struct netsys_message {
    /**
     * sizeof(netsys_message) of the library.
     */
    uint32_t struct_size;
    /**
     * NETSYS_MESSAGE_*.
     */
    uint32_t kind;
    /**
     * Its bytes.
     */
    const uint8_t *data;
    /**
     * How many.
     */
    size_t len;
    /**
     * What netsys_session_set_userdata stored for the session, or NULL.
     */
    void *session_userdata;
} netsys_message;

/**
 * Why and how a session ended. Valid for the callback.
 */
typedef struct netsys_close_info {
    /**
     * sizeof(netsys_close_info) of the library.
     */
    uint32_t struct_size;
    /**
     * NETSYS_OK if it ended in good order, else why it ended.
     */
    netsys_status reason;
    /**
     * errno of the failure, or 0.
     */
    int32_t os_code;
    /**
     * 1 if the peer ended it, else 0.
     */
    uint32_t by_peer;
    /**
     * Messages that sends on this session accepted.
     */
    uint64_t accepted;
    /**
     * Of these, the ones that did not reach the peer's handler, or are not known to have reached it, and will not be
     * sent again.
     */
    uint64_t undelivered;
    /**
     * Messages that were read from the peer and not handed to on_message.
     */
    uint64_t discarded;
    /**
     * 1 if undelivered is exact, because the peer confirmed the rest. 0 if it is an upper bound (framed), or what was
     * not handed to the kernel (raw).
     */
    uint32_t exact;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Why, in words: "stopped" after a stop of the own server or client, the peer's reason if it gave one.
     */
    struct netsys_str text;
    /**
     * Of the undelivered ones, those that were dropped while the session went on: since the queue was full, under
     * NETSYS_SEND_DROP_NEWEST and _DROP_OLDEST, or since a peer said in its hello that it takes none so large.
     */
    uint64_t dropped;
    /**
     * Of the accepted messages, the ones that a reconnecting client sends on its next connection, since nothing of
     * them was written: accepted = delivered + undelivered + requeued. There they count as accepted again.
     */
    uint64_t requeued;
} netsys_close_info;

/**
 * The events of a server or client. Members that are NULL are skipped.
 *
 * All of them run on the loop thread of their server or client, never two at a time for the same one; where the
 * configuration has another dispatch or several io_threads, never two at a time for the same session. Never from
 * inside a call of yours, and never under a lock of the library. Every function of this header may be called in them,
 * except that the ones tagged [BLOCKING] refuse with NETSYS_ERR_WOULD_DEADLOCK. While one runs inline, its server or
 * client does nothing else. Each gets the userdata of this table; what else they get is valid until they return.
 *
 * The order for a session: on_accept (servers only), on_open, on_message any number of times, on_close, on_end
 * (servers only). There is exactly one on_close for each on_open and exactly one on_end for each on_accept.
 *
 * A callback must return: neither an exception nor longjmp may leave it. An exception of another language that does
 * ends the process.
 */
typedef struct netsys_callbacks {
    /**
     * sizeof(netsys_callbacks).
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Given to every callback of this table.
     */
    void *userdata;
    /**
     * Server: a connection was accepted; who the peer is, is not known yet. With TLS, its handshake is done, and the
     * peer's certificate known.
     */
    void (*on_accept)(void *userdata, struct netsys_session session);
    /**
     * Server: it is known who the peer is. Client: it is connected. Sends made here are the first that the peer gets.
     */
    void (*on_open)(void *userdata, struct netsys_session session);
    /**
     * A message arrived. None comes any more once a close or stop has begun.
     */
    void (*on_message)(void *userdata, struct netsys_session session, const struct netsys_message *message);
    /**
     * There is room again, after a send failed with NETSYS_ERR_WOULD_BLOCK or went beyond a full queue: once for each
     * time the queue was full.
     */
    void (*on_writable)(void *userdata, struct netsys_session session);
    /**
     * The state of the session changed; the states are NETSYS_STATE_*.
     */
    void (*on_state)(void *userdata, struct netsys_session session, uint32_t old_state, uint32_t new_state);
    /**
     * The session, which was open, ended. A reconnecting client goes on with another one.
     */
    void (*on_close)(void *userdata, struct netsys_session session, const struct netsys_close_info *why);
    /**
     * Server: the connection that was accepted ended, whether it had been open or not. Unless it is retained, the
     * handle of the session is invalid once this has returned.
     */
    void (*on_end)(void *userdata, struct netsys_session session, const struct netsys_close_info *why);
    /**
     * Something failed: an accept, a connect, the network under a session (before its on_close), the peer's protocol,
     * a send that waited too long, messages that a reconnecting client gave up when it ended; or a connection was
     * refused that was over a limit (NETSYS_ERR_SERVER_BUSY) or did not agree on TLS (NETSYS_ERR_TLS_*,
     * NETSYS_ERR_CERTIFICATE_*). The session's id is 0 if no session is concerned. What
     * peers provoke by breaking the protocol, or by connecting beyond a limit, comes ten times a second at most, and
     * so do failed attempts of a reconnecting client; statistics count all of it.
     */
    void (*on_error)(void *userdata, struct netsys_session session, const struct netsys_error_info *error);
    /**
     * The server or client has stopped; a client that does not reconnect also because its connection failed or ended.
     * The last event.
     */
    void (*on_stopped)(void *userdata);
    /**
     * Nothing of this table is called any more, and userdata is no longer used. Runs exactly once, also when the start
     * fails, then on the calling thread before the start returns.
     */
    void (*release)(void *userdata);
} netsys_callbacks;

/**
 * A server. 0 is never a valid id.
 */
typedef struct netsys_server {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_server;

/**
 * The figures of a session, server or client. Sent means handed to the kernel whole; bytes are payload, except for the
 * wire's. All counters are since the start or the last reset.
 */
typedef struct netsys_stats {
    /**
     * sizeof(netsys_stats); set it before the call.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Connections accepted (server) or made (client); of a session: 1.
     */
    uint64_t connections_total;
    /**
     * Connections there are now.
     */
    uint64_t connections_current;
    /**
     * Connections refused because of a limit.
     */
    uint64_t connections_rejected;
    /**
     * Messages sent; of raw sessions, the sends.
     */
    uint64_t messages_sent;
    /**
     * Messages received; of raw sessions, the reads.
     */
    uint64_t messages_received;
    /**
     * Bytes sent.
     */
    uint64_t bytes_sent;
    /**
     * Bytes received.
     */
    uint64_t bytes_received;
    /**
     * Bytes sent with all headers, greetings and heartbeats.
     */
    uint64_t wire_bytes_sent;
    /**
     * Bytes received with all headers, greetings and heartbeats.
     */
    uint64_t wire_bytes_received;
    /**
     * Failures.
     */
    uint64_t errors;
    /**
     * Bytes accepted by sends and not handed to the kernel yet.
     */
    uint64_t queued_bytes;
    /**
     * When the server or client was started or the session was connected: nanoseconds of CLOCK_MONOTONIC.
     */
    uint64_t start_ns;
    /**
     * When something was sent or received last: nanoseconds of CLOCK_MONOTONIC; 0: never.
     */
    uint64_t last_activity_ns;
    /**
     * When a message was received last: nanoseconds of CLOCK_MONOTONIC; 0: never.
     */
    uint64_t last_message_ns;
    /**
     * Messages that sends accepted and that were dropped, as in netsys_close_info.
     */
    uint64_t messages_dropped;
    /**
     * Of a client: attempts to connect that failed. Of a server: handshakes of TLS that failed.
     */
    uint64_t connections_failed;
    /**
     * How long the last heartbeat's answer took, in nanoseconds; of a server, the longest of its sessions' last ones.
     * 0: there was none yet. A framed session that has received nothing for heartbeat_ms sends one, and one of a bridge
     * that measures (see NETSYS_BRIDGE_NO_MONITORING) each time that heartbeat_ms have gone by.
     */
    uint64_t round_trip_ns;
    /**
     * Of a client: connections that came to be open after the first one.
     */
    uint64_t reconnects;
    /**
     * Of a reconnecting client that has ended: messages that it had accepted and not sent, or that may not have
     * arrived on a connection that did not come to be open. They are in no on_close.
     */
    uint64_t messages_unsent;
    /**
     * Of the messages sent, those that travelled compressed,
     */
    uint64_t compressed_messages_sent;
    /**
     * the bytes that they had before,
     */
    uint64_t compressed_bytes_sent;
    /**
     * and the bytes that they took on the wire, with their headers. The quotient of the two is the ratio.
     */
    uint64_t compressed_wire_bytes_sent;
    /**
     * Of the messages received, those that came compressed,
     */
    uint64_t compressed_messages_received;
    /**
     * the bytes that they have,
     */
    uint64_t compressed_bytes_received;
    /**
     * and the bytes that they took on the wire, with their headers.
     */
    uint64_t compressed_wire_bytes_received;
} netsys_stats;

/**
 * What a client is like. Host and port are required; the rest may be zero, but for struct_size, and then means the
 * default.
 */
typedef struct netsys_client_config {
    /**
     * sizeof(netsys_client_config).
     */
    uint32_t struct_size;
    /**
     * NETSYS_FRAMING_*; 0, AUTO: the client's first send decides.
     */
    uint32_t framing;
    /**
     * What a framed server is told, at most 255 bytes; may be empty.
     */
    struct netsys_str client_id;
    /**
     * The server's address or name.
     */
    struct netsys_str host;
    /**
     * The server's port.
     */
    uint16_t port;
    /**
     * 0.
     */
    uint16_t reserved16;
    /**
     * How long resolving, connecting, the handshake of TLS and, if framed, greeting may take together, in ms; 0: 30000.
     */
    uint32_t connect_timeout_ms;
    /**
     * NETSYS_SEND_*: what a send does when the queue is full.
     */
    uint32_t send_policy;
    /**
     * 0.
     */
    uint32_t reserved32;
    /**
     * As in netsys_server_config.
     */
    uint64_t max_message_bytes;
    /**
     * As in netsys_server_config.
     */
    uint64_t send_queue_bytes;
    /**
     * As in netsys_server_config.
     */
    uint64_t send_hard_limit_bytes;
    /**
     * As in netsys_server_config.
     */
    uint32_t send_timeout_ms;
    /**
     * As in netsys_server_config.
     */
    uint32_t idle_timeout_ms;
    /**
     * As in netsys_server_config.
     */
    uint32_t heartbeat_ms;
    /**
     * As in netsys_server_config.
     */
    uint32_t drain_ms;
    /**
     * As in netsys_server_config.
     */
    uint32_t flags;
    /**
     * As in netsys_server_config.
     */
    uint32_t receive_buffer_bytes;
    /**
     * As in netsys_server_config.
     */
    uint32_t send_buffer_bytes;
    /**
     * As in netsys_server_config.
     */
    uint32_t kernel_receive_bytes;
    /**
     * As in netsys_server_config.
     */
    uint32_t kernel_send_bytes;
    /**
     * As in netsys_server_config.
     */
    uint32_t dispatch;
    /**
     * As in netsys_server_config.
     */
    uint64_t receive_queue_bytes;
    /**
     * As in netsys_server_config.
     */
    struct netsys_executor executor;
    /**
     * 1: the client connects again when it could not connect, or its connection ended, until it is stopped; 0: its
     * first connection is its last. Before the n-th attempt in a row, counted from 0, it waits for a random time
     * between 0 and reconnect_first_ms * 2^n, or reconnect_max_ms if that is less. The count begins anew after a
     * connection that was open for reconnect_max_ms.
     *
     * A framed connection carries messages from when it is open, and what is not begun to be written when it is lost
     * goes to the next one. An AUTO client keeps to what its first send, or its server, decided. It ends, with
     * on_stopped, when it is stopped, after reconnect_max_attempts, or if the server speaks another protocol
     * (NETSYS_ERR_PROTOCOL before it has answered the hello). What was accepted and is not sent by then is told in an
     * on_error with NETSYS_ERR_SEND_FAILED, and counted in messages_unsent of its figures.
     */
    uint32_t reconnect;
    /**
     * The longest wait before the first attempt, in ms; 0: 100, or reconnect_max_ms if that is less. At most
     * reconnect_max_ms.
     */
    uint32_t reconnect_first_ms;
    /**
     * The longest wait of all, in ms; 0: 5000, or reconnect_first_ms if that is more. A thousand clients of a server
     * that is down make about 2000 attempts in this time.
     */
    uint32_t reconnect_max_ms;
    /**
     * After how many attempts in a row that failed the client ends; 0: never.
     */
    uint32_t reconnect_max_attempts;
    /**
     * As in netsys_server_config.
     */
    uint32_t send_queue_messages;
    /**
     * As in netsys_server_config.
     */
    uint32_t frame_timeout_ms;
    /**
     * As in netsys_server_config.
     */
    uint32_t unresponsive_timeout_ms;
    /**
     * As in netsys_server_config.
     */
    uint32_t log_messages;
    /**
     * As in netsys_server_config.
     */
    uint32_t compression;
    /**
     * As in netsys_server_config.
     */
    uint32_t compression_threshold_bytes;
    /**
     * As in netsys_server_config.
     */
    uint32_t compression_level;
    /**
     * 0.
     */
    uint32_t reserved_tail;
    /**
     * The bridge that the client belongs to, whose settings take the place of defaults; 0: none.
     */
    struct netsys_bridge bridge;
    /**
     * How connections are encrypted; NULL: not at all.
     */
    const struct netsys_tls_config *tls;
} netsys_client_config;

/**
 * A client. 0 is never a valid id.
 */
typedef struct netsys_client {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_client;

/**
 * An address of this host. Valid for the call of visit.
 */
typedef struct netsys_local_address {
    /**
     * sizeof(netsys_local_address) of the library.
     */
    uint32_t struct_size;
    /**
     * How many leading bits it has in common with the hosts on its link.
     */
    uint32_t prefix;
    /**
     * What it is for: NETSYS_ADDRESS_*.
     */
    uint32_t address_class;
    /**
     * 1 if the interface is up and connected, else 0.
     */
    uint32_t running;
    /**
     * The interface that has it: "eth0".
     */
    struct netsys_str interface_name;
    /**
     * The address: "192.0.2.1", "2001:db8::1", "fe80::1%2".
     */
    struct netsys_str address;
} netsys_local_address;

/**
 * An IP address, filled in by netsys_address_parse.
 */
typedef struct netsys_address_info {
    /**
     * sizeof(netsys_address_info); set it before the call.
     */
    uint32_t struct_size;
    /**
     * 4 or 6, for IPv4 or IPv6.
     */
    uint32_t version;
    /**
     * The number of the interface behind a link-local IPv6 address, or 0.
     */
    uint32_t zone;
    /**
     * What it is for: NETSYS_ADDRESS_*. An IPv4 address written as IPv6 (::ffff:127.0.0.1) is what the IPv4 address
     * is. Not looked at where the library is given the struct.
     */
    uint32_t address_class;
    /**
     * The address as it travels: the first 4 bytes for IPv4, the rest 0; or all 16.
     */
    uint8_t bytes[16];
} netsys_address_info;

/**
 * A range of addresses, filled in by netsys_range_parse.
 */
typedef struct netsys_range_info {
    /**
     * sizeof(netsys_range_info); set it before the call.
     */
    uint32_t struct_size;
    /**
     * 4 or 6, for IPv4 or IPv6.
     */
    uint32_t version;
    /**
     * How many leading bits the addresses have in common: 0 to 32, or to 128.
     */
    uint32_t prefix;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The first address of the range, as in netsys_address_info.
     */
    uint8_t bytes[16];
} netsys_range_info;

/**
 * What a resolver is like. All zero but struct_size, which is what netsys_resolver_config_init makes, means all
 * defaults.
 */
typedef struct netsys_resolver_config {
    /**
     * sizeof(netsys_resolver_config).
     */
    uint32_t struct_size;
    /**
     * The most look-ups at a time, each of which has a thread while it goes on; 0: 4.
     */
    uint32_t max_threads;
    /**
     * The most names that wait for one of these threads; 0: 1024. More are refused with NETSYS_ERR_OUT_OF_MEMORY.
     */
    uint32_t max_queued;
    /**
     * The most names that are kept; 0: 1024.
     */
    uint32_t cache_capacity;
    /**
     * How long addresses are kept, in ms; 0: 60000.
     */
    uint32_t cache_lifetime_ms;
    /**
     * How long it is kept that a name could not be resolved, in ms; 0: 5000.
     */
    uint32_t failure_lifetime_ms;
    /**
     * NETSYS_RESOLVER_* together.
     */
    uint32_t flags;
    /**
     * 0.
     */
    uint32_t reserved;
} netsys_resolver_config;

/**
 * What looks up host names. 0 is never a valid id.
 */
typedef struct netsys_resolver {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_resolver;

/**
 * What became of a look-up. Valid for the callback.
 */
typedef struct netsys_resolution {
    /**
     * sizeof(netsys_resolution) of the library.
     */
    uint32_t struct_size;
    /**
     * NETSYS_OK, or what netsys_resolver_resolve would return.
     */
    netsys_status status;
    /**
     * errno of the operating system call that failed, or 0.
     */
    int32_t os_code;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The addresses: "192.0.2.1", "2001:db8::1", "fe80::1%2". NULL if count is 0.
     */
    const struct netsys_str *addresses;
    /**
     * How many: at least one if the status is NETSYS_OK, else 0.
     */
    size_t count;
    /**
     * What was wrong and what to do; empty if the status is NETSYS_OK.
     */
    struct netsys_str message;
} netsys_resolution;

/**
 * What a connection pool is like. All zero but struct_size means all defaults.
 */
typedef struct netsys_pool_config {
    /**
     * sizeof(netsys_pool_config).
     */
    uint32_t struct_size;
    /**
     * The most connections at a time, those that are being made or closed included; 0: 10.
     */
    uint32_t max_connections;
    /**
     * So many connections are made without being asked for, and kept while they are idle; at most max_connections.
     */
    uint32_t min_idle;
    /**
     * Idle connections beyond these are closed after this time, in ms; 0: 60000; NETSYS_INFINITE: never.
     */
    uint32_t idle_timeout_ms;
} netsys_pool_config;

/**
 * A pool of connections to one server. 0 is never a valid id.
 */
typedef struct netsys_pool {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_pool;

/**
 * Where a pool has its clients from, if it does not make them itself. The functions are called on any thread, never
 * under a lock of the library, and must return soon: none of them may wait for a connection.
 */
typedef struct netsys_pool_source {
    /**
     * sizeof(netsys_pool_source).
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Given to every function of this table.
     */
    void *userdata;
    /**
     * Starts a client, which the pool has to itself from then on, and stores it. Required. Clients that it starts on
     * the calling thread with the same host and TLS read certificates once, and resume each other's sessions. Returns
     * NETSYS_OK, or why there is none: the first who waits for a connection gets that status and, if it is the last
     * error of the thread, its text.
     */
    netsys_status (*open)(void *userdata, struct netsys_client *client);
    /**
     * A client that open started has stopped, and the pool has forgotten it: the time to destroy it.
     */
    void (*closed)(void *userdata, struct netsys_client client);
    /**
     * Nothing of this table is called any more, and userdata is no longer used. Runs exactly once, also when the start
     * fails, then on the calling thread before the start returns.
     */
    void (*release)(void *userdata);
} netsys_pool_source;

/**
 * The use of a pool's connection. 0 is never a valid id.
 */
typedef struct netsys_lease {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_lease;

/**
 * How a pool stands, and what it has done since it was started.
 */
typedef struct netsys_pool_info {
    /**
     * sizeof(netsys_pool_info); set it before the call.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The most connections there may be.
     */
    uint64_t max_connections;
    /**
     * Connections there are: leased, idle, or being closed.
     */
    uint64_t connections;
    /**
     * Of these, the leased ones.
     */
    uint64_t leased;
    /**
     * Of these, the idle ones.
     */
    uint64_t idle;
    /**
     * Connections that are being made.
     */
    uint64_t connecting;
    /**
     * Threads that wait in netsys_pool_acquire.
     */
    uint64_t waiting;
    /**
     * Leases given.
     */
    uint64_t acquired;
    /**
     * Waits that ended because the time was over.
     */
    uint64_t timed_out;
    /**
     * Connections made.
     */
    uint64_t connected;
    /**
     * Connections that could not be made.
     */
    uint64_t failed;
    /**
     * Connections that ended by themselves.
     */
    uint64_t broken;
    /**
     * Connections closed by netsys_lease_discard, or because something came while they were idle.
     */
    uint64_t discarded;
    /**
     * Connections closed because they were idle for too long.
     */
    uint64_t expired;
} netsys_pool_info;

/**
 * What a session manager is like. All zero but struct_size means all defaults.
 */
typedef struct netsys_session_manager_config {
    /**
     * sizeof(netsys_session_manager_config).
     */
    uint32_t struct_size;
    /**
     * The most sessions at a time; 0: 1000; NETSYS_UNLIMITED_U32.
     */
    uint32_t max_sessions;
    /**
     * A session that has sent and received nothing for this long, in ms, is stopped with NETSYS_ERR_SESSION_EXPIRED
     * and taken out; 0: 300000; NETSYS_INFINITE: never.
     */
    uint32_t idle_timeout_ms;
    /**
     * How often idle sessions are looked for, in ms; 0: 30000; NETSYS_INFINITE: only by
     * netsys_session_manager_clean_up.
     */
    uint32_t cleanup_interval_ms;
    /**
     * The part of max_sessions from which on there is back-pressure, up to 1; 0: 0.8.
     */
    double backpressure_threshold;
    /**
     * NETSYS_MANAGER_*.
     */
    uint32_t flags;
    /**
     * 0.
     */
    uint32_t reserved;
} netsys_session_manager_config;

/**
 * A session manager: a limited set of sessions. 0 is never a valid id.
 */
typedef struct netsys_session_manager {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_session_manager;

/**
 * A session in the care of a manager: one of the library's, or one of the caller's own kind, or both. The functions
 * are called on any thread, never under a lock of the library, and must not wait. Those that are NULL mean what the
 * library knows of its session; without one, last_activity and stop are required.
 */
typedef struct netsys_managed_session {
    /**
     * sizeof(netsys_managed_session).
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The library's session; id 0: none.
     */
    struct netsys_session session;
    /**
     * Given to every function of this table.
     */
    void *userdata;
    /**
     * When something was sent or received last: nanoseconds of CLOCK_MONOTONIC; 0: never.
     */
    uint64_t (*last_activity)(void *userdata);
    /**
     * Whether it has ended by itself. Asked when sessions are cleaned up or there is no room.
     */
    bool (*has_ended)(void *userdata);
    /**
     * Ends it. code: NETSYS_OK for an end in good order, else why; reason: the same in words.
     */
    void (*stop)(void *userdata, netsys_status code, struct netsys_str reason);
    /**
     * The manager does not know the session any more, and userdata is no longer used. Runs exactly once, but not if
     * netsys_session_manager_add fails.
     */
    void (*release)(void *userdata);
} netsys_managed_session;

/**
 * How a session manager stands, and what it has done.
 */
typedef struct netsys_session_manager_info {
    /**
     * sizeof(netsys_session_manager_info); set it before the call.
     */
    uint32_t struct_size;
    /**
     * 1 while there is back-pressure, else 0.
     */
    uint32_t backpressure;
    /**
     * Sessions there are.
     */
    uint64_t sessions;
    /**
     * Sessions there may be.
     */
    uint64_t max_sessions;
    /**
     * The part of these that is used; more than 1 when the limit was lowered.
     */
    double utilization;
    /**
     * Sessions that were taken in.
     */
    uint64_t accepted;
    /**
     * Sessions that were refused because there were too many.
     */
    uint64_t rejected;
    /**
     * Sessions that were stopped because they were idle for too long.
     */
    uint64_t cleaned_up;
    /**
     * Sessions that ended by themselves.
     */
    uint64_t ended;
} netsys_session_manager_info;

/**
 * How times are distributed, in nanoseconds. All zero where nothing was measured.
 */
typedef struct netsys_distribution {
    /**
     * How many were measured.
     */
    uint64_t count;
    /**
     * All together; at most UINT64_MAX (584 years), where it stays.
     */
    uint64_t sum_ns;
    /**
     * The shortest.
     */
    uint64_t min_ns;
    /**
     * The longest.
     */
    uint64_t max_ns;
    /**
     * Half of them took no longer, to within 1 %.
     */
    uint64_t p50_ns;
    /**
     * 95 of 100 took no longer, to within 1 %.
     */
    uint64_t p95_ns;
    /**
     * 99 of 100 took no longer, to within 1 %.
     */
    uint64_t p99_ns;
} netsys_distribution;

/**
 * What has happened since the figures began or were reset, and how things stand. Rates are those of the last 10 s, or
 * of the time since then if that is less.
 */
typedef struct netsys_metrics {
    /**
     * sizeof(netsys_metrics); set it before the call.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Connections that came to be.
     */
    uint64_t connections_total;
    /**
     * Connections that there are.
     */
    uint64_t connections_current;
    /**
     * Connections that could not be made, or were refused.
     */
    uint64_t connections_failed;
    /**
     * Connections that come to be in a second.
     */
    uint64_t connections_per_second;
    /**
     * Messages sent.
     */
    uint64_t messages_sent;
    /**
     * Messages received.
     */
    uint64_t messages_received;
    /**
     * Messages sent and received in a second.
     */
    uint64_t messages_per_second;
    /**
     * Bytes of messages sent.
     */
    uint64_t bytes_sent;
    /**
     * Bytes of messages received.
     */
    uint64_t bytes_received;
    /**
     * Bytes of messages sent and received in a second.
     */
    uint64_t bytes_per_second;
    /**
     * Failures to send.
     */
    uint64_t send_errors;
    /**
     * Failures to receive, and peers that broke the protocol.
     */
    uint64_t receive_errors;
    /**
     * What took too long.
     */
    uint64_t timeout_errors;
    /**
     * Failures to connect, those of TLS included, and connections that broke.
     */
    uint64_t connection_errors;
    /**
     * Other failures.
     */
    uint64_t other_errors;
    /**
     * What netsys_monitor_record_memory said last; until then memory_resident.
     */
    uint64_t memory_used;
    /**
     * The most of that.
     */
    uint64_t memory_peak;
    /**
     * Bytes of the process that are in memory, as the system says (VmRSS of /proc/self/status).
     */
    uint64_t memory_resident;
    /**
     * Bytes that the sessions of all contexts hold in buffers.
     */
    uint64_t memory_buffered;
    /**
     * When the figures began or were reset: CLOCK_MONOTONIC in nanoseconds.
     */
    uint64_t start_ns;
    /**
     * When they were gathered: CLOCK_MONOTONIC in nanoseconds.
     */
    uint64_t last_update_ns;
    /**
     * What netsys_monitor_record_latency was given.
     */
    struct netsys_distribution latency;
    /**
     * From a heartbeat to its answer, of framed sessions of bridges.
     */
    struct netsys_distribution round_trip;
    /**
     * How long the message callbacks of bridges ran, of one in 61.
     */
    struct netsys_distribution handler_time;
} netsys_metrics;

/**
 * What a bridge is like. All zero but struct_size means all defaults. What the configuration of one of its servers,
 * clients and pools leaves at its default is as it says here.
 */
typedef struct netsys_bridge_config {
    /**
     * sizeof(netsys_bridge_config).
     */
    uint32_t struct_size;
    /**
     * NETSYS_BRIDGE_* together.
     */
    uint32_t flags;
    /**
     * The most connections of a pool; 0: 10.
     */
    uint32_t max_connections_per_client;
    /**
     * How long connecting may take, in ms; 0: 30000.
     */
    uint32_t connection_timeout_ms;
    /**
     * How long a send waits under NETSYS_SEND_WAIT, in ms; 0: 5000.
     */
    uint32_t message_timeout_ms;
    /**
     * The first capacity of a session's buffers; 0: 8192.
     */
    uint32_t message_buffer_bytes;
    /**
     * How servers encrypt, with NETSYS_BRIDGE_ENCRYPT; NULL: nothing is said of it.
     */
    const struct netsys_tls_config *server_tls;
    /**
     * How clients encrypt, with NETSYS_BRIDGE_ENCRYPT; NULL: with the defaults, which trust the issuers that the system
     * does.
     */
    const struct netsys_tls_config *client_tls;
} netsys_bridge_config;

/**
 * What a bridge tells. The functions are called one at a time, in order, on threads of the library and on those that
 * call it, and never under a lock of the library. In them, as in all callbacks, nothing waits. While more than 1024 calls
 * are in line, threads of the library that bring more wait for them: slow functions slow all sessions of the bridge
 * down.
 */
typedef struct netsys_bridge_callbacks {
    /**
     * sizeof(netsys_bridge_callbacks).
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Given to every function of this table.
     */
    void *userdata;
    /**
     * A session of one of its servers or clients has begun (1) or ended (0). The endpoint is the peer,
     * "192.0.2.1:8080", and valid for the call.
     */
    void (*on_connection)(void *userdata, struct netsys_str endpoint, uint32_t connected);
    /**
     * Something failed in one of its servers or clients, or one could not be started. The error is valid for the call.
     */
    void (*on_error)(void *userdata, const struct netsys_error_info *error);
    /**
     * Nothing of this table is called any more, and userdata is no longer used. Runs exactly once, also when the bridge
     * cannot be made, then on the calling thread before netsys_bridge_create returns.
     */
    void (*release)(void *userdata);
} netsys_bridge_callbacks;

/**
 * Everything that can be configured, in one value. 0 is never a valid id.
 */
typedef struct netsys_config {
    /**
     * Opaque; compare and copy it, no more.
     */
    uint64_t id;
} netsys_config;

/**
 * Something that is wrong with a configuration. The strings are valid until the configuration is destroyed.
 */
typedef struct netsys_config_fault_info {
    /**
     * sizeof(netsys_config_fault_info); set it before the call.
     */
    uint32_t struct_size;
    /**
     * The line, from 1; 0 if the fault is in no line of a text.
     */
    uint32_t line;
    /**
     * The column, in characters from 1; 0 if the fault is in no line of a text.
     */
    uint32_t column;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The file as it was named; empty if there is none.
     */
    struct netsys_str file;
    /**
     * The key: "server.timeout"; empty if the fault is not that of one key.
     */
    struct netsys_str key;
    /**
     * What was found and what is expected.
     */
    struct netsys_str text;
    /**
     * All of it, as a line: "network.toml:12:8: server.port: found 70000, expected a whole number from 0 to 65535".
     */
    struct netsys_str report;
} netsys_config_fault_info;

/**
 * Success.
 */
#define NETSYS_OK 0

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a configuration of TLS that means all defaults; a server's certificate and key are still to be set. Giving it
 * to a server or client switches TLS on.
 *
 * @param config  filled in
 * @param size    sizeof(netsys_tls_config)
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_tls_config_init(struct netsys_tls_config *config, size_t size);

/**
 * What TLS came to on a session. It is known in every callback of the session, and for as long as there is its handle.
 *
 * @param session  the session
 * @param out      filled in; set its struct_size to sizeof(netsys_tls_info) first
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_NOT_FOUND (the session is not encrypted)
 */
netsys_status netsys_session_tls_info(struct netsys_session session, struct netsys_tls_info *out);

/**
 * What TLS came to on a session, and who the peer is, in words. A name of the peer is to be believed only if
 * peer_verified of netsys_tls_info is 1.
 *
 * @param session  the session
 * @param what     NETSYS_TLS_TEXT_*
 * @param buf      the text, NUL-terminated; may be NULL if cap is 0
 * @param cap      the size of buf
 * @param needed   the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_NOT_FOUND (the session is not encrypted)
 */
netsys_status netsys_session_tls_text(struct netsys_session session,
                                      uint32_t what,
                                      char *buf,
                                      size_t cap,
                                      size_t *needed);

/**
 * The certificate that the peer of a session showed, as DER.
 *
 * @param session  the session
 * @param buf      gets the bytes; may be NULL if cap is 0
 * @param cap      the size of buf
 * @param needed   how many bytes there are; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_NOT_FOUND (the session is not encrypted,
 *         or the peer showed no certificate)
 */
netsys_status netsys_session_peer_certificate(struct netsys_session session, uint8_t *buf, size_t cap, size_t *needed);

/**
 * The version of the library that runs, as NETSYS_VERSION_NUMBER gives that of this header.
 *
 * @return the number. Works in a forked child too.
 */
uint32_t netsys_version(void);

/**
 * The version of the library that runs: "2.0.0".
 *
 * @return a static string. Works in a forked child too.
 */
const char *netsys_version_string(void);

/**
 * Whether the library that runs serves programs that were made with a header of this version: the same major version,
 * and a minor version not later than the library's.
 *
 * @param header_version  NETSYS_VERSION_NUMBER
 * @return NETSYS_OK; NETSYS_ERR_UNSUPPORTED
 */
netsys_status netsys_check_version(uint32_t header_version);

/**
 * The name of a status: "NETSYS_ERR_TIMEOUT".
 *
 * @param status  any number
 * @return a static string; "NETSYS_ERR_UNKNOWN" for a number that is no status. Works in a forked child too.
 */
const char *netsys_status_name(netsys_status status);

/**
 * What a status means, in general words: "the operation timed out".
 *
 * @param status  any number
 * @return a static string. Works in a forked child too.
 */
const char *netsys_status_message(netsys_status status);

/**
 * The last failure of a function of this header on the calling thread. A success does not clear it, so look at it only
 * after a failure. A thread where nothing has failed has status NETSYS_OK and an empty message.
 *
 * Works in a forked child too, where it tells why everything else fails.
 *
 * @param out  filled in; set its struct_size to sizeof(netsys_error_info) first
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_last_error(struct netsys_error_info *out);

/**
 * Makes a configuration that means all defaults.
 *
 * @param config  filled in
 * @param size    sizeof(netsys_context_config)
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_context_config_init(struct netsys_context_config *config, size_t size);

/**
 * Creates a context. It has no threads until something is started in it.
 *
 * @param config  what it is like; NULL: all defaults. Copied; its userdata must live until its release runs
 * @param out     the context, yours until netsys_context_shutdown
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release
 *         of the configuration runs before this returns, unless it is the struct_size that is refused.
 */
netsys_status netsys_context_create(const struct netsys_context_config *config, struct netsys_context *out);

/**
 * The context of the whole process: made with all defaults at the first call, never shut down. Libraries in one
 * process share it without knowing of each other.
 *
 * @param out  the context, everybody's
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles)
 */
netsys_status netsys_context_default(struct netsys_context *out);

/**
 * [BLOCKING] Runs the callbacks that are due of the servers and clients with NETSYS_DISPATCH_MANUAL, after it has
 * waited for some. One thread at a time runs them; a second one that calls this waits for its turn.
 *
 * @param context     the context
 * @param timeout_ms  how long to wait for something to run; 0: not at all; NETSYS_INFINITE: for ever
 * @param out         how many turns of sessions, servers and clients were run, each of one callback or more; 0: nothing
 *                    was due in that time; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_CANCELLED (the context was shut down while this waited);
 *         NETSYS_ERR_WOULD_DEADLOCK (inside a callback); NETSYS_ERR_IO (at the first call: no descriptor)
 */
netsys_status netsys_context_poll(struct netsys_context context, uint32_t timeout_ms, size_t *out);

/**
 * A descriptor that is readable while netsys_context_poll has something to run: put it into poll, epoll or select, and
 * call netsys_context_poll with a timeout of 0 when it is readable. Do not read from it.
 *
 * @param context  the context
 * @param out      the descriptor, which is the context's: valid until netsys_context_shutdown, and not to be closed
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_IO (no descriptor)
 */
netsys_status netsys_context_poll_descriptor(struct netsys_context context, int32_t *out);

/**
 * Changes which lines of a context are logged, from now on.
 *
 * @param context  the context, which was created with an on_log or with log_to_stderr
 * @param filter   as log_filter of netsys_context_config; not empty
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (the filter cannot be understood; the one
 *         before holds); NETSYS_ERR_UNSUPPORTED (the context has no log)
 */
netsys_status netsys_context_set_log_filter(struct netsys_context context, struct netsys_str filter);

/**
 * Ends a context: stops all its servers, clients and adopted sessions, waits for them, joins all its threads, and runs
 * the release of its configuration. The handle is invalid from the beginning of the call. The handles of its servers
 * and clients stay valid until they are destroyed. Connections that have ended and whose peers still send, which are
 * read off for up to 5 s so that no reset destroys what was sent to them, are given up when drain_ms are over.
 *
 * On a library thread it cannot wait: it returns at once, and the rest follows on a thread made for it.
 *
 * @param context   the context; not the default one
 * @param drain_ms  how long each may take to deliver what is queued; 0: not at all; NETSYS_INFINITE: as configured
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_UNSUPPORTED (the default context); NETSYS_ERR_IO (on a
 *         library thread: no thread could be made for the rest, so the release never runs)
 */
netsys_status netsys_context_shutdown(struct netsys_context context, uint32_t drain_ms);

/**
 * Runs a job: the callbacks of one session, or of one server or client, that are due. Further ones of the same session
 * come with a further job, never before this one has ended. For the time of the call the thread counts as one of the
 * library's. The handle is invalid from the beginning of the call.
 *
 * @param job  what execute was given
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE (it has been run, or refused, before)
 */
netsys_status netsys_job_run(struct netsys_job job);

/**
 * Gives a job back that execute took and that will not be run after all: the library runs it on a thread of its own.
 * An executor that ends owes this, or netsys_job_run, to each job that it holds; else the server or client never
 * stops.
 *
 * @param job  what execute was given; invalid then
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE (it has been run, or refused, before)
 */
netsys_status netsys_job_refuse(struct netsys_job job);

/**
 * Makes a configuration that means all defaults.
 *
 * @param config  filled in
 * @param size    sizeof(netsys_server_config)
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_server_config_init(struct netsys_server_config *config, size_t size);

/**
 * Starts a server. It is bound and listens when this returns. Callbacks may run before this returns.
 *
 * @param context    where its thread belongs
 * @param config     what it is like; copied
 * @param callbacks  its events; copied. The userdata must live until release runs
 * @param out        the server, yours until netsys_server_destroy
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context or the bridge);
 *         NETSYS_ERR_CANCELLED (the context is being shut down, or the bridge destroyed); NETSYS_ERR_BIND_FAILED (the
 *         host or port: os_code of netsys_last_error says whether it is in use, forbidden, or not this machine's);
 *         NETSYS_ERR_NOT_FOUND, NETSYS_ERR_PERMISSION_DENIED (a file of TLS); NETSYS_ERR_IO (a file of TLS, or no
 *         thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release of the callbacks runs before
 *         this returns, unless it is the struct_size or reserved of the callbacks that is refused.
 */
netsys_status netsys_server_start(struct netsys_context context,
                                  const struct netsys_server_config *config,
                                  const struct netsys_callbacks *callbacks,
                                  struct netsys_server *out);

/**
 * Begins to stop a server: it accepts no more, no message is handled any more, and what its sessions have queued is
 * delivered, if their peers read, within the time to drain. Returns at once. A second stop can only shorten the time.
 *
 * @param server    the server
 * @param drain_ms  the time to drain; 0: none; NETSYS_INFINITE: as configured
 * @return NETSYS_OK, also if it has stopped already; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_server_stop(struct netsys_server server, uint32_t drain_ms);

/**
 * [BLOCKING] Waits until a server has stopped, and no callback of it, release included, runs any more. It does not
 * stop it.
 *
 * @param server      the server
 * @param timeout_ms  how long; 0: not at all; NETSYS_INFINITE: for ever
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
 */
netsys_status netsys_server_wait(struct netsys_server server, uint32_t timeout_ms);

/**
 * Stops a server as configured, waits for it as netsys_server_wait does, and makes the handle invalid. When it
 * returns, no callback runs any more.
 *
 * On a library thread it cannot wait: the stop begins, the handle is invalid at once, and the rest follows behind it;
 * release tells when.
 *
 * @param server  the server
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_server_destroy(struct netsys_server server);

/**
 * Where a server stands.
 *
 * @param server  the server
 * @param out     NETSYS_ENDPOINT_*
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_server_state(struct netsys_server server, uint32_t *out);

/**
 * The port that a server is bound to, also after it has stopped.
 *
 * @param server  the server
 * @param out     the port
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_server_port(struct netsys_server server, uint16_t *out);

/**
 * The IP address that a server is bound to, without the port.
 *
 * @param server  the server
 * @param buf     the address, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_server_address(struct netsys_server server, char *buf, size_t cap, size_t *needed);

/**
 * How many connections a server has, counted from accept to end.
 *
 * @param server  the server
 * @param out     the number
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_server_connection_count(struct netsys_server server, size_t *out);

/**
 * The sessions that a server has now. They may end at any time, which makes their handles invalid, and does no harm.
 *
 * @param server  the server
 * @param buf     gets as many handles as fit, in no particular order; may be NULL if cap is 0
 * @param cap     how many fit into buf
 * @param count   how many sessions there are; stored with NETSYS_ERR_BUFFER_TOO_SMALL too
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL (there are
 *         more than cap); NETSYS_ERR_OUT_OF_MEMORY (too many handles)
 */
netsys_status netsys_server_sessions(struct netsys_server server,
                                     struct netsys_session *buf,
                                     size_t cap,
                                     size_t *count);

/**
 * The session of a server with an id.
 *
 * @param server      the server
 * @param session_id  what netsys_session_id gave
 * @param out         the session
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_SESSION_NOT_FOUND;
 *         NETSYS_ERR_OUT_OF_MEMORY (too many handles)
 */
netsys_status netsys_server_find_session(struct netsys_server server,
                                         struct netsys_str session_id,
                                         struct netsys_session *out);

/**
 * Changes the limits of a server at once. Connections beyond a lower limit stay.
 *
 * @param server             the server
 * @param max_connections    the most connections; 0: as it is; NETSYS_UNLIMITED_U32
 * @param max_message_bytes  the largest message; 0: as it is; at most 4 GiB - 1, which larger values mean too
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_server_set_limits(struct netsys_server server,
                                       uint32_t max_connections,
                                       uint64_t max_message_bytes);

/**
 * Gives a server other certificates and settings of TLS while it serves. Connections that come from now on get them;
 * sessions that are there go on as they are. What cannot be used changes nothing.
 *
 * @param server  the server, which was started with TLS
 * @param tls     the settings; copied. NULL: those that it has, with its files read again
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_UNSUPPORTED (it was started without TLS);
 *         NETSYS_ERR_INVALID_ARGUMENT (what is given is malformed, does not belong together or is not enough);
 *         NETSYS_ERR_NOT_FOUND, NETSYS_ERR_PERMISSION_DENIED, NETSYS_ERR_IO (a file)
 */
netsys_status netsys_server_reload_tls(struct netsys_server server, const struct netsys_tls_config *tls);

/**
 * Sends a message to all sessions of a server. It waits for nobody: a session whose queue is full refuses the message
 * or, under NETSYS_SEND_WAIT, takes it up to its hard limit.
 *
 * @param server   the server
 * @param kind     NETSYS_MESSAGE_*
 * @param data     the bytes; copied once for all; may be NULL if len is 0
 * @param len      how many
 * @param queued   how many sessions took it; may be NULL
 * @param refused  how many did not; may be NULL
 * @return NETSYS_OK, also if all refused; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT;
 *         NETSYS_ERR_MESSAGE_TOO_LARGE
 */
netsys_status netsys_server_broadcast(struct netsys_server server,
                                      uint32_t kind,
                                      const void *data,
                                      size_t len,
                                      size_t *queued,
                                      size_t *refused);

/**
 * Sends a message to the sessions of a server that are in a group; as netsys_server_broadcast otherwise. A group that
 * nobody is in is an empty one.
 *
 * @param server   the server
 * @param group    the name of the group
 * @param kind     NETSYS_MESSAGE_*
 * @param data     the bytes; copied once for all; may be NULL if len is 0
 * @param len      how many
 * @param queued   how many sessions took it; may be NULL
 * @param refused  how many did not; may be NULL
 * @return NETSYS_OK, also if all refused; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT;
 *         NETSYS_ERR_MESSAGE_TOO_LARGE
 */
netsys_status netsys_server_broadcast_group(struct netsys_server server,
                                            struct netsys_str group,
                                            uint32_t kind,
                                            const void *data,
                                            size_t len,
                                            size_t *queued,
                                            size_t *refused);

/**
 * Closes all sessions of a server, as netsys_session_close does with NETSYS_OK. The server goes on.
 *
 * @param server  the server
 * @param reason  why, in words; framed peers are told; may be empty
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_server_disconnect_all(struct netsys_server server, struct netsys_str reason);

/**
 * The figures of a server: its own and those of all its sessions, ended ones included.
 *
 * @param server  the server
 * @param out     filled in; set its struct_size to sizeof(netsys_stats) first
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_server_stats(struct netsys_server server, struct netsys_stats *out);

/**
 * The figures of a server, which then starts its counters anew: each message is counted in exactly one such result.
 *
 * @param server  the server
 * @param out     filled in; set its struct_size to sizeof(netsys_stats) first. Where it is refused, nothing is reset
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_server_take_stats(struct netsys_server server, struct netsys_stats *out);

/**
 * Starts the counters of a server anew.
 *
 * @param server  the server
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_server_reset_stats(struct netsys_server server);

/**
 * Makes a configuration that means all defaults; host and port are still to be set.
 *
 * @param config  filled in
 * @param size    sizeof(netsys_client_config)
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_client_config_init(struct netsys_client_config *config, size_t size);

/**
 * Starts a client. It returns at once, and resolves the name and connects behind it: on_open tells when it is
 * connected; on_error and then on_stopped tell that it cannot be. Callbacks may run before this returns.
 *
 * A client with `reconnect` in its configuration goes on until it is stopped: on_open comes for each connection,
 * on_close when it is lost, on_error for an attempt that failed (ten times a second at most), on_stopped at the end.
 *
 * @param context    where its thread belongs
 * @param config     what it is like; copied
 * @param callbacks  its events; copied. The userdata must live until release runs
 * @param out        the client, yours until netsys_client_destroy
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context or the bridge);
 *         NETSYS_ERR_CANCELLED (the context is being shut down, or the bridge destroyed); NETSYS_ERR_NOT_FOUND (a file
 *         of TLS, or the issuers that the system trusts); NETSYS_ERR_PERMISSION_DENIED (a file of TLS); NETSYS_ERR_IO
 *         (a file of TLS, or no thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release of the
 *         callbacks runs before this returns, unless it is the struct_size or reserved of the callbacks that is
 *         refused.
 */
netsys_status netsys_client_start(struct netsys_context context,
                                  const struct netsys_client_config *config,
                                  const struct netsys_callbacks *callbacks,
                                  struct netsys_client *out);

/**
 * Begins to stop a client: no message is handled any more, and what is queued is delivered, if the peer reads, within
 * the time to drain. Returns at once. A second stop can only shorten the time.
 *
 * @param client    the client
 * @param drain_ms  the time to drain; 0: none; NETSYS_INFINITE: as configured
 * @return NETSYS_OK, also if it has stopped already; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_client_stop(struct netsys_client client, uint32_t drain_ms);

/**
 * [BLOCKING] Waits until a client has stopped, and no callback of it, release included, runs any more. It does not
 * stop it.
 *
 * @param client      the client
 * @param timeout_ms  how long; 0: not at all; NETSYS_INFINITE: for ever
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
 */
netsys_status netsys_client_wait(struct netsys_client client, uint32_t timeout_ms);

/**
 * Stops a client as configured, waits for it as netsys_client_wait does, and makes the handle invalid. When it
 * returns, no callback runs any more.
 *
 * On a library thread it cannot wait: the stop begins, the handle is invalid at once, and the rest follows behind it;
 * release tells when.
 *
 * @param client  the client
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_client_destroy(struct netsys_client client);

/**
 * Where a client stands.
 *
 * @param client  the client
 * @param out     NETSYS_ENDPOINT_*
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_client_state(struct netsys_client client, uint32_t *out);

/**
 * [BLOCKING] Waits until a client is connected: its on_open, if there is one, has run. A reconnecting client that is
 * not connected now is waited for until it is again, or has ended.
 *
 * A client whose connection was made and has ended by the time of the call, or of its answer, was connected:
 * netsys_client_is_connected tells whether it still is.
 *
 * @param client      the client
 * @param timeout_ms  how long; 0: not at all; NETSYS_INFINITE: for ever
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT (of this wait); NETSYS_ERR_WOULD_DEADLOCK (on a
 *         library thread); or why it did not become connected, as on_error was told: NETSYS_ERR_CONNECTION_REFUSED,
 *         NETSYS_ERR_CONNECTION_TIMEOUT, NETSYS_ERR_CONNECTION_FAILED (the name of the host included),
 *         NETSYS_ERR_CONNECTION_CLOSED (it was stopped, or the server ended the connection), NETSYS_ERR_SERVER_BUSY,
 *         NETSYS_ERR_PROTOCOL
 */
netsys_status netsys_client_wait_connected(struct netsys_client client, uint32_t timeout_ms);

/**
 * Whether a client has a connection that is open: on_open has run for it, and on_close has not begun.
 *
 * @param client  the client
 * @param out     true or false
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_client_is_connected(struct netsys_client client, bool *out);

/**
 * Sends a message on the client's connection, as netsys_session_send does on that of a session.
 *
 * A reconnecting client that is not connected keeps the message for its next connection. What waits for that is
 * bounded by send_queue_bytes, and the same NETSYS_SEND_* says what a send does that finds no room. Each connection
 * gets what waits before its on_open. Messages that one thread sends arrive in its order, over all connections; one
 * that was begun on a connection that was lost is counted in its on_close as undelivered, and never sent again.
 *
 * @param client  the client
 * @param kind    NETSYS_MESSAGE_*
 * @param data    the bytes; copied; may be NULL if len is 0
 * @param len     how many; NETSYS_MESSAGE_STREAM: at least 1
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (it is not
 *         connected and does not reconnect, or has been stopped, or has ended); NETSYS_ERR_MESSAGE_TOO_LARGE;
 *         NETSYS_ERR_WOULD_BLOCK, NETSYS_ERR_SEND_FAILED (there is no room: see NETSYS_SEND_*). It waits only under
 *         NETSYS_SEND_WAIT, and never on a library thread.
 */
netsys_status netsys_client_send(struct netsys_client client, uint32_t kind, const void *data, size_t len);

/**
 * Sends one message that is given in parts; as netsys_client_send otherwise.
 *
 * @param client  the client
 * @param kind    NETSYS_MESSAGE_*
 * @param parts   the bytes, part by part; copied; may be NULL if count is 0
 * @param count   how many parts
 * @return as netsys_client_send
 */
netsys_status netsys_client_sendv(struct netsys_client client,
                                  uint32_t kind,
                                  const struct netsys_bytes *parts,
                                  size_t count);

/**
 * The present session of a client. There is one from the moment TCP is connected until it has ended; a framed client
 * may send in it before on_open.
 *
 * @param client  the client
 * @param out     the session
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (there is
 *         none); NETSYS_ERR_OUT_OF_MEMORY (too many handles)
 */
netsys_status netsys_client_session(struct netsys_client client, struct netsys_session *out);

/**
 * The figures of a client.
 *
 * @param client  the client
 * @param out     filled in; set its struct_size to sizeof(netsys_stats) first
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_client_stats(struct netsys_client client, struct netsys_stats *out);

/**
 * The figures of a client, which then starts its counters anew: each message is counted in exactly one such result.
 *
 * @param client  the client
 * @param out     filled in; set its struct_size to sizeof(netsys_stats) first. Where it is refused, nothing is reset
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_client_take_stats(struct netsys_client client, struct netsys_stats *out);

/**
 * Starts the counters of a client anew.
 *
 * @param client  the client
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_client_reset_stats(struct netsys_client client);

/**
 * Sends a message. On NETSYS_OK it was accepted: it will be delivered, or be counted as undelivered in on_close.
 * Messages of one session arrive in the order in which they were accepted.
 *
 * A session of which it is not decided yet whether it is framed keeps the messages until it is. On a framed session
 * NETSYS_MESSAGE_STREAM travels as a binary message; on a raw one the bytes of every kind are written as they are.
 *
 * @param session  the session
 * @param kind     NETSYS_MESSAGE_*
 * @param data     the bytes; copied; may be NULL if len is 0
 * @param len      how many; NETSYS_MESSAGE_STREAM: at least 1
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED; NETSYS_ERR_MESSAGE_TOO_LARGE;
 *         NETSYS_ERR_WOULD_BLOCK, NETSYS_ERR_SEND_FAILED (the queue is full: see NETSYS_SEND_*). It waits only under
 *         NETSYS_SEND_WAIT, and never on a library thread.
 */
netsys_status netsys_session_send(struct netsys_session session, uint32_t kind, const void *data, size_t len);

/**
 * Sends one message that is given in parts; as netsys_session_send otherwise.
 *
 * @param session  the session
 * @param kind     NETSYS_MESSAGE_*
 * @param parts    the bytes, part by part; copied; may be NULL if count is 0
 * @param count    how many parts
 * @return as netsys_session_send
 */
netsys_status netsys_session_sendv(struct netsys_session session,
                                   uint32_t kind,
                                   const struct netsys_bytes *parts,
                                   size_t count);

/**
 * Chooses what a send on this session does when its queue is full, in place of what its server's or client's
 * configuration says. It holds at once, also for sends that wait.
 *
 * @param session  the session
 * @param policy   NETSYS_SEND_*
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_set_send_policy(struct netsys_session session, uint32_t policy);

/**
 * Closes a session: no message is handled and no send accepted any more, and what was accepted is delivered, if the
 * peer reads, within the configured time to drain. Returns at once; on_close tells when it is done. Only the first
 * close of a session counts.
 *
 * @param session  the session
 * @param code     NETSYS_OK for a close in good order, else why: the reason in on_close
 * @param reason   why, in words; a framed peer is told; may be empty
 * @return NETSYS_OK, also if it is closed already; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the
 *         handle); NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_close(struct netsys_session session, netsys_status code, struct netsys_str reason);

/**
 * Ends a session with a reset of the connection. What is queued is dropped and counted as undelivered. Returns at
 * once; on_close tells when it is done.
 *
 * @param session  the session
 * @return NETSYS_OK, also if it has ended already; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the
 *         handle)
 */
netsys_status netsys_session_abort(struct netsys_session session);

/**
 * Stops reading from the peer, or goes on. While it is paused no on_message comes, what was read already is kept, and
 * TCP slows the peer down. Called in a callback of the session it holds from the next message on.
 *
 * @param session  the session
 * @param paused   true: stop; false: go on
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
 */
netsys_status netsys_session_pause(struct netsys_session session, bool paused);

/**
 * The id of a session, unique in the process.
 *
 * @param session  the session
 * @param buf      the id, NUL-terminated; may be NULL if cap is 0
 * @param cap      the size of buf
 * @param needed   the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_session_id(struct netsys_session session, char *buf, size_t cap, size_t *needed);

/**
 * The id of the client of a session: of a client's session its own; of a server's, what a framed peer said, from
 * on_open on. Else empty.
 *
 * @param session  the session
 * @param buf      the id, NUL-terminated; may be NULL if cap is 0
 * @param cap      the size of buf
 * @param needed   the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_session_client_id(struct netsys_session session, char *buf, size_t cap, size_t *needed);

/**
 * The id of the server that a session belongs to: on a client what a framed server calls itself; empty while, or if
 * never, known.
 *
 * @param session  the session
 * @param buf      the id, NUL-terminated; may be NULL if cap is 0
 * @param cap      the size of buf
 * @param needed   the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_session_server_id(struct netsys_session session, char *buf, size_t cap, size_t *needed);

/**
 * The peer's IP address, without the port.
 *
 * @param session  the session
 * @param buf      the address, NUL-terminated; may be NULL if cap is 0
 * @param cap      the size of buf
 * @param needed   the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_CONNECTION_CLOSED (it never had a
 *         connection)
 */
netsys_status netsys_session_remote_address(struct netsys_session session, char *buf, size_t cap, size_t *needed);

/**
 * The peer's port.
 *
 * @param session  the session
 * @param out      the port
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (it never had a connection)
 */
netsys_status netsys_session_remote_port(struct netsys_session session, uint16_t *out);

/**
 * The own IP address of a session, without the port.
 *
 * @param session  the session
 * @param buf      the address, NUL-terminated; may be NULL if cap is 0
 * @param cap      the size of buf
 * @param needed   the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_CONNECTION_CLOSED (it never had a
 *         connection)
 */
netsys_status netsys_session_local_address(struct netsys_session session, char *buf, size_t cap, size_t *needed);

/**
 * The own port of a session.
 *
 * @param session  the session
 * @param out      the port
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (it never had a connection)
 */
netsys_status netsys_session_local_port(struct netsys_session session, uint16_t *out);

/**
 * Where a session stands.
 *
 * @param session  the session
 * @param out      NETSYS_STATE_*
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_state(struct netsys_session session, uint32_t *out);

/**
 * How a session speaks.
 *
 * @param session  the session
 * @param out      NETSYS_FRAMING_*; AUTO: it is not decided yet
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_framing(struct netsys_session session, uint32_t *out);

/**
 * The figures of a session.
 *
 * @param session  the session
 * @param out      filled in; set its struct_size to sizeof(netsys_stats) first
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_stats(struct netsys_session session, struct netsys_stats *out);

/**
 * The figures of a session, which then starts its counters anew: each message is counted in exactly one such result.
 *
 * @param session  the session
 * @param out      filled in; set its struct_size to sizeof(netsys_stats) first. Where it is refused, nothing is reset
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the
 *         handle); NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_take_stats(struct netsys_session session, struct netsys_stats *out);

/**
 * Starts the counters of a session anew. Those of its server or client go on.
 *
 * @param session  the session
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
 */
netsys_status netsys_session_reset_stats(struct netsys_session session);

/**
 * Keeps a string with a session, under a key. A session keeps at most 64 KiB, keys included.
 *
 * @param session  the session
 * @param key      1 to 255 bytes
 * @param value    any text; copied
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (it would be too much)
 */
netsys_status netsys_session_set_data(struct netsys_session session, struct netsys_str key, struct netsys_str value);

/**
 * The string that a session keeps under a key.
 *
 * @param session  the session
 * @param key      the key
 * @param buf      the string, NUL-terminated; may be NULL if cap is 0
 * @param cap      the size of buf
 * @param needed   the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_NOT_FOUND (no such key); NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_session_get_data(struct netsys_session session,
                                      struct netsys_str key,
                                      char *buf,
                                      size_t cap,
                                      size_t *needed);

/**
 * Forgets what a session keeps under a key.
 *
 * @param session  the session
 * @param key      the key
 * @return NETSYS_OK, also if there is nothing; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_remove_data(struct netsys_session session, struct netsys_str key);

/**
 * Forgets all that a session keeps under keys.
 *
 * @param session  the session
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
 */
netsys_status netsys_session_clear_data(struct netsys_session session);

/**
 * Puts a session into a group of its server, which exists while somebody is in it.
 *
 * @param session  the session
 * @param group    the name, 1 to 255 bytes
 * @return NETSYS_OK, also if it is in already; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (it is in 128 groups)
 */
netsys_status netsys_session_join_group(struct netsys_session session, struct netsys_str group);

/**
 * Takes a session out of a group.
 *
 * @param session  the session
 * @param group    the name
 * @return NETSYS_OK, also if it is not in; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_leave_group(struct netsys_session session, struct netsys_str group);

/**
 * Whether a session is in a group.
 *
 * @param session  the session
 * @param group    the name
 * @param out      true if it is
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_in_group(struct netsys_session session, struct netsys_str group, bool *out);

/**
 * Calls visit for each group that a session is in, on this thread, before this returns, and without a lock: visit may
 * call any function.
 *
 * @param session   the session
 * @param visit     gets the name of a group, valid for the call
 * @param userdata  given to visit
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_groups(struct netsys_session session,
                                    void (*visit)(void *userdata, struct netsys_str group),
                                    void *userdata);

/**
 * Stores a pointer with a session, one for each. on_message gets it in its netsys_message.
 *
 * The former pointer is released before this returns. If a callback of the session may be using it on another thread
 * at that moment, replace it in a callback of the session instead: they run one at a time.
 *
 * @param session   the session
 * @param userdata  the pointer; may be NULL
 * @param release   runs once, when the pointer is replaced (by the same one, too) or the session has ended, after
 *                  on_end; on whatever thread that happens. May be NULL. Does not run if this function fails
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
 */
netsys_status netsys_session_set_userdata(struct netsys_session session,
                                          void *userdata,
                                          void (*release)(void *userdata));

/**
 * The pointer that is stored with a session.
 *
 * @param session  the session
 * @param out      the pointer, or NULL if none is stored
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_userdata(struct netsys_session session, void **out);

/**
 * Keeps the handle of a session valid beyond its end, so that its data and figures can still be asked for. A handle is
 * valid until the session has ended and it was released as often as it was retained.
 *
 * @param session  the session
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
 */
netsys_status netsys_session_retain(struct netsys_session session);

/**
 * Takes back one netsys_session_retain, or the one that the session was born with. It does not close the session.
 *
 * @param session  the session
 * @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
 *         NETSYS_ERR_INVALID_ARGUMENT (it is not retained)
 */
netsys_status netsys_session_release(struct netsys_session session);

/**
 * Makes a session without a connection, for tests and for code that wants one in any case: its data and groups work,
 * its state is NETSYS_STATE_DISCONNECTED, sends fail with NETSYS_ERR_CONNECTION_CLOSED.
 *
 * @param session_id  its id
 * @param client_id   the id of its client
 * @param out         the session, retained once: yours until netsys_session_release
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles)
 */
netsys_status netsys_session_create(struct netsys_str session_id,
                                    struct netsys_str client_id,
                                    struct netsys_session *out);

/**
 * Makes a session of a TCP connection that was accepted by other means. It is like one of a server's, but paused until
 * netsys_session_pause(session, false), so that handlers can be prepared.
 *
 * @param context    where its thread belongs
 * @param fd         a connected TCP socket. On NETSYS_OK it is the library's, and closed or numbered anew; on failure
 *                   it is still yours
 * @param config     what the session is like, as for a server; tls is NULL or has NETSYS_TLS_OFF, since the socket is
 *                   taken as it is. What is about listening and accepting is ignored: host, port, backlog, io_threads,
 *                   max_connections, max_connections_per_address, accept_rate, accept_burst and exempt_addresses
 * @param callbacks  its events, as for a server: on_accept .. on_end, then on_stopped and release; copied
 * @param out        the session, retained once: yours until netsys_session_release
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context); NETSYS_ERR_UNSUPPORTED (the
 *         configuration names a bridge); NETSYS_ERR_CANCELLED (the context is being shut down); NETSYS_ERR_IO (no
 *         thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release of the callbacks runs before
 *         this returns, unless it is the struct_size or reserved of the callbacks that is refused.
 */
netsys_status netsys_session_adopt(struct netsys_context context,
                                   int fd,
                                   const struct netsys_server_config *config,
                                   const struct netsys_callbacks *callbacks,
                                   struct netsys_session *out);

/**
 * A TCP port that nothing is bound to on any IPv4 address. It lies outside the range that the system gives to outgoing
 * connections, so that none takes it before it is used. Successive calls give different ones. Works in a forked child
 * too, where it begins at another place.
 *
 * A server that can tell its port had better start on port 0, which no other program can take first.
 *
 * @param out  the port
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_IO (no socket); NETSYS_ERR_BIND_FAILED (all are taken)
 */
netsys_status netsys_free_port(uint16_t *out);

/**
 * The name that this host gives itself, which others need not know it by. Works in a forked child too.
 *
 * @param buf     the name, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_IO (the system failed)
 */
netsys_status netsys_host_name(char *buf, size_t cap, size_t *needed);

/**
 * Calls visit for each address of this host's interfaces, loopback ones included, in the system's order: on this
 * thread, before this returns, and without a lock. Works in a forked child too.
 *
 * @param visit     gets an address
 * @param userdata  given to visit
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_IO (the system failed)
 */
netsys_status netsys_local_addresses(void (*visit)(void *userdata, const struct netsys_local_address *address),
                                     void *userdata);

/**
 * Reads an IP address: "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0", "fe80::1%2". Names are not looked
 * up: netsys_resolver_resolve does that. Works in a forked child too.
 *
 * @param text  the address
 * @param out   filled in; set its struct_size to sizeof(netsys_address_info) first
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT (also for what is no address)
 */
netsys_status netsys_address_parse(struct netsys_str text, struct netsys_address_info *out);

/**
 * Writes an IP address in its shortest form (RFC 5952), without brackets. Works in a forked child too.
 *
 * @param address  the address
 * @param buf      the text, NUL-terminated; may be NULL if cap is 0
 * @param cap      the size of buf
 * @param needed   the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_address_format(const struct netsys_address_info *address, char *buf, size_t cap, size_t *needed);

/**
 * Reads a range of addresses: "10.0.0.0/8", "2001:db8::/32", or an address for the range of that one. Works in a
 * forked child too.
 *
 * @param text  the range
 * @param out   filled in; set its struct_size to sizeof(netsys_range_info) first
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT (also for what is no range, such as "10.1.2.3/8")
 */
netsys_status netsys_range_parse(struct netsys_str text, struct netsys_range_info *out);

/**
 * Writes a range of addresses: "10.0.0.0/8". Works in a forked child too.
 *
 * @param range   the range
 * @param buf     the text, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_range_format(const struct netsys_range_info *range, char *buf, size_t cap, size_t *needed);

/**
 * Whether an address is one of a range. None of the other IP version is; but ::ffff:10.0.0.1 is in 10.0.0.0/8. Works
 * in a forked child too.
 *
 * @param range    the range
 * @param address  the address; its zone does not matter
 * @param out      true if it is
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_range_contains(const struct netsys_range_info *range,
                                    const struct netsys_address_info *address,
                                    bool *out);

/**
 * Reads a host and a port: "example.org:80", "192.0.2.1:80", "[2001:db8::1]:80". Works in a forked child too.
 *
 * @param text    the endpoint
 * @param buf     the host without brackets, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length of the host without the NUL; may be NULL
 * @param port    the port
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT (also for what is no endpoint); NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_endpoint_parse(struct netsys_str text, char *buf, size_t cap, size_t *needed, uint16_t *port);

/**
 * Writes a host and a port, with brackets around an IPv6 address. Works in a forked child too.
 *
 * @param host    a name or an address, with or without brackets
 * @param port    the port
 * @param buf     the text, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT (also for what can be no host); NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_endpoint_format(struct netsys_str host, uint16_t port, char *buf, size_t cap, size_t *needed);

/**
 * Makes a configuration that means all defaults.
 *
 * @param config  filled in
 * @param size    sizeof(netsys_resolver_config)
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_resolver_config_init(struct netsys_resolver_config *config, size_t size);

/**
 * Makes a resolver: it looks host names up, several at a time, and keeps for a while what it learns. It has no thread
 * until something is looked up, and belongs to no context.
 *
 * @param config  what it is like; copied. NULL: all defaults
 * @param out     the resolver, yours until netsys_resolver_destroy
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles)
 */
netsys_status netsys_resolver_create(const struct netsys_resolver_config *config, struct netsys_resolver *out);

/**
 * Ends a resolver. Whoever still waits for it gets NETSYS_ERR_CANCELLED, and when this returns no callback of it runs
 * any more. It waits for callbacks, never for a look-up: one that hangs is left to end by itself, and nobody is told.
 *
 * On a library thread, and so in callbacks, it returns at once, and the callbacks that are still due follow.
 *
 * @param resolver  the resolver; its handle is invalid from now on
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_resolver_destroy(struct netsys_resolver resolver);

/**
 * [BLOCKING] Looks a host up and calls visit for each of its addresses: on this thread, before this returns, and
 * without a lock. An IP address is given to visit as it is, without looking it up. What was looked up a while ago is
 * not looked up again, and what is being looked up for somebody else is waited for together.
 *
 * @param resolver    the resolver
 * @param host        a name, or an IP address with or without brackets
 * @param family      NETSYS_FAMILY_*
 * @param timeout_ms  how long to wait; 0: not at all, for what is kept only; NETSYS_INFINITE: as long as the system
 *                    takes
 * @param visit       gets an address: "192.0.2.1", "2001:db8::1", "fe80::1%2"
 * @param userdata    given to visit
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also for what can be no name);
 *         NETSYS_ERR_TIMEOUT; NETSYS_ERR_CANCELLED (the resolver was destroyed); NETSYS_ERR_NOT_FOUND (no host has
 *         that name, or none of its addresses is of the family); NETSYS_ERR_CONNECTION_FAILED (no name server
 *         answered); NETSYS_ERR_OUT_OF_MEMORY (too many names wait); NETSYS_ERR_IO (no thread, or the system failed);
 *         NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
 */
netsys_status netsys_resolver_resolve(struct netsys_resolver resolver,
                                      struct netsys_str host,
                                      uint32_t family,
                                      uint32_t timeout_ms,
                                      void (*visit)(void *userdata, struct netsys_str address),
                                      void *userdata);

/**
 * Looks a host up as netsys_resolver_resolve does, and tells a callback of the outcome.
 *
 * on_resolved is called exactly once if this returns NETSYS_OK, and else not at all. It runs on a thread of the
 * resolver, which is a library thread, after this has returned or while it does; the callbacks of one resolver never
 * run two at a time. In it every function may be called, and the resolver be destroyed.
 *
 * @param resolver     the resolver
 * @param host         a name, or an IP address with or without brackets
 * @param family       NETSYS_FAMILY_*
 * @param timeout_ms   when to give up; NETSYS_INFINITE: when the system does
 * @param on_resolved  gets the outcome, valid for the call
 * @param userdata     given to on_resolved; must live until then
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also for what can be no name);
 *         NETSYS_ERR_CANCELLED (the resolver is being destroyed); NETSYS_ERR_OUT_OF_MEMORY (too many names wait);
 *         NETSYS_ERR_IO (no thread)
 */
netsys_status netsys_resolver_resolve_async(struct netsys_resolver resolver,
                                            struct netsys_str host,
                                            uint32_t family,
                                            uint32_t timeout_ms,
                                            void (*on_resolved)(void *userdata,
                                                                const struct netsys_resolution *resolution),
                                            void *userdata);

/**
 * Forgets what a resolver has looked up. What is being looked up now is still given to those who asked, and kept.
 *
 * @param resolver  the resolver
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_resolver_clear_cache(struct netsys_resolver resolver);

/**
 * How many names a resolver keeps, those included that could not be resolved.
 *
 * @param resolver  the resolver
 * @param out       how many
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_resolver_cached(struct netsys_resolver resolver, size_t *out);

/**
 * Makes a configuration that means all defaults.
 *
 * @param config  filled in
 * @param size    sizeof(netsys_pool_config)
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_pool_config_init(struct netsys_pool_config *config, size_t size);

/**
 * Starts a pool of connections to one server. Connections are made when they are needed, but for min_idle.
 *
 * The callbacks get the events of all its connections. Those of one connection never overlap, those of different ones
 * may. on_stopped does not come. The release comes once, when the pool was stopped and its last connection has ended:
 * on whatever thread that happens, inside the call that stops the pool or returns the last lease too.
 *
 * @param context    where its threads belong
 * @param config     what the pool is like; copied
 * @param client     what its clients are like; copied. The pool replaces broken connections itself: reconnect has no
 *                   effect. Not NETSYS_DISPATCH_MANUAL
 * @param callbacks  their events; copied. The userdata must live until release runs
 * @param out        the pool, yours until netsys_pool_destroy
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context or the bridge);
 *         NETSYS_ERR_CANCELLED (the context is being shut down, or the bridge destroyed); NETSYS_ERR_NOT_FOUND (a file
 *         of TLS, or the issuers that the system trusts); NETSYS_ERR_PERMISSION_DENIED (a file of TLS); NETSYS_ERR_IO
 *         (a file of TLS, or no thread); NETSYS_ERR_UNSUPPORTED (the bridge has pooling switched off);
 *         NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release of the callbacks runs before this
 *         returns, unless it is the struct_size or reserved of the callbacks that is refused.
 */
netsys_status netsys_pool_start(struct netsys_context context,
                                const struct netsys_pool_config *config,
                                const struct netsys_client_config *client,
                                const struct netsys_callbacks *callbacks,
                                struct netsys_pool *out);

/**
 * Starts a pool of connections that the caller makes.
 *
 * @param context  where its clock belongs
 * @param config   what the pool is like; copied
 * @param source   where it has its clients from; copied. The userdata must live until release runs
 * @param out      the pool, yours until netsys_pool_destroy
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context); NETSYS_ERR_CANCELLED (the
 *         context is being shut down); NETSYS_ERR_IO (no thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles). On
 *         failure the release of the source runs before this returns, unless it is its struct_size or reserved that is
 *         refused.
 */
netsys_status netsys_pool_start_with(struct netsys_context context,
                                     const struct netsys_pool_config *config,
                                     const struct netsys_pool_source *source,
                                     struct netsys_pool *out);

/**
 * [BLOCKING] Leases a connection: an idle one, or a new one, or the next that is returned. Who waits is served in
 * order. On a library thread it does not wait: it succeeds if one is idle.
 *
 * Nobody else uses the connection until the lease is released or discarded. It is connected, and nothing has come on
 * it since it was last returned; it may still break at any time, which the client's state tells.
 *
 * @param pool        the pool
 * @param timeout_ms  how long; 0: only an idle one; NETSYS_INFINITE: for ever
 * @param out         the lease, yours until netsys_lease_release or netsys_lease_discard
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_TIMEOUT;
 *         NETSYS_ERR_WOULD_DEADLOCK (on a library thread: none is idle); NETSYS_ERR_CANCELLED (the pool is stopped, or
 *         its bridge destroyed); NETSYS_ERR_OUT_OF_MEMORY (too many handles); or why the connection that was this
 *         caller's turn could not be made, as for netsys_client_wait_connected
 */
netsys_status netsys_pool_acquire(struct netsys_pool pool, uint32_t timeout_ms, struct netsys_lease *out);

/**
 * [BLOCKING] Makes as many connections as there may be, and waits for them.
 *
 * @param pool        the pool
 * @param timeout_ms  how long; NETSYS_INFINITE: for ever
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread);
 *         NETSYS_ERR_CANCELLED (the pool is stopped, or its bridge destroyed); or why the first that failed could not
 *         be made, as for netsys_client_wait_connected. Those that were made are kept.
 */
netsys_status netsys_pool_fill(struct netsys_pool pool, uint32_t timeout_ms);

/**
 * Closes the connections that were idle for too long, and those that are no longer fit for use. The pool does it by
 * itself from time to time.
 *
 * @param pool   the pool
 * @param count  how many; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_pool_close_idle(struct netsys_pool pool, size_t *count);

/**
 * How a pool stands, and what it has done.
 *
 * @param pool  the pool
 * @param out   filled in; set its struct_size to sizeof(netsys_pool_info) first
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_pool_stats(struct netsys_pool pool, struct netsys_pool_info *out);

/**
 * Begins to stop a pool: who waits gets NETSYS_ERR_CANCELLED, idle connections are closed, leased ones when they are
 * returned. Returns at once.
 *
 * @param pool      the pool
 * @param drain_ms  the time in which idle connections deliver what is queued; 0: none; NETSYS_INFINITE: as configured
 * @return NETSYS_OK, also if it has stopped already; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_pool_stop(struct netsys_pool pool, uint32_t drain_ms);

/**
 * [BLOCKING] Waits until a pool that was stopped has ended: all its connections have, the leased ones too. It does not
 * stop it.
 *
 * @param pool        the pool
 * @param timeout_ms  how long; 0: not at all; NETSYS_INFINITE: for ever
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
 */
netsys_status netsys_pool_wait(struct netsys_pool pool, uint32_t timeout_ms);

/**
 * Stops a pool as configured, waits until nothing is left of it but what is leased, and makes the handle invalid.
 * Leases stay valid, and their connections end when they are returned; the release tells when all is over.
 *
 * On a library thread it cannot wait: the stop begins, the handle is invalid at once, and the rest follows behind it.
 *
 * @param pool  the pool
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_pool_destroy(struct netsys_pool pool);

/**
 * The client of a lease. It belongs to the pool: do not destroy it.
 *
 * @param lease  the lease
 * @param out    the client
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_lease_client(struct netsys_lease lease, struct netsys_client *out);

/**
 * The session of a lease, in which messages are sent.
 *
 * @param lease  the lease
 * @param out    the session
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (it has
 *         ended since); NETSYS_ERR_OUT_OF_MEMORY (too many handles)
 */
netsys_status netsys_lease_session(struct netsys_lease lease, struct netsys_session *out);

/**
 * Returns a connection to its pool, for the next who needs one. If it has broken, it is replaced.
 *
 * A connection on which an answer is still outstanding is to be discarded instead: the next user would get it. What
 * comes while a connection is idle is told to the callbacks, and the connection is closed and not leased again.
 *
 * @param lease  the lease; invalid from now on
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_lease_release(struct netsys_lease lease);

/**
 * Returns a connection that nobody must get any more. The pool closes it: what was sent on it is delivered.
 *
 * @param lease  the lease; invalid from now on
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_lease_discard(struct netsys_lease lease);

/**
 * Makes a configuration that means all defaults.
 *
 * @param config  filled in
 * @param size    sizeof(netsys_session_manager_config)
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_manager_config_init(struct netsys_session_manager_config *config, size_t size);

/**
 * Creates a manager without sessions.
 *
 * @param context  whose clock looks for idle sessions, until the context is shut down
 * @param config   what it is like; copied
 * @param out      the manager, yours until netsys_session_manager_destroy
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context); NETSYS_ERR_CANCELLED (the
 *         context is being shut down); NETSYS_ERR_IO (no thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles)
 */
netsys_status netsys_session_manager_create(struct netsys_context context,
                                            const struct netsys_session_manager_config *config,
                                            struct netsys_session_manager *out);

/**
 * Makes the handle of a manager invalid. Its sessions go on; their release runs.
 *
 * @param manager  the manager
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_session_manager_destroy(struct netsys_session_manager manager);

/**
 * Takes a session in. It leaves when it has ended, when it is removed, when it was idle for too long, and with the
 * manager.
 *
 * @param manager  the manager
 * @param session  the session; copied
 * @param id       the id that it is known by, at most 255 bytes; empty: the id of the library's session, or if there
 *                 is none "session_" with a number
 * @param buf      the id that it is known by, NUL-terminated; may be NULL if cap is 0
 * @param cap      the size of buf: 0, or at least 256
 * @param needed   the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the
 *         session's handle); NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_SERVER_BUSY (there is no room);
 *         NETSYS_ERR_ALREADY_EXISTS (the id is in use); NETSYS_ERR_CONNECTION_CLOSED (the session has ended)
 */
netsys_status netsys_session_manager_add(struct netsys_session_manager manager,
                                         const struct netsys_managed_session *session,
                                         struct netsys_str id,
                                         char *buf,
                                         size_t cap,
                                         size_t *needed);

/**
 * Takes a session out. It goes on.
 *
 * @param manager  the manager
 * @param id       what it is known by
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_SESSION_NOT_FOUND
 */
netsys_status netsys_session_manager_remove(struct netsys_session_manager manager, struct netsys_str id);

/**
 * Calls visit with a session, on this thread, before this returns, and without a lock: visit may call any function.
 *
 * @param manager   the manager
 * @param id        what the session is known by
 * @param visit     gets the session and its id, valid for the call; its release does not run before it returns
 * @param userdata  given to visit
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_SESSION_NOT_FOUND
 */
netsys_status netsys_session_manager_get(struct netsys_session_manager manager,
                                         struct netsys_str id,
                                         void (*visit)(void *userdata,
                                                       const struct netsys_managed_session *session,
                                                       struct netsys_str id),
                                         void *userdata);

/**
 * Calls visit with each session, in the order in which they came, as netsys_session_manager_get does.
 *
 * @param manager   the manager
 * @param visit     gets a session and its id, valid for the call
 * @param userdata  given to visit
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_manager_each(struct netsys_session_manager manager,
                                          void (*visit)(void *userdata,
                                                        const struct netsys_managed_session *session,
                                                        struct netsys_str id),
                                          void *userdata);

/**
 * Takes all sessions out and stops them.
 *
 * @param manager  the manager
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_session_manager_stop_all(struct netsys_session_manager manager);

/**
 * Stops the sessions that have been idle for too long, and takes them out; those that have ended are taken out too. It
 * happens by itself at the interval of the configuration.
 *
 * @param manager  the manager
 * @param count    how many were stopped; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_session_manager_clean_up(struct netsys_session_manager manager, size_t *count);

/**
 * Changes how many sessions there may be. Those beyond a lower limit stay.
 *
 * @param manager       the manager
 * @param max_sessions  how many; 0: no more at all; NETSYS_UNLIMITED_U32
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_session_manager_set_max(struct netsys_session_manager manager, uint32_t max_sessions);

/**
 * How a manager stands, and what it has done.
 *
 * @param manager  the manager
 * @param out      filled in; set its struct_size to sizeof(netsys_session_manager_info) first
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_session_manager_stats(struct netsys_session_manager manager,
                                           struct netsys_session_manager_info *out);

/**
 * Tells the process's performance monitor of a connection. It knows of those of bridges by itself.
 *
 * Like all recording, it takes no lock and some 10 ns, and may be done on any thread.
 *
 * @param success  1: it came to be; 0: it could not be made
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_monitor_record_connection(uint32_t success);

/**
 * Tells the performance monitor that a connection has ended.
 *
 * @return NETSYS_OK
 */
netsys_status netsys_monitor_record_disconnection(void);

/**
 * Tells the performance monitor that a message was sent.
 *
 * @param bytes  its size
 * @return NETSYS_OK
 */
netsys_status netsys_monitor_record_message_sent(size_t bytes);

/**
 * Tells the performance monitor that a message was received.
 *
 * @param bytes  its size
 * @return NETSYS_OK
 */
netsys_status netsys_monitor_record_message_received(size_t bytes);

/**
 * Tells the performance monitor how long something took that the application waited for, such as an answer.
 *
 * @param latency_ns  in nanoseconds; more than three days count as three days
 * @return NETSYS_OK
 */
netsys_status netsys_monitor_record_latency(uint64_t latency_ns);

/**
 * Tells the performance monitor of a failure.
 *
 * @param kind  "send", "receive", "timeout" or "connection", or a longer name with one of these in it, such as
 *              "connection_refused"; of several, a time-out comes first. Anything else counts as other.
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_monitor_record_error(struct netsys_str kind);

/**
 * Tells the performance monitor how much memory the application uses, in its own words. Until the next reset that is
 * what the figures say, instead of what the system has measured.
 *
 * @param bytes  how much
 * @return NETSYS_OK
 */
netsys_status netsys_monitor_record_memory(uint64_t bytes);

/**
 * Has the performance monitor gather what bridges have counted, and look at the memory. It does so by itself whenever
 * its figures are asked for; between two such times the peak of the memory may pass unseen.
 *
 * @return NETSYS_OK
 */
netsys_status netsys_monitor_update(void);

/**
 * The figures of the process: what was recorded, and what bridges with monitoring have counted and measured.
 *
 * @param out  filled in; set its struct_size to sizeof(netsys_metrics) first
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_monitor_metrics(struct netsys_metrics *out);

/**
 * Begins the figures of the process anew. The connections that there are stay.
 *
 * @return NETSYS_OK
 */
netsys_status netsys_monitor_reset(void);

/**
 * The figures of the process as text. From one call to the next they may grow longer: ask again with more room.
 *
 * @param format  NETSYS_REPORT_*
 * @param buf     the text, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_monitor_report(uint32_t format, char *buf, size_t cap, size_t *needed);

/**
 * Makes a configuration that means all defaults.
 *
 * @param config  filled in
 * @param size    sizeof(netsys_bridge_config)
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_bridge_config_init(struct netsys_bridge_config *config, size_t size);

/**
 * Makes a bridge. Servers, clients and pools belong to it that are started with a configuration which names it.
 *
 * @param id         its name, for logs and reports, at most 255 bytes; may be empty
 * @param config     what it is like; copied
 * @param callbacks  its events; copied; may be NULL. The userdata must live until release runs
 * @param out        the bridge, yours until netsys_bridge_destroy
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release
 *         of the callbacks runs before this returns, unless it is their struct_size or reserved that is refused.
 */
netsys_status netsys_bridge_create(struct netsys_str id,
                                   const struct netsys_bridge_config *config,
                                   const struct netsys_bridge_callbacks *callbacks,
                                   struct netsys_bridge *out);

/**
 * Changes what a bridge is like, for servers, clients and pools that are started from now on.
 *
 * What netsys_bridge_get_config gave is not enough for a bridge with NETSYS_BRIDGE_ENCRYPT: server_tls and client_tls are
 * NULL in it, and a NULL client_tls means that clients trust all issuers that the system does. Set them again.
 *
 * @param bridge  the bridge
 * @param config  all of it; copied
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT, and then nothing is changed
 */
netsys_status netsys_bridge_set_config(struct netsys_bridge bridge,
                                       const struct netsys_bridge_config *config);

/**
 * What a bridge is like.
 *
 * @param bridge  the bridge
 * @param out     filled in; set its struct_size to sizeof(netsys_bridge_config) first. How it encrypts is not given
 *                back: server_tls and client_tls become NULL, and have to be set before netsys_bridge_set_config gets it
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_bridge_get_config(struct netsys_bridge bridge,
                                       struct netsys_bridge_config *out);

/**
 * What the servers and clients of a bridge have done, those that have ended included.
 *
 * @param bridge  the bridge
 * @param out     filled in; set its struct_size to sizeof(netsys_metrics) first. Its latency is empty: that is for the
 *                application to measure; the memory is that of the process
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_bridge_metrics(struct netsys_bridge bridge, struct netsys_metrics *out);

/**
 * Begins the figures of a bridge anew. The connections that there are stay, and so do the figures of its servers and
 * clients and of the process.
 *
 * @param bridge  the bridge
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_bridge_reset_metrics(struct netsys_bridge bridge);

/**
 * The figures of a bridge as text. From one call to the next they may grow longer: ask again with more room.
 *
 * @param bridge  the bridge
 * @param format  NETSYS_REPORT_*
 * @param buf     the text, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_bridge_report(struct netsys_bridge bridge, uint32_t format, char *buf, size_t cap, size_t *needed);

/**
 * How a bridge stands, for people: its servers and clients, its figures, its settings. From one call to the next it
 * may grow longer: ask again with more room.
 *
 * @param bridge  the bridge
 * @param buf     the text, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_bridge_status_report(struct netsys_bridge bridge, char *buf, size_t cap, size_t *needed);

/**
 * Tells a bridge of a failure of the application's own, such as a message that it cannot read: it is counted, and
 * on_error gets it, unless more than 1024 events wait to be told. Only ten a second are told, but for
 * NETSYS_ERR_HANDLER_FAILED: peers may bring about the others as often as they like.
 *
 * @param bridge   the bridge
 * @param status   NETSYS_ERR_*
 * @param message  what failed, in words; copied. Beyond 231 bytes on_error gets the beginning
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_bridge_report_error(struct netsys_bridge bridge, netsys_status status, struct netsys_str message);

/**
 * Has a bridge log each connection, each end of one and each error as information (level 3) instead of for debugging
 * only (level 4). What is reported on the program's own threads goes to the log of the context in which the bridge has
 * last started something.
 *
 * @param bridge   the bridge
 * @param enabled  1 or 0
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_bridge_set_debug_logging(struct netsys_bridge bridge, uint32_t enabled);

/**
 * Begins to stop the servers and clients of a bridge. Returns at once. Others may be started in it afterwards. One whose
 * start has not returned yet may not be stopped.
 *
 * @param bridge    the bridge
 * @param drain_ms  the time to drain; 0: none; NETSYS_INFINITE: as each is configured
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_bridge_stop(struct netsys_bridge bridge,
                                 uint32_t drain_ms);

/**
 * [BLOCKING] Waits until no server and client of a bridge runs, and all events have been told. It does not stop them.
 *
 * @param bridge      the bridge
 * @param timeout_ms  how long; NETSYS_INFINITE: for ever
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
 */
netsys_status netsys_bridge_wait(struct netsys_bridge bridge, uint32_t timeout_ms);

/**
 * Stops what a bridge has as configured, waits for that and for the release of its callbacks, and makes the
 * handle invalid. The handles of its servers and clients stay yours, to be destroyed as ever.
 *
 * On a library thread it cannot wait: the stop begins, the handle is invalid at once, and the rest follows behind it.
 *
 * @param bridge  the bridge
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_bridge_destroy(struct netsys_bridge bridge);

/**
 * Makes a configuration of everything: of the context, a server, a client, and of the application's thread pool, log
 * and figures. Its defaults are those of the C++ classes: a server listens on port 8080, its sessions end after 30 s
 * of silence, and sends wait for room. The keys, their ranges and defaults: examples-c/network.toml.
 *
 * @param preset  NETSYS_PRESET_*
 * @param out     the configuration, yours until netsys_config_destroy
 * @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles)
 */
netsys_status netsys_config_create(uint32_t preset, struct netsys_config *out);

/**
 * Ends a configuration. The strings it has given out are not valid any more.
 *
 * @param config  the configuration
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
 */
netsys_status netsys_config_destroy(struct netsys_config config);

/**
 * Changes what a file says and leaves the rest. If there is any fault in the file, nothing is changed, and the faults,
 * all of them, can be asked for. Waits for the file system only.
 *
 * @param config  the configuration
 * @param path    the file, in the bytes that the system knows it by: JSON if its name ends with .json, or if it begins
 *                with a brace and its name does not end with .toml; else TOML. At most 1 MiB
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (faults); NETSYS_ERR_NOT_FOUND,
 *         NETSYS_ERR_PERMISSION_DENIED or NETSYS_ERR_IO (the file cannot be read, which is a fault, too)
 */
netsys_status netsys_config_load_file(struct netsys_config config, struct netsys_str path);

/**
 * Changes what a text says and leaves the rest, as netsys_config_load_file does.
 *
 * @param config  the configuration
 * @param text    the text
 * @param format  NETSYS_FORMAT_*
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (faults, or another argument)
 */
netsys_status netsys_config_load_string(struct netsys_config config, struct netsys_str text, uint32_t format);

/**
 * Looks for faults in the configuration as it is. After netsys_config_set_* some keys may not go with others; what was
 * loaded is always right.
 *
 * @param config  the configuration
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (faults)
 */
netsys_status netsys_config_validate(struct netsys_config config);

/**
 * Writes every key with its value, as a text that netsys_config_load_string makes the same configuration of.
 *
 * @param config  the configuration
 * @param format  NETSYS_FORMAT_*
 * @param buf     the text, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (faults, or another argument);
 *         NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_config_to_string(struct netsys_config config,
                                      uint32_t format,
                                      char *buf,
                                      size_t cap,
                                      size_t *needed);

/**
 * The value of a key as a number: times in milliseconds, with NETSYS_INFINITE for "off", sizes in bytes, INT64_MAX for
 * "unlimited", 0 for "default", true and false as 1 and 0, and words as their number: NETSYS_FRAMING_*,
 * NETSYS_DISPATCH_*, NETSYS_SEND_*, NETSYS_COMPRESSION_*, NETSYS_CLIENT_CERTIFICATE_*, NETSYS_TLS_1_*; levels of the log
 * from 0, "trace", to 5, "fatal".
 *
 * @param config  the configuration
 * @param key     the key: "server.timeout"
 * @param out     the value
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also: the key is unknown, or its value is
 *         a string)
 */
netsys_status netsys_config_number(struct netsys_config config,
                                   struct netsys_str key,
                                   int64_t *out);

/**
 * The value of a key as it is written in a file, but without quotes: "30s", "64 KiB", "framed", "true".
 *
 * @param config  the configuration
 * @param key     the key: "server.timeout"
 * @param buf     the value, NUL-terminated; may be NULL if cap is 0
 * @param cap     the size of buf
 * @param needed  the length without the NUL; may be NULL
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also: the key is unknown);
 *         NETSYS_ERR_BUFFER_TOO_SMALL
 */
netsys_status netsys_config_text(struct netsys_config config,
                                 struct netsys_str key,
                                 char *buf,
                                 size_t cap,
                                 size_t *needed);

/**
 * Sets a key to a number, as netsys_config_number gives it. On failure nothing is changed.
 *
 * @param config  the configuration
 * @param key     the key: "server.timeout"
 * @param value   the value
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also: the key is unknown or takes no such
 *         value, which is a fault that can be asked for)
 */
netsys_status netsys_config_set_number(struct netsys_config config, struct netsys_str key, int64_t value);

/**
 * Sets a key to what a text says, as one would on a command line: "30s", "64 KiB", "8080", "framed", "true". On
 * failure nothing is changed.
 *
 * @param config  the configuration
 * @param key     the key: "server.timeout"
 * @param value   the value, without quotes
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also: the key is unknown or takes no such
 *         value, which is a fault that can be asked for)
 */
netsys_status netsys_config_set_text(struct netsys_config config, struct netsys_str key, struct netsys_str value);

/**
 * How many faults the last call that failed on this configuration has found.
 *
 * @param config  the configuration
 * @param out     the number
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_config_fault_count(struct netsys_config config, size_t *out);

/**
 * One of the faults that the last call that failed on this configuration has found.
 *
 * @param config  the configuration
 * @param index   which, from 0, in the order of the text
 * @param out     filled in; set its struct_size to sizeof(netsys_config_fault_info) first
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_NOT_FOUND (there are less)
 */
netsys_status netsys_config_fault(struct netsys_config config, size_t index, struct netsys_config_fault_info *out);

/**
 * The configuration of a server, for netsys_server_start.
 *
 * @param config  the configuration
 * @param out     filled in; set its struct_size to sizeof(netsys_server_config) first. Its strings, and what tls
 *                points to, are valid until the configuration is destroyed
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_config_server(struct netsys_config config, struct netsys_server_config *out);

/**
 * The configuration of a client, for netsys_client_start, which refuses it while it names no host and port.
 *
 * @param config  the configuration
 * @param out     filled in; set its struct_size to sizeof(netsys_client_config) first. Its strings, and what tls
 *                points to, are valid until the configuration is destroyed
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_config_client(struct netsys_config config, struct netsys_client_config *out);

/**
 * The configuration of a bridge, for netsys_bridge_create.
 *
 * @param config  the configuration
 * @param out     filled in; set its struct_size to sizeof(netsys_bridge_config) first. With encryption, what it points to
 *                is what server.tls and client.tls say, and valid until the configuration is destroyed
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_config_bridge(struct netsys_config config,
                                   struct netsys_bridge_config *out);

/**
 * The configuration of a context, for netsys_context_create, with the log_level that logger.min_level says, and
 * without callbacks.
 *
 * @param config  the configuration
 * @param out     filled in; set its struct_size to sizeof(netsys_context_config) first. Its strings are valid until
 *                the configuration is destroyed
 * @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
 */
netsys_status netsys_config_context(struct netsys_config config, struct netsys_context_config *out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* NETWORK_SYSTEM_H */
