//! From a campus to the input of a flood: ground, rooms, openings, roofs, drains, pumps and barriers.
//!
//! The engine's names are the campus' paths: a room is its lowest space, a link its opening, a barrier `site/<id>`, a
//! pump and a drain their node or network, a stage its water. `docs/engine-inputs.md` says what is derived from what.

mod barriers;
mod drains;
mod gauges;
mod ground;
mod rooms;

use std::collections::BTreeMap;

use campanile_flood::{Edge, Field, FloodInput, Series};
use campanile_formats::Grid;
use campanile_model::{Campus, PointId};

pub use gauges::{Gauge, GaugeAt};
pub(crate) use ground::{ground_level, ground_storeys};

use crate::geometry::Point;
use crate::tables::{FloodTables, InputError};

/// What may be chosen.
#[derive(Clone, Debug)]
pub struct FloodOptions {
    /// The side of a cell, m.
    pub cell_m: f64,
    /// Ground around the campus that belongs to the grid, m.
    pub margin_m: f64,
    /// The rain on everything, m/s.
    pub rain_m_s: Series,
    /// Levels of waters over time by path, such as `site/river`, m above datum; else their usual level.
    pub levels_m: BTreeMap<String, Series>,
    /// What holds at the edges of the grid: west, east, south, north.
    pub edges: [Edge; 4],
    /// Other tables than the shipped ones.
    pub tables: Option<FloodTables>,
}

impl Default for FloodOptions {
    fn default() -> Self {
        Self {
            cell_m: 2.0,
            margin_m: 20.0,
            rain_m_s: Series::default(),
            levels_m: BTreeMap::new(),
            // The land around lies as flat and floods as well: no water is lost to it.
            edges: [Edge::Wall; 4],
            tables: None,
        }
    }
}

/// A flood's input, and what of the campus each part is.
#[derive(Clone, Debug, PartialEq)]
pub struct FloodSite {
    /// The engine's input.
    pub input: FloodInput,
    /// The spaces that make up each room, by room: a space without a floor is part of the one below.
    pub room_spaces: Vec<Vec<String>>,
    /// The room of a space, by path.
    pub room_of: BTreeMap<String, u32>,
    /// The points of each barrier.
    pub barriers: Vec<Switch>,
    /// The points of each pump.
    pub pumps: Vec<Switch>,
    /// The nodes of the inlets of each drain, in the order of its inlets.
    pub inlet_nodes: Vec<Vec<String>>,
    /// What each gauge of the campus shows.
    pub gauges: Vec<Gauge>,
    /// What covers the ground, by path; `site` is the first.
    pub places: Vec<String>,
    /// The place of each cell, by index.
    pub place_of: Vec<u16>,
    /// What could not be taken into the input, by path, and why.
    pub left_out: Vec<LeftOut>,
}

/// Something that is commanded and reports back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its path, which is its name in the engine.
    pub path: String,
    /// The point that commands it.
    pub command: Option<PointId>,
    /// The point that reports it.
    pub report: Option<PointId>,
}

/// Something of the campus that an input leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path.
    pub path: String,
    /// Why.
    pub why: String,
}

impl FloodSite {
    /// The cell at a point of the plan in m, or `None` outside the grid.
    pub fn cell_at(&self, p: Point) -> Option<u32> {
        ground::cell_at(&self.input, p)
    }

    /// The middle of a cell in m.
    pub fn centre(&self, cell: u32) -> Point {
        ground::centre(&self.input, cell)
    }

    /// The path of what covers a cell.
    pub fn place(&self, cell: u32) -> Option<&str> {
        self.places.get(usize::from(*self.place_of.get(cell as usize)?)).map(String::as_str)
    }
}

/// A command of an entity, and the report that belongs to it.
fn switch(campus: &Campus, entity: usize) -> Switch {
    let points = campus.points_of(entity).iter().map(|id| campus.point(*id));
    let command =
        points.clone().find(|p| p.command.is_some() && p.value_type == campanile_model::ValueType::Bool);
    let readback = command.and_then(|c| c.command.as_ref()).and_then(|c| c.readback.as_ref());
    let report = readback.and_then(|path| campus.point_id(path.as_str()));
    Switch { path: campus.entities[entity].path.to_string(), command: command.map(|p| p.id), report }
}

/// Makes the input of a flood. Terrain is in the plan's coordinates and datum; without one the ground is level at 0.
///
/// # Errors
/// [`InputError`] where there is no ground, the cell's side isn't usable or a table can't be read.
pub fn flood_input(
    campus: &Campus,
    terrain: Option<&Grid>,
    options: &FloodOptions,
) -> Result<FloodSite, InputError> {
    let tables = options.tables.clone().map_or_else(FloodTables::shipped, Ok)?;
    let ground = ground::make(campus, terrain, options, &tables)?;
    let mut site = FloodSite {
        input: FloodInput {
            nx: ground.nx,
            ny: ground.ny,
            cell_m: options.cell_m,
            origin_m: ground.origin,
            bed_m: ground.bed,
            manning: Field::Cells(ground.manning),
            stage_m: Field::Cells(ground.level),
            blocked: ground.blocked,
            edges: options.edges,
            rain_m_s: options.rain_m_s.clone(),
            stages: ground.stages,
            barriers: Vec::new(),
            roofs: Vec::new(),
            rooms: Vec::new(),
            links: Vec::new(),
            drains: Vec::new(),
            pumps: Vec::new(),
        },
        room_spaces: Vec::new(),
        room_of: BTreeMap::new(),
        barriers: Vec::new(),
        pumps: Vec::new(),
        inlet_nodes: Vec::new(),
        gauges: Vec::new(),
        places: ground.places,
        place_of: ground.place_of,
        left_out: ground.left_out,
    };
    let doors = rooms::add(campus, &tables, &mut site);
    drains::add(campus, &tables, &mut site);
    barriers::add(campus, &doors, &mut site);
    gauges::add(campus, &mut site);
    Ok(site)
}
