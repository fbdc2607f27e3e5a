//! Changes while a flood runs.

use std::sync::Arc;

use crate::check::MAX_SPAN_M;
use crate::faces::Faces;
use crate::{Change, Flood};

/// Why a change was not made; nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChangeError {
    /// Nothing of that kind has the name.
    #[error("no {kind} is called {id:?}; there are: {known}")]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// The name.
        id: String,
        /// The names that there are.
        known: String,
    },
    /// A value that cannot be.
    #[error("{what} of {value} cannot be; give a number from {low} to {high}")]
    Value {
        /// What was to be changed.
        what: &'static str,
        /// To which value.
        value: f64,
        /// The least.
        low: f64,
        /// The most.
        high: f64,
    },
}

fn find<'a>(
    kind: &'static str,
    id: &str,
    mut ids: impl Iterator<Item = &'a String> + Clone,
) -> Result<usize, ChangeError> {
    let known = ids.clone();
    ids.position(|name| name == id).ok_or_else(|| {
        let known: Vec<&str> = known.map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        ChangeError::Unknown { kind, id: id.to_owned(), known }
    })
}

fn within(what: &'static str, value: f64, low: f64, high: f64) -> Result<(), ChangeError> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(ChangeError::Value { what, value, low, high }) }
}

impl Flood {
    /// Makes a change from now on.
    ///
    /// # Errors
    /// When nothing has the name, or the value cannot be.
    pub fn apply(&mut self, change: &Change) -> Result<(), ChangeError> {
        let setup = Arc::clone(&self.setup);
        let input = &setup.input;
        match change {
            Change::Rain(rate) => {
                within("rain in m/s", *rate, 0.0, 0.1)?;
                self.rain_now = Some(*rate);
            }
            Change::Stage { id, level_m } => {
                let at = find("stage", id, input.stages.iter().map(|s| &s.id))?;
                let datum = setup.terrain.datum_m;
                within("a level in m", *level_m, datum - MAX_SPAN_M, datum + MAX_SPAN_M)?;
                self.stages_now[at] = Some(*level_m);
            }
            Change::Barrier { id, up } => {
                let at = find("barrier", id, input.barriers.iter().map(|b| &b.id))?;
                if self.barriers_up[at] != *up {
                    self.barriers_up[at] = *up;
                    self.faces = Arc::new(Faces::new(input, &setup.terrain, &self.barriers_up));
                }
            }
            Change::Pump { id, on } => {
                let at = find("pump", id, input.pumps.iter().map(|p| &p.id))?;
                self.pumps[at].on = *on;
            }
            Change::Drain { id, free } => {
                let at = find("drain", id, input.drains.iter().map(|d| &d.id))?;
                within("a free share", *free, 0.0, 1.0)?;
                self.drains[at].free = *free;
            }
            Change::Link { id, open } => {
                let at = find("link", id, input.links.iter().map(|l| &l.id))?;
                within("an open share", *open, 0.0, 1.0)?;
                self.links[at].open = *open;
            }
        }
        Ok(())
    }
}
