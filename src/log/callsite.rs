//! What a log remembers of each place in the source that logs: whether it is on, and how much it has said.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use tracing::callsite::Identifier;
use tracing::{Level, Metadata};

use super::{MESSAGES, lock};
use crate::runtime::{Rate, RateLimit};

/// What peers, or a fault that comes again and again, can bring about.
const COMMON: Rate = Rate { each_second: 10, at_once: 20 };

/// What somebody has asked for.
const ASKED_FOR: Rate = Rate { each_second: 1000, at_once: 2000 };

fn rate_of(metadata: &Metadata<'_>) -> Rate {
    let is_asked_for = *metadata.level() >= Level::DEBUG || metadata.target() == MESSAGES;
    if is_asked_for { ASKED_FOR } else { COMMON }
}

/// The places that were met. There are as many as the source has, so none is ever forgotten, and finding one takes no
/// lock.
#[derive(Default)]
pub(super) struct Callsites {
    lists: [Link; LISTS],
}

/// More than one list, so that they are short.
const LISTS: usize = 32;

type Link = OnceLock<Box<Node>>;

struct Node {
    identifier: Identifier,
    callsite: Callsite,
    next: Link,
}

impl Callsites {
    pub(super) fn find(&self, metadata: &Metadata<'_>) -> &Callsite {
        let identifier = metadata.callsite();
        let mut link = &self.lists[metadata.line().unwrap_or(0) as usize % LISTS];
        loop {
            let node = link.get_or_init(|| {
                let callsite = Callsite::new(rate_of(metadata));
                Box::new(Node { identifier: identifier.clone(), callsite, next: Link::new() })
            });
            if node.identifier == identifier {
                return &node.callsite;
            }
            link = &node.next;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Callsite> {
        self.lists
            .iter()
            .flat_map(|list| std::iter::successors(list.get(), |node| node.next.get()).map(|node| &node.callsite))
    }
}

/// A line that was left out.
#[derive(Clone)]
pub(super) struct LeftOut {
    pub level: Level,
    pub target: &'static str,
    pub text: String,
}

/// One place in the source.
pub(super) struct Callsite {
    /// Twice the number of the filter that decided, and 1 more if the place is on; 0 before.
    verdict: AtomicU64,
    rate: Rate,
    limit: RateLimit,
    /// Lines left out since the last one that was not,
    left_out: AtomicU64,
    /// and the first of them.
    first: Mutex<Option<LeftOut>>,
}

impl Callsite {
    fn new(rate: Rate) -> Callsite {
        Callsite {
            verdict: AtomicU64::new(0),
            rate,
            limit: RateLimit::default(),
            left_out: AtomicU64::new(0),
            first: Mutex::new(None),
        }
    }

    /// Whether it is on by the filter of that number, which `decide` asks, with the number it has then.
    pub(super) fn is_on(&self, number: u64, decide: impl FnOnce() -> (u64, bool)) -> bool {
        let verdict = self.verdict.load(Ordering::Relaxed);
        if verdict >> 1 == number {
            return verdict & 1 == 1;
        }
        let (number, on) = decide();
        self.verdict.store(number << 1 | u64::from(on), Ordering::Relaxed);
        on
    }

    /// Lets a line through, and tells how many before it were left out, or leaves this one out, too.
    pub(super) fn pass(&self, now_ns: u64, line: impl FnOnce() -> LeftOut) -> Option<u64> {
        if self.limit.take(self.rate, now_ns) {
            return Some(self.left_out.swap(0, Ordering::Relaxed));
        }
        if self.left_out.fetch_add(1, Ordering::Relaxed) == 0 {
            *lock(&self.first) = Some(line());
        }
        None
    }

    /// The first line that was left out and not told of, and how many followed it.
    pub(super) fn take_left_out(&self) -> Option<(LeftOut, u64)> {
        let more = self.left_out.swap(0, Ordering::Relaxed).checked_sub(1)?;
        lock(&self.first).take().map(|first| (first, more))
    }
}
