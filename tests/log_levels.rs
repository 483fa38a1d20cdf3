//! The level up to which `tracing` looks at events at all, of which a process has one.

use network_system::log::{Filter, Log};
use network_system::runtime::Clock;
use tracing::level_filters::LevelFilter;

/// What no log wants costs next to nothing, and a change of a filter is noticed.
#[test]
fn no_more_is_looked_at_than_the_filters_want() {
    assert_eq!(LevelFilter::current(), LevelFilter::OFF);
    let log = Log::new(Filter::up_to(LevelFilter::WARN), Vec::new(), Clock::default());
    let _dispatch = log.dispatch();
    assert_eq!(LevelFilter::current(), LevelFilter::WARN);
    log.set_filter("error,some::target=debug".parse().unwrap());
    assert_eq!(LevelFilter::current(), LevelFilter::DEBUG);
    let other = Log::new(Filter::up_to(LevelFilter::INFO), Vec::new(), Clock::default());
    let _dispatch_of_other = other.dispatch();
    assert_eq!(LevelFilter::current(), LevelFilter::DEBUG);
    log.set_filter("off".parse().unwrap());
    assert_eq!(LevelFilter::current(), LevelFilter::INFO);
    other.set_filter("off".parse().unwrap());
    assert_eq!(LevelFilter::current(), LevelFilter::OFF);
}
