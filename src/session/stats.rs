//! What a session counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of a session, or the sums of a server's or client's sessions.
///
/// Sent is what was handed to the kernel whole, received what was decoded. Bytes are payload; the hello, heartbeats
/// and the close are in the wire bytes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The names say it.
pub struct Stats {
    pub connections_total: u64,
    pub connections_current: u64,
    pub connections_rejected: u64,
    pub messages_sent: u64,
    pub messages_received: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub wire_bytes_sent: u64,
    pub wire_bytes_received: u64,
    pub errors: u64,
    /// Bytes accepted by sends and not yet handed to the kernel.
    pub queued_bytes: u64,
    /// CLOCK_MONOTONIC in nanoseconds.
    pub start_ns: u64,
    /// When something was sent or received last: CLOCK_MONOTONIC in nanoseconds; 0: not yet.
    pub last_activity_ns: u64,
    /// CLOCK_MONOTONIC in nanoseconds; 0: none yet.
    pub last_message_ns: u64,
    /// Messages that sends accepted and that were dropped: since the queue was full, or since the peer takes none so
    /// large.
    pub messages_dropped: u64,
    /// Of a client: attempts to connect that failed. Of a server: handshakes of TLS that failed.
    pub connections_failed: u64,
    /// How long the last heartbeat's answer took, in nanoseconds; 0: there was none yet. Of several sessions the
    /// longest.
    pub round_trip_ns: u64,
    /// Of a client: connections that came to be open after the first one.
    pub reconnects: u64,
    /// Of a reconnecting client: messages that it had accepted and not sent when it ended, or that may not have arrived
    /// on a connection that did not come to be open.
    pub messages_unsent: u64,
    /// Of the messages sent, those that travelled compressed,
    pub compressed_messages_sent: u64,
    /// the bytes that they had before,
    pub compressed_bytes_sent: u64,
    /// and those that they took on the wire, with their headers.
    pub compressed_wire_bytes_sent: u64,
    pub compressed_messages_received: u64,
    pub compressed_bytes_received: u64,
    pub compressed_wire_bytes_received: u64,
}

impl Stats {
    /// Adds another's counts; of the times the later one holds.
    pub(crate) fn add(&mut self, other: &Stats) {
        self.messages_sent += other.messages_sent;
        self.messages_received += other.messages_received;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.wire_bytes_sent += other.wire_bytes_sent;
        self.wire_bytes_received += other.wire_bytes_received;
        self.errors += other.errors;
        self.messages_dropped += other.messages_dropped;
        self.compressed_messages_sent += other.compressed_messages_sent;
        self.compressed_bytes_sent += other.compressed_bytes_sent;
        self.compressed_wire_bytes_sent += other.compressed_wire_bytes_sent;
        self.compressed_messages_received += other.compressed_messages_received;
        self.compressed_bytes_received += other.compressed_bytes_received;
        self.compressed_wire_bytes_received += other.compressed_wire_bytes_received;
        self.queued_bytes += other.queued_bytes;
        self.last_activity_ns = self.last_activity_ns.max(other.last_activity_ns);
        self.round_trip_ns = self.round_trip_ns.max(other.round_trip_ns);
        self.last_message_ns = self.last_message_ns.max(other.last_message_ns);
    }

    /// Takes off what had been counted at the last reset.
    pub(crate) fn since(&self, reset: &Stats) -> Stats {
        Stats {
            connections_total: self.connections_total - reset.connections_total,
            connections_rejected: self.connections_rejected - reset.connections_rejected,
            connections_failed: self.connections_failed - reset.connections_failed,
            messages_sent: self.messages_sent - reset.messages_sent,
            messages_received: self.messages_received - reset.messages_received,
            bytes_sent: self.bytes_sent - reset.bytes_sent,
            bytes_received: self.bytes_received - reset.bytes_received,
            wire_bytes_sent: self.wire_bytes_sent - reset.wire_bytes_sent,
            wire_bytes_received: self.wire_bytes_received - reset.wire_bytes_received,
            errors: self.errors - reset.errors,
            messages_dropped: self.messages_dropped - reset.messages_dropped,
            reconnects: self.reconnects - reset.reconnects,
            messages_unsent: self.messages_unsent - reset.messages_unsent,
            compressed_messages_sent: self.compressed_messages_sent - reset.compressed_messages_sent,
            compressed_bytes_sent: self.compressed_bytes_sent - reset.compressed_bytes_sent,
            compressed_wire_bytes_sent: self.compressed_wire_bytes_sent - reset.compressed_wire_bytes_sent,
            compressed_messages_received: self.compressed_messages_received - reset.compressed_messages_received,
            compressed_bytes_received: self.compressed_bytes_received - reset.compressed_bytes_received,
            compressed_wire_bytes_received: self.compressed_wire_bytes_received - reset.compressed_wire_bytes_received,
            ..*self
        }
    }
}

/// A counter with one writer, the session's loop, and any number of readers.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.set(self.get() + more);
    }

    /// Adds where there are several writers. All of this counter's must add so.
    pub(crate) fn add_shared(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the driver of a session counts.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub messages: Count,
    pub payload: Count,
    pub wire: Count,
    pub errors: Count,
    /// Messages that came compressed,
    pub compressed_messages: Count,
    /// the bytes that they have,
    pub compressed_payload: Count,
    /// and those that they took on the wire.
    pub compressed_wire: Count,
    /// When something came last.
    pub last_ns: Count,
    pub last_message_ns: Count,
}
