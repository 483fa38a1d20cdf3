//! Messages to many sessions.

use std::collections::HashMap;
use std::sync::Arc;

use super::shared::SharedMessage;
use super::{Inner, Registry};
use crate::error::Result;
use crate::runtime::batch;
use crate::session::Session;
use crate::session::handler::Payload;
use crate::session::sending::{self, too_large};

/// To how many sessions a broadcast went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fanout {
    /// Sessions whose queue took the message.
    pub queued: usize,
    /// Sessions that refused it, for want of room or because they are closing.
    pub refused: usize,
}

impl Registry {
    /// Sends to every session, or to those of a group. Waits for nobody: who has no room refuses, or is ended where
    /// that is the policy.
    pub(crate) fn broadcast(&self, group: Option<&str>, payload: Payload, data: &[u8]) -> Result<Fanout> {
        if data.is_empty() && payload == Payload::Stream {
            return Err(sending::nothing());
        }
        let limit = self.max_message();
        if data.len() > limit as usize {
            return Err(too_large(data.len(), limit));
        }
        let members: Arc<[Arc<Session>]> = {
            let Inner { sessions, everyone, groups, .. } = &mut *self.lock();
            match group {
                None => Arc::clone(everyone.get_or_insert_with(|| sessions.values().cloned().collect())),
                Some(group) => groups.get(group).into_iter().flat_map(HashMap::values).cloned().collect(),
            }
        };
        let mut message = SharedMessage::new(self, payload, data);
        let mut fanout = Fanout::default();
        let mut to_write = Vec::new();
        for session in &*members {
            match session.send_shared(&mut message) {
                Ok(write) => {
                    fanout.queued += 1;
                    if write {
                        to_write.push(Arc::clone(session));
                    }
                }
                Err(_) => fanout.refused += 1,
            }
        }
        self.write_on_loop(to_write);
        Ok(fanout)
    }

    /// Has the loop write what was queued on many sessions: one wake-up for all.
    fn write_on_loop(&self, sessions: Vec<Arc<Session>>) {
        if !sessions.is_empty() {
            self.on_loop(move || sessions.iter().for_each(|session| batch::Flush::flush(&**session)));
        }
    }
}
