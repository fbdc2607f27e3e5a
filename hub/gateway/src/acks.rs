//! Which messages may be acknowledged: those whose samples are durable, in the order of arrival.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Acknowledgements on their way from the sink to the connection.
#[derive(Debug, Default)]
pub(crate) struct AckQueue {
    state: Mutex<State>,
    /// Woken when there is something to send or to give up.
    pub wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Packet ids are only of use on the connection that they came over.
    connection: u64,
    issued: u64,
    next: u64,
    /// Batches that were completed before those in front of them.
    early: BTreeMap<u64, Vec<u16>>,
    ready: Vec<u16>,
    waiting: u64,
    abandoned: u64,
    abandoned_now: bool,
}

/// The promise to say when a batch is durable.
///
/// [`Completion::done`] lets the broker forget the batch's messages. Dropped without it, they
/// count as not stored: the connection is made anew and the broker delivers them again.
#[derive(Debug)]
#[must_use = "dropping it means that the batch was not stored"]
pub struct Completion {
    queue: Arc<AckQueue>,
    connection: u64,
    sequence: u64,
    packets: Option<Vec<u16>>,
}

impl Completion {
    /// The batch is durable.
    pub fn done(mut self) {
        if let Some(packets) = self.packets.take() {
            self.queue.complete(self.connection, self.sequence, packets);
        }
    }

    /// How many messages wait for this.
    pub fn messages(&self) -> usize {
        self.packets.as_ref().map_or(0, Vec::len)
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        if let Some(packets) = self.packets.take() {
            self.queue.abandon(self.connection, self.sequence, packets.len());
        }
    }
}

impl AckQueue {
    /// The state stays consistent even if a holder panicked: every change is a single step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection: what waited on the one before will come again.
    pub fn new_connection(&self) {
        let mut state = self.lock();
        let connection = state.connection + 1;
        let abandoned = state.abandoned;
        *state = State { connection, abandoned, ..State::default() };
    }

    /// A promise for the packet ids of the next batch.
    pub fn issue(self: &Arc<Self>, packets: Vec<u16>) -> Completion {
        let mut state = self.lock();
        let sequence = state.issued;
        state.issued += 1;
        state.waiting += packets.len() as u64;
        Completion { queue: self.clone(), connection: state.connection, sequence, packets: Some(packets) }
    }

    fn complete(&self, connection: u64, sequence: u64, packets: Vec<u16>) {
        let mut state = self.lock();
        if connection != state.connection {
            return;
        }
        state.early.insert(sequence, packets);
        let mut any = false;
        loop {
            let next = state.next;
            let Some(packets) = state.early.remove(&next) else { break };
            any |= !packets.is_empty();
            state.ready.extend(packets);
            state.next += 1;
        }
        drop(state);
        if any {
            self.wake.notify_one();
        }
    }

    fn abandon(&self, connection: u64, sequence: u64, messages: usize) {
        if messages == 0 {
            // Nothing that the broker could deliver again, so nothing that others should wait for.
            return self.complete(connection, sequence, Vec::new());
        }
        let mut state = self.lock();
        state.abandoned += messages as u64;
        if connection == state.connection {
            state.abandoned_now = true;
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Takes what may be acknowledged now. `None`: a batch was given up, so the connection has to
    /// be made anew to get it again.
    pub fn take(&self) -> Option<Vec<u16>> {
        let mut state = self.lock();
        if state.abandoned_now {
            return None;
        }
        let ready = std::mem::take(&mut state.ready);
        state.waiting -= ready.len() as u64;
        Some(ready)
    }

    /// Messages that wait for their sink.
    pub fn waiting(&self) -> u64 {
        self.lock().waiting
    }

    /// Messages of batches that were given up, since the start.
    pub fn abandoned(&self) -> u64 {
        self.lock().abandoned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_keep_the_order_of_arrival() {
        let queue = Arc::new(AckQueue::default());
        let first = queue.issue(vec![1, 2]);
        let second = queue.issue(vec![3]);
        second.done();
        assert_eq!(queue.take(), Some(vec![]), "the second waits for the first");
        assert_eq!(queue.waiting(), 3);
        first.done();
        assert_eq!(queue.take(), Some(vec![1, 2, 3]));
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn a_batch_of_an_old_connection_is_not_acknowledged() {
        let queue = Arc::new(AckQueue::default());
        let old = queue.issue(vec![1]);
        queue.new_connection();
        old.done();
        assert_eq!(queue.take(), Some(vec![]));
    }

    #[test]
    fn a_dropped_promise_asks_for_a_new_connection() {
        let queue = Arc::new(AckQueue::default());
        drop(queue.issue(vec![1]));
        assert_eq!(queue.take(), None);
        assert_eq!(queue.abandoned(), 1);
        queue.new_connection();
        assert_eq!(queue.take(), Some(vec![]));
    }

    #[test]
    fn a_dropped_promise_without_packets_holds_nothing_up() {
        let queue = Arc::new(AckQueue::default());
        let unacknowledged = queue.issue(vec![]);
        let second = queue.issue(vec![7]);
        drop(unacknowledged);
        second.done();
        assert_eq!(queue.take(), Some(vec![7]));
    }
}
