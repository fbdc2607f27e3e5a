//! Whether an input can be used; what is wrong with it, where, and the mend.

use crate::InputError;
use crate::input::{End, Face, Field, FloodInput, PumpFrom, Series};

/// More cells are a mistake in the unit.
const MOST_CELLS: usize = 100_000_000;

struct Check<'a> {
    input: &'a FloodInput,
}

fn wrong(field: impl Into<String>, what: impl Into<String>, mend: &'static str) -> InputError {
    InputError { field: field.into(), what: what.into(), mend }
}

fn number(field: impl Into<String>, x: f64, low: f64, high: f64) -> Result<(), InputError> {
    if (low..=high).contains(&x) {
        return Ok(());
    }
    Err(wrong(field, format!("{x} is not from {low} to {high}"), "Give SI units: metres, seconds, m³/s."))
}

/// Checks everything.
pub fn check(input: &FloodInput) -> Result<(), InputError> {
    Check { input }.all()
}

impl Check<'_> {
    fn all(&self) -> Result<(), InputError> {
        let input = self.input;
        let n = input.nx.checked_mul(input.ny).filter(|n| *n > 0 && *n <= MOST_CELLS);
        let Some(n) = n else {
            let what = format!("{} × {} cells", input.nx, input.ny);
            return Err(wrong("nx", what, "Give 1 to 100 million cells."));
        };
        number("cell_m", input.cell_m, 0.01, 10_000.0)?;
        for (axis, x) in input.origin_m.iter().enumerate() {
            number(format!("origin_m[{axis}]"), *x, -1e9, 1e9)?;
        }
        self.length("bed_m", input.bed_m.len(), n)?;
        for (i, z) in input.bed_m.iter().enumerate() {
            number(format!("bed_m[{i}]"), *z, -12_000.0, 9_000.0)?;
        }
        self.field("manning", &input.manning, n, 0.0, 10.0)?;
        self.field("stage_m", &input.stage_m, n, -1e6, 9_000.0)?;
        if !input.blocked.is_empty() {
            self.length("blocked", input.blocked.len(), n)?;
        }
        self.series("rain_m_s", &input.rain_m_s, 0.0, 1.0)?;
        self.ids()?;
        let mut taken = vec![false; n];
        for (i, stage) in input.stages.iter().enumerate() {
            self.series(&format!("stages[{i}].level_m"), &stage.level_m, -12_000.0, 9_000.0)?;
            for cell in &stage.cells {
                self.cell(&format!("stages[{i}].cells"), *cell)?;
                if std::mem::replace(&mut taken[*cell as usize], true) {
                    let what = format!("cell {cell} has two imposed levels");
                    return Err(wrong(format!("stages[{i}].cells"), what, "Give each cell to one stage."));
                }
            }
        }
        for (i, barrier) in input.barriers.iter().enumerate() {
            if barrier.height_m.is_nan() || barrier.height_m <= 0.0 {
                let what = format!("{} is no height", barrier.height_m);
                return Err(wrong(
                    format!("barriers[{i}].height_m"),
                    what,
                    "Give a height above 0; infinite is a wall.",
                ));
            }
            for face in &barrier.faces {
                let field = format!("barriers[{i}].faces");
                let (cell, inside) = match face {
                    Face::East(cell) => (*cell, *cell as usize % input.nx + 1 < input.nx),
                    Face::North(cell) => (*cell, *cell as usize / input.nx + 1 < input.ny),
                };
                // A barrier may lead up to a building and along it: only that the cell is there matters.
                if cell as usize >= n {
                    return Err(wrong(field, format!("cell {cell} of {n}"), "Cell (i, j) is at j × nx + i."));
                }
                if !inside {
                    let what = format!("the face of cell {cell} is an edge of the grid");
                    return Err(wrong(field, what, "Edges of the grid are set by `edges`."));
                }
            }
        }
        for (i, roof) in input.roofs.iter().enumerate() {
            number(format!("roofs[{i}].area_m2"), roof.area_m2, 0.0, 1e8)?;
            self.cell(&format!("roofs[{i}].to"), roof.to)?;
        }
        for (i, room) in input.rooms.iter().enumerate() {
            number(format!("rooms[{i}].floor_m"), room.floor_m, -12_000.0, 9_000.0)?;
            number(format!("rooms[{i}].area_m2"), room.area_m2, 1e-3, 1e8)?;
            number(format!("rooms[{i}].height_m"), room.height_m, 1e-3, 1e4)?;
        }
        for (i, link) in input.links.iter().enumerate() {
            let at = |field: &str| format!("links[{i}].{field}");
            self.end(&at("a"), link.a)?;
            self.end(&at("b"), link.b)?;
            if link.a == link.b {
                return Err(wrong(at("b"), "both sides are the same place", "Join two places."));
            }
            number(at("sill_m"), link.sill_m, -12_000.0, 9_000.0)?;
            number(at("width_m"), link.width_m, 0.0, 1e5)?;
            number(at("height_m"), link.height_m, 1e-3, 1e4)?;
            number(at("open"), link.open, 0.0, 1.0)?;
        }
        for (i, drain) in input.drains.iter().enumerate() {
            let at = |field: &str| format!("drains[{i}].{field}");
            for (k, inlet) in drain.inlets.iter().enumerate() {
                self.cell(&at(&format!("inlets[{k}].cell")), inlet.cell)?;
                number(at(&format!("inlets[{k}].perimeter_m")), inlet.perimeter_m, 0.0, 1e4)?;
                number(at(&format!("inlets[{k}].area_m2")), inlet.area_m2, 0.0, 1e6)?;
            }
            number(at("capacity_m3_s"), drain.capacity_m3_s, 0.0, 1e5)?;
            number(at("outfall_m"), drain.outfall_m, -12_000.0, 9_000.0)?;
            number(at("design_head_m"), drain.design_head_m, 1e-3, 1e4)?;
            if drain.outside.is_some_and(|s| s as usize >= input.stages.len()) {
                return Err(wrong(
                    at("outside"),
                    "there is no such stage",
                    "Give the index of a stage, or none.",
                ));
            }
        }
        for (i, pump) in input.pumps.iter().enumerate() {
            let at = |field: &str| format!("pumps[{i}].{field}");
            number(at("capacity_m3_s"), pump.capacity_m3_s, 0.0, 1e5)?;
            match pump.from {
                PumpFrom::End(end) => self.end(&at("from"), end)?,
                PumpFrom::Drain(drain) if drain as usize >= input.drains.len() => {
                    return Err(wrong(at("from"), "there is no such drain", "Give the index of a drain."));
                }
                PumpFrom::Drain(_) => {}
            }
            if let Some(to) = pump.to {
                self.end(&at("to"), to)?;
            }
        }
        Ok(())
    }

    fn length(&self, field: &str, got: usize, n: usize) -> Result<(), InputError> {
        if got == n {
            return Ok(());
        }
        Err(wrong(
            field,
            format!("{got} values for {n} cells"),
            "Give one a cell, row by row from the south.",
        ))
    }

    fn field(&self, name: &str, field: &Field, n: usize, low: f64, high: f64) -> Result<(), InputError> {
        match field {
            Field::Uniform(x) => number(name, *x, low, high),
            Field::Cells(all) => {
                self.length(name, all.len(), n)?;
                all.iter().enumerate().try_for_each(|(i, x)| number(format!("{name}[{i}]"), *x, low, high))
            }
        }
    }

    fn series(&self, name: &str, series: &Series, low: f64, high: f64) -> Result<(), InputError> {
        let mut last = f64::NEG_INFINITY;
        for (i, (t, y)) in series.corners.iter().enumerate() {
            if !(t.is_finite() && *t >= last) {
                let what = format!("time {t} comes before {last}");
                return Err(wrong(format!("{name}[{i}]"), what, "List the corners in order of time."));
            }
            last = *t;
            number(format!("{name}[{i}]"), *y, low, high)?;
        }
        Ok(())
    }

    fn cell(&self, field: &str, cell: u32) -> Result<(), InputError> {
        let (cell, n) = (cell as usize, self.input.nx * self.input.ny);
        if cell >= n {
            return Err(wrong(field, format!("cell {cell} of {n}"), "Cell (i, j) is at j × nx + i."));
        }
        if self.input.blocked.get(cell).copied().unwrap_or(false) {
            return Err(wrong(
                field,
                format!("cell {cell} is blocked"),
                "Name a cell where water can stand.",
            ));
        }
        Ok(())
    }

    fn end(&self, field: &str, end: End) -> Result<(), InputError> {
        match end {
            End::Cell(cell) => self.cell(field, cell),
            End::Room(room) if (room as usize) < self.input.rooms.len() => Ok(()),
            End::Room(room) => {
                Err(wrong(field, format!("there is no room {room}"), "Give the index of a room."))
            }
        }
    }

    /// What is changed by its name has to be one thing.
    fn ids(&self) -> Result<(), InputError> {
        let input = self.input;
        let lists: [(&str, Vec<&String>); 5] = [
            ("stages", input.stages.iter().map(|x| &x.id).collect()),
            ("barriers", input.barriers.iter().map(|x| &x.id).collect()),
            ("links", input.links.iter().map(|x| &x.id).collect()),
            ("drains", input.drains.iter().map(|x| &x.id).collect()),
            ("pumps", input.pumps.iter().map(|x| &x.id).collect()),
        ];
        for (list, ids) in lists {
            let mut seen = std::collections::BTreeSet::new();
            for (i, id) in ids.iter().enumerate() {
                if !seen.insert(*id) {
                    let what = format!("there are two of '{id}'");
                    return Err(wrong(format!("{list}[{i}].id"), what, "Give each a name of its own."));
                }
            }
        }
        Ok(())
    }
}
