//! The decoder: bytes in whatever pieces the network made of them, cut into frames.

use super::{HEADER_LEN, Header, Kind};
use crate::error::Result;
use crate::transport::compression::Algorithms;

/// Cuts a stream of bytes into frames.
///
/// Give every chunk that was read to [`Decoder::next`] until it returns `None`. After an error nobody knows where the
/// next frame would begin: the rest of the stream is to be thrown away.
#[derive(Debug)]
pub struct Decoder {
    limit: u32,
    /// How messages may be compressed.
    agreed: Algorithms,
    first_capacity: usize,
    /// The frame that was begun by an earlier chunk, header included, as far as it has come. Empty, and without an
    /// allocation, between frames.
    partial: Vec<u8>,
    /// `partial` is whole, was handed out and is to be dropped at the next call.
    handed_out: bool,
    /// A frame that has come in part gets no room for more than has come.
    tight: bool,
    /// How many frames did not come whole at once.
    partials: u64,
}

impl Decoder {
    /// A decoder that takes messages of up to `limit` bytes.
    pub fn new(limit: u32) -> Decoder {
        Decoder::with_capacity(limit, 0)
    }

    /// The same, with at least `first_capacity` bytes of room (or the whole frame's size, if that is less) for a frame
    /// that has begun to arrive, so that it need not grow in small steps.
    pub fn with_capacity(limit: u32, first_capacity: usize) -> Decoder {
        Decoder {
            limit,
            agreed: Algorithms::NONE,
            first_capacity,
            partial: Vec::new(),
            handed_out: false,
            tight: false,
            partials: 0,
        }
    }

    /// Changes the limit, also for a frame that has begun.
    pub fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// Has messages taken from now on that are compressed by one of these algorithms.
    pub fn set_agreed(&mut self, agreed: Algorithms) {
        self.agreed = agreed;
    }

    /// Whether a frame that has come in part is to get no room for more than has come.
    pub(crate) fn set_tight(&mut self, tight: bool) {
        self.tight = tight;
    }

    /// The memory that it holds.
    pub(crate) fn held(&self) -> usize {
        self.partial.capacity()
    }

    /// How many more bytes of a frame that has come in part can come before it needs more memory.
    pub(crate) fn room(&self) -> usize {
        self.partial.capacity() - self.partial.len()
    }

    /// A number that the frame of which a part has come has, and no earlier one had.
    pub(crate) fn partial_number(&self) -> u64 {
        self.partials
    }

    /// The size of the frame of which a part has come, header included; while not even its header is whole, the
    /// header's. `None` between frames.
    pub fn begun(&self) -> Option<usize> {
        if self.partial.is_empty() || self.handed_out {
            return None;
        }
        let len = match self.partial.first_chunk() {
            Some(bytes) => Header::decode(bytes).map_or(0, |header| header.len as usize),
            None => 0,
        };
        Some(HEADER_LEN.saturating_add(len))
    }

