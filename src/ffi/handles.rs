//! The handle table: 64-bit generational ids for shared objects.
//!
//! An id is `generation (32) | kind (8) | index (24)`. A slot's generation starts at a random value and grows with
//! each removal, so that an id that is stale, removed twice or made up names nothing: it is refused, and never leads
//! to undefined behaviour. Kinds start at 1, so 0 is no id.
//!
//! A look-up takes no lock. Each slot has one atomic word, `generation (32) | LIVE | RETIRED | pins (30)`. A look-up
//! adds a pin and looks at the rest of the word as it was at that moment: if it is live and of the right generation,
//! the object stays until the pin is gone. A removal turns LIVE into RETIRED and takes the next generation; whoever
//! takes the last pin away afterwards drops the object and gives the slot back. A look-up that fails pins the slot
//! for a moment too, which delays that, and does no harm.
//!
//! Slots live in chunks of doubling size that are made when first needed and never freed before the table, so the
//! address of a slot never changes.

use std::cell::UnsafeCell;
use std::hash::{BuildHasher, RandomState};
use std::mem::MaybeUninit;
use std::num::NonZeroU8;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

const INDEX_BITS: u32 = 24;
const KIND_BITS: u32 = 8;
const GENERATION_SHIFT: u32 = INDEX_BITS + KIND_BITS;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

const LIVE: u64 = 1 << 31;
const RETIRED: u64 = 1 << 30;
const PIN: u64 = 1;
const PINS: u64 = RETIRED - 1;
/// What is added to a word for the next generation. An overflow leaves the word at its top, and so wraps.
const NEXT_GENERATION: u64 = 1 << GENERATION_SHIFT;

/// The first chunk has this many slots; chunk `n` has `FIRST_CHUNK << n`.
const FIRST_CHUNK: u32 = 64;
const CHUNKS: usize = (INDEX_BITS - FIRST_CHUNK.ilog2()) as usize;
/// All chunks together; a little less than 2^24.
const CAPACITY: u32 = FIRST_CHUNK * ((1 << CHUNKS) - 1);

/// What a table can hold: values that know which kind of handle names them.
pub(crate) trait Entry: Send + Sync {
    /// The kind of the value, the same for its whole life.
    fn kind(&self) -> NonZeroU8;
}

/// One place for an object. Its cache line is its own: neighbours are used by other threads.
#[repr(align(64))]
struct Slot<T> {
    word: AtomicU64,
    /// Initialised exactly while the word is LIVE or RETIRED.
    object: UnsafeCell<MaybeUninit<T>>,
}

/// Which slots are free. Taken only when an object is inserted or dropped.
struct Free {
    /// Used before and free again.
    again: Vec<u32>,
    /// The first index that was never used.
    fresh: u32,
    /// Where the first generation of a fresh slot comes from.
    random: Option<RandomState>,
}

/// A table of objects, each named by an id.
pub(crate) struct Table<T> {
    chunks: [OnceLock<Box<[Slot<T>]>>; CHUNKS],
    free: Mutex<Free>,
}

// SAFETY: the objects are shared between threads by reference (T: Sync) and dropped on any of them (T: Send). Access
// to `object` is ordered by `word`: see `Pin` and `Table::insert`.
unsafe impl<T: Send + Sync> Sync for Table<T> {}

impl<T> Table<T> {
    /// An empty table, which owns no memory yet.
    pub(crate) const fn new() -> Self {
        Table {
            chunks: [const { OnceLock::new() }; CHUNKS],
            free: Mutex::new(Free { again: Vec::new(), fresh: 0, random: None }),
        }
    }

    /// The chunk that holds the slot with this index, and the slot's place in it.
    fn place(index: u32) -> (usize, usize) {
        let shifted = index + FIRST_CHUNK;
        let chunk = shifted.ilog2() - FIRST_CHUNK.ilog2();
        (chunk as usize, (shifted - (FIRST_CHUNK << chunk)) as usize)
    }

