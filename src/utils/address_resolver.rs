//! Host names to addresses: waiting for them or told of them, within a time, with what is known kept for a while.
//!
//! The system's look-up (getaddrinfo) waits, and nothing can end it. So each runs on a thread made for look-ups, of
//! which there are few and which end when there is nothing to look up; whoever asked waits beside it, and can be told
//! that time is up while the look-up goes on. One further thread, the courier, calls the handlers of those who did not
//! wait; it is there while there are such.

mod cache;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::cache::Cache;
use crate::error::{Code, Error, Result, panic_text};
use crate::runtime::{as_library_thread, on_library_thread};
use crate::sys;
use crate::transport::Address;

/// The longest name that DNS can carry, with the dot of the root behind it.
const LONGEST_NAME: usize = 254;

/// What a resolver is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverConfig {
    /// The most look-ups at a time, each of which has a thread while it goes on.
    pub max_threads: usize,
    /// The most names that wait for one of these threads; more are refused.
    pub max_queued: usize,
    /// The most names whose addresses are kept; 0: none.
    pub cache_capacity: usize,
    /// How long addresses are kept; zero: not at all.
    pub cache_lifetime: Duration,
    /// How long it is kept that a name could not be resolved; zero: not at all.
    pub failure_lifetime: Duration,
}

impl Default for ResolverConfig {
    fn default() -> ResolverConfig {
        ResolverConfig {
            max_threads: 4,
            max_queued: 1024,
            cache_capacity: 1024,
            cache_lifetime: Duration::from_secs(60),
            failure_lifetime: Duration::from_secs(5),
        }
    }
}

/// Which addresses of a host are wanted. Within a family they stay in the system's order of preference (RFC 6724).
///
/// The numbers are part of the ABI.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// All, as the system orders them.
    #[default]
    Any = 0,
    /// All, those of IPv4 first.
    Ipv4First = 1,
    /// All, those of IPv6 first.
    Ipv6First = 2,
    /// Those of IPv4.
    Ipv4Only = 3,
    /// Those of IPv6.
    Ipv6Only = 4,
}

impl Family {
    fn of(self, host: &str, known: &[Address]) -> Result<Vec<Address>> {
        let mut addresses = known.to_vec();
        match self {
            Family::Any => {}
            Family::Ipv4First => addresses.sort_by_key(|address| !address.ip.is_ipv4()),
            Family::Ipv6First => addresses.sort_by_key(|address| !address.ip.is_ipv6()),
            Family::Ipv4Only => addresses.retain(|address| address.ip.is_ipv4()),
            Family::Ipv6Only => addresses.retain(|address| address.ip.is_ipv6()),
        }
        if addresses.is_empty() {
            let text = format!("{host:?} has no address of the family asked for ({self:?}): ask for any");
            return Err(Error::new(Code::NotFound, text));
        }
        Ok(addresses)
    }
}

/// The addresses of a name; may take any time. Runs on threads of the resolver.
pub type LookUp = dyn Fn(&str) -> Result<Vec<Address>> + Send + Sync;

/// Where a resolver gets addresses and the time from.
#[derive(Clone)]
pub struct Sources {
    /// What knows the addresses of names.
    pub look_up: Arc<LookUp>,
    /// The time by which what is known grows old.
    pub clock: Arc<dyn Fn() -> Instant + Send + Sync>,
}

impl Default for Sources {
    /// The system's.
    fn default() -> Sources {
        Sources { look_up: Arc::new(look_up), clock: Arc::new(Instant::now) }
    }
}

fn look_up(host: &str) -> Result<Vec<Address>> {
    match sys::look_up(host) {
        Ok(addresses) => Ok(addresses.into_iter().map(Address::from).collect()),
        Err(sys::LookUpFailure::NotFound(text)) => Err(Error::new(
            Code::NotFound,
            format!("no host is called {host:?} ({text}): check the spelling, /etc/hosts and /etc/resolv.conf"),
        )),
        Err(sys::LookUpFailure::NoAnswer(text)) => Err(Error::new(
            Code::ConnectionFailed,
            format!(
                "no name server could tell the address of {host:?} ({text}): check the network and /etc/resolv.conf"
            ),
        )),
        Err(sys::LookUpFailure::System(error)) => {
            Err(Error::os(Code::Io, format_args!("cannot look up the host name {host:?}"), &error))
        }
    }
}

