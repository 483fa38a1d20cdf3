//! What is logged, as C says it: a level or a filter.

use tracing::Level;

use crate::error::{Error, Result};
use crate::log::Filter;

/// What is logged by a configuration that has this level, and this filter if it is not empty.
pub(super) fn configured(log_level: u32, log_filter: &str) -> Result<Filter> {
    let level = level(log_level)?;
    if log_filter.is_empty() { Ok(Filter::up_to(level)) } else { filter(log_filter, "log_filter") }
}

/// The filter that a text says.
pub(super) fn filter(text: &str, name: &str) -> Result<Filter> {
    text.parse().map_err(|error: Error| Error::invalid(format!("{name}: {error}")))
}

/// The level that C names with this number; 0 is the default.
fn level(number: u32) -> Result<Level> {
    match number {
        1 => Ok(Level::ERROR),
        0 | 2 => Ok(Level::WARN),
        3 => Ok(Level::INFO),
        4 => Ok(Level::DEBUG),
        5 => Ok(Level::TRACE),
        _ => Err(Error::invalid(format!(
            "log_level is {number}: use 1 (error) to 5 (trace), or 0 for the default, 2 (warn)"
        ))),
    }
}

/// The opposite.
pub(super) fn number(level: Level) -> u32 {
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
