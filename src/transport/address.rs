//! IP addresses as people write them: with brackets around IPv6, and with the zone of a link-local one.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

use super::address_class::AddressClass;
use crate::error::{Code, Error, Result};
use crate::sys;

/// An IP address and, where it means nothing without one, its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// The number of the interface behind a link-local IPv6 address (RFC 4007); 0: none.
    pub zone: u32,
}

impl Address {
    /// What the address is for.
    pub fn class(&self) -> AddressClass {
        AddressClass::of(self.ip)
    }

    /// The address with a port.
    pub fn with_port(&self, port: u16) -> SocketAddr {
        match self.ip {
            IpAddr::V4(_) => SocketAddr::new(self.ip, port),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, self.zone).into(),
        }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Address {
        Address { ip, zone: 0 }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        match address {
            SocketAddr::V4(v4) => IpAddr::V4(*v4.ip()).into(),
            SocketAddr::V6(v6) => Address { ip: (*v6.ip()).into(), zone: v6.scope_id() },
        }
    }
}

/// `127.0.0.1`, `::1`, `fe80::1%3`: the zone as a number, which no interface's new name changes.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.zone {
            0 => self.ip.fmt(f),
            zone => write!(f, "{}%{zone}", self.ip),
        }
    }
}

/// Takes `127.0.0.1`, `::1`, `[::1]`, `fe80::1%eth0` and `fe80::1%3`.
impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Address> {
        let malformed = |why: &str| {
            Error::new(
                Code::InvalidArgument,
                format!("{text:?} is not an IP address{why}: expected one like 192.0.2.1, 2001:db8::1 or fe80::1%eth0"),
            )
        };
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let bare = bracketed.unwrap_or(text);
        let Some((address, zone)) = bare.split_once('%') else {
            let ip: IpAddr = bare.parse().map_err(|_| malformed(""))?;
            if bracketed.is_some() && ip.is_ipv4() {
                return Err(malformed(" (brackets go around IPv6 only)"));
            }
            return Ok(ip.into());
        };
        let ip: Ipv6Addr = address.parse().map_err(|_| malformed(" with a zone"))?;
        if !has_zone(ip) {
            return Err(malformed(" (only link-local and multicast ones have a zone, the part behind %)"));
        }
        Ok(Address { ip: ip.into(), zone: zone_number(zone)? })
    }
}

/// RFC 4007: elsewhere a zone would say nothing.
fn has_zone(ip: Ipv6Addr) -> bool {
    ip.is_unicast_link_local() || ip.is_multicast()
}

/// An interface's number, or that of the interface with this name.
fn zone_number(zone: &str) -> Result<u32> {
    let number = if zone.bytes().all(|byte| byte.is_ascii_digit()) {
        zone.parse().unwrap_or(0)
    } else {
        sys::interface_number(zone)
    };
    if number == 0 {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("this host has no network interface {zone:?}: put the name or number of one behind the %"),
        ));
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Address {
        text.parse().expect(text)
    }

    fn refused(text: &str) -> String {
        let error = text.parse::<Address>().expect_err(text);
        assert_eq!(error.code, Code::InvalidArgument);
        error.message.into_owned()
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (text, shown) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("fe80::1%3", "fe80::1%3"),
            ("[fe80::1%3]", "fe80::1%3"),
            ("ff02::1%3", "ff02::1%3"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ] {
            assert_eq!(parsed(text).to_string(), shown);
            assert_eq!(parsed(shown), parsed(text));
            assert_eq!(Address::from(parsed(text).with_port(7)), parsed(text));
        }
    }

    #[test]
    fn a_zone_may_be_an_interfaces_name() {
        let number = sys::interface_number("lo");
        assert_ne!(number, 0, "every Linux has lo");
        assert_eq!(parsed("fe80::1%lo").zone, number);
        assert_eq!(parsed("fe80::1%lo").with_port(80).to_string(), format!("[fe80::1%{number}]:80"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_would_be() {
        for text in ["", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "[::1", "::1]", "[]", ":::", "1.2.3.4:80"] {
            assert!(refused(text).contains("is not an IP address: expected one like"), "{text}");
        }
        assert!(refused("[127.0.0.1]").contains("brackets go around IPv6 only"));
        assert!(refused("127.0.0.1%lo").contains("with a zone"));
        assert!(refused("2001:db8::1%lo").contains("only link-local and multicast ones have a zone"));
        for zone in ["", "0", "99999999999", "no-such-interface", "a\0b"] {
            assert!(refused(&format!("fe80::1%{zone}")).contains("no network interface"), "{zone:?}");
        }
    }
}
