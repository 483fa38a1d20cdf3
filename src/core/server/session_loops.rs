//! The loops over which a server's sessions are spread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpStream;

use crate::error::Result;
use crate::runtime::{Context, LoopRef};

/// The loop that accepts, first, and those that it shares the sessions with.
pub(super) struct SessionLoops {
    loops: Vec<LoopRef>,
    /// How many sessions were placed.
    placed: AtomicUsize,
}

impl SessionLoops {
    /// `count` loops, the server's own included, but no more than the context may have.
    pub(super) fn new(context: &Arc<Context>, own: &LoopRef, count: usize) -> Result<SessionLoops> {
        let mut session_loops = SessionLoops { loops: vec![own.clone()], placed: AtomicUsize::new(0) };
        while session_loops.loops.len() < count.min(context.max_loops()) {
            let event_loop = context.assign_loop_beside(&session_loops.loops)?;
            event_loop.add_endpoint();
            session_loops.loops.push(event_loop);
        }
        Ok(session_loops)
    }

    /// The loop for the next session: each in turn.
    pub(super) fn next(&self) -> &LoopRef {
        &self.loops[self.placed.fetch_add(1, Ordering::Relaxed) % self.loops.len()]
    }

    /// Has that loop's poller watch the stream, which the first one accepted.
    pub(super) fn move_to(&self, event_loop: &LoopRef, stream: TcpStream) -> io::Result<TcpStream> {
        if event_loop.is(&self.loops[0]) {
            return Ok(stream);
        }
        let stream = stream.into_std()?;
        let _inside = event_loop.enter();
        TcpStream::from_std(stream)
    }
}

impl Drop for SessionLoops {
    fn drop(&mut self) {
        self.loops[1..].iter().for_each(LoopRef::remove_endpoint);
    }
}
