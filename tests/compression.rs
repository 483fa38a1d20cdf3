//! Compressed messages between servers and clients of this version.

mod support;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use network_system::config::{ClientConfig, Compression, Framing, SendPolicy, ServerConfig};
use network_system::core::{Client, Server};
use network_system::error::Code;
use network_system::session::handler::Payload;
use network_system::session::{Session, Stats};
use support::compression::{KINDS, client_with, prose, server_with};
use support::framed::LIMIT;
use support::random::Random;
use support::reconnecting::{Account, Port, number_of, quickly};
use support::{Event, Events, Home, Mode, PATIENCE, Recorder, wait_until};

/// A server and a client that are connected.
struct Pair {
    server: Arc<Server>,
    client: Arc<Client>,
    at_server: Events,
    at_client: Events,
    /// The client's session, and the server's.
    mine: Arc<Session>,
    theirs: Arc<Session>,
}

impl Pair {
    fn new(home: &Home, server: ServerConfig, client: impl FnOnce(u16) -> ClientConfig) -> Pair {
        let (handler, at_server) = Recorder::new();
        let server = home.server(server, handler);
        let (handler, at_client) = Recorder::new();
        let client = Client::start(&home.0, client(server.local_addr().port()), handler).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        let (mine, theirs) = (client.session().unwrap(), at_server.opened());
        Pair { server, client, at_server, at_client, mine, theirs }
    }

    fn of(home: &Home, at_server: Compression, at_client: Compression) -> Pair {
        Pair::new(home, server_with(at_server), |port| client_with(port, at_client))
    }

    /// Sends the message both ways, and sees it arrive.
    fn exchange(&self, payload: Payload, data: &[u8]) {
        for (sender, events) in [(&self.mine, &self.at_server), (&self.theirs, &self.at_client)] {
            sender.send(payload, data).unwrap();
            let (kind, got) = events.message();
            assert!(kind == payload && got == data, "{} bytes became {}", data.len(), got.len());
        }
    }

    /// Ends both, and gives back what the client and the server counted.
    fn counts(self) -> (Stats, Stats) {
        self.client.stop(None);
        self.client.wait(Some(PATIENCE)).unwrap();
        self.server.stop(None);
        self.server.wait(Some(PATIENCE)).unwrap();
        (self.client.stats(), self.server.stats())
    }
}

/// Both ends count the same, the compressed messages too.
fn assert_counts_agree(one: &Stats, other: &Stats) {
    assert_eq!((one.messages_sent, one.bytes_sent), (other.messages_received, other.bytes_received));
    assert_eq!(one.wire_bytes_sent, other.wire_bytes_received);
    assert_eq!(one.compressed_messages_sent, other.compressed_messages_received);
    assert_eq!(one.compressed_bytes_sent, other.compressed_bytes_received);
    assert_eq!(one.compressed_wire_bytes_sent, other.compressed_wire_bytes_received);
    assert_eq!((one.errors, one.queued_bytes, one.messages_dropped), (0, 0, 0));
}

#[test]
fn messages_arrive_as_they_were_wherever_handlers_run() {
    for compression in KINDS {
        for name in Mode::NAMES {
            let home = Home::new();
            let mode = Mode::new(name, &home.0);
            let mut config = server_with(compression);
            config.session.dispatch = mode.dispatch.clone();
            let pair = Pair::new(&home, config, |port| {
                let mut config = client_with(port, compression);
                config.session.dispatch = mode.dispatch.clone();
                config
            });
            let mut random = Random(5);
            let mut compressible = 0;
            for round in 0..60 {
                let len = random.length(300_000);
                let data = if round % 3 == 0 { random.bytes(len) } else { prose(&mut random, len) };
                compressible += u64::from(round % 3 != 0 && len >= 1000);
                pair.exchange(if round % 2 == 0 { Payload::Text } else { Payload::Binary }, &data);
            }
            let (client, server) = pair.counts();
            assert_counts_agree(&client, &server);
            assert_counts_agree(&server, &client);
            for stats in [client, server] {
                assert_eq!(stats.messages_sent, 60);
                assert!((compressible..=40).contains(&stats.compressed_messages_sent), "{stats:?}");
                assert!(stats.compressed_wire_bytes_sent < stats.compressed_bytes_sent / 2, "{stats:?}");
                assert!(stats.wire_bytes_sent < stats.bytes_sent);
            }
        }
    }
}

