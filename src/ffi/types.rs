//! The C types that several nouns share: handles, views, constants, and what events carry.

use std::ffi::{c_char, c_void};

use super::status::netsys_status;

/// A context: what owns the library's threads. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_context {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// A server. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_server {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// A client. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_client {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// A session: one connection, of a server or of a client. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_session {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// Callbacks that are due, for an executor to run. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_job {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// What looks up host names. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_resolver {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// Everything that can be configured, in one value. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_config {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// Bytes that somebody else owns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_bytes {
    /// The first byte; may be NULL if len is 0.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
}

/// Text that somebody else owns: UTF-8, not NUL-terminated.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_str {
    /// The first byte; may be NULL if len is 0.
    pub data: *const c_char,
    /// How many bytes.
    pub len: usize,
}

/// Framing: a server goes by a peer's first bytes. A client goes by its own first send: framed for
/// NETSYS_MESSAGE_TEXT and _BINARY, raw for _STREAM; if it receives before it sends, it is raw.
pub const NETSYS_FRAMING_AUTO: u32 = 0;
/// Framing: the library's own protocol, whole messages.
pub const NETSYS_FRAMING_FRAMED: u32 = 1;
/// Framing: the bytes as they are.
pub const NETSYS_FRAMING_RAW: u32 = 2;

/// Kind of message: text. The library does not check that it is UTF-8.
pub const NETSYS_MESSAGE_TEXT: u32 = 1;
/// Kind of message: binary.
pub const NETSYS_MESSAGE_BINARY: u32 = 2;
/// Kind of message: bytes of the stream of a raw session, cut where the network cut them. Sent on a framed session,
/// they travel as one binary message. Never empty.
pub const NETSYS_MESSAGE_STREAM: u32 = 3;

/// Send policy: the default, NETSYS_SEND_WOULD_BLOCK.
pub const NETSYS_SEND_DEFAULT: u32 = 0;
/// Send policy: a send to a full queue fails with NETSYS_ERR_WOULD_BLOCK; one on_writable follows when there is room.
pub const NETSYS_SEND_WOULD_BLOCK: u32 = 1;
/// Send policy: a send to a full queue waits for room, at most send_timeout_ms, then fails with
/// NETSYS_ERR_SEND_FAILED. On a library thread, where waiting would stop the loop that makes room, it queues up to
/// send_hard_limit_bytes, and past that the session ends.
pub const NETSYS_SEND_WAIT: u32 = 2;

/// Send policy: a send to a full queue succeeds, and its message is dropped and counted.
pub const NETSYS_SEND_DROP_NEWEST: u32 = 3;
/// Send policy: a send to a full queue drops the oldest messages of which no byte was written, counts them, and
/// succeeds. A message larger than the whole queue takes the place of all that wait.
pub const NETSYS_SEND_DROP_OLDEST: u32 = 4;
/// Send policy: a send to a full queue fails with NETSYS_ERR_SEND_FAILED and ends the session, which is the reason in
/// on_close.
pub const NETSYS_SEND_DISCONNECT: u32 = 5;
/// Dispatch: callbacks run on the thread that reads from the network, one at a time for a server or client.
pub const NETSYS_DISPATCH_INLINE: u32 = 0;
/// Dispatch: callbacks run on the context's pool of threads, one at a time for a session, several sessions at a time.
/// Those that concern no session (on_error of a server, on_stopped, release) may run beside others, but for the last
/// two, which come after all.
pub const NETSYS_DISPATCH_POOL: u32 = 1;
/// Dispatch: callbacks run in netsys_context_poll, one at a time. What waits for a server or client with
/// this dispatch (wait, destroy, netsys_context_shutdown) runs them too, while no other thread does.
pub const NETSYS_DISPATCH_MANUAL: u32 = 2;
/// Dispatch: callbacks run where the executor of the configuration runs them; otherwise as with NETSYS_DISPATCH_POOL.
pub const NETSYS_DISPATCH_EXECUTOR: u32 = 3;

/// Compression: off. Nobody's compressed messages are taken either.
pub const NETSYS_COMPRESSION_OFF: u32 = 0;
/// Compression: LZ4, or zstd if the peer has only that.
pub const NETSYS_COMPRESSION_AUTO: u32 = 1;
/// Compression: LZ4, which takes the least time.
pub const NETSYS_COMPRESSION_LZ4: u32 = 2;
/// Compression: zstd, which leaves the fewest bytes.
pub const NETSYS_COMPRESSION_ZSTD: u32 = 3;

/// State of a session: being connected.
pub const NETSYS_STATE_CONNECTING: u32 = 0;
/// State of a session: connected.
pub const NETSYS_STATE_CONNECTED: u32 = 1;
/// State of a session: being closed; what was accepted for sending is still being sent.
pub const NETSYS_STATE_DISCONNECTING: u32 = 2;
/// State of a session: closed in good order, or never connected.
pub const NETSYS_STATE_DISCONNECTED: u32 = 3;
/// State of a session: ended by a failure.
pub const NETSYS_STATE_ERROR: u32 = 4;

