use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;

use super::*;

/// Counts its drops.
struct Counted {
    drops: Arc<AtomicUsize>,
    value: u64,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

const KIND: NonZeroU8 = NonZeroU8::new(4).unwrap();

impl Entry for Counted {
    fn kind(&self) -> NonZeroU8 {
        KIND
    }
}

fn counter() -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(0))
}

fn insert(table: &Table<Counted>, drops: &Arc<AtomicUsize>, value: u64) -> u64 {
    table.insert(Counted { drops: drops.clone(), value }).ok().expect("there is room")
}

#[test]
fn an_object_is_found_until_it_is_removed() {
    let (table, drops) = (Table::new(), counter());
    let id = insert(&table, &drops, 7);
    assert_eq!(kind_of(id), Some(KIND));
    assert_eq!(table.get(id).expect("live").value, 7);
    assert!(table.remove(id).is_some());
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    assert!(table.get(id).is_none());
    assert!(table.remove(id).is_none());
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

#[test]
fn a_pin_keeps_a_removed_object() {
    let (table, drops) = (Table::new(), counter());
    let id = insert(&table, &drops, 1);
    let pin = table.get(id).expect("live");
    drop(table.remove(id).expect("live"));
    assert!(table.get(id).is_none());
    assert_eq!((pin.value, drops.load(Ordering::Relaxed)), (1, 0));
    let other = insert(&table, &drops, 2);
    assert_ne!(other as u32 & INDEX_MASK, id as u32 & INDEX_MASK, "the slot is not free while it is pinned");
    drop(pin);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

#[test]
fn a_stale_id_does_not_name_the_successor_in_its_slot() {
    let (table, drops) = (Table::new(), counter());
    let stale = insert(&table, &drops, 1);
    drop(table.remove(stale));
    let id = insert(&table, &drops, 2);
    assert_eq!(id as u32, stale as u32, "the slot is used again");
    assert_eq!((id >> 32) as u32, ((stale >> 32) as u32).wrapping_add(1));
    assert!(table.get(stale).is_none());
    assert!(table.remove(stale).is_none());
    assert_eq!(table.get(id).expect("live").value, 2);
}

#[test]
fn another_kind_in_the_id_is_refused() {
    let (table, drops) = (Table::new(), counter());
    let id = insert(&table, &drops, 1);
    for kind in (0..=255u64).filter(|kind| *kind != u64::from(KIND.get())) {
        let forged = id & !(0xFF << INDEX_BITS) | kind << INDEX_BITS;
        assert!(table.get(forged).is_none());
        assert!(table.remove(forged).is_none());
    }
    assert!(table.get(id).is_some());
}

#[test]
fn the_generation_wraps_without_touching_the_rest() {
    let (table, drops) = (Table::new(), counter());
    let id = insert(&table, &drops, 1);
    let slot = table.slot(0).expect("used");
    slot.word.fetch_or(u64::from(u32::MAX) << GENERATION_SHIFT, Ordering::Relaxed);
    let last = id | u64::from(u32::MAX) << GENERATION_SHIFT;
    drop(table.remove(last).expect("live"));
    let wrapped = insert(&table, &drops, 2);
    assert_eq!(wrapped >> GENERATION_SHIFT, 0);
    assert_eq!(table.get(wrapped).expect("live").value, 2);
    assert_eq!(slot.word.load(Ordering::Relaxed), LIVE);
}

#[test]
fn first_generations_differ() {
    let (one, other, drops) = (Table::new(), Table::new(), counter());
    let ids: Vec<u64> = (0..8).flat_map(|i| [insert(&one, &drops, i), insert(&other, &drops, i)]).collect();
    let generations: std::collections::HashSet<u64> = ids.iter().map(|id| id >> GENERATION_SHIFT).collect();
    assert!(generations.len() > 8, "16 random numbers of 32 bits are hardly ever the same: {generations:x?}");
}

#[test]
fn random_ids_name_nothing() {
    let (table, drops) = (Table::new(), counter());
    let ids: Vec<u64> = (0..1000).map(|value| insert(&table, &drops, value)).collect();
    let mut state = RandomState::new().hash_one(0u8);
    for round in 0..10_000_000u64 {
        // xorshift64*: no hit is expected in 10^7 of 2^64, whatever the seed.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let forged = state.wrapping_mul(0x2545_F491_4F6C_DD1D);
        // Every other one has a valid index and kind, which leaves the generation to be guessed.
        let forged = if round % 2 == 0 { forged } else { forged & !0xFFFF_FFFF | u64::from(ids[0] as u32) };
        if forged == ids[0] {
            continue;
        }
        assert!(table.get(forged).is_none(), "{forged:#x}");
        if round % 64 == 0 {
            assert!(table.remove(forged).is_none(), "{forged:#x}");
        }
    }
    for (value, id) in ids.iter().enumerate() {
        assert_eq!(table.get(*id).expect("untouched").value, value as u64);
    }
    assert_eq!(drops.load(Ordering::Relaxed), 0);
}

#[test]
fn every_index_has_one_place() {
    let mut expected = (0, 0);
    for index in 0..CAPACITY {
        assert_eq!(Table::<Counted>::place(index), expected);
        expected.1 += 1;
        if expected.1 == (FIRST_CHUNK as usize) << expected.0 {
            expected = (expected.0 + 1, 0);
        }
    }
    assert_eq!(expected, (CHUNKS, 0));
    let table = Table::<Counted>::new();
    assert!((CAPACITY..=INDEX_MASK).all(|index| table.slot(index).is_none()));
}

#[test]
fn a_full_table_gives_the_object_back() {
    let (table, drops) = (Table::new(), counter());
    let last = {
        table.free().fresh = CAPACITY - 1;
        insert(&table, &drops, 1)
    };
    let refused = table.insert(Counted { drops: drops.clone(), value: 2 }).expect_err("there is no room");
    assert_eq!(refused.value, 2);
    drop(table.remove(last));
    insert(&table, &drops, 3);
}

#[test]
fn dropping_the_table_drops_what_it_holds_once() {
    let (table, drops) = (Table::new(), counter());
    let ids: Vec<u64> = (0..200).map(|value| insert(&table, &drops, value)).collect();
    ids.iter().take(50).for_each(|id| drop(table.remove(*id)));
    assert_eq!(drops.load(Ordering::Relaxed), 50);
    drop(table);
    assert_eq!(drops.load(Ordering::Relaxed), 200);
}

#[test]
fn an_object_may_use_the_table_while_it_is_dropped() {
    struct Chain(&'static Table<Chain>, Option<u64>);
    impl Entry for Chain {
        fn kind(&self) -> NonZeroU8 {
            KIND
        }
    }
    impl Drop for Chain {
        fn drop(&mut self) {
            if let Some(next) = self.1 {
                assert!(self.0.remove(next).is_some());
                assert!(self.0.insert(Chain(self.0, None)).is_ok());
            }
        }
    }
    static TABLE: Table<Chain> = Table::new();
    let end = TABLE.insert(Chain(&TABLE, None)).ok();
    let start = TABLE.insert(Chain(&TABLE, end)).ok().expect("there is room");
    drop(TABLE.remove(start));
    assert!(TABLE.get(end.expect("there is room")).is_none());
}

/// Threads look up, insert and remove at random in few slots.
#[test]
fn concurrent_look_ups_and_removals_never_see_a_dropped_object() {
    const THREADS: u64 = 8;
    const ROUNDS: u64 = 200_000;
    let (table, drops) = (Table::new(), counter());
    let inserted = AtomicUsize::new(0);
    let removed = AtomicUsize::new(0);
    let shelf: Vec<AtomicU64> = (0..16).map(|_| AtomicU64::new(0)).collect();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (table, drops, shelf, inserted, removed) = (&table, &drops, &shelf, &inserted, &removed);
            scope.spawn(move || {
                let mut state = RandomState::new().hash_one(thread) | 1;
                for round in 0..ROUNDS {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    let place = &shelf[(state >> 8) as usize % shelf.len()];
                    let id = place.load(Ordering::Acquire);
                    match state % 8 {
                        0 => {
                            let value = thread * ROUNDS + round;
                            let new = insert(table, drops, value);
                            inserted.fetch_add(1, Ordering::Relaxed);
                            let old = place.swap(new, Ordering::AcqRel);
                            if let Some(pin) = table.remove(old) {
                                removed.fetch_add(1, Ordering::Relaxed);
                                assert!(pin.value < THREADS * ROUNDS);
                            }
                        }
                        1 => {
                            if table.remove(id).is_some() {
                                removed.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        _ => {
                            if let Some(pin) = table.get(id) {
                                assert!(pin.value < THREADS * ROUNDS);
                                // The counter is dropped with the object: a strong count of 0 would be a use after.
                                assert!(Arc::strong_count(&pin.drops) > 1);
                            }
                        }
                    }
                }
            });
        }
    });
    assert_eq!(drops.load(Ordering::Relaxed), removed.load(Ordering::Relaxed), "each removed object, once");
    let live = inserted.load(Ordering::Relaxed) - removed.load(Ordering::Relaxed);
    drop(table);
    assert_eq!(drops.load(Ordering::Relaxed), removed.load(Ordering::Relaxed) + live);
    assert_eq!(Arc::strong_count(&drops), 1);
}

/// All threads fight for the removal of the same object: one wins.
#[test]
fn one_of_many_concurrent_removals_wins() {
    let (table, drops) = (Table::new(), counter());
    for round in 0..2_000 {
        let id = insert(&table, &drops, round);
        let (start, wins) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !start.load(Ordering::Acquire) {
                        std::hint::spin_loop();
                    }
                    if table.remove(id).is_some() {
                        wins.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            start.store(true, Ordering::Release);
        });
        assert_eq!(wins.load(Ordering::Relaxed), 1);
        assert_eq!(drops.load(Ordering::Relaxed), round as usize + 1);
    }
}
