//! Figures: those of a bridge, and the process's performance monitor.

use std::ffi::c_char;
use std::time::Duration;

use super::args::{self, Extensible};
use super::guard;
use super::status::netsys_status;
use super::types::netsys_str;
use crate::error::{Error, Result};
use crate::metrics::Counter::*;
use crate::metrics::{Distribution, ErrorKind, Memory, Metrics, PerSecond, monitor, report};

/// A report as JSON, one object. docs/metrics.schema.json describes it.
pub const NETSYS_REPORT_JSON: u32 = 1;
/// A report for people.
pub const NETSYS_REPORT_TEXT: u32 = 2;
/// A report in the text format of Prometheus, version 0.0.4: what a scrape of /metrics gets, with the content type
/// "text/plain; version=0.0.4".
pub const NETSYS_REPORT_PROMETHEUS: u32 = 3;

/// How times are distributed, in nanoseconds. All zero where nothing was measured.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_distribution {
    /// How many were measured.
    pub count: u64,
    /// All together; at most UINT64_MAX (584 years), where it stays.
    pub sum_ns: u64,
    /// The shortest.
    pub min_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// Half of them took no longer, to within 1 %.
    pub p50_ns: u64,
    /// 95 of 100 took no longer, to within 1 %.
    pub p95_ns: u64,
    /// 99 of 100 took no longer, to within 1 %.
    pub p99_ns: u64,
}

/// What has happened since the figures began or were reset, and how things stand. Rates are those of the last 10 s, or
/// of the time since then if that is less.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_metrics {
    /// sizeof(netsys_metrics); set it before the call.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Connections that came to be.
    pub connections_total: u64,
    /// Connections that there are.
    pub connections_current: u64,
    /// Connections that could not be made, or were refused.
    pub connections_failed: u64,
    /// Connections that come to be in a second.
    pub connections_per_second: u64,
    /// Messages sent.
    pub messages_sent: u64,
    /// Messages received.
    pub messages_received: u64,
    /// Messages sent and received in a second.
    pub messages_per_second: u64,
    /// Bytes of messages sent.
    pub bytes_sent: u64,
    /// Bytes of messages received.
    pub bytes_received: u64,
    /// Bytes of messages sent and received in a second.
    pub bytes_per_second: u64,
    /// Failures to send.
    pub send_errors: u64,
    /// Failures to receive, and peers that broke the protocol.
    pub receive_errors: u64,
    /// What took too long.
    pub timeout_errors: u64,
    /// Failures to connect, those of TLS included, and connections that broke.
    pub connection_errors: u64,
    /// Other failures.
    pub other_errors: u64,
    /// What netsys_monitor_record_memory said last; until then memory_resident.
    pub memory_used: u64,
    /// The most of that.
    pub memory_peak: u64,
    /// Bytes of the process that are in memory, as the system says (VmRSS of /proc/self/status).
    pub memory_resident: u64,
    /// Bytes that the sessions of all contexts hold in buffers.
    pub memory_buffered: u64,
    /// When the figures began or were reset: CLOCK_MONOTONIC in nanoseconds.
    pub start_ns: u64,
    /// When they were gathered: CLOCK_MONOTONIC in nanoseconds.
    pub last_update_ns: u64,
    /// What netsys_monitor_record_latency was given.
    pub latency: netsys_distribution,
    /// From a heartbeat to its answer, of framed sessions of bridges.
    pub round_trip: netsys_distribution,
    /// How long the message callbacks of bridges ran, of one in 61.
    pub handler_time: netsys_distribution,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers may be zero.
unsafe impl Extensible for netsys_metrics {}

impl From<Distribution> for netsys_distribution {
    fn from(times: Distribution) -> Self {
        let Distribution { count, sum_ns, min_ns, max_ns, p50_ns, p95_ns, p99_ns } = times;
        netsys_distribution { count, sum_ns, min_ns, max_ns, p50_ns, p95_ns, p99_ns }
    }
}

impl From<Metrics> for netsys_metrics {
    fn from(metrics: Metrics) -> Self {
        let Metrics {
            counts,
            connections_current,
            rates: PerSecond { connections, messages, bytes },
            latency,
            round_trip,
            handler_time,
            memory: Memory { used, peak, resident, buffered },
            start_ns,
            last_update_ns,
        } = metrics;
        netsys_metrics {
            struct_size: size_of::<netsys_metrics>() as u32,
            reserved: 0,
            connections_total: counts[Connections],
            connections_current,
            connections_failed: counts[ConnectionsFailed],
            connections_per_second: connections,
            messages_sent: counts[MessagesSent],
            messages_received: counts[MessagesReceived],
            messages_per_second: messages,
            bytes_sent: counts[BytesSent],
            bytes_received: counts[BytesReceived],
            bytes_per_second: bytes,
            send_errors: counts[SendErrors],
            receive_errors: counts[ReceiveErrors],
            timeout_errors: counts[TimeoutErrors],
            connection_errors: counts[ConnectionErrors],
            other_errors: counts[OtherErrors],
            memory_used: used,
            memory_peak: peak,
            memory_resident: resident,
            memory_buffered: buffered,
            start_ns,
            last_update_ns,
            latency: latency.into(),
            round_trip: round_trip.into(),
            handler_time: handler_time.into(),
        }
    }
}