/// What is agreed is what both have, and LZ4 if that is both.
#[test]
fn who_has_nothing_in_common_sends_plain() {
    use Compression::{Auto, Lz4, Off, Zstd};
    let data = prose(&mut Random(1), 10_000);
    let mut took = HashMap::new();
    for (server, client) in
        [(Lz4, Lz4), (Zstd, Zstd), (Auto, Auto), (Auto, Lz4), (Auto, Zstd), (Lz4, Auto), (Zstd, Auto)]
    {
        let home = Home::new();
        let pair = Pair::of(&home, server, client);
        pair.exchange(Payload::Text, &data);
        let (client_stats, _) = pair.counts();
        assert_eq!(client_stats.compressed_messages_sent, 1, "{server:?} {client:?}");
        took.insert((server as u8, client as u8), client_stats.compressed_wire_bytes_sent);
    }
    let took = |server, client| took[&(server as u8, client as u8)];
    assert_ne!(took(Lz4, Lz4), took(Zstd, Zstd));
    assert_eq!([took(Auto, Auto), took(Auto, Lz4), took(Lz4, Auto)], [took(Lz4, Lz4); 3]);
    assert_eq!([took(Auto, Zstd), took(Zstd, Auto)], [took(Zstd, Zstd); 2]);
    for (server, client) in [(Off, Auto), (Auto, Off), (Lz4, Zstd), (Zstd, Lz4), (Off, Off)] {
        let home = Home::new();
        let pair = Pair::of(&home, server, client);
        pair.exchange(Payload::Text, &data);
        for stats in <[Stats; 2]>::from(pair.counts()) {
            assert_eq!((stats.compressed_messages_sent, stats.compressed_messages_received), (0, 0));
            assert!(stats.wire_bytes_sent > stats.bytes_sent);
        }
    }
}

#[test]
fn what_does_not_become_shorter_or_is_short_travels_as_it_is() {
    for compression in KINDS {
        let home = Home::new();
        let mut config = server_with(compression);
        config.session.compression_threshold = 1000;
        let pair = Pair::new(&home, config, |port| {
            let mut config = client_with(port, compression);
            config.session.compression_threshold = 1000;
            config
        });
        let mut random = Random(2);
        for len in [1000, 5000, 100_000] {
            pair.exchange(Payload::Binary, &random.bytes(len));
        }
        for len in [0, 1, 999] {
            pair.exchange(Payload::Text, &vec![b'x'; len]);
        }
        assert_eq!(pair.mine.stats().compressed_messages_sent, 0);
        pair.exchange(Payload::Text, &[b'x'; 1000]);
        for stats in <[Stats; 2]>::from(pair.counts()) {
            assert_eq!((stats.compressed_messages_sent, stats.compressed_bytes_sent), (1, 1000));
        }
    }
}

/// Row 23: no honest message is refused for packing too well, and it still saves what it may.
#[test]
fn a_message_that_packs_too_well_arrives() {
    for compression in KINDS {
        let home = Home::new();
        let pair = Pair::of(&home, compression, compression);
        for len in [10_000, 65_535, 65_536, LIMIT as usize] {
            pair.exchange(Payload::Binary, &vec![0; len]);
        }
        let (client, server) = pair.counts();
        assert_counts_agree(&client, &server);
        assert_eq!(client.compressed_messages_sent, 4);
        assert!(client.wire_bytes_sent < client.bytes_sent / 40, "{client:?}");
        assert!(client.wire_bytes_sent > client.bytes_sent / 100, "{client:?}");
    }
}

#[test]
fn parts_are_compressed_as_one_message() {
    let home = Home::new();
    let pair = Pair::of(&home, Compression::Auto, Compression::Auto);
    let data = prose(&mut Random(8), 5000);
    pair.mine.send_vectored(Payload::Text, &[&data[..10], b"", &data[10..3000], &data[3000..]]).unwrap();
    assert!(pair.at_server.message() == (Payload::Text, data));
    assert_eq!(pair.mine.stats().compressed_messages_sent, 1);
    let too_long = vec![0; LIMIT as usize + 1];
    for session in [&pair.mine, &pair.theirs] {
        assert_eq!(session.send(Payload::Text, &too_long).unwrap_err().code, Code::MessageTooLarge);
    }
}

/// What is queued counts as it travels.
#[test]
fn the_bound_of_the_queue_is_that_of_the_wire() {
    let home = Home::new();
    let mut config = server_with(Compression::Auto);
    config.session.send_policy = SendPolicy::WouldBlock;
    config.session.send_queue = 64 * 1024;
    config.session.kernel_send = Some(32 * 1024);
    let pair = Pair::new(&home, config, |port| {
        let mut config = client_with(port, Compression::Auto);
        config.session.kernel_receive = Some(32 * 1024);
        config
    });
    pair.mine.set_paused(true);
    let data = vec![7; 100_000];
    let mut accepted = 0;
    let refused = loop {
        match pair.theirs.send(Payload::Binary, &data) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code, Code::WouldBlock);
    assert!(accepted > 20, "as plain ones not even one would fit behind the first: {accepted}");
    assert!(pair.theirs.stats().queued_bytes <= 64 * 1024);
    pair.mine.set_paused(false);
    (0..accepted).for_each(|_| assert!(pair.at_client.message().1 == data));
}

