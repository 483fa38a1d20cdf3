//! The host's network interfaces: getifaddrs(3), if_nametoindex(3).

use std::ffi::{CStr, CString};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// An address of an interface.
pub(crate) struct Interface {
    pub name: String,
    /// The address, with port 0.
    pub address: SocketAddr,
    /// The address as large as this one's, whose set bits are those of the network.
    pub mask: Option<SocketAddr>,
    /// It is up and has a carrier.
    pub running: bool,
}

/// The number of the interface, or 0 if there is none of that name.
pub(crate) fn interface_number(name: &str) -> u32 {
    let Ok(name) = CString::new(name) else { return 0 };
    // SAFETY: a NUL-terminated string.
    unsafe { libc::if_nametoindex(name.as_ptr()) }
}

/// An IP address of the system's.
///
/// # Safety
/// `address` is NULL or points to a socket address as long as its family says.
unsafe fn socket_address(address: *const libc::sockaddr) -> Option<SocketAddr> {
    // SAFETY: by the contract of this function; every socket address begins with its family.
    match i32::from(unsafe { address.as_ref() }?.sa_family) {
        libc::AF_INET => {
            // SAFETY: by the contract of this function. The system's structs need not be aligned.
            let v4 = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            let ip = Ipv4Addr::from_bits(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            let port = u16::from_be(v6.sin6_port);
            Some(SocketAddrV6::new(v6.sin6_addr.s6_addr.into(), port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// The IP addresses of all interfaces, in the system's order.
pub(crate) fn interfaces() -> io::Result<Vec<Interface>> {
    let mut list = std::ptr::null_mut();
    // SAFETY: `list` is a valid place for a pointer.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = list.cast_const();
    // SAFETY: a pointer of the list is NULL or points to an entry, which stays until freeifaddrs.
    while let Some(entry) = unsafe { next.as_ref() } {
        next = entry.ifa_next;
        // SAFETY: NULL, or an address as long as its family says.
        let Some(address) = (unsafe { socket_address(entry.ifa_addr) }) else { continue };
        const RUNNING: libc::c_int = libc::IFF_UP | libc::IFF_RUNNING;
        found.push(Interface {
            // SAFETY: the name is NUL-terminated.
            name: unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy().into_owned(),
            address,
            // SAFETY: as for the address.
            mask: unsafe { socket_address(entry.ifa_netmask) },
            running: entry.ifa_flags as libc::c_int & RUNNING == RUNNING,
        });
    }
    // SAFETY: the list is getifaddrs', and nothing points into it any more.
    unsafe { libc::freeifaddrs(list) };
    Ok(found)
}
