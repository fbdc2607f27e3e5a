//! How fast people can walk, by place.

use crate::Point;
use crate::Slowness;
use crate::ground::Ground;

/// Whoever is in deep water or thick smoke still walks at this share of the free speed, so that nobody is
/// caught.
pub(crate) const LEAST_SHARE: f64 = 0.1;

/// How fast people can walk in a space.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slow(pub Slowness);

impl Slow {
    /// As told; a stair is slowed as a whole, by the mean over its cells.
    pub fn new(ground: &Ground, share: &Slowness) -> Self {
        match share {
            Slowness::Grid { share, .. } if ground.is_stair() => {
                Self(Slowness::Whole(share.iter().sum::<f64>() / share.len() as f64))
            }
            other => Self(other.clone()),
        }
    }

    /// The share at a place as told: beyond a grid nothing slows.
    pub fn told(&self, p: Point) -> f64 {
        match &self.0 {
            Slowness::Whole(share) => *share,
            Slowness::Grid { origin_m, cell_m, nx, share } => {
                let (x, y) = ((p[0] - origin_m[0]) / cell_m, (p[1] - origin_m[1]) / cell_m);
                if x < 0.0 || y < 0.0 || x >= *nx as f64 {
                    return 1.0;
                }
                share.get(y as usize * nx + x as usize).copied().unwrap_or(1.0)
            }
        }
    }

    /// The share at which people walk there.
    pub fn walked(&self, p: Point) -> f64 {
        self.told(p).max(LEAST_SHARE)
    }

    /// Whether it differs from place to place.
    pub fn is_grid(&self) -> bool {
        matches!(self.0, Slowness::Grid { .. })
    }
}
