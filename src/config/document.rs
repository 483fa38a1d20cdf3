//! A text of configuration as a tree, in which everything knows its place. Both formats become this.

use std::collections::HashSet;
use std::fmt::Display;

use super::fault::Fault;
use super::kind::excerpt;
use super::{json, toml};

/// A longer text is no configuration.
pub(super) const MAX_LEN: usize = 1024 * 1024;

/// Of more faults than these, the rest is counted only.
const MAX_FAULTS: usize = 100;

/// How a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// TOML 1.1.
    Toml,
    /// JSON, without comments and other extensions.
    Json,
}

impl Format {
    /// The format of a file: what its name ends with; else that of its text, since no TOML begins with a brace.
    pub(super) fn of(path: &str, text: &str) -> Format {
        match path.rsplit_once('.') {
            Some((_, "json")) => Format::Json,
            Some((_, "toml")) => Format::Toml,
            _ if text.trim_start().starts_with('{') => Format::Json,
            _ => Format::Toml,
        }
    }
}

/// A value and where it begins, as an offset into the text.
pub(super) struct Node {
    pub value: Value,
    pub at: usize,
}

pub(super) enum Value {
    Switch(bool),
    Number(i64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// What no key takes: a fraction, a date. As the text or the format calls it.
    Other(String),
}

/// A key with its value.
pub(super) struct Entry {
    pub key: String,
    pub at: usize,
    pub node: Node,
}

/// Gathers the faults of one text and knows in which lines they are.
pub(super) struct Report<'a> {
    file: &'a str,
    text: &'a str,
    line_starts: Vec<usize>,
    faults: Vec<Fault>,
    left_out: usize,
    unsure_lines: HashSet<u32>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        Report { file, text, line_starts, faults: Vec::new(), left_out: 0, unsure_lines: HashSet::new() }
    }

    /// The number of the line, from 1.
    pub(super) fn line(&self, at: usize) -> u32 {
        self.line_starts.partition_point(|start| *start <= at) as u32
    }

    /// Adds a fault of the syntax. What is read of its line may not be what is written there.
    pub(super) fn add_syntax(&mut self, at: usize, key: &str, text: impl Display) {
        self.unsure_lines.insert(self.line(at));
        self.add(at, key, text);
    }

    /// Whether the line has a fault of the syntax.
    pub(super) fn is_unsure(&self, at: usize) -> bool {
        self.unsure_lines.contains(&self.line(at))
    }

    pub(super) fn add(&mut self, at: usize, key: &str, text: impl Display) {
        if self.faults.len() == MAX_FAULTS {
            self.left_out += 1;
            return;
        }
        let line = self.line(at);
        let before = &self.text[self.line_starts[line as usize - 1]..self.text.floor_char_boundary(at)];
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line,
            column: before.chars().count() as u32 + 1,
            key: excerpt(key).into_owned(),
            text: text.to_string(),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// The faults in the order of the text.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| (fault.line, fault.column));
        if self.left_out > 0 {
            let text = format!("there are {} more faults", self.left_out);
            self.faults.push(Fault { file: self.file.to_owned(), text, ..Fault::default() });
        }
        self.faults
    }
}

/// Reads as much as can be understood; what cannot is reported.
pub(super) fn parse(text: &str, format: Format, report: &mut Report<'_>) -> Vec<Entry> {
    match format {
        Format::Toml => toml::parse(text, report),
        Format::Json => json::parse(text, report),
    }
}
