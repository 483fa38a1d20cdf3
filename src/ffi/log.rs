//! The library's log on its way to C.

use tracing::Level;

use super::args::{self, invalid};
use super::types::netsys_str;
use crate::error::{Error, Result};
use crate::log::{Filter, Record};

/// A line of the library's log. Valid for the callback.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_log_record {
    /// sizeof(netsys_log_record) of the library.
    pub struct_size: u32,
    /// 1 error, 2 warning, 3 information, 4 debugging, 5 trace.
    pub level: u32,
    /// When: milliseconds since 1970-01-01 00:00 UTC.
    pub unix_ms: u64,
    /// The part of the library that says it: "network_system::transport::listener".
    pub target: netsys_str,
    /// What it says, in one line of at most some 3 KiB: control characters, which a peer may have sent, are escaped, a
    /// line feed as "\\n". It ends with "(N more like it were left out)" where lines before it were too many.
    pub message: netsys_str,
}

impl netsys_log_record {
    /// Good for as long as the record.
    pub(super) fn view(record: &Record<'_>) -> netsys_log_record {
        netsys_log_record {
            struct_size: size_of::<netsys_log_record>() as u32,
            level: number(record.level),
            unix_ms: record.unix_ms,
            target: args::view(record.target),
            message: args::view(record.text),
        }
    }
}

/// What is logged by a configuration that has this level, and this filter if it is not empty.
pub(super) fn configured(log_level: u32, log_filter: &str) -> Result<Filter> {
    let level = level(log_level)?;
    if log_filter.is_empty() { Ok(Filter::up_to(level)) } else { filter(log_filter, "log_filter") }
}

/// The filter that a text says.
pub(super) fn filter(text: &str, name: &str) -> Result<Filter> {
    text.parse().map_err(|error: Error| invalid(format!("{name}: {error}")))
}

/// The level that C names with this number; 0 is the default.
fn level(number: u32) -> Result<Level> {
    match number {
        1 => Ok(Level::ERROR),
        0 | 2 => Ok(Level::WARN),
        3 => Ok(Level::INFO),
        4 => Ok(Level::DEBUG),
        5 => Ok(Level::TRACE),
        _ => Err(invalid(format!("log_level is {number}: use 1 (error) to 5 (trace), or 0 for the default, 2 (warn)"))),
    }
}

fn number(level: Level) -> u32 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        assert_eq!(level(0).ok(), Some(Level::WARN));
        for (n, expected) in (1..).zip([Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE]) {
            assert_eq!(level(n).ok(), Some(expected));
            assert_eq!(number(expected), n);
        }
        assert!(level(6).expect_err("no level").message.starts_with("log_level is 6"));
    }

    #[test]
    fn a_filter_holds_instead_of_the_level() {
        assert_eq!(configured(4, "").ok(), Some(Filter::up_to(Level::DEBUG)));
        assert_eq!(configured(4, "error").ok(), Some(Filter::up_to(Level::ERROR)));
        let error = configured(4, "loud").expect_err("no level");
        assert!(error.message.starts_with("log_filter: \"loud\" is no level: write off"), "{error}");
        assert!(configured(6, "warn").is_err());
    }
}
