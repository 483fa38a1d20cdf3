//! Settings of the library's own log.

use std::sync::Arc;

use tracing::Level;

use super::{LogLevel, NetworkConfig};
use crate::error::Result;
use crate::log::{Filter, Log, Sink, StandardError};
use crate::runtime::Clock;

/// Settings of the library's own log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogConfig {
    /// Which lines there are, by target, as a [`Filter`] is written; empty: those of the level that the application logs
    /// and above.
    pub filter: String,
    /// Whether they go to the standard error stream.
    pub to_stderr: bool,
}

impl LogConfig {
    pub(crate) fn check_filter(&self) -> Result<()> {
        if self.filter.is_empty() { Ok(()) } else { self.filter.parse::<Filter>().map(drop) }
    }
}

impl NetworkConfig {
    /// The library's own log, for the hooks of a context: what `log` lets through, or else `logger`, to `sinks` and to
    /// where `log` says. `None`: it would go nowhere.
    pub fn open_log(&self, mut sinks: Vec<Arc<dyn Sink>>) -> Result<Option<Log>> {
        let filter = match &*self.log.filter {
            "" => Filter::up_to(Level::from(self.logger.min_level)),
            filter => filter.parse()?,
        };
        if self.log.to_stderr {
            sinks.push(Arc::new(StandardError));
        }
        Ok((!sinks.is_empty()).then(|| Log::new(filter, sinks, Clock::default())))
    }
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Fatal | LogLevel::Error => Level::ERROR,
            LogLevel::Warn => Level::WARN,
            LogLevel::Info => Level::INFO,
            LogLevel::Debug => Level::DEBUG,
            LogLevel::Trace => Level::TRACE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::error::Code;
    use crate::log::Record;

    #[derive(Default)]
    struct Kept(Mutex<Vec<String>>);

    impl Sink for Kept {
        fn log(&self, record: &Record<'_>) {
            self.0.lock().expect("no panic").push(record.text.to_owned());
        }
    }

    fn lines(config: &NetworkConfig) -> Vec<String> {
        let kept = Arc::new(Kept::default());
        let log = config.open_log(vec![kept.clone()]).expect("valid").expect("there is a sink");
        tracing::dispatcher::with_default(&log.dispatch(), || {
            tracing::info!(target: "a", "info of a");
            tracing::debug!(target: "b", "debug of b");
        });
        log.close();
        kept.0.lock().expect("no panic").clone()
    }

    #[test]
    fn the_log_is_that_of_the_logger_unless_there_is_a_filter() {
        let mut config = NetworkConfig::default();
        assert_eq!(lines(&config), ["info of a"]);
        config.logger.min_level = LogLevel::Error;
        assert_eq!(lines(&config), [""; 0]);
        config.log.filter = "b=debug".into();
        assert_eq!(lines(&config), ["debug of b"]);
        config.log.filter = "loud".into();
        assert_eq!(config.open_log(Vec::new()).err().map(|error| error.code), Some(Code::InvalidArgument));
    }

    #[test]
    fn without_a_sink_there_is_no_log() {
        let mut config = NetworkConfig::default();
        assert!(config.open_log(Vec::new()).expect("valid").is_none());
        config.log.to_stderr = true;
        assert!(config.open_log(Vec::new()).expect("valid").is_some());
    }
}
