//! Whether an input can be computed: every field, with what is wrong and how to mend it.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::terrain::lowest_ground_m;
use crate::{
    Barrier, Drain, End, Face, Field, FloodInput, Link, Pump, PumpFrom, Room, Series, Stage, quantum,
};

/// The most cells of a grid.
pub const MAX_CELLS: usize = 1 << 26;

/// How far ground and levels may lie above the lowest ground, m: within it depths add without rounding.
pub const MAX_SPAN_M: f64 = 900.0;

const MAX_RAIN_M_S: f64 = 0.1;

/// Why an input cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}; {mend}")]
pub struct InputError {
    /// Where: a field with its index, such as `links[2].sill_m`.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// How to mend it.
    pub mend: String,
}

type Checked = Result<(), InputError>;

fn fault(field: impl Into<String>, problem: impl Into<String>, mend: impl Into<String>) -> InputError {
    InputError { field: field.into(), problem: problem.into(), mend: mend.into() }
}

/// A number within limits, both included.
fn within(field: impl Into<String>, value: f64, low: f64, high: f64, unit: &str) -> Checked {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(fault(field, format!("is {value}"), format!("give a number from {low} to {high}{unit}")))
}

fn index(field: impl Into<String>, value: u32, count: usize, of: &str) -> Checked {
    if (value as usize) < count {
        return Ok(());
    }
    Err(fault(field, format!("is {value}, but there are {count} {of}"), "count from 0"))
}

fn ids<'a>(list: &str, ids: impl Iterator<Item = &'a str>) -> Checked {
    let mut seen = BTreeSet::new();
    for (i, id) in ids.enumerate() {
        let field = format!("{list}[{i}].id");
        if id.is_empty() {
            return Err(fault(field, "is empty", "give it a name"));
        }
        if !seen.insert(id) {
            return Err(fault(field, format!("is {id:?} once more"), "give each its own name"));
        }
    }
    Ok(())
}

fn length(field: &str, got: usize, want: usize) -> Checked {
    if got == want {
        return Ok(());
    }
    Err(fault(field, format!("has {got} values"), format!("give one for each of the {want} cells")))
}

/// What the later checks need to know.
struct Frame<'a> {
    input: &'a FloodInput,
    cells: usize,
    /// Levels lie between these, m.
    levels: [f64; 2],
}

/// Checks everything.
pub(crate) fn check(input: &FloodInput) -> Checked {
    grid(input)?;
    let datum = lowest_ground_m(input).floor();
    let frame = Frame { input, cells: input.nx * input.ny, levels: [datum - MAX_SPAN_M, datum + MAX_SPAN_M] };
    frame.fields()?;
    series("rain_m_s", &input.rain_m_s, 0.0, MAX_RAIN_M_S, " m/s")?;
    frame.stages(&input.stages)?;
    frame.barriers(&input.barriers)?;
    // Nothing asks for a roof by its name, and one that falls to several inlets is there several times.
    for (i, roof) in input.roofs.iter().enumerate() {
        within(format!("roofs[{i}].area_m2"), roof.area_m2, 0.0, 1e7, " m²")?;
        frame.cell(format!("roofs[{i}].to"), roof.to)?;
    }
    frame.rooms(&input.rooms)?;
    frame.links(&input.links)?;
    frame.drains(&input.drains)?;
    frame.pumps(&input.pumps)
}

fn grid(input: &FloodInput) -> Checked {
    for (field, count) in [("nx", input.nx), ("ny", input.ny)] {
        if count == 0 {
            return Err(fault(field, "is 0", "give at least one cell"));
        }
    }
    let cells = input.nx.checked_mul(input.ny).filter(|&cells| cells <= MAX_CELLS);
    let Some(cells) = cells else {
        let problem = format!("makes {} × {} cells", input.nx, input.ny);
        return Err(fault("nx", problem, format!("use larger cells: at most {MAX_CELLS} are computed")));
    };
    within("cell_m", input.cell_m, 1e-3, 1e4, " m")?;
    for (i, origin) in input.origin_m.iter().enumerate() {
        within(format!("origin_m[{i}]"), *origin, -1e9, 1e9, " m")?;
    }
    length("bed_m", input.bed_m.len(), cells)?;
    if !input.blocked.is_empty() {
        length("blocked", input.blocked.len(), cells)?;
    }
    for (field, values) in [("manning", &input.manning), ("stage_m", &input.stage_m)] {
        if let Field::Cells(values) = values {
            length(field, values.len(), cells)?;
        }
    }
    let hole = input.bed_m.iter().position(|bed| !bed.is_finite());
    hole.map_or(Ok(()), |i| {
        let mend = "fill the gaps of the terrain, also under buildings";
        Err(fault(format!("bed_m[{i}]"), format!("is {}", input.bed_m[i]), mend))
    })
}

