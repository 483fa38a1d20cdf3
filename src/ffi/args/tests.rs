use std::ptr;

use super::*;
use crate::config::{ClientCertificate, Compression, Framing, SendPolicy, TlsVersion};
use crate::ffi::bridge::{netsys_bridge_callbacks, netsys_bridge_config};
use crate::ffi::client_config::netsys_client_config;
use crate::ffi::config_faults::netsys_config_fault_info;
use crate::ffi::context::{netsys_context_config, netsys_log_record};
use crate::ffi::executor::netsys_executor;
use crate::ffi::monitor::netsys_metrics;
use crate::ffi::pool_config::netsys_pool_config;
use crate::ffi::pool_info::netsys_pool_info;
use crate::ffi::pool_source::netsys_pool_source;
use crate::ffi::server_config::netsys_server_config;
use crate::ffi::session_manager::{netsys_managed_session, netsys_session_manager_config, netsys_session_manager_info};
use crate::ffi::tls_config::*;
use crate::ffi::tls_info::netsys_tls_info;
use crate::runtime::Dispatch;

/// A struct as a later version might have it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Later {
    now: netsys_stats,
    later: [u64; 2],
}

fn stats() -> netsys_stats {
    // SAFETY: all zero is a value of this struct.
    netsys_stats { struct_size: size_of::<netsys_stats>() as u32, ..unsafe { std::mem::zeroed() } }
}

fn code<T>(result: Result<T>) -> (Code, String) {
    let error = result.err().expect("an error");
    (error.code, error.message.into_owned())
}

#[test]
fn structs_have_no_padding() {
    // The sum of the members' sizes, as the C header declares them.
    assert_eq!(size_of::<netsys_error_info>(), 4 * 4 + 232);
    assert_eq!(size_of::<netsys_stats>(), 2 * 4 + 25 * 8);
    assert_eq!(size_of::<netsys_callbacks>(), 2 * 4 + 11 * 8);
    assert_eq!(size_of::<netsys_context_config>(), 4 * 4 + 2 * 16 + 6 * 8 + 2 * 4);
    assert_eq!(size_of::<netsys_executor>(), 3 * 8);
    assert_eq!(size_of::<netsys_server_config>(), 2 * 4 + 3 * 16 + 2 * 2 + 3 * 4 + 3 * 8 + 22 * 4 + 6 * 8);
    assert_eq!(size_of::<netsys_client_config>(), 2 * 4 + 2 * 16 + 2 * 2 + 3 * 4 + 3 * 8 + 22 * 4 + 6 * 8);
    assert_eq!(size_of::<netsys_bridge_config>(), 6 * 4 + 2 * 8);
    assert_eq!(size_of::<netsys_bridge_callbacks>(), 2 * 4 + 4 * 8);
    assert_eq!(size_of::<netsys_metrics>(), 2 * 4 + (21 + 3 * 7) * 8);
    assert_eq!(size_of::<netsys_tls_config>(), 6 * 4 + 10 * 16);
    assert_eq!(size_of::<netsys_tls_info>(), 6 * 4);
    assert_eq!(size_of::<netsys_pool_config>(), 4 * 4);
    assert_eq!(size_of::<netsys_pool_source>(), 2 * 4 + 4 * 8);
    assert_eq!(size_of::<netsys_pool_info>(), 2 * 4 + 13 * 8);
    assert_eq!(size_of::<netsys_session_manager_config>(), 4 * 4 + 8 + 2 * 4);
    assert_eq!(size_of::<netsys_managed_session>(), 2 * 4 + 6 * 8);
    assert_eq!(size_of::<netsys_session_manager_info>(), 2 * 4 + 7 * 8);
    assert_eq!(size_of::<netsys_message>(), 2 * 4 + 3 * 8);
    assert_eq!(size_of::<netsys_close_info>(), 4 * 4 + 3 * 8 + 2 * 4 + 16 + 2 * 8);
    assert_eq!(size_of::<netsys_config_fault_info>(), 4 * 4 + 4 * 16);
    assert_eq!(size_of::<netsys_log_record>(), 2 * 4 + 8 + 2 * 16);
}

#[test]
fn a_struct_of_this_version_is_read() {
    let given = netsys_stats { errors: 3, last_message_ns: 9, ..stats() };
    // SAFETY: a whole struct.
    assert_eq!(unsafe { read_struct(&raw const given, "stats") }, Ok(given));
}

#[test]
fn what_a_shorter_struct_lacks_is_zero() {
    let given = netsys_stats { struct_size: 16, connections_total: 5, connections_current: 6, ..stats() };
    // SAFETY: a whole struct that says it is shorter.
    let read = unsafe { read_struct(&raw const given, "stats") }.expect("16 is a multiple of 8");
    assert_eq!((read.connections_total, read.connections_current), (5, 0));
}

