//! `campanile import osm`, `import points`: from what a school has to a campus folder.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use campanile_import::osm::{self, MAX_OSM_BYTES, Options, TERRAIN_FILE};
use campanile_import::{Findings, points};
use clap::{Args, Subcommand, ValueEnum};

use crate::failure::Failure;

#[derive(Subcommand)]
pub enum ImportCommand {
    /// Make a campus folder of an OpenStreetMap extract (OSM XML).
    #[command(after_help = "Examples:\n  campanile import osm map.osm --out my-school\n  \
        campanile import osm map.osm --out my-school --rooms auto --zone Asia/Shanghai --name 'My School'\n\n\
        Get an extract at openstreetmap.org → Export, or from Overpass with [out:xml] and `out geom;`.\n\
        What is broken in the map is reported and survived; docs/import.md says what becomes of which tag.\n\
        Exit code 0: made; 2: the file can't be used, or DIR would be overwritten.")]
    Osm(OsmArgs),
    /// Add points and bindings to a campus from a list (CSV with a header).
    #[command(
        after_help = "Examples:\n  campanile import points --template --campus my-school > points.csv\n  \
        campanile import points points.csv --campus my-school --dry-run\n\n\
        docs/import.md lists the columns. Exit code 0: added; 1: problems in the list, nothing was changed."
    )]
    Points(PointsArgs),
}

#[derive(Args)]
pub struct OsmArgs {
    /// The OSM XML file.
    file: PathBuf,
    /// The folder to make.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The name of the campus, where the map's isn't wanted.
    #[arg(long)]
    name: Option<String>,
    /// Divide storeys into rooms, corridors and stairs, or leave each as one space.
    #[arg(long, value_enum, default_value = "none")]
    rooms: Rooms,
    /// Leave out buildings, trees and objects outside of the school's area.
    #[arg(long)]
    only_campus: bool,
    /// The IANA time zone, such as Asia/Shanghai; where left out, by a rough rule from the place.
    #[arg(long)]
    zone: Option<String>,
    /// A weather file (EPW) to copy into DIR: simulated devices and rehearsals need one.
    #[arg(long, value_name = "FILE")]
    weather: Option<PathBuf>,
    /// Overwrite campus.toml, plan.json and terrain.tif in DIR.
    #[arg(long)]
    force: bool,
    /// Print what was made and found as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rooms {
    /// Each storey is one space.
    None,
    /// Rooms along corridors, doors, windows, stairs.
    Auto,
}

#[derive(Args)]
pub struct PointsArgs {
    /// The list: CSV in UTF-8, the first line names the columns.
    #[arg(required_unless_present = "template")]
    file: Option<PathBuf>,
    /// The folder of the campus.
    #[arg(long, value_name = "DIR", required_unless_present = "template")]
    campus: Option<PathBuf>,
    /// Say what would be added and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print an example list that explains its columns; with --campus, for rooms of that campus.
    #[arg(long)]
    template: bool,
    /// Print what was added, or the problems, as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(command: ImportCommand) -> Result<ExitCode, Failure> {
    match command {
        ImportCommand::Osm(args) => import_osm(args),
        ImportCommand::Points(args) => import_points(args),
    }
}

/// Reads a file of at most `limit` bytes, and one more if there are more.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let done = File::open(path).and_then(|f| f.take(limit + 1).read_to_end(&mut bytes));
    done.map(|_| bytes).map_err(|why| {
        Failure::input(format!("can't read {}: {why}", path.display()))
            .mend("name a file that exists and can be read")
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    // Written beside and moved, so that a full disk leaves no half a campus.
    let beside = path.with_extension("part");
    std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path)).map_err(|why| {
        let _ = std::fs::remove_file(&beside);
        Failure::input(format!("can't write {}: {why}", path.display()))
            .mend("name a folder that can be written to")
    })
}

/// The weather's file beside campus.toml.
const WEATHER_FILE: &str = "weather.epw";

