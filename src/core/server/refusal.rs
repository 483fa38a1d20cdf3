//! Telling a connection over the limit why it is ended.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::config::Framing;
use crate::error::Error;
use crate::runtime::with_read_buffer;
use crate::session::linger;
use crate::transport::Stream;
use crate::transport::frame::{self, Detect, PREAMBLE, classify};

/// How long a peer has to show that it speaks the framed protocol. All is over within 100 ms.
const PATIENCE: Duration = Duration::from_millis(60);

/// Sends a framed peer a close with the reason, and ends the connection.
pub(super) async fn refuse(stream: Arc<Stream>, framing: Framing, reason: &Error) {
    let framed = match framing {
        Framing::Framed => true,
        Framing::Raw => false,
        Framing::Auto => tokio::time::timeout(PATIENCE, says_hello(&stream)).await.unwrap_or(false),
    };
    if framed {
        let answer = frame::refusal(reason);
        // A fresh socket takes so little, as soon as the poller has looked at it.
        let ready = poll_fn(|cx| stream.poll_write_ready(cx));
        if tokio::time::timeout(PATIENCE, ready).await.is_ok() {
            let _ = stream.try_write(&answer);
        }
    }
    stream.shutdown_write();
    linger(stream).await;
}

/// Whether the first bytes are a preamble.
async fn says_hello(stream: &Stream) -> bool {
    let mut first = Vec::new();
    poll_fn(|cx| {
        while let Poll::Ready(read) = with_read_buffer(|buffer| {
            stream.poll_read(cx, buffer).map(|read| {
                let len = read.map_or(0, |read| read.len);
                first.extend_from_slice(&buffer[..len.min(PREAMBLE.len())]);
                len
            })
        }) {
            match classify(&first) {
                Detect::Framed => return Poll::Ready(true),
                Detect::NeedMore if read > 0 => {}
                _ => return Poll::Ready(false),
            }
        }
        Poll::Pending
    })
    .await
}
