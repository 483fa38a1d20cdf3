//! The configuration as one value: what files say arrives, and what is wrong with them is told, all of it, by line.

mod support;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, thread};

use network_system::config::fault::Fault;
use network_system::config::{
    ClientCertificate, Compression, Format, Framing, LogLevel, NetworkConfig, OFF, Pem, Reconnect, Scalar, SendPolicy,
    UNLIMITED,
};
use network_system::error::{Code, Error};
use network_system::runtime::Dispatch;
use support::random::Random;

const FORMATS: [Format; 2] = [Format::Toml, Format::Json];

/// A file of one test.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, content: impl AsRef<[u8]>) -> TempFile {
        let path = env::temp_dir().join(format!("netsys-{}-{name}", std::process::id()));
        fs::write(&path, content).expect("a temporary file can be written");
        TempFile(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn any_text(random: &mut Random) -> String {
    const ALPHABET: [char; 14] =
        ['a', 'Z', '7', ' ', '"', '\\', '\'', '\n', '\t', '\u{1}', '\u{7f}', '#', '\u{e4}', '\u{1f600}'];
    (0..random.below(12)).map(|_| ALPHABET[random.below(ALPHABET.len())]).collect()
}

fn any_ranges(random: &mut Random) -> String {
    const RANGES: [&str; 4] = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"];
    let ranges: Vec<&str> = (0..random.below(4)).map(|_| RANGES[random.below(RANGES.len())]).collect();
    ranges.join(", ")
}

/// A number of any magnitude; often one that is whole in seconds or in a unit of size.
fn any_number(random: &mut Random) -> i64 {
    let magnitude = random.below(34);
    let number = (random.next() >> 30) as i64 >> (33 - magnitude);
    number * [1, 1, 1000, 1024][random.below(4)]
}

/// A valid configuration whose keys have any values.
fn random_config(random: &mut Random) -> NetworkConfig {
    let mut config = NetworkConfig::default();
    for key in NetworkConfig::keys() {
        for _ in 0..8 {
            let value = match config.get(&key).expect("a known key") {
                Scalar::Switch(_) => Scalar::Switch(random.below(2) == 0),
                Scalar::Number(_) if random.below(8) == 0 => Scalar::Number([OFF, UNLIMITED][random.below(2)]),
                Scalar::Number(_) => Scalar::Number(any_number(random)),
                Scalar::Text(_) if key == "server.exempt_addresses" => Scalar::Text(any_ranges(random)),
                Scalar::Text(_) if key == "context.log_filter" => {
                    Scalar::Text(["", "warn", "a::b=debug, off"][random.below(3)].into())
                }
                Scalar::Text(_) => Scalar::Text(any_text(random)),
            };
            if config.set(&key, value).is_ok() {
                break;
            }
        }
    }
    for session in [&mut config.server.session, &mut config.client.session] {
        session.send_hard_limit = session.send_hard_limit.max(session.send_queue);
        if session.framing == Framing::Raw {
            session.compression = Compression::Off;
        }
    }
    config.client.reconnect.max_delay = config.client.reconnect.max_delay.max(config.client.reconnect.first_delay);
    complete_tls(&mut config);
    config
}

/// Switches TLS on, with what it needs and without what does not go with it.
fn complete_tls(config: &mut NetworkConfig) {
    let named = |pem: &mut Pem| {
        if !pem.is_some() {
            *pem = Pem::file("x");
        }
    };
    let tls = &mut config.server.tls;
    tls.enabled = true;
    named(&mut tls.certificate);
    named(&mut tls.key);
    match tls.client_certificate {
        ClientCertificate::None => (tls.client_ca, tls.crl) = (Pem::None, Pem::None),
        ClientCertificate::Optional | ClientCertificate::Required => named(&mut tls.client_ca),
    }
    tls.alpn.retain(|name| (1..=255).contains(&name.len()));
    let tls = &mut config.client.tls;
    tls.enabled = true;
    named(&mut tls.certificate);
    named(&mut tls.key);
    if tls.dangerously_disable_verification {
        (tls.ca, tls.crl) = (Pem::None, Pem::None);
    }
    tls.alpn.retain(|name| (1..=255).contains(&name.len()));
}

fn faults(text: &str, format: Format) -> Vec<String> {
    let faults = NetworkConfig::from_str(text, format).expect_err("the text is wrong");
    assert_eq!((faults.code, faults.os_code), (Code::InvalidArgument, 0));
    faults.list.iter().map(Fault::to_string).collect()
}

#[test]
fn nothing_is_the_defaults() {
    for text in ["", "\n", "\u{feff}", "# only a comment\n", "[server]\n"] {
        assert_eq!(NetworkConfig::from_str(text, Format::Toml), Ok(NetworkConfig::default()), "{text:?}");
    }
    for text in ["", " \n", "\u{feff}{}", "{}", "{\"server\": {}}"] {
        assert_eq!(NetworkConfig::from_str(text, Format::Json), Ok(NetworkConfig::default()), "{text:?}");
    }
    assert_eq!(NetworkConfig::default().validate(), Ok(()));
    let empty = TempFile::new("empty.toml", "");
    assert_eq!(NetworkConfig::from_file(&empty.0), Ok(NetworkConfig::default()));
}

#[test]
fn what_a_file_says_arrives() {
    let toml = "\
server.max_connections = 0
server.message_size_limit = 0
server.framing = 'framed'

[client]
host = \"localhost\"
port = 0x1F90
timeout = '1500ms'
heartbeat_interval = \"off\"
policy = 'would_block'
send_queue_limit = \"64 KiB\"
connection_timeout = \"1 m\"
drain_timeout = 1_500
[logger]
min_level = \"fatal\"
";
    let json = r#"{
        "server": {"max_connections": 0, "message_size_limit": 0, "framing": "framed"},
        "client": {"host": "localhost", "port": 8080, "timeout": 1500, "heartbeat_interval": "off",
                   "policy": "would_block", "send_queue_limit": 65536, "connection_timeout": "60000ms",
                   "drain_timeout": "1500 ms"},
        "logger": {"min_level": "fatal"}
    }"#;
    let mut expected = NetworkConfig::default();
    expected.server.max_connections = usize::MAX;
    expected.server.session.max_message = u32::MAX;
    expected.server.session.framing = Framing::Framed;
    expected.client.host = "localhost".into();
    expected.client.port = 8080;
    expected.client.session.idle_timeout = Some(Duration::from_millis(1500));
    expected.client.session.heartbeat = None;
    expected.client.session.send_policy = SendPolicy::WouldBlock;
    expected.client.session.send_queue = 64 * 1024;
    expected.client.connect_timeout = Duration::from_secs(60);
    expected.client.session.drain = Duration::from_millis(1500);
    expected.logger.min_level = LogLevel::Fatal;
    let toml_file = TempFile::new("arrives.toml", toml);
    let json_file = TempFile::new("arrives.conf", json); // known by its brace
    assert_eq!(NetworkConfig::from_str(toml, Format::Toml), Ok(expected.clone()));
    assert_eq!(NetworkConfig::from_file(&toml_file.0), Ok(expected.clone()));
    assert_eq!(NetworkConfig::from_str(json, Format::Json), Ok(expected.clone()));
    assert_eq!(NetworkConfig::from_file(&json_file.0), Ok(expected));
}

