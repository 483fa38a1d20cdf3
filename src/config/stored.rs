//! The types of fields as values of the configuration.

use std::num::NonZeroU32;
use std::time::Duration;

use super::kind::{IN_MEMORY, OFF, Scalar, UNLIMITED};
use super::{Pem, alpn_text, split_alpn};
use crate::transport::AddressRange;

/// A type of a field as a scalar. `set` gets only what the field's kind has found right.
pub(super) trait Stored {
    fn get(&self) -> Scalar;
    fn set(value: Scalar) -> Self;
}

pub(super) fn number(value: Scalar) -> i64 {
    if let Scalar::Number(number) = value { number } else { 0 }
}

impl Stored for bool {
    fn get(&self) -> Scalar {
        Scalar::Switch(*self)
    }
    fn set(value: Scalar) -> Self {
        value == Scalar::Switch(true)
    }
}

impl Stored for String {
    fn get(&self) -> Scalar {
        Scalar::Text(self.clone())
    }
    fn set(value: Scalar) -> Self {
        if let Scalar::Text(text) = value { text } else { String::new() }
    }
}

macro_rules! stored_numbers {
    ($($type:ty)*) => {$(
        impl Stored for $type {
            fn get(&self) -> Scalar {
                Scalar::Number((*self).try_into().unwrap_or(i64::MAX))
            }
            fn set(value: Scalar) -> Self {
                number(value).try_into().unwrap_or(<$type>::MAX)
            }
        }
    )*};
}
stored_numbers!(u8 u16 u32 usize);

impl Stored for NonZeroU32 {
    fn get(&self) -> Scalar {
        Stored::get(&NonZeroU32::get(*self))
    }
    fn set(value: Scalar) -> Self {
        NonZeroU32::new(u32::set(value)).unwrap_or(NonZeroU32::MIN)
    }
}

impl Stored for Vec<AddressRange> {
    fn get(&self) -> Scalar {
        Scalar::Text(AddressRange::text(self))
    }
    fn set(value: Scalar) -> Self {
        AddressRange::split(&String::set(value)).flat_map(str::parse).collect()
    }
}

/// In whole milliseconds, at least one of a time that is not 0.
impl Stored for Duration {
    fn get(&self) -> Scalar {
        Scalar::Number(self.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(i64::MAX))
    }
    fn set(value: Scalar) -> Self {
        Duration::from_millis(number(value).unsigned_abs())
    }
}

/// None is 0.
impl<T: Stored> Stored for Option<T> {
    fn get(&self) -> Scalar {
        self.as_ref().map_or(Scalar::Number(0), Stored::get)
    }
    fn set(value: Scalar) -> Self {
        (value != Scalar::Number(0)).then(|| T::set(value))
    }
}

/// The name of the file.
impl Stored for Pem {
    fn get(&self) -> Scalar {
        Scalar::Text(match self {
            Pem::None => String::new(),
            Pem::File(name) => name.clone(),
            Pem::Memory(_) => IN_MEMORY.into(),
        })
    }
    fn set(value: Scalar) -> Self {
        match String::set(value) {
            name if name.is_empty() => Pem::None,
            name => Pem::File(name),
        }
    }
}

/// The names of application protocols.
pub(super) mod alpn {
    use super::*;

    pub(in crate::config) fn get(value: &[String]) -> Scalar {
        Scalar::Text(alpn_text(value))
    }
    pub(in crate::config) fn set(value: Scalar) -> Vec<String> {
        split_alpn(&String::set(value))
    }
}

/// None is [`OFF`].
pub(super) mod or_off {
    use super::*;

    pub(in crate::config) fn get(value: &Option<Duration>) -> Scalar {
        value.as_ref().map_or(Scalar::Number(OFF), Stored::get)
    }
    pub(in crate::config) fn set(value: Scalar) -> Option<Duration> {
        (value != Scalar::Number(OFF)).then(|| Stored::set(value))
    }
}

/// The largest number there is, which means no limit, is 0.
pub(super) mod unlimited {
    use super::*;

    pub(in crate::config) trait Limit: Stored + Copy + PartialEq {
        const NONE: Self;
    }
    impl Limit for u32 {
        const NONE: u32 = u32::MAX;
    }
    impl Limit for usize {
        const NONE: usize = usize::MAX;
    }

    pub(in crate::config) fn get<T: Limit>(value: &T) -> Scalar {
        if *value == T::NONE { Scalar::Number(0) } else { value.get() }
    }
    pub(in crate::config) fn set<T: Limit>(value: Scalar) -> T {
        if value == Scalar::Number(0) { T::NONE } else { T::set(value) }
    }
}

/// The largest number is [`UNLIMITED`].
pub(super) mod or_unlimited {
    use super::*;

    pub(in crate::config) fn get(value: &usize) -> Scalar {
        if *value == usize::MAX { Scalar::Number(UNLIMITED) } else { value.get() }
    }
    pub(in crate::config) fn set(value: Scalar) -> usize {
        if value == Scalar::Number(UNLIMITED) { usize::MAX } else { usize::set(value) }
    }
}

/// The same; None, which means a rule of its own, is 0.
pub(super) mod or_rule {
    use super::*;

    pub(in crate::config) fn get(value: &Option<usize>) -> Scalar {
        value.as_ref().map_or(Scalar::Number(0), or_unlimited::get)
    }
    pub(in crate::config) fn set(value: Scalar) -> Option<usize> {
        (value != Scalar::Number(0)).then(|| or_unlimited::set(value))
    }
}
