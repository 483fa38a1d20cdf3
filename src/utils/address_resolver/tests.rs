use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// Longer than anything here takes on the slowest machine; reached only where a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// For waits whose end the test brings about: the look-up they are for goes on until they have ended.
const SHORT: Option<Duration> = Some(Duration::from_millis(1));

/// The names of the world, told by the test: each look-up says what it is for and waits for the test's answer.
struct Names {
    asked: Receiver<String>,
    answers: Sender<Result<Vec<Address>>>,
    now: Arc<Mutex<Instant>>,
}

impl Names {
    fn resolver(config: ResolverConfig) -> (Arc<AddressResolver>, Names) {
        let (asking, asked) = channel();
        let (answers, answering) = channel();
        let answering = Mutex::new(answering);
        let now = Arc::new(Mutex::new(Instant::now()));
        let clock = Arc::clone(&now);
        let sources = Sources {
            look_up: Arc::new(move |host| {
                // A test that has ended listens no more, and lets those go who wait.
                _ = asking.send(host.to_owned());
                answering.lock().unwrap().recv().unwrap_or(Err(Error::from(Code::Internal)))
            }),
            clock: Arc::new(move || *clock.lock().unwrap()),
        };
        let resolver = AddressResolver::with_sources(config, sources).expect("a valid configuration");
        (Arc::new(resolver), Names { asked, answers, now })
    }

    fn asked(&self) -> String {
        self.asked.recv_timeout(PATIENCE).expect("a look-up was awaited and did not come")
    }

    /// What the next look-up, or the one that waits, gives.
    fn answer(&self, answer: Result<Vec<Address>>) {
        self.answers.send(answer).expect("the resolver lives");
    }

    fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }
}

/// The handlers' reports.
struct Reports(Sender<Result<Vec<Address>>>, Receiver<Result<Vec<Address>>>);

impl Reports {
    fn new() -> Reports {
        let (sender, receiver) = channel();
        Reports(sender, receiver)
    }

    fn handler(&self) -> impl FnOnce(Result<Vec<Address>>) + Send + 'static {
        let sender = self.0.clone();
        move |outcome| _ = sender.send(outcome)
    }

    fn next(&self) -> Result<Vec<Address>> {
        self.1.recv_timeout(PATIENCE).expect("a handler's call was awaited and did not come")
    }

    fn assert_none(&self) {
        assert!(self.1.try_recv().is_err(), "one call each");
    }
}

fn addresses(texts: &[&str]) -> Vec<Address> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

fn code<T: fmt::Debug>(outcome: Result<T>) -> Code {
    outcome.expect_err("an error").code
}

fn not_found() -> Result<Vec<Address>> {
    Err(Error::new(Code::NotFound, "nobody is called that"))
}

#[test]
fn addresses_come_in_the_systems_order() {
    let (resolver, names) = Names::resolver(ResolverConfig::default());
    let known = addresses(&["2001:db8::2", "192.0.2.9", "2001:db8::1", "192.0.2.1"]);
    names.answer(Ok(known.clone()));
    assert_eq!(resolver.resolve("example.org", Family::Any, None), Ok(known.clone()));
    assert_eq!(names.asked(), "example.org");

    let reports = Reports::new();
    resolver.resolve_async("example.org", Family::Any, None, reports.handler()).expect("accepted");
    assert_eq!(reports.next(), Ok(known));
}

#[test]
fn a_family_is_preferred_or_required() {
    let (resolver, names) = Names::resolver(ResolverConfig::default());
    names.answer(Ok(addresses(&["2001:db8::2", "192.0.2.9", "2001:db8::1", "192.0.2.1"])));
    let resolve = |host, family| resolver.resolve(host, family, None);
    assert_eq!(
        resolve("both", Family::Ipv4First),
        Ok(addresses(&["192.0.2.9", "192.0.2.1", "2001:db8::2", "2001:db8::1"]))
    );
    // From here on all is known.
    assert_eq!(
        resolve("both", Family::Ipv6First),
        Ok(addresses(&["2001:db8::2", "2001:db8::1", "192.0.2.9", "192.0.2.1"]))
    );
    assert_eq!(resolve("both", Family::Ipv4Only), Ok(addresses(&["192.0.2.9", "192.0.2.1"])));
    assert_eq!(resolve("both", Family::Ipv6Only), Ok(addresses(&["2001:db8::2", "2001:db8::1"])));
    assert_eq!(resolve("192.0.2.1", Family::Ipv6First), Ok(addresses(&["192.0.2.1"])));
    let error = resolve("192.0.2.1", Family::Ipv6Only).expect_err("IPv4");
    assert_eq!(error.code, Code::NotFound);
    assert!(error.message.contains("ask for any"), "{error}");
}

