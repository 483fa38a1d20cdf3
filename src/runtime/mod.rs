//! Contexts and their loops, the batches in which a loop handles what arrived, and where else handlers can run.

pub(crate) mod batch;
mod budget;
mod busy_poll;
mod clock;
mod context;
mod event_loop;
mod executor;
mod logging;
mod manual;
mod pool;
mod rate;
mod stop;
mod strand;
mod thread;

pub(crate) use budget::{Budget, Share, Ticket, buffered_bytes};
pub use clock::{Clock, ManualClock};
pub use context::{Context, ContextHooks};
pub(crate) use context::{Endpoint, EndpointGuard, EndpointPlace, Membership};
pub(crate) use event_loop::{LoopRef, WeakLoop, with_read_buffer};
pub use executor::{Dispatch, Executor};
pub(crate) use logging::{logging_to, takes_a_line, taking_a_line};
pub(crate) use manual::ManualQueue;
pub(crate) use rate::{Rate, RateLimit};
pub(crate) use stop::StopSignal;
pub use strand::Job;
pub(crate) use strand::{Place, Strand, TURN};
pub(crate) use thread::as_library_thread;
pub use thread::on_library_thread;
