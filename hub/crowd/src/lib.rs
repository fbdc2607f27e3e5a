//! Pedestrians in continuous space over several storeys.

mod input;

pub use input::*;
