//! Checks the codec of the framed protocol against `tests/vectors`, whose README describes the format.

use std::fmt::Write as _;
use std::path::Path;

use network_system::error::{Error, Result};
use network_system::transport::compression::{Algorithm, Algorithms, Decompressor};
use network_system::transport::frame::{self, Decoder, Detect, Frame, HEADER_LEN, Kind};
use network_system::transport::hello::{Hello, VERSION_MAJOR};

#[derive(Default)]
struct Vector {
    name: String,
    limit: u32,
    agreed: Algorithms,
    bytes: Vec<u8>,
    expect: Vec<String>,
    says: Vec<String>,
}

/// Reads a file of vectors; a line that does not follow the format fails the test.
fn load(file: &str) -> Vec<Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut vectors: Vec<Vector> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("{file}: no key in {line:?}"));
        let value = value.trim();
        if key == "name" {
            vectors.push(Vector { name: format!("{file}: {value}"), limit: 1 << 20, ..Vector::default() });
            continue;
        }
        let vector = vectors.last_mut().unwrap_or_else(|| panic!("{file}: {line:?} before a name"));
        match key {
            "limit" => vector.limit = value.parse().unwrap(),
            "agreed" => vector.agreed = algorithms(value),
            "bytes" => vector.bytes.extend(value.split_whitespace().flat_map(repeated_byte)),
            "expect" => vector.expect.push(value.to_owned()),
            "says" => vector.says.push(value.to_owned()),
            _ => panic!("{file}: unknown key in {line:?}"),
        }
    }
    assert!(vectors.len() >= 10, "{file} has become too short");
    vectors
}

fn algorithms(names: &str) -> Algorithms {
    match names {
        "lz4" => Algorithm::Lz4.into(),
        "zstd" => Algorithm::Zstd.into(),
        "lz4 zstd" => Algorithms::ALL,
        _ => panic!("{names:?} are no algorithms"),
    }
}

/// `5a` or `5a*300`.
fn repeated_byte(item: &str) -> Vec<u8> {
    let (byte, count) = item.split_once('*').unwrap_or((item, "1"));
    assert_eq!(byte.len(), 2, "{item:?} is not a byte");
    vec![u8::from_str_radix(byte, 16).unwrap(); count.parse().unwrap()]
}

/// A text as the vectors write it.
fn quoted(text: &str) -> String {
    let first = text.chars().next().unwrap_or_default();
    if text.len() > 64 && text.chars().all(|c| c == first) {
        format!("{}*\"{first}\"", text.chars().count())
    } else {
        format!("\"{text}\"")
    }
}

/// A message as the vectors write it.
fn message(name: &str, payload: &[u8]) -> String {
    let first = payload.first().copied().unwrap_or_default();
    if payload.len() > 64 && payload.iter().all(|byte| *byte == first) {
        return format!("{name} {}*{first:02x}", payload.len());
    }
    let hex = payload.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    format!("{name} {hex}").trim_end().to_owned()
}

fn hello(name: &str, hello: &Hello<'_>) -> String {
    let Hello { minor, capabilities, max_message_bytes, id } = hello;
    format!(
        "{name} version={VERSION_MAJOR}.{minor} capabilities={capabilities:#x} \
         max_message_bytes={max_message_bytes} id={}",
        quoted(id)
    )
}

fn describe(frame: &Frame<'_>, limit: u32) -> Result<String> {
    Ok(match frame {
        Frame::Hello(fields) => hello("HELLO", fields),
        Frame::HelloAck(fields) => hello("HELLO_ACK", fields),
        Frame::Text(payload) => message("TEXT", payload),
        Frame::Binary(payload) => message("BINARY", payload),
        Frame::Compressed(packed) => {
            let name = if packed.kind == Kind::Text { "TEXT" } else { "BINARY" };
            message(name, Decompressor::default().decompress(packed, limit)?)
        }
        Frame::Ping(token) => format!("PING token={token}"),
        Frame::Pong(token) => format!("PONG token={token}"),
        Frame::Close(close) => {
            format!("CLOSE code={} received={} reason={}", close.code, close.received, quoted(close.reason))
        }
        Frame::CloseAck { received } => format!("CLOSE_ACK received={received}"),
        Frame::Receipt { received } => format!("RECEIPT received={received}"),
        Frame::Unknown { kind, .. } => format!("skip {kind}"),
    })
}

