//! Looking up host names.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use super::args::{self, Extensible, Out, millis};
use super::guard;
use super::objects;
use super::status::{NETSYS_OK, netsys_status};
use super::types::*;
use crate::error::{Error, Result};
use crate::utils::address_resolver::{AddressResolver, Family, ResolverConfig};
use crate::utils::network_utils::Address;

/// Addresses of a host: all, in the order of preference that the system gives them (RFC 6724).
pub const NETSYS_FAMILY_ANY: u32 = 0;
/// Addresses of a host: all, those of IPv4 first.
pub const NETSYS_FAMILY_IPV4_FIRST: u32 = 1;
/// Addresses of a host: all, those of IPv6 first.
pub const NETSYS_FAMILY_IPV6_FIRST: u32 = 2;
/// Addresses of a host: those of IPv4 only.
pub const NETSYS_FAMILY_IPV4_ONLY: u32 = 3;
/// Addresses of a host: those of IPv6 only.
pub const NETSYS_FAMILY_IPV6_ONLY: u32 = 4;

/// Flag of a resolver: addresses are not kept, each is looked up anew.
pub const NETSYS_RESOLVER_KEEP_NO_ADDRESSES: u32 = 1;
/// Flag of a resolver: it is not kept that a name could not be resolved.
pub const NETSYS_RESOLVER_KEEP_NO_FAILURES: u32 = 2;

/// What a resolver is like. All zero but struct_size, which is what netsys_resolver_config_init makes, means all
/// defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_resolver_config {
    /// sizeof(netsys_resolver_config).
    pub struct_size: u32,
    /// The most look-ups at a time, each of which has a thread while it goes on; 0: 4.
    pub max_threads: u32,
    /// The most names that wait for one of these threads; 0: 1024. More are refused with NETSYS_ERR_OUT_OF_MEMORY.
    pub max_queued: u32,
    /// The most names that are kept; 0: 1024.
    pub cache_capacity: u32,
    /// How long addresses are kept, in ms; 0: 60000.
    pub cache_lifetime_ms: u32,
    /// How long it is kept that a name could not be resolved, in ms; 0: 5000.
    pub failure_lifetime_ms: u32,
    /// NETSYS_RESOLVER_* together.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

/// What became of a look-up. Valid for the callback.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_resolution {
    /// sizeof(netsys_resolution) of the library.
    pub struct_size: u32,
    /// NETSYS_OK, or what netsys_resolver_resolve would return.
    pub status: netsys_status,
    /// errno of the operating system call that failed, or 0.
    pub os_code: i32,
    /// 0.
    pub reserved: u32,
    /// The addresses: "192.0.2.1", "2001:db8::1", "fe80::1%2". NULL if count is 0.
    pub addresses: *const netsys_str,
    /// How many: at least one if the status is NETSYS_OK, else 0.
    pub count: usize,
    /// What was wrong and what to do; empty if the status is NETSYS_OK.
    pub message: netsys_str,
}

// SAFETY: see `tests::structs_have_no_padding`; numbers may be zero.
unsafe impl Extensible for netsys_resolver_config {}

type OnResolved = unsafe extern "C-unwind" fn(userdata: *mut c_void, resolution: *const netsys_resolution);

/// A callback of C for one look-up, and its pointer.
struct Telling {
    on_resolved: OnResolved,
    userdata: *mut c_void,
}

// SAFETY: the pointer is only handed to the function, which the header says to be called on the resolver's thread.
unsafe impl Send for Telling {}

impl Telling {
    fn tell(self, outcome: Result<Vec<Address>>) {
        let view = |text: &str| netsys_str { data: text.as_ptr().cast(), len: text.len() };
        let error = outcome.as_ref().err();
        let texts: Vec<String> = outcome.iter().flatten().map(ToString::to_string).collect();
        let views: Vec<netsys_str> = texts.iter().map(|text| view(text)).collect();
        let resolution = netsys_resolution {
            struct_size: size_of::<netsys_resolution>() as u32,
            status: error.map_or(NETSYS_OK, |error| error.code as i32),
            os_code: error.map_or(0, |error| error.os_code),
            reserved: 0,
            addresses: if views.is_empty() { std::ptr::null() } else { views.as_ptr() },
            count: views.len(),
            message: view(error.map_or("", |error: &Error| &error.message)),
        };
        // SAFETY: the caller's function is called as the header says; the resolution lives for the call.
        guard::contained("on_resolved", || unsafe { (self.on_resolved)(self.userdata, &raw const resolution) });
    }
}

fn family(family: u32) -> Result<Family> {
    match family {
        NETSYS_FAMILY_ANY => Ok(Family::Any),
        NETSYS_FAMILY_IPV4_FIRST => Ok(Family::Ipv4First),
        NETSYS_FAMILY_IPV6_FIRST => Ok(Family::Ipv6First),
        NETSYS_FAMILY_IPV4_ONLY => Ok(Family::Ipv4Only),
        NETSYS_FAMILY_IPV6_ONLY => Ok(Family::Ipv6Only),
        _ => Err(Error::invalid(format!(
            "family is {family}: use NETSYS_FAMILY_ANY (0), _IPV4_FIRST (1), _IPV6_FIRST (2), _IPV4_ONLY (3) or \
             _IPV6_ONLY (4)"
        ))),
    }
}

