//! A configuration that a handle names, with what C has been given of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lent_tls::Lent;
use crate::config::fault::{Fault, Faults};
use crate::config::{BridgeConfig, NetworkConfig};
use crate::error::{Error, Result};
use crate::transport::AddressRange;

/// What comes of something that may find faults.
pub(super) type Judged<T> = std::result::Result<T, Faults>;

/// A configuration that a handle names.
pub(super) struct OpenConfig(Mutex<State>);

/// A fault, and all of it as a line.
pub(super) struct Told {
    pub fault: Fault,
    pub report: String,
}

/// A configuration, and what C has as text and it has not.
pub(super) struct Texts {
    pub config: Arc<NetworkConfig>,
    pub exempt_addresses: String,
    pub server_tls: Option<Lent>,
    pub client_tls: Option<Lent>,
    pub bridge: BridgeConfig,
    pub bridge_server_tls: Option<Lent>,
    pub bridge_client_tls: Option<Lent>,
}

impl Texts {
    fn new(config: Arc<NetworkConfig>) -> Texts {
        let bridge = config.bridge_config();
        Texts {
            exempt_addresses: AddressRange::text(&config.server.exempt_addresses),
            server_tls: Lent::of_server(&config.server.tls),
            client_tls: Lent::of_client(&config.client.tls),
            bridge_server_tls: Lent::of_server(&bridge.server_tls),
            bridge_client_tls: Lent::of_client(&bridge.client_tls),
            bridge,
            config,
        }
    }
}

struct State {
    config: Arc<NetworkConfig>,
    /// Of the last call that failed.
    faults: Arc<Vec<Told>>,
    /// What there are views of. They stay good until the handle is destroyed, whatever is changed meanwhile.
    lent_configs: Vec<Arc<Texts>>,
    lent_faults: Vec<Arc<Vec<Told>>>,
}

impl OpenConfig {
    pub(super) fn new(config: NetworkConfig) -> Box<OpenConfig> {
        let state = State {
            config: Arc::new(config),
            faults: Arc::default(),
            lent_configs: Vec::new(),
            lent_faults: Vec::new(),
        };
        Box::new(OpenConfig(Mutex::new(state)))
    }

    /// A panic leaves the state as it was, for it is changed in one step.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config(&self) -> Arc<NetworkConfig> {
        Arc::clone(&self.state().config)
    }

    /// The configuration as it is now, and as it stays until the handle is destroyed.
    pub(super) fn lend(&self) -> Arc<Texts> {
        let state = &mut *self.state();
        match state.lent_configs.last() {
            Some(last) if Arc::ptr_eq(&last.config, &state.config) => Arc::clone(last),
            _ => {
                let texts = Arc::new(Texts::new(Arc::clone(&state.config)));
                state.lent_configs.push(Arc::clone(&texts));
                texts
            }
        }
    }

    /// The faults as they are now, and as they stay until the handle is destroyed.
    pub(super) fn lend_faults(&self) -> Arc<Vec<Told>> {
        let state = &mut *self.state();
        if !state.lent_faults.last().is_some_and(|last| Arc::ptr_eq(last, &state.faults)) {
            state.lent_faults.push(Arc::clone(&state.faults));
        }
        Arc::clone(&state.faults)
    }

    /// How many faults there are.
    pub(super) fn fault_count(&self) -> usize {
        self.state().faults.len()
    }

    /// Does what may find faults, and remembers these.
    pub(super) fn judge<T>(&self, judgement: impl FnOnce(&NetworkConfig) -> Judged<T>) -> Result<T> {
        judgement(&self.config()).map_err(|faults| self.remember(faults))
    }

    fn remember(&self, faults: Faults) -> Error {
        let error = summary(&faults);
        let told = |fault: Fault| Told { report: fault.to_string(), fault };
        self.state().faults = Arc::new(faults.list.into_iter().map(told).collect());
        error
    }

    /// Changes the configuration, or not at all. The change is made without the lock, since it may read a file, and
    /// made again if another came first.
    pub(super) fn change(&self, change: impl Fn(&mut NetworkConfig) -> Judged<()>) -> Result<()> {
        loop {
            let before = self.config();
            let mut changed = NetworkConfig::clone(&before);
            change(&mut changed).map_err(|faults| self.remember(faults))?;
            let state = &mut *self.state();
            if Arc::ptr_eq(&state.config, &before) {
                state.config = Arc::new(changed);
                return Ok(());
            }
        }
    }
}

/// For those who ask what failed without asking for the faults.
fn summary(faults: &Faults) -> Error {
    let message = match &faults.list[..] {
        [fault] => fault.to_string(),
        [first, ..] => format!("{} faults, of which the first: {first}", faults.list.len()),
        [] => faults.code.to_string(),
    };
    Error { code: faults.code, os_code: faults.os_code, message: message.into() }
}