/// What a receiver makes of a stream.
#[derive(Debug, PartialEq)]
struct Outcome {
    lines: Vec<String>,
    /// The frames, encoded again.
    bytes: Vec<u8>,
    error: Option<Error>,
}

/// Gives the stream to a decoder in pieces of `piece` bytes.
fn receive(vector: &Vector, piece: usize) -> Outcome {
    let mut outcome = Outcome { lines: Vec::new(), bytes: Vec::new(), error: None };
    let mut decoder = Decoder::new(vector.limit);
    decoder.set_agreed(vector.agreed);
    for mut input in vector.bytes.chunks(piece) {
        loop {
            let frame = match decoder.next(&mut input) {
                Ok(None) => break,
                Ok(Some((header, payload))) => Frame::decode(header, payload),
                Err(error) => Err(error),
            };
            match frame.and_then(|frame| Ok((frame, describe(&frame, vector.limit)?))) {
                Ok((frame, line)) => {
                    outcome.lines.push(line);
                    frame.encode(&mut outcome.bytes).unwrap();
                }
                Err(error) => {
                    outcome.lines.push(format!("error {}", error.code as i32));
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
    }
    if decoder.begun().is_some() {
        outcome.lines.push("more".to_owned());
    }
    outcome
}

/// Checks the vector with several ways to cut the stream, and gives back what came out.
fn check(vector: &Vector) -> Outcome {
    assert!(!vector.expect.is_empty(), "{}: nothing is expected", vector.name);
    let whole = receive(vector, vector.bytes.len().max(1));
    assert_eq!(whole.lines, vector.expect, "{}", vector.name);
    for piece in [1, 2, 3, 7, HEADER_LEN, 100] {
        assert_eq!(receive(vector, piece), whole, "{}, in pieces of {piece}", vector.name);
    }
    whole
}

#[test]
fn preamble() {
    for vector in load("preamble.txt") {
        let detect = match frame::classify(&vector.bytes) {
            Detect::NeedMore => "more",
            Detect::Framed => "framed",
            Detect::Raw => "raw",
        };
        assert_eq!([detect], vector.expect[..], "{}", vector.name);
    }
}

#[test]
fn frames_are_read_and_written_alike() {
    for vector in load("frames.txt") {
        let outcome = check(&vector);
        assert_eq!(outcome.error, None, "{}", vector.name);
        assert!(outcome.bytes == vector.bytes, "{}: encoded as {:02x?}", vector.name, outcome.bytes);
    }
}

#[test]
fn what_has_to_be_tolerated_is() {
    for vector in load("tolerated.txt") {
        let outcome = check(&vector);
        assert_eq!(outcome.error, None, "{}", vector.name);
    }
}

#[test]
fn compressed_messages_are_read() {
    for vector in load("compressed.txt") {
        let refused = vector.expect.last().is_some_and(|line| line.starts_with("error"));
        let outcome = check(&vector);
        assert_eq!(outcome.error.is_some(), refused, "{}", vector.name);
        for text in &vector.says {
            let error = outcome.error.as_ref().map_or("", |error| &error.message);
            assert!(error.contains(text), "{}: {text:?} is not in {error:?}", vector.name);
        }
    }
}

#[test]
fn what_is_malformed_is_refused_in_words() {
    for vector in load("malformed.txt") {
        let error = check(&vector).error.unwrap_or_else(|| panic!("{}: accepted", vector.name));
        for text in &vector.says {
            assert!(error.message.contains(text), "{}: {text:?} is not in {:?}", vector.name, error.message);
        }
    }
}
