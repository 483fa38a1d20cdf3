//! The few system calls that need `unsafe` and that no crate of ours wraps: a file for each subject.

#![allow(unsafe_code)]
#![deny(clippy::undocumented_unsafe_blocks)]

mod clock;
mod event_fd;
mod fork;
mod heap;
mod interfaces;
mod names;
mod sigpipe;
mod tcp;

pub(crate) use clock::{monotonic_coarse_s, monotonic_ns};
pub(crate) use event_fd::EventFd;
pub(crate) use fork::{forked, watch_fork};
pub(crate) use heap::trim_heap;
pub(crate) use interfaces::{Interface, interface_number, interfaces};
pub(crate) use names::{LookUpFailure, host_name, look_up};
pub(crate) use sigpipe::{block_sigpipe, write_to_stderr};
pub(crate) use tcp::{TcpInfo, tcp_info, unacknowledged, unread};