#[test]
fn every_fault_of_a_toml_text_is_told_at_once() {
    let text = "\
port = 1
[server]
timout = \"30s\"
timeout = 30
port = 70000
port = 5
framing = 'x'
backlog =
max_connections = 1e999
bind_address = [
]
send_queue_limit = '64 KB'
\u{20}\u{20}drain_timeout = '-1s'
[tls]
[client]
bind_address = 'x'
heartbeat_interval = nan
host = \"a\\u0000\"
enable_nodelay = 1
send_hard_limit = 9223372036854775808
[loger]
";
    let expected = [
        "1:1: port: is unknown, expected perhaps server.port",
        "3:1: server.timout: is unknown, expected perhaps server.timeout",
        "4:11: server.timeout: found 30, expected whole seconds from 0s to 1000h: a string such as \"30s\", or a \
         number of milliseconds",
        "5:8: server.port: found 70000, expected a whole number from 0 to 65535",
        "6:1: port: duplicate key",
        "7:11: server.framing: found \"x\", expected \"auto\" or \"framed\" or \"raw\"",
        "8:10: string values must be quoted, expected literal string",
        "9:19: server.max_connections: found 1e999, expected a whole number from 0 to 4294967294",
        "10:16: server.bind_address: found a list, expected a string of at most 255 bytes, without NUL",
        "12:20: server.send_queue_limit: found \"64 KB\", expected a size from 1 to 1 TiB: a number of bytes, or a \
         string such as \"64 KiB\"",
        "13:19: server.drain_timeout: found \"-1s\", expected a time from 1ms to 1000h: a string such as \"30s\", or a \
         number of milliseconds",
        "14:2: tls: is unknown",
        "16:1: client.bind_address: is unknown, expected perhaps server.bind_address",
        "17:22: client.heartbeat_interval: found nan, expected a time from 1ms to 1000h: a string such as \"30s\", or \
         a number of milliseconds, or \"off\"",
        "18:8: client.host: found \"a\\u0000\", expected a string of at most 255 bytes, without NUL",
        "19:18: client.enable_nodelay: found 1, expected true or false",
        "20:19: client.send_hard_limit: found 9223372036854775808, expected a size from 1 to 1 TiB: a number of bytes, \
         or a string such as \"64 KiB\"",
        "21:2: loger: is unknown, expected perhaps logger",
    ];
    assert_eq!(faults(text, Format::Toml), expected);
}

