//! What the clients share that one call after the other starts: certificates, read once, and sessions to resume.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::TlsClient;
use crate::config::ClientTls;
use crate::error::Result;

thread_local! {
    /// That of the call that this thread is in.
    static SHARED: RefCell<Option<Arc<SharedTls>>> = const { RefCell::new(None) };
}

/// The encryption that the last client has made, for the next one with the same settings.
#[derive(Default)]
pub(crate) struct SharedTls(Mutex<Option<Made>>);

struct Made {
    settings: ClientTls,
    host: String,
    tls: TlsClient,
}

impl SharedTls {
    /// Runs `work`. Clients that it starts on this thread share their encryption, also with those of other calls.
    pub(crate) fn within<R>(self: &Arc<Self>, work: impl FnOnce() -> R) -> R {
        // Where there is nothing to store it in any more, since the thread ends, nothing is shared.
        let _leave = SHARED.try_with(|shared| Leave(shared.replace(Some(Arc::clone(self)))));
        work()
    }

    fn get(&self, settings: &ClientTls, host: &str) -> Result<Option<TlsClient>> {
        let kept = self.lock().as_ref().filter(|made| made.is(settings, host)).map(|made| made.tls.clone());
        if kept.is_some() {
            return Ok(kept);
        }
        // Without the lock: it reads files, and may log.
        let tls = TlsClient::new(settings, host)?;
        *self.lock() = tls.clone().map(|tls| Made { settings: settings.clone(), host: host.to_owned(), tls });
        Ok(tls)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Made>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Made {
    fn is(&self, settings: &ClientTls, host: &str) -> bool {
        self.settings == *settings && self.host == host
    }
}

/// The encryption of a client that is about to start; `None`: it does not encrypt. `host`: what it connects to.
pub(crate) fn client_tls(settings: &ClientTls, host: &str) -> Result<Option<TlsClient>> {
    match SHARED.try_with(|shared| shared.borrow().clone()).ok().flatten() {
        Some(shared) if settings.enabled => shared.get(settings, host),
        _ => TlsClient::new(settings, host),
    }
}

/// Restores, when it is dropped, what was before.
struct Leave(Option<Arc<SharedTls>>);

impl Drop for Leave {
    fn drop(&mut self) {
        let before = self.0.take();
        let _ = SHARED.try_with(|shared| shared.replace(before));
    }
}
