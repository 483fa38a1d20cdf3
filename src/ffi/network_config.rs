//! Everything that can be configured, as one value.

use std::ffi::{OsStr, c_char};
use std::os::unix::ffi::OsStrExt;

use super::args::{self, Out};
use super::guard;
use super::objects;
use super::open_config::OpenConfig;
use super::status::netsys_status;
use super::types::*;
use crate::config::fault::{Fault, Faults};
use crate::config::{Format, NetworkConfig, Scalar};
use crate::error::{Error, Result};

/// Preset of a configuration: the defaults.
pub const NETSYS_PRESET_DEFAULT: u32 = 0;
/// Preset of a configuration: for a developer's machine.
pub const NETSYS_PRESET_DEVELOPMENT: u32 = 1;
/// Preset of a configuration: for production, which is what the defaults are for.
pub const NETSYS_PRESET_PRODUCTION: u32 = 2;
/// Preset of a configuration: for tests.
pub const NETSYS_PRESET_TESTING: u32 = 3;

/// Format of a text of configuration: TOML.
pub const NETSYS_FORMAT_TOML: u32 = 1;
/// Format of a text of configuration: JSON.
pub const NETSYS_FORMAT_JSON: u32 = 2;

fn format(number: u32) -> Result<Format> {
    match number {
        NETSYS_FORMAT_TOML => Ok(Format::Toml),
        NETSYS_FORMAT_JSON => Ok(Format::Json),
        _ => Err(Error::invalid(format!("format is {number}: use NETSYS_FORMAT_TOML (1) or _JSON (2)"))),
    }
}

fn preset(number: u32) -> Result<NetworkConfig> {
    match number {
        NETSYS_PRESET_DEFAULT => Ok(NetworkConfig::default()),
        NETSYS_PRESET_DEVELOPMENT => Ok(NetworkConfig::development()),
        NETSYS_PRESET_PRODUCTION => Ok(NetworkConfig::production()),
        NETSYS_PRESET_TESTING => Ok(NetworkConfig::testing()),
        _ => Err(Error::invalid(format!(
            "preset is {number}: use NETSYS_PRESET_DEFAULT (0), _DEVELOPMENT (1), _PRODUCTION (2) or _TESTING (3)"
        ))),
    }
}

fn one(fault: Fault) -> Faults {
    vec![fault].into()
}

fn is_switch(config: &NetworkConfig, key: &str) -> bool {
    matches!(config.get(key), Ok(Scalar::Switch(_)))
}

/// Makes a configuration of everything: of the context, a server, a client, and of the application's thread pool, log
/// and figures. Its defaults are those of the C++ classes: a server listens on port 8080, its sessions end after 30 s
/// of silence, and sends wait for room. The keys, their ranges and defaults: examples-c/network.toml.
///
/// @param preset  NETSYS_PRESET_*
/// @param out     the configuration, yours until netsys_config_destroy
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_create(preset: u32, out: *mut netsys_config) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a place for a handle.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(objects::insert(OpenConfig::new(self::preset(preset)?))?);
        Ok(())
    })
}

/// Ends a configuration. The strings it has given out are not valid any more.
///
/// @param config  the configuration
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_config_destroy(config: netsys_config) -> netsys_status {
    guard::with(config, |_| objects::remove(config))
}

/// Changes what a file says and leaves the rest. If there is any fault in the file, nothing is changed, and the faults,
/// all of them, can be asked for. Waits for the file system only.
///
/// @param config  the configuration
/// @param path    the file, in the bytes that the system knows it by: JSON if its name ends with .json, or if it begins
///                with a brace and its name does not end with .toml; else TOML. At most 1 MiB
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (faults); NETSYS_ERR_NOT_FOUND,
///         NETSYS_ERR_PERMISSION_DENIED or NETSYS_ERR_IO (the file cannot be read, which is a fault, too)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_load_file(config: netsys_config, path: netsys_str) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives a view of bytes.
        let path = unsafe { args::bytes(path.data.cast(), path.len, "path") }?;
        open.change(|config| config.load_file(OsStr::from_bytes(path)))
    })
}

