//! This host's free ports, addresses and name, and endpoints written as `host:port`.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use socket2::{Domain, Socket, Type};

use crate::error::{Code, Error, Result};
use crate::sys;
pub use crate::transport::{Address, AddressClass, AddressRange};

/// The lowest free port given out; below live well-known services.
const LOWEST_PORT: u16 = 10_000;

/// What the system gives to outgoing connections if it does not say.
const USUAL_EPHEMERAL: RangeInclusive<u16> = 32_768..=60_999;

/// How far apart processes with successive ids begin to look; prime.
const STRIDE: usize = 211;

/// A TCP port that nothing is bound to on any IPv4 address. It lies outside the ephemeral range, so that no outgoing
/// connection takes it before it is used. Successive calls give different ones; processes begin at different places, so
/// that those which run at once rarely meet.
///
/// A server that can tell its port had better start on port 0, which no other program can take first.
pub fn free_port() -> Result<u16> {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let ephemeral = ephemeral_ports();
    let ports: Vec<u16> = (LOWEST_PORT..=u16::MAX).filter(|port| !ephemeral.contains(port)).collect();
    let start = (std::process::id() as usize).wrapping_mul(STRIDE);
    for _ in 0..ports.len() {
        let at = start.wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed)) % ports.len();
        if let Some(port) = bound(ports[at])? {
            return Ok(port);
        }
    }
    // All ports are ephemeral, or taken: then the system knows best.
    bound(0)?.ok_or_else(|| Error::new(Code::BindFailed, "no TCP port is free: end a program that has many"))
}

/// What the system gives to outgoing connections.
fn ephemeral_ports() -> RangeInclusive<u16> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = range.split_whitespace().map(str::parse);
    match (ends.next(), ends.next()) {
        (Some(Ok(low)), Some(Ok(high))) => low..=high,
        _ => USUAL_EPHEMERAL,
    }
}

/// The port (0: any) if a listener could take it now on every IPv4 address.
fn bound(port: u16) -> Result<Option<u16>> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)
        .map_err(|error| Error::os(Code::Io, "cannot look for a free port: no socket", &error))?;
    let bound = socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into()).and_then(|()| socket.local_addr());
    Ok(bound.ok().and_then(|address| address.as_socket()).map(|address| address.port()))
}

/// The name that this host gives itself, which others need not know it by.
pub fn host_name() -> Result<String> {
    sys::host_name().map_err(|error| Error::os(Code::Io, "cannot tell the name of this host", &error))
}

/// An address of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalAddress {
    /// The interface that has it: `eth0`.
    pub interface: String,
    /// The address.
    pub address: Address,
    /// How many leading bits it has in common with the hosts on its link.
    pub prefix: u8,
    /// Whether the interface is up and connected.
    pub running: bool,
}

/// The addresses of this host's interfaces, in the system's order; loopback ones included.
pub fn local_addresses() -> Result<Vec<LocalAddress>> {
    let interfaces =
        sys::interfaces().map_err(|error| Error::os(Code::Io, "cannot list the addresses of this host", &error))?;
    let local = |interface: sys::Interface| LocalAddress {
        interface: interface.name,
        address: interface.address.into(),
        prefix: interface.mask.map_or(0, prefix_of),
        running: interface.running,
    };
    Ok(interfaces.into_iter().map(local).collect())
}

fn prefix_of(mask: SocketAddr) -> u8 {
    let ones = match mask {
        SocketAddr::V4(mask) => mask.ip().to_bits().leading_ones(),
        SocketAddr::V6(mask) => mask.ip().to_bits().leading_ones(),
    };
    ones as u8 // at most 128
}