/// # Safety
/// `config` is NULL or points to a struct as long as it says.
unsafe fn read_config(config: *const netsys_resolver_config) -> Result<ResolverConfig> {
    const FLAGS: u32 = NETSYS_RESOLVER_KEEP_NO_ADDRESSES | NETSYS_RESOLVER_KEEP_NO_FAILURES;
    let defaults = ResolverConfig::default();
    if config.is_null() {
        return Ok(defaults);
    }
    // SAFETY: by the contract of this function.
    let given = unsafe { args::read_struct(config, "config") }?;
    args::reserved(given.reserved, "config: reserved")?;
    if given.flags & !FLAGS != 0 {
        return Err(Error::invalid(format!(
            "config: flags is {:#x}, of which this version knows {FLAGS:#x} only",
            given.flags
        )));
    }
    let count = |given: u32, default: usize| if given == 0 { default } else { given as usize };
    let time = |given: u32, default: Duration, none: u32, flags: u32| match given {
        _ if flags & none != 0 => Duration::ZERO,
        0 => default,
        ms => millis(ms),
    };
    Ok(ResolverConfig {
        max_threads: count(given.max_threads, defaults.max_threads),
        max_queued: count(given.max_queued, defaults.max_queued),
        cache_capacity: count(given.cache_capacity, defaults.cache_capacity),
        cache_lifetime: time(
            given.cache_lifetime_ms,
            defaults.cache_lifetime,
            NETSYS_RESOLVER_KEEP_NO_ADDRESSES,
            given.flags,
        ),
        failure_lifetime: time(
            given.failure_lifetime_ms,
            defaults.failure_lifetime,
            NETSYS_RESOLVER_KEEP_NO_FAILURES,
            given.flags,
        ),
    })
}

/// Makes a configuration that means all defaults.
///
/// @param config  filled in
/// @param size    sizeof(netsys_resolver_config)
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_resolver_config_init(
    config: *mut netsys_resolver_config,
    size: usize,
) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a struct of that size.
        unsafe { args::init_struct(config, size, "config") }
    })
}

/// Makes a resolver: it looks host names up, several at a time, and keeps for a while what it learns. It has no thread
/// until something is looked up, and belongs to no context.
///
/// @param config  what it is like; copied. NULL: all defaults
/// @param out     the resolver, yours until netsys_resolver_destroy
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_resolver_create(
    config: *const netsys_resolver_config,
    out: *mut netsys_resolver,
) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a place for a handle, and NULL or a configuration as long as it says.
        let (out, config) = unsafe { (Out::new(out, "out")?, read_config(config)?) };
        out.store(objects::insert(Arc::new(AddressResolver::new(config)?))?);
        Ok(())
    })
}

/// Ends a resolver. Whoever still waits for it gets NETSYS_ERR_CANCELLED, and when this returns no callback of it runs
/// any more. It waits for callbacks, never for a look-up: one that hangs is left to end by itself, and nobody is told.
///
/// On a library thread, and so in callbacks, it returns at once, and the callbacks that are still due follow.
///
/// @param resolver  the resolver; its handle is invalid from now on
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_resolver_destroy(resolver: netsys_resolver) -> netsys_status {
    guard::call(|| {
        let object = objects::with(resolver, |object| Ok(Arc::clone(object)))?;
        objects::remove(resolver)?;
        object.close();
        Ok(())
    })
}

/// [BLOCKING] Looks a host up and calls visit for each of its addresses: on this thread, before this returns, and
/// without a lock. An IP address is given to visit as it is, without looking it up. What was looked up a while ago is
/// not looked up again, and what is being looked up for somebody else is waited for together.
///
/// @param resolver    the resolver
/// @param host        a name, or an IP address with or without brackets
/// @param family      NETSYS_FAMILY_*
/// @param timeout_ms  how long to wait; 0: not at all, for what is kept only; NETSYS_INFINITE: as long as the system
///                    takes
/// @param visit       gets an address: "192.0.2.1", "2001:db8::1", "fe80::1%2"
/// @param userdata    given to visit
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also for what can be no name);
///         NETSYS_ERR_TIMEOUT; NETSYS_ERR_CANCELLED (the resolver was destroyed); NETSYS_ERR_NOT_FOUND (no host has
///         that name, or none of its addresses is of the family); NETSYS_ERR_CONNECTION_FAILED (no name server
///         answered); NETSYS_ERR_OUT_OF_MEMORY (too many names wait); NETSYS_ERR_IO (no thread, or the system failed);
///         NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_resolver_resolve(
    resolver: netsys_resolver,
    host: netsys_str,
    family: u32,
    timeout_ms: u32,
    visit: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, address: netsys_str)>,
    userdata: *mut c_void,
) -> netsys_status {
    guard::with(resolver, |resolver| {
        let visit = visit.ok_or_else(|| Error::invalid("visit is NULL"))?;
        // SAFETY: the caller gives a view that is valid.
        let host = unsafe { args::text(host, "host") }?;
        for address in resolver.resolve(host, self::family(family)?, args::timeout(timeout_ms))? {
            let address = address.to_string();
            let view = netsys_str { data: address.as_ptr().cast(), len: address.len() };
            // SAFETY: the caller's function is called as the header says; the view lives for the call.
            guard::contained("visit", || unsafe { visit(userdata, view) });
        }
        Ok(())
    })
}