/// An EPW file that can be used.
fn weather(path: &Path, out: &Path) -> Result<String, Failure> {
    let fault = |why: String| {
        Failure::input(format!("{}: {why}", path.display()))
            .mend(format!("give an EnergyPlus weather file (EPW) of the place, or leave --weather out and put it into {} later", out.display()))
    };
    let bytes = read(path, 64 << 20)?;
    let text = String::from_utf8(bytes).map_err(|_| fault("it isn't UTF-8".to_owned()))?;
    campanile_formats::epw::read(&text).map_err(|why| fault(why.to_string()))?;
    Ok(text)
}

fn import_osm(args: OsmArgs) -> Result<ExitCode, Failure> {
    use campanile_model::{CAMPUS_FILE, PLAN_FILE};
    let mut files = vec![CAMPUS_FILE, PLAN_FILE, TERRAIN_FILE];
    files.extend(args.weather.as_ref().map(|_| WEATHER_FILE));
    let there: Vec<&str> = files.iter().copied().filter(|f| args.out.join(f).exists()).collect();
    if !there.is_empty() && !args.force {
        return Err(Failure::input(format!("{} already has {}", args.out.display(), there.join(", ")))
            .mend("name another folder with --out, or overwrite with --force"));
    }
    if args.out.exists() && !args.out.is_dir() {
        return Err(Failure::input(format!("{} is not a folder", args.out.display()))
            .mend("name a folder with --out"));
    }
    if let Some(zone) = args.zone.as_deref().filter(|z| jiff::tz::TimeZone::get(z).is_err()) {
        return Err(Failure::input(format!("'{zone}' is no time zone of the IANA database"))
            .mend("write it such as Asia/Shanghai, Europe/London or America/New_York"));
    }
    let bytes = read(&args.file, MAX_OSM_BYTES)?;
    let weather = args.weather.as_deref().map(|path| weather(path, &args.out)).transpose()?;
    let zone_told = args.zone.is_some();
    let options = Options {
        name: args.name,
        most_floor_m2: None,
        rooms: args.rooms == Rooms::Auto,
        only_campus: args.only_campus,
        zone: args.zone,
        weather: weather.as_ref().map(|_| WEATHER_FILE.to_owned()),
    };
    let made = osm::import(&bytes, &options)
        .map_err(|why| Failure::input(format!("{}: {why}", args.file.display())).mend(why.mend))?;
    let plan = serde_json::to_vec(&made.plan)
        .map_err(|why| Failure::input(format!("the plan can't be written: {why}")))?;
    let terrain = campanile_formats::geotiff::write(&made.terrain)
        .map_err(|why| Failure::input(format!("the terrain can't be written: {why}")))?;
    std::fs::create_dir_all(&args.out).map_err(|why| {
        Failure::input(format!("can't make {}: {why}", args.out.display()))
            .mend("name a folder that can be made with --out")
    })?;
    write(&args.out.join(TERRAIN_FILE), &terrain)?;
    if let Some(text) = weather {
        write(&args.out.join(WEATHER_FILE), text.as_bytes())?;
    }
    write(&args.out.join(PLAN_FILE), &plan)?;
    write(&args.out.join(CAMPUS_FILE), made.campus_toml.as_bytes())?;
    let counts = serde_json::to_value(&made.counts).unwrap_or_default();
    if args.json {
        println!(
            "{}",
            serde_json::json!({
                "dir": args.out, "files": files, "names": made.names, "timezone": made.timezone,
                "latitude_deg": made.plan.site.latitude_deg, "longitude_deg": made.plan.site.longitude_deg,
                "campus": made.campus_found, "counts": counts, "findings": made.findings,
                "attribution": osm::ATTRIBUTION,
            })
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}: {} / {}", args.out.display(), made.names.en, made.names.zh);
    for (what, count) in counts.as_object().into_iter().flatten() {
        println!("  {count:>6} {what}");
    }
    let from = if zone_told { "" } else { " (by a rough rule from the place; --zone corrects it)" };
    println!("time zone {}{from}; {}", made.timezone, osm::ATTRIBUTION);
    if made.campus_found.is_none() {
        println!("no area of a school is mapped: the boundary is the rectangle of the extract");
    }
    if made.counts.buildings == 0 {
        println!("there is no building in the extract: the campus is only its ground");
    }
    print_findings(&made.findings);
    println!(
        "next: campanile check {0}; campanile snapshot --campus {0} --out campus.png; campanile import points",
        args.out.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// One line a code, with the first that was found; `--json` has ten of each.
fn print_findings(findings: &Findings) {
    for (code, count) in &findings.counts {
        let Some(first) = findings.examples.iter().find(|f| f.code == *code) else { continue };
        let who = first.osm.map(|o| format!("{o}")).unwrap_or_default();
        let line = first.line.map(|l| format!(" (line {l})")).unwrap_or_default();
        let colon = if who.is_empty() && line.is_empty() { "" } else { ": " };
        let more = match count - 1 {
            0 => String::new(),
            more => format!(" (and {more} more like it)"),
        };
        eprintln!("note[{code}] {who}{line}{colon}{}; {}{more}", first.what, first.done);
    }
    if findings.counts.values().any(|count| *count > 1) {
        eprintln!("--json lists up to ten of each note; docs/import.md says what they mean");
    }
}

fn import_points(args: PointsArgs) -> Result<ExitCode, Failure> {
    if args.template {
        let campus = args.campus.as_deref().map(crate::campus::open).transpose()?;
        print!("{}", points::template(campus.as_deref()));
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(file), Some(dir)) = (args.file, args.campus) else {
        return Err(Failure::input("a list and a campus are needed")
            .mend("campanile import points FILE.csv --campus DIR"));
    };
    let campus = crate::campus::open(&dir)?;
    let path = dir.join(campanile_model::CAMPUS_FILE);
    let text = std::fs::read_to_string(&path)
        .map_err(|why| Failure::input(format!("can't read {}: {why}", path.display())))?;
    let bytes = read(&file, points::MAX_CSV_BYTES)?;
    let added = match points::add(&bytes, &text, &campus) {
        Ok(added) => added,
        Err(problems) => {
            if args.json {
                println!("{}", serde_json::json!({"added": 0, "problems": problems}));
            } else {
                for p in &problems {
                    let column = p.column.as_ref().map(|c| format!(", column {c}")).unwrap_or_default();
                    eprintln!(
                        "error {}:{}{column}\n  {}\n  mend: {}",
                        file.display(),
                        p.line,
                        p.what,
                        p.mend
                    );
                }
                eprintln!("{} problems; nothing was added", problems.len());
            }
            return Ok(ExitCode::from(1));
        }
    };
    checked(&dir, &added.campus_toml)?;
    if !args.dry_run {
        write(&path, added.campus_toml.as_bytes())?;
    }
    if args.json {
        println!(
            "{}",
            serde_json::json!({"added": added.points.len(), "bound": added.bound, "kinds": added.kinds,
                "points": added.points, "written": !args.dry_run, "problems": []})
        );
    } else {
        let would = if args.dry_run { "would be added" } else { "added" };
        println!("{} points {would}, {} with a topic of their own", added.points.len(), added.bound);
        if !added.kinds.is_empty() {
            println!("new kinds of point: {}", added.kinds.join(", "));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The new text has to pass the campus' own checks before it takes the old one's place.
fn checked(dir: &Path, text: &str) -> Result<(), Failure> {
    match crate::campus::errors_with(dir, text)?.into_iter().next() {
        None => Ok(()),
        Some(fault) => Err(Failure::input(format!(
            "the new campus.toml would be wrong: {} [{}]",
            fault.what, fault.code
        ))
        .mend(fault.mend)),
    }
}