/// Changes what a text says and leaves the rest, as netsys_config_load_file does.
///
/// @param config  the configuration
/// @param text    the text
/// @param format  NETSYS_FORMAT_*
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (faults, or another argument)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_load_string(
    config: netsys_config,
    text: netsys_str,
    format: u32,
) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives a view of bytes.
        let text = unsafe { args::bytes(text.data.cast(), text.len, "text") }?;
        let format = self::format(format)?;
        open.change(|config| config.load_bytes(text, format))
    })
}

/// Looks for faults in the configuration as it is. After netsys_config_set_* some keys may not go with others; what was
/// loaded is always right.
///
/// @param config  the configuration
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (faults)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_config_validate(config: netsys_config) -> netsys_status {
    guard::with(config, |open| open.judge(NetworkConfig::validate))
}

/// Writes every key with its value, as a text that netsys_config_load_string makes the same configuration of.
///
/// @param config  the configuration
/// @param format  NETSYS_FORMAT_*
/// @param buf     the text, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (faults, or another argument);
///         NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_to_string(
    config: netsys_config,
    format: u32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(config, |open| {
        let format = self::format(format)?;
        let text = open.judge(|config| config.to_string(format))?;
        // SAFETY: the caller gives NULL or buffers as long as they say.
        unsafe { args::give_text(&text, buf, cap, needed) }
    })
}

/// The value of a key as a number: times in milliseconds, with NETSYS_INFINITE for "off", sizes in bytes, INT64_MAX for
/// "unlimited", 0 for "default", true and false as 1 and 0, and words as their number: NETSYS_FRAMING_*,
/// NETSYS_DISPATCH_*, NETSYS_SEND_*, NETSYS_COMPRESSION_*, NETSYS_CLIENT_CERTIFICATE_*, NETSYS_TLS_1_*; levels of the log
/// from 0, "trace", to 5, "fatal".
///
/// @param config  the configuration
/// @param key     the key: "server.timeout"
/// @param out     the value
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also: the key is unknown, or its value is
///         a string)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_number(config: netsys_config, key: netsys_str, out: *mut i64) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives a view of text, and NULL or a place for the result.
        let (key, out) = unsafe { (args::text(key, "key")?, Out::new(out, "out")?) };
        match open.judge(|config| config.get(key).map_err(one))? {
            Scalar::Number(number) => out.store(number),
            Scalar::Switch(switch) => out.store(switch.into()),
            Scalar::Text(_) => return Err(Error::invalid(format!("{key} is a string: use netsys_config_text"))),
        }
        Ok(())
    })
}

/// The value of a key as it is written in a file, but without quotes: "30s", "64 KiB", "framed", "true".
///
/// @param config  the configuration
/// @param key     the key: "server.timeout"
/// @param buf     the value, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also: the key is unknown);
///         NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_text(
    config: netsys_config,
    key: netsys_str,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives a view of text.
        let key = unsafe { args::text(key, "key") }?;
        let text = open.judge(|config| config.get_text(key).map_err(one))?;
        // SAFETY: the caller gives NULL or buffers as long as they say.
        unsafe { args::give_text(&text, buf, cap, needed) }
    })
}

/// Sets a key to a number, as netsys_config_number gives it. On failure nothing is changed.
///
/// @param config  the configuration
/// @param key     the key: "server.timeout"
/// @param value   the value
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also: the key is unknown or takes no such
///         value, which is a fault that can be asked for)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_set_number(config: netsys_config, key: netsys_str, value: i64) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives a view of text.
        let key = unsafe { args::text(key, "key") }?;
        open.change(|config| {
            let value = match value {
                0 | 1 if is_switch(config, key) => Scalar::Switch(value == 1),
                _ => Scalar::Number(value),
            };
            config.set(key, value).map_err(one)
        })
    })
}