/// Looks a host up as netsys_resolver_resolve does, and tells a callback of the outcome.
///
/// on_resolved is called exactly once if this returns NETSYS_OK, and else not at all. It runs on a thread of the
/// resolver, which is a library thread, after this has returned or while it does; the callbacks of one resolver never
/// run two at a time. In it every function may be called, and the resolver be destroyed.
///
/// @param resolver     the resolver
/// @param host         a name, or an IP address with or without brackets
/// @param family       NETSYS_FAMILY_*
/// @param timeout_ms   when to give up; NETSYS_INFINITE: when the system does
/// @param on_resolved  gets the outcome, valid for the call
/// @param userdata     given to on_resolved; must live until then
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also for what can be no name);
///         NETSYS_ERR_CANCELLED (the resolver is being destroyed); NETSYS_ERR_OUT_OF_MEMORY (too many names wait);
///         NETSYS_ERR_IO (no thread)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_resolver_resolve_async(
    resolver: netsys_resolver,
    host: netsys_str,
    family: u32,
    timeout_ms: u32,
    on_resolved: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, resolution: *const netsys_resolution)>,
    userdata: *mut c_void,
) -> netsys_status {
    guard::with(resolver, |resolver| {
        let on_resolved = on_resolved.ok_or_else(|| Error::invalid("on_resolved is NULL"))?;
        // SAFETY: the caller gives a view that is valid.
        let host = unsafe { args::text(host, "host") }?;
        let telling = Telling { on_resolved, userdata };
        resolver.resolve_async(host, self::family(family)?, args::timeout(timeout_ms), |outcome| telling.tell(outcome))
    })
}

/// Forgets what a resolver has looked up. What is being looked up now is still given to those who asked, and kept.
///
/// @param resolver  the resolver
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_resolver_clear_cache(resolver: netsys_resolver) -> netsys_status {
    guard::with(resolver, |resolver| {
        resolver.clear_cache();
        Ok(())
    })
}

/// How many names a resolver keeps, those included that could not be resolved.
///
/// @param resolver  the resolver
/// @param out       how many
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_resolver_cached(resolver: netsys_resolver, out: *mut usize) -> netsys_status {
    guard::with(resolver, |resolver| {
        // SAFETY: the caller gives NULL or a place for the result.
        unsafe { Out::new(out, "out") }?.store(resolver.cached());
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn structs_have_no_padding() {
        assert_eq!(size_of::<netsys_resolver_config>(), 8 * 4);
        assert_eq!(size_of::<netsys_resolution>(), 4 * 4 + 8 + 8 + 16);
    }

    #[test]
    fn a_configuration_is_read() {
        // SAFETY: all zero is a value of this struct.
        let zero = netsys_resolver_config { struct_size: 32, ..unsafe { std::mem::zeroed() } };
        // SAFETY: a whole struct.
        let read = |config: netsys_resolver_config| unsafe { read_config(&raw const config) };
        assert_eq!(read(zero), Ok(ResolverConfig::default()));
        let all = netsys_resolver_config {
            max_threads: 1,
            max_queued: 2,
            cache_capacity: 3,
            cache_lifetime_ms: 4,
            failure_lifetime_ms: 5,
            ..zero
        };
        let expected = ResolverConfig {
            max_threads: 1,
            max_queued: 2,
            cache_capacity: 3,
            cache_lifetime: Duration::from_millis(4),
            failure_lifetime: Duration::from_millis(5),
        };
        assert_eq!(read(all), Ok(expected.clone()));
        let no_addresses = netsys_resolver_config { flags: NETSYS_RESOLVER_KEEP_NO_ADDRESSES, ..all };
        assert_eq!(read(no_addresses), Ok(ResolverConfig { cache_lifetime: Duration::ZERO, ..expected.clone() }));
        let no_failures = netsys_resolver_config { flags: NETSYS_RESOLVER_KEEP_NO_FAILURES, ..all };
        assert_eq!(read(no_failures), Ok(ResolverConfig { failure_lifetime: Duration::ZERO, ..expected }));
        for wrong in [netsys_resolver_config { flags: 4, ..zero }, netsys_resolver_config { reserved: 1, ..zero }] {
            assert_eq!(read(wrong).expect_err("wrong").code, Code::InvalidArgument);
        }
    }

    #[test]
    fn families_are_checked() {
        let families = [Family::Any, Family::Ipv4First, Family::Ipv6First, Family::Ipv4Only, Family::Ipv6Only];
        for (number, expected) in (0..).zip(families) {
            assert_eq!((family(number), number), (Ok(expected), expected as u32));
        }
        assert!(family(5).expect_err("unknown").message.starts_with("family is 5"));
    }
}
