//! The retained messages: the status of the gateway and the description of each device.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use linli_domain::Id;

use super::Context;
use crate::json;
use crate::session::{Publication, Session};

/// Announcements, sent as fast as the session takes them.
#[derive(Default)]
pub struct Announcer {
    described: BTreeSet<Id>,
    waiting: VecDeque<Publication>,
}

// === impl Announcer ===

impl Announcer {
    /// Queues everything again: the birth, each device, and an empty message for each removed device.
    pub fn begin(&mut self, context: &mut Context) {
        let birth = context.status_message(true);
        context.birth.borrow_and_update();
        let layouts = context.layouts.borrow_and_update().clone();
        let present: BTreeSet<Id> = layouts.iter().map(|layout| layout.device.clone()).collect();
        let meta = |device: &Id, payload: Vec<u8>| Publication {
            topic: format!("{}/meta/{device}", context.settings.base),
            payload: Bytes::from(payload),
            retain: true,
            correlation: None,
        };
        self.waiting.clear();
        self.waiting.push_back(birth);
        self.waiting.extend(layouts.iter().map(|layout| meta(&layout.device, json::meta(layout))));
        // An empty retained message takes the old one away.
        self.waiting.extend(self.described.difference(&present).map(|device| meta(device, Vec::new())));
        self.described = present;
    }

    /// Sends what the session takes now; what is longer than the broker takes is left out, since
    /// it would cost the connection.
    pub fn send(&mut self, session: &mut dyn Session, longest: usize) {
        while let Some(publication) = self.waiting.pop_front() {
            if publication.payload.len() > longest {
                let (topic, bytes) = (&publication.topic, publication.payload.len());
                tracing::warn!(topic, bytes, longest, "too large for this broker, not announced");
                continue;
            }
            if !session.publish(publication.clone(), None) {
                self.waiting.push_front(publication);
                return;
            }
        }
    }

    /// Whether everything was sent.
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }
}
