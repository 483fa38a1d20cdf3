//! Contexts, loops, and the batches in which a loop handles what arrived.

pub(crate) mod batch;
mod clock;
mod context;
mod event_loop;
mod stop;

pub use clock::{Clock, ManualClock};
pub use context::{Context, ContextHooks};
pub(crate) use context::{Endpoint, EndpointGuard, Membership};
pub use event_loop::on_library_thread;
pub(crate) use event_loop::{LoopRef, WeakLoop, with_read_buffer};
pub(crate) use stop::StopSignal;