fn series(field: &str, series: &Series, low: f64, high: f64, unit: &str) -> Checked {
    let mut before = f64::NEG_INFINITY;
    for (i, &(time, value)) in series.corners.iter().enumerate() {
        if !time.is_finite() || time < before {
            let problem = format!("is at {time} s, after one at {before} s");
            return Err(fault(
                format!("{field}.corners[{i}]"),
                problem,
                "give finite times in ascending order",
            ));
        }
        before = time;
        within(format!("{field}.corners[{i}]"), value, low, high, unit)?;
    }
    Ok(())
}

impl Frame<'_> {
    fn blocked(&self, cell: usize) -> bool {
        self.input.blocked.get(cell).copied().unwrap_or(false)
    }

    /// A cell of the grid where water may stand.
    fn cell(&self, field: impl Display, cell: u32) -> Checked {
        index(field.to_string(), cell, self.cells, "cells")?;
        if self.blocked(cell as usize) {
            let problem = format!("is cell {cell}, which is blocked");
            return Err(fault(field.to_string(), problem, "name the cell beside the building"));
        }
        Ok(())
    }

    fn level(&self, field: impl Display, level: f64) -> Checked {
        within(field.to_string(), level, self.levels[0], self.levels[1], " m, near the ground")
    }

    fn fields(&self) -> Checked {
        let high = self.levels[1];
        for cell in (0..self.cells).filter(|&cell| !self.blocked(cell)) {
            if self.input.bed_m[cell] > high {
                let problem = format!("lies more than {MAX_SPAN_M} m above the lowest ground");
                return Err(fault(
                    format!("bed_m[{cell}]"),
                    problem,
                    "mend the terrain or take a smaller piece",
                ));
            }
            within(format!("manning[{cell}]"), self.input.manning.at(cell), 0.0, 1.0, " s/m^(1/3)")?;
            // Any level below the ground says dry, minus infinity too.
            within(format!("stage_m[{cell}]"), self.input.stage_m.at(cell), f64::NEG_INFINITY, high, " m")?;
        }
        Ok(())
    }

    fn stages(&self, stages: &[Stage]) -> Checked {
        ids("stages", stages.iter().map(|s| s.id.as_str()))?;
        let mut taken = BTreeSet::new();
        for (i, stage) in stages.iter().enumerate() {
            for (k, &cell) in stage.cells.iter().enumerate() {
                let field = format!("stages[{i}].cells[{k}]");
                self.cell(&field, cell)?;
                if !taken.insert(cell) {
                    return Err(fault(
                        field,
                        format!("is cell {cell} once more"),
                        "impose one level on a cell",
                    ));
                }
            }
            let field = format!("stages[{i}].level_m");
            if stage.level_m.corners.is_empty() {
                return Err(fault(field, "has no corners", "give at least one time and level"));
            }
            series(&field, &stage.level_m, self.levels[0], self.levels[1], " m")?;
        }
        Ok(())
    }

    fn barriers(&self, barriers: &[Barrier]) -> Checked {
        ids("barriers", barriers.iter().map(|b| b.id.as_str()))?;
        let nx = self.input.nx;
        for (i, barrier) in barriers.iter().enumerate() {
            let height = barrier.height_m;
            if height != f64::INFINITY {
                within(
                    format!("barriers[{i}].height_m"),
                    height,
                    0.0,
                    MAX_SPAN_M,
                    " m, or infinite for a wall",
                )?;
            }
            for (k, &face) in barrier.faces.iter().enumerate() {
                let field = format!("barriers[{i}].faces[{k}]");
                let (Face::East(cell) | Face::North(cell)) = face;
                index(field.clone(), cell, self.cells, "cells")?;
                let outside = match face {
                    Face::East(cell) => (cell as usize + 1).is_multiple_of(nx),
                    Face::North(cell) => cell as usize + nx >= self.cells,
                };
                if outside {
                    return Err(fault(field, "lies on the edge of the grid", "leave it out: see `edges`"));
                }
            }
        }
        Ok(())
    }

    fn rooms(&self, rooms: &[Room]) -> Checked {
        ids("rooms", rooms.iter().map(|r| r.id.as_str()))?;
        let quantum_m3 = quantum::DEPTH_M * self.input.cell_m * self.input.cell_m;
        for (i, room) in rooms.iter().enumerate() {
            self.level(format!("rooms[{i}].floor_m"), room.floor_m)?;
            within(format!("rooms[{i}].area_m2"), room.area_m2, 1e-3, 1e6, " m²")?;
            within(format!("rooms[{i}].height_m"), room.height_m, 0.0, 100.0, " m")?;
            if room.area_m2 * room.height_m / quantum_m3 > (1_u64 << 62) as f64 {
                let problem = format!("makes a room of {} m³", room.area_m2 * room.height_m);
                let mend = format!("use smaller rooms or cells larger than {} m", self.input.cell_m);
                return Err(fault(format!("rooms[{i}].area_m2"), problem, mend));
            }
        }
        Ok(())
    }

    fn end(&self, field: impl Display, end: End) -> Checked {
        match end {
            End::Cell(cell) => self.cell(field, cell),
            End::Room(room) => index(field.to_string(), room, self.input.rooms.len(), "rooms"),
        }
    }

    fn links(&self, links: &[Link]) -> Checked {
        ids("links", links.iter().map(|l| l.id.as_str()))?;
        for (i, link) in links.iter().enumerate() {
            self.end(format!("links[{i}].a"), link.a)?;
            self.end(format!("links[{i}].b"), link.b)?;
            if link.a == link.b {
                return Err(fault(format!("links[{i}].b"), "is the same as `a`", "join two different sides"));
            }
            self.level(format!("links[{i}].sill_m"), link.sill_m)?;
            within(format!("links[{i}].width_m"), link.width_m, 0.0, 1e3, " m")?;
            within(format!("links[{i}].height_m"), link.height_m, 0.0, f64::INFINITY, " m")?;
            within(format!("links[{i}].open"), link.open, 0.0, 1.0, "")?;
        }
        Ok(())
    }

    fn drains(&self, drains: &[Drain]) -> Checked {
        ids("drains", drains.iter().map(|d| d.id.as_str()))?;
        for (i, drain) in drains.iter().enumerate() {
            for (k, inlet) in drain.inlets.iter().enumerate() {
                let field = |name: &str| format!("drains[{i}].inlets[{k}].{name}");
                self.cell(field("cell"), inlet.cell)?;
                within(field("perimeter_m"), inlet.perimeter_m, 0.0, 1e4, " m")?;
                within(field("area_m2"), inlet.area_m2, 0.0, 1e4, " m²")?;
            }
            within(format!("drains[{i}].capacity_m3_s"), drain.capacity_m3_s, 0.0, 1e4, " m³/s")?;
            self.level(format!("drains[{i}].outfall_m"), drain.outfall_m)?;
            within(format!("drains[{i}].design_head_m"), drain.design_head_m, 1e-3, MAX_SPAN_M, " m")?;
            if let Some(outside) = drain.outside {
                index(format!("drains[{i}].outside"), outside, self.input.stages.len(), "stages")?;
            }
        }
        Ok(())
    }

    fn pumps(&self, pumps: &[Pump]) -> Checked {
        ids("pumps", pumps.iter().map(|p| p.id.as_str()))?;
        for (i, pump) in pumps.iter().enumerate() {
            let to = format!("pumps[{i}].to");
            match (pump.from, pump.to) {
                (PumpFrom::Drain(drain), to_end) => {
                    index(format!("pumps[{i}].from"), drain, self.input.drains.len(), "drains")?;
                    if to_end.is_some() {
                        let problem =
                            "is given, but the pump of a drain lifts its water to the drain's outside";
                        return Err(fault(to, problem, "leave it out"));
                    }
                }
                (PumpFrom::End(from), Some(end)) if from == end => {
                    return Err(fault(to, "is where the pump takes from", "name another place, or none"));
                }
                (PumpFrom::End(from), _) => self.end(format!("pumps[{i}].from"), from)?,
            }
            if let Some(end) = pump.to {
                self.end(to, end)?;
            }
            within(format!("pumps[{i}].capacity_m3_s"), pump.capacity_m3_s, 0.0, 1e4, " m³/s")?;
        }
        Ok(())
    }
}