#[test]
fn every_fault_of_a_json_text_is_told_at_once() {
    let text = "\u{feff}{\"server\": {\"port\": -1, \"port\": 1, \"x\": null,\n \"server_id\": \"a\tb\"}, \
                \"client\": 3, \"monitoring\": {\"enabled\": \"yes\", \"\u{e4}\": {\"a\": 1}}}";
    let expected = [
        "1:21: server.port: found -1, expected a whole number from 0 to 65535",
        "1:25: server.port: found a second time; the first is in line 1",
        "1:36: server.x: is unknown",
        "2:17: server.server_id: found the control character 0x09 in a string, expected \\u0009",
        "2:33: client: found a value, expected a section with keys",
        "2:62: monitoring.enabled: found \"yes\", expected true or false",
        "2:69: monitoring.\u{e4}: is unknown",
    ];
    assert_eq!(faults(text, Format::Json), expected);
}

#[test]
fn what_is_no_json_is_told_with_its_line() {
    let told = [
        ("[1]", "1:1: expected an object of sections: {\"server\": {...}}"),
        ("{\n} {}", "2:3: Text cannot contain more than one JSON value"),
        ("{\n\"server\":\n}", "3:1: Unexpected close brace"),
        ("// comment\n{}", "1:1: Comments are not allowed"),
        ("{\"server\": {},}", "1:14: Trailing commas are not allowed"),
        ("{'server': {}}", "1:2: Single-quoted strings are not allowed"),
        ("{server: {}}", "1:2: Expected string for object property"),
        ("{\"server\": {\"port\": 0x1}}", "1:21: Hexadecimal numbers are not allowed"),
        ("{\"server\": {\"port\": +1}}", "1:21: Unary plus on numbers is not allowed"),
        ("{\"server\": {\"port\": NaN}}", "1:21: Unexpected token"),
    ];
    for (text, fault) in told {
        assert_eq!(faults(text, Format::Json), [fault], "{text}");
    }
}

#[test]
fn keys_that_do_not_go_together_are_told_with_the_lines_of_both() {
    let text = "[server]\nsend_queue_limit = '64 KiB'\n\nsend_hard_limit = 7";
    assert_eq!(
        faults(text, Format::Toml),
        ["4:1: server.send_hard_limit: send_hard_limit is 7 bytes, less than send_queue with 65536: give it at least \
          the same (server.send_hard_limit is in line 4, server.send_queue_limit is in line 2)"]
    );
    let text = "{\"client\":\n {\"send_queue_limit\": \"65 MiB\"}}";
    assert_eq!(
        faults(text, Format::Json),
        ["2:3: client.send_hard_limit: send_hard_limit is 67108864 bytes, less than send_queue with 68157440: give \
          it at least the same (client.send_hard_limit is not in the text, client.send_queue_limit is in line 2)"]
    );
    let text = "[client.reconnect]\nenabled = true\nmax_delay = '50ms'";
    assert_eq!(
        faults(text, Format::Toml),
        ["3:1: client.reconnect.first_delay: first_delay is 100 ms and max_delay 50 ms: give it more than 0, and no \
          more than max_delay (client.reconnect.first_delay is not in the text, client.reconnect.max_delay is in line 3)"]
    );
    let text = "[context]\nlog_filter = 'network_system=loud'";
    assert_eq!(
        faults(text, Format::Toml),
        [
            "2:1: context.log_filter: \"loud\" is no level: write off, error, warn, info, debug or trace, for some targets \
          as in \"warn,network_system::session=debug\" (context.log_filter is in line 2)"
        ]
    );
    let text = "[client]\nframing = 'raw'\ncompression = 'auto'";
    assert_eq!(
        faults(text, Format::Toml),
        ["3:1: client.compression: compression is on and framing is raw, where bytes travel as they are: use framing \
          framed or auto, or switch compression off (client.compression is in line 3, client.framing is in line 2)"]
    );
}

#[test]
fn a_file_with_a_fault_changes_nothing() {
    let mut config = NetworkConfig::testing();
    let file = TempFile::new("fault.toml", "[server]\nport = 1\n[client]\nport = 'x'\n");
    let faults = config.load_file(&file.0).expect_err("a fault");
    assert_eq!(config, NetworkConfig::testing());
    let [fault] = &faults.list[..] else { panic!("one fault: {faults}") };
    assert_eq!((PathBuf::from(&fault.file), fault.line, fault.column), (file.0.clone(), 4, 8));
    assert_eq!(fault.key, "client.port");
    let error = Error::from(faults);
    assert!(error.message.starts_with(&format!("{}:4:8: client.port: found", file.0.display())), "{error}");
}

