//! Draws the engines' inputs of a campus, to look at:
//!   cargo run -p campanile-scene --example engine_inputs -- scenes/shanghai-school OUT [CELL_M [STOREY]]
//! writes `flood.png` and `crowd.png` (the spaces of the storeys of an id, such as `1f`), `flood.json` and `crowd.json`, and
//! prints what is in them.

use std::error::Error;
use std::path::Path;

use campanile_crowd::Shape;
use campanile_flood::{End, Face};
use campanile_scene::{CrowdOptions, CrowdSite, FloodOptions, FloodSite, crowd_input, flood_input};

type Rgb = [u8; 3];

/// A picture with y upwards.
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![255; width * height * 3] }
    }

    fn dot(&mut self, x: f64, y: f64, size: i64, colour: Rgb) {
        for dy in -size..=size {
            for dx in -size..=size {
                let (px, py) = (x as i64 + dx, self.height as i64 - 1 - (y as i64 + dy));
                if px >= 0 && py >= 0 && (px as usize) < self.width && (py as usize) < self.height {
                    let at = (py as usize * self.width + px as usize) * 3;
                    self.pixels[at..at + 3].copy_from_slice(&colour);
                }
            }
        }
    }

    fn line(&mut self, a: [f64; 2], b: [f64; 2], size: i64, colour: Rgb) {
        let count = ((b[0] - a[0]).abs().max((b[1] - a[1]).abs()) as usize).max(1);
        for i in 0..=count {
            let t = i as f64 / count as f64;
            self.dot(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), size, colour);
        }
    }

    fn write(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let file = std::io::BufWriter::new(std::fs::File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&self.pixels)?;
        Ok(())
    }
}

fn flood_picture(site: &FloodSite, scale: usize) -> Picture {
    let input = &site.input;
    let mut picture = Picture::new(input.nx * scale, input.ny * scale);
    let level = |c: usize| match &input.stage_m {
        campanile_flood::Field::Cells(v) => v[c],
        campanile_flood::Field::Uniform(v) => *v,
    };
    for j in 0..input.ny {
        for i in 0..input.nx {
            let c = j * input.nx + i;
            // From 2.8 m dark green to 5.2 m light.
            let t = ((input.bed_m[c] - 2.8) / 2.4).clamp(0.0, 1.0);
            let shade = |dark: f64, light: f64| (dark + t * (light - dark)) as u8;
            let colour = if input.blocked[c] {
                [120, 120, 120]
            } else if level(c) > input.bed_m[c] + 1e-6 {
                [90, 140, 220]
            } else {
                [shade(20.0, 250.0), shade(90.0, 245.0), shade(40.0, 200.0)]
            };
            for y in 0..scale {
                for x in 0..scale {
                    picture.dot((i * scale + x) as f64, (j * scale + y) as f64, 0, colour);
                }
            }
        }
    }
    let s = scale as f64;
    let pixel = |p: [f64; 2]| {
        [(p[0] - input.origin_m[0]) / input.cell_m * s, (p[1] - input.origin_m[1]) / input.cell_m * s]
    };
    for link in &input.links {
        if let (End::Cell(c), End::Room(_)) = (link.a, link.b) {
            let at = pixel(site.centre(c));
            let colour = if link.open >= 1.0 { [255, 200, 0] } else { [255, 120, 0] };
            picture.dot(at[0], at[1], 2, colour);
        }
    }
    for roof in &input.roofs {
        let at = pixel(site.centre(roof.to));
        picture.dot(at[0], at[1], 3, [160, 0, 200]);
    }
    for inlet in input.drains.iter().flat_map(|d| &d.inlets) {
        let at = pixel(site.centre(inlet.cell));
        picture.dot(at[0], at[1], 1, [0, 0, 255]);
    }
    for face in input.barriers.iter().flat_map(|b| &b.faces) {
        let (c, east) = match *face {
            Face::East(c) => (c as usize, true),
            Face::North(c) => (c as usize, false),
        };
        let (i, j) = ((c % input.nx) as f64, (c / input.nx) as f64);
        let (a, b) =
            if east { ([i + 1.0, j], [i + 1.0, j + 1.0]) } else { ([i, j + 1.0], [i + 1.0, j + 1.0]) };
        picture.line(a.map(|x| x * s), b.map(|x| x * s), 1, [230, 0, 0]);
    }
    picture
}

