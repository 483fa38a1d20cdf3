//! The decoder of frames: in whatever pieces a stream comes, it is the same frames, and the same fault.

use network_system::error::Code;
use network_system::transport::compression::Algorithms;
use network_system::transport::frame::{Decoder, Frame, Kind, PREAMBLE, classify};
use network_system::transport::hello::Hello;

use super::pieces;

/// The longest message that is taken.
const LIMIT: u32 = 10_000;

/// The first byte says in which pieces the rest comes, the second what was agreed on.
pub fn run(data: &[u8]) {
    let [size, agreed, stream @ ..] = data else { return };
    classify(stream);
    let agreed = Algorithms::from_capabilities((*agreed).into());
    let (whole, in_pieces) = (decode(0, agreed, stream), decode(*size, agreed, stream));
    assert_eq!(whole, in_pieces);
}

type Frames = Vec<(u8, u8, Vec<u8>)>;

fn decode(size: u8, agreed: Algorithms, stream: &[u8]) -> (Frames, Option<Code>) {
    let mut decoder = Decoder::new(LIMIT);
    decoder.set_agreed(agreed);
    let mut frames = Vec::new();
    for mut piece in pieces(size, stream) {
        loop {
            match decoder.next(&mut piece) {
                Ok(Some((header, payload))) => {
                    assert_eq!(header.len as usize, payload.len());
                    frames.push((header.kind, header.flags, payload.to_vec()));
                }
                Ok(None) => break,
                Err(error) => return (frames, Some(error.code)),
            }
        }
        assert!(piece.is_empty());
    }
    (frames, None)
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut stream = Vec::new();
    for frame in [
        Frame::Hello(Hello::new("client", LIMIT).offering(Algorithms::ALL)),
        Frame::Text(b"hello"),
        Frame::Binary(&[7; 300]),
        Frame::Ping(5),
        Frame::Unknown { kind: 200, payload: b"later" },
    ] {
        frame.encode(&mut stream).unwrap();
    }
    let with = |size, agreed, stream: &[u8]| [&[size, agreed], stream].concat();
    vec![
        with(0, 0, &stream),
        with(1, 3, &stream),
        with(3, 0, &PREAMBLE),
        // A claim of 2 GiB, of which nothing comes, and a compressed message.
        with(2, 0, &[0, 0, 0, 0x80, Kind::Binary as u8, 0, 0, 0, 1]),
        with(5, 3, &[6, 0, 0, 0, Kind::Text as u8, 1, 0, 0, 1, 0, 0, 0, 0x10, b'a']),
    ]
}
