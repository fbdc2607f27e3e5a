//! A rehearsal that remembers: it can be looked at as it was, and branched from any barrier.

use std::collections::BTreeMap;
use std::sync::Arc;

use campanile_protocol::LayerFrame;

use crate::layers;
use crate::rehearsal::{Recorded, Rehearsal, RehearsalError};

/// Seconds between the states that are kept to branch from.
const KEY_S: f64 = 300.0;
/// Seconds between the pictures that are kept to look back at.
const FRAME_S: f64 = 10.0;

/// A rehearsal with its past.
pub struct Player {
    rehearsal: Rehearsal,
    keys: BTreeMap<u64, Rehearsal>,
    frames: BTreeMap<u64, Vec<Arc<[u8]>>>,
}

/// Why there is no branch.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// The moment has not come.
    #[error(
        "the rehearsal is at {now_s:.0} s, and {asked_s:.0} s is later: branch from a moment that has passed"
    )]
    Later {
        /// Where the rehearsal is.
        now_s: f64,
        /// What was asked for.
        asked_s: f64,
    },
    /// It lies before what is remembered.
    #[error("nothing is remembered from before {first_s:.0} s: the rehearsal was taken up again there")]
    Forgotten {
        /// The first moment that is remembered.
        first_s: f64,
    },
    /// It was called off.
    #[error("the branch was called off")]
    Cancelled,
    /// It can't be run again.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
}

impl Player {
    /// A rehearsal, from now on with its past.
    pub fn new(rehearsal: Rehearsal) -> Self {
        let mut player = Self { rehearsal, keys: BTreeMap::new(), frames: BTreeMap::new() };
        player.remember();
        player
    }

    /// As it is now.
    pub fn rehearsal(&self) -> &Rehearsal {
        &self.rehearsal
    }

    /// As it is now, to act in it.
    pub fn rehearsal_mut(&mut self) -> &mut Rehearsal {
        &mut self.rehearsal
    }

    /// Passes the next barrier; false where the drill is over.
    ///
    /// # Errors
    /// See [`Rehearsal::step`].
    pub fn step(&mut self, threads: usize) -> Result<bool, RehearsalError> {
        let went = self.rehearsal.step(threads)?;
        if went {
            self.remember();
        }
        Ok(went)
    }

    fn remember(&mut self) {
        let barrier = self.rehearsal.barrier();
        let every = |seconds: f64| (seconds / self.rehearsal.drill().file.barrier_s).round().max(1.0) as u64;
        if barrier.is_multiple_of(every(KEY_S)) || self.keys.is_empty() {
            self.keys.insert(barrier, self.rehearsal.clone());
        }
        if barrier.is_multiple_of(every(FRAME_S)) || self.rehearsal.is_over() {
            self.frames.insert(barrier, frames(&self.rehearsal));
        }
    }

    /// Whole frames of the layers as they were at a moment, or the nearest before that was kept; and its second.
    pub fn frames_at(&self, at_s: f64) -> Option<(f64, &[Arc<[u8]>])> {
        let dt_s = self.rehearsal.drill().file.barrier_s;
        let barrier = (at_s.max(0.0) / dt_s + 1e-9) as u64;
        let (barrier, frames) =
            self.frames.range(..=barrier).next_back().or_else(|| self.frames.iter().next())?;
        Some((*barrier as f64 * dt_s, frames))
    }

    /// What it takes to be as it was at a moment that has passed, with all that people had done until then: the nearest
    /// state kept, and what has to be run again from there.
    ///
    /// # Errors
    /// [`BranchError`].
    pub fn branch(&self, at_s: f64) -> Result<Branching, BranchError> {
        let dt_s = self.rehearsal.drill().file.barrier_s;
        let now = self.rehearsal.barrier();
        let wanted = (at_s.max(0.0) / dt_s).round() as u64;
        if wanted > now {
            return Err(BranchError::Later { now_s: self.rehearsal.now_s(), asked_s: at_s });
        }
        let key = self.keys.range(..=wanted).next_back().map(|(_, key)| key);
        let key = if wanted == now { Some(&self.rehearsal) } else { key };
        let Some(key) = key else {
            let first = self.keys.keys().next().copied().unwrap_or(now);
            return Err(BranchError::Forgotten { first_s: first as f64 * dt_s });
        };
        let later = self.rehearsal.deeds().get(key.deeds().len()..).unwrap_or_default().to_vec();
        Ok(Branching { branch: key.clone(), wanted, later })
    }
}

/// A branch on its way to its moment.
pub struct Branching {
    branch: Rehearsal,
    wanted: u64,
    later: Vec<Recorded>,
}

impl Branching {
    /// The moment that it will be at, seconds from the start.
    pub fn at_s(&self) -> f64 {
        self.wanted as f64 * self.branch.drill().file.barrier_s
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.branch.seed()
    }

    /// Runs again, bit for bit, what lies between the state kept and the moment. `progress` hears the share done, and
    /// calls it off by false.
    ///
    /// # Errors
    /// [`BranchError`].
    pub fn run(
        self,
        threads: usize,
        progress: &mut dyn FnMut(f64) -> bool,
    ) -> Result<Rehearsal, BranchError> {
        let Self { mut branch, wanted, later } = self;
        let from = branch.barrier();
        let mut later = later.into_iter().peekable();
        while branch.barrier() < wanted {
            while later.peek().is_some_and(|r| r.barrier <= branch.barrier()) {
                // It was done before, in the same state, so it is done again.
                if let Some(recorded) = later.next() {
                    let _ = branch.act(recorded.deed);
                }
            }
            branch.step(threads)?;
            branch.take_events();
            let share = (branch.barrier() - from) as f64 / (wanted - from) as f64;
            if !progress(share) {
                return Err(BranchError::Cancelled);
            }
        }
        Ok(branch)
    }
}

fn frames(rehearsal: &Rehearsal) -> Vec<Arc<[u8]>> {
    let states = layers::states(rehearsal).into_iter().enumerate();
    let time = rehearsal.world().now();
    states
        .map(|(layer, state)| {
            let frame = LayerFrame { layer: layer as u32, number: 0, time, state };
            // Its size is bounded by the engines' own limits.
            frame.encode(None).unwrap_or_default().into()
        })
        .collect()
}