/// Sets a key to what a text says, as one would on a command line: "30s", "64 KiB", "8080", "framed", "true". On
/// failure nothing is changed.
///
/// @param config  the configuration
/// @param key     the key: "server.timeout"
/// @param value   the value, without quotes
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (also: the key is unknown or takes no such
///         value, which is a fault that can be asked for)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_set_text(
    config: netsys_config,
    key: netsys_str,
    value: netsys_str,
) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives views of text and of bytes.
        let (key, value) = unsafe { (args::text(key, "key")?, args::bytes(value.data.cast(), value.len, "value")?) };
        open.change(|config| match str::from_utf8(value) {
            Ok(value) => config.set_text(key, value).map_err(one),
            Err(_) => {
                let text = "found bytes that are not UTF-8, expected text".into();
                Err(one(Fault { key: key.to_owned(), text, ..Fault::default() }))
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::ffi::args::view;
    use crate::ffi::config_faults::{netsys_config_fault, netsys_config_fault_info};
    use crate::ffi::config_structs::netsys_config_server;
    use crate::ffi::server_config::netsys_server_config;
    use crate::ffi::status::NETSYS_OK;
    use crate::ffi::tls_config::{
        NETSYS_CLIENT_CERTIFICATE_NONE, NETSYS_CLIENT_CERTIFICATE_OPTIONAL, NETSYS_CLIENT_CERTIFICATE_REQUIRED,
        NETSYS_TLS_1_2, NETSYS_TLS_1_3,
    };

    fn create(preset: u32) -> netsys_config {
        let mut config = netsys_config { id: 0 };
        // SAFETY: a place for a handle.
        assert_eq!(unsafe { netsys_config_create(preset, &raw mut config) }, NETSYS_OK);
        config
    }

    fn load(config: netsys_config, text: &str) -> netsys_status {
        // SAFETY: a view of text.
        unsafe { netsys_config_load_string(config, view(text), NETSYS_FORMAT_TOML) }
    }

    fn fault(config: netsys_config, index: usize) -> (netsys_status, netsys_config_fault_info) {
        // SAFETY: all zero is a value of this struct.
        let mut info: netsys_config_fault_info = unsafe { std::mem::zeroed() };
        info.struct_size = size_of_val(&info) as u32;
        // SAFETY: a whole struct.
        (unsafe { netsys_config_fault(config, index, &raw mut info) }, info)
    }

    fn server(config: netsys_config) -> netsys_server_config {
        // SAFETY: all zero is a value of this struct.
        let mut server: netsys_server_config = unsafe { std::mem::zeroed() };
        server.struct_size = size_of_val(&server) as u32;
        // SAFETY: a whole struct.
        assert_eq!(unsafe { netsys_config_server(config, &raw mut server) }, NETSYS_OK);
        server
    }

    fn text(view: netsys_str) -> String {
        // SAFETY: the tests look at views of configurations that live.
        unsafe { args::text(view, "text") }.expect("UTF-8").to_owned()
    }

    #[test]
    fn strings_outlive_changes() {
        let config = create(NETSYS_PRESET_TESTING);
        assert_eq!(load(config, "server.server_id = 'first'"), NETSYS_OK);
        let first = server(config);
        assert_eq!(load(config, "server.server_id = 'second'"), NETSYS_OK);
        assert_eq!(load(config, "server.port = 'x'"), Code::InvalidArgument as i32);
        let (status, port) = fault(config, 0);
        assert_eq!(status, NETSYS_OK);
        assert_eq!(load(config, "\nclient.port = 'x'"), Code::InvalidArgument as i32);
        assert_eq!((text(first.server_id), text(server(config).server_id)), ("first".into(), "second".into()));
        assert_eq!((text(port.key), port.line, port.column), ("server.port".into(), 1, 15));
        let (_, later) = fault(config, 0);
        assert_eq!((text(later.key), later.line), ("client.port".into(), 2));
        assert_eq!(fault(config, 1).0, Code::NotFound as i32);
        assert_eq!(netsys_config_destroy(config), NETSYS_OK);
        assert_eq!(netsys_config_destroy(config), Code::InvalidHandle as i32);
    }

    #[test]
    fn numbers_are_those_of_the_constants() {
        let config = create(NETSYS_PRESET_DEFAULT);
        let set = |key: &str, value: &str| {
            // SAFETY: views of text.
            unsafe { netsys_config_set_text(config, view(key), view(value)) }
        };
        let number = |key: &str| {
            let mut number = 0;
            // SAFETY: a view of text and a place for the result.
            assert_eq!(unsafe { netsys_config_number(config, view(key), &raw mut number) }, NETSYS_OK);
            u32::try_from(number).expect("32 bits")
        };
        for (word, constant) in
            [("auto", NETSYS_FRAMING_AUTO), ("framed", NETSYS_FRAMING_FRAMED), ("raw", NETSYS_FRAMING_RAW)]
        {
            assert_eq!(set("server.framing", word), NETSYS_OK);
            assert_eq!((number("server.framing"), server(config).framing), (constant, constant));
        }
        for (word, constant) in [
            ("would_block", NETSYS_SEND_WOULD_BLOCK),
            ("wait", NETSYS_SEND_WAIT),
            ("drop_newest", NETSYS_SEND_DROP_NEWEST),
            ("drop_oldest", NETSYS_SEND_DROP_OLDEST),
            ("disconnect", NETSYS_SEND_DISCONNECT),
        ] {
            assert_eq!(set("server.policy", word), NETSYS_OK);
            assert_eq!((number("server.policy"), server(config).send_policy), (constant, constant));
        }
        for (word, constant) in
            [("inline", NETSYS_DISPATCH_INLINE), ("pool", NETSYS_DISPATCH_POOL), ("manual", NETSYS_DISPATCH_MANUAL)]
        {
            assert_eq!(set("server.dispatch", word), NETSYS_OK);
            assert_eq!((number("server.dispatch"), server(config).dispatch), (constant, constant));
        }
        for (word, constant) in [
            ("auto", NETSYS_COMPRESSION_AUTO),
            ("lz4", NETSYS_COMPRESSION_LZ4),
            ("zstd", NETSYS_COMPRESSION_ZSTD),
            ("off", NETSYS_COMPRESSION_OFF),
        ] {
            assert_eq!(set("server.compression", word), NETSYS_OK);
            assert_eq!((number("server.compression"), server(config).compression), (constant, constant));
        }
        let tls = "[server.tls]\nenabled = true\ncertificate_file = 'a'\nkey_file = 'b'\nclient_ca_file = 'c'\n\
                   client_certificate = 'required'\n";
        assert_eq!(load(config, tls), NETSYS_OK);
        let lent = || {
            // SAFETY: the configuration lives, and so does what it lends.
            let tls = unsafe { &*server(config).tls };
            (tls.min_version, tls.client_certificate)
        };
        for (word, constant) in [("1.3", NETSYS_TLS_1_3), ("1.2", NETSYS_TLS_1_2)] {
            assert_eq!(set("server.tls.min_version", word), NETSYS_OK);
            assert_eq!((number("server.tls.min_version"), lent().0), (constant, constant));
        }
        let key = "server.tls.client_certificate";
        for (word, constant) in
            [("optional", NETSYS_CLIENT_CERTIFICATE_OPTIONAL), ("required", NETSYS_CLIENT_CERTIFICATE_REQUIRED)]
        {
            assert_eq!(set(key, word), NETSYS_OK);
            assert_eq!((number(key), lent().1), (constant, constant));
        }
        assert_eq!(load(config, "[server.tls]\nclient_ca_file = ''\nclient_certificate = 'none'\n"), NETSYS_OK);
        assert_eq!((number(key), lent().1), (NETSYS_CLIENT_CERTIFICATE_NONE, NETSYS_CLIENT_CERTIFICATE_NONE));
        assert_eq!(set("server.heartbeat_interval", "off"), NETSYS_OK);
        assert_eq!(number("server.heartbeat_interval"), NETSYS_INFINITE);
        assert_eq!(server(config).heartbeat_ms, NETSYS_INFINITE);
        assert_eq!(number("server.enable_nodelay"), 1);
        assert_eq!(set("server.enable_nodelay", "maybe"), Code::InvalidArgument as i32);
        assert_eq!(text(fault(config, 0).1.report), "server.enable_nodelay: found \"maybe\", expected true or false");
        let broken = netsys_str { data: c"\xff".as_ptr(), len: 1 };
        // SAFETY: views of bytes.
        let status = unsafe { netsys_config_set_text(config, view("server.server_id"), broken) };
        assert_eq!(status, Code::InvalidArgument as i32);
        assert!(text(fault(config, 0).1.text).contains("not UTF-8"));
        assert_eq!(netsys_config_destroy(config), NETSYS_OK);
    }

    #[test]
    fn an_unknown_preset_is_refused() {
        assert!(preset(4).is_err());
    }
}