#[test]
fn the_tail_of_a_longer_struct_must_be_zero() {
    let mut given = Later { now: stats(), later: [0; 2] };
    given.now.struct_size = size_of::<Later>() as u32;
    given.now.errors = 1;
    // SAFETY: as long as it says.
    let read = |given: &Later| unsafe { read_struct(ptr::from_ref(given).cast::<netsys_stats>(), "stats") };
    assert_eq!(read(&given).expect("the tail is zero").errors, 1);
    given.later[1] = 1;
    let (code, text) = code(read(&given));
    assert_eq!(code, Code::InvalidArgument);
    let byte = size_of::<netsys_stats>() + 8;
    assert!(text.starts_with(&format!("stats: byte {byte} is set")), "{text}");
}

#[test]
fn a_struct_size_that_cannot_be_is_refused() {
    for size in [0, 1, 7, 12, 121, 8192, u32::MAX] {
        let mut given = netsys_stats { struct_size: size, ..stats() };
        // SAFETY: the size is refused before anything else is read.
        let (reading, text) = code(unsafe { read_struct(&raw const given, "stats") });
        // SAFETY: as above.
        let (filling, _) = code(unsafe { fill_struct(&raw mut given, "stats", stats()) });
        assert_eq!((reading, filling), (Code::InvalidArgument, Code::InvalidArgument), "{size}");
        assert!(text.contains(&size.to_string()) && text.contains("sizeof"), "{text}");
    }
    // SAFETY: NULL is refused.
    let (null, text) = code(unsafe { read_struct(ptr::null::<netsys_stats>(), "stats") });
    assert_eq!((null, text.as_str()), (Code::InvalidArgument, "stats is NULL"));
}

#[test]
fn a_result_is_as_long_as_the_callers_struct() {
    let value = netsys_stats { errors: 3, connections_total: 4, ..stats() };
    let mut short = netsys_stats { struct_size: 16, errors: 77, ..stats() };
    // SAFETY: a whole struct that says it is shorter.
    unsafe { fill_struct(&raw mut short, "out", value) }.expect("16 is a multiple of 8");
    assert_eq!((short.struct_size, short.connections_total, short.errors), (16, 4, 77));

    let mut long = Later { now: stats(), later: [5; 2] };
    long.now.struct_size = size_of::<Later>() as u32;
    // SAFETY: as long as it says.
    unsafe { fill_struct((&raw mut long).cast::<netsys_stats>(), "out", value) }.expect("longer is fine");
    assert_eq!((long.now.struct_size as usize, long.now.errors, long.later), (size_of::<Later>(), 3, [0; 2]));
}

#[test]
fn init_makes_everything_zero_but_the_size() {
    let mut given = netsys_stats { errors: 3, queued_bytes: 4, ..stats() };
    // SAFETY: a whole struct.
    unsafe { init_struct(&raw mut given, size_of::<netsys_stats>(), "stats") }.expect("the right size");
    assert_eq!(given, stats());
    // SAFETY: refused before anything is stored.
    assert_eq!(code(unsafe { init_struct(&raw mut given, 3, "stats") }).0, Code::InvalidArgument);
    // SAFETY: as above.
    assert_eq!(code(unsafe { init_struct(ptr::null_mut::<netsys_stats>(), 8, "stats") }).0, Code::InvalidArgument);
}

#[test]
fn texts_must_be_utf8_and_say_where_they_are_not() {
    let view = |bytes: &'static [u8]| netsys_str { data: bytes.as_ptr().cast(), len: bytes.len() };
    // SAFETY: all views are of static bytes, or are refused.
    unsafe {
        assert_eq!(text(view("gr\u{fc}n".as_bytes()), "host"), Ok("gr\u{fc}n"));
        assert_eq!(text(netsys_str { data: ptr::null(), len: 0 }, "host"), Ok(""));
        let (wrong, message) = code(text(view(b"abc\xFFdef"), "host"));
        assert_eq!((wrong, message.as_str()), (Code::InvalidArgument, "host is not UTF-8: byte 3 is wrong"));
        let (null, message) = code(text(netsys_str { data: ptr::null(), len: 5 }, "host"));
        assert_eq!((null, message.as_str()), (Code::InvalidArgument, "host is NULL, but 5 bytes long"));
        let (huge, _) = code(text(netsys_str { len: usize::MAX, ..view(b"a") }, "host"));
        assert_eq!(huge, Code::InvalidArgument);
    }
}

#[test]
fn a_text_goes_out_whole_or_not_at_all() {
    let mut buf = [0x55 as c_char; 8];
    let mut needed = 99;
    let bytes = |buf: &[c_char]| buf.iter().map(|c| *c as u8).collect::<Vec<_>>();
    // SAFETY: the buffer has 8 bytes, `needed` is a size.
    let mut give = |text: &str, cap: usize, buf: *mut c_char| unsafe { give_text(text, buf, cap, &raw mut needed) };

    assert_eq!(give("1234567", 8, buf.as_mut_ptr()), Ok(()));
    assert_eq!(bytes(&buf), b"1234567\0");
    assert_eq!(give("", 1, buf.as_mut_ptr()), Ok(()));
    assert_eq!(buf[0], 0);
    assert_eq!(code(give("12345678", 8, buf.as_mut_ptr())).0, Code::BufferTooSmall);
    assert_eq!(bytes(&buf)[..2], *b"\x002");
    assert_eq!(code(give("", 0, ptr::null_mut())).0, Code::BufferTooSmall);
    assert_eq!(code(give("x", 4, ptr::null_mut())).0, Code::InvalidArgument);
    assert_eq!(code(give("123456789", 0, ptr::null_mut())).0, Code::BufferTooSmall);
    assert_eq!(needed, 9);
    // SAFETY: the buffer has 8 bytes; nobody asks for the length.
    assert_eq!(unsafe { give_text("ab", buf.as_mut_ptr(), 8, ptr::null_mut()) }, Ok(()));
}

