//! What is known of names, for a while.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Answer;
use crate::config::LONGEST;

/// Answers by name: never more than its capacity, and none that is too old is given.
pub(super) struct Cache {
    capacity: usize,
    entries: HashMap<String, Entry>,
}

struct Entry {
    answer: Answer,
    expires: Instant,
}

impl Cache {
    pub(super) fn new(capacity: usize) -> Cache {
        Cache { capacity, entries: HashMap::new() }
    }

    pub(super) fn get(&self, name: &str, now: Instant) -> Option<Answer> {
        self.entries.get(name).filter(|entry| now < entry.expires).map(|entry| entry.answer.clone())
    }

    /// Keeps an answer for `lifetime`. Where there is no room, the one that would expire first makes way.
    pub(super) fn keep(&mut self, name: &str, answer: &Answer, lifetime: Duration, now: Instant) {
        let Some(expires) =
            now.checked_add(lifetime.min(LONGEST)).filter(|expires| now < *expires && self.capacity > 0)
        else {
            self.entries.remove(name);
            return;
        };
        if self.entries.len() >= self.capacity && !self.entries.contains_key(name) {
            self.entries.retain(|_, entry| now < entry.expires);
        }
        if self.entries.len() >= self.capacity && !self.entries.contains_key(name) {
            let first = self.entries.iter().min_by_key(|(_, entry)| entry.expires).map(|(name, _)| name.clone());
            first.map(|first| self.entries.remove(&first));
        }
        self.entries.insert(name.to_owned(), Entry { answer: answer.clone(), expires });
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(super) fn len(&self, now: Instant) -> usize {
        self.entries.values().filter(|entry| now < entry.expires).count()
    }
}
