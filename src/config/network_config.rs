//! Everything that can be configured, in one value.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::bridge::replace_default;
use super::document::{self, Entry, Format, MAX_LEN, Node, Report, Value};
use super::fault::{Fault, Faults};
use super::fields::{self, FIELDS, Field};
use super::kind::{Kind, Scalar, quoted};
use super::rules::{RULES, Rule};
use super::{
    BridgeConfig, ClientConfig, ClientTls, ContextConfig, LogConfig, LogLevel, LoggerConfig, MonitoringConfig,
    SendPolicy, ServerConfig, ServerTls, SessionConfig, ThreadPoolConfig,
};
use crate::error::Code;

/// Everything that can be configured. Its defaults are those of the C++ classes, so that a file means the same in
/// every language: a server listens on port 8080, its silent sessions end after 30 s, and a send waits for room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkConfig {
    /// The context that servers and clients run in.
    pub context: ContextConfig,
    /// A server.
    pub server: ServerConfig,
    /// A client.
    pub client: ClientConfig,
    /// A bridge; [`NetworkConfig::bridge_config`] adds what it encrypts with.
    pub bridge: BridgeConfig,
    /// The application's pool of threads.
    pub thread_pool: ThreadPoolConfig,
    /// The library's own log; [`NetworkConfig::open_log`] makes it.
    pub log: LogConfig,
    /// The application's log.
    pub logger: LoggerConfig,
    /// The application's figures.
    pub monitoring: MonitoringConfig,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        let session = SessionConfig { send_policy: SendPolicy::Wait, ..SessionConfig::default() };
        NetworkConfig {
            context: ContextConfig::default(),
            server: ServerConfig {
                port: 8080,
                session: SessionConfig { idle_timeout: Some(Duration::from_secs(30)), ..session.clone() },
                ..ServerConfig::default()
            },
            client: ClientConfig { session, ..ClientConfig::default() },
            bridge: BridgeConfig::default(),
            thread_pool: ThreadPoolConfig::default(),
            log: LogConfig::default(),
            logger: LoggerConfig::default(),
            monitoring: MonitoringConfig::default(),
        }
    }
}

impl NetworkConfig {
    /// For a developer's machine: two workers, a log of everything that helps, written at once.
    pub fn development() -> Self {
        let mut config = Self::default();
        config.thread_pool.worker_count = 2;
        config.logger.min_level = LogLevel::Debug;
        config.logger.async_logging = false;
        config
    }

    /// The defaults.
    pub fn production() -> Self {
        Self::default()
    }

    /// For tests: one worker, warnings only, written at once, and no figures.
    pub fn testing() -> Self {
        let mut config = Self::default();
        config.thread_pool.worker_count = 1;
        config.logger.min_level = LogLevel::Warn;
        config.logger.async_logging = false;
        config.monitoring.enabled = false;
        config
    }

