//! Ports, addresses, ranges of addresses, endpoints, and this host's name.

use std::ffi::{c_char, c_void};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::args::{self, Extensible, Out};
use super::guard;
use super::status::netsys_status;
use super::types::*;
use crate::error::{Error, Result};
use crate::utils::network_utils::{self, Address, AddressClass, AddressRange, Endpoint};

/// Address: one of the internet, whatever no RFC sets apart (RFC 4291 section 2.4).
pub const NETSYS_ADDRESS_GLOBAL: u32 = 1;
/// Address: none yet, or every one of this host: 0.0.0.0 (RFC 1122), :: (RFC 4291).
pub const NETSYS_ADDRESS_UNSPECIFIED: u32 = 2;
/// Address: this host: 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291).
pub const NETSYS_ADDRESS_LOOPBACK: u32 = 3;
/// Address: of a network of one's own: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918), fc00::/7 (RFC 4193).
pub const NETSYS_ADDRESS_PRIVATE: u32 = 4;
/// Address: of the link and no further: 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291).
pub const NETSYS_ADDRESS_LINK_LOCAL: u32 = 5;
/// Address: a group of hosts: 224.0.0.0/4 (RFC 5771), ff00::/8 (RFC 4291).
pub const NETSYS_ADDRESS_MULTICAST: u32 = 6;
/// Address: all hosts of the link: 255.255.255.255 (RFC 919).
pub const NETSYS_ADDRESS_BROADCAST: u32 = 7;
/// Address: between a provider and its customers: 100.64.0.0/10 (RFC 6598).
pub const NETSYS_ADDRESS_SHARED: u32 = 8;
/// Address: for examples in texts: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849),
/// 3fff::/20 (RFC 9637).
pub const NETSYS_ADDRESS_DOCUMENTATION: u32 = 9;
/// Address: for measuring network devices: 198.18.0.0/15 (RFC 2544), 2001:2::/48 (RFC 5180).
pub const NETSYS_ADDRESS_BENCHMARKING: u32 = 10;
/// Address: set apart for protocols or the future, and no host's: the rest of 0.0.0.0/8 (RFC 1122), 192.0.0.0/24 (RFC
/// 6890), 240.0.0.0/4 (RFC 1112), 100::/64 (RFC 6666), 64:ff9b:1::/48 (RFC 8215).
pub const NETSYS_ADDRESS_RESERVED: u32 = 11;

const _: () = {
    assert!(NETSYS_ADDRESS_GLOBAL == AddressClass::Global as u32);
    assert!(NETSYS_ADDRESS_UNSPECIFIED == AddressClass::Unspecified as u32);
    assert!(NETSYS_ADDRESS_LOOPBACK == AddressClass::Loopback as u32);
    assert!(NETSYS_ADDRESS_PRIVATE == AddressClass::Private as u32);
    assert!(NETSYS_ADDRESS_LINK_LOCAL == AddressClass::LinkLocal as u32);
    assert!(NETSYS_ADDRESS_MULTICAST == AddressClass::Multicast as u32);
    assert!(NETSYS_ADDRESS_BROADCAST == AddressClass::Broadcast as u32);
    assert!(NETSYS_ADDRESS_SHARED == AddressClass::Shared as u32);
    assert!(NETSYS_ADDRESS_DOCUMENTATION == AddressClass::Documentation as u32);
    assert!(NETSYS_ADDRESS_BENCHMARKING == AddressClass::Benchmarking as u32);
    assert!(NETSYS_ADDRESS_RESERVED == AddressClass::Reserved as u32);
};

/// An IP address, filled in by netsys_address_parse.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_address_info {
    /// sizeof(netsys_address_info); set it before the call.
    pub struct_size: u32,
    /// 4 or 6, for IPv4 or IPv6.
    pub version: u32,
    /// The number of the interface behind a link-local IPv6 address, or 0.
    pub zone: u32,
    /// What it is for: NETSYS_ADDRESS_*. An IPv4 address written as IPv6 (::ffff:127.0.0.1) is what the IPv4 address
    /// is. Not looked at where the library is given the struct.
    pub address_class: u32,
    /// The address as it travels: the first 4 bytes for IPv4, the rest 0; or all 16.
    pub bytes: [u8; 16],
}

/// A range of addresses, filled in by netsys_range_parse.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_range_info {
    /// sizeof(netsys_range_info); set it before the call.
    pub struct_size: u32,
    /// 4 or 6, for IPv4 or IPv6.
    pub version: u32,
    /// How many leading bits the addresses have in common: 0 to 32, or to 128.
    pub prefix: u32,
    /// 0.
    pub reserved: u32,
    /// The first address of the range, as in netsys_address_info.
    pub bytes: [u8; 16],
}

