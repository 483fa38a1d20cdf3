use super::*;
use crate::error::Code;
use crate::transport::compression::{Algorithms, Compressed, Decompressor};
use crate::transport::frame::{Decoder, Frame};

const ALGORITHMS: [Algorithm; 2] = [Algorithm::Lz4, Algorithm::Zstd];

/// Something between noise and a single byte, repeated: the smaller `letters`, the better it compresses.
fn text(len: usize, letters: u64, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        ((state >> 33) % letters) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// The message that a frame carries, as a peer finds it that has agreed to everything.
fn unpacked(frame: &[u8], limit: u32) -> crate::error::Result<Vec<u8>> {
    let mut decoder = Decoder::new(limit);
    decoder.set_agreed(Algorithms::ALL);
    let mut input = frame;
    let (header, payload) = decoder.next(&mut input)?.expect("a whole frame");
    assert!(input.is_empty());
    let Frame::Compressed(message) = Frame::decode(header, payload)? else { panic!("not compressed") };
    Decompressor::default().decompress(&message, limit).map(<[u8]>::to_vec)
}

#[test]
fn what_is_packed_is_unpacked() {
    let mut compressor = Compressor::default();
    for algorithm in ALGORITHMS {
        for len in [0, 1, 5, 12, 13, 100, 300, 4096, 65_534, 65_535, 65_536, 200_000] {
            for letters in [1, 2, 5, 60, 256] {
                let message = text(len, letters, len as u64);
                let halves = message.split_at(len / 3);
                for parts in [&[&message[..]][..], &[halves.0, halves.1], &[b"", halves.0, b"", halves.1]] {
                    let Some(frame) = compressor.compress(Kind::Binary, algorithm, 1, parts, len) else {
                        assert!(len < 100 || letters > 2, "{algorithm:?}: {len} bytes of {letters} letters");
                        continue;
                    };
                    assert!(frame.len() < HEADER_LEN + len, "shorter than the message as it is");
                    assert!(len <= MAX_RATIO * (frame.len() - HEADER_LEN));
                    assert!(unpacked(frame, len as u32) == Ok(message.clone()), "{algorithm:?}: {len}, {letters}");
                    assert_eq!(unpacked(frame, len as u32 - 1).unwrap_err().code, Code::MessageTooLarge);
                }
            }
        }
    }
}

/// Whatever the ratio, none is sent that a receiver would refuse, and little is lost where it would be better.
#[test]
fn a_message_that_packs_too_well_is_packed_less_well() {
    let mut compressor = Compressor::default();
    for algorithm in ALGORITHMS {
        for len in (1000..20_000).step_by(37).chain([65_535, 100_000, 1 << 20, 5_000_001]) {
            let message = vec![7; len];
            let frame = compressor.compress(Kind::Text, algorithm, 3, &[&message], len).expect("it packs well");
            let payload = frame.len() - HEADER_LEN;
            assert!(len <= MAX_RATIO * payload, "{algorithm:?}: {len} bytes in {payload}");
            assert!(payload <= 32 + 2 * len.div_ceil(MAX_RATIO), "{algorithm:?}: {len} bytes in {payload}");
            assert!(unpacked(frame, len as u32) == Ok(message));
        }
    }
}

#[test]
fn literals_before_a_block_of_any_beginning() {
    for own in [0, 1, 14, 15, 16, 100, 269, 270, 271, 600] {
        for first in [0, 1, 14, 15, 255, 256, 1000] {
            let mut rest = text(own, 256, 3);
            rest.extend_from_slice(&[9; 500]);
            let block = lz4_flex::block::compress(&rest);
            let first = text(first, 256, 4);
            let packed = behind_literals(&first, &block).expect("a whole block");
            let message = [first, rest].concat();
            assert!(lz4_flex::block::decompress(&packed, message.len()).is_ok_and(|got| got == message));
        }
    }
}

#[test]
fn a_claim_that_cannot_be_true_is_refused_before_anything_is_unpacked() {
    let mut decompressor = Decompressor::default();
    for algorithm in ALGORITHMS {
        let mut refused = |message_len, data: &[u8], limit| {
            let message = Compressed { kind: Kind::Text, algorithm, message_len, data };
            let error = decompressor.decompress(&message, limit).expect_err("refused");
            (error.code, error.message.into_owned(), decompressor.capacity())
        };
        let (code, text, capacity) = refused(1001, &[0; 100], 1000);
        assert!(code == Code::MessageTooLarge && text.contains("1001") && text.contains("1000"), "{text}");
        assert_eq!(capacity, 0);
        let (code, text, capacity) = refused(10_401, &[0; 100], 1 << 20);
        assert!(code == Code::Protocol && text.contains("at most 100 times"), "{text}");
        assert_eq!(capacity, 0);
        let (code, text, capacity) = refused(104, &[0; 100], 1 << 20);
        assert!(code == Code::Protocol && text.contains("shorter"), "{text}");
        assert_eq!(capacity, 0);
    }
}

/// Unpacking goes no further than what was announced, which a bomb announces too little of.
#[test]
fn more_or_less_than_announced_is_refused() {
    let message = text(5000, 4, 1);
    for algorithm in ALGORITHMS {
        let mut compressor = Compressor::default();
        let frame = compressor.compress(Kind::Text, algorithm, 1, &[&message], message.len()).expect("it packs");
        for claim in [4999_u32, 5001, 2000, 20_000] {
            let mut other = frame.to_vec();
            other[HEADER_LEN..DATA_AT].copy_from_slice(&claim.to_le_bytes());
            assert_eq!(unpacked(&other, 1 << 20).expect_err("refused").code, Code::Protocol, "{claim}");
        }
    }
}

/// Reliability row 37: what is damaged anywhere is refused or has the length that was announced, and nothing panics.
#[test]
fn damaged_frames_never_panic() {
    let mut compressor = Compressor::default();
    let mut state = 11_u64;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        (state >> 33) as usize % bound
    };
    let mut decompressor = Decompressor::default();
    for round in 0..20_000_usize {
        let message = text(80 + random(3000), 1 + random(2) as u64, round as u64);
        let algorithm = ALGORITHMS[round % 2];
        let parts = [&message[..]];
        let frame = compressor.compress(Kind::Binary, algorithm, 1, &parts, message.len()).expect("it packs");
        let mut data = frame[DATA_AT..].to_vec();
        for _ in 0..=random(3) {
            let at = random(data.len());
            data[at] ^= 1 << random(8);
        }
        data.truncate(if random(4) == 0 { random(data.len()) } else { data.len() });
        let message_len = message.len() as u32;
        let message = Compressed { kind: Kind::Binary, algorithm, message_len, data: &data };
        match decompressor.decompress(&message, 1 << 20) {
            Ok(got) => assert_eq!(got.len(), message_len as usize),
            Err(error) => assert_eq!(error.code, Code::Protocol),
        }
    }
}

