//! What a flood is computed from. SI throughout; arrays only, no files.

use serde::{Deserialize, Serialize};

/// A quantity of every cell: one number for all, or one each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Field {
    /// The same everywhere.
    Uniform(f64),
    /// By cell, row by row from the south, each from the west: cell `(i, j)` is at `j * nx + i`.
    Cells(Vec<f64>),
}

/// A quantity over time, linear between its corners and constant before the first and after the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Times in seconds from the start, ascending, and values.
    pub corners: Vec<(f64, f64)>,
}

/// A side of a cell: the face to its east (`x`) or north (`y`) neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Face {
    /// Between cell `i` and the one east of it, in the same row.
    East(u32),
    /// Between cell `i` and the one north of it.
    North(u32),
}

/// What holds at an edge of the grid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// No water passes.
    #[default]
    Wall,
    /// Water leaves freely.
    Open,
}

/// The whole input of a flood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FloodInput {
    /// Cells from west to east.
    pub nx: usize,
    /// Cells from south to north.
    pub ny: usize,
    /// The side of a cell, m.
    pub cell_m: f64,
    /// The south-west corner of the grid in the plan's coordinates, m.
    pub origin_m: [f64; 2],
    /// The ground above datum, m, by cell.
    pub bed_m: Vec<f64>,
    /// Manning's roughness, s/m^(1/3).
    pub manning: Field,
    /// The water level at the start above datum, m; cells whose ground is above it are dry.
    pub stage_m: Field,
    /// Cells where no water stands, such as buildings; empty: none.
    pub blocked: Vec<bool>,
    /// West, east, south, north.
    pub edges: [Edge; 4],
    /// Rain on the whole grid, m/s.
    pub rain_m_s: Series,
    /// Cells whose level is imposed, such as a river.
    pub stages: Vec<Stage>,
    /// Lines that hold water back up to a crest, up or down.
    pub barriers: Vec<Barrier>,
    /// Roofs whose rain goes to a cell.
    pub roofs: Vec<Roof>,
    /// Rooms that fill through doors, each with a level of its own.
    pub rooms: Vec<Room>,
    /// Doors, openings and stairs through which rooms take water and give it back.
    pub links: Vec<Link>,
    /// Inlets to a drain with one outfall.
    pub drains: Vec<Drain>,
    /// Pumps.
    pub pumps: Vec<Pump>,
}

impl FloodInput {
    /// Level dry ground between walls, to be filled in with the rest.
    pub fn flat(nx: usize, ny: usize, cell_m: f64) -> Self {
        Self {
            nx,
            ny,
            cell_m,
            origin_m: [0.0; 2],
            bed_m: vec![0.0; nx * ny],
            manning: Field::Uniform(0.03),
            stage_m: Field::Uniform(-1.0),
            blocked: Vec::new(),
            edges: [Edge::Wall; 4],
            rain_m_s: Series::default(),
            stages: Vec::new(),
            barriers: Vec::new(),
            roofs: Vec::new(),
            rooms: Vec::new(),
            links: Vec::new(),
            drains: Vec::new(),
            pumps: Vec::new(),
        }
    }
}

/// A piece of water whose level is imposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name, for [`crate::Change::Stage`].
    pub id: String,
    /// Its cells.
    pub cells: Vec<u32>,
    /// Its level above datum over time, m.
    pub level_m: Series,
}

/// A line of faces that holds water back while it is up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Barrier {
    /// Its name, for [`crate::Change::Barrier`].
    pub id: String,
    /// The faces that it closes.
    pub faces: Vec<Face>,
    /// Its crest above the higher ground of its face, m, when up; infinite for a wall.
    pub height_m: f64,
    /// Whether it is up at the start.
    pub up: bool,
}

/// A roof whose rain goes down to one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roof {
    /// Its name.
    pub id: String,
    /// Its area, m²; rain on the blocked cells of the building themselves is not counted besides.
    pub area_m2: f64,
    /// The cell where the downpipe ends.
    pub to: u32,
}

/// A room that holds water.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Its name.
    pub id: String,
    /// Its floor above datum, m.
    pub floor_m: f64,
    /// Its floor area, m².
    pub area_m2: f64,
    /// Its clear height, m: beyond it no more goes in.
    pub height_m: f64,
}

/// One side of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// A cell of the grid.
    Cell(u32),
    /// A room by its index.
    Room(u32),
}

/// An opening through which water passes, as over a weir, or as through an orifice once it is drowned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Its name, for [`crate::Change::Link`].
    pub id: String,
    /// One side.
    pub a: End,
    /// The other.
    pub b: End,
    /// The threshold above datum, m.
    pub sill_m: f64,
    /// Its clear width, m.
    pub width_m: f64,
    /// Its clear height above the threshold, m.
    pub height_m: f64,
    /// The share of its width that lets water pass at the start: 1 open, 0 tight; a shut door leaks.
    pub open: f64,
}

/// Drains: inlets that all lead to one outfall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drain {
    /// Its name, for [`crate::Change::Drain`].
    pub id: String,
    /// Its inlets.
    pub inlets: Vec<Inlet>,
    /// The most that its outlet lets pass when the water outside is low, m³/s.
    pub capacity_m3_s: f64,
    /// The invert of its outfall above datum, m.
    pub outfall_m: f64,
    /// The ground level at which the full capacity is reached above the outside level: the head of design, m.
    pub design_head_m: f64,
    /// Which [`Stage`] stands outside the outfall, by its index; none: it falls freely.
    pub outside: Option<u32>,
    /// Whether a flap keeps the water outside from coming back through the inlets.
    pub flap: bool,
}

/// An inlet of a drain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inlet {
    /// Its cell.
    pub cell: u32,
    /// The length of its edge over which water falls in, m.
    pub perimeter_m: f64,
    /// The area of its opening, m².
    pub area_m2: f64,
}

/// A pump.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pump {
    /// Its name, for [`crate::Change::Pump`].
    pub id: String,
    /// From where it takes.
    pub from: PumpFrom,
    /// Where it puts the water; none: off the grid.
    pub to: Option<End>,
    /// What it moves, m³/s.
    pub capacity_m3_s: f64,
    /// Whether it runs at the start.
    pub on: bool,
}

/// From where a pump takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PumpFrom {
    /// A cell or room.
    End(End),
    /// A drain by its index: it adds to the outlet and lifts over the water outside.
    Drain(u32),
}

/// What may be changed while a flood runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// From now on it rains so much, m/s, in place of the series.
    Rain(f64),
    /// From now on a stage stands so high, m above datum, in place of its series.
    Stage {
        /// Which.
        id: String,
        /// Its level, m.
        level_m: f64,
    },
    /// A barrier goes up or down.
    Barrier {
        /// Which.
        id: String,
        /// Whether it is up.
        up: bool,
    },
    /// A pump starts or stops.
    Pump {
        /// Which.
        id: String,
        /// Whether it runs.
        on: bool,
    },
    /// The share of a drain's inlets that is free: 1 all, 0 blocked.
    Drain {
        /// Which.
        id: String,
        /// The share, 0 to 1.
        free: f64,
    },
    /// A link opens or shuts.
    Link {
        /// Which.
        id: String,
        /// The share of its width, 0 to 1.
        open: f64,
    },
}
