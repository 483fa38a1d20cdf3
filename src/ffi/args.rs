//! Arguments as they come from C: checked once, here, so that the functions of the nouns work with Rust values.

use std::ffi::{c_char, c_void};
use std::net::SocketAddr;
use std::ptr::NonNull;
use std::slice;
use std::time::Duration;

use super::types::*;
use crate::config::Word;
use crate::error::{Code, Error, Result};
use crate::session::handler::Payload;
use crate::transport::Address;

/// The longest struct_size that is believed. No struct of this header comes near it, also in years.
const MAX_STRUCT_SIZE: usize = 4096;

fn null(name: &str) -> Error {
    Error::invalid(format!("{name} is NULL"))
}

/// Where a result goes.
#[derive(Clone, Copy)]
pub(super) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// # Safety
    /// `pointer` is NULL, or stays good for storing a `T` for as long as the value made here is used.
    pub(super) unsafe fn new(pointer: *mut T, name: &str) -> Result<Self> {
        NonNull::new(pointer).map(Out).ok_or_else(|| null(name))
    }

    /// For a result that the caller may not want.
    ///
    /// # Safety
    /// As for `new`.
    pub(super) unsafe fn optional(pointer: *mut T) -> Option<Self> {
        NonNull::new(pointer).map(Out)
    }

    pub(super) fn store(self, value: T) {
        // SAFETY: by the contract of `new`.
        unsafe { self.0.write(value) }
    }
}

/// A struct of C that may grow: `struct_size` comes first.
///
/// # Safety
/// `repr(C)`; begins with a u32, which is its size as the caller knows it; has no padding; all bits zero is a value.
pub(super) unsafe trait Extensible: Copy {
    /// The least size that is of use.
    const LEAST: usize = size_of::<u32>();
}

// SAFETY: see `tests::structs_have_no_padding`; pointers, functions (`Option`), numbers and views may be zero.
unsafe impl Extensible for netsys_error_info {
    /// Shorter, the message would lose its NUL.
    const LEAST: usize = 248;
}
// SAFETY: as above.
unsafe impl Extensible for netsys_stats {}
// SAFETY: as above.
unsafe impl Extensible for netsys_callbacks {}

/// Believes a struct_size or says why not. The sizes that a C compiler gives are multiples of the alignment; so no
/// member is cut in half.
fn check_size<T: Extensible>(size: usize, name: &str) -> Result<()> {
    if size == 0 {
        return Err(Error::invalid(format!(
            "{name}: struct_size is 0: set it to sizeof the struct, and all the rest to 0"
        )));
    }
    if !size.is_multiple_of(align_of::<T>()) || !(T::LEAST..=MAX_STRUCT_SIZE).contains(&size) {
        return Err(Error::invalid(format!(
            "{name}: struct_size is {size}, which no version of the struct has (this one: {}): set it to sizeof the \
             struct",
            size_of::<T>()
        )));
    }
    Ok(())
}

/// Reads a struct of the caller's version: what a shorter one lacks is zero, and what a longer one has beyond this
/// version must be.
///
/// # Safety
/// `pointer` is NULL or points to a struct as long as its own struct_size says.
pub(super) unsafe fn read_struct<T: Extensible>(pointer: *const T, name: &str) -> Result<T> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: an `Extensible` begins with its size.
    let size = unsafe { pointer.cast::<u32>().read() } as usize;
    check_size::<T>(size, name)?;
    let known = size.min(size_of::<T>());
    // SAFETY: all zero is a value of an `Extensible`.
    let mut value: T = unsafe { std::mem::zeroed() };
    // SAFETY: the caller's struct has `size` bytes, ours at least `known`, and they are different objects.
    unsafe { pointer.cast::<u8>().copy_to_nonoverlapping((&raw mut value).cast(), known) };
    // SAFETY: as above; the rest of the caller's struct is plain data.
    let tail = unsafe { slice::from_raw_parts(pointer.cast::<u8>().add(known), size - known) };
    if let Some(at) = tail.iter().position(|byte| *byte != 0) {
        return Err(Error::invalid(format!(
            "{name}: byte {} is set, but this version of the library knows the first {known} only: \
             the program was made for a later one",
            known + at
        )));
    }
    Ok(value)
}

/// Fills in as much of a struct as the caller's version has; what it has beyond this version becomes zero. Its
/// struct_size stays.
///
/// # Safety
/// `pointer` is NULL or points to a struct as long as its own struct_size says.
pub(super) unsafe fn fill_struct<T: Extensible>(pointer: *mut T, name: &str, value: T) -> Result<()> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: an `Extensible` begins with its size.
    let size = unsafe { pointer.cast::<u32>().read() } as usize;
    check_size::<T>(size, name)?;
    let known = size.min(size_of::<T>());
    let head = size_of::<u32>();
    // SAFETY: the caller's struct has `size` bytes, ours at least `known`, and `head <= known`.
    unsafe {
        let (to, from) = (pointer.cast::<u8>(), (&raw const value).cast::<u8>());
        from.add(head).copy_to_nonoverlapping(to.add(head), known - head);
        to.add(known).write_bytes(0, size - known);
    }
    Ok(())
}

/// Makes a struct of `size` bytes the one that means "all defaults".
///
/// # Safety
/// `pointer` is NULL or good for storing `size` bytes.
pub(super) unsafe fn init_struct<T: Extensible>(pointer: *mut T, size: usize, name: &str) -> Result<()> {
    if pointer.is_null() {
        return Err(null(name));
    }
    check_size::<T>(size, name)?;
    // SAFETY: `size` bytes are the caller's to give, and not less than the four of struct_size.
    unsafe {
        pointer.cast::<u8>().write_bytes(0, size);
        pointer.cast::<u32>().write(size as u32);
    }
    Ok(())
}