#[test]
fn an_address_is_never_looked_up() {
    let (resolver, names) = Names::resolver(ResolverConfig::default());
    for (host, address) in [("192.0.2.1", "192.0.2.1"), ("[::1]", "::1"), ("::1", "::1"), ("fe80::1%7", "fe80::1%7")] {
        assert_eq!(resolver.resolve(host, Family::Any, Some(Duration::ZERO)), Ok(addresses(&[address])));
    }
    let reports = Reports::new();
    resolver.resolve_async("::1", Family::Any, Some(Duration::ZERO), reports.handler()).expect("accepted");
    assert_eq!(reports.next(), Ok(addresses(&["::1"])));
    assert!(names.asked.try_recv().is_err());
    assert_eq!(resolver.cached(), 0);
}

#[test]
fn what_can_be_no_name_is_refused() {
    let (resolver, names) = Names::resolver(ResolverConfig::default());
    let too_long = "x".repeat(LONGEST_NAME + 1);
    for host in ["", "a b", "a\0b", "a\n", "10.0.0.0/8", "host:80", "[host]", "fe80::1%no-such-if", &too_long] {
        assert_eq!(code(resolver.resolve(host, Family::Any, None)), Code::InvalidArgument, "{host:?}");
        let refused = resolver.resolve_async(host, Family::Any, None, |_| panic!("refused, so not called"));
        assert_eq!(code(refused), Code::InvalidArgument, "{host:?}");
    }
    assert!(names.asked.try_recv().is_err());
    let without_threads = ResolverConfig { max_threads: 0, ..ResolverConfig::default() };
    assert_eq!(code(AddressResolver::new(without_threads)), Code::InvalidArgument);
}

#[test]
fn addresses_are_kept_for_their_lifetime() {
    let config = ResolverConfig::default();
    let lifetime = config.cache_lifetime;
    let (resolver, names) = Names::resolver(config);
    let (old, new) = (addresses(&["192.0.2.1"]), addresses(&["192.0.2.2"]));
    names.answer(Ok(old.clone()));
    assert_eq!(resolver.resolve("example.org", Family::Any, None), Ok(old.clone()));
    names.pass(lifetime - Duration::from_nanos(1));
    assert_eq!(resolver.resolve("EXAMPLE.org", Family::Any, Some(Duration::ZERO)), Ok(old));
    assert_eq!(resolver.cached(), 1);
    names.pass(Duration::from_nanos(1));
    assert_eq!(resolver.cached(), 0);
    names.answer(Ok(new.clone()));
    assert_eq!(resolver.resolve("example.org", Family::Any, None), Ok(new));
    assert_eq!([names.asked(), names.asked()], ["example.org", "example.org"]);
}

#[test]
fn failures_are_kept_for_less_time() {
    let config = ResolverConfig::default();
    let lifetime = config.failure_lifetime;
    assert!(lifetime < config.cache_lifetime);
    let (resolver, names) = Names::resolver(config);
    for failure in [Code::NotFound, Code::ConnectionFailed] {
        names.answer(Err(failure.into()));
        assert_eq!(code(resolver.resolve("example.org", Family::Any, None)), failure);
        names.pass(lifetime - Duration::from_nanos(1));
        assert_eq!(code(resolver.resolve("example.org", Family::Any, Some(Duration::ZERO))), failure);
        names.pass(Duration::from_nanos(1));
    }
    // What went wrong on this host is not kept at all.
    names.answer(Err(Code::Io.into()));
    assert_eq!(code(resolver.resolve("example.org", Family::Any, None)), Code::Io);
    names.answer(Ok(Vec::new()));
    assert_eq!(code(resolver.resolve("example.org", Family::Any, None)), Code::NotFound);
    assert_eq!(names.asked.try_iter().count(), 4);
}