/// The figures as text.
pub(super) fn report(metrics: &Metrics, format: u32) -> Result<String> {
    match format {
        NETSYS_REPORT_JSON => Ok(report::json(metrics)),
        NETSYS_REPORT_TEXT => Ok(report::text(metrics)),
        NETSYS_REPORT_PROMETHEUS => Ok(report::prometheus(metrics)),
        _ => {
            Err(Error::invalid(format!("format is {format}: use NETSYS_REPORT_JSON (1), _TEXT (2) or _PROMETHEUS (3)")))
        }
    }
}

/// Tells the process's performance monitor of a connection. It knows of those of bridges by itself.
///
/// Like all recording, it takes no lock and some 10 ns, and may be done on any thread.
///
/// @param success  1: it came to be; 0: it could not be made
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub extern "C" fn netsys_monitor_record_connection(success: u32) -> netsys_status {
    guard::call(|| {
        if success > 1 {
            return Err(Error::invalid(format!("success is {success}: use 1, or 0 for a failure")));
        }
        monitor().record_connection(success == 1);
        Ok(())
    })
}

/// Tells the performance monitor that a connection has ended.
///
/// @return NETSYS_OK
#[unsafe(no_mangle)]
pub extern "C" fn netsys_monitor_record_disconnection() -> netsys_status {
    guard::call(|| {
        monitor().record_disconnection();
        Ok(())
    })
}

/// Tells the performance monitor that a message was sent.
///
/// @param bytes  its size
/// @return NETSYS_OK
#[unsafe(no_mangle)]
pub extern "C" fn netsys_monitor_record_message_sent(bytes: usize) -> netsys_status {
    guard::call(|| {
        monitor().record_message_sent(bytes as u64);
        Ok(())
    })
}

/// Tells the performance monitor that a message was received.
///
/// @param bytes  its size
/// @return NETSYS_OK
#[unsafe(no_mangle)]
pub extern "C" fn netsys_monitor_record_message_received(bytes: usize) -> netsys_status {
    guard::call(|| {
        monitor().record_message_received(bytes as u64);
        Ok(())
    })
}

/// Tells the performance monitor how long something took that the application waited for, such as an answer.
///
/// @param latency_ns  in nanoseconds; more than three days count as three days
/// @return NETSYS_OK
#[unsafe(no_mangle)]
pub extern "C" fn netsys_monitor_record_latency(latency_ns: u64) -> netsys_status {
    guard::call(|| {
        monitor().record_latency(Duration::from_nanos(latency_ns));
        Ok(())
    })
}

/// Tells the performance monitor of a failure.
///
/// @param kind  "send", "receive", "timeout" or "connection", or a longer name with one of these in it, such as
///              "connection_refused"; of several, a time-out comes first. Anything else counts as other.
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_monitor_record_error(kind: netsys_str) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives a view that is valid.
        let kind = unsafe { args::text(kind, "kind") }?;
        monitor().record_error(ErrorKind::of_name(kind));
        Ok(())
    })
}

/// Tells the performance monitor how much memory the application uses, in its own words. Until the next reset that is
/// what the figures say, instead of what the system has measured.
///
/// @param bytes  how much
/// @return NETSYS_OK
#[unsafe(no_mangle)]
pub extern "C" fn netsys_monitor_record_memory(bytes: u64) -> netsys_status {
    guard::call(|| {
        monitor().record_memory(bytes);
        Ok(())
    })
}

/// Has the performance monitor gather what bridges have counted, and look at the memory. It does so by itself whenever
/// its figures are asked for; between two such times the peak of the memory may pass unseen.
///
/// @return NETSYS_OK
#[unsafe(no_mangle)]
pub extern "C" fn netsys_monitor_update() -> netsys_status {
    guard::call(|| {
        monitor().update();
        Ok(())
    })
}

/// The figures of the process: what was recorded, and what bridges with monitoring have counted and measured.
///
/// @param out  filled in; set its struct_size to sizeof(netsys_metrics) first
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_monitor_metrics(out: *mut netsys_metrics) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", monitor().metrics().into()) }
    })
}

/// Begins the figures of the process anew. The connections that there are stay.
///
/// @return NETSYS_OK
#[unsafe(no_mangle)]
pub extern "C" fn netsys_monitor_reset() -> netsys_status {
    guard::call(|| {
        monitor().reset();
        Ok(())
    })
}

/// The figures of the process as text. From one call to the next they may grow longer: ask again with more room.
///
/// @param format  NETSYS_REPORT_*
/// @param buf     the text, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_monitor_report(
    format: u32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::call(|| {
        let text = report(&monitor().metrics(), format)?;
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&text, buf, cap, needed) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_has_its_field() {
        let expected = 1..=OtherErrors as u64 + 1; // the last kind
        let c = netsys_metrics::from(Metrics { counts: expected.clone().collect(), ..Metrics::default() });
        let given = [
            c.connections_total,
            c.connections_failed,
            c.messages_sent,
            c.messages_received,
            c.bytes_sent,
            c.bytes_received,
            c.send_errors,
            c.receive_errors,
            c.timeout_errors,
            c.connection_errors,
            c.other_errors,
        ];
        assert!(given.into_iter().eq(expected), "{given:?}");
    }
}
