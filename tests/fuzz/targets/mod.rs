//! What a peer, a file or a user can give the library, and what must hold whatever that is. Each takes any bytes, and
//! panics where something does not hold.

mod addresses;
mod certificates;
mod compressed;
mod configuration;
mod control_frames;
mod frames;
mod live;

/// Something that takes bytes.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Bytes that get far.
    #[allow(dead_code)] // The tests have files of them.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const TARGETS: [Target; 10] = [
    Target { name: "frames", run: frames::run, seeds: frames::seeds },
    Target { name: "control_frames", run: control_frames::run, seeds: control_frames::seeds },
    Target { name: "compressed", run: compressed::run, seeds: compressed::seeds },
    Target { name: "configuration", run: configuration::run, seeds: configuration::seeds },
    Target { name: "addresses", run: addresses::run, seeds: addresses::seeds },
    Target { name: "certificates", run: certificates::run, seeds: certificates::seeds },
    Target { name: "plain_servers", run: live::plain_servers, seeds: live::seeds_of_clients },
    Target { name: "tls_servers", run: live::tls_servers, seeds: live::seeds_of_tls_clients },
    Target { name: "plain_clients", run: live::plain_clients, seeds: live::seeds_of_servers },
    Target { name: "tls_clients", run: live::tls_clients, seeds: live::seeds_of_tls_servers },
];

/// Cuts a stream into the pieces in which the network brings it: all at once for 0, else of that length.
fn pieces(len: u8, stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    stream.chunks(if len == 0 { stream.len().max(1) } else { len.into() })
}