/// An address of this host. Valid for the call of visit.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_local_address {
    /// sizeof(netsys_local_address) of the library.
    pub struct_size: u32,
    /// How many leading bits it has in common with the hosts on its link.
    pub prefix: u32,
    /// What it is for: NETSYS_ADDRESS_*.
    pub address_class: u32,
    /// 1 if the interface is up and connected, else 0.
    pub running: u32,
    /// The interface that has it: "eth0".
    pub interface_name: netsys_str,
    /// The address: "192.0.2.1", "2001:db8::1", "fe80::1%2".
    pub address: netsys_str,
}

// SAFETY: see `tests::structs_have_no_padding`; numbers and bytes may be zero.
unsafe impl Extensible for netsys_address_info {
    const LEAST: usize = 32;
}
// SAFETY: as above.
unsafe impl Extensible for netsys_range_info {
    const LEAST: usize = 32;
}

fn version_and_bytes(ip: IpAddr) -> (u32, [u8; 16]) {
    match ip {
        IpAddr::V4(ip) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&ip.octets());
            (4, bytes)
        }
        IpAddr::V6(ip) => (6, ip.octets()),
    }
}

fn ip(version: u32, bytes: [u8; 16], name: &str) -> Result<IpAddr> {
    match (version, bytes) {
        (4, [a, b, c, d, ..]) => Ok(Ipv4Addr::new(a, b, c, d).into()),
        (6, bytes) => Ok(Ipv6Addr::from(bytes).into()),
        _ => Err(Error::invalid(format!(
            "{name}: version is {version}: it must be 4 or 6, as the parsing function sets it"
        ))),
    }
}

/// # Safety
/// `address` is NULL or points to a struct as long as it says.
unsafe fn read_address(address: *const netsys_address_info) -> Result<Address> {
    // SAFETY: by the contract of this function.
    let info = unsafe { args::read_struct(address, "address") }?;
    Ok(Address { ip: ip(info.version, info.bytes, "address")?, zone: if info.version == 6 { info.zone } else { 0 } })
}

/// # Safety
/// `range` is NULL or points to a struct as long as it says.
unsafe fn read_range(range: *const netsys_range_info) -> Result<AddressRange> {
    // SAFETY: by the contract of this function.
    let info = unsafe { args::read_struct(range, "range") }?;
    args::reserved(info.reserved, "range: reserved")?;
    AddressRange::new(ip(info.version, info.bytes, "range")?, u8::try_from(info.prefix).unwrap_or(u8::MAX))
}

/// A TCP port that nothing is bound to on any IPv4 address. It lies outside the range that the system gives to outgoing
/// connections, so that none takes it before it is used. Successive calls give different ones. Works in a forked child
/// too, where it begins at another place.
///
/// A server that can tell its port had better start on port 0, which no other program can take first.
///
/// @param out  the port
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_IO (no socket); NETSYS_ERR_BIND_FAILED (all are taken)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_free_port(out: *mut u16) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(network_utils::free_port()?);
        Ok(())
    })
}

/// The name that this host gives itself, which others need not know it by. Works in a forked child too.
///
/// @param buf     the name, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_IO (the system failed)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_host_name(buf: *mut c_char, cap: usize, needed: *mut usize) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&network_utils::host_name()?, buf, cap, needed) }
    })
}

/// Calls visit for each address of this host's interfaces, loopback ones included, in the system's order: on this
/// thread, before this returns, and without a lock. Works in a forked child too.
///
/// @param visit     gets an address
/// @param userdata  given to visit
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_IO (the system failed)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_local_addresses(
    visit: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, address: *const netsys_local_address)>,
    userdata: *mut c_void,
) -> netsys_status {
    guard::call_also_forked(|| {
        let visit = visit.ok_or_else(|| Error::invalid("visit is NULL"))?;
        for local in network_utils::local_addresses()? {
            let address = local.address.to_string();
            let record = netsys_local_address {
                struct_size: size_of::<netsys_local_address>() as u32,
                prefix: local.prefix.into(),
                address_class: local.address.class() as u32,
                running: local.running.into(),
                interface_name: netsys_str { data: local.interface.as_ptr().cast(), len: local.interface.len() },
                address: netsys_str { data: address.as_ptr().cast(), len: address.len() },
            };
            // SAFETY: the caller's function is called as the header says; the record lives for the call.
            guard::contained("visit", || unsafe { visit(userdata, &raw const record) });
        }
        Ok(())
    })
}

/// Reads an IP address: "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0", "fe80::1%2". Names are not looked
/// up: netsys_resolver_resolve does that. Works in a forked child too.
///
/// @param text  the address
/// @param out   filled in; set its struct_size to sizeof(netsys_address_info) first
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT (also for what is no address)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_address_parse(text: netsys_str, out: *mut netsys_address_info) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: the caller gives a view that is valid.
        let address: Address = unsafe { args::text(text, "text") }?.parse()?;
        let (version, bytes) = version_and_bytes(address.ip);
        let address_class = address.class() as u32;
        let info = netsys_address_info { struct_size: 0, version, zone: address.zone, address_class, bytes };
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", info) }
    })
}

