//! Settings of a context.

/// The most that a loop may be told to poll busily.
pub(crate) const MAX_BUSY_POLL_US: u32 = 1_000_000;

/// Settings of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextConfig {
    /// The most loops, and so loop threads, that it makes; further servers and clients share them.
    pub max_loops: usize,
    /// How many threads run the handlers that are dispatched to the pool, once there are such; 0: as many as the
    /// machine has processors.
    pub pool_threads: usize,
    /// For how many microseconds after its last work a loop asks for events over and over before it sleeps. That halves
    /// the time of a lone round trip, and takes a whole processor for each loop meanwhile; 0: it sleeps at once.
    pub busy_poll_us: u32,
    /// The beginning of its threads' names.
    pub thread_name_prefix: String,
    /// What all its sessions may hold together in buffers, in bytes. Beyond it, sends meet a full queue, and sessions
    /// in the middle of a message stop reading until there is room.
    pub max_buffered: usize,
}

impl Default for ContextConfig {
    fn default() -> Self {
        ContextConfig {
            max_loops: 64,
            pool_threads: 0,
            busy_poll_us: 0,
            thread_name_prefix: "netsys".into(),
            max_buffered: 256 * 1024 * 1024,
        }
    }
}
