//! Layers to one client: each frame is made when it is sent, against what this client has, so that a slow one gets fewer
//! frames with the newest state, never a backlog.

use std::collections::BTreeMap;
use std::time::Duration;

use campanile_protocol::{LayerFrame, LayerState, LayerSubscription};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::channel::Channel;

/// A layer that a client follows.
pub struct LayerFeed {
    layer: usize,
    min_interval: Duration,
    max_bytes_s: Option<f64>,
    due: Instant,
    before: Option<LayerState>,
    number: u32,
    /// Which of the world's states of layers it was served last.
    seen: Option<u64>,
}

impl LayerFeed {
    /// A feed, and how many numbers its layer has; nothing where the world has no such layer.
    pub fn new(subscription: &LayerSubscription, channel: &Channel) -> Option<(Self, u32)> {
        let layer = channel.layer_infos().iter().position(|info| info.id == subscription.layer)?;
        let count = channel.layer_states().states.get(layer).map_or(0, LayerState::count);
        let feed = Self {
            layer,
            min_interval: subscription
                .max_rate_hz
                .map_or(Duration::ZERO, |hz| Duration::from_secs_f64(1.0 / hz)),
            max_bytes_s: subscription.max_bytes_s,
            due: Instant::now(),
            before: None,
            number: 0,
            seen: None,
        };
        Some((feed, count as u32))
    }

    /// The newest state as a frame; nothing where there is none.
    pub fn frame(&mut self, channel: &Channel, moved: u64) -> Option<Vec<u8>> {
        self.seen = Some(moved);
        let newest = channel.layer_states();
        let state = newest.states.get(self.layer)?.clone();
        let frame = LayerFrame { layer: self.layer as u32, number: self.number, time: newest.time, state };
        let bytes = match frame.encode(self.before.as_ref()) {
            Ok(bytes) => bytes,
            Err(why) => {
                tracing::error!(%why, "a frame of a layer could not be written");
                return None;
            }
        };
        let pause = self
            .max_bytes_s
            .map_or(Duration::ZERO, |limit| Duration::from_secs_f64(bytes.len() as f64 / limit));
        self.due = Instant::now() + self.min_interval.max(pause);
        self.number = self.number.wrapping_add(1);
        self.before = Some(frame.state);
        Some(bytes)
    }
}

/// The next layer that has moved on and is due, and which state of the world's layers that is.
pub async fn next_due(feeds: &BTreeMap<u32, LayerFeed>, moved: &mut watch::Receiver<u64>) -> (u32, u64) {
    loop {
        let count = *moved.borrow_and_update();
        let behind = feeds.iter().filter(|(_, feed)| feed.seen != Some(count));
        match behind.min_by_key(|(_, feed)| feed.due) {
            Some((id, feed)) => {
                tokio::time::sleep_until(feed.due).await;
                return (*id, count);
            }
            None => {
                if moved.changed().await.is_err() {
                    // The world has ended; the connection hears that elsewhere.
                    return std::future::pending().await;
                }
            }
        }
    }
}
