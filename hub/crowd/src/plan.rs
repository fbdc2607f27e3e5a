//! All that doesn't change: spaces, doors and goals made ready.

use std::sync::OnceLock;

use crate::door::{Opening, Side};
use crate::error::InputError;
use crate::geometry::{Segment, distance};
use crate::ground::Ground;
use crate::raster::Raster;
use crate::{CrowdInput, Goal, Point, Profile, check};

/// All that doesn't change while a crowd moves; shared by its forks.
#[derive(Debug)]
pub(crate) struct Plan {
    pub input: CrowdInput,
    pub grounds: Vec<Ground>,
    /// By [`Side`].
    pub openings: Vec<Opening>,
    /// Speed on stairs for the choice of ways, as a share: the mean of the people's profiles, up and down.
    pub stairs: [f64; 2],
    /// The cells of a space's distance fields, made when they are first needed.
    rasters: Vec<OnceLock<Raster>>,
}

impl Plan {
    pub fn new(input: CrowdInput) -> Result<Self, InputError> {
        let openings = check::input(&input)?;
        let mut sides: Vec<Vec<(Side, Segment)>> = vec![Vec::new(); input.spaces.len()];
        for (side, opening) in openings.iter().enumerate() {
            sides[opening.space as usize].push((side as Side, opening.segment));
        }
        let grounds: Vec<Ground> =
            input.spaces.iter().zip(&sides).map(|(s, sides)| Ground::new(&s.shape, sides)).collect();
        let rasters = grounds.iter().map(|_| OnceLock::new()).collect();
        let stairs = [0, 1].map(|way| mean_on_stairs(&input, way));
        Ok(Self { input, grounds, openings, stairs, rasters })
    }

    pub fn raster(&self, space: u32) -> &Raster {
        self.rasters[space as usize].get_or_init(|| Raster::new(&self.grounds[space as usize]))
    }

    pub fn goal(&self, goal: u32) -> &Goal {
        &self.input.goals[goal as usize]
    }

    pub fn profile(&self, profile: u32) -> &Profile {
        &self.input.profiles[profile as usize]
    }
}

impl Plan {
    /// Whether a body of this radius at `p` touches no wall and stands in no opening.
    pub fn stands_clear(&self, space: u32, p: Point, radius: f64) -> bool {
        let ground = &self.grounds[space as usize];
        let off = |s: &Segment| distance(s.nearest(p), p) >= radius;
        ground.walls_near(p).all(off)
            && ground.sides_near(p).all(|side| off(&self.openings[side as usize].segment))
    }
}

fn mean_on_stairs(input: &CrowdInput, way: usize) -> f64 {
    let mut sum = [0.0, 0.0];
    for &(profile, n) in input.groups.iter().flat_map(|g| &g.people) {
        sum[0] += f64::from(n) * input.profiles[profile as usize].stairs[way];
        sum[1] += f64::from(n);
    }
    if sum[1] > 0.0 { sum[0] / sum[1] } else { 1.0 }
}