#[test]
fn nothing_is_kept_if_so_configured() {
    for config in [
        ResolverConfig { cache_capacity: 0, ..ResolverConfig::default() },
        ResolverConfig {
            cache_lifetime: Duration::ZERO,
            failure_lifetime: Duration::ZERO,
            ..ResolverConfig::default()
        },
    ] {
        let (resolver, names) = Names::resolver(config);
        for answer in [Ok(addresses(&["192.0.2.1"])), not_found()] {
            names.answer(answer.clone());
            assert_eq!(resolver.resolve("example.org", Family::Any, None), answer);
            assert_eq!((names.asked().as_str(), resolver.cached()), ("example.org", 0));
        }
    }
}

#[test]
fn the_cache_is_bounded_and_can_be_cleared() {
    let (resolver, names) = Names::resolver(ResolverConfig { cache_capacity: 2, ..ResolverConfig::default() });
    let found = addresses(&["192.0.2.1"]);
    for host in ["first", "second", "third"] {
        names.answer(Ok(found.clone()));
        assert_eq!(resolver.resolve(host, Family::Any, None), Ok(found.clone()));
        assert_eq!(names.asked(), host);
        names.pass(Duration::from_secs(1));
    }
    assert_eq!(resolver.cached(), 2);
    assert_eq!(resolver.resolve("third", Family::Any, None), Ok(found.clone()));
    assert_eq!(resolver.resolve("second", Family::Any, None), Ok(found.clone()));
    names.answer(Ok(found.clone()));
    assert_eq!(resolver.resolve("first", Family::Any, None), Ok(found.clone()));
    assert_eq!(names.asked(), "first");
    resolver.clear_cache();
    assert_eq!(resolver.cached(), 0);
    names.answer(Ok(found.clone()));
    assert_eq!(resolver.resolve("first", Family::Any, None), Ok(found));
    assert_eq!(names.asked(), "first");
}

#[test]
fn equal_look_ups_are_one() {
    let (resolver, names) = Names::resolver(ResolverConfig::default());
    let reports = Reports::new();
    resolver.resolve_async("example.org", Family::Any, None, reports.handler()).expect("accepted");
    assert_eq!(names.asked(), "example.org");
    for host in ["example.org", "Example.Org"] {
        resolver.resolve_async(host, Family::Ipv4Only, None, reports.handler()).expect("accepted");
    }
    assert_eq!(code(resolver.resolve("example.org", Family::Any, Some(Duration::ZERO))), Code::Timeout);
    names.answer(Ok(addresses(&["::1", "127.0.0.1"])));
    assert_eq!(reports.next(), Ok(addresses(&["::1", "127.0.0.1"])));
    assert_eq!([reports.next(), reports.next()], [Ok(addresses(&["127.0.0.1"])), Ok(addresses(&["127.0.0.1"]))]);
    assert!(names.asked.try_recv().is_err());
    reports.assert_none();
}

#[test]
fn a_look_up_that_hangs_times_out_and_its_late_answer_is_kept() {
    let (resolver, names) = Names::resolver(ResolverConfig::default());
    let reports = Reports::new();
    let error = resolver.resolve("slow", Family::Any, SHORT).expect_err("it hangs");
    assert_eq!(error.code, Code::Timeout);
    assert!(error.message.contains("\"slow\" was not resolved within 1 ms"), "{error}");
    resolver.resolve_async("slow", Family::Any, SHORT, reports.handler()).expect("accepted");
    assert_eq!(code(reports.next()), Code::Timeout);

    let found = addresses(&["192.0.2.1"]);
    names.answer(Ok(found.clone()));
    assert_eq!(resolver.resolve("slow", Family::Any, None), Ok(found));
    assert_eq!(names.asked(), "slow");
    assert!(names.asked.try_recv().is_err(), "both waited for the one look-up");
    resolver.close();
    reports.assert_none();
}