/// The bytes of a view.
///
/// # Safety
/// `data` points to `len` bytes that nobody changes while the result is used, or is NULL.
pub(super) unsafe fn bytes<'a>(data: *const c_void, len: usize, name: &str) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() || isize::try_from(len).is_err() {
        return Err(impossible_bytes(data, len, name));
    }
    // SAFETY: not NULL, of a possible length, and the caller's to give.
    Ok(unsafe { slice::from_raw_parts(data.cast(), len) })
}

#[cold]
fn impossible_bytes(data: *const c_void, len: usize, name: &str) -> Error {
    if data.is_null() {
        Error::invalid(format!("{name} is NULL, but {len} bytes long"))
    } else {
        Error::invalid(format!("{name} is {len} bytes long, more than an object can have"))
    }
}

/// The text of a view.
///
/// # Safety
/// As for `bytes`.
pub(super) unsafe fn text<'a>(view: netsys_str, name: &str) -> Result<&'a str> {
    // SAFETY: by the contract of this function.
    let bytes = unsafe { bytes(view.data.cast(), view.len, name) }?;
    str::from_utf8(bytes)
        .map_err(|error| Error::invalid(format!("{name} is not UTF-8: byte {} is wrong", error.valid_up_to())))
}

/// A view of the text, good for as long as the text.
pub(super) fn view(text: &str) -> netsys_str {
    netsys_str { data: text.as_ptr().cast(), len: text.len() }
}

/// Refuses a buffer that is none.
pub(super) fn check_buffer<T>(buf: *mut T, cap: usize) -> Result<()> {
    if buf.is_null() && cap != 0 {
        return Err(Error::invalid(format!(
            "buf is NULL, but cap is {cap}: give a buffer, or ask with cap 0 for the length"
        )));
    }
    Ok(())
}

/// Gives a string out: NUL-terminated, or only its length if the buffer is too small.
///
/// # Safety
/// `buf` is NULL or good for storing `cap` bytes; `needed` is NULL or good for storing a size.
pub(super) unsafe fn give_text(text: &str, buf: *mut c_char, cap: usize, needed: *mut usize) -> Result<()> {
    check_buffer(buf, cap)?;
    // SAFETY: by the contract of this function.
    if let Some(needed) = unsafe { Out::optional(needed) } {
        needed.store(text.len());
    }
    if cap <= text.len() {
        if cap != 0 {
            // SAFETY: the buffer has room for one byte.
            unsafe { buf.write(0) };
        }
        return Err(Error::new(
            Code::BufferTooSmall,
            "the buffer is too small: it needs the length and a NUL behind it",
        ));
    }
    // SAFETY: the buffer has more than `text.len()` bytes, and is not part of the library's own text.
    unsafe {
        text.as_ptr().copy_to_nonoverlapping(buf.cast(), text.len());
        buf.add(text.len()).write(0);
    }
    Ok(())
}

/// The address without the port; with the zone, where it means nothing without one.
pub(super) fn ip_text(address: SocketAddr) -> String {
    Address::from(address).to_string()
}

/// A time-out: NETSYS_INFINITE is none.
pub(super) fn timeout(ms: u32) -> Option<Duration> {
    (ms != NETSYS_INFINITE).then(|| millis(ms))
}

pub(super) fn millis(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

/// A number that C has less bits for; more than these hold is no limit.
pub(super) fn narrow(number: usize) -> u32 {
    number.try_into().unwrap_or(NETSYS_UNLIMITED_U32)
}

/// A time in ms, at least 1.
pub(super) fn to_millis(duration: Duration) -> u32 {
    let ms = duration.as_nanos().div_ceil(1_000_000);
    u32::try_from(ms).unwrap_or(NETSYS_INFINITE).clamp(1, NETSYS_INFINITE - 1)
}

pub(super) fn payload(kind: u32) -> Result<Payload> {
    match kind {
        NETSYS_MESSAGE_TEXT => Ok(Payload::Text),
        NETSYS_MESSAGE_BINARY => Ok(Payload::Binary),
        NETSYS_MESSAGE_STREAM => Ok(Payload::Stream),
        _ => Err(unknown_kind(kind)),
    }
}

#[cold]
fn unknown_kind(kind: u32) -> Error {
    Error::invalid(format!("kind is {kind}: use NETSYS_MESSAGE_TEXT (1), _BINARY (2) or _STREAM (3)"))
}

/// The value of an enum; where none has the number 0, that is the default. `constants`: what the names of its constants
/// begin with.
pub(super) fn word<T: Word + Default>(number: u32, name: &str, constants: &str) -> Result<T> {
    match T::of_number(number) {
        Some(value) => Ok(value),
        None if number == 0 => Ok(T::default()),
        None => Err(unknown_word::<T>(number, name, constants)),
    }
}

#[cold]
fn unknown_word<T: Word>(number: u32, name: &str, constants: &str) -> Error {
    let constant = |(word, number): &(&str, i64)| format!("_{} ({number})", word.to_uppercase().replace('.', "_"));
    let names: Vec<String> = T::WORDS.iter().map(constant).collect();
    let default = if T::of_number(0).is_none() { "0 (the default), " } else { "" };
    Error::invalid(format!("{name} is {number}: use {default}{constants}{}", names.join(", ")))
}

/// A field that is 0 or 1.
pub(super) fn switch(value: u32, name: &str) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::invalid(format!("{name} is {value}: use 1 (on) or 0 (off)"))),
    }
}

/// Fields for later versions, which must be 0 until they mean something.
pub(super) fn reserved(value: u32, name: &str) -> Result<()> {
    if value != 0 { Err(Error::invalid(format!("{name} is {value}: it must be 0 in this version"))) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
