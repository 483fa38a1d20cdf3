//! How many connections one address may have, and make in a second.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::ServerConfig;
use crate::error::{Code, Error, Result};
use crate::transport::AddressRange;

/// The most connections of one address, where the configuration does not say otherwise. Those of this host are many for
/// good reasons: proxies, tests.
const DEFAULT_CAP: usize = 256;

/// From this many addresses on, the table is looked through for those that are not needed any more.
const FEW: usize = 1024;

/// Who may connect.
#[derive(Debug)]
pub(super) struct Admission {
    /// The most connections of one address; `None`: the default, which leaves loopback alone.
    cap: Option<usize>,
    /// The time between two connections of one address, in the long run; `None`: as fast as they like.
    interval: Option<Duration>,
    /// How far one may be ahead of that.
    ahead: Duration,
    exempt: Vec<AddressRange>,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug)]
struct Table {
    addresses: HashMap<IpAddr, Address>,
    purge_at: usize,
}

/// What is known of an address that has a connection, or had one lately.
#[derive(Debug)]
struct Address {
    open: usize,
    /// Up to when its connections were made too early, at the rate that is allowed.
    paid_until: Instant,
}

/// A connection's place among those of its address. Dropped when the connection has ended.
#[derive(Debug)]
pub(super) struct Place(Option<(Arc<Mutex<Table>>, IpAddr)>);

impl Admission {
    pub(super) fn new(config: &ServerConfig) -> Admission {
        let interval = (config.accept_rate > 0).then(|| Duration::from_secs(1) / config.accept_rate);
        let burst = if config.accept_burst == 0 { config.accept_rate } else { config.accept_burst };
        Admission {
            cap: config.max_connections_per_address,
            interval,
            ahead: interval.unwrap_or_default() * burst.saturating_sub(1),
            exempt: config.exempt_addresses.clone(),
            table: Arc::new(Mutex::new(Table { addresses: HashMap::new(), purge_at: FEW })),
        }
    }

    /// Takes a connection in, or says why not.
    pub(super) fn admit(&self, ip: IpAddr, now: Instant) -> Result<Place> {
        let ip = counted_as(ip);
        let cap = match self.cap {
            Some(cap) => cap,
            None if ip.is_loopback() => usize::MAX,
            None => DEFAULT_CAP,
        };
        if (cap == usize::MAX && self.interval.is_none()) || self.exempt.iter().any(|range| range.contains(ip)) {
            return Ok(Place(None));
        }
        let mut table = lock(&self.table);
        table.purge_if_large(now);
        let address = table.addresses.entry(ip).or_insert(Address { open: 0, paid_until: now });
        if address.open >= cap {
            return Err(busy(format!("{ip} has {cap} connections, the most that one address may have")));
        }
        if let Some(interval) = self.interval {
            let paid_until = address.paid_until.max(now);
            if paid_until - now > self.ahead {
                return Err(busy(format!("{ip} connects too often")));
            }
            address.paid_until = paid_until + interval;
        }
        address.open += 1;
        Ok(Place(Some((Arc::clone(&self.table), ip))))
    }

    /// Forgets the addresses that have no connection and may connect as if they never had.
    pub(super) fn purge(&self) {
        lock(&self.table).purge(Instant::now());
    }
}

impl Table {
    fn purge_if_large(&mut self, now: Instant) {
        if self.addresses.len() >= self.purge_at {
            self.purge(now);
        }
    }

    fn purge(&mut self, now: Instant) {
        self.addresses.retain(|_, address| address.open > 0 || address.paid_until > now);
        self.purge_at = FEW.max(2 * self.addresses.len());
        self.addresses.shrink_to(self.purge_at);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((table, ip)) = &self.0 else { return };
        let mut table = lock(table);
        let Some(address) = table.addresses.get_mut(ip) else { return };
        address.open -= 1;
        if address.open == 0 && address.paid_until <= Instant::now() {
            table.addresses.remove(ip);
        }
    }
}

