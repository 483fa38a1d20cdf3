//! Configurations: what one says is the same when it is written and read again, and every fault has its place in it.

use network_system::config::{Format, NetworkConfig};

/// The format, and the text.
pub fn run(data: &[u8]) {
    let [format, text @ ..] = data else { return };
    let format = if format % 2 == 0 { Format::Toml } else { Format::Json };
    let mut config = NetworkConfig::default();
    match config.load_bytes(text, format) {
        Ok(()) => {
            for format in [Format::Toml, Format::Json] {
                // Not everything that can be read can be used.
                if let Ok(text) = config.to_string(format) {
                    assert_eq!(NetworkConfig::from_str(&text, format).unwrap(), config, "{text}");
                }
            }
        }
        Err(faults) => {
            assert_eq!(config, NetworkConfig::default(), "a text with a fault changes nothing");
            assert!(!faults.to_string().is_empty());
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let with = |format, text: &str| [&[format], text.as_bytes()].concat();
    let mut seeds = vec![
        with(0, "[server]\nport = 1\nidle_timeout = \"10 s\"\nallow = [\"10.0.0.0/8\"]\n"),
        with(0, "[server.tls]\nenabled = true\ncertificate_file = 'a'\nkey_file = \"b\\u00e9\"\nalpn = 'x, y'\n"),
        with(0, "[client]\nhost = \"h\"\nreconnect.enabled = true\nport = 0x1F\n# said\n[[client]]\n"),
        with(1, "{ // said\n \"server\": {\"port\": 1e2, \"port\": \"2\"}, \"client\": null, \"x\": [1, {}] }"),
    ];
    for (number, format) in [Format::Toml, Format::Json].into_iter().enumerate() {
        // Each part by itself: all of it is too long to be changed at random.
        let whole = NetworkConfig::development().to_string(format).unwrap();
        let part = whole.split_inclusive("\n\n").take(4).collect::<String>();
        seeds.push(with(number as u8, if number == 0 { &part } else { &whole }));
    }
    seeds
}
