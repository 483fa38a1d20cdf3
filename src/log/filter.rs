//! Which levels are logged, by target.

use std::str::FromStr;

use tracing::Metadata;
use tracing::level_filters::LevelFilter;

use crate::error::{Error, Result};

/// What a text like "warn,network_system::session=debug,network_system::transport=off" says: a level for targets in
/// general, and levels for some of them. Of the targets that are the event's own or lead up to it at a `::`, the
/// longest decides. Where none does, nothing is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The longest target first; one that is empty is all targets.
    rules: Vec<(String, LevelFilter)>,
}

const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

impl Filter {
    /// All targets up to this level.
    pub fn up_to(level: impl Into<LevelFilter>) -> Filter {
        Filter { rules: vec![(String::new(), level.into())] }
    }

    pub(super) fn enables(&self, metadata: &Metadata<'_>) -> bool {
        let rule = self.rules.iter().find(|(target, _)| leads_to(target, metadata.target()));
        rule.is_some_and(|(_, level)| metadata.level() <= level)
    }

    /// The most that any target is logged at.
    pub(super) fn most(&self) -> LevelFilter {
        self.rules.iter().map(|(_, level)| *level).max().unwrap_or(LevelFilter::OFF)
    }
}

fn leads_to(rule: &str, target: &str) -> bool {
    rule.is_empty() || target.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Filter> {
        let mut rules: Vec<(String, LevelFilter)> = Vec::new();
        for directive in text.split(',').map(str::trim) {
            let (target, level) = match directive.split_once('=') {
                None => ("", directive),
                Some((target, level)) => (checked_target(target.trim(), directive)?, level.trim()),
            };
            let level = level_of(level, directive)?;
            if rules.iter().any(|(known, _)| known == target) {
                let what = if target.is_empty() { "targets in general".into() } else { format!("{target:?}") };
                return Err(Error::invalid(format!("{what} has two levels: leave one of them out")));
            }
            rules.push((target.to_owned(), level));
        }
        rules.sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        Ok(Filter { rules })
    }
}

fn checked_target<'a>(target: &'a str, directive: &str) -> Result<&'a str> {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if target.split("::").all(is_name) {
        return Ok(target);
    }
    Err(Error::invalid(format!(
        "{directive:?} has no target before the \"=\": write names with \"::\" between them, as in \
         \"network_system::session=debug\""
    )))
}

fn level_of(word: &str, directive: &str) -> Result<LevelFilter> {
    let found = LEVELS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map(|(_, level)| *level).ok_or_else(|| {
        let what = match directive {
            "" => "there is nothing where a level should be".to_owned(),
            _ if word.is_empty() => format!("{directive:?} has no level"),
            _ => format!("{word:?} is no level"),
        };
        Error::invalid(format!(
            "{what}: write off, error, warn, info, debug or trace, for some targets as in \
             \"warn,network_system::session=debug\""
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Filter {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_longest_target_decides() {
        let filter = parsed(" warn , network_system::session=debug,network_system::session::driver = OFF,other=Trace");
        let level =
            |target: &str| filter.rules.iter().find(|(rule, _)| leads_to(rule, target)).map(|(_, level)| *level);
        assert_eq!(level("network_system"), Some(LevelFilter::WARN));
        assert_eq!(level("network_system::session"), Some(LevelFilter::DEBUG));
        assert_eq!(level("network_system::session::registry"), Some(LevelFilter::DEBUG));
        assert_eq!(level("network_system::session::driver::closing"), Some(LevelFilter::OFF));
        assert_eq!(level("network_system::sessions"), Some(LevelFilter::WARN), "no `::` follows");
        assert_eq!(level("other::x"), Some(LevelFilter::TRACE));
        assert_eq!(filter.most(), LevelFilter::TRACE);
    }

    #[test]
    fn what_no_rule_is_for_is_off() {
        let filter = parsed("network_system::session=error");
        assert!(filter.rules.iter().all(|(rule, _)| !leads_to(rule, "network_system::core")));
        assert_eq!(filter.most(), LevelFilter::ERROR);
    }

    #[test]
    fn one_level_for_all() {
        assert_eq!(parsed("info"), Filter::up_to(LevelFilter::INFO));
        assert_eq!(parsed("off").most(), LevelFilter::OFF);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, expected) in [
            ("", "there is nothing where a level should be: write off, error"),
            ("warn,", "there is nothing where a level should be"),
            ("loud", "\"loud\" is no level"),
            ("network_system", "\"network_system\" is no level"),
            ("a::b=loud", "\"loud\" is no level"),
            ("a::b=", "\"a::b=\" has no level"),
            ("=debug", "\"=debug\" has no target before the \"=\""),
            ("a::=debug", "\"a::=debug\" has no target"),
            ("a b=debug", "\"a b=debug\" has no target"),
            ("a=b=debug", "\"b=debug\" is no level"),
            ("warn,info", "targets in general has two levels"),
            ("a=info, a=warn", "\"a\" has two levels"),
        ] {
            let error = text.parse::<Filter>().expect_err(text);
            assert!(error.message.starts_with(expected), "{text:?}: {error}");
        }
    }
}
