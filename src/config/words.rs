//! Enums: the word of each value in files, and its number, which it has as a value of the configuration and in C.

use super::kind::{Scalar, Words};
use super::stored::{Stored, number};
use super::{ClientCertificate, Compression, Framing, LogLevel, SendPolicy, TlsVersion};
use crate::runtime::Dispatch;

/// An enum whose values have words and numbers.
pub(crate) trait Word: Sized {
    /// The words, each with its number.
    const WORDS: &'static Words;

    /// The number of the value.
    fn number(&self) -> u32;

    /// The value with that number; `None`: there is none.
    fn of_number(number: u32) -> Option<Self>;
}

/// Each value with its number and its word. What is in brackets cannot be written, and no number makes it.
macro_rules! words {
    ($($type:ident { $($variant:ident = $number:literal $word:literal),* } $([$other:pat => $own:literal])?)*) => {$(
        impl Word for $type {
            const WORDS: &'static Words = &[$(($word, $number)),*];

            fn number(&self) -> u32 {
                match self { $($type::$variant => $number,)* $($other => $own,)? }
            }

            fn of_number(number: u32) -> Option<Self> {
                match number {
                    $($number => Some($type::$variant),)*
                    _ => None,
                }
            }
        }

        impl Stored for $type {
            fn get(&self) -> Scalar {
                Scalar::Number(Word::number(self).into())
            }
            fn set(value: Scalar) -> Self {
                number(value).try_into().ok().and_then(Word::of_number).unwrap_or_default()
            }
        }
    )*};
}
words! {
    Framing { Auto = 0 "auto", Framed = 1 "framed", Raw = 2 "raw" }
    Dispatch { Inline = 0 "inline", Pool = 1 "pool", Manual = 2 "manual" } [Dispatch::Executor(_) => 3]
    SendPolicy {
        WouldBlock = 1 "would_block", Wait = 2 "wait", DropNewest = 3 "drop_newest", DropOldest = 4 "drop_oldest",
        Disconnect = 5 "disconnect"
    }
    ClientCertificate { None = 0 "none", Optional = 1 "optional", Required = 2 "required" }
    TlsVersion { V1_2 = 12 "1.2", V1_3 = 13 "1.3" }
    Compression { Off = 0 "off", Auto = 1 "auto", Lz4 = 2 "lz4", Zstd = 3 "zstd" }
    LogLevel {
        Trace = 0 "trace", Debug = 1 "debug", Info = 2 "info", Warn = 3 "warn", Error = 4 "error", Fatal = 5 "fatal"
    }
}