/// Writes an IP address in its shortest form (RFC 5952), without brackets. Works in a forked child too.
///
/// @param address  the address
/// @param buf      the text, NUL-terminated; may be NULL if cap is 0
/// @param cap      the size of buf
/// @param needed   the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_address_format(
    address: *const netsys_address_info,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: the caller gives NULL or a struct as long as it says, a buffer of that size, and NULL or a place for
        // the length.
        unsafe { args::give_text(&read_address(address)?.to_string(), buf, cap, needed) }
    })
}

/// Reads a range of addresses: "10.0.0.0/8", "2001:db8::/32", or an address for the range of that one. Works in a
/// forked child too.
///
/// @param text  the range
/// @param out   filled in; set its struct_size to sizeof(netsys_range_info) first
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT (also for what is no range, such as "10.1.2.3/8")
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_range_parse(text: netsys_str, out: *mut netsys_range_info) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: the caller gives a view that is valid.
        let range: AddressRange = unsafe { args::text(text, "text") }?.parse()?;
        let (version, bytes) = version_and_bytes(range.network());
        let info = netsys_range_info { struct_size: 0, version, prefix: range.prefix().into(), reserved: 0, bytes };
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", info) }
    })
}

/// Writes a range of addresses: "10.0.0.0/8". Works in a forked child too.
///
/// @param range   the range
/// @param buf     the text, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_range_format(
    range: *const netsys_range_info,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: as in netsys_address_format.
        unsafe { args::give_text(&read_range(range)?.to_string(), buf, cap, needed) }
    })
}

/// Whether an address is one of a range. None of the other IP version is; but ::ffff:10.0.0.1 is in 10.0.0.0/8. Works
/// in a forked child too.
///
/// @param range    the range
/// @param address  the address; its zone does not matter
/// @param out      true if it is
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_range_contains(
    range: *const netsys_range_info,
    address: *const netsys_address_info,
    out: *mut bool,
) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: the caller gives NULL or structs as long as they say, and NULL or a place for the result.
        let (range, address, out) = unsafe { (read_range(range)?, read_address(address)?, Out::new(out, "out")?) };
        out.store(range.contains(address.ip));
        Ok(())
    })
}

/// Reads a host and a port: "example.org:80", "192.0.2.1:80", "[2001:db8::1]:80". Works in a forked child too.
///
/// @param text    the endpoint
/// @param buf     the host without brackets, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length of the host without the NUL; may be NULL
/// @param port    the port
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT (also for what is no endpoint); NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_endpoint_parse(
    text: netsys_str,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    port: *mut u16,
) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: the caller gives a view that is valid, and NULL or a place for the port.
        let (text, port) = unsafe { (args::text(text, "text")?, Out::new(port, "port")?) };
        let endpoint: Endpoint = text.parse()?;
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&endpoint.host, buf, cap, needed) }?;
        port.store(endpoint.port);
        Ok(())
    })
}

/// Writes a host and a port, with brackets around an IPv6 address. Works in a forked child too.
///
/// @param host    a name or an address, with or without brackets
/// @param port    the port
/// @param buf     the text, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT (also for what can be no host); NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_endpoint_format(
    host: netsys_str,
    port: u16,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: the caller gives a view that is valid, a buffer of that size, and NULL or a place for the length.
        unsafe {
            let endpoint = Endpoint::new(args::text(host, "host")?, port)?;
            args::give_text(&endpoint.to_string(), buf, cap, needed)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structs_have_no_padding() {
        assert_eq!(size_of::<netsys_address_info>(), 4 * 4 + 16);
        assert_eq!(size_of::<netsys_range_info>(), 4 * 4 + 16);
        assert_eq!(size_of::<netsys_local_address>(), 4 * 4 + 2 * 16);
    }

    #[test]
    fn an_address_that_was_not_parsed_is_refused() {
        // SAFETY: all zero is a value of these structs.
        let (mut address, mut range): (netsys_address_info, netsys_range_info) = unsafe { std::mem::zeroed() };
        (address.struct_size, range.struct_size) = (32, 32);
        let mut inside = false;
        // SAFETY: whole structs, and a place for the result.
        let mut contains = |range: &netsys_range_info, address: &netsys_address_info| unsafe {
            netsys_range_contains(range, address, &raw mut inside)
        };
        assert_eq!(contains(&range, &address), -1);
        range.version = 4;
        assert_eq!(contains(&range, &address), -1);
        address.version = 4;
        assert_eq!(contains(&range, &address), 0);
        range.prefix = 33;
        assert_eq!(contains(&range, &address), -1);
        range.prefix = 256 + 8;
        assert_eq!(contains(&range, &address), -1);
        (range.prefix, range.bytes[3]) = (8, 1);
        assert_eq!(contains(&range, &address), -1);
        assert!(inside, "stored by the one that succeeded");
    }
}