#[test]
fn a_file_overlays_what_there_is() {
    let mut config = NetworkConfig::testing();
    config.load_bytes(b"[server]\nport = 1\n", Format::Toml).expect("valid");
    let mut expected = NetworkConfig::testing();
    expected.server.port = 1;
    assert_eq!(config, expected);
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_too() {
    let missing = NetworkConfig::from_file("/does/not/exist.toml").expect_err("no such file");
    assert_eq!((missing.code, missing.os_code, missing.list.len()), (Code::NotFound, libc::ENOENT, 1));
    assert!(missing.to_string().starts_with("/does/not/exist.toml: cannot be read: "), "{missing}");
    assert_eq!(NetworkConfig::from_file("/").expect_err("a directory").code, Code::Io);
    let binary = TempFile::new("binary.toml", b"[server]\n#\xc3\xa4\xff\n");
    let faults = NetworkConfig::from_file(&binary.0).expect_err("not UTF-8");
    assert!(faults.to_string().ends_with("binary.toml:2:3: found the byte 0xff, expected UTF-8"), "{faults}");
    let endless = NetworkConfig::from_file("/dev/zero").expect_err("too long");
    assert!(endless.to_string().contains("more than 1048576 bytes"), "{endless}");
}

#[test]
fn what_is_written_reads_as_the_same() {
    let mut random = Random(1);
    for _ in 0..500 {
        let config = random_config(&mut random);
        for format in FORMATS {
            let text = config.to_string(format).expect("valid values");
            assert_eq!(NetworkConfig::from_str(&text, format).as_ref(), Ok(&config), "{text}");
        }
    }
}

#[test]
fn what_nobody_could_read_is_not_written() {
    let mut config = NetworkConfig::default();
    config.server.server_id = "x".repeat(256);
    config.server.session.idle_timeout = Some(Duration::from_millis(1500));
    config.client.session.send_timeout = Duration::MAX;
    config.client.session.send_hard_limit = 1;
    config.context.max_loops = 0;
    let keys = |faults: &[Fault]| faults.iter().map(|fault| fault.key.clone()).collect::<Vec<_>>();
    let expected =
        ["context.max_loops", "server.server_id", "server.timeout", "client.message_timeout", "client.send_hard_limit"];
    let faults = config.validate().expect_err("wrong values");
    assert_eq!(keys(&faults.list), expected);
    assert!(faults.list.iter().all(|fault| (fault.line, fault.column, &*fault.file) == (0, 0, "")));
    for format in FORMATS {
        assert_eq!(config.to_string(format), Err(faults.clone()));
    }
}

#[test]
fn keys_keep_what_others_switch_off() {
    let mut config = NetworkConfig::default();
    for (key, text) in [
        ("client.heartbeat_interval", "1s"),
        ("client.enable_keep_alive", "false"),
        ("client.enable_keep_alive", "true"),
        ("client.reconnect.max_delay", "7s"),
        ("client.reconnect.enabled", "true"),
        ("client.reconnect.enabled", "false"),
    ] {
        config.set_text(key, text).expect("valid");
    }
    assert_eq!(config.client.session.heartbeat, Some(Duration::from_secs(1)));
    assert_eq!(config.get_text("client.reconnect.max_delay").as_deref(), Ok("7s"));
}

/// A key, a value as TOML and JSON have it, and what a program sees of it, which is not the default.
type Case = (&'static str, &'static str, fn(&NetworkConfig) -> bool);

const PROTECTION: [Case; 33] = [
    ("context.max_buffered", "'64 MiB'", |config| config.context.max_buffered == 64 << 20),
    ("context.max_buffered", "'unlimited'", |config| config.context.max_buffered == usize::MAX),
    ("context.pool_threads", "3", |config| config.context.pool_threads == 3),
    ("context.busy_poll_us", "50", |config| config.context.busy_poll_us == 50),
    ("context.log_filter", "'off,network_system::session=trace'", |config| {
        config.log.filter == "off,network_system::session=trace"
    }),
    ("context.log_to_stderr", "true", |config| config.log.to_stderr),
    ("server.dispatch", "'pool'", |config| config.server.session.dispatch == Dispatch::Pool),
    ("client.dispatch", "'manual'", |config| config.client.session.dispatch == Dispatch::Manual),
    ("server.io_threads", "4", |config| config.server.io_threads == 4),
    ("server.receive_queue_limit", "'1 MiB'", |config| config.server.session.receive_queue == 1 << 20),
    ("server.policy", "'drop_newest'", |config| config.server.session.send_policy == SendPolicy::DropNewest),
    ("server.policy", "'drop_oldest'", |config| config.server.session.send_policy == SendPolicy::DropOldest),
    ("client.policy", "'disconnect'", |config| config.client.session.send_policy == SendPolicy::Disconnect),
    ("server.send_queue_messages", "9", |config| config.server.session.send_queue_messages == NonZeroU32::new(9)),
    ("client.frame_timeout", "'off'", |config| config.client.session.frame_timeout.is_none()),
    ("server.frame_timeout", "'1s'", |config| config.server.session.frame_timeout == Some(Duration::from_secs(1))),
    ("server.unresponsive_timeout", "'off'", |config| config.server.session.unresponsive_timeout.is_none()),
    ("client.unresponsive_timeout", "'1m'", |config| {
        config.client.session.unresponsive_timeout == Some(Duration::from_secs(60))
    }),
    ("server.max_connections_per_address", "7", |config| config.server.max_connections_per_address == Some(7)),
    ("server.max_connections_per_address", "'unlimited'", |config| {
        config.server.max_connections_per_address == Some(usize::MAX)
    }),
    ("server.accept_rate", "5", |config| config.server.accept_rate == 5),
    ("server.accept_burst", "6", |config| config.server.accept_burst == 6),
    ("server.exempt_addresses", "['10.0.0.0/8', '::1']", exempts_two),
    ("server.exempt_addresses", "' 10.0.0.0/8,::1'", exempts_two),
    ("client.reconnect.enabled", "true", |config| {
        config.client.reconnect == Reconnect { enabled: true, ..Reconnect::default() }
    }),
    ("client.reconnect.first_delay", "'1s'", |config| config.client.reconnect.first_delay == Duration::from_secs(1)),
    ("client.reconnect.max_delay", "'1m'", |config| config.client.reconnect.max_delay == Duration::from_secs(60)),
    ("client.reconnect.max_attempts", "3", |config| config.client.reconnect.max_attempts == NonZeroU32::new(3)),
    ("server.compression", "'auto'", |config| config.server.session.compression == Compression::Auto),
    ("client.compression", "'zstd'", |config| config.client.session.compression == Compression::Zstd),
    ("server.compression_threshold", "'1 KiB'", |config| config.server.session.compression_threshold == 1024),
    ("client.compression_level", "3", |config| config.client.session.compression_level == 3),
    ("client.send_queue_messages", "1", |config| config.client.session.send_queue_messages == NonZeroU32::new(1)),
];

fn exempts_two(config: &NetworkConfig) -> bool {
    let ranges: Vec<String> = config.server.exempt_addresses.iter().map(ToString::to_string).collect();
    ranges == ["10.0.0.0/8", "::1/128"]
}

#[test]
fn keys_of_limits_and_of_reconnecting_arrive() {
    for (key, value, arrived) in PROTECTION {
        let toml = format!("{key} = {value}");
        let value = value.replace('\'', "\"");
        let objects: String = key.split('.').map(|name| format!("{{\"{name}\": ")).collect();
        let json = format!("{objects}{value}{}", "}".repeat(key.split('.').count()));
        for (text, format) in [(toml, Format::Toml), (json, Format::Json)] {
            let config = NetworkConfig::from_str(&text, format).unwrap_or_else(|faults| panic!("{text}: {faults}"));
            assert!(arrived(&config) && !arrived(&NetworkConfig::default()), "{text}");
            let mut set = NetworkConfig::default();
            set.set_text(key, &config.get_text(key).expect("a known key")).expect("valid");
            assert_eq!(set, config, "{text}");
        }
    }
    let words = "server.max_connections_per_address = 'default'";
    assert_eq!(NetworkConfig::from_str(words, Format::Toml), Ok(NetworkConfig::default()));
}

/// What TLS lacks, or has too much, is said by the key and the line.
#[test]
fn tls_is_whole_or_not_at_all() {
    let server = |text: &str| faults(&format!("[server.tls]\n{text}"), Format::Toml);
    let client = |text: &str| faults(&format!("[client.tls]\n{text}"), Format::Toml);
    let one = |faults: Vec<String>, begin: &str, text: &str| {
        assert!(faults.len() == 1 && faults[0].starts_with(begin) && faults[0].contains(text), "{faults:?}");
    };
    one(server("enabled = true"), "2:1: server.tls.certificate_file", "set certificate_file");
    one(server("enabled = true\ncertificate_file = 'x'"), "3:1: server.tls.key_file", "set key_file");
    one(server("certificate_file = 'x'\nkey_file = 'x'"), "2:1: server.tls.enabled", "set tls.enabled to true");
    one(server("\nalpn = 'x'\nenabled = false"), "4:1: server.tls.enabled", "server.tls.enabled is in line 4");
    let whole = "enabled = true\ncertificate_file = 'x'\nkey_file = 'x'\n";
    let text = format!("{whole}client_certificate = 'required'");
    one(server(&text), "5:1: server.tls.client_certificate", "set client_ca_file");
    let text = format!("{whole}client_ca_file = 'x'");
    one(server(&text), "5:1: server.tls.client_certificate", "required or optional");
    let text = format!("{whole}crl_file = 'x'");
    one(server(&text), "5:1: server.tls.client_certificate", "server.tls.crl_file is in line 5");
    one(server(&format!("{whole}alpn = 'a,,b'")), "5:1: server.tls.alpn", "1 to 255");
    one(server(&format!("{whole}min_version = '1.1'")), "5:15: server.tls.min_version", "\"1.2\" or \"1.3\"");
    one(client("enabled = true\nkey_file = 'x'"), "3:1: client.tls.key_file", "set certificate_file");
    one(client("ca_file = 'x'"), "2:1: client.tls.enabled", "set tls.enabled to true");
    let text = "enabled = true\nca_file = 'x'\ndangerously_disable_verification = true";
    one(client(text), "4:1: client.tls.dangerously_disable_verification", "leave out the one or the others");

    // What is in memory cannot be in a file, and is not left out in silence.
    let mut config = NetworkConfig::default();
    config.server.tls.enabled = true;
    (config.server.tls.certificate, config.server.tls.key) = (Pem::memory("a"), Pem::file("b"));
    let faults = config.to_string(Format::Toml).expect_err("not writable");
    assert_eq!(faults.to_string(), "server.tls.certificate_file: is in memory, which no file can say: use a file");
}

/// Each key of TLS without the switch is refused, and told at its line.
#[test]
fn nothing_of_tls_is_said_in_vain() {
    let mut told = 0;
    for key in NetworkConfig::keys() {
        let Some((section @ ("server.tls" | "client.tls"), name)) = key.rsplit_once('.') else {
            continue;
        };
        let mut config = NetworkConfig::default();
        let default = config.get(&key).expect("a known key");
        match default {
            _ if name == "enabled" => continue,
            Scalar::Switch(switch) => config.set(&key, Scalar::Switch(!switch)).expect("valid"),
            Scalar::Text(_) => config.set_text(&key, "x").expect("valid"),
            Scalar::Number(number) => config.set(&key, Scalar::Number(number + 1)).expect("valid"),
        }
        let value = match config.get_text(&key).expect("a known key") {
            text if matches!(default, Scalar::Switch(_)) => text,
            text => format!("'{text}'"),
        };
        assert!(config.to_string(Format::Toml).is_err(), "{key}");
        let expected = format!("3:1: {section}.enabled: settings of TLS are given, but it is not enabled");
        let faults = faults(&format!("[{section}]\n\n{name} = {value}"), Format::Toml);
        assert!(faults.iter().any(|fault| fault.starts_with(&expected)), "{faults:?}");
        told += 1;
    }
    assert!(told >= 18, "{told} keys");
}

/// What the bridge encrypts with is what the sections of TLS say, in every language; what it has besides is not lost.
#[test]
fn a_bridge_encrypts_as_the_sections_say() {
    let text = "\
bridge.enable_encryption = true
[server.tls]
enabled = true
certificate_file = 'a'
key_file = 'b'
[client.tls]
enabled = true
ca_file = 'c'
";
    let config = NetworkConfig::from_str(text, Format::Toml).expect("valid");
    let bridge = config.bridge_config();
    assert_eq!((&bridge.server_tls, &bridge.client_tls), (&config.server.tls, &config.client.tls));
    assert_eq!((&bridge.server_tls.certificate, &bridge.client_tls.ca), (&Pem::file("a"), &Pem::file("c")));
    let mut same = NetworkConfig { bridge, ..config.clone() };
    same.bridge.server_tls.enabled = false; // which is not looked at
    assert_eq!(NetworkConfig::from_str(&same.to_string(Format::Toml).expect("valid"), Format::Toml), Ok(config));

    let refused = |config: &NetworkConfig, text: &str| {
        let faults = config.to_string(Format::Toml).expect_err(text);
        assert!(faults.to_string().starts_with("bridge.enable_encryption: "), "{faults}");
        assert!(faults.list.len() == 1 && faults.to_string().contains(text), "{faults}");
    };
    let mut other = same.clone();
    other.bridge.client_tls.ca = Pem::file("d");
    refused(&other, "other settings in client_tls than there are in client.tls");
    same.bridge.encryption = false;
    refused(&same, "encryption is off");
    assert_eq!(NetworkConfig::default().bridge_config(), NetworkConfig::default().bridge);
}

#[test]
fn values_that_no_limit_has_are_refused() {
    let text = "\
[context]
max_buffered = 0
[server]
max_connections_per_address = 'any'
accept_rate = -1
exempt_addresses = [
    '10.0.0.0/8', 'ten',
    10,
    '10.1.0.0/8',
]
unresponsive_timeout = '0s'
send_queue_messages = 4294967296
policy = 'drop'
compression = 'gzip'
compression_level = 20
[client]
exempt_addresses = []
reconnect.max_delay = 'off'
[client.proxy]
";
    let expected = [
        "2:16: context.max_buffered: found 0, expected a size from 1 to 1 TiB: a number of bytes, or a string such as \
         \"64 KiB\", or \"unlimited\"",
        "4:31: server.max_connections_per_address: found \"any\", expected a whole number from 1 to 4294967294, or \
         \"default\" or \"unlimited\"",
        "5:15: server.accept_rate: found -1, expected a whole number from 0 to 4294967295",
        "7:19: server.exempt_addresses: entry 2: \"ten\" is not a range of addresses: expected one like 10.0.0.0/8, \
         2001:db8::/32 or ::1",
        "8:5: server.exempt_addresses: entry 3: found 10, expected a string such as \"10.0.0.0/8\"",
        "9:5: server.exempt_addresses: entry 4: 10.1.0.0/8 is an address within a range: write 10.0.0.0/8 for the \
         range, or 10.1.0.0/32 for the one address",
        "11:24: server.unresponsive_timeout: found \"0s\", expected a time from 1ms to 1000h: a string such as \
         \"30s\", or a number of milliseconds, or \"off\"",
        "12:23: server.send_queue_messages: found 4294967296, expected a whole number from 0 to 4294967295",
        "13:10: server.policy: found \"drop\", expected \"would_block\" or \"wait\" or \"drop_newest\" or \
         \"drop_oldest\" or \"disconnect\"",
        "14:15: server.compression: found \"gzip\", expected \"off\" or \"auto\" or \"lz4\" or \"zstd\"",
        "15:21: server.compression_level: found 20, expected a whole number from 1 to 19",
        "17:1: client.exempt_addresses: is unknown, expected perhaps server.exempt_addresses",
        "18:23: client.reconnect.max_delay: found \"off\", expected a time from 1ms to 1000h: a string such as \
         \"30s\", or a number of milliseconds",
        "19:9: client.proxy: is unknown",
    ];
    assert_eq!(faults(text, Format::Toml), expected);
    let mut config = NetworkConfig::default();
    let fault = config.set_text("server.exempt_addresses", "::1, ten, 10.0.0.0/40").expect_err("wrong");
    let expected = "server.exempt_addresses: entry 2: \"ten\" is not a range of addresses: expected one like \
                    10.0.0.0/8, 2001:db8::/32 or ::1; entry 3: the prefix of 10.0.0.0/40 is longer than the address: \
                    give at most 32";
    assert_eq!(fault.to_string(), expected);
    let fault = config.set("server.exempt_addresses", Scalar::Text("::1,".into())).expect_err("wrong");
    assert!(fault.text.starts_with("entry 2: \"\" is not a range of addresses"), "{fault}");
    let fault = config.set("server.exempt_addresses", Scalar::Number(1)).expect_err("wrong");
    assert!(fault.text.starts_with("found 1, expected a list of addresses"), "{fault}");
    assert_eq!(config, NetworkConfig::default());
}

#[test]
fn a_section_in_a_section_has_its_faults_like_others() {
    let toml = "\
[client.reconect]
enabled = true
[client.reconnect]
enabled = 1
first_dely = '1s'
";
    let expected = [
        "1:9: client.reconect: is unknown, expected perhaps client.reconnect",
        "4:11: client.reconnect.enabled: found 1, expected true or false",
        "5:1: client.reconnect.first_dely: is unknown, expected perhaps client.reconnect.first_delay",
    ];
    assert_eq!(faults(toml, Format::Toml), expected);
    let json = "{\"client\": {\"reconnect\": true}}";
    let expected = ["1:26: client.reconnect: found a value, expected a section with keys"];
    assert_eq!(faults(json, Format::Json), expected);
    let json = "{\"client\": {\"reconnect\": {\"enabled\": true, \"enabled\": [true]}}}";
    let expected = ["1:44: client.reconnect.enabled: found a second time; the first is in line 1"];
    assert_eq!(faults(json, Format::Json), expected);
}

#[test]
fn keys_are_read_and_set_by_name() {
    let mut config = NetworkConfig::default();
    assert_eq!(config.get("server.timeout"), Ok(Scalar::Number(30_000)));
    assert_eq!(config.get_text("server.timeout").as_deref(), Ok("30s"));
    assert_eq!(config.get_text("server.policy").as_deref(), Ok("wait"));
    for (key, text) in [
        ("server.timeout", "5m"),
        ("server.port", "81"),
        ("server.enable_nodelay", "false"),
        ("server.framing", "raw"),
        ("server.send_queue_limit", "2 MiB"),
        ("server.server_id", "7"),
        ("client.heartbeat_interval", "off"),
    ] {
        config.set_text(key, text).expect("valid");
        assert_eq!(config.get_text(key).as_deref(), Ok(text));
    }
    assert_eq!(config.get("client.heartbeat_interval"), Ok(Scalar::Number(OFF)));
    assert_eq!(config.server.session.idle_timeout, Some(Duration::from_secs(300)));
    config.set("server.framing", Scalar::Number(1)).expect("valid");
    assert_eq!(config.server.session.framing, Framing::Framed);
    let before = config.clone();
    let refused = [
        config.set("server.port", Scalar::Number(-1)),
        config.set("server.port", Scalar::Text("1".into())),
        config.set("server.framing", Scalar::Number(3)),
        config.set_text("server.port", "1.5"),
        config.set_text("server.prot", "1"),
        config.get("port").map(drop),
        config.get("server").map(drop),
    ];
    for result in refused {
        let fault = result.expect_err("refused");
        assert!(fault.text.contains("expected"), "{fault}");
    }
    assert_eq!(config, before);
}

#[test]
fn presets() {
    let figures = |config: NetworkConfig| {
        assert_eq!(config.validate(), Ok(()));
        let NetworkConfig { thread_pool, logger, monitoring, .. } = config;
        (thread_pool.worker_count, logger.min_level, logger.async_logging, monitoring.enabled)
    };
    assert_eq!(figures(NetworkConfig::development()), (2, LogLevel::Debug, false, true));
    assert_eq!(figures(NetworkConfig::production()), (0, LogLevel::Info, true, true));
    assert_eq!(figures(NetworkConfig::testing()), (1, LogLevel::Warn, false, false));
}

#[test]
fn the_example_file_has_every_key_with_its_default() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples-c/network.toml");
    let reference = NetworkConfig::reference();
    if env::var_os("NETSYS_UPDATE_EXAMPLE").is_some() {
        fs::write(&path, &reference).expect("the file can be written");
    }
    let checked_in = fs::read_to_string(&path).expect("the file exists");
    assert!(
        checked_in == reference,
        "examples-c/network.toml is out of date: run NETSYS_UPDATE_EXAMPLE=1 cargo test --test network_config"
    );
    assert_eq!(NetworkConfig::from_file(&path), Ok(NetworkConfig::default()));
    for key in NetworkConfig::keys() {
        let (section, name) = key.rsplit_once('.').expect("a section and a name");
        let keys = checked_in.split(&format!("[{section}]\n")).nth(1).expect("a section of the file");
        assert!(keys.contains(&format!("\n{name} = ")), "{key} is missing");
    }
}

