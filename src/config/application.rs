//! Settings of the application's own things, which the library only reads and writes for it.

use std::time::Duration;

/// Settings of a pool of threads that runs what an application gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadPoolConfig {
    /// The number of threads; 0: one for each processor.
    pub worker_count: usize,
    /// The most tasks that wait; 0: no limit.
    pub queue_capacity: usize,
    /// What the names of its threads begin with.
    pub pool_name: String,
}

impl Default for ThreadPoolConfig {
    fn default() -> Self {
        ThreadPoolConfig { worker_count: 0, queue_capacity: 10_000, pool_name: "network_pool".into() }
    }
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What happens.
    #[default]
    Info,
    /// What may be wrong.
    Warn,
    /// What went wrong.
    Error,
    /// What the program cannot go on after.
    Fatal,
}

/// Settings of an application's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggerConfig {
    /// The least level that is logged.
    pub min_level: LogLevel,
    /// Whether lines are written on a thread of their own.
    pub async_logging: bool,
    /// The most lines that wait there.
    pub buffer_size: usize,
    /// The file to log to; empty: the standard streams.
    pub log_file_path: String,
}

impl Default for LoggerConfig {
    fn default() -> Self {
        LoggerConfig { min_level: LogLevel::Info, async_logging: true, buffer_size: 8192, log_file_path: String::new() }
    }
}

/// Settings of the figures that are reported to an application's monitoring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitoringConfig {
    /// Whether they are reported.
    pub enabled: bool,
    /// The time between two reports.
    pub metrics_interval: Duration,
    /// The label of the figures.
    pub service_name: String,
}

impl Default for MonitoringConfig {
    fn default() -> Self {
        MonitoringConfig {
            enabled: true,
            metrics_interval: Duration::from_secs(5),
            service_name: "network_system".into(),
        }
    }
}
