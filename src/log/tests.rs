use std::time::Duration;

use tracing::dispatcher;

use super::*;
use crate::runtime::ManualClock;

/// Keeps the lines as "LEVEL target: text".
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Sink for Lines {
    fn log(&self, record: &Record<'_>) {
        assert!(record.unix_ms > 1_600_000_000_000, "the clock is set");
        lock(&self.0).push(format!("{} {}: {}", record.level, record.target, record.text));
        tracing::error!("an event from inside the sink goes nowhere");
    }
}

impl Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0))
    }
}

struct Fixture {
    lines: Arc<Lines>,
    clock: ManualClock,
    log: Log,
    dispatch: Dispatch,
}

fn fixture(filter: &str) -> Fixture {
    let (lines, clock) = (Arc::new(Lines::default()), ManualClock::new());
    let log = Log::new(filter.parse().expect("a filter"), vec![lines.clone()], clock.clock());
    let dispatch = log.dispatch();
    Fixture { lines, clock, log, dispatch }
}

impl Fixture {
    fn within(&self, work: impl FnOnce()) {
        dispatcher::with_default(&self.dispatch, work);
    }
}

#[test]
fn events_up_to_the_level_are_lines() {
    let f = fixture("info");
    f.within(|| {
        tracing::error!(target: "a", "broken {}", 7);
        tracing::warn!(target: "b", count = 3, name = "x y", "odd");
        tracing::info!(target: "c", flag = true);
        tracing::debug!(target: "d", "not asked for");
        tracing::info_span!(target: "e", "span").in_scope(|| tracing::info!(target: "f", "in\nside"));
    });
    tracing::error!(target: "g", "outside");
    let expected = ["ERROR a: broken 7", "WARN b: odd count=3 name=x y", "INFO c: flag=true", "INFO f: in\\nside"];
    assert_eq!(f.lines.take(), expected);
}

/// The same places in the source again and again, under filters that change.
#[test]
fn a_filter_can_be_changed_at_any_time() {
    let events = || {
        tracing::warn!(target: "a::b", "1");
        tracing::info!(target: "a::b", "2");
        tracing::trace!(target: "a::b::c", "3");
        tracing::error!(target: "d", "4");
    };
    // Met for the first time on a thread without a log.
    events();
    let f = fixture("warn");
    let other = fixture("off");
    for (filter, expected) in [
        ("warn", "14"),
        ("off", ""),
        ("trace", "1234"),
        ("a=info", "12"),
        ("error,a::b::c=trace", "34"),
        ("info,a::b=off", "4"),
        ("warn", "14"),
    ] {
        f.log.set_filter(filter.parse().expect("a filter"));
        f.within(events);
        let texts: String = f.lines.take().iter().filter_map(|line| line.chars().last()).collect();
        assert_eq!(texts, expected, "{filter}");
        other.within(events);
        assert_eq!(other.lines.take(), [""; 0]);
    }
}

/// What `tracing` caches of a place in the source that is first met where nothing is logged.
#[test]
fn a_place_first_met_on_another_thread_is_logged_later() {
    fn event() {
        tracing::warn!("here");
    }
    let f = fixture("warn");
    std::thread::spawn(event).join().expect("no panic");
    f.within(event);
    assert_eq!(f.lines.take().len(), 1);
}

