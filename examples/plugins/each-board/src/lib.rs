//! Derived points, one for each of some entities: what per cent of all power each building takes.

use campanile_plugin::{
    Plugin, Result, Settings, Time,
    points::{self, Derived, Info},
};

struct Shares(Vec<Info>);

impl Plugin for Shares {
    fn start(_: &Settings) -> Result<Self> {
        Ok(Self(points::find("net/electricity/*/power")?))
    }

    fn on_tick(&mut self, _now: Time) -> Result {
        let handles: Vec<_> = self.0.iter().map(|board| board.point).collect();
        let kw: Vec<Option<f64>> = points::read(&handles)?
            .into_iter()
            .map(|sample| sample.and_then(|sample| sample.number()))
            .collect();
        let all: f64 = kw.iter().flatten().sum();
        // Of what is not known no share is known, and a share of nothing is none.
        if all <= 0.0 || kw.contains(&None) {
            return Ok(());
        }
        let share = |(board, kw): (&Info, f64)| {
            let place = board.path.trim_end_matches("/power");
            Derived::for_entity("share", place, 100.0 * kw / all)
        };
        let shares: Vec<Derived> = self.0.iter().zip(kw.into_iter().flatten()).map(share).collect();
        // They are the points plugin/each-board/share/PLACE from now on, with history, as all others.
        Ok(points::publish(&shares)?)
    }
}

campanile_plugin::export_rule!(Shares);