type Answer = Result<Arc<[Address]>>;
type Handler = Box<dyn FnOnce(Result<Vec<Address>>) + Send>;

/// Looks up host names. All functions may be called on any thread at any time, handlers included.
pub struct AddressResolver(Arc<Shared>);

struct Shared {
    config: ResolverConfig,
    sources: Sources,
    state: Mutex<State>,
    /// Signalled when there is an answer or a request, or the resolver closes or has closed.
    changed: Condvar,
}

struct State {
    closed: bool,
    cache: Cache,
    /// What is queued or being looked up, by name: asked for again, it is waited for together.
    flights: HashMap<String, Arc<Flight>>,
    /// Those for which there is no thread yet.
    queue: VecDeque<Arc<Flight>>,
    /// How many threads look up.
    threads: usize,
    /// What is owed to handlers, in the order of asking.
    requests: VecDeque<Request>,
    /// The thread that calls them; it may have ended.
    courier: Option<JoinHandle<()>>,
    courier_runs: bool,
}

/// One look-up. References are made under the lock, and dropped under it while there is no answer.
struct Flight {
    host: String,
    answer: OnceLock<Answer>,
}

/// A wish that a handler is to be told of.
struct Request {
    flight: Arc<Flight>,
    family: Family,
    wait: Wait,
    handler: Handler,
}

/// How long somebody waits.
#[derive(Clone, Copy)]
struct Wait {
    timeout: Option<Duration>,
    deadline: Option<Instant>,
}

impl Wait {
    fn from_now(timeout: Option<Duration>) -> Wait {
        Wait { timeout, deadline: timeout.and_then(|timeout| Instant::now().checked_add(timeout)) }
    }

    /// What is left; `None`: no end.
    fn left(self, now: Instant) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(now))
    }
}

impl fmt::Debug for AddressResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressResolver").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl AddressResolver {
    /// A resolver that asks the system. It has no thread until something is looked up.
    pub fn new(config: ResolverConfig) -> Result<AddressResolver> {
        AddressResolver::with_sources(config, Sources::default())
    }

    /// A resolver that asks `sources`.
    pub fn with_sources(config: ResolverConfig, sources: Sources) -> Result<AddressResolver> {
        for (value, name) in [(config.max_threads, "max_threads"), (config.max_queued, "max_queued")] {
            if value == 0 {
                return Err(Error::invalid(format!("{name} is 0: a resolver needs at least 1")));
            }
        }
        sys::watch_fork();
        let state = State {
            closed: false,
            cache: Cache::new(config.cache_capacity),
            flights: HashMap::new(),
            queue: VecDeque::new(),
            threads: 0,
            requests: VecDeque::new(),
            courier: None,
            courier_runs: false,
        };
        Ok(AddressResolver(Arc::new(Shared { config, sources, state: Mutex::new(state), changed: Condvar::new() })))
    }

    /// The addresses of `host`: a name, or an address itself, which is given back without looking it up. Waits at most
    /// `timeout`; `None`: as long as the system takes.
    ///
    /// Fails with [`Code::Timeout`], [`Code::Cancelled`] (closed meanwhile), [`Code::NotFound`] (no such name, or none
    /// of its addresses is of the family), [`Code::ConnectionFailed`] (no name server answered),
    /// [`Code::OutOfMemory`] (too many names are waiting), [`Code::InvalidArgument`] (no possible name),
    /// [`Code::Io`] (the system failed), or [`Code::WouldDeadlock`] on a thread of the library.
    pub fn resolve(&self, host: &str, family: Family, timeout: Option<Duration>) -> Result<Vec<Address>> {
        if on_library_thread() {
            return Err(Error::new(
                Code::WouldDeadlock,
                "this is a thread of the library, which a look-up would hold up: have a handler told of the addresses",
            ));
        }
        let wait = Wait::from_now(timeout);
        let numeric = numeric(host)?;
        let mut state = self.0.lock();
        let flight = self.0.board(&mut state, host, numeric)?;
        loop {
            if let Some(answer) = flight.answer.get() {
                drop(state);
                return answer.as_ref().map_err(Error::clone).and_then(|known| family.of(host, known));
            }
            if state.closed {
                return Err(cancelled(host));
            }
            let left = wait.left(Instant::now());
            if left == Some(Duration::ZERO) {
                state.give_up(flight);
                return Err(timed_out(host, wait));
            }
            state = self.0.wait(state, left);
        }
    }

    /// Has `handler` told what [`AddressResolver::resolve`] would return. It is called exactly once if this returns
    /// `Ok`, and not at all otherwise: on the resolver's own thread, which is one of the library's, and never from
    /// inside this call. Handlers of one resolver never overlap.
    pub fn resolve_async(
        &self,
        host: &str,
        family: Family,
        timeout: Option<Duration>,
        handler: impl FnOnce(Result<Vec<Address>>) + Send + 'static,
    ) -> Result<()> {
        let wait = Wait::from_now(timeout);
        let numeric = numeric(host)?;
        let mut state = self.0.lock();
        let flight = self.0.board(&mut state, host, numeric)?;
        if let Err(error) = self.0.start_courier(&mut state) {
            state.give_up(flight);
            return Err(error);
        }
        state.requests.push_back(Request { flight, family, wait, handler: Box::new(handler) });
        self.0.changed.notify_all();
        Ok(())
    }

    /// Forgets what was looked up. What is being looked up now is still given to those who asked, and kept.
    pub fn clear_cache(&self) {
        self.0.lock().cache.clear();
    }

    /// How many names are kept, those included that could not be resolved.
    pub fn cached(&self) -> usize {
        let now = (self.0.sources.clock)();
        self.0.lock().cache.len(now)
    }

    /// Ends the resolver: whoever still waits gets [`Code::Cancelled`], and when this returns no handler runs any more.
    /// It waits for handlers, never for a look-up; one that hangs is left to end by itself, and nobody is told of it.
    ///
    /// On a thread of the library, and so inside handlers, it does not wait: what is still owed to handlers follows.
    pub fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.queue.clear();
        state.flights.clear();
        state.cache.clear();
        self.0.changed.notify_all();
        if on_library_thread() {
            return;
        }
        while state.courier_runs {
            state = self.0.wait(state, None);
        }
        let courier = state.courier.take();
        drop(state);
        if courier.is_some_and(|courier| courier.join().is_err()) {
            tracing::error!("the thread of an address resolver panicked");
        }
    }
}

