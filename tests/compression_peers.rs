//! Compressed messages, and peers that know none or send what no honest one sends.

mod support;

use std::net::{TcpListener, TcpStream};

use network_system::config::Compression;
use network_system::core::{Client, Server};
use network_system::error::Code;
use network_system::session::handler::Payload;
use network_system::transport::compression::{Algorithm, Algorithms, Compressor};
use network_system::transport::frame::{Frame, HEADER_LEN, Kind};
use network_system::transport::hello::Hello;
use support::compression::{client_with, prose, server_with};
use support::framed::{LIMIT, Peer, first};
use support::random::Random;
use support::{Event, Home, PATIENCE, Recorder};

/// A client with these capabilities, past the hello; the server's capabilities.
fn connect(server: &Server, hello: Hello<'_>) -> (Peer<TcpStream>, u32) {
    let mut peer = Peer::connect(server.local_addr());
    peer.greet(hello);
    let capabilities = peer.next(|frame| if let Frame::HelloAck(ack) = frame { Some(ack.capabilities) } else { None });
    (peer, capabilities)
}

fn frame(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(&[Kind::Binary as u8, flags, 0, 0]);
    bytes.extend_from_slice(payload);
    bytes
}

fn claiming(flags: u8, len: u32, data: &[u8]) -> Vec<u8> {
    frame(flags, &[&len.to_le_bytes()[..], data].concat())
}

/// A client of version 1.0 gets plain messages only, also in a broadcast, and may not send others.
#[test]
fn a_client_of_the_version_before_is_served_as_before() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_with(Compression::Auto), handler);
    let old = Hello { minor: 0, capabilities: 0, max_message_bytes: LIMIT, id: "old" };
    let (mut peer, capabilities) = connect(&server, old);
    assert_eq!(capabilities, 3, "what the server offers it does not depend on the client");
    let session = events.opened();
    let data = prose(&mut Random(6), 10_000);
    session.send(Payload::Binary, &data).unwrap();
    server.broadcast(Payload::Text, &data).unwrap();
    let plain = |frame: Frame<'_>| match frame {
        Frame::Binary(got) | Frame::Text(got) => Some(got.to_vec()),
        other => panic!("not plain: {other:?}"),
    };
    assert!(peer.next(plain) == data);
    assert!(peer.next(plain) == data);
    let mut plain = Vec::new();
    Frame::Binary(&data).encode(&mut plain).unwrap();
    peer.write(&plain);
    assert!(events.message().1 == data);
    let mut compressor = Compressor::default();
    let parts = [&data[..]];
    let packed = compressor.compress(Kind::Binary, Algorithm::Lz4, 1, &parts, data.len()).unwrap();
    peer.write(packed);
    let (code, reason) = peer.closed();
    assert!(code == Code::Protocol as i32 && reason.contains("not agreed"), "{code} {reason}");
    assert!(!events.rest().iter().any(|event| matches!(event, Event::Message(..))));
}

/// A server of version 1.0 gets plain messages only.
#[test]
fn a_server_of_the_version_before_is_sent_plain_messages() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (handler, events) = Recorder::new();
    let config = client_with(listener.local_addr().unwrap().port(), Compression::Auto);
    let client = Client::start(&home.0, config, handler).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut peer = Peer::over(stream);
    peer.preamble();
    let capabilities = peer.next(|frame| if let Frame::Hello(hello) = frame { Some(hello.capabilities) } else { None });
    assert_eq!(capabilities, 3);
    peer.write(&first(Frame::HelloAck(Hello { minor: 0, capabilities: 0, max_message_bytes: LIMIT, id: "old" })));
    let session = events.opened();
    let data = prose(&mut Random(7), 10_000);
    session.send(Payload::Text, &data).unwrap();
    assert!(peer.next(|frame| if let Frame::Text(got) = frame { Some(got.to_vec()) } else { None }) == data);
    peer.write(&claiming(1, 1000, &[0; 100]));
    let (code, reason) = peer.closed();
    assert!(code == Code::Protocol as i32 && reason.contains("not agreed"), "{code} {reason}");
    assert_eq!(client.stats().compressed_messages_sent, 0);
}

