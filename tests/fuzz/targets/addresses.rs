//! Addresses, ranges of them and endpoints: what is read is the same when it is written and read again.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use network_system::transport::{Address, AddressRange};
use network_system::utils::network_utils::Endpoint;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    read_again::<Address>(&text);
    read_again::<AddressRange>(&text);
    read_again::<Endpoint>(&text);
    if let Ok(address) = text.parse::<Address>() {
        address.class();
        if let Ok(range) = AddressRange::new(address.ip, 24) {
            assert!(range.contains(address.ip));
        }
    }
    let ranges: Vec<AddressRange> = AddressRange::split(&text).filter_map(|range| range.parse().ok()).collect();
    let again: Vec<AddressRange> =
        AddressRange::split(&AddressRange::text(&ranges)).map(|range| range.parse().unwrap()).collect();
    assert_eq!(again, ranges);
}

fn read_again<T: FromStr<Err: Debug> + Display + Debug + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string().parse::<T>().unwrap(), value);
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    [
        "192.0.2.1",
        "2001:db8::1",
        "fe80::1%lo",
        "fe80::1%1",
        "::ffff:10.0.0.1",
        "10.0.0.0/8, 2001:db8::/32",
        "192.0.2.1/255.255.255.0",
        "example.org:80",
        "[2001:db8::1]:65535",
        "[fe80::1%eth0]:0",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