/// Reliability row 57: 10 lines a second, however many events there are.
#[test]
fn a_flood_is_few_lines() {
    fn event(n: u32) {
        tracing::warn!(target: "t", "flood {n}");
    }
    let f = fixture("warn");
    f.within(|| (0..1_000_000).for_each(event));
    assert_eq!(f.lines.take().len(), 20, "at once");
    f.clock.advance(Duration::from_millis(99));
    f.within(|| event(0));
    assert_eq!(f.lines.take(), [""; 0]);
    f.clock.advance(Duration::from_millis(1));
    f.within(|| (0..10).for_each(event));
    assert_eq!(f.lines.take(), ["WARN t: flood 0 (999981 more like it were left out)"]);
    for second in 0..10 {
        f.clock.advance(Duration::from_secs(1));
        f.within(|| (0..1000).for_each(event));
        let lines = f.lines.take();
        assert_eq!(lines.len(), 10, "second {second}");
        assert!(lines[0].ends_with("more like it were left out)"), "{}", lines[0]);
        assert!(lines[1..].iter().all(|line| !line.contains("left out")), "{lines:?}");
    }
    // Another place, and another log, have limits of their own.
    f.within(|| tracing::warn!(target: "t", "another"));
    let other = fixture("warn");
    other.within(|| event(1));
    assert_eq!((f.lines.take().len(), other.lines.take().len()), (1, 1));
}

#[test]
fn the_end_tells_of_what_was_left_out_last() {
    let f = fixture("warn");
    f.within(|| (0..50).for_each(|n| tracing::warn!(target: "t", "flood {n}")));
    f.within(|| (0..21).for_each(|n| tracing::warn!(target: "t", "short {n}")));
    f.within(|| (0..20).for_each(|n| tracing::warn!(target: "t", "none {n}")));
    assert_eq!(f.lines.take().len(), 60);
    f.log.close();
    let mut lines = f.lines.take();
    lines.sort();
    assert_eq!(lines, ["WARN t: flood 20 (29 more like it were left out)", "WARN t: short 20"]);
    f.clock.advance(Duration::from_secs(1));
    f.within(|| tracing::warn!("late"));
    f.log.close();
    assert_eq!(f.lines.take(), [""; 0]);
}

#[test]
fn what_was_asked_for_is_more() {
    let f = fixture("trace");
    f.within(|| {
        (0..5000).for_each(|_| tracing::debug!("a"));
        (0..5000).for_each(|_| tracing::trace!("b"));
        (0..5000).for_each(|_| tracing::info!(target: MESSAGES, "c"));
        (0..5000).for_each(|_| tracing::info!("d"));
    });
    let lines = f.lines.take();
    let count = |text: &str| lines.iter().filter(|line| line.ends_with(text)).count();
    assert_eq!(["a", "b", "c", "d"].map(count), [2000, 2000, 2000, 20]);
}

/// Whoever closes a log may free what its sinks use.
#[test]
fn no_sink_is_called_after_the_close() {
    struct Freed(Mutex<bool>);
    impl Sink for Freed {
        fn log(&self, _record: &Record<'_>) {
            assert!(!*lock(&self.0), "it is used after the close");
            std::thread::yield_now();
        }
    }
    let freed = Arc::new(Freed(Mutex::new(false)));
    let log = Log::new(Filter::up_to(LevelFilter::TRACE), vec![freed.clone()], Clock::default());
    let dispatch = log.dispatch();
    let (go, started) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let go = go.clone();
            let dispatch = &dispatch;
            scope.spawn(move || {
                dispatcher::with_default(dispatch, || {
                    (0..2000).for_each(|n| {
                        tracing::debug!("{n}");
                        if n == 10 {
                            go.send(()).expect("it is awaited");
                        }
                    });
                });
            });
        }
        (0..3).for_each(|_| started.recv().expect("they log"));
        log.close();
        *lock(&freed.0) = true;
    });
}

#[test]
fn many_places_are_told_apart() {
    macro_rules! places {
        ($($n:literal)*) => { [$(|| tracing::warn!("{}", $n)),*] };
    }
    // All on one line, so in one list.
    let places: [fn(); 12] = places!(0 1 2 3 4 5 6 7 8 9 10 11);
    let f = fixture("warn");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| f.within(|| (0..10).for_each(|_| places.iter().for_each(|place| place()))));
        }
    });
    let lines = f.lines.take();
    for n in 0..12 {
        assert_eq!(lines.iter().filter(|line| line.ends_with(&format!(": {n}"))).count(), 20, "{n}");
    }
}
