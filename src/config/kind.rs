//! What a key of the configuration takes: its type, its range, and how it is written.

use std::borrow::Cow;
use std::fmt;

use super::document::{Node, Value};
use super::words::Word;
use crate::error::Error;
use crate::transport::AddressRange;

/// A value of the configuration. Sizes are in bytes, durations in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Yes or no.
    Switch(bool),
    /// A number; of a word, its number.
    Number(i64),
    /// A text.
    Text(String),
}

/// The number of a duration that is switched off.
pub const OFF: i64 = u32::MAX as i64;

/// The number of a limit that there is not.
pub const UNLIMITED: i64 = i64::MAX;

/// The longest duration, in ms. It fits into the 32 bits that the C structs have for it.
pub(super) const LONGEST_MS: i64 = 1000 * HOUR;

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;

/// What stands for a PEM that is in memory: by its NUL no text that a key may have, and no name of a file.
pub(super) const IN_MEMORY: &str = "(in memory)\0";

/// Units, the smallest first.
type Units = [(&'static str, i64)];
const TIMES: &Units = &[("ms", 1), ("s", SECOND), ("m", 60 * SECOND), ("h", HOUR)];
const SIZES: &Units = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// Words, each with its number.
pub(crate) type Words = [(&'static str, i64)];

/// What does not fit, where in the text.
pub(super) type Mismatch = (usize, String);

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Switch,
    /// A number of things.
    Count {
        min: i64,
        max: i64,
    },
    /// A number of bytes.
    Size {
        min: i64,
        max: i64,
    },
    /// A time, in multiples of `step` ms.
    Time {
        min: i64,
        step: i64,
    },
    /// One of some words.
    Word(&'static Words),
    /// Another kind, or one of some words.
    Or(&'static Kind, &'static Words),
    /// A text of at most so many bytes.
    Text {
        max: usize,
    },
    /// Ranges of addresses: a list of them, or a text with commas between them, which is what they are kept as.
    Ranges,
}

impl Kind {
    pub(super) const fn count(min: i64, max: i64) -> Kind {
        Kind::Count { min, max }
    }

    pub(super) const fn size(min: i64, max: i64) -> Kind {
        Kind::Size { min, max }
    }

    /// One of the words of an enum.
    pub(super) const fn words<T: Word>() -> Kind {
        Kind::Word(T::WORDS)
    }

    /// A time that is never 0.
    pub(super) const TIME: Kind = Kind::Time { min: 1, step: 1 };
    /// A time, or 0 with a meaning of its own.
    pub(super) const TIME_OR_ZERO: Kind = Kind::Time { min: 0, step: 1 };
    /// A time that can be switched off.
    pub(super) const TIME_OR_OFF: Kind = Kind::Or(&Kind::TIME, &[("off", OFF)]);

    /// The same in whole seconds.
    pub(super) const fn in_seconds(self) -> Kind {
        match self {
            Kind::Time { min, .. } => Kind::Time { min: min * SECOND, step: SECOND },
            other => other,
        }
    }

    /// Reads a value as a file has it. The errors say what was found and what is expected; there is at least one.
    pub(super) fn read(self, node: &Node) -> Result<Scalar, Vec<Mismatch>> {
        match (self, &node.value) {
            (Kind::Ranges, Value::List(entries)) => ranges(entries.iter().map(|entry| (entry.at, range(&entry.value)))),
            (Kind::Ranges, Value::Text(text)) => {
                ranges(AddressRange::split(text).map(|entry| (node.at, range_of(entry))))
            }
            (_, value) => {
                let scalar = self.parse(value).filter(|scalar| self.fits(scalar));
                scalar.ok_or_else(|| vec![(node.at, self.mismatch(&Found(value)))])
            }
        }
    }

    /// Reads a value that is in no file.
    pub(super) fn read_alone(self, value: Value) -> Result<Scalar, String> {
        const MOST: usize = 10;
        self.read(&Node { value, at: 0 }).map_err(|wrong| {
            let texts: Vec<String> = wrong.into_iter().take(MOST).map(|(_, text)| text).collect();
            texts.join("; ")
        })
    }

    fn parse(self, value: &Value) -> Option<Scalar> {
        if let Kind::Or(kind, words) = self {
            return Kind::Word(words).parse(value).or_else(|| kind.parse(value));
        }
        let number = match (self, value) {
            (Kind::Switch, Value::Switch(switch)) => return Some(Scalar::Switch(*switch)),
            (Kind::Text { .. }, Value::Text(text)) => return Some(Scalar::Text(text.clone())),
            (Kind::Count { .. } | Kind::Size { .. } | Kind::Time { .. }, Value::Number(number)) => Some(*number),
            (Kind::Size { .. }, Value::Text(text)) => quantity(text, SIZES),
            (Kind::Time { .. }, Value::Text(text)) => quantity(text, TIMES),
            (Kind::Word(words), Value::Text(text)) => words.iter().find(|(word, _)| word == text).map(|word| word.1),
            _ => None,
        };
        number.map(Scalar::Number)
    }

    /// Whether it is a value of this type and range.
    pub(super) fn check(self, scalar: &Scalar) -> Result<(), String> {
        if let (Kind::Ranges, Scalar::Text(text)) = (self, scalar) {
            return self.read_alone(Value::Text(text.clone())).map(drop);
        }
        match scalar {
            _ if self.fits(scalar) => Ok(()),
            Scalar::Text(text) if text == IN_MEMORY => Err("is in memory, which no file can say: use a file".into()),
            _ => Err(self.mismatch(&excerpt(&self.written(scalar)))),
        }
    }

    fn fits(self, scalar: &Scalar) -> bool {
        match (self, scalar) {
            (Kind::Switch, Scalar::Switch(_)) => true,
            (Kind::Text { max }, Scalar::Text(text)) => text.len() <= max && !text.contains('\0'),
            (Kind::Switch | Kind::Text { .. } | Kind::Ranges, _) => false,
            (_, Scalar::Number(number)) => self.holds(*number),
            _ => false,
        }
    }

    fn holds(self, number: i64) -> bool {
        match self {
            Kind::Count { min, max } | Kind::Size { min, max } => (min..=max).contains(&number),
            Kind::Time { min, step } => (min..=LONGEST_MS).contains(&number) && number % step == 0,
            Kind::Word(words) => words.iter().any(|(_, known)| *known == number),
            Kind::Or(kind, words) => Kind::Word(words).holds(number) || kind.holds(number),
            Kind::Switch | Kind::Text { .. } | Kind::Ranges => false,
        }
    }

    fn mismatch(self, found: &dyn fmt::Display) -> String {
        format!("found {found}, expected {self}")
    }

    /// How the value is written, in TOML as in JSON.
    pub(super) fn written(self, scalar: &Scalar) -> String {
        match (self, scalar) {
            (_, Scalar::Switch(switch)) => switch.to_string(),
            (Kind::Ranges, Scalar::Text(text)) => {
                format!("[{}]", AddressRange::split(text).map(quoted).collect::<Vec<_>>().join(", "))
            }
            (_, Scalar::Text(text)) => quoted(text),
            (Kind::Or(_, words), Scalar::Number(number)) if Kind::Word(words).holds(*number) => {
                Kind::Word(words).written(scalar)
            }
            (Kind::Or(kind, _), _) => kind.written(scalar),
            (Kind::Time { .. }, Scalar::Number(0)) => quoted("0s"),
            (Kind::Time { .. }, Scalar::Number(number)) => match in_largest_unit(*number, TIMES) {
                Some((count, unit)) => format!("\"{count}{unit}\""),
                None => number.to_string(),
            },
            (Kind::Size { .. }, Scalar::Number(number)) => match in_largest_unit(*number, SIZES) {
                Some((count, unit)) if unit != "B" => format!("\"{count} {unit}\""),
                _ => number.to_string(),
            },
            (Kind::Word(words), Scalar::Number(number)) => match words.iter().find(|(_, known)| known == number) {
                Some((word, _)) => quoted(word),
                None => number.to_string(),
            },
            (_, Scalar::Number(number)) => number.to_string(),
        }
    }

    /// The value as text, without quotes.
    pub(super) fn plain(self, scalar: &Scalar) -> String {
        match scalar {
            Scalar::Text(text) => text.clone(),
            _ => self.written(scalar).trim_matches('"').to_owned(),
        }
    }
}

/// What is expected, as a part of a sentence.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |number: &i64| self.plain(&Scalar::Number(*number));
        match self {
            Kind::Switch => f.write_str("true or false"),
            Kind::Count { min, max } => write!(f, "a whole number from {min} to {max}"),
            Kind::Size { min, max } => {
                let (min, max) = (plain(min), plain(max));
                write!(f, "a size from {min} to {max}: a number of bytes, or a string such as \"64 KiB\"")
            }
            Kind::Time { min, step } => {
                let unit = if *step == SECOND { "whole seconds" } else { "a time" };
                let (min, max) = (plain(min), plain(&LONGEST_MS));
                write!(f, "{unit} from {min} to {max}: a string such as \"30s\", or a number of milliseconds")
            }
            Kind::Word(words) => {
                let words: Vec<String> = words.iter().map(|(word, _)| quoted(word)).collect();
                write!(f, "{}", words.join(" or "))
            }
            Kind::Or(kind, words) => write!(f, "{kind}, or {}", Kind::Word(words)),
            Kind::Text { max } => write!(f, "a string of at most {max} bytes, without NUL"),
            Kind::Ranges => f.write_str(
                "a list of addresses and ranges of them, such as [\"10.0.0.0/8\", \"::1\"], or a string with commas \
                 between them",
            ),
        }
    }
}

/// A range of a list in a file.
fn range(value: &Value) -> Result<AddressRange, String> {
    match value {
        Value::Text(text) => range_of(text),
        other => Err(format!("found {}, expected a string such as \"10.0.0.0/8\"", Found(other))),
    }
}

fn range_of(text: &str) -> Result<AddressRange, String> {
    excerpt(text).parse().map_err(|error: Error| error.message.into_owned())
}

/// All of them as a text; else what is wrong with each that is none.
fn ranges(entries: impl Iterator<Item = (usize, Result<AddressRange, String>)>) -> Result<Scalar, Vec<Mismatch>> {
    let (mut ranges, mut wrong) = (Vec::new(), Vec::new());
    for (index, (at, entry)) in entries.enumerate() {
        match entry {
            Ok(range) => ranges.push(range),
            Err(text) => wrong.push((at, format!("entry {}: {text}", index + 1))),
        }
    }
    if wrong.is_empty() { Ok(Scalar::Text(AddressRange::text(&ranges))) } else { Err(wrong) }
}

/// A value as an error shows it.
struct Found<'a>(&'a Value);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Switch(switch) => write!(f, "{switch}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Text(text) => f.write_str(&quoted(&excerpt(text))),
            Value::List(_) => f.write_str("a list"),
            Value::Table(_) => f.write_str("a table"),
            Value::Other(what) => f.write_str(&excerpt(what)),
        }
    }
}

/// As much of a text of any length as an error shows.
pub(super) fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    }
}

/// A number with a unit: "30s", "64 KiB". Nothing if it is none, or too large to be counted.
fn quantity(text: &str, units: &Units) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<i64>().ok()?.checked_mul(*factor)
}

/// The number in the largest unit in which it is whole; nothing if it is not positive.
fn in_largest_unit(number: i64, units: &Units) -> Option<(i64, &'static str)> {
    let largest = units.iter().rev().find(|(_, factor)| number > 0 && number % factor == 0);
    largest.map(|(unit, factor)| (number / factor, *unit))
}

/// A string as both formats have it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0'..' ' | '\x7f' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
