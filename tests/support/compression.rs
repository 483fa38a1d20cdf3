//! What the tests of compression share.

use network_system::config::{ClientConfig, Compression, Framing, SendPolicy, ServerConfig, SessionConfig};

use super::random::Random;
use super::{client_config, server_config};

pub const KINDS: [Compression; 3] = [Compression::Lz4, Compression::Zstd, Compression::Auto];

fn compressing(session: &mut SessionConfig, compression: Compression) {
    session.compression = compression;
    session.framing = Framing::Framed;
    session.send_policy = SendPolicy::Wait;
}

pub fn server_with(compression: Compression) -> ServerConfig {
    let mut config = server_config();
    compressing(&mut config.session, compression);
    config.session.framing = Framing::Auto;
    config
}

pub fn client_with(port: u16, compression: Compression) -> ClientConfig {
    let mut config = client_config(port);
    compressing(&mut config.session, compression);
    config
}

/// Something like a log: words that come again and again.
pub fn prose(random: &mut Random, len: usize) -> Vec<u8> {
    const WORDS: [&str; 12] = [
        "session ",
        "opened ",
        "closed ",
        "by ",
        "the ",
        "peer ",
        "127.0.0.1 ",
        "after ",
        "messages",
        ": ",
        "ok\n",
        "42 ",
    ];
    let mut text = Vec::with_capacity(len + 16);
    while text.len() < len {
        text.extend_from_slice(WORDS[random.below(WORDS.len())].as_bytes());
    }
    text.truncate(len);
    text
}
