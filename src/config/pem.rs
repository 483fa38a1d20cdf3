//! Certificates, keys and revocation lists as settings name them.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Certificates, a key or a revocation list as PEM: where it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Pem {
    /// Nowhere.
    #[default]
    None,
    /// In the file of that name, which is read when a server or client starts.
    File(String),
    /// Here. The bytes are zeroed when the last copy of the setting is gone.
    Memory(Arc<Zeroizing<Vec<u8>>>),
}

impl Pem {
    /// PEM that is in memory.
    pub fn memory(bytes: impl Into<Vec<u8>>) -> Pem {
        Pem::Memory(Arc::new(Zeroizing::new(bytes.into())))
    }

    /// PEM that is in a file.
    pub fn file(name: impl Into<String>) -> Pem {
        Pem::File(name.into())
    }

    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        *self != Pem::None
    }
}

/// Shows no content, which may be a private key.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pem::None => f.write_str("None"),
            Pem::File(name) => write!(f, "File({name:?})"),
            Pem::Memory(bytes) => write!(f, "Memory({} bytes)", bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_key_is_its_length() {
        let key = Pem::memory("canary-6fba");
        let shown = format!("{key:?} {key:#?}");
        assert!(shown.contains("Memory(11 bytes)") && !shown.contains("canary") && !shown.contains("99, 97, 110"));
    }
}
