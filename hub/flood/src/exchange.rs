//! What passes between ground, rooms, drains and pumps.
//!
//! Openings are weirs until they are drowned and orifices from then on; none lets more through in a step than half of
//! what would bring both sides to one level, so nothing swings. The same number leaves one side and enters the other.

use crate::flood::Flood;
use crate::flux::{G, STILL_M, weir};
use crate::input::{Drain, End, Link, PumpFrom};

/// Discharge coefficient of an opening that is drowned: sharp-edged, after Bos (1989).
const ORIFICE: f64 = 0.6;
/// Discharge coefficients of a grating: as a weir along its rim and as an orifice over its area (FHWA HEC-22, metric).
const GRATE_WEIR: f64 = 1.66;
const GRATE_ORIFICE: f64 = 0.67;
/// An inlet takes at most this share of what stands over it in a step.
const MOST_OF_CELL: f64 = 0.5;

/// One step of everything.
pub fn run(flood: &mut Flood, dt: f64) {
    let ground = flood.ground.clone();
    for (index, link) in ground.input.links.iter().enumerate() {
        let open = flood.open[index];
        if open > 0.0 {
            through(flood, link, open, dt);
        }
    }
    for (index, drain) in ground.input.drains.iter().enumerate() {
        let pumped: f64 = ground
            .input
            .pumps
            .iter()
            .zip(&flood.on)
            .filter(|(p, on)| **on && p.from == PumpFrom::Drain(index as u32))
            .map(|(p, _)| p.capacity_m3_s)
            .sum();
        drained(flood, index, drain, pumped, dt);
    }
    for (index, pump) in ground.input.pumps.iter().enumerate() {
        let PumpFrom::End(from) = pump.from else { continue };
        flood.pumped_m3_s[index] = 0.0;
        if !flood.on[index] {
            continue;
        }
        let wanted = pump.capacity_m3_s * dt;
        let mut m3 = wanted.min(volume(flood, from));
        if let Some(to) = pump.to {
            m3 = m3.min(room_for(flood, to));
        }
        take(flood, from, m3);
        match pump.to {
            Some(to) => give(flood, to, m3),
            None => flood.ledger.pumps.add(m3),
        }
        flood.pumped_m3_s[index] = m3 / dt;
    }
}

fn area(flood: &Flood, end: End) -> f64 {
    let input = &flood.ground.input;
    match end {
        End::Cell(_) => input.cell_m * input.cell_m,
        End::Room(room) => input.rooms[room as usize].area_m2,
    }
}

fn volume(flood: &Flood, end: End) -> f64 {
    match end {
        End::Cell(cell) => flood.h[cell as usize] * area(flood, end),
        End::Room(room) => flood.rooms_m3[room as usize],
    }
}

/// The level of the water, m above datum; of a dry place its floor.
fn level(flood: &Flood, end: End) -> f64 {
    let input = &flood.ground.input;
    let floor = match end {
        End::Cell(cell) => input.bed_m[cell as usize],
        End::Room(room) => input.rooms[room as usize].floor_m,
    };
    floor + volume(flood, end) / area(flood, end)
}

/// How much more a place can take, m³.
fn room_for(flood: &Flood, end: End) -> f64 {
    match end {
        End::Cell(_) => f64::INFINITY,
        End::Room(room) => {
            let spec = &flood.ground.input.rooms[room as usize];
            (spec.area_m2 * spec.height_m - flood.rooms_m3[room as usize]).max(0.0)
        }
    }
}

/// Water leaves with the velocity it has.
fn take(flood: &mut Flood, end: End, m3: f64) {
    match end {
        End::Cell(cell) => {
            let (cell, area) = (cell as usize, area(flood, end));
            let before = flood.h[cell];
            // Taking all of it may miss nothing by the last digit.
            let after = (before - m3 / area).max(0.0);
            flood.h[cell] = after;
            let kept = if after > STILL_M { after / before } else { 0.0 };
            flood.q[cell].iter_mut().for_each(|q| *q *= kept);
        }
        End::Room(room) => {
            let left = &mut flood.rooms_m3[room as usize];
            *left = (*left - m3).max(0.0);
        }
    }
}

/// Water comes in at rest.
fn give(flood: &mut Flood, end: End, m3: f64) {
    match end {
        End::Cell(cell) => flood.h[cell as usize] += m3 / area(flood, end),
        End::Room(room) => flood.rooms_m3[room as usize] += m3,
    }
}

