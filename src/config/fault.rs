//! What is wrong with a configuration.

use std::fmt;

use crate::error::{Code, Error};

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The file as it was named; empty if there is none.
    pub file: String,
    /// The line, from 1; 0 if it is in no line of a text.
    pub line: u32,
    /// The column, in characters from 1; 0 if it is in no line of a text.
    pub column: u32,
    /// The key: "server.timeout"; empty if the fault is not that of one key.
    pub key: String,
    /// What was found and what is expected.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.is_empty(), self.line) {
            (true, 0) => {}
            (true, line) => write!(f, "{line}:{}: ", self.column)?,
            (false, 0) => write!(f, "{}: ", self.file)?,
            (false, line) => write!(f, "{}:{line}:{}: ", self.file, self.column)?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)
    }
}

/// All that is wrong with a configuration, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// [`Code::InvalidArgument`], or why the file could not be read.
    pub code: Code,
    /// `errno` of reading the file, or 0.
    pub os_code: i32,
    /// The faults; at least one.
    pub list: Vec<Fault>,
}

impl fmt::Display for Faults {
    /// One fault a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.list.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl From<Vec<Fault>> for Faults {
    fn from(list: Vec<Fault>) -> Faults {
        Faults { code: Code::InvalidArgument, os_code: 0, list }
    }
}

impl From<Faults> for Error {
    fn from(faults: Faults) -> Error {
        Error { code: faults.code, os_code: faults.os_code, message: faults.to_string().into() }
    }
}
