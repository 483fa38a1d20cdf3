//! A broadcast's message, which the sessions that it waits for share.

use bytes::Bytes;

use super::Registry;
use crate::runtime::Share;
use crate::session::handler::Payload;
use crate::session::sending::Outgoing;
use crate::transport::compression::Algorithm;
use crate::transport::frame::Header;

/// The message, in the forms that the members of a broadcast take: each is made when the first one wants it.
pub(in crate::session) struct SharedMessage<'m> {
    registry: &'m Registry,
    pub(in crate::session) payload: Payload,
    pub(in crate::session) data: &'m [u8],
    plain: Option<Bytes>,
    /// By algorithm; where compressing does not make it shorter, this is the plain one.
    compressed: Vec<(Algorithm, Bytes)>,
}

impl<'m> SharedMessage<'m> {
    /// `data` is no longer than the registry's limit.
    pub(super) fn new(registry: &'m Registry, payload: Payload, data: &'m [u8]) -> SharedMessage<'m> {
        SharedMessage { registry, payload, data, plain: None, compressed: Vec::new() }
    }

    /// The message with its header: compressed, unless that makes it no shorter, or plain.
    pub(in crate::session) fn framed(&mut self, algorithm: Option<Algorithm>) -> &Bytes {
        match algorithm {
            Some(algorithm) => self.compressed(algorithm),
            None => self.plain(),
        }
    }

    fn plain(&mut self) -> &Bytes {
        let SharedMessage { registry, payload, data, .. } = *self;
        let make = || {
            let header = Header::plain(payload.frame_kind() as u8, data.len() as u32);
            charged(registry, [&header.encode()[..], data].concat())
        };
        self.plain.get_or_insert_with(make)
    }

    fn compressed(&mut self, algorithm: Algorithm) -> &Bytes {
        let known = self.compressed.iter().position(|(known, _)| *known == algorithm);
        let at = known.unwrap_or_else(|| {
            let SharedMessage { registry, payload, data, .. } = *self;
            let frame =
                registry.compress(algorithm, Outgoing::new(payload, &[data]), |frame| frame.map(<[u8]>::to_vec));
            let frame = frame.map_or_else(|| self.plain().clone(), |frame| charged(registry, frame));
            self.compressed.push((algorithm, frame));
            self.compressed.len() - 1
        });
        &self.compressed[at].1
    }
}

/// Bytes that count in the budget for as long as a session has them.
fn charged(registry: &Registry, frame: Vec<u8>) -> Bytes {
    let mut share = registry.share();
    share.grow(frame.capacity());
    Bytes::from_owner(Charged { frame, _share: share })
}

struct Charged {
    frame: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}