#[test]
fn noise_never_panics() {
    let mut decompressor = Decompressor::default();
    for round in 0..50_000_u64 {
        let mut data = text(1 + (round % 300) as usize, 256, round);
        let algorithm = ALGORITHMS[(round % 2) as usize];
        if algorithm == Algorithm::Zstd && data.len() > 4 {
            // Else no noise gets past the magic number.
            data[..4].copy_from_slice(&0xFD2F_B528_u32.to_le_bytes());
        }
        let message_len = (data.len() as u32 + 5) * (1 + round as u32 % 100);
        let message = Compressed { kind: Kind::Text, algorithm, message_len, data: &data };
        if let Ok(got) = decompressor.decompress(&message, 1 << 20) {
            assert_eq!(got.len(), message_len as usize);
        }
    }
}

#[test]
fn large_buffers_are_given_back_and_compressors_used_again() {
    let compressors = Compressors::default();
    let message = text(KEPT, 4, 2);
    let used = compressors.with(|compressor| {
        compressor.compress(Kind::Text, Algorithm::Lz4, 1, &[&message[..1000], &message[1000..2000]], 2000);
        compressor.frame.as_ptr()
    });
    compressors.with(|compressor| {
        assert_eq!(compressor.frame.as_ptr(), used);
        compressor.compress(Kind::Text, Algorithm::Lz4, 1, &[&message], message.len());
        assert!(compressor.frame.len() > KEPT);
        // One for whoever sends at the same time.
        compressors.with(|other| assert!(other.frame.is_empty()));
    });
    compressors.with(|compressor| assert!(compressor.frame.capacity() + compressor.joined.capacity() <= KEPT));
    let mut decompressor = Decompressor::default();
    let mut compressor = Compressor::default();
    let frame = compressor.compress(Kind::Text, Algorithm::Lz4, 1, &[&message], message.len()).expect("it packs");
    let message_len = message.len() as u32;
    let packed = Compressed { kind: Kind::Text, algorithm: Algorithm::Lz4, message_len, data: &frame[DATA_AT..] };
    assert!(decompressor.decompress(&packed, u32::MAX).is_ok());
    decompressor.trim();
    assert_eq!(decompressor.capacity(), 0);
}
