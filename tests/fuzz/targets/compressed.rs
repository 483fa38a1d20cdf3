//! Compressed messages: what is unpacked is as long as was said, within both limits; and what this side packs it unpacks
//! to the same.

use std::cell::RefCell;

use network_system::transport::compression::{Algorithm, Compressed, Compressor, Decompressor, MAX_RATIO};
use network_system::transport::frame::{Frame, HEADER_LEN, Header, Kind};

/// The longest message that is taken.
const LIMIT: u32 = 1 << 20;

thread_local! {
    /// Kept, as a loop keeps its own: nothing of one message is to be seen by the next.
    static UNPACK: RefCell<Decompressor> = RefCell::default();
    static PACK: RefCell<Compressor> = RefCell::default();
}

/// The algorithm, the level with which the rest is packed as a message, and the rest: a compressed message.
pub fn run(data: &[u8]) {
    let [algorithm, level, rest @ ..] = data else { return };
    let algorithm = if algorithm % 2 == 0 { Algorithm::Lz4 } else { Algorithm::Zstd };
    if let Some((len, data)) = rest.split_first_chunk() {
        let message = Compressed { kind: Kind::Binary, algorithm, message_len: u32::from_le_bytes(*len), data };
        UNPACK.with_borrow_mut(|unpack| {
            if let Ok(bytes) = unpack.decompress(&message, LIMIT) {
                assert!(bytes.len() == message.message_len as usize && bytes.len() <= LIMIT as usize);
                assert!(bytes.len() <= MAX_RATIO * message.payload_len());
            }
            unpack.trim();
        });
    }
    PACK.with_borrow_mut(|pack| {
        let (first, second) = rest.split_at(rest.len() / 2);
        let packed = pack.compress(Kind::Text, algorithm, 1 + level % 19, &[first, second], rest.len());
        let Some((header, payload)) = packed.and_then(|frame| frame.split_first_chunk::<HEADER_LEN>()) else { return };
        let Ok(Frame::Compressed(message)) = Frame::decode(Header::decode(header).unwrap(), payload) else {
            panic!("{header:?}")
        };
        UNPACK.with_borrow_mut(|unpack| assert_eq!(unpack.decompress(&message, LIMIT).unwrap(), rest));
    });
}

pub fn seeds() -> Vec<Vec<u8>> {
    let text = b"to be, or not to be, that is the question; to be, or not to be; ".repeat(20);
    let mut seeds = vec![
        // Claims of much, of more than may be, and of nothing.
        [&[0, 0], &(1_u32 << 19).to_le_bytes()[..], &[0xff; 40]].concat(),
        [&[1, 18], &u32::MAX.to_le_bytes()[..], &[0x28, 0xb5, 0x2f, 0xfd]].concat(),
        [&[0, 3], &0u32.to_le_bytes()[..]].concat(),
        [&[1, 3], &text[..]].concat(),
    ];
    for (number, algorithm) in [Algorithm::Lz4, Algorithm::Zstd].into_iter().enumerate() {
        let mut pack = Compressor::default();
        let frame = pack.compress(Kind::Binary, algorithm, 3, &[&text], text.len()).unwrap();
        seeds.push([&[number as u8, 3], &frame[HEADER_LEN..]].concat());
    }
    seeds
}