/// Row 23: whatever is wrong with a compressed message, its sender is told so, and nobody gets a message.
#[test]
fn bombs_and_lies_are_refused() {
    let zeros = lz4_block_of_zeros();
    let cases: [(Vec<u8>, Code, &str); 9] = [
        (claiming(1, 4_000_000, &[0; 50_000]), Code::MessageTooLarge, "the limit is 1048576"),
        (claiming(2, u32::MAX, &[0; 100]), Code::MessageTooLarge, "the limit is 1048576"),
        (claiming(1, 1_000_000, &zeros), Code::Protocol, "at most 100 times"),
        (claiming(2, 1_000_000, &[0; 100]), Code::Protocol, "at most 100 times"),
        (claiming(1, 500, &zeros), Code::Protocol, "500 bytes"),
        (claiming(2, 5000, &[7; 100]), Code::Protocol, "zstd"),
        (claiming(1, 10, &[0; 100]), Code::Protocol, "shorter"),
        (frame(1, b"abc"), Code::Protocol, "cut short"),
        (frame(3, &[0; 100]), Code::Protocol, "flags 0x03"),
    ];
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_with(Compression::Auto), handler);
    for (bytes, code, says) in cases {
        let hello = Hello::new("bomber", LIMIT).offering(Algorithms::ALL);
        let (mut peer, _) = connect(&server, hello);
        peer.write(&bytes);
        let (got, reason) = peer.closed();
        assert!(got == code as i32 && reason.contains(says), "{says}: {got} {reason}");
        let report = events.closed();
        assert_eq!((report.reason, report.discarded), (Some(code), 0), "{says}");
    }
    assert_eq!(server.stats().messages_received, 0);
}

/// A block that unpacks to a million zeros, 255 for each byte.
fn lz4_block_of_zeros() -> Vec<u8> {
    let mut block = vec![0x1F, 0, 1, 0];
    block.extend_from_slice(&[255; 3900]);
    block.extend_from_slice(&[0, 0x50, 0, 0, 0, 0, 0]);
    block
}

/// A flipped bit is a protocol error, or a message of the right length: neither format has a checksum in itself, as
/// plain messages have none. A session that goes on delivers what comes behind.
#[test]
fn flipped_bits_end_the_session_or_leave_the_length() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_with(Compression::Auto), handler);
    let mut random = Random(9);
    let mut compressor = Compressor::default();
    let (mut delivered, mut refused) = (0, 0);
    for round in 0..200 {
        let hello = Hello::new("flipper", LIMIT).offering(Algorithms::ALL);
        let (mut peer, _) = connect(&server, hello);
        let data = prose(&mut random, 500 + round * 10);
        let algorithm = [Algorithm::Lz4, Algorithm::Zstd][round % 2];
        let parts = [&data[..]];
        let mut bytes = compressor.compress(Kind::Text, algorithm, 1, &parts, data.len()).unwrap().to_vec();
        // Behind the header, which is checked elsewhere.
        let at = HEADER_LEN + random.below(bytes.len() - HEADER_LEN);
        bytes[at] ^= 1 << random.below(8);
        let claimed = u32::from_le_bytes(bytes[HEADER_LEN..HEADER_LEN + 4].try_into().unwrap());
        Frame::Text(b"behind").encode(&mut bytes).unwrap();
        Frame::Ping(1).encode(&mut bytes).unwrap();
        peer.write(&bytes);
        let pong = peer.next(|frame| match frame {
            Frame::Pong(_) => Some(true),
            Frame::Close(close) => {
                assert!([Code::Protocol as i32, Code::MessageTooLarge as i32].contains(&close.code), "{close:?}");
                Some(false)
            }
            _ => None,
        });
        if pong {
            assert_eq!(events.message().1.len(), claimed as usize);
            assert!(events.message() == (Payload::Text, b"behind".to_vec()));
            delivered += 1;
        } else {
            assert_eq!(events.closed().discarded, 0);
            refused += 1;
        }
    }
    assert!(delivered > 0 && refused > 0, "{delivered} delivered, {refused} refused");
}
