//! The key-value data of a session.

use std::collections::HashMap;

use crate::error::{Code, Error, Result};

/// The most bytes of keys and values together.
const MAX_BYTES: usize = 64 * 1024;
/// The longest key.
const MAX_KEY: usize = 255;

/// Strings that the application keeps with a session.
#[derive(Debug, Default)]
pub(crate) struct SessionData {
    entries: HashMap<String, String>,
    bytes: usize,
}

impl SessionData {
    /// Stores a value in place of the key's former one. On failure nothing has changed.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("a key has 1 to {MAX_KEY} bytes, this one has {}", key.len()),
            ));
        }
        let former = self.get(key).map_or(0, |former| key.len() + former.len());
        let bytes = self.bytes - former + key.len() + value.len();
        if bytes > MAX_BYTES {
            return Err(Error::new(
                Code::OutOfMemory,
                format!("the data of a session are bounded to {MAX_BYTES} bytes, with this value they had {bytes}"),
            ));
        }
        self.entries.insert(key.to_owned(), value.to_owned());
        self.bytes = bytes;
        Ok(())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(value) = self.entries.remove(key) {
            self.bytes -= key.len() + value.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_replaced_and_removed() {
        let mut data = SessionData::default();
        data.set("name", "Ann").unwrap();
        data.set("name", "Bob").unwrap();
        data.set("empty", "").unwrap();
        assert_eq!(data.get("name"), Some("Bob"));
        assert_eq!(data.get("empty"), Some(""));
        data.remove("name");
        data.remove("never there");
        assert_eq!(data.get("name"), None);
    }

    #[test]
    fn the_bound_is_exact_and_a_refusal_changes_nothing() {
        let mut data = SessionData::default();
        data.set("k", &"v".repeat(MAX_BYTES - 1)).unwrap();
        assert_eq!(data.set("l", "").unwrap_err().code, Code::OutOfMemory);
        assert_eq!(data.set("k", &"v".repeat(MAX_BYTES)).unwrap_err().code, Code::OutOfMemory);
        assert_eq!(data.get("k").map(str::len), Some(MAX_BYTES - 1));
        data.remove("k");
        data.set("l", "").unwrap();
        assert_eq!(data.set("", "x").unwrap_err().code, Code::InvalidArgument);
        assert_eq!(data.set(&"k".repeat(MAX_KEY + 1), "x").unwrap_err().code, Code::InvalidArgument);
    }
}
