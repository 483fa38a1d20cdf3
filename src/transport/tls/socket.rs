//! The socket as rustls reads and writes it.

use std::io::{self, IoSlice, Write};

use crate::transport::tcp::Tcp;

/// A socket. `now`: it is written whether or not the loop has seen room.
pub(super) struct Socket<'a> {
    pub tcp: &'a Tcp,
    pub now: bool,
}

impl io::Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tcp.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome.map(|read| read.len),
            }
        }
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.now { self.tcp.write_now(data) } else { self.tcp.try_write(data) }
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.now { self.tcp.write_vectored_now(data) } else { self.tcp.try_write_vectored(data) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A socket that has nothing now.
pub(super) struct Nothing;

impl io::Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}
