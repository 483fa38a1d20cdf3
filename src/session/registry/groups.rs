//! The groups of an endpoint's sessions.

use super::{Inner, Registry};
use crate::error::{Code, Error, Result};
use crate::session::Session;

/// The longest name of a group, and the most groups of a session.
const MAX_GROUP_NAME: usize = 255;
const MAX_GROUPS: usize = 128;

impl Registry {
    pub(crate) fn join_group(&self, session: &Session, group: &str) -> Result<()> {
        if group.is_empty() || group.len() > MAX_GROUP_NAME {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("the name of a group has 1 to {MAX_GROUP_NAME} bytes, this one has {}", group.len()),
            ));
        }
        let mut inner = self.lock();
        let mut groups = session.lock_groups();
        if groups.iter().any(|known| known == group) {
            return Ok(());
        }
        if groups.len() >= MAX_GROUPS {
            return Err(Error::new(
                Code::OutOfMemory,
                format!("a session is in at most {MAX_GROUPS} groups: leave one first"),
            ));
        }
        groups.push(group.to_owned());
        if let Some(member) = inner.sessions.get(&session.number()).cloned() {
            inner.groups.entry(group.to_owned()).or_default().insert(session.number(), member);
        }
        Ok(())
    }

    pub(crate) fn leave_group(&self, session: &Session, group: &str) {
        let mut inner = self.lock();
        session.lock_groups().retain(|known| known != group);
        inner.leave(group, session.number());
    }
}

impl Inner {
    pub(super) fn leave(&mut self, group: &str, number: u64) {
        if let Some(members) = self.groups.get_mut(group) {
            members.remove(&number);
            if members.is_empty() {
                self.groups.remove(group);
            }
        }
    }
}
