//! What is in memory: of the process as the kernel says (proc(5)), of the application in its own words.

use std::fs::File;
use std::io::{self, Read};

/// Bytes of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What the application said that it uses; until then what is resident.
    pub used: u64,
    /// The most of that.
    pub peak: u64,
    /// What the process has in memory.
    pub resident: u64,
    /// What the sessions of all contexts hold in buffers.
    pub buffered: u64,
}

/// What the process has in memory, in bytes; 0 where the kernel does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Resident {
    pub now: u64,
    /// The most since the process began.
    pub peak: u64,
}

impl Resident {
    pub(super) fn read() -> Resident {
        Resident::ask().unwrap_or_default()
    }

    fn ask() -> io::Result<Resident> {
        Resident::read_from(File::open("/proc/self/status")?)
    }

    fn read_from(mut source: impl Read) -> io::Result<Resident> {
        let mut status = Vec::with_capacity(4096);
        source.read_to_end(&mut status)?;
        Ok(Resident::parse(&String::from_utf8_lossy(&status)))
    }

    fn parse(status: &str) -> Resident {
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        };
        let bytes = |name| figure(name).unwrap_or(0) * 1024;
        Resident { now: bytes("VmRSS:"), peak: bytes("VmHWM:") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_it() {
        let status = "Name:\tx\nVmHWM:\t    7744 kB\nVmRSS:\t    7000 kB\nRssAnon:\t 100 kB\n";
        assert_eq!(Resident::parse(status), Resident { now: 7000 * 1024, peak: 7744 * 1024 });
        assert_eq!(Resident::parse("VmRSS:\tmuch\n"), Resident::default());
    }

    #[test]
    fn a_process_of_many_groups_has_a_longer_text() {
        let status = format!("Groups:\t{}\nVmHWM:\t 2 kB\nVmRSS:\t 1 kB\n", "1234567 ".repeat(65_536));
        let found = Resident::read_from(status.as_bytes()).expect("it can be read");
        assert_eq!(found, Resident { now: 1024, peak: 2048 });
    }

    #[test]
    fn it_is_measured() {
        let before = Resident::read();
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        let with = Resident::read();
        assert!(with.now > before.now + (48 << 20) && with.peak >= with.now, "{before:?} {with:?}");
        drop(block);
    }
}