/// An opening: from the higher side to the lower.
fn through(flood: &mut Flood, link: &Link, open: f64, dt: f64) {
    let (la, lb) = (level(flood, link.a), level(flood, link.b));
    let (from, to, upper, lower) = if la >= lb { (link.a, link.b, la, lb) } else { (link.b, link.a, lb, la) };
    let head = upper - link.sill_m;
    if head <= 0.0 || upper <= lower {
        return;
    }
    let tail = lower - link.sill_m;
    let width = link.width_m * open;
    let m3_s = if head <= link.height_m {
        width * weir(head, tail)
    } else {
        // From the middle of the opening, or from the water behind it where that stands higher.
        let fall = head - tail.max(0.5 * link.height_m);
        ORIFICE * width * link.height_m * (2.0 * G * fall.max(0.0)).sqrt()
    };
    let (a, b) = (area(flood, from), area(flood, to));
    // Where the lower side stands below the sill, it rises to the sill before anything is held back.
    let level_out = 0.5 * (upper - lower.max(link.sill_m)) * if tail > 0.0 { a * b / (a + b) } else { a };
    let above_sill = 0.5 * (upper - link.sill_m) * a;
    let m3 =
        (m3_s * dt).min(level_out).min(above_sill).min(room_for(flood, to)).min(volume(flood, from)).max(0.0);
    take(flood, from, m3);
    give(flood, to, m3);
}

/// Inlets, their outlet and the water outside it.
fn drained(flood: &mut Flood, index: usize, drain: &Drain, pumped_m3_s: f64, dt: f64) {
    let free = flood.free[index];
    let outside = drain.outside.map(|stage| flood.stage_level_m(stage as usize));
    let tail_m = outside.map_or(drain.outfall_m, |level| level.max(drain.outfall_m));
    let bed = |flood: &Flood, cell: u32| flood.ground.input.bed_m[cell as usize];
    // What every inlet would take if the pipe behind it were empty.
    let demand = |flood: &Flood| -> Vec<f64> {
        let of = |inlet: &crate::input::Inlet| {
            let h = flood.h[inlet.cell as usize];
            if h <= STILL_M {
                return 0.0;
            }
            let as_weir = GRATE_WEIR * inlet.perimeter_m * h * h.sqrt();
            let as_orifice = GRATE_ORIFICE * inlet.area_m2 * (2.0 * G * h).sqrt();
            free * as_weir.min(as_orifice)
        };
        drain.inlets.iter().map(of).collect()
    };
    let demands = demand(flood);
    let wanted: f64 = demands.iter().sum();
    let wet = drain.inlets.iter().zip(&demands).filter(|(_, d)| **d > 0.0);
    let highest = wet
        .map(|(inlet, _)| bed(flood, inlet.cell) + flood.h[inlet.cell as usize])
        .fold(f64::NEG_INFINITY, f64::max);
    let by_gravity = if highest > tail_m {
        drain.capacity_m3_s * ((highest - tail_m) / drain.design_head_m).min(1.0).sqrt()
    } else {
        0.0
    };
    let takes = wanted.min(by_gravity + pumped_m3_s);
    let mut out_m3 = 0.0;
    if wanted > 0.0 && takes > 0.0 {
        for (inlet, demand) in drain.inlets.iter().zip(&demands) {
            let end = End::Cell(inlet.cell);
            let m3 = (takes * demand / wanted * dt).min(MOST_OF_CELL * volume(flood, end));
            take(flood, end, m3);
            flood.ledger.drains.add(m3);
            out_m3 += m3;
        }
    }
    // Without a flap the water outside comes up through every inlet that lies lower than it.
    if !drain.flap && pumped_m3_s == 0.0 {
        let low: Vec<(u32, f64)> = drain
            .inlets
            .iter()
            .map(|inlet| (inlet.cell, tail_m - (bed(flood, inlet.cell) + flood.h[inlet.cell as usize])))
            .filter(|(_, head)| *head > 0.0 && outside.is_some())
            .collect();
        for (cell, head) in &low {
            let share = drain.capacity_m3_s / drain.inlets.len() as f64;
            let m3_s = free * share * (head / drain.design_head_m).min(1.0).sqrt();
            let end = End::Cell(*cell);
            let m3 = (m3_s * dt).min(0.5 * head * area(flood, end));
            give(flood, end, m3);
            flood.ledger.drains.add(-m3);
            out_m3 -= m3;
        }
    }
    flood.outlet_m3_s[index] = out_m3 / dt;
    for (pump, spec) in flood.pumped_m3_s.iter_mut().zip(&flood.ground.input.pumps) {
        if spec.from == PumpFrom::Drain(index as u32) {
            // What gravity can't carry away, the pumps lift.
            let lifted = (out_m3 / dt - by_gravity).max(0.0);
            *pump = lifted.min(spec.capacity_m3_s);
        }
    }
}