impl Drop for AddressResolver {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of the user's runs under the lock, and nothing in it panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change, at most `left`.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, left: Option<Duration>) -> MutexGuard<'a, State> {
        match left {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
        }
    }

    /// The look-up of `host`, which may be under way already, or one that has its answer already.
    fn board(self: &Arc<Self>, state: &mut State, host: &str, numeric: Option<Address>) -> Result<Arc<Flight>> {
        if state.closed {
            return Err(cancelled(host));
        }
        // Names do not differ by case.
        let name = host.to_ascii_lowercase();
        let known = match numeric {
            Some(address) => Some(Ok(Arc::from([address]))),
            None => state.cache.get(&name, (self.sources.clock)()),
        };
        if let Some(answer) = known {
            return Ok(Arc::new(Flight { host: name, answer: answer.into() }));
        }
        if let Some(flight) = state.flights.get(&name) {
            return Ok(Arc::clone(flight));
        }
        if state.queue.len() >= self.config.max_queued {
            return Err(Error::new(
                Code::OutOfMemory,
                format!(
                    "{} names wait for being looked up already: check whether the name servers answer, or raise \
                     max_queued",
                    state.queue.len()
                ),
            ));
        }
        if state.threads < self.config.max_threads {
            let shared = Arc::clone(self);
            match start_thread("netsys-lookup", move || shared.look_up_all()) {
                Ok(_) => state.threads += 1,
                // Those that there are will do it.
                Err(_) if state.threads > 0 => {}
                Err(error) => return Err(error),
            }
        }
        let flight = Arc::new(Flight { host: name.clone(), answer: OnceLock::new() });
        state.flights.insert(name, Arc::clone(&flight));
        state.queue.push_back(Arc::clone(&flight));
        Ok(flight)
    }

    /// The work of a thread that looks up.
    fn look_up_all(&self) {
        let mut state = self.lock();
        while let Some(flight) = state.queue.pop_front() {
            drop(state);
            let answer = self.look_up(&flight.host);
            let now = (self.sources.clock)();
            state = self.lock();
            state.flights.remove(&flight.host);
            state.cache.keep(&flight.host, &answer, self.lifetime(&answer), now);
            // It has none: each is looked up once.
            _ = flight.answer.set(answer);
            self.changed.notify_all();
        }
        state.threads -= 1;
    }

