//! Options that every connected socket gets.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::config::SessionConfig;

/// Silence after which the kernel probes the peer, the time between probes, and how many may fail.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(30);
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEP_ALIVE_PROBES: u32 = 3;

/// What a configuration says about the socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketOptions {
    keep_alive: bool,
    nodelay: bool,
    receive: Option<usize>,
    send: Option<usize>,
}

impl From<&SessionConfig> for SocketOptions {
    fn from(config: &SessionConfig) -> Self {
        SocketOptions {
            keep_alive: config.keep_alive,
            nodelay: config.nodelay,
            receive: config.kernel_receive,
            send: config.kernel_send,
        }
    }
}

impl SocketOptions {
    /// Sets them. A socket whose peer has gone already may refuse some.
    pub(crate) fn apply(&self, stream: &TcpStream) -> io::Result<()> {
        let socket = SockRef::from(stream);
        socket.set_tcp_nodelay(self.nodelay)?;
        if self.keep_alive {
            let keep_alive = TcpKeepalive::new()
                .with_time(KEEP_ALIVE_AFTER)
                .with_interval(KEEP_ALIVE_EVERY)
                .with_retries(KEEP_ALIVE_PROBES);
            socket.set_tcp_keepalive(&keep_alive)?;
        }
        if let Some(bytes) = self.receive {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.send {
            socket.set_send_buffer_size(bytes)?;
        }
        Ok(())
    }
}
