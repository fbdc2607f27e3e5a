//! The water balance at a meter: what passes it, what the meters below it measure of that, and the
//! difference, which is what the branch has of its own: taps without a meter, and leaks.

use crate::{
    register::{Dial, Register, Volume},
    tree::Place,
};

/// A balance over a stretch of time, in litres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Balance {
    /// What passed the meter.
    pub through_l: f64,
    /// What the next meters below have measured of it.
    pub below_l: f64,
    /// The difference, with its standard uncertainty. Of a meter with none below it is what passed.
    pub own: Volume,
}

/// The balance at one of the meters between two edges; none where a register isn't known there. Each meter
/// may be wrong by a share of what it measures, which counts as a rectangular distribution, each for itself.
pub fn balance(
    places: &[Place],
    dials: &[Dial],
    registers: &[Register],
    index: usize,
    (from, to): (i64, i64),
    error_share: f64,
) -> Option<Balance> {
    let between = |index: usize| registers.get(index)?.between(dials.get(index)?, from, to);
    let through = between(index)?;
    let share = error_share / 3.0_f64.sqrt();
    let variance = |volume: &Volume| volume.spread.powi(2) + (share * volume.litres).powi(2);
    let mut below_l = 0.0;
    let mut own = variance(&through);
    for &child in &places.get(index)?.children {
        let volume = between(child)?;
        below_l += volume.litres;
        own += variance(&volume);
    }
    let own = Volume { litres: through.litres - below_l, spread: own.sqrt() };
    Some(Balance { through_l: through.litres, below_l, own })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        register::SLOT_S,
        tree::{Pipe, meters},
    };

    #[test]
    fn the_difference_is_as_uncertain_as_all_its_meters_together() {
        let pipe = |parent| Pipe { parent, metered: true };
        let places = meters(&[pipe(None), pipe(Some(0)), pipe(Some(0))]);
        let dial = Dial { resolution_l: 1.0, rollover_l: None };
        let registers: Vec<Register> = [1_000.0, 600.0, 300.0]
            .map(|litres| {
                let mut register = Register::default();
                register.read(&dial, 0, 0.0);
                register.read(&dial, SLOT_S, litres);
                register
            })
            .into();
        let exact = balance(&places, &[dial; 3], &registers, 0, (0, 1), 0.0).unwrap();
        assert_eq!((exact.through_l, exact.below_l, exact.own.litres), (1_000.0, 900.0, 100.0));
        // Six readings of a digit of 1 L.
        assert!((exact.own.spread - (6.0_f64 / 12.0).sqrt()).abs() < 0.01, "{exact:?}");
        let real = balance(&places, &[dial; 3], &registers, 0, (0, 1), 0.02).unwrap();
        let meters = (20.0_f64.powi(2) + 12.0_f64.powi(2) + 6.0_f64.powi(2)).sqrt() / 3.0_f64.sqrt();
        assert!((real.own.spread - meters.hypot(exact.own.spread)).abs() < 0.01, "{real:?}");
        assert_eq!(balance(&places, &[dial; 3], &registers, 1, (0, 1), 0.0).unwrap().own.litres, 600.0);
        assert_eq!(balance(&places, &[dial; 3], &registers, 0, (0, 2), 0.0), None);
    }
}