    /// Takes the next frame off the front of `input` if it lies whole in it, follows a whole one and is a message of
    /// the usual kind: not compressed, not too long. `None`: [`Decoder::next`] knows what is there.
    #[inline(always)]
    pub(crate) fn next_message<'i>(&self, input: &mut &'i [u8]) -> Option<(Kind, &'i [u8])> {
        if !self.partial.is_empty() {
            return None;
        }
        let (bytes, rest) = input.split_first_chunk()?;
        let (kind, len) = Header::message(bytes)?;
        if len > self.limit {
            return None;
        }
        let (payload, rest) = rest.split_at_checked(len as usize)?;
        *input = rest;
        Some((kind, payload))
    }

    /// Takes the next frame off the front of `input`. `None`: `input` is used up, and what it held of an unfinished
    /// frame is kept. A payload that lies whole in `input` is a slice of it, another one is a slice of the decoder.
    ///
    /// Memory follows what has arrived, not what a header claims: at most four times as much is allocated, or the first
    /// capacity.
    #[inline]
    pub fn next<'d, 'i: 'd>(&'d mut self, input: &mut &'i [u8]) -> Result<Option<(Header, &'d [u8])>> {
        if !self.partial.is_empty() {
            if !self.handed_out {
                return self.complete(input);
            }
            self.partial = Vec::new();
            self.handed_out = false;
        }
        if input.is_empty() {
            return Ok(None);
        }
        if let Some((bytes, rest)) = input.split_first_chunk() {
            let header = Header::decode(bytes)?;
            header.check(self.limit, self.agreed)?;
            if let Some((payload, rest)) = rest.split_at_checked(header.len as usize) {
                *input = rest;
                return Ok(Some((header, payload)));
            }
            self.take(input, HEADER_LEN.saturating_add(header.len as usize));
        } else {
            self.take(input, HEADER_LEN);
        }
        self.partials += 1;
        Ok(None)
    }

    /// Goes on with the frame in `partial`.
    #[cold]
    fn complete(&mut self, input: &mut &[u8]) -> Result<Option<(Header, &[u8])>> {
        if self.partial.len() < HEADER_LEN {
            self.take(input, HEADER_LEN);
        }
        let Some(bytes) = self.partial.first_chunk() else {
            return Ok(None);
        };
        let header = Header::decode(bytes)?;
        header.check(self.limit, self.agreed)?;
        let total = HEADER_LEN.saturating_add(header.len as usize);
        self.take(input, total);
        if self.partial.len() < total {
            return Ok(None);
        }
        self.handed_out = true;
        Ok(Some((header, &self.partial[HEADER_LEN..])))
    }

    /// Moves bytes from `input` to `partial` until that holds `total` or `input` is empty.
    fn take(&mut self, input: &mut &[u8], total: usize) {
        let (taken, rest) = input.split_at(input.len().min(total - self.partial.len()));
        *input = rest;
        let len = self.partial.len() + taken.len();
        if len > self.partial.capacity() {
            // A quarter of a frame is enough to allocate the rest at once; less grows by the factor four.
            let ahead = if self.tight { len } else { len.saturating_mul(4).max(self.first_capacity) };
            let capacity = total.min(ahead);
            self.partial.reserve_exact(capacity - self.partial.len());
        }
        self.partial.extend_from_slice(taken);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Frame;
    use super::super::tests::{encoded, samples};
    use super::*;
    use crate::error::Code;
    use crate::random::Random;

    const LIMIT: u32 = 1 << 20;

    /// Feeds `stream` in the chunks that `cut` chooses and gives back the frames that come out.
    fn decode_all(limit: u32, stream: &[u8], mut cut: impl FnMut(usize) -> usize) -> Result<Vec<(Header, Vec<u8>)>> {
        let mut decoder = Decoder::new(limit);
        decoder.set_agreed(Algorithms::ALL);
        let mut frames = Vec::new();
        let mut rest = stream;
        while !rest.is_empty() {
            let (mut input, later) = rest.split_at(cut(rest.len()));
            rest = later;
            while let Some((header, payload)) = decoder.next(&mut input)? {
                frames.push((header, payload.to_vec()));
            }
            assert!(input.is_empty());
        }
        assert_eq!(decoder.begun(), None, "the stream ends with a whole frame");
        assert_eq!(decoder.partial.capacity(), 0, "an idle decoder owns no memory");
        Ok(frames)
    }

    #[test]
    fn any_chunking_gives_the_same_frames() {
        let mut random = Random(1);
        for round in 0..200 {
            let mut stream = Vec::new();
            let mut expected = Vec::new();
            for _ in 0..random.below(40) {
                let len = random.length(20_000);
                let payload = random.bytes(len);
                let known = random.below(samples().len());
                let frame = match random.below(4) {
                    0 => Frame::Text(&payload),
                    1 => Frame::Binary(&payload),
                    2 => Frame::Unknown { kind: 10 + random.below(246) as u8, payload: &payload },
                    _ => samples()[known],
                };
                let bytes = encoded(frame);
                expected.push((Header::decode(bytes.first_chunk().unwrap()).unwrap(), bytes[HEADER_LEN..].to_vec()));
                stream.extend_from_slice(&bytes);
            }
            let bound = [1, 2, 9, 100, 5_000, usize::MAX][round % 6];
            let got = decode_all(LIMIT, &stream, |left| left.min(1 + random.below(bound)));
            assert!(got == Ok(expected), "round {round}");
        }
    }

    #[test]
    fn whole_frames_are_handed_out_in_place() {
        let stream = encoded(Frame::Text(b"abc")).repeat(3);
        let mut decoder = Decoder::new(LIMIT);
        let mut input = &stream[..];
        for index in 0..3 {
            let (_, payload) = decoder.next(&mut input).unwrap().unwrap();
            assert!(std::ptr::eq(payload, &raw const stream[index * 11 + HEADER_LEN..index * 11 + 11]));
        }
        assert_eq!(decoder.next(&mut input), Ok(None));
    }

    #[test]
    fn a_claimed_length_allocates_nothing_until_the_bytes_come() {
        let stream = encoded(Frame::Binary(&Random(2).bytes(LIMIT as usize)));
        let mut decoder = Decoder::new(LIMIT);
        let mut input = &stream[..HEADER_LEN + 1];
        assert_eq!(decoder.next(&mut input), Ok(None));
        assert!(decoder.partial.capacity() <= 64);
        assert_eq!(decoder.begun(), Some(stream.len()));
        for (index, byte) in stream.iter().enumerate().skip(HEADER_LEN + 1) {
            let mut input = std::slice::from_ref(byte);
            let frame = decoder.next(&mut input).unwrap();
            assert_eq!(frame.is_some(), index + 1 == stream.len());
            assert!(frame.is_none_or(|(_, payload)| payload == &stream[HEADER_LEN..]));
            assert!(decoder.partial.capacity() <= stream.len().min(4 * (index + 1)));
        }
        assert_eq!(decoder.begun(), None);
    }

    #[test]
    fn the_first_capacity_is_bounded_by_the_frame() {
        for (len, capacity) in [(100, HEADER_LEN + 100), (100_000, 8192)] {
            let stream = encoded(Frame::Binary(&vec![0; len]));
            let mut decoder = Decoder::with_capacity(LIMIT, 8192);
            assert_eq!(decoder.next(&mut &stream[..HEADER_LEN + 1]), Ok(None));
            assert_eq!(decoder.partial.capacity(), capacity);
        }
    }

    #[test]
    fn begun_knows_the_size_as_soon_as_the_header_is_there() {
        let stream = encoded(Frame::Text(b"abc"));
        let mut decoder = Decoder::new(LIMIT);
        assert_eq!(decoder.begun(), None);
        assert_eq!(decoder.next(&mut &stream[..3]), Ok(None));
        assert_eq!(decoder.begun(), Some(HEADER_LEN));
        assert_eq!(decoder.next(&mut &stream[3..9]), Ok(None));
        assert_eq!(decoder.begun(), Some(stream.len()));
    }

    #[test]
    fn the_limit_holds_as_soon_as_the_header_is_there() {
        let stream = encoded(Frame::Text(b"12345"));
        for chunk in 1..stream.len() {
            assert_eq!(decode_all(4, &stream, |left| left.min(chunk)).unwrap_err().code, Code::MessageTooLarge);
            assert_eq!(decode_all(5, &stream, |left| left.min(chunk)).unwrap().len(), 1);
        }
        let mut decoder = Decoder::new(5);
        assert_eq!(decoder.next(&mut &stream[..10]), Ok(None));
        decoder.set_limit(4);
        assert_eq!(decoder.next(&mut &stream[10..]).unwrap_err().code, Code::MessageTooLarge);
    }

    #[test]
    fn noise_never_panics() {
        let mut random = Random(3);
        for _ in 0..20_000 {
            let len = random.length(200);
            let mut noise = random.bytes(len);
            // Most noise dies at the first header: repair it, so that the payloads get their share.
            if len > HEADER_LEN {
                let (first, kind, flags) = (noise[0], noise[4], noise[5]);
                noise[..HEADER_LEN].copy_from_slice(&[first % 32, 0, 0, 0, kind % 12, flags % 3, 0, 0]);
            }
            let mut decoder = Decoder::new(100);
            decoder.set_agreed(Algorithms::ALL);
            let (mut first, mut second) = noise.split_at(random.below(len + 1));
            'stream: for input in [&mut first, &mut second] {
                loop {
                    match decoder.next(input) {
                        Ok(Some((header, payload))) => {
                            if let Ok(frame) = Frame::decode(header, payload) {
                                assert_eq!(encoded(frame)[4], header.kind);
                            }
                        }
                        Ok(None) => break,
                        Err(_) => break 'stream,
                    }
                }
            }
        }
    }
}