/// Sends of a thread keep their order though some are compressed and others not, and those of others do not.
#[test]
fn concurrent_senders_keep_their_order() {
    const SENDERS: u8 = 4;
    const MESSAGES: u32 = 500;
    let home = Home::new();
    let pair = Pair::of(&home, Compression::Auto, Compression::Auto);
    let send_all = |session: &Arc<Session>, sender: u8| {
        let mut random = Random(sender.into());
        for number in 0..MESSAGES {
            let mut data = vec![sender];
            data.extend_from_slice(&number.to_le_bytes());
            let len = random.length(20_000);
            let rest = if number % 5 == 0 { random.bytes(len) } else { prose(&mut random, len) };
            data.extend_from_slice(&rest);
            session.send(Payload::Binary, &data).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (mine, theirs) = (&pair.mine, &pair.theirs);
            scope.spawn(move || send_all(mine, sender));
            scope.spawn(move || send_all(theirs, sender));
        }
        for events in [&pair.at_server, &pair.at_client] {
            let mut next = [0; SENDERS as usize];
            for _ in 0..u32::from(SENDERS) * MESSAGES {
                let (_, data) = events.message();
                let number = u32::from_le_bytes(data[1..5].try_into().unwrap());
                let expected = &mut next[usize::from(data[0])];
                assert_eq!(number, *expected);
                *expected += 1;
            }
        }
    });
    let (client, server) = pair.counts();
    assert_counts_agree(&client, &server);
    assert_counts_agree(&server, &client);
    assert!(client.compressed_messages_sent > 500);
}