/// A host and a port, written `example.org:80`, `192.0.2.1:80` or `[2001:db8::1]:80`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A name or an address; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// An endpoint of a host that can be written as one. Brackets around the host are taken off.
    pub fn new(host: &str, port: u16) -> Result<Endpoint> {
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let bare = bracketed.unwrap_or(host);
        if bare.is_empty() {
            return Err(invalid("the host is empty: give a name or an address; 0.0.0.0 or :: for all of this host's"));
        }
        if let Some(wrong) = bare.chars().find(|c| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']')) {
            return Err(invalid(format!("the host {host:?} has {wrong:?} in it, which no name or address has")));
        }
        // The zone, which need not be one of this host's, is left to whoever connects.
        let is_ipv6 = bare.split('%').next().is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
        if !is_ipv6 && bracketed.is_some() {
            return Err(invalid(format!("{host:?} is not an IPv6 address: brackets go around these only")));
        }
        if !is_ipv6 && bare.contains(':') {
            return Err(invalid(format!("the host {host:?} has a colon in it, but is not an IPv6 address")));
        }
        Ok(Endpoint { host: bare.to_owned(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Endpoint> {
        let example = "expected one like example.org:80, 192.0.2.1:80 or [2001:db8::1]:80";
        if text.parse::<Address>().is_ok_and(|address| address.ip.is_ipv6()) && !text.starts_with('[') {
            return Err(invalid(format!(
                "{text:?} is an IPv6 address without brackets, of which no port can be told: {example}"
            )));
        }
        let (host, port) = text
            .rsplit_once(':')
            .filter(|(_, port)| !port.ends_with(']'))
            .ok_or_else(|| invalid(format!("{text:?} has no port: {example}")))?;
        if host.contains(':') && !host.starts_with('[') {
            return Err(invalid(format!("{text:?} has several colons: an IPv6 address needs brackets, {example}")));
        }
        let number = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten();
        let port = number
            .ok_or_else(|| invalid(format!("the port of {text:?} is not a number from 0 to 65535: {example}")))?;
        Endpoint::new(host, port)
    }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound_and_is_not_ephemeral() {
        let ephemeral = ephemeral_ports();
        for _ in 0..20 {
            let port = free_port().expect("a port is free");
            std::net::TcpListener::bind(("0.0.0.0", port)).expect("free");
            let none_outside = *ephemeral.start() <= LOWEST_PORT && *ephemeral.end() == u16::MAX;
            assert!(none_outside || !ephemeral.contains(&port), "{port}");
        }
    }

    #[test]
    fn a_port_that_is_taken_is_not_free() {
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = taken.local_addr().expect("bound").port();
        assert_eq!(bound(port), Ok(None));
        assert!(bound(0).expect("a socket").is_some_and(|port| port != 0));
    }

    #[test]
    fn the_host_has_a_name_and_a_loopback_address() {
        assert!(!host_name().expect("a name").is_empty());
        let addresses = local_addresses().expect("a list");
        let loopback = addresses.iter().find(|local| local.address.ip == Ipv4Addr::LOCALHOST).expect("127.0.0.1");
        assert_eq!((loopback.interface.as_str(), loopback.prefix, loopback.running), ("lo", 8, true));
        for local in addresses {
            let is_zoned = local.address.class() == AddressClass::LinkLocal && local.address.ip.is_ipv6();
            assert_eq!(local.address.zone != 0, is_zoned, "{local:?}");
        }
    }

    #[test]
    fn endpoints_are_read_and_written() {
        for (text, host, port) in [
            ("example.org:80", "example.org", 80),
            ("192.0.2.1:0", "192.0.2.1", 0),
            ("[2001:db8::1]:65535", "2001:db8::1", 65535),
            ("[fe80::1%eth7]:80", "fe80::1%eth7", 80),
        ] {
            let endpoint: Endpoint = text.parse().expect(text);
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port));
            assert_eq!(endpoint.to_string(), text);
            assert_eq!(Endpoint::new(host, port), Ok(endpoint));
        }
        assert_eq!(Endpoint::new("[::1]", 80).expect("in brackets").host, "::1");
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "has no port"),
            ("example.org", "has no port"),
            ("[::1]", "has no port"),
            ("::1", "without brackets"),
            ("2001:db8::1:80", "without brackets"),
            ("example.org:80:81", "several colons"),
            (":80", "the host is empty"),
            ("[]:80", "the host is empty"),
            ("example.org:", "not a number from 0 to 65535"),
            ("example.org:+80", "not a number from 0 to 65535"),
            ("example.org:65536", "not a number from 0 to 65535"),
            ("example.org:http", "not a number from 0 to 65535"),
            ("[example.org]:80", "brackets go around these only"),
            ("[::1:80", "'[' in it"),
            ("a b:80", "' ' in it"),
        ] {
            let error = text.parse::<Endpoint>().expect_err(text);
            assert_eq!(error.code, Code::InvalidArgument);
            assert!(error.message.contains(reason), "{text}: {}", error.message);
        }
        assert!(Endpoint::new("a:b", 1).expect_err("a colon").message.contains("not an IPv6 address"));
    }
}
