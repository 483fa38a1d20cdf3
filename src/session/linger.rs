//! Reading off what a peer still sends after we have ended our direction.
//!
//! A close with unread input sends a reset, and a reset destroys what the peer has not read yet: so the last thing
//! that was sent to it would be lost.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::runtime::with_read_buffer;
use crate::transport::Stream;

const IDLE: Duration = Duration::from_secs(1);
const TOTAL: Duration = Duration::from_secs(5);

/// Discards input until the peer ends its direction, is silent for a second, or five seconds have passed.
pub(crate) async fn linger(stream: Arc<Stream>) {
    let end = Instant::now() + TOTAL;
    let mut idle = pin!(tokio::time::sleep(IDLE));
    poll_fn(|cx| {
        while let Poll::Ready(read) = with_read_buffer(|buffer| stream.poll_discard(cx, buffer)) {
            match read {
                Ok(read) if read.len > 0 => idle.as_mut().reset(end.min(Instant::now() + IDLE)),
                _ => return Poll::Ready(()),
            }
            if Instant::now() >= end {
                return Poll::Ready(());
            }
        }
        idle.as_mut().poll(cx)
    })
    .await;
}