/// Handlers send on the loop, in a batch.
#[test]
fn an_echo_is_compressed_too() {
    let home = Home::new();
    let (handler, _at_server) = Recorder::echoing();
    let server = home.server(server_with(Compression::Zstd), handler);
    let (handler, at_client) = Recorder::new();
    let client = Client::start(&home.0, client_with(server.local_addr().port(), Compression::Zstd), handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    let mut random = Random(3);
    let messages: Vec<_> = (0..200).map(|n| prose(&mut random, 100 * n)).collect();
    messages.iter().for_each(|data| client.session().unwrap().send(Payload::Text, data).unwrap());
    messages.iter().for_each(|data| assert!(at_client.message().1 == *data));
    assert!(client.stats().compressed_messages_received > 150);
}

/// A client does not know what the server takes before it has answered.
#[test]
fn what_is_sent_before_the_answer_to_the_hello_is_plain() {
    let home = Home::new();
    let (handler, at_server) = Recorder::new();
    let server = home.server(server_with(Compression::Auto), handler);
    let mut config = client_with(server.local_addr().port(), Compression::Auto);
    config.session.framing = Framing::Auto;
    let data = prose(&mut Random(4), 5000);
    let first = data.clone();
    // It is told to be open at once, since it is its first message that decides how it speaks.
    let (handler, _at_client) = Recorder::with(move |event| {
        if let Event::Open(session) = event {
            session.send(Payload::Text, &first).unwrap();
        }
    });
    let client = Client::start(&home.0, config, handler).unwrap();
    assert!(at_server.message().1 == data);
    wait_until("the answer to the hello", || client.stats().wire_bytes_received > 0);
    let session = client.session().unwrap();
    wait_until("the first message is counted", || session.stats().messages_sent == 1);
    assert_eq!(session.stats().compressed_messages_sent, 0);
    wait_until("the server's id is known", || !session.server_id().is_empty());
    // What is agreed is known a moment later than the id.
    wait_until("messages are compressed", || {
        session.send(Payload::Text, &data).unwrap();
        assert!(at_server.message().1 == data);
        wait_until("it is counted", || session.stats().queued_bytes == 0);
        session.stats().compressed_messages_sent > 0
    });
}

/// Whoever takes it compressed gets it so, the others as it is, and all get the same.
#[test]
fn a_broadcast_reaches_peers_of_every_kind() {
    let home = Home::new();
    let (handler, at_server) = Recorder::new();
    let server = home.server(server_with(Compression::Auto), handler);
    let port = server.local_addr().port();
    let clients: Vec<_> = [Compression::Lz4, Compression::Zstd, Compression::Auto, Compression::Off]
        .into_iter()
        .flat_map(|compression| [compression; 2])
        .map(|compression| {
            let (handler, events) = Recorder::new();
            let client = Client::start(&home.0, client_with(port, compression), handler).unwrap();
            client.wait_connected(Some(PATIENCE)).unwrap();
            (compression, client, events)
        })
        .collect();
    let mut raw = TcpStream::connect(server.local_addr()).unwrap();
    raw.set_read_timeout(Some(PATIENCE)).unwrap();
    raw.write_all(b"raw").unwrap();
    assert_eq!(at_server.message().1, b"raw");
    let mut random = Random(10);
    let messages: Vec<_> = [100, 300, 5000, 100_000, 1 << 20]
        .into_iter()
        .flat_map(|len| [prose(&mut random, len), random.bytes(len)])
        .collect();
    for data in &messages {
        let fanout = server.broadcast(Payload::Text, data).unwrap();
        assert_eq!((fanout.queued, fanout.refused), (9, 0));
        for (_, _, events) in &clients {
            assert!(events.message() == (Payload::Text, data.clone()));
        }
        let mut got = vec![0; data.len()];
        raw.read_exact(&mut got).unwrap();
        assert!(got == *data);
    }
    let compressible: u64 = messages.iter().step_by(2).map(|data| data.len() as u64).filter(|len| *len >= 256).sum();
    for (compression, client, _) in &clients {
        let stats = client.stats();
        let expected = if *compression == Compression::Off { (0, 0) } else { (4, compressible) };
        assert_eq!((stats.compressed_messages_received, stats.compressed_bytes_received), expected, "{compression:?}");
    }
    drop(raw);
    let sent = server.stats();
    assert_eq!((sent.compressed_messages_sent, sent.compressed_bytes_sent), (6 * 4, 6 * compressible));
}

/// What a lost connection did not send goes to the next one in a form that its server takes: one that takes none
/// compressed too.
#[test]
fn a_reconnecting_client_goes_by_what_each_server_takes() {
    let home = Home::new();
    let port = Port::new();
    let mut config = client_with(port.number(), Compression::Auto);
    config.reconnect = quickly();
    config.session.send_queue = 4 << 20;
    config.session.kernel_send = Some(32 * 1024);
    let (handler, at_client) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    let mut random = Random(11);
    let mut number = 0_u64;
    let mut send = |count: u64| {
        for _ in 0..count {
            let mut data = number.to_le_bytes().to_vec();
            let len = 2000 + random.below(20_000);
            data.extend_from_slice(&prose(&mut random, len));
            client.send(Payload::Binary, &data).unwrap();
            number += 1;
        }
    };
    let mut last = None;
    for compression in [Compression::Auto, Compression::Off, Compression::Zstd, Compression::Lz4, Compression::Off] {
        let (handler, events) = Recorder::new();
        let mut config = server_with(compression);
        config.port = port.number();
        config.session.kernel_receive = Some(32 * 1024);
        let server = home.server(config, handler);
        let session = events.opened();
        // What is sent before it is connected is not compressed.
        client.wait_connected(Some(PATIENCE)).unwrap();
        // More than the kernels take while the server does not read.
        session.set_paused(true);
        send(100);
        session.set_paused(false);
        let mut received = 0;
        while received < 30 {
            let (_, data) = events.message();
            let got = number_of(&data);
            assert!(last.is_none_or(|last| got > last), "{got} after {last:?}");
            last = Some(got);
            received += 1;
        }
        session.abort();
        server.stop(Some(Duration::ZERO));
        server.wait(Some(PATIENCE)).unwrap();
        for event in events.rest() {
            assert!(!matches!(&event, Event::Error(_, error) if error.code == Code::Protocol), "{event:?}");
            if let Event::Message(_, _, data) = event {
                let got = number_of(&data);
                assert!(last.is_none_or(|last| got > last), "{got} after {last:?}");
                last = Some(got);
            }
        }
    }
    let (handler, events) = Recorder::new();
    let mut config = server_with(Compression::Zstd);
    config.port = port.number();
    let _server = home.server(config, handler);
    send(1);
    loop {
        let (_, data) = events.message();
        let got = number_of(&data);
        assert!(last.is_none_or(|last| got > last), "{got} after {last:?}");
        last = Some(got);
        if got == 500 {
            break;
        }
    }
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    let mut account = Account::default();
    for event in at_client.rest() {
        if let Event::Close(_, report) = event {
            account.add(&report);
        }
    }
    assert_eq!((account.messages(), account.connections), (501, 6));
    assert!(account.requeued > 100, "{account:?}");
    assert!(client.stats().compressed_messages_sent >= 30);
}

#[test]
fn raw_sessions_refuse_compression_by_name() {
    let home = Home::new();
    let mut config = server_with(Compression::Lz4);
    config.session.framing = Framing::Raw;
    let (handler, _events) = Recorder::new();
    let error = Server::start(&home.0, config, handler).err().unwrap();
    assert!(error.code == Code::InvalidArgument && error.message.contains("framing is raw"), "{error}");
    let mut config = client_with(1, Compression::Lz4);
    config.session.compression_level = 20;
    let (handler, _events) = Recorder::new();
    let error = Client::start(&home.0, config, handler).err().unwrap();
    assert!(error.code == Code::InvalidArgument && error.message.contains("compression_level is 20"), "{error}");
}