#[test]
fn enumerations_are_checked() {
    assert_eq!(payload(1), Ok(Payload::Text));
    assert_eq!(payload(2), Ok(Payload::Binary));
    assert_eq!(payload(3), Ok(Payload::Stream));
    let (framing, send_policy) = (|n| word(n, "framing", "NETSYS_FRAMING"), |n| word(n, "send_policy", "NETSYS_SEND"));
    assert_eq!([framing(0), framing(1), framing(2)], [Ok(Framing::Auto), Ok(Framing::Framed), Ok(Framing::Raw)]);
    assert_eq!(send_policy(0), Ok(SendPolicy::WouldBlock));
    for (error, name) in [
        (code(payload(0)), "kind is 0"),
        (code(payload(4)), "kind is 4"),
        (code(framing(3)), "framing is 3: use NETSYS_FRAMING_AUTO (0), _FRAMED (1), _RAW (2)"),
        (code(send_policy(6)), "send_policy is 6: use 0 (the default), NETSYS_SEND_WOULD_BLOCK (1), _WAIT (2)"),
        (
            code(word::<TlsVersion>(11, "v", "NETSYS_TLS")),
            "v is 11: use 0 (the default), NETSYS_TLS_1_2 (12), _1_3 (13)",
        ),
        (code(reserved(1, "reserved16")), "reserved16 is 1"),
    ] {
        assert_eq!(error.0, Code::InvalidArgument);
        assert!(error.1.starts_with(name), "{}", error.1);
    }
    assert_eq!(reserved(0, "reserved"), Ok(()));
}

/// What a configuration's numbers are, see netsys_config_number, and what the structs have.
#[test]
fn values_of_enums_are_the_constants() {
    fn check<T: Word + std::fmt::Debug + PartialEq>(constants: &[(T, u32)]) {
        assert_eq!(constants.len(), T::WORDS.len(), "{constants:?}");
        for (value, constant) in constants {
            assert_eq!((value.number(), T::of_number(*constant).as_ref()), (*constant, Some(value)));
        }
    }
    check(&[
        (Framing::Auto, NETSYS_FRAMING_AUTO),
        (Framing::Framed, NETSYS_FRAMING_FRAMED),
        (Framing::Raw, NETSYS_FRAMING_RAW),
    ]);
    check(&[
        (Dispatch::Inline, NETSYS_DISPATCH_INLINE),
        (Dispatch::Pool, NETSYS_DISPATCH_POOL),
        (Dispatch::Manual, NETSYS_DISPATCH_MANUAL),
    ]);
    check(&[
        (SendPolicy::WouldBlock, NETSYS_SEND_WOULD_BLOCK),
        (SendPolicy::Wait, NETSYS_SEND_WAIT),
        (SendPolicy::DropNewest, NETSYS_SEND_DROP_NEWEST),
        (SendPolicy::DropOldest, NETSYS_SEND_DROP_OLDEST),
        (SendPolicy::Disconnect, NETSYS_SEND_DISCONNECT),
    ]);
    check(&[
        (Compression::Off, NETSYS_COMPRESSION_OFF),
        (Compression::Auto, NETSYS_COMPRESSION_AUTO),
        (Compression::Lz4, NETSYS_COMPRESSION_LZ4),
        (Compression::Zstd, NETSYS_COMPRESSION_ZSTD),
    ]);
    check(&[
        (ClientCertificate::None, NETSYS_CLIENT_CERTIFICATE_NONE),
        (ClientCertificate::Optional, NETSYS_CLIENT_CERTIFICATE_OPTIONAL),
        (ClientCertificate::Required, NETSYS_CLIENT_CERTIFICATE_REQUIRED),
    ]);
    check(&[(TlsVersion::V1_2, NETSYS_TLS_1_2), (TlsVersion::V1_3, NETSYS_TLS_1_3)]);
}

#[test]
fn times() {
    assert_eq!(timeout(0), Some(Duration::ZERO));
    assert_eq!(timeout(1500), Some(Duration::from_millis(1500)));
    assert_eq!(timeout(NETSYS_INFINITE), None);
}

#[test]
fn addresses() {
    let text = |address: &str| ip_text(address.parse().expect("an address"));
    assert_eq!(text("127.0.0.1:80"), "127.0.0.1");
    assert_eq!(text("[::1]:80"), "::1");
    assert_eq!(text("[fe80::1%3]:80"), "fe80::1%3");
}