/// State of a server or client: at work.
pub const NETSYS_ENDPOINT_RUNNING: u32 = 1;
/// State of a server or client: a stop has begun.
pub const NETSYS_ENDPOINT_STOPPING: u32 = 2;
/// State of a server or client: over, and no callback runs.
pub const NETSYS_ENDPOINT_STOPPED: u32 = 3;

/// Flag of a configuration: do not switch TCP keep-alive on.
pub const NETSYS_FLAG_NO_KEEP_ALIVE: u32 = 1;
/// Flag of a configuration: do not switch TCP_NODELAY on.
pub const NETSYS_FLAG_NO_NODELAY: u32 = 2;

/// No limit, in the fields and parameters of 32 bits that say so.
pub const NETSYS_UNLIMITED_U32: u32 = u32::MAX;
/// No limit, in the fields and parameters of 64 bits that say so.
pub const NETSYS_UNLIMITED_U64: u64 = u64::MAX;
/// A time in milliseconds: for ever; as a drain time: as configured.
pub const NETSYS_INFINITE: u32 = u32::MAX;

/// What failed. Made by the library for on_error, and filled in by netsys_last_error.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_error_info {
    /// sizeof(netsys_error_info).
    pub struct_size: u32,
    /// The code, NETSYS_ERR_*.
    pub status: netsys_status,
    /// errno of the operating system call that failed, or 0.
    pub os_code: i32,
    /// 0.
    pub reserved: u32,
    /// What was wrong, what was expected and what to do: UTF-8, NUL-terminated, cut to fit.
    pub message: [c_char; 232],
}

/// A message that arrived. Valid for the callback.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_message {
    /// sizeof(netsys_message) of the library.
    pub struct_size: u32,
    /// NETSYS_MESSAGE_*.
    pub kind: u32,
    /// Its bytes.
    pub data: *const u8,
    /// How many.
    pub len: usize,
    /// What netsys_session_set_userdata stored for the session, or NULL.
    pub session_userdata: *mut c_void,
}

/// Why and how a session ended. Valid for the callback.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_close_info {
    /// sizeof(netsys_close_info) of the library.
    pub struct_size: u32,
    /// NETSYS_OK if it ended in good order, else why it ended.
    pub reason: netsys_status,
    /// errno of the failure, or 0.
    pub os_code: i32,
    /// 1 if the peer ended it, else 0.
    pub by_peer: u32,
    /// Messages that sends on this session accepted.
    pub accepted: u64,
    /// Of these, the ones that did not reach the peer's handler, or are not known to have reached it, and will not be
    /// sent again.
    pub undelivered: u64,
    /// Messages that were read from the peer and not handed to on_message.
    pub discarded: u64,
    /// 1 if undelivered is exact, because the peer confirmed the rest. 0 if it is an upper bound (framed), or what was
    /// not handed to the kernel (raw).
    pub exact: u32,
    /// 0.
    pub reserved: u32,
    /// Why, in words: "stopped" after a stop of the own server or client, the peer's reason if it gave one.
    pub text: netsys_str,
    /// Of the undelivered ones, those that were dropped while the session went on: since the queue was full, under
    /// NETSYS_SEND_DROP_NEWEST and _DROP_OLDEST, or since a peer said in its hello that it takes none so large.
    pub dropped: u64,
    /// Of the accepted messages, the ones that a reconnecting client sends on its next connection, since nothing of
    /// them was written: accepted = delivered + undelivered + requeued. There they count as accepted again.
    pub requeued: u64,
}

