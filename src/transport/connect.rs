//! From a host and a port to a connected socket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpSocket, TcpStream, lookup_host};

use crate::error::{Code, Error, Result};

/// The addresses of `host`, in the system's order of preference. A name is looked up on a thread beside the loop.
pub(crate) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let bare = super::inside_brackets(host).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let failed = |error: io::Error| {
        Error::os(Code::ConnectionFailed, format_args!("cannot resolve the host name {host:?}"), &error)
    };
    let addresses: Vec<SocketAddr> = lookup_host((bare, port)).await.map_err(failed)?.collect();
    if addresses.is_empty() {
        return Err(Error::new(Code::ConnectionFailed, format!("the host name {host:?} has no address")));
    }
    Ok(addresses)
}

/// Connects to the first of `addresses` that accepts; the error is the last one's.
pub(crate) async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream> {
    let mut failure = Error::new(Code::ConnectionFailed, "there is no address to connect to");
    for &address in addresses {
        match connect_to(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Error::os(code_of(&error), format_args!("cannot connect to {address}"), &error),
        }
    }
    Err(failure)
}

async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // Linux then lets a listener bind a port that only such outgoing sockets occupy.
    socket.set_reuse_address(true)?;
    let stream = TcpSocket::from_std_stream(socket.into()).connect(address).await?;
    if is_oneself(&stream) {
        // Without this the port would stay occupied for a minute.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "nothing listens there"));
    }
    Ok(stream)
}

/// A port of the range that the kernel takes for outgoing connections can be given to the very socket that connects to
/// it: then it meets itself, and keeps the port from its server. Only who tries again and again will see that.
fn is_oneself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}

fn code_of(error: &io::Error) -> Code {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Code::ConnectionRefused,
        io::ErrorKind::TimedOut => Code::ConnectionTimeout,
        _ => Code::ConnectionFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_met_itself_is_told_from_others() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _inside = runtime.enter();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let address = socket.local_addr().unwrap();
        socket.connect(&address).unwrap();
        socket.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(socket.into()).unwrap();
        assert!(is_oneself(&stream));
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let other = runtime.block_on(connect_to(server.local_addr().unwrap())).unwrap();
        assert!(!is_oneself(&other));
    }
}