#[test]
fn threads_and_queue_are_bounded() {
    let config = ResolverConfig { max_threads: 1, max_queued: 1, ..ResolverConfig::default() };
    let (resolver, names) = Names::resolver(config);
    let reports = Reports::new();
    let ask = |host| resolver.resolve_async(host, Family::Any, None, reports.handler());
    ask("first").expect("the thread's");
    assert_eq!(names.asked(), "first");
    ask("second").expect("the queue's");
    ask("second").expect("the same");
    let error = ask("third").expect_err("no room");
    assert_eq!(error.code, Code::OutOfMemory);
    assert!(error.message.contains("raise max_queued"), "{error}");
    assert!(names.asked.try_recv().is_err(), "the one thread is busy");
    names.answer(Ok(addresses(&["192.0.2.1"])));
    assert_eq!(reports.next(), Ok(addresses(&["192.0.2.1"])));
    assert_eq!(names.asked(), "second");
    names.answer(not_found());
    assert_eq!([code(reports.next()), code(reports.next())], [Code::NotFound; 2]);
    reports.assert_none();
}

#[test]
fn what_nobody_waits_for_any_more_is_not_looked_up() {
    let config = ResolverConfig { max_threads: 1, max_queued: 1, ..ResolverConfig::default() };
    let (resolver, names) = Names::resolver(config);
    let reports = Reports::new();
    resolver.resolve_async("first", Family::Any, None, reports.handler()).expect("accepted");
    assert_eq!(names.asked(), "first");
    assert_eq!(code(resolver.resolve("given up", Family::Any, None)), Code::InvalidArgument);
    assert_eq!(code(resolver.resolve("given-up", Family::Any, Some(Duration::ZERO))), Code::Timeout);
    resolver.resolve_async("given-up-too", Family::Any, SHORT, reports.handler()).expect("there is room again");
    assert_eq!(code(reports.next()), Code::Timeout);
    resolver.resolve_async("last", Family::Any, None, reports.handler()).expect("there is room again");
    names.answer(not_found());
    assert_eq!(names.asked(), "last");
    names.answer(not_found());
    assert_eq!([code(reports.next()), code(reports.next())], [Code::NotFound; 2]);
}

#[test]
fn who_gives_up_takes_nothing_from_those_who_wait() {
    let (resolver, names) = Names::resolver(ResolverConfig { max_threads: 1, ..ResolverConfig::default() });
    let reports = Reports::new();
    resolver.resolve_async("first", Family::Any, None, |_| {}).expect("accepted");
    assert_eq!(names.asked(), "first");
    resolver.resolve_async("queued", Family::Any, None, reports.handler()).expect("accepted");
    assert_eq!(code(resolver.resolve("queued", Family::Any, Some(Duration::ZERO))), Code::Timeout);
    let impatient = Reports::new();
    resolver.resolve_async("queued", Family::Any, SHORT, impatient.handler()).expect("accepted");
    assert_eq!(code(impatient.next()), Code::Timeout);
    names.answer(not_found());
    assert_eq!(names.asked(), "queued");
    names.answer(Ok(addresses(&["192.0.2.1"])));
    assert_eq!(reports.next(), Ok(addresses(&["192.0.2.1"])));
}

#[test]
fn closing_cancels_and_waits_for_no_look_up() {
    let (resolver, names) = Names::resolver(ResolverConfig::default());
    let reports = Reports::new();
    for _ in 0..3 {
        resolver.resolve_async("hangs", Family::Any, None, reports.handler()).expect("accepted");
    }
    assert_eq!(names.asked(), "hangs");
    let waiting = thread::spawn({
        let resolver = Arc::clone(&resolver);
        move || resolver.resolve("hangs-too", Family::Any, None)
    });
    assert_eq!(names.asked(), "hangs-too");
    resolver.close();
    // Without waiting: they were called before the close returned.
    let cancelled: Vec<Code> = reports.1.try_iter().map(code).collect();
    assert_eq!(cancelled, [Code::Cancelled; 3]);
    assert_eq!(code(waiting.join().expect("no panic")), Code::Cancelled);

    assert_eq!(code(resolver.resolve("192.0.2.1", Family::Any, None)), Code::Cancelled);
    assert_eq!(code(resolver.resolve_async("x", Family::Any, None, reports.handler())), Code::Cancelled);
    resolver.close();
    // The look-ups end at last, and nobody is told.
    names.answer(Ok(addresses(&["192.0.2.1"])));
    names.answer(Ok(addresses(&["192.0.2.1"])));
    drop(resolver);
    drop(names);
    reports.assert_none();
}