    fn look_up(&self, host: &str) -> Answer {
        let found = catch_unwind(AssertUnwindSafe(|| (self.sources.look_up)(host))).unwrap_or_else(|panic| {
            Err(Error::new(Code::Internal, format!("looking up {host:?} panicked: {}", panic_text(&*panic))))
        })?;
        if found.is_empty() {
            return Err(Error::new(Code::NotFound, format!("the host {host:?} has no address")));
        }
        Ok(found.into())
    }

    /// How long an answer holds.
    fn lifetime(&self, answer: &Answer) -> Duration {
        match answer {
            Ok(_) => self.config.cache_lifetime,
            Err(error) if matches!(error.code, Code::NotFound | Code::ConnectionFailed) => self.config.failure_lifetime,
            // This host's own trouble says nothing of the name.
            Err(_) => Duration::ZERO,
        }
    }

    fn start_courier(self: &Arc<Self>, state: &mut State) -> Result<()> {
        if !state.courier_runs {
            let shared = Arc::clone(self);
            state.courier = Some(start_thread("netsys-resolver", move || as_library_thread(|| shared.deliver_all()))?);
            state.courier_runs = true;
        }
        Ok(())
    }

    /// The work of the courier.
    fn deliver_all(&self) {
        let mut state = self.lock();
        while !state.requests.is_empty() {
            let now = Instant::now();
            let Some((request, outcome)) = state.next_due(now) else {
                let left = state.requests.iter().filter_map(|request| request.wait.left(now)).min();
                state = self.wait(state, left);
                continue;
            };
            drop(state);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| request(outcome))) {
                tracing::error!("a handler of an address resolver panicked: {}", panic_text(&*panic));
            }
            state = self.lock();
        }
        state.courier_runs = false;
        self.changed.notify_all();
    }
}

impl State {
    /// The first request of which something is known, with that.
    fn next_due(&mut self, now: Instant) -> Option<(Handler, Result<Vec<Address>>)> {
        let closed = self.closed;
        let is_due = |request: &Request| {
            closed || request.flight.answer.get().is_some() || request.wait.left(now) == Some(Duration::ZERO)
        };
        let at = self.requests.iter().position(is_due)?;
        let Request { flight, family, wait, handler } = self.requests.remove(at)?;
        let outcome = match flight.answer.get() {
            _ if closed => Err(cancelled(&flight.host)),
            Some(Ok(known)) => family.of(&flight.host, known),
            Some(Err(error)) => Err(error.clone()),
            None => {
                let error = timed_out(&flight.host, wait);
                self.give_up(flight);
                Err(error)
            }
        };
        Some((handler, outcome))
    }

    /// Somebody no longer waits for a look-up. One that nobody waits for is not begun.
    fn give_up(&mut self, flight: Arc<Flight>) {
        let queued = self.queue.iter().position(|other| Arc::ptr_eq(other, &flight));
        // The three are the queue's, that of `flights`, and this one.
        if let Some(at) = queued.filter(|_| Arc::strong_count(&flight) == 3) {
            self.queue.remove(at);
            self.flights.remove(&flight.host);
        }
    }
}

/// The address that `host` is, if it is none that has to be looked up.
fn numeric(host: &str) -> Result<Option<Address>> {
    if host.contains([':', '[', ']', '%']) {
        // No name has one of these.
        return host.parse().map(Some);
    }
    if host.is_empty() {
        return Err(Error::invalid("the host is empty: give a name or an address"));
    }
    if host.len() > LONGEST_NAME {
        return Err(Error::invalid(format!("the host name is {} bytes long: {LONGEST_NAME} is the most", host.len())));
    }
    if let Some(wrong) = host.chars().find(|c| c.is_whitespace() || c.is_control() || *c == '/') {
        return Err(Error::invalid(format!("the host {host:?} has {wrong:?} in it, which no name or address has")));
    }
    Ok(host.parse().ok())
}

fn start_thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let work = || {
        sys::block_sigpipe();
        work();
    };
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| Error::os(Code::Io, "cannot start a thread for looking up names", &error))
}

fn cancelled(host: &str) -> Error {
    Error::new(Code::Cancelled, format!("the resolver was closed before {host:?} was resolved"))
}

fn timed_out(host: &str, wait: Wait) -> Error {
    Error::new(
        Code::Timeout,
        format!(
            "{host:?} was not resolved within {} ms: allow more time, or check the name servers in /etc/resolv.conf",
            wait.timeout.unwrap_or_default().as_millis()
        ),
    )
}
