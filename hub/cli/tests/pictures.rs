//! Pictures as they were when somebody last looked at them and found them good. `CAMPANILE_PICTURES=keep` keeps what is
//! drawn now as the new ones.
//!
//! A picture may differ from the one that is kept by [`MEAN`] of 255 on average, and in [`PART`] of its pixels by more than
//! [`SEEN`]: drivers round edges and glass in their own ways. That no other picture passes for it is part of the test.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The greatest mean difference of a channel, of 255.
const MEAN: f64 = 2.0;
/// What is seen as another colour, of 255.
const SEEN: i32 = 32;
/// The greatest part of such pixels.
const PART: f64 = 0.01;
/// Long after the demo school's clocks: nothing in them may depend on today.
const AT: &str = "2026-06-15T06:30:00Z";

const PICTURES: [(&str, &[&str]); 4] = [
    ("overview", &[]),
    ("storey", &["--link", "#at=teaching-a/2f/203&layer=comfort", "--lang", "zh-CN", "--dark"]),
    ("energy", &["--link", "#layer=energy", "--pane", "energy"]),
    ("night", &["--at", "2026-06-15T11:40:00Z", "--link", "#at=dormitory"]),
];

struct Picture {
    size: (u32, u32),
    rgb: Vec<u8>,
}

fn read(path: &Path) -> Picture {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    rgb.truncate(info.buffer_size());
    Picture { size: (info.width, info.height), rgb }
}

/// The mean difference, and the part of pixels that are seen to differ.
fn difference(a: &Picture, b: &Picture) -> (f64, f64) {
    assert_eq!(a.size, b.size);
    let channel = |(x, y): (&u8, &u8)| (i32::from(*x) - i32::from(*y)).abs();
    let pixels = a.rgb.chunks(3).zip(b.rgb.chunks(3));
    let worst = pixels.map(|(a, b)| a.iter().zip(b).map(channel).max().unwrap_or(0));
    let seen = worst.filter(|d| *d > SEEN).count() as f64 * 3.0 / a.rgb.len() as f64;
    let sum: f64 = a.rgb.iter().zip(&b.rgb).map(|pair| f64::from(channel(pair))).sum();
    (sum / a.rgb.len() as f64, seen)
}

fn is_same((mean, seen): (f64, f64)) -> bool {
    mean <= MEAN && seen <= PART
}

fn draw(name: &str, args: &[&str], dir: &Path) -> PathBuf {
    let out = dir.join(format!("{name}.png"));
    let at: &[&str] = if args.contains(&"--at") { &[] } else { &["--at", AT] };
    let drawn = Command::new(env!("CARGO_BIN_EXE_campanile"))
        .args(["snapshot", "--size", "960x600", "--out"])
        .arg(&out)
        .args(at)
        .args(args)
        .output()
        .unwrap();
    assert!(drawn.status.success(), "{name}: {}", String::from_utf8_lossy(&drawn.stderr));
    out
}

#[test]
#[ignore = "draws, which takes minutes without a graphics processor; scripts/verify.sh runs it"]
fn pictures_are_as_they_were_found_good() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pictures");
    let dir = tempfile::tempdir().unwrap();
    let keeps = std::env::var("CAMPANILE_PICTURES").is_ok_and(|v| v == "keep");
    let mut drawn = Vec::new();
    for (name, args) in PICTURES {
        let out = draw(name, args, dir.path());
        if keeps {
            std::fs::copy(&out, kept.join(format!("{name}.png"))).unwrap();
        }
        drawn.push((name, read(&out)));
    }
    let mut wrong = Vec::new();
    for (name, _) in PICTURES {
        let good = read(&kept.join(format!("{name}.png")));
        for (other, picture) in &drawn {
            let how = difference(&good, picture);
            println!("{name} kept, {other} drawn: mean {:.2}, seen {:.4}", how.0, how.1);
            if is_same(how) != (name == *other) {
                wrong.push(format!(
                    "{name} as kept and {other} as drawn: mean {:.2}, seen {:.4}",
                    how.0, how.1
                ));
            }
        }
    }
    let keep = std::env::temp_dir().join("campanile-pictures");
    if !wrong.is_empty() {
        std::fs::create_dir_all(&keep).unwrap();
        for (name, _) in PICTURES {
            std::fs::copy(dir.path().join(format!("{name}.png")), keep.join(format!("{name}.png"))).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}\nwhat was drawn is in {}", keep.display());
}
