//! Maps: cells as a picture inside an SVG, the campus as lines above it.

use std::fmt::Write as _;

use campanile_model::Names;

use super::safe;
use crate::outcome::{Outline, WaterMap};

/// Depths from which a colour is used, cm, and the colour.
const DEPTHS: [(u16, [u8; 3]); 6] = [
    (5, [198, 224, 244]),
    (10, [146, 197, 233]),
    (20, [88, 160, 214]),
    (40, [42, 118, 186]),
    (80, [16, 74, 146]),
    (150, [58, 26, 104]),
];
/// Minutes until which a colour is used, and the colour.
const ARRIVALS: [(u16, [u8; 3]); 6] = [
    (15, [122, 4, 3]),
    (30, [201, 61, 18]),
    (60, [243, 132, 44]),
    (90, [252, 191, 92]),
    (120, [250, 228, 160]),
    (u16::MAX - 1, [214, 226, 230]),
];
const RIVER: [u8; 3] = [176, 200, 216];
/// The height of a label, m on the map.
const LABEL: f64 = 5.0;

pub(super) fn depth(
    water: &WaterMap,
    outlines: &[Outline],
    name: &dyn Fn(&Names) -> String,
    title: &str,
    unit: &str,
) -> String {
    let colour = |cell: usize| {
        let cm = water.max_cm.get(cell).copied().unwrap_or(0);
        DEPTHS.iter().rev().find(|(from, _)| cm >= *from).map(|(_, c)| *c)
    };
    let key = DEPTHS.iter().map(|(from, c)| (format!("≥ {:.2} {unit}", f64::from(*from) / 100.0), *c));
    picture(water, outlines, name, title, &colour, &key.collect::<Vec<_>>())
}

pub(super) fn arrival(
    water: &WaterMap,
    outlines: &[Outline],
    name: &dyn Fn(&Names) -> String,
    title: &str,
    unit: &str,
) -> String {
    let colour = |cell: usize| {
        let minute = water.arrival_min.get(cell).copied().unwrap_or(u16::MAX);
        ARRIVALS.iter().find(|(until, _)| minute <= *until).map(|(_, c)| *c)
    };
    let last = ARRIVALS.len() - 1;
    let key = ARRIVALS.iter().enumerate().map(|(i, (until, c))| {
        let text =
            if i == last { format!("> {} {unit}", ARRIVALS[i - 1].0) } else { format!("≤ {until} {unit}") };
        (text, *c)
    });
    picture(water, outlines, name, title, &colour, &key.collect::<Vec<_>>())
}

fn picture(
    water: &WaterMap,
    outlines: &[Outline],
    name: &dyn Fn(&Names) -> String,
    title: &str,
    colour: &dyn Fn(usize) -> Option<[u8; 3]>,
    key: &[(String, [u8; 3])],
) -> String {
    let (nx, ny) = (water.nx, water.ny);
    let mut rivers = vec![false; nx * ny];
    for cell in &water.waters {
        if let Some(is) = rivers.get_mut(*cell as usize) {
            *is = true;
        }
    }
    // Rows of a picture go down, those of the grid go north.
    let mut pixels = Vec::with_capacity(nx * ny * 4);
    for row in (0..ny).rev() {
        let cells = rivers.iter().enumerate().skip(row * nx).take(nx);
        for (cell, is_river) in cells {
            match if *is_river { Some(RIVER) } else { colour(cell) } {
                Some([r, g, b]) => pixels.extend([r, g, b, 255]),
                None => pixels.extend([0; 4]),
            }
        }
    }
    let (width, height) = (nx as f64 * water.cell_m, ny as f64 * water.cell_m);
    let mut out = String::new();
    let _ = write!(
        out,
        "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\" aria-label=\"{0}\"><rect width=\"100%\" height=\"100%\" fill=\"#f4f2ec\"/><image width=\"{width:.1}\" height=\"{height:.1}\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>",
        safe(title),
        base64(&png(nx as u32, ny as u32, &pixels))
    );
    for outline in outlines {
        let (stroke, fill, wide) = match outline.kind.as_str() {
            "building" => ("#4a4f57", "#d8d4cc", 0.5),
            "barrier" => ("#b3261e", "none", 1.2),
            "water" => ("#5a86a8", "none", 0.5),
            _ => ("#8a8f97", "none", 0.6),
        };
        let mut points = String::new();
        for [x, y] in &outline.corners_m {
            let _ = write!(points, "{:.1},{:.1} ", x - water.origin_m[0], height - (y - water.origin_m[1]));
        }
        let shape = if outline.corners_m.len() > 2 { "polygon" } else { "polyline" };
        let _ = write!(
            out,
            "<{shape} points=\"{points}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"{wide}\"><title>{}</title></{shape}>",
            safe(&name(&outline.names))
        );
    }
    let buildings = outlines.iter().filter(|o| o.kind == "building" && !o.corners_m.is_empty());
    let labels = buildings.map(|outline| {
        let n = outline.corners_m.len() as f64;
        let (sx, sy) = outline.corners_m.iter().fold((0.0, 0.0), |(x, y), c| (x + c[0], y + c[1]));
        let middle = [sx / n - water.origin_m[0], height - (sy / n - water.origin_m[1])];
        (area(&outline.corners_m), middle, name(&outline.names))
    });
    for ([x, y], text) in apart(labels.collect(), [width, height]) {
        let _ = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" style=\"font-size:{LABEL}px;fill:#33383f\">{}</text>",
            safe(&text)
        );
    }
    out.push_str("</svg><div class=\"key\">");
    for (text, [r, g, b]) in key {
        let _ = write!(out, "<span><i style=\"background:#{r:02x}{g:02x}{b:02x}\"></i>{}</span>", safe(text));
    }
    out.push_str("</div></figure>");
    out
}

