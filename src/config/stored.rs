//! The types of fields as values of the configuration, and the words of enums.

use std::num::NonZeroU32;
use std::time::Duration;

use super::kind::{Kind, OFF, Scalar, UNLIMITED};
use super::{ClientCertificate, Compression, Framing, LogLevel, Pem, SendPolicy, TlsVersion, alpn_text, split_alpn};
use crate::runtime::Dispatch;
use crate::transport::AddressRange;

/// A type of a field as a scalar. `set` gets only what the field's kind has found right.
pub(super) trait Stored {
    fn get(&self) -> Scalar;
    fn set(value: Scalar) -> Self;
}

fn number(value: Scalar) -> i64 {
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

/// The name of the file; a NUL, which no text may have, for what is in memory and can be in no file.
impl Stored for Pem {
    fn get(&self) -> Scalar {
        Scalar::Text(match self {
            Pem::None => String::new(),
            Pem::File(name) => name.clone(),
            Pem::Memory(_) => "(in memory)\0".into(),
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

/// Makes kinds of enums: each variant with its number, which is that of the C ABI, and its word. What is in
/// brackets cannot be written, and has a number that is not valid.
macro_rules! words {
    ($($kind:ident: $type:ident { $($variant:ident = $number:literal $word:literal),* }
       $([$other:pat => $invalid:literal])?)*) => {$(
        pub(super) const $kind: Kind = Kind::Word(&[$(($word, $number)),*]);

        impl Stored for $type {
            fn get(&self) -> Scalar {
                Scalar::Number(match self { $($type::$variant => $number,)* $($other => $invalid,)? })
            }
            fn set(value: Scalar) -> Self {
                match number(value) {
                    $($number => $type::$variant,)*
                    _ => $type::default(),
                }
            }
        }
    )*};
}
words! {
    FRAMING: Framing { Auto = 0 "auto", Framed = 1 "framed", Raw = 2 "raw" }
    DISPATCH: Dispatch { Inline = 0 "inline", Pool = 1 "pool", Manual = 2 "manual" } [Dispatch::Executor(_) => 3]
    POLICY: SendPolicy {
        WouldBlock = 1 "would_block", Wait = 2 "wait", DropNewest = 3 "drop_newest", DropOldest = 4 "drop_oldest",
        Disconnect = 5 "disconnect"
    }
    CLIENT_CERTIFICATE: ClientCertificate { None = 0 "none", Optional = 1 "optional", Required = 2 "required" }
    TLS_VERSION: TlsVersion { V1_2 = 12 "1.2", V1_3 = 13 "1.3" }
    COMPRESSION: Compression { Off = 0 "off", Auto = 1 "auto", Lz4 = 2 "lz4", Zstd = 3 "zstd" }
    LEVEL: LogLevel {
        Trace = 0 "trace", Debug = 1 "debug", Info = 2 "info", Warn = 3 "warn", Error = 4 "error", Fatal = 5 "fatal"
    }
}