#[test]
fn closing_waits_for_the_handler_that_runs() {
    let (resolver, _names) = Names::resolver(ResolverConfig::default());
    let (began, beginning) = channel();
    let (go_on, going_on) = channel::<()>();
    let reports = Reports::new();
    let report = reports.handler();
    resolver
        .resolve_async("::1", Family::Any, None, move |outcome| {
            began.send(()).expect("the test lives");
            going_on.recv().expect("the test lives");
            report(outcome);
        })
        .expect("accepted");
    beginning.recv_timeout(PATIENCE).expect("the handler runs");
    let closing = thread::spawn(move || {
        resolver.close();
        reports.1.try_recv().expect("the handler has ended")
    });
    go_on.send(()).expect("the handler lives");
    assert_eq!(closing.join().expect("no panic"), Ok(addresses(&["::1"])));
}

#[test]
fn inside_a_handler_nothing_waits_and_closing_is_put_off() {
    let (resolver, names) = Names::resolver(ResolverConfig::default());
    let reports = Reports::new();
    let (inner, outer) = (Reports::new(), reports.handler());
    let (tell, told) = channel();
    let inside = Arc::clone(&resolver);
    let inner_handler = inner.handler();
    let (go_on, going_on) = channel::<()>();
    resolver
        .resolve_async("::1", Family::Any, None, move |outcome| {
            going_on.recv().expect("the test lives");
            let refused = inside.resolve("::1", Family::Any, None);
            let accepted = inside.resolve_async("hangs-too", Family::Any, None, inner_handler);
            inside.close();
            tell.send((refused, accepted)).expect("the test lives");
            outer(outcome);
        })
        .expect("accepted");
    resolver.resolve_async("hangs", Family::Any, None, reports.handler()).expect("accepted");
    go_on.send(()).expect("the handler lives");
    let (refused, accepted) = told.recv_timeout(PATIENCE).expect("the handler runs");
    assert_eq!(code(refused), Code::WouldDeadlock);
    assert_eq!(accepted, Ok(()));
    assert_eq!(reports.next(), Ok(addresses(&["::1"])));
    assert_eq!([code(reports.next()), code(inner.next())], [Code::Cancelled; 2]);
    drop(resolver);
    reports.assert_none();
    drop(names);
}

#[test]
fn panics_go_no_further() {
    let sources = Sources { look_up: Arc::new(|_| panic!("lost")), ..Sources::default() };
    let resolver = AddressResolver::with_sources(ResolverConfig::default(), sources).expect("valid");
    let error = resolver.resolve("example.org", Family::Any, None).expect_err("a panic");
    assert_eq!((error.code, error.message.as_ref()), (Code::Internal, "looking up \"example.org\" panicked: lost"));
    let reports = Reports::new();
    resolver.resolve_async("::1", Family::Any, None, |_| panic!("a handler's")).expect("accepted");
    resolver.resolve_async("::1", Family::Any, None, reports.handler()).expect("accepted");
    assert_eq!(reports.next(), Ok(addresses(&["::1"])));
}

#[test]
fn the_system_knows_this_host() {
    let resolver = AddressResolver::new(ResolverConfig::default()).expect("valid");
    let found = resolver.resolve("localhost", Family::Any, None).expect("every host knows it");
    assert!(found.iter().all(|address| address.class() == crate::transport::AddressClass::Loopback), "{found:?}");
    assert_eq!(resolver.resolve("LOCALHOST", Family::Any, Some(Duration::ZERO)), Ok(found));
}

#[test]
fn many_ask_while_it_closes() {
    for _ in 0..50 {
        let (resolver, names) = Names::resolver(ResolverConfig::default());
        let reports = Reports::new();
        let accepted: usize = thread::scope(|scope| {
            let askers: Vec<_> = (0..4)
                .map(|asker| {
                    let (resolver, reports) = (&resolver, Reports(reports.0.clone(), channel().1));
                    scope.spawn(move || {
                        (0..20)
                            .filter(|name| {
                                let host = if name % 2 == 0 { "::1".to_owned() } else { format!("{asker}.{name}.org") };
                                resolver.resolve_async(&host, Family::Any, None, reports.handler()).is_ok()
                            })
                            .count()
                    })
                })
                .collect();
            names.answer(not_found());
            scope.spawn(|| resolver.close());
            askers.into_iter().map(|asker| asker.join().expect("no panic")).sum()
        });
        assert_eq!(reports.1.try_iter().count(), accepted, "a call for each, and all before the close returned");
    }
}
