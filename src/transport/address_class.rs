//! What IP addresses are for, by the ranges that the RFCs set apart.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::address_range::AddressRange;

/// What an address is for.
///
/// The numbers are part of the ABI.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// An address of the internet: whatever no RFC sets apart (RFC 4291 section 2.4).
    Global = 1,
    /// No address yet, or every one of this host: 0.0.0.0 (RFC 1122), :: (RFC 4291).
    Unspecified = 2,
    /// This host: 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291).
    Loopback = 3,
    /// A network of one's own: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918), fc00::/7 (RFC 4193).
    Private = 4,
    /// The link that it is on, and no further: 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291).
    LinkLocal = 5,
    /// A group of hosts: 224.0.0.0/4 (RFC 5771), ff00::/8 (RFC 4291).
    Multicast = 6,
    /// All hosts of the link: 255.255.255.255 (RFC 919).
    Broadcast = 7,
    /// Between a provider and its customers: 100.64.0.0/10 (RFC 6598).
    Shared = 8,
    /// For examples in texts: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849),
    /// 3fff::/20 (RFC 9637).
    Documentation = 9,
    /// For measuring network devices: 198.18.0.0/15 (RFC 2544), 2001:2::/48 (RFC 5180).
    Benchmarking = 10,
    /// Set apart for protocols or the future, and no host's: the rest of 0.0.0.0/8 (RFC 1122), 192.0.0.0/24 (RFC 6890),
    /// 240.0.0.0/4 (RFC 1112), 100::/64 (RFC 6666), 64:ff9b:1::/48 (RFC 8215).
    Reserved = 11,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> AddressRange {
    AddressRange::known(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix)
}

const fn v6(a: u16, b: u16, c: u16, last: u16, prefix: u8) -> AddressRange {
    AddressRange::known(IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, last)), prefix)
}

/// The first range that contains an address decides.
const RANGES: [(AddressRange, AddressClass); 26] = [
    (v4(0, 0, 0, 0, 32), AddressClass::Unspecified),
    (v4(0, 0, 0, 0, 8), AddressClass::Reserved),
    (v4(10, 0, 0, 0, 8), AddressClass::Private),
    (v4(100, 64, 0, 0, 10), AddressClass::Shared),
    (v4(127, 0, 0, 0, 8), AddressClass::Loopback),
    (v4(169, 254, 0, 0, 16), AddressClass::LinkLocal),
    (v4(172, 16, 0, 0, 12), AddressClass::Private),
    (v4(192, 0, 0, 0, 24), AddressClass::Reserved),
    (v4(192, 0, 2, 0, 24), AddressClass::Documentation),
    (v4(192, 168, 0, 0, 16), AddressClass::Private),
    (v4(198, 18, 0, 0, 15), AddressClass::Benchmarking),
    (v4(198, 51, 100, 0, 24), AddressClass::Documentation),
    (v4(203, 0, 113, 0, 24), AddressClass::Documentation),
    (v4(224, 0, 0, 0, 4), AddressClass::Multicast),
    (v4(255, 255, 255, 255, 32), AddressClass::Broadcast),
    (v4(240, 0, 0, 0, 4), AddressClass::Reserved),
    (v6(0, 0, 0, 0, 128), AddressClass::Unspecified),
    (v6(0, 0, 0, 1, 128), AddressClass::Loopback),
    (v6(0x64, 0xff9b, 1, 0, 48), AddressClass::Reserved),
    (v6(0x100, 0, 0, 0, 64), AddressClass::Reserved),
    (v6(0x2001, 2, 0, 0, 48), AddressClass::Benchmarking),
    (v6(0x2001, 0xdb8, 0, 0, 32), AddressClass::Documentation),
    (v6(0x3fff, 0, 0, 0, 20), AddressClass::Documentation),
    (v6(0xfc00, 0, 0, 0, 7), AddressClass::Private),
    (v6(0xfe80, 0, 0, 0, 10), AddressClass::LinkLocal),
    (v6(0xff00, 0, 0, 0, 8), AddressClass::Multicast),
];

impl AddressClass {
    /// What the address is for. An IPv4 address written as IPv6 (`::ffff:127.0.0.1`) is what the IPv4 address is.
    pub fn of(ip: IpAddr) -> AddressClass {
        RANGES.iter().find(|(range, _)| range.contains(ip)).map_or(AddressClass::Global, |(_, class)| *class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_from_its_first_to_its_last_address() {
        use AddressClass::*;
        for (class, addresses) in [
            (Global, &["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255"][..]),
            (
                Global,
                &["172.32.0.0", "192.0.1.0", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255"],
            ),
            (Global, &["2000::", "2001:db9::", "2001:1::1", "4000::", "64:ff9b::1", "fec0::1", "fe00::", "::2"]),
            (Unspecified, &["0.0.0.0", "::", "::ffff:0.0.0.0"]),
            (Loopback, &["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"]),
            (
                Private,
                &["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
            ),
            (Private, &["fc00::", "fdff:ffff::1", "::ffff:10.0.0.1"]),
            (LinkLocal, &["169.254.0.0", "169.254.255.255", "fe80::", "febf:ffff::1"]),
            (Multicast, &["224.0.0.0", "239.255.255.255", "ff00::", "ffff:ffff::"]),
            (Broadcast, &["255.255.255.255"]),
            (Shared, &["100.64.0.0", "100.127.255.255"]),
            (Documentation, &["192.0.2.0", "198.51.100.255", "203.0.113.7", "2001:db8::1", "3fff:fff::1"]),
            (Benchmarking, &["198.18.0.0", "198.19.255.255", "2001:2::1"]),
            (Reserved, &["0.0.0.1", "192.0.0.1", "240.0.0.0", "255.255.255.254", "100::1", "64:ff9b:1::1"]),
        ] {
            for address in addresses {
                assert_eq!(AddressClass::of(address.parse().expect(address)), class, "{address}");
            }
        }
    }
}
