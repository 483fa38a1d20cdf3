//! The host's own name, and the addresses of others: gethostname(2), getaddrinfo(3).

use std::ffi::{CStr, CString};
use std::io;
use std::net::SocketAddr;

use super::interfaces::socket_address;

/// Longer than HOST_NAME_MAX of any system.
const HOST_NAME_ROOM: usize = 256;

/// The name of this host.
pub(crate) fn host_name() -> io::Result<String> {
    let mut name = [0_u8; HOST_NAME_ROOM];
    // SAFETY: the buffer has one byte more than the length given, which stays 0.
    if unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let name = CStr::from_bytes_until_nul(&name).map_err(|_| io::Error::from_raw_os_error(libc::ENAMETOOLONG))?;
    Ok(name.to_string_lossy().into_owned())
}

/// Why a name was not resolved.
#[derive(Debug)]
pub(crate) enum LookUpFailure {
    /// The name does not exist, or has no address.
    NotFound(String),
    /// No name server answered.
    NoAnswer(String),
    /// A system call failed.
    System(io::Error),
}

/// The addresses of a host, in the system's order, each once, with port 0. Waits, and for seconds if no name server
/// answers.
pub(crate) fn look_up(host: &str) -> Result<Vec<SocketAddr>, LookUpFailure> {
    let host = CString::new(host).map_err(|_| LookUpFailure::NotFound("a host name has no NUL in it".to_owned()))?;
    // SAFETY: all zero is a value of this struct: no restriction.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = libc::AF_UNSPEC;
    hints.ai_socktype = libc::SOCK_STREAM; // else each address comes once for each type
    let mut list = std::ptr::null_mut();
    // SAFETY: a NUL-terminated string, no service, and valid structs.
    match unsafe { libc::getaddrinfo(host.as_ptr(), std::ptr::null(), &raw const hints, &raw mut list) } {
        0 => {}
        libc::EAI_SYSTEM => return Err(LookUpFailure::System(io::Error::last_os_error())),
        libc::EAI_MEMORY => return Err(LookUpFailure::System(io::Error::from_raw_os_error(libc::ENOMEM))),
        failure => {
            // SAFETY: gai_strerror returns a static string for any number.
            let text = unsafe { CStr::from_ptr(libc::gai_strerror(failure)) }.to_string_lossy().into_owned();
            return Err(match failure {
                libc::EAI_AGAIN | libc::EAI_FAIL => LookUpFailure::NoAnswer(text),
                _ => LookUpFailure::NotFound(text),
            });
        }
    }
    let mut found = Vec::new();
    let mut next = list.cast_const();
    // SAFETY: a pointer of the list is NULL or points to an entry, which stays until freeaddrinfo.
    while let Some(entry) = unsafe { next.as_ref() } {
        next = entry.ai_next;
        // SAFETY: NULL, or an address as long as its family says.
        let address = unsafe { socket_address(entry.ai_addr) };
        found.extend(address.filter(|address| !found.contains(address)));
    }
    // SAFETY: the list is getaddrinfo's, and nothing points into it any more.
    unsafe { libc::freeaddrinfo(list) };
    Ok(found)
}
