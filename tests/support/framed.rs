//! Framed peers made by hand, which say what the library's own never would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use network_system::transport::frame::{Decoder, Frame, PREAMBLE};
use network_system::transport::hello::Hello;

use super::PATIENCE;

/// The limit of messages where nothing else is said.
pub const LIMIT: u32 = 1 << 20;

/// What a peer says first: the preamble, and this frame.
pub fn first(frame: Frame<'_>) -> Vec<u8> {
    let mut bytes = PREAMBLE.to_vec();
    frame.encode(&mut bytes).unwrap();
    bytes
}

/// What a client says first.
pub fn hello(id: &str) -> Vec<u8> {
    first(Frame::Hello(Hello::new(id, LIMIT)))
}

/// What a server says first.
pub fn hello_ack(id: &str) -> Vec<u8> {
    first(Frame::HelloAck(Hello::new(id, LIMIT)))
}

/// The frame of a message of so many bytes.
pub fn message(len: usize) -> Vec<u8> {
    let mut frame = Vec::new();
    Frame::Binary(&vec![7; len]).encode(&mut frame).unwrap();
    frame
}

/// The end of a connection that is not the library's, over TCP or TLS.
pub struct Peer<S> {
    pub stream: S,
    decoder: Decoder,
    /// What has been read and not looked at.
    kept: Vec<u8>,
}

impl Peer<TcpStream> {
    pub fn connect(address: SocketAddr) -> Peer<TcpStream> {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Peer::over(stream)
    }
}

impl<S: Read + Write> Peer<S> {
    pub fn over(stream: S) -> Peer<S> {
        Peer { stream, decoder: Decoder::new(LIMIT), kept: Vec::new() }
    }

    /// Says hello, and takes the preamble of the answer.
    pub fn greet(&mut self, hello: Hello<'_>) {
        self.decoder.set_agreed(hello.offered());
        self.write(&first(Frame::Hello(hello)));
        self.preamble();
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Takes the preamble of the other side, before all frames.
    pub fn preamble(&mut self) {
        let mut preamble = [0; PREAMBLE.len()];
        self.stream.read_exact(&mut preamble).unwrap();
        assert_eq!(preamble, PREAMBLE);
    }

    /// Drops frames until one is what `pick` looks for.
    pub fn next<T>(&mut self, mut pick: impl FnMut(Frame<'_>) -> Option<T>) -> T {
        loop {
            let kept = std::mem::take(&mut self.kept);
            let mut input = &kept[..];
            while let Some((header, payload)) = self.decoder.next(&mut input).unwrap() {
                if let Some(found) = pick(Frame::decode(header, payload).unwrap()) {
                    self.kept = input.to_vec();
                    return found;
                }
            }
            let mut bytes = vec![0; 65_536];
            let len = self.stream.read(&mut bytes).unwrap();
            assert!(len > 0, "the stream has ended");
            bytes.truncate(len);
            self.kept = bytes;
        }
    }

    /// The code and reason of the close that the other side sends.
    pub fn closed(&mut self) -> (i32, String) {
        self.next(
            |frame| if let Frame::Close(close) = frame { Some((close.code, close.reason.to_owned())) } else { None },
        )
    }

    /// Nothing comes any more.
    pub fn ended(&mut self) {
        assert!(self.kept.is_empty(), "something came behind");
        assert_eq!(self.stream.read(&mut [0; 1]).unwrap(), 0);
    }
}