    /// The defaults with what the file says: TOML or JSON, by the end of its name, else by what it begins with.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Faults> {
        let mut config = Self::default();
        config.load_file(path).map(|()| config)
    }

    /// The defaults with what the text says.
    pub fn from_str(text: &str, format: Format) -> Result<Self, Faults> {
        let mut config = Self::default();
        config.load_bytes(text.as_bytes(), format).map(|()| config)
    }

    /// Changes what the file says and leaves the rest. A file with any fault changes nothing.
    pub fn load_file(&mut self, path: impl AsRef<Path>) -> Result<(), Faults> {
        let name = path.as_ref().to_string_lossy();
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(MAX_LEN as u64 + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) => self.load(&name, &bytes, None),
            Err(error) => Err(unreadable(&name, &error)),
        }
    }

    /// Changes what the text says and leaves the rest. A text with any fault changes nothing.
    pub fn load_bytes(&mut self, text: &[u8], format: Format) -> Result<(), Faults> {
        self.load("", text, Some(format))
    }

    fn load(&mut self, file: &str, bytes: &[u8], format: Option<Format>) -> Result<(), Faults> {
        if bytes.len() > MAX_LEN {
            let text = format!("found more than {MAX_LEN} bytes, expected a configuration");
            return Err(vec![Fault { file: file.to_owned(), text, ..Fault::default() }].into());
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let text = match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                let valid = str::from_utf8(&bytes[..at]).unwrap_or_default();
                let mut report = Report::new(file, valid);
                report.add(at, "", format!("found the byte {:#04x}, expected UTF-8", bytes[at]));
                return Err(report.into_faults().into());
            }
        };
        let mut report = Report::new(file, text);
        let document = document::parse(text, format.unwrap_or_else(|| Format::of(file, text)), &mut report);
        let loaded = Loader { config: self.clone(), places: HashMap::new(), report }.load(document)?;
        *self = loaded;
        Ok(())
    }

    /// All that is wrong with the values. What only a start needs, such as a client's host, may be missing.
    pub fn validate(&self) -> Result<(), Faults> {
        let fault = |key: String, text: String| Fault { key, text, ..Fault::default() };
        let wrong = |field: &Field| Some(fault(field.path(), field.kind.check(&(field.get)(self)).err()?));
        let mut faults: Vec<Fault> = FIELDS.iter().filter_map(wrong).collect();
        for rule in RULES {
            if let Err(error) = (rule.check)(self) {
                faults.push(fault(format!("{}.{}", rule.section, rule.names[0]), error.message.into_owned()));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
    }

    /// The settings of a bridge that encrypts, if it does, as those of the server and of the client say, unless it has
    /// settings of TLS of its own.
    pub fn bridge_config(&self) -> BridgeConfig {
        let mut bridge = self.bridge.clone();
        if bridge.encryption {
            replace_default(&mut bridge.server_tls, ServerTls::default(), self.server.tls.clone());
            replace_default(&mut bridge.client_tls, ClientTls::default(), self.client.tls.clone());
        }
        bridge
    }

    /// Every key with its value, so that the text means the same wherever it is read. Fails if the values are not
    /// valid, since nobody could read them.
    pub fn to_string(&self, format: Format) -> Result<String, Faults> {
        self.validate()?;
        Ok(match format {
            Format::Toml => self.to_toml(|_| String::new()),
            Format::Json => self.to_json(),
        })
    }

    /// Every key with its default, its meaning and its range, as TOML: an example to begin a file with.
    pub fn reference() -> String {
        const HEAD: &str = "\
# Every key of the configuration, with its default: what a file leaves out has the value that it has here.
#
# Times are strings with a unit, \"250ms\", \"30s\", \"5m\", \"1h\", or whole numbers of milliseconds. Sizes are whole
# numbers of bytes, or strings with a unit, \"64 KiB\", \"1 MiB\", \"2 GiB\". The same can be written as JSON.

";
        HEAD.to_owned() + &Self::default().to_toml(|field| format!("# {}.\n# Takes {}.\n", field.meaning, field.kind))
    }

    fn to_toml(&self, comment: impl Fn(&Field) -> String) -> String {
        let mut text = String::new();
        for section in FIELDS.chunk_by(|a, b| a.section == b.section) {
            let newline = if text.is_empty() { "" } else { "\n" };
            text += &format!("{newline}[{}]\n", section[0].section);
            for field in section {
                text += &format!("{}{} = {}\n", comment(field), field.name, field.kind.written(&(field.get)(self)));
            }
        }
        text
    }

    fn to_json(&self) -> String {
        self.json_object("", "") + "\n"
    }

    /// A section, "" being all of them, as an object with its keys and the sections in it.
    fn json_object(&self, section: &str, indent: &str) -> String {
        let inner = format!("{indent}  ");
        let keys = FIELDS.iter().filter(|field| field.section == section);
        let keys = keys.map(|field| (field.name, field.kind.written(&(field.get)(self))));
        let sections = FIELDS.chunk_by(|a, b| a.section == b.section).map(|fields| fields[0].section);
        let sections = sections.filter_map(|path| match path.rsplit_once('.') {
            Some((parent, name)) => (parent == section).then_some((name, path)),
            None => section.is_empty().then_some((path, path)),
        });
        let objects = sections.map(|(name, path)| (name, self.json_object(path, &inner)));
        let member = |(name, value): (&str, String)| format!("{inner}{}: {value}", quoted(name));
        let members: Vec<String> = keys.chain(objects).map(member).collect();
        format!("{{\n{}\n{indent}}}", members.join(",\n"))
    }

    /// The names of all keys: "server.timeout".
    pub fn keys() -> impl Iterator<Item = String> {
        FIELDS.iter().map(Field::path)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Result<Scalar, Fault> {
        Ok((known(key)?.get)(self))
    }

    /// The value of a key as text: a word, "30s", "64 KiB".
    pub fn get_text(&self, key: &str) -> Result<String, Fault> {
        let field = known(key)?;
        Ok(field.kind.plain(&(field.get)(self)))
    }

    /// Sets a key. Whether it goes with the others is for [`NetworkConfig::validate`] to say.
    pub fn set(&mut self, key: &str, value: Scalar) -> Result<(), Fault> {
        let field = known(key)?;
        let checked = field.kind.check(&value);
        checked.map_err(|text| Fault { key: key.to_owned(), text, ..Fault::default() })?;
        (field.set)(self, value);
        Ok(())
    }

    /// Sets a key to what a text says, as on a command line: a number, true, a word, "30s", "64 KiB".
    pub fn set_text(&mut self, key: &str, text: &str) -> Result<(), Fault> {
        let field = known(key)?;
        let value = match (field.kind, text, text.parse()) {
            (Kind::Text { .. } | Kind::Ranges, ..) => Value::Text(text.to_owned()),
            (_, "true" | "false", _) => Value::Switch(text == "true"),
            (_, _, Ok(number)) => Value::Number(number),
            _ => Value::Text(text.to_owned()),
        };
        let value = field.kind.read_alone(value);
        let value = value.map_err(|text| Fault { key: key.to_owned(), text, ..Fault::default() })?;
        (field.set)(self, value);
        Ok(())
    }
}

fn known(key: &str) -> Result<&'static Field, Fault> {
    fields::find(key).ok_or_else(|| Fault { key: key.to_owned(), text: Unknown(key).to_string(), ..Fault::default() })
}

fn unreadable(file: &str, error: &io::Error) -> Faults {
    let fault = Fault { file: file.to_owned(), text: format!("cannot be read: {error}"), ..Fault::default() };
    Faults { code: Code::of_file(error), os_code: error.raw_os_error().unwrap_or(0), list: vec![fault] }
}

/// Puts a document into a configuration.
struct Loader<'a> {
    config: NetworkConfig,
    /// Where the keys of the document are.
    places: HashMap<String, usize>,
    report: Report<'a>,
}

