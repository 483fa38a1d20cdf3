//! An event as a line of text.

use std::fmt::{self, Write};

use tracing::Event;
use tracing::field::{Field, Visit};

use super::Record;

/// What is cut off, in bytes, so that no peer makes lines of any length, and so that a line has room in what a pipe
/// takes as a whole (4096 bytes).
const LONGEST_MESSAGE: usize = 2048;
const LONGEST_FIELDS: usize = 1024;

/// What an event says: its message, and behind it its fields, as in `message key=value key=value`. Where lines before
/// it were left out, it ends with how many.
pub(super) fn text_of(event: &Event<'_>, left_out: u64) -> String {
    let mut parts = Parts { message: OneLine::up_to(LONGEST_MESSAGE), fields: OneLine::up_to(LONGEST_FIELDS) };
    event.record(&mut parts);
    let (mut text, fields) = (parts.message.text, parts.fields.text);
    text += if text.is_empty() { fields.trim_start() } else { &fields };
    note(text, left_out)
}

/// `text` with a note on how many lines were left out.
pub(super) fn note(mut text: String, left_out: u64) -> String {
    if left_out > 0 {
        // Writing to a string does not fail.
        _ = write!(text, " ({left_out} more like it were left out)");
    }
    text
}

struct Parts {
    message: OneLine,
    fields: OneLine,
}

impl Visit for Parts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing fails where it is enough, or where the value's own formatting does; what there is of it is kept.
        _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// Text of which one line is made, whatever is written: what ends a line, moves a cursor or turns the direction of
/// writing is shown as an escape, so that nobody can forge lines, or hide any.
struct OneLine {
    text: String,
    longest: usize,
}

impl OneLine {
    fn up_to(longest: usize) -> OneLine {
        OneLine { text: String::new(), longest }
    }
}

impl Write for OneLine {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.text.len() >= self.longest {
                if !self.text.ends_with('…') {
                    self.text.push('…');
                }
                return Err(fmt::Error);
            }
            if is_escaped(c) { self.text.extend(c.escape_default()) } else { self.text.push(c) }
        }
        Ok(())
    }
}

fn is_escaped(c: char) -> bool {
    let ends_line = matches!(c, '\u{2028}' | '\u{2029}');
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || ends_line || turns
}

/// `2026-11-23T12:00:00.123Z WARN network_system::core::server: text`, and the end of the line.
pub(super) fn whole(record: &Record<'_>) -> String {
    let Record { level, unix_ms, target, text } = record;
    let (seconds, ms) = (unix_ms / 1000, unix_ms % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z {level} {target}: {text}\n")
}

/// The year, month and day so many days after 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    /// Those of 400 years, after which the calendar repeats.
    const CYCLE: u64 = 146_097;
    let mut year = 1970 + days / CYCLE * 400;
    let mut day = days % CYCLE;
    loop {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let february = if leap { 29 } else { 28 };
        for (month, length) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            if day < length {
                return (year, month, day + 1);
            }
            day -= length;
        }
        year += 1;
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn dates() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_780, (2026, 11, 23)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
            (146_097, (2370, 1, 1)),
        ] {
            assert_eq!(date(days), expected, "{days}");
        }
    }

    #[test]
    fn a_whole_line() {
        let record = Record { level: Level::WARN, unix_ms: 1_795_435_200_123, target: "a::b", text: "it is so" };
        assert_eq!(whole(&record), "2026-11-23T12:00:00.123Z WARN a::b: it is so\n");
    }

    #[test]
    fn nothing_makes_a_second_line_or_a_longer_one() {
        let mut line = OneLine::up_to(100);
        write!(line, "a\nb\r\t\x1b[31m\u{2028}\u{202e}\u{61c}\u{85}é \\").expect("there is room");
        assert_eq!(line.text, r"a\nb\r\t\u{1b}[31m\u{2028}\u{202e}\u{61c}\u{85}é \");
        let mut line = OneLine::up_to(100);
        for _ in 0..2 {
            write!(line, "{}", "é".repeat(100)).expect_err("there is no room");
        }
        assert_eq!(line.text, "é".repeat(50) + "…");
    }

    #[test]
    fn what_was_left_out_is_noted() {
        assert_eq!(note("text".into(), 0), "text");
        assert_eq!(note("text".into(), 7), "text (7 more like it were left out)");
    }
}