/// Neither crashes nor hangs, and says where it is wrong; what is accepted is valid.
fn survives(bytes: &[u8]) {
    for format in FORMATS {
        let mut config = NetworkConfig::default();
        match config.load_bytes(bytes, format) {
            Ok(()) => assert_eq!(config.validate(), Ok(())),
            Err(faults) => {
                assert_eq!(config, NetworkConfig::default());
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
                assert!(!faults.list.is_empty() && faults.list.len() <= 101, "{}", faults.list.len());
                assert!(faults.list.iter().all(|fault| fault.line as usize <= lines), "{faults}");
                assert!(faults.list.iter().all(|fault| fault.text.len() < 1000 && fault.key.len() < 1000), "{faults}");
            }
        }
    }
}

#[test]
fn damaged_files_are_told_from_whole_ones() {
    const PIECES: [&[u8]; 16] = [
        b"\"", b"'", b"\"\"\"", b"[", b"]", b"{", b"}", b"=", b"\n", b"\0", b"\xff", b"\\u", b"-", b"1e999", b"nan",
        b",",
    ];
    let mut random = Random(2);
    let texts = FORMATS.map(|format| random_config(&mut random).to_string(format).expect("valid"));
    for text in texts.map(String::into_bytes) {
        for _ in 0..3000 {
            let mut bytes = text.clone();
            for _ in 0..=random.below(4) {
                let (at, piece) = (random.below(bytes.len()), PIECES[random.below(PIECES.len())]);
                match random.below(4) {
                    0 => bytes[at] = random.next() as u8,
                    1 => bytes.truncate(at + 1),
                    2 => drop(bytes.drain(at..(at + random.below(40)).min(bytes.len() - 1).max(at))),
                    _ => drop(bytes.splice(at..at, piece.iter().copied())),
                }
            }
            survives(&bytes);
        }
    }
}