impl Loader<'_> {
    fn load(mut self, document: Vec<Entry>) -> Result<NetworkConfig, Faults> {
        self.entries("", document);
        if self.report.is_empty() {
            RULES.iter().for_each(|rule| self.check(rule));
        }
        if !self.report.is_empty() {
            return Err(self.report.into_faults().into());
        }
        Ok(self.config)
    }

    /// Takes the keys of a section, "" being the whole, and those of the sections in it.
    fn entries(&mut self, section: &str, entries: Vec<Entry>) {
        for Entry { key, at, node } in entries {
            let path = if section.is_empty() { key } else { format!("{section}.{key}") };
            match (fields::find(&path), node.value) {
                (Some(field), value) => {
                    match field.kind.read(&Node { value, at: node.at }) {
                        Ok(value) => (field.set)(&mut self.config, value),
                        Err(wrong) => wrong.into_iter().for_each(|(at, text)| self.add(at, &path, text)),
                    }
                    self.places.insert(path, at);
                }
                (None, Value::Table(entries)) if is_section(&path) => self.entries(&path, entries),
                (None, _) if is_section(&path) => {
                    self.add(node.at, &path, "found a value, expected a section with keys")
                }
                (None, _) => self.add(at, &path, Unknown(&path)),
            }
        }
    }

    /// Adds a fault, unless it may only follow from one of the syntax.
    fn add(&mut self, at: usize, key: &str, text: impl Display) {
        if !self.report.is_unsure(at) {
            self.report.add(at, key, text);
        }
    }

    fn check(&mut self, rule: &Rule) {
        let Err(error) = (rule.check)(&self.config) else {
            return;
        };
        let keys: Vec<String> = rule.names.iter().map(|name| format!("{}.{name}", rule.section)).collect();
        let place = |key: &String| self.places.get(key).copied();
        let stands = |key: &String| match place(key) {
            Some(at) => format!("{key} is in line {}", self.report.line(at)),
            None => format!("{key} is not in the text"),
        };
        let stand: Vec<String> = keys.iter().map(stands).collect();
        let text = format!("{} ({})", error.message, stand.join(", "));
        let at = keys.iter().find_map(place).or_else(|| self.first_of(rule.section)).unwrap_or(0);
        self.report.add(at, &keys[0], text);
    }

    /// Where the first key of a section is.
    fn first_of(&self, section: &str) -> Option<usize> {
        let of_section = |key: &str| key.rsplit_once('.').is_some_and(|(path, _)| path == section);
        self.places.iter().filter(|(key, _)| of_section(key)).map(|(_, at)| *at).min()
    }
}

fn is_section(path: &str) -> bool {
    FIELDS.iter().any(|field| field.section == path)
}

/// What to say of a key or section that there is not.
struct Unknown<'a>(&'a str);

impl Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0;
        let name = path.rsplit_once('.').map_or(path, |(_, name)| name);
        let keys = FIELDS.iter().map(|field| {
            let distance = distance(path, &field.path()).min(distance(name, field.name) + 1);
            (distance, field.path())
        });
        let sections = FIELDS.iter().map(|field| (distance(path, field.section), field.section.to_owned()));
        match sections.chain(keys).min_by_key(|(distance, _)| *distance) {
            Some((0, _)) => f.write_str("is a section, expected one of its keys"),
            Some((distance, key)) if distance <= 1 + name.len() / 4 => write!(f, "is unknown, expected perhaps {key}"),
            _ => f.write_str("is unknown"),
        }
    }
}

/// How many bytes have to be changed, added or removed to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    const FAR: usize = 64;
    if a.len() > FAR {
        return FAR;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
