//! Settings that every session has, of a server or of a client.

use std::num::NonZeroU32;
use std::time::Duration;

use super::LONGEST;
use crate::error::{Error, Result};
use crate::runtime::Dispatch;
use crate::transport::compression::{Algorithm, Algorithms};

/// How bytes on the wire become messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// A server learns it from a peer's first bytes; a client from its own first send.
    #[default]
    Auto,
    /// The library's own protocol: whole messages.
    Framed,
    /// The bytes as they are.
    Raw,
}

/// What a send does when the session's outgoing queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SendPolicy {
    /// Fail with [`Code::WouldBlock`](crate::error::Code::WouldBlock); one writable event follows.
    #[default]
    WouldBlock,
    /// Wait for room, at most [`SessionConfig::send_timeout`]. On a library thread, where waiting would stop the loop
    /// that makes room, queue up to [`SessionConfig::send_hard_limit`], and past that end the session.
    Wait,
    /// Drop the message that is sent. The send succeeds; the loss is counted.
    DropNewest,
    /// Drop the oldest messages of which no byte was written, until there is room. The send succeeds, the losses are
    /// counted. The message is taken whatever its size, so that the queue holds at most one message more than its
    /// bound.
    DropOldest,
    /// End the session.
    Disconnect,
}

/// How messages are compressed, on framed sessions whose peer does the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all, and nobody's compressed messages are taken.
    #[default]
    Off,
    /// By LZ4, or by zstd if the peer has only that.
    Auto,
    /// By LZ4, which takes the least time.
    Lz4,
    /// By zstd, which leaves the fewest bytes.
    Zstd,
}

impl Compression {
    /// The algorithms that a peer is told of.
    pub(crate) fn offered(self) -> Algorithms {
        match self {
            Compression::Off => Algorithms::NONE,
            Compression::Auto => Algorithms::ALL,
            Compression::Lz4 => Algorithm::Lz4.into(),
            Compression::Zstd => Algorithm::Zstd.into(),
        }
    }
}

/// The highest level of zstd; those above it take memory that no message is worth.
pub(crate) const MAX_COMPRESSION_LEVEL: u8 = 19;

/// Settings that every session of a server or client has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// How bytes become messages.
    pub framing: Framing,
    /// Where handlers run.
    pub dispatch: Dispatch,
    /// How many bytes of messages may wait for their handler where that runs elsewhere than on the loop. Then reading
    /// stops, and TCP slows the peer down.
    pub receive_queue: usize,
    /// What a full outgoing queue means.
    pub send_policy: SendPolicy,
    /// The largest message that is sent or received, in bytes.
    pub max_message: u32,
    /// The bound of the outgoing queue, in bytes on the wire. An empty queue takes any message.
    pub send_queue: usize,
    /// Its bound in messages; `None`: only bytes count.
    pub send_queue_messages: Option<NonZeroU32>,
    /// The bound of the outgoing queue for sends on library threads under [`SendPolicy::Wait`].
    pub send_hard_limit: usize,
    /// How long a send waits under [`SendPolicy::Wait`].
    pub send_timeout: Duration,
    /// A session that received nothing for this long ends; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// A framed session that received nothing for this long is pinged; three times this without an answer ends it.
    pub heartbeat: Option<Duration>,
    /// How long a frame may take to come whole once it has begun to, in addition to a second for each 240 of its bytes.
    /// `None`: for ever.
    pub frame_timeout: Option<Duration>,
    /// With keep-alive on: a session ends whose peer's host has not acknowledged for this long what was sent to it,
    /// however often. A peer that lives and does not read is not ended by this. `None`: the system's own patience, some
    /// 15 minutes.
    pub unresponsive_timeout: Option<Duration>,
    /// How long a peer may take to say who it is once it has begun to. With TLS: how long any peer may take from its
    /// connection on, for the handshake and, if framed, to say who it is together.
    pub handshake_timeout: Duration,
    /// How long a graceful close may take.
    pub drain: Duration,
    /// TCP keep-alive.
    pub keep_alive: bool,
    /// TCP_NODELAY.
    pub nodelay: bool,
    /// Whether and how messages are compressed where the peer agrees.
    pub compression: Compression,
    /// Shorter messages are not compressed, and no message that would become no shorter by it.
    pub compression_threshold: usize,
    /// How hard zstd tries, 1 to 19. LZ4 has no levels.
    pub compression_level: u8,
    /// The first capacity of the buffer for a frame that has arrived in part.
    pub receive_buffer: usize,
    /// The first capacity of an outgoing buffer that gathers messages; a lone message takes what it needs.
    pub send_buffer: usize,
    /// SO_RCVBUF; `None`: the system's choice.
    pub kernel_receive: Option<usize>,
    /// SO_SNDBUF; `None`: the system's choice.
    pub kernel_send: Option<usize>,
    /// Whether each message that is sent or received is a line of the log, at level info, without what is in it.
    pub log_messages: bool,
}

impl Default for SessionConfig {
    fn default() -> Self {
        SessionConfig {
            framing: Framing::Auto,
            dispatch: Dispatch::Inline,
            receive_queue: 256 * 1024,
            send_policy: SendPolicy::WouldBlock,
            max_message: 1024 * 1024,
            send_queue: 1024 * 1024,
            send_queue_messages: None,
            send_hard_limit: 64 * 1024 * 1024,
            send_timeout: Duration::from_secs(5),
            idle_timeout: None,
            heartbeat: Some(Duration::from_secs(10)),
            frame_timeout: Some(Duration::from_secs(10)),
            unresponsive_timeout: Some(Duration::from_secs(30)),
            handshake_timeout: Duration::from_secs(5),
            drain: Duration::from_secs(5),
            keep_alive: true,
            nodelay: true,
            compression: Compression::Off,
            compression_threshold: 256,
            compression_level: 1,
            receive_buffer: 8192,
            send_buffer: 8192,
            kernel_receive: None,
            kernel_send: None,
            log_messages: false,
        }
    }
}

impl SessionConfig {
    /// How often a silent framed peer is asked for a sign of life.
    pub(crate) fn heartbeat_interval(&self) -> Option<Duration> {
        self.heartbeat.filter(|_| self.keep_alive)
    }

    /// How long a peer's host may leave unacknowledged what was sent.
    pub(crate) fn unresponsive_limit(&self) -> Option<Duration> {
        self.unresponsive_timeout.filter(|_| self.keep_alive)
    }

    pub(super) fn validate(&mut self) -> Result<()> {
        for duration in [&mut self.send_timeout, &mut self.handshake_timeout, &mut self.drain] {
            *duration = (*duration).min(LONGEST);
        }
        if !(1..=MAX_COMPRESSION_LEVEL).contains(&self.compression_level) {
            let level = self.compression_level;
            let text = format!("compression_level is {level}: give it 1 to {MAX_COMPRESSION_LEVEL}");
            return Err(Error::invalid(text));
        }
        self.check_compression()?;
        self.check_send_limits()
    }

    pub(crate) fn check_compression(&self) -> Result<()> {
        if self.compression != Compression::Off && self.framing == Framing::Raw {
            return Err(Error::invalid(
                "compression is on and framing is raw, where bytes travel as they are: use framing framed or auto, or \
                 switch compression off",
            ));
        }
        Ok(())
    }

    pub(crate) fn check_send_limits(&self) -> Result<()> {
        if self.send_hard_limit < self.send_queue {
            return Err(Error::invalid(format!(
                "send_hard_limit is {} bytes, less than send_queue with {}: give it at least the same",
                self.send_hard_limit, self.send_queue
            )));
        }
        Ok(())
    }
}