/// The address that a connection counts for. Whoever has one address of IPv6 has a whole /64 of them.
fn counted_as(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    }
}

fn busy(what: String) -> Error {
    Error::new(Code::ServerBusy, format!("{what}: try again later"))
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(cap: Option<usize>, rate: u32, burst: u32, exempt: &[&str]) -> Admission {
        Admission::new(&ServerConfig {
            max_connections_per_address: cap,
            accept_rate: rate,
            accept_burst: burst,
            exempt_addresses: exempt.iter().map(|range| range.parse().expect(range)).collect(),
            ..ServerConfig::default()
        })
    }

    fn admit(admission: &Admission, ip: &str, now: Instant) -> Result<Place> {
        admission.admit(ip.parse().expect(ip), now)
    }

    fn known(admission: &Admission) -> usize {
        lock(&admission.table).addresses.len()
    }

    #[test]
    fn each_address_has_its_own_cap_and_a_place_comes_free() {
        let admission = admission(Some(2), 0, 0, &[]);
        let now = Instant::now();
        let mut places: Vec<Place> = (0..2).map(|_| admit(&admission, "192.0.2.1", now).expect("room")).collect();
        let error = admit(&admission, "::ffff:192.0.2.1", now).expect_err("the same address");
        assert_eq!(error.code, Code::ServerBusy);
        assert!(error.message.contains("192.0.2.1 has 2 connections"), "{error}");
        places.push(admit(&admission, "192.0.2.2", now).expect("another address"));
        places.remove(0);
        places.push(admit(&admission, "192.0.2.1", now).expect("a place has come free"));
        assert_eq!(known(&admission), 2);
        drop(places);
        assert_eq!(known(&admission), 0);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let admission = admission(Some(1), 0, 0, &[]);
        let now = Instant::now();
        let _place = admit(&admission, "2001:db8::1", now).expect("room");
        assert!(admit(&admission, "2001:db8::ffff:2", now).is_err());
        assert!(admit(&admission, "2001:db8:0:1::1", now).is_ok());
    }

    #[test]
    fn the_default_leaves_loopback_alone() {
        let admission = admission(None, 0, 0, &[]);
        let now = Instant::now();
        let all = |ip| (0..300).map_while(|_| admit(&admission, ip, now).ok()).collect::<Vec<_>>().len();
        assert_eq!([all("127.0.0.1"), all("::1"), all("192.0.2.1")], [300, 300, 256]);
    }

    #[test]
    fn a_rate_allows_a_burst_and_then_one_at_a_time() {
        let admission = admission(Some(usize::MAX), 10, 3, &["198.51.100.0/24"]);
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let count = |ip, ms| (0..9).filter(|_| admit(&admission, ip, at(ms)).is_ok()).count();
        assert_eq!(count("192.0.2.1", 0), 3);
        assert_eq!(count("192.0.2.2", 0), 3, "each address has its own");
        assert_eq!(count("198.51.100.7", 0), 9, "exempt");
        assert_eq!(count("192.0.2.1", 50), 0);
        assert_eq!(count("192.0.2.1", 100), 1);
        assert_eq!(count("192.0.2.1", 300), 2);
        assert_eq!(count("192.0.2.1", 60_000), 3);
    }

    #[test]
    fn addresses_are_forgotten_when_they_may_be() {
        let admission = admission(Some(5), 1000, 1, &[]);
        let now = Instant::now();
        for number in 0..100_000_u32 {
            let ip = IpAddr::V4(number.into());
            // Each millisecond one address comes and goes: at its end it may connect again.
            drop(admission.admit(ip, now + Duration::from_millis(number.into())).expect("its first"));
            assert!(known(&admission) <= FEW + 1);
        }
        let open = admit(&admission, "192.0.2.1", now).expect("room");
        lock(&admission.table).purge(now + Duration::from_secs(1000));
        assert_eq!(known(&admission), 1);
        drop(open);
    }
}
