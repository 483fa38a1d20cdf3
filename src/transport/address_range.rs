//! Ranges of addresses, as in "10.0.0.0/8".

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::{Error, Result};

/// All addresses of one family that begin with the same bits (CIDR, RFC 4632; RFC 4291 section 2.3).
///
/// An IPv4 address that a dual-stack socket shows as IPv6 (`::ffff:10.0.0.1`) counts as the IPv4 address that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange {
    network: IpAddr,
    prefix: u8,
}

/// The address as bits, from the highest of 128.
const fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => (ip.to_bits() as u128) << 96,
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The bits that the addresses of a range have in common.
const fn mask(prefix: u8) -> u128 {
    match prefix {
        0 => 0,
        _ => u128::MAX << (128 - prefix as u32),
    }
}

/// The length of an address in bits.
const fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

impl AddressRange {
    /// The addresses that share their first `prefix` bits with `network`, which has no bit set behind these.
    pub fn new(network: IpAddr, prefix: u8) -> Result<AddressRange> {
        if prefix > width(network) {
            return Err(Error::invalid(format!(
                "the prefix of {network}/{prefix} is longer than the address: give at most {}",
                width(network)
            )));
        }
        if bits(network) & !mask(prefix) != 0 {
            let begin = bits(network) & mask(prefix);
            let begin: IpAddr = match network {
                IpAddr::V4(_) => Ipv4Addr::from_bits((begin >> 96) as u32).into(),
                IpAddr::V6(_) => Ipv6Addr::from_bits(begin).into(),
            };
            return Err(Error::invalid(format!(
                "{network}/{prefix} is an address within a range: write {begin}/{prefix} for the range, or \
                 {network}/{} for the one address",
                width(network)
            )));
        }
        if let (IpAddr::V6(v6), 96..) = (network, prefix)
            && let Some(v4) = v6.to_ipv4_mapped()
        {
            return Ok(AddressRange { network: v4.into(), prefix: prefix - 96 });
        }
        Ok(AddressRange { network, prefix })
    }

    /// The texts of ranges with commas between them; none of an empty one.
    pub fn split(text: &str) -> impl Iterator<Item = &str> {
        let ranges = (!text.trim().is_empty()).then(|| text.split(','));
        ranges.into_iter().flatten().map(str::trim)
    }

    /// The opposite: their texts with commas between them.
    pub fn text(ranges: &[AddressRange]) -> String {
        ranges.iter().map(AddressRange::to_string).collect::<Vec<_>>().join(", ")
    }

    /// For ranges that are part of the program; what `new` refuses does not compile.
    pub(super) const fn known(network: IpAddr, prefix: u8) -> AddressRange {
        assert!(prefix <= width(network) && bits(network) & !mask(prefix) == 0);
        AddressRange { network, prefix }
    }

    /// The first address of the range.
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// How many leading bits the addresses have in common.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether the address is one of the range. No address of the other family is.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv4() == self.network.is_ipv4() && (bits(ip) ^ bits(self.network)) & mask(self.prefix) == 0
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// Takes `10.0.0.0/8`, `2001:db8::/32`, and a bare address for the range of that one.
impl FromStr for AddressRange {
    type Err = Error;

    fn from_str(text: &str) -> Result<AddressRange> {
        let malformed = || {
            Error::invalid(format!(
                "{text:?} is not a range of addresses: expected one like 10.0.0.0/8, 2001:db8::/32 or ::1"
            ))
        };
        let (network, prefix) = match text.split_once('/') {
            Some((network, prefix)) => (network, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = network.parse().map_err(|_| malformed())?;
        let prefix = match prefix {
            None => width(network),
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().unwrap_or(u8::MAX)
            }
            Some(_) => return Err(malformed()),
        };
        AddressRange::new(network, prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn range(text: &str) -> AddressRange {
        text.parse().expect(text)
    }

    fn contains(text: &str, ip: &str) -> bool {
        range(text).contains(ip.parse().expect(ip))
    }

    fn refused(text: &str) -> String {
        let error = text.parse::<AddressRange>().expect_err(text);
        assert_eq!(error.code, Code::InvalidArgument);
        error.message.into_owned()
    }

    #[test]
    fn a_range_ends_where_its_bits_do() {
        assert!(contains("10.0.0.0/8", "10.0.0.0") && contains("10.0.0.0/8", "10.255.255.255"));
        assert!(!contains("10.0.0.0/8", "9.255.255.255") && !contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("192.0.2.128/25", "192.0.2.129") && !contains("192.0.2.128/25", "192.0.2.127"));
        assert!(contains("2001:db8::/33", "2001:db8:7fff::") && !contains("2001:db8::/33", "2001:db8:8000::"));
        assert!(contains("192.0.2.1", "192.0.2.1") && !contains("192.0.2.1", "192.0.2.0"));
        assert!(contains("::1", "::1") && !contains("::1", "::2"));
    }

    #[test]
    fn the_shortest_prefix_is_all_of_its_family() {
        assert!(contains("0.0.0.0/0", "0.0.0.0") && contains("0.0.0.0/0", "255.255.255.255"));
        assert!(contains("::/0", "ffff:ffff::1") && contains("::/0", "::"));
        assert!(!contains("0.0.0.0/0", "::1") && !contains("::/0", "127.0.0.1"));
    }

    #[test]
    fn an_ipv4_address_in_ipv6s_clothes_is_one() {
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!contains("::/0", "::ffff:10.1.2.3"));
        assert_eq!(range("::ffff:10.0.0.0/104"), range("10.0.0.0/8"));
        assert_eq!(range("::ffff:0.0.0.0/96"), range("0.0.0.0/0"));
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1/128", "192.0.2.1/32"] {
            assert_eq!(range(text).to_string(), text);
        }
        let one = range("::1");
        assert_eq!((one.to_string().as_str(), one.network(), one.prefix()), ("::1/128", "::1".parse().unwrap(), 128));
    }

    #[test]
    fn what_is_no_range_is_refused_with_what_would_be() {
        for text in
            ["", "/8", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/8/8", "ten/8", "10/8", "fe80::%lo/64"]
        {
            assert!(refused(text).contains("expected one like 10.0.0.0/8"), "{text}");
        }
        assert!(refused("10.0.0.0/33").contains("give at most 32"));
        assert!(refused("::/129").contains("give at most 128"));
        assert!(refused("10.0.0.0/999").contains("give at most 32"));
        assert!(refused("10.1.2.3/8").contains("write 10.0.0.0/8 for the range, or 10.1.2.3/32 for the one address"));
        assert!(refused("2001:db8::1/32").contains("write 2001:db8::/32 for the range"));
    }
}
