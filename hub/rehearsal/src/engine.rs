//! The contract of an engine, and its fulfilment by each.
//!
//! Engines know nothing of campuses, worlds or this crate. What a rehearsal needs of any of them stands here; that each
//! keeps it is proved by [`crate::conformance`].

use std::fmt::Display;

use campanile_crowd::Crowd;
use campanile_flood::Flood;

/// What goes wrong with an engine: its own words, with the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{engine}: {why}")]
pub struct EngineError {
    /// Which engine.
    pub engine: &'static str,
    /// What is wrong, where, and how to mend it.
    pub why: String,
}

/// An engine: numbers in, numbers out.
///
/// Equal inputs, changes and steps give equal states, bit for bit, whatever the number of threads; a clone goes its own
/// way; what is saved and restored goes on as if nothing had been.
pub trait Engine: Clone + Send + Sized {
    /// Its name.
    const NAME: &'static str;
    /// What it is computed from.
    type Input: Clone;
    /// What may be changed while it runs.
    type Change: Clone;

    /// Begins.
    ///
    /// # Errors
    /// Where the input can't be used.
    fn begin(input: &Self::Input) -> Result<Self, EngineError>;
    /// Changes something from now on.
    ///
    /// # Errors
    /// Where there is no such thing.
    fn change(&mut self, change: &Self::Change) -> Result<(), EngineError>;
    /// Goes on by so many seconds.
    fn advance(&mut self, dt_s: f64, threads: usize);
    /// The seconds since it began.
    fn seconds(&self) -> f64;
    /// The whole state.
    fn saved(&self) -> Vec<u8>;
    /// Goes on from a saved state of the same input.
    ///
    /// # Errors
    /// Where the bytes are not such a state.
    fn restored(input: &Self::Input, saved: &[u8]) -> Result<Self, EngineError>;
    /// A hash of the state.
    fn state_hash(&self) -> [u8; 32];
}

fn error<E: Display>(engine: &'static str) -> impl Fn(E) -> EngineError {
    move |why| EngineError { engine, why: why.to_string() }
}

impl Engine for Flood {
    const NAME: &'static str = "flood";
    type Input = campanile_flood::FloodInput;
    type Change = campanile_flood::Change;

    fn begin(input: &Self::Input) -> Result<Self, EngineError> {
        Flood::new(input.clone()).map_err(error(Self::NAME))
    }

    fn change(&mut self, change: &Self::Change) -> Result<(), EngineError> {
        self.apply(change).map_err(error(Self::NAME))
    }

    fn advance(&mut self, dt_s: f64, threads: usize) {
        self.step(dt_s, threads);
    }

    fn seconds(&self) -> f64 {
        self.time_s()
    }

    fn saved(&self) -> Vec<u8> {
        self.save()
    }

    fn restored(input: &Self::Input, saved: &[u8]) -> Result<Self, EngineError> {
        Flood::restore(input.clone(), saved).map_err(error(Self::NAME))
    }

    fn state_hash(&self) -> [u8; 32] {
        self.hash()
    }
}

impl Engine for Crowd {
    const NAME: &'static str = "crowd";
    type Input = campanile_crowd::CrowdInput;
    type Change = campanile_crowd::Change;

    fn begin(input: &Self::Input) -> Result<Self, EngineError> {
        Crowd::new(input.clone()).map_err(error(Self::NAME))
    }

    fn change(&mut self, change: &Self::Change) -> Result<(), EngineError> {
        self.apply(change).map_err(error(Self::NAME))
    }

    fn advance(&mut self, dt_s: f64, threads: usize) {
        self.step(dt_s, threads);
    }

    fn seconds(&self) -> f64 {
        self.time_s()
    }

    fn saved(&self) -> Vec<u8> {
        self.save()
    }

    fn restored(input: &Self::Input, saved: &[u8]) -> Result<Self, EngineError> {
        Crowd::restore(input.clone(), saved).map_err(error(Self::NAME))
    }

    fn state_hash(&self) -> [u8; 32] {
        self.hash()
    }
}