    /// The slot with this index, if it was ever used.
    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        let (chunk, offset) = Self::place(index);
        self.chunks.get(chunk)?.get()?.get(offset)
    }

    /// The slot with this index, made if need be.
    fn make_slot(&self, index: u32) -> &Slot<T> {
        let (chunk, offset) = Self::place(index);
        let slots = self.chunks[chunk].get_or_init(|| {
            // Zeroed memory is not touched, and so costs nothing, until a slot in it is used.
            let zeroed = Box::new_zeroed_slice((FIRST_CHUNK as usize) << chunk);
            // SAFETY: a word of 0 is a valid one, and says that the object is not initialised.
            unsafe { zeroed.assume_init() }
        });
        &slots[offset]
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        // A panic (of the allocator) in a push or pop leaves the list whole.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Entry> Table<T> {
    /// Stores the object and returns its id; gives the object back if 2^24 others are held already.
    pub(crate) fn insert(&self, object: T) -> Result<u64, T> {
        let kind = object.kind();
        let (index, first_generation) = {
            let mut free = self.free();
            match free.again.pop() {
                Some(index) => (index, None),
                None if free.fresh < CAPACITY => {
                    let index = free.fresh;
                    free.fresh += 1;
                    let random = free.random.get_or_insert_with(RandomState::new);
                    (index, Some(random.hash_one(index) >> GENERATION_SHIFT))
                }
                None => return Err(object),
            }
        };
        let slot = self.make_slot(index);
        if let Some(generation) = first_generation {
            // Only pins of look-ups that fail can have changed the word of a fresh slot, so these bits are all 0.
            slot.word.fetch_or(generation << GENERATION_SHIFT, Ordering::Relaxed);
        }
        // SAFETY: the slot came from the free list, so this thread alone owns it; it is neither LIVE nor RETIRED, so
        // nobody reads the object before the word says LIVE.
        unsafe { (*slot.object.get()).write(object) };
        // Release: a look-up that sees LIVE sees the object.
        let word = slot.word.fetch_or(LIVE, Ordering::Release);
        let generation = word >> GENERATION_SHIFT;
        Ok(generation << GENERATION_SHIFT | u64::from(kind.get()) << INDEX_BITS | u64::from(index))
    }

    /// The object with this id, kept for as long as the pin.
    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<Pin<'_, T>> {
        let index = id as u32 & INDEX_MASK;
        let slot = self.slot(index)?;
        // Acquire: pairs with the release in `insert`.
        let word = slot.word.fetch_add(PIN, Ordering::Acquire);
        let lease = Lease { table: self, slot, index };
        if word & LIVE == 0 || word >> GENERATION_SHIFT != id >> GENERATION_SHIFT {
            return None; // The lease takes its pin back.
        }
        let pin = Pin { lease };
        (Some(pin.kind()) == kind_of(id)).then_some(pin)
    }

    /// Takes the id away: from now on it names nothing. The object is dropped with the last pin, of which the
    /// returned one is the caller's.
    pub(crate) fn remove(&self, id: u64) -> Option<Pin<'_, T>> {
        let pin = self.get(id)?;
        let word = &pin.lease.slot.word;
        let mut seen = word.load(Ordering::Relaxed);
        loop {
            if seen & LIVE == 0 || seen >> GENERATION_SHIFT != id >> GENERATION_SHIFT {
                return None; // Another thread was faster.
            }
            let retired = (seen & !LIVE | RETIRED).wrapping_add(NEXT_GENERATION);
            // Relaxed: this thread's pin, whose removal releases, comes after it.
            match word.compare_exchange_weak(seen, retired, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(pin),
                Err(now) => seen = now,
            }
        }
    }
}

/// The kind that an id claims to be of, or `None` for 0 and other ids that no table gives out.
pub(crate) fn kind_of(id: u64) -> Option<NonZeroU8> {
    NonZeroU8::new((id >> INDEX_BITS) as u8)
}

/// A pin in a slot's word, taken back on drop.
struct Lease<'t, T> {
    table: &'t Table<T>,
    slot: &'t Slot<T>,
    index: u32,
}

impl<T> Lease<'_, T> {
    /// Drops a retired object that nobody has pinned; `word` is the slot's without pins. (By value, since a lease whose
    /// address is taken does not live in registers.)
    #[cold]
    fn reclaim(table: &Table<T>, slot: &Slot<T>, index: u32, word: u64) {
        // Acquire: whatever the other threads did with the object under their pins comes before its drop. If the
        // word has changed, another look-up has pinned the slot and reclaims it in its turn, or has done so already;
        // for the word to be the same again, the generation would have to go once round meanwhile.
        let reclaimed = slot.word.compare_exchange(word, word & !RETIRED, Ordering::Acquire, Ordering::Relaxed).is_ok();
        if reclaimed {
            // SAFETY: only one thread can have turned RETIRED off, and it is this one. The object is initialised and
            // nobody has it pinned; a look-up finds neither LIVE nor RETIRED and leaves it alone.
            let object = unsafe { (*slot.object.get()).assume_init_read() };
            table.free().again.push(index);
            drop(object);
        }
    }
}

impl<T> Drop for Lease<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Release: pairs with the acquire in `reclaim`.
        let before = self.slot.word.fetch_sub(PIN, Ordering::Release);
        if before & (RETIRED | PINS) == RETIRED | PIN {
            Self::reclaim(self.table, self.slot, self.index, before - PIN);
        }
    }
}

/// An object that stays for as long as this does, even if its id is removed meanwhile.
pub(crate) struct Pin<'t, T> {
    lease: Lease<'t, T>,
}

impl<T> Deref for Pin<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: a `Pin` is only made for a slot that was LIVE when its lease was taken. Until the lease ends, the
        // slot is LIVE or RETIRED, the object is initialised, and nobody writes to it: `reclaim` waits for all pins.
        unsafe { (*self.lease.slot.object.get()).assume_init_ref() }
    }
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        for slot in self.chunks.iter_mut().filter_map(OnceLock::get_mut).flat_map(|chunk| chunk.iter_mut()) {
            if *slot.word.get_mut() & (LIVE | RETIRED) != 0 {
                // SAFETY: the word says that the object is initialised, and `&mut self` that nobody else has it.
                unsafe { slot.object.get_mut().assume_init_drop() };
            }
        }
    }
}

#[cfg(test)]
mod tests;
