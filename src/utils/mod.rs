//! What programs that talk over a network need beside it: addresses, ports and names.

pub mod network_utils;
