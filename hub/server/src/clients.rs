//! Who listens, and what each has not yet been told.
//!
//! Each client has a set of points changed since it was last served. The world's thread only marks; the
//! client's own task takes the set, reads the newest snapshot and sends. So a slow client gets fewer frames
//! with the newest values (conflation), and never slows the world or another client.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use campanile_model::PointId;
use tokio::sync::Notify;

/// A set of points, a bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointSet {
    words: Vec<u64>,
}

impl PointSet {
    /// The empty set for a campus of `points` points.
    pub fn empty(points: usize) -> Self {
        Self { words: vec![0; points.div_ceil(64)] }
    }

    /// Adds a point; one beyond the campus is ignored.
    pub fn insert(&mut self, point: PointId) {
        if let Some(word) = self.words.get_mut(point.index() / 64) {
            *word |= 1 << (point.index() % 64);
        }
    }

    /// Whether a point is in the set.
    pub fn contains(&self, point: PointId) -> bool {
        self.words.get(point.index() / 64).is_some_and(|word| word >> (point.index() % 64) & 1 == 1)
    }

    /// Whether no point is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Adds what is in both `of` and `within`; says whether anything of that was new.
    fn add_common(&mut self, of: &PointSet, within: &PointSet) -> bool {
        let mut new = 0;
        for ((mine, of), within) in self.words.iter_mut().zip(&of.words).zip(&within.words) {
            let add = of & within & !*mine;
            new |= add;
            *mine |= add;
        }
        new != 0
    }

    /// The points in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = PointId> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    PointId((index * 64) as u32 + bit)
                })
            })
        })
    }
}

/// One listener, shared by its own task and the world's thread.
#[derive(Debug)]
pub struct Client {
    state: Mutex<ClientState>,
    /// Wakes the client's task.
    pub woken: Notify,
    /// How often a change was merged into one not yet taken.
    conflated: AtomicU64,
}

#[derive(Debug)]
struct ClientState {
    subscribed: PointSet,
    dirty: PointSet,
}

impl Client {
    /// Replaces the subscription; everything in it counts as not yet told.
    pub fn subscribe(&self, points: PointSet) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.dirty = points.clone();
        state.subscribed = points;
        drop(state);
        self.woken.notify_one();
    }

    /// Takes what changed since the last call.
    pub fn take_dirty(&self) -> PointSet {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = PointSet { words: vec![0; state.dirty.words.len()] };
        std::mem::replace(&mut state.dirty, empty)
    }

    /// How often a change came before the one before it was taken.
    pub fn conflated(&self) -> u64 {
        self.conflated.load(Ordering::Relaxed)
    }
}

/// All listeners of a world.
#[derive(Debug, Default)]
pub struct Clients {
    list: Mutex<Vec<Arc<Client>>>,
    /// How often a client had not yet taken its last change when the next came.
    conflated: AtomicU64,
}

impl Clients {
    /// Admits a listener with an empty subscription.
    pub fn join(&self, points: usize) -> Arc<Client> {
        let state = ClientState { subscribed: PointSet::empty(points), dirty: PointSet::empty(points) };
        let client =
            Arc::new(Client { state: Mutex::new(state), woken: Notify::new(), conflated: AtomicU64::new(0) });
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push(client.clone());
        client
    }

    /// Lets a listener go.
    pub fn leave(&self, client: &Arc<Client>) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).retain(|c| !Arc::ptr_eq(c, client));
    }

    /// How many listen.
    pub fn count(&self) -> usize {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many deltas were merged into a later one because the client was slow.
    pub fn conflated(&self) -> u64 {
        self.conflated.load(Ordering::Relaxed)
    }

    /// Marks everything that anyone subscribed to.
    pub fn mark_all(&self) {
        for client in self.list.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let mut state = client.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.dirty = state.subscribed.clone();
            drop(state);
            client.woken.notify_one();
        }
    }

    /// Marks the changed points for everyone who subscribed to them.
    pub fn mark(&self, changed: &PointSet) {
        for client in self.list.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let mut state = client.state.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = !state.dirty.is_empty();
            let ClientState { subscribed, dirty } = &mut *state;
            if dirty.add_common(changed, subscribed) {
                if waiting {
                    self.conflated.fetch_add(1, Ordering::Relaxed);
                    client.conflated.fetch_add(1, Ordering::Relaxed);
                }
                drop(state);
                client.woken.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(points: &[u32]) -> PointSet {
        let mut set = PointSet::empty(200);
        points.iter().for_each(|p| set.insert(PointId(*p)));
        set
    }

    #[test]
    fn a_client_is_told_of_its_own_points_once_and_of_the_newest_only() {
        let clients = Clients::default();
        let client = clients.join(200);
        client.subscribe(set(&[1, 64, 199]));
        assert_eq!(client.take_dirty(), set(&[1, 64, 199]), "a new subscription begins with everything");
        clients.mark(&set(&[2, 64]));
        clients.mark(&set(&[64, 199]));
        assert_eq!(clients.conflated(), 1);
        assert_eq!(client.take_dirty().iter().map(|p| p.0).collect::<Vec<_>>(), [64, 199]);
        assert!(client.take_dirty().is_empty());
        clients.leave(&client);
        assert_eq!(clients.count(), 0);
    }

    #[test]
    fn points_beyond_the_campus_are_ignored() {
        let mut set = PointSet::empty(10);
        set.insert(PointId(640));
        assert!(set.is_empty());
    }
}
