//! What is in a frame: what is understood of it is the same when it is written and read again.

use network_system::transport::compression::Algorithms;
use network_system::transport::frame::{Close, Frame, HEADER_LEN, Header, Kind};
use network_system::transport::hello::Hello;

/// The header's kind and flags, and the payload.
pub fn run(data: &[u8]) {
    let [kind, flags, payload @ ..] = data else { return };
    let header = Header { len: payload.len() as u32, kind: *kind, flags: *flags };
    let Ok(header) = Header::decode(&header.encode()) else { return };
    if header.check(u32::MAX, Algorithms::ALL).is_err() {
        return;
    }
    let Ok(frame) = Frame::decode(header, payload) else { return };
    let mut written = Vec::new();
    frame.encode(&mut written).unwrap();
    let (bytes, payload) = written.split_first_chunk::<HEADER_LEN>().unwrap();
    let header = Header::decode(bytes).unwrap();
    assert_eq!(header.len as usize, payload.len());
    assert_eq!(Frame::decode(header, payload).unwrap(), frame);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![Kind::Hello as u8, 0, 2, 0, 0, 0], vec![Kind::Binary as u8, 2, 100, 0, 0, 0, 1, 2, 3]];
    for frame in [
        Frame::Hello(Hello::new("größe", 1000)),
        Frame::HelloAck(Hello::new("", u32::MAX).offering(Algorithms::ALL)),
        Frame::Close(Close { code: -8, received: 77, reason: "enough" }),
        Frame::CloseAck { received: u64::MAX },
        Frame::Receipt { received: 3 },
        Frame::Ping(1),
        Frame::Pong(1),
    ] {
        let mut written = Vec::new();
        frame.encode(&mut written).unwrap();
        // Without its length, which is that of what follows.
        seeds.push([&written[4..6], &written[HEADER_LEN..]].concat());
    }
    seeds
}