/// Outlines of the spaces of a storey and of the outside, doors in red, stairs in blue, goals in green.
fn crowd_picture(site: &CrowdSite, storey: &str) -> Picture {
    const SCALE: f64 = 7.0;
    let shown = |id: &str| id.starts_with("site") || id.split('/').nth(1) == Some(storey);
    let spaces = &site.input.spaces;
    let outline = |s: &campanile_crowd::Space| match &s.shape {
        Shape::Level { outline, .. } => outline.clone(),
        Shape::Stair { .. } => Vec::new(),
    };
    let all: Vec<[f64; 2]> = spaces.iter().flat_map(outline).collect();
    let low = [0, 1].map(|k: usize| all.iter().map(|p| p[k]).fold(f64::MAX, f64::min) - 1.0);
    let high = [0, 1].map(|k: usize| all.iter().map(|p| p[k]).fold(f64::MIN, f64::max) + 1.0);
    let size = [0, 1].map(|k: usize| ((high[k] - low[k]) * SCALE) as usize);
    let mut picture = Picture::new(size[0], size[1]);
    let pixel = |p: [f64; 2]| [(p[0] - low[0]) * SCALE, (p[1] - low[1]) * SCALE];
    let mut ring = |points: &[[f64; 2]], colour: Rgb| {
        for (i, a) in points.iter().enumerate() {
            picture.line(pixel(*a), pixel(points[(i + 1) % points.len()]), 0, colour);
        }
    };
    for goal in &site.input.goals {
        if goal.id.starts_with("site") {
            ring(&goal.area, [0, 170, 0]);
        }
    }
    for space in spaces.iter().filter(|s| shown(&s.id)) {
        if let Shape::Level { outline, holes, .. } = &space.shape {
            ring(outline, [60, 60, 60]);
            for hole in holes {
                ring(hole, [150, 150, 150]);
            }
        }
    }
    for space in spaces {
        if let Shape::Stair { line, .. } = &space.shape
            && space.id.ends_with(&format!("-{storey}"))
        {
            for w in line.windows(2) {
                picture.line(pixel([w[0][0], w[0][1]]), pixel([w[1][0], w[1][1]]), 1, [0, 90, 255]);
            }
        }
    }
    for door in &site.input.doors {
        for side in [&door.from, &door.to] {
            let space = &spaces[side.space as usize];
            if shown(&space.id) && matches!(space.shape, Shape::Level { .. }) {
                picture.line(pixel(side.a), pixel(side.b), 1, [230, 0, 0]);
            }
        }
    }
    picture
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(campus), Some(out)) = (args.next(), args.next()) else {
        return Err("give the campus' folder and a folder for the pictures".into());
    };
    let cell_m = args.next().map_or(Ok(2.0), |t| t.parse())?;
    let storey = args.next().unwrap_or_else(|| "1f".to_owned());
    let out = Path::new(&out);
    std::fs::create_dir_all(out)?;
    let campus = campanile_model::open(Path::new(&campus))?;
    let terrain = match &campus.plan.terrain {
        Some(name) => Some(campanile_formats::geotiff::read(&std::fs::read(campus.root_dir.join(name))?)?),
        None => None,
    };
    let site = flood_input(&campus, terrain.as_ref(), &FloodOptions { cell_m, ..FloodOptions::default() })?;
    let input = &site.input;
    println!(
        "flood: {} × {} cells of {} m from {:?}, {} blocked, {} rooms, {} links ({} to the ground), {} roof shares, {} drains, {} inlets, {} pumps, {} barriers, {} gauges",
        input.nx,
        input.ny,
        input.cell_m,
        input.origin_m,
        input.blocked.iter().filter(|b| **b).count(),
        input.rooms.len(),
        input.links.len(),
        input.links.iter().filter(|l| matches!(l.a, End::Cell(_))).count(),
        input.roofs.len(),
        input.drains.len(),
        input.drains.iter().map(|d| d.inlets.len()).sum::<usize>(),
        input.pumps.len(),
        input.barriers.len(),
        site.gauges.len(),
    );
    for d in &input.drains {
        println!(
            "{}: {:.3} m³/s, outfall {} m, head {} m, outside {:?}",
            d.id, d.capacity_m3_s, d.outfall_m, d.design_head_m, d.outside
        );
    }
    for p in &input.pumps {
        println!("{}: {:.4} m³/s from {:?} to {:?}", p.id, p.capacity_m3_s, p.from, p.to);
    }
    for b in &input.barriers {
        println!("{}: {} faces, {} m", b.id, b.faces.len(), b.height_m);
    }
    for left in &site.left_out {
        println!("left out: {}: {}", left.path, left.why);
    }
    let crowd = crowd_input(&campus, &CrowdOptions::default())?;
    let people = crowd.input.groups.iter().flat_map(|g| &g.people).map(|p| p.1).sum::<u32>();
    println!(
        "crowd: {} spaces, {} doors, {} goals, {} groups, {people} people",
        crowd.input.spaces.len(),
        crowd.input.doors.len(),
        crowd.input.goals.len(),
        crowd.input.groups.len(),
    );
    for left in &crowd.left_out {
        println!("left out: {}: {}", left.path, left.why);
    }
    for path in &crowd.unreachable {
        println!("unreachable: {path}");
    }
    std::fs::write(out.join("flood.json"), serde_json::to_vec(input)?)?;
    std::fs::write(out.join("crowd.json"), serde_json::to_vec(&crowd.input)?)?;
    crowd_picture(&crowd, &storey).write(&out.join("crowd.png"))?;
    flood_picture(&site, if cell_m < 1.5 { 4 } else { 8 }).write(&out.join("flood.png"))?;
    Ok(())
}