/// The area inside of corners, m².
fn area(corners: &[[f64; 2]]) -> f64 {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|([x, y], [u, v])| x * v - u * y).sum::<f64>().abs() / 2.0
}

/// Labels with the areas and middles of what they name, moved so that none lies on another or leaves the picture: the
/// largest first, each at its middle or a little above or below. One that finds no room is left out; the outline says
/// its name under the pointer.
fn apart(mut labels: Vec<(f64, [f64; 2], String)>, [width, height]: [f64; 2]) -> Vec<([f64; 2], String)> {
    labels.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut placed: Vec<([f64; 2], f64, String)> = Vec::new();
    for (_, [x, y], text) in labels {
        // Latin letters are about half as wide as high, Chinese characters as wide.
        let half = text.chars().map(|c| if c.is_ascii() { 0.27 } else { 0.5 }).sum::<f64>() * LABEL;
        let x = x.clamp(half.min(width / 2.0), (width - half).max(width / 2.0));
        let free = |y: f64| {
            let inside = (LABEL..=height).contains(&y);
            inside && placed.iter().all(|([u, v], w, _)| (x - u).abs() >= half + w || (y - v).abs() >= LABEL)
        };
        let steps = [0.0, 1.1, -1.1, 2.2, -2.2];
        if let Some(y) = steps.iter().map(|step| y + step * LABEL).find(|y| free(*y)) {
            placed.push(([x, y], half, text));
        }
    }
    placed.into_iter().map(|(at, _, text)| (at, text)).collect()
}

/// A picture of four bytes a pixel as PNG.
fn png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    // Writing to memory fails only where the sizes disagree, and they are ours: the map is then left empty.
    let wrote = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    if wrote.is_err() {
        out.clear();
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |w, b| (w << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn labels_keep_apart_and_inside() {
        let label = |area: f64, at: [f64; 2], text: &str| (area, at, text.to_owned());
        let placed = super::apart(
            vec![
                label(20.0, [50.0, 50.0], "Guard house"),
                label(900.0, [50.0, 51.0], "Teaching block A"),
                label(30.0, [52.0, 49.0], "自行车棚"),
                label(10.0, [99.0, 2.0], "门卫"),
                label(1.0, [50.0, 50.0], "One too many"),
                label(0.9, [50.0, 50.0], "Another"),
                label(0.8, [50.0, 50.0], "And another"),
            ],
            [100.0, 80.0],
        );
        assert_eq!(
            placed[0],
            ([50.0, 51.0], "Teaching block A".to_owned()),
            "the largest stands where it should"
        );
        assert!(placed.len() < 7, "no room for all");
        for (i, ([x, y], text)) in placed.iter().enumerate() {
            assert!((5.0..=80.0).contains(y) && (5.0..=95.0).contains(x), "{text} leaves the picture");
            for ([u, v], other) in &placed[..i] {
                assert!((y - v).abs() >= 5.0 || (x - u).abs() >= 15.0, "{text} lies on {other}");
            }
        }
    }

    #[test]
    fn bytes_in_base_64() {
        // RFC 4648, section 10.
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in cases {
            assert_eq!(super::base64(bytes.as_bytes()), text);
        }
    }
}