#[test]
fn hostile_files_are_refused() {
    let length = 1024 * 1024;
    let closed = |head: &str, piece: &str, tail: &str| {
        let count = (length - head.len() - tail.len()) / piece.len();
        format!("{head}{}{tail}", piece.repeat(count)).into_bytes()
    };
    let filled = |head: &str, piece: &str| closed(head, piece, "");
    let texts = [
        filled("", "["),
        filled("", "{\"a\":"),
        filled("a = ", "["),
        filled("a = ", "{a="),
        filled("", "a."),
        filled("[", "a."),
        filled("", "[a]\n"),
        filled("[server]\n", "prt=1\n"),
        filled("[server]\n", "port=1\n"),
        filled("{\"server\":{", "\"port\":1,\n"),
        filled("server_id = \"", "x"),
        filled("{\"server\":{\"server_id\":\"", "\\u0000"),
        filled("server.port = ", "9"),
        filled("", "\0"),
        filled("", "\n"),
        filled("x", "y"),
        closed("server.exempt_addresses = [", "'\u{10ffff}',", "]"),
        closed("server.exempt_addresses = '", "ten,", "'"),
        closed("server.exempt_addresses = '", "\u{10ffff}", "'"),
        closed("{\"server\": {\"exempt_addresses\": [", "1,", "1]}}"),
        filled("", "\""),
    ];
    // A program's threads may have little stack.
    let run = move || texts.iter().for_each(|text| survives(text));
    thread::Builder::new().stack_size(512 * 1024).spawn(run).expect("a thread").join().expect("no panic");
}
