//! What a crowd is computed from. SI throughout; arrays only, no files.

use serde::{Deserialize, Serialize};

/// A point of the plan, m.
pub type Point = [f64; 2];

/// The whole input of a crowd.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrowdInput {
    /// The places where people walk. People pass from one to the next through [`Door`]s alone.
    pub spaces: Vec<Space>,
    /// What joins two spaces.
    pub doors: Vec<Door>,
    /// Where people can be sent.
    pub goals: Vec<Goal>,
    /// The people.
    pub groups: Vec<Group>,
    /// The kinds of people.
    pub profiles: Vec<Profile>,
    /// Mixed into every draw.
    pub seed: u64,
}

/// A place where people walk: a room, a corridor, the outside, a stair.
///
/// A space lies in a plane of its own: of level spaces that is the plan. A stair lies unrolled: a rectangle as long
/// as the way along its slope and landings and as wide as its flights, placed by [`Shape::Stair`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Space {
    /// Its name.
    pub id: String,
    /// Where it lies.
    pub shape: Shape,
}

/// Where a space lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A level floor.
    Level {
        /// The inner faces of its walls, counter-clockwise, m.
        outline: Vec<Point>,
        /// What stands in it, clockwise, m.
        holes: Vec<Vec<Point>>,
        /// The floor above datum, m.
        z_m: f64,
    },
    /// A stair or ramp: people walk from `s = 0` at its lower end to its length at the upper end.
    Stair {
        /// Its middle line in the plan with heights, from the lower end, `[x, y, z]` in m: at least two.
        line: Vec<[f64; 3]>,
        /// Its clear width, m.
        width_m: f64,
    },
}

/// What joins two spaces: a door, a gap, an end of a stair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Door {
    /// Its name, for [`crate::Change::Door`].
    pub id: String,
    /// The one side.
    pub from: DoorSide,
    /// The other.
    pub to: DoorSide,
    /// Whether people can pass at the start.
    pub open: bool,
}

/// A door as seen from one of its spaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoorSide {
    /// The index of the space.
    pub space: u32,
    /// The clear opening, in the plane of the space: for a stair `[s, t]`, along it and across from its right edge
    /// (looking up), so its lower end is `[0, 0]`–`[0, width]`. Doors lie on the edge of their space; both sides are
    /// equally wide.
    pub a: Point,
    /// Its other end.
    pub b: Point,
}

/// Where people can be sent: they have arrived once they stand in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// Its name, for [`crate::Change::Send`].
    pub id: String,
    /// The index of its space.
    pub space: u32,
    /// Its part of the space in the space's plane, convex; empty: all of the space.
    pub area: Vec<Point>,
    /// Whether those who arrive leave the simulation (a gate to the street) or stay and stand there.
    pub leaves: bool,
}

/// A kind of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name.
    pub id: String,
    /// Free walking speed on the level, m/s: mean, standard deviation, least and most (a cut normal distribution).
    pub speed_m_s: [f64; 4],
    /// The radius of a body, m.
    pub radius_m: f64,
    /// Speed on stairs as a share of that on the level: up and down, along the slope.
    pub stairs: [f64; 2],
}

/// People that belong together, such as a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name, for [`crate::Change::Send`].
    pub id: String,
    /// The index of the space where it is at the start.
    pub space: u32,
    /// How many people of which profile (by index).
    pub people: Vec<(u32, u32)>,
    /// From when told to go until they set off, s: least and most, drawn evenly for each.
    pub premovement_s: [f64; 2],
}

/// What may be changed while a crowd moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A group is told to go to the nearest of these goals, after its pre-movement.
    Send {
        /// Which group.
        group: String,
        /// The goals, by name.
        goals: Vec<String>,
    },
    /// A group is told to stay where it is.
    Hold {
        /// Which group.
        group: String,
    },
    /// A door opens or shuts.
    Door {
        /// Which.
        id: String,
        /// Whether people can pass.
        open: bool,
    },
    /// How fast people can walk, as a share of their free speed (0 to 1), by water or smoke.
    Slow {
        /// The index of the space.
        space: u32,
        /// For the whole of it, or by a grid over it.
        share: Slowness,
    },
}

/// How fast people can walk in a space, as a share of their free speed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slowness {
    /// The same everywhere.
    Whole(f64),
    /// By cell, row by row from the south, each from the west.
    Grid {
        /// The south-west corner, m.
        origin_m: Point,
        /// The side of a cell, m.
        cell_m: f64,
        /// Cells from west to east.
        nx: usize,
        /// The shares; 0 is as good as a wall for way-finding, yet nobody is caught: those within walk at the least.
        share: Vec<f64>,
    },
}