/// The figures of a session, server or client. Sent means handed to the kernel whole; bytes are payload, except for the
/// wire's. All counters are since the start or the last reset.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_stats {
    /// sizeof(netsys_stats); set it before the call.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Connections accepted (server) or made (client); of a session: 1.
    pub connections_total: u64,
    /// Connections there are now.
    pub connections_current: u64,
    /// Connections refused because of a limit.
    pub connections_rejected: u64,
    /// Messages sent; of raw sessions, the sends.
    pub messages_sent: u64,
    /// Messages received; of raw sessions, the reads.
    pub messages_received: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Bytes sent with all headers, greetings and heartbeats.
    pub wire_bytes_sent: u64,
    /// Bytes received with all headers, greetings and heartbeats.
    pub wire_bytes_received: u64,
    /// Failures.
    pub errors: u64,
    /// Bytes accepted by sends and not handed to the kernel yet.
    pub queued_bytes: u64,
    /// When the server or client was started or the session was connected: nanoseconds of CLOCK_MONOTONIC.
    pub start_ns: u64,
    /// When something was sent or received last: nanoseconds of CLOCK_MONOTONIC; 0: never.
    pub last_activity_ns: u64,
    /// When a message was received last: nanoseconds of CLOCK_MONOTONIC; 0: never.
    pub last_message_ns: u64,
    /// Messages that sends accepted and that were dropped, as in netsys_close_info.
    pub messages_dropped: u64,
    /// Of a client: attempts to connect that failed. Of a server: handshakes of TLS that failed.
    pub connections_failed: u64,
    /// How long the last heartbeat's answer took, in nanoseconds; of a server, the longest of its sessions' last ones.
    /// 0: there was none yet. A framed session that has received nothing for heartbeat_ms sends one, and one of a bridge
    /// that measures (see NETSYS_BRIDGE_NO_MONITORING) each time that heartbeat_ms have gone by.
    pub round_trip_ns: u64,
    /// Of a client: connections that came to be open after the first one.
    pub reconnects: u64,
    /// Of a reconnecting client that has ended: messages that it had accepted and not sent, or that may not have
    /// arrived on a connection that did not come to be open. They are in no on_close.
    pub messages_unsent: u64,
    /// Of the messages sent, those that travelled compressed,
    pub compressed_messages_sent: u64,
    /// the bytes that they had before,
    pub compressed_bytes_sent: u64,
    /// and the bytes that they took on the wire, with their headers. The quotient of the two is the ratio.
    pub compressed_wire_bytes_sent: u64,
    /// Of the messages received, those that came compressed,
    pub compressed_messages_received: u64,
    /// the bytes that they have,
    pub compressed_bytes_received: u64,
    /// and the bytes that they took on the wire, with their headers.
    pub compressed_wire_bytes_received: u64,
}

/// The events of a server or client. Members that are NULL are skipped.
///
/// All of them run on the loop thread of their server or client, never two at a time for the same one; where the
/// configuration has another dispatch or several io_threads, never two at a time for the same session. Never from
/// inside a call of yours, and never under a lock of the library. Every function of this header may be called in them,
/// except that the ones tagged [BLOCKING] refuse with NETSYS_ERR_WOULD_DEADLOCK. While one runs inline, its server or
/// client does nothing else. Each gets the userdata of this table; what else they get is valid until they return.
///
/// The order for a session: on_accept (servers only), on_open, on_message any number of times, on_close, on_end
/// (servers only). There is exactly one on_close for each on_open and exactly one on_end for each on_accept.
///
/// A callback must return: neither an exception nor longjmp may leave it. An exception of another language that does
/// ends the process.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_callbacks {
    /// sizeof(netsys_callbacks).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Given to every callback of this table.
    pub userdata: *mut c_void,
    /// Server: a connection was accepted; who the peer is, is not known yet. With TLS, its handshake is done, and the
    /// peer's certificate known.
    pub on_accept: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, session: netsys_session)>,
    /// Server: it is known who the peer is. Client: it is connected. Sends made here are the first that the peer gets.
    pub on_open: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, session: netsys_session)>,
    /// A message arrived. None comes any more once a close or stop has begun.
    pub on_message: Option<
        unsafe extern "C-unwind" fn(userdata: *mut c_void, session: netsys_session, message: *const netsys_message),
    >,
    /// There is room again, after a send failed with NETSYS_ERR_WOULD_BLOCK or went beyond a full queue: once for each
    /// time the queue was full.
    pub on_writable: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, session: netsys_session)>,
    /// The state of the session changed; the states are NETSYS_STATE_*.
    pub on_state: Option<
        unsafe extern "C-unwind" fn(userdata: *mut c_void, session: netsys_session, old_state: u32, new_state: u32),
    >,
    /// The session, which was open, ended. A reconnecting client goes on with another one.
    pub on_close: Option<
        unsafe extern "C-unwind" fn(userdata: *mut c_void, session: netsys_session, why: *const netsys_close_info),
    >,
    /// Server: the connection that was accepted ended, whether it had been open or not. Unless it is retained, the
    /// handle of the session is invalid once this has returned.
    pub on_end: Option<
        unsafe extern "C-unwind" fn(userdata: *mut c_void, session: netsys_session, why: *const netsys_close_info),
    >,
    /// Something failed: an accept, a connect, the network under a session (before its on_close), the peer's protocol,
    /// a send that waited too long, messages that a reconnecting client gave up when it ended; or a connection was
    /// refused that was over a limit (NETSYS_ERR_SERVER_BUSY) or did not agree on TLS (NETSYS_ERR_TLS_*,
    /// NETSYS_ERR_CERTIFICATE_*). The session's id is 0 if no session is concerned. What
    /// peers provoke by breaking the protocol, or by connecting beyond a limit, comes ten times a second at most, and
    /// so do failed attempts of a reconnecting client; statistics count all of it.
    pub on_error: Option<
        unsafe extern "C-unwind" fn(userdata: *mut c_void, session: netsys_session, error: *const netsys_error_info),
    >,
    /// The server or client has stopped; a client that does not reconnect also because its connection failed or ended.
    /// The last event.
    pub on_stopped: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
    /// Nothing of this table is called any more, and userdata is no longer used. Runs exactly once, also when the start
    /// fails, then on the calling thread before the start returns.
    pub release: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
}
