//! `campanile check`, `scene build`, `schema`: from a campus folder to what is derived from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use campanile_model::{
    Accumulation, Binding, Campus, Loaded, Place, Point, Problem, Severity, SparkplugMetric, ValueType,
};
use clap::{Args, ValueEnum};

use crate::failure::Failure;

#[derive(Args)]
pub struct CheckArgs {
    /// The folder with campus.toml and plan.json.
    dir: PathBuf,
    /// Print the problems and the counts as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct SceneBuildArgs {
    /// The folder with campus.toml and plan.json.
    dir: PathBuf,
    /// Where to write; campus.glb in the folder where left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print what was built as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct SchemaArgs {
    /// Which format.
    format: SchemaFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum SchemaFormat {
    Plan,
    Campus,
}

/// Reads a campus with the files that it names.
pub fn load(dir: &Path) -> Loaded {
    let mut loaded = campanile_model::load(dir);
    if let Some(campus) = &loaded.campus {
        let problems = [
            campanile_server::terrain(campus).err().zip(campus.plan.terrain.as_deref()).map(|(why, name)| {
                let mend = "It has to be a GeoTIFF of one band of numbers, such as gdal_translate -ot Float32 writes.";
                ("terrain", name, why.to_string(), mend)
            }),
            campus.weather_file.as_deref().and_then(|name| {
                let why = campanile_server::weather(campus).err()?;
                Some(("weather", name, why.to_string(), "It has to be an EnergyPlus weather file (EPW) of a whole year."))
            }),
        ];
        for (code, name, what, mend) in problems.into_iter().flatten() {
            loaded.problems.push(Problem {
                severity: Severity::Error,
                code,
                file: dir.join(name),
                place: Place::Whole,
                what,
                mend: mend.to_owned(),
            });
        }
    }
    if loaded.problems.iter().any(|p| p.severity == Severity::Error) {
        loaded.campus = None;
    }
    loaded
}

/// Reads a campus or prints every problem that keeps it from being used.
pub fn open(dir: &Path) -> Result<Arc<Campus>, Failure> {
    let loaded = load(dir);
    match loaded.campus {
        Some(campus) => Ok(Arc::new(campus)),
        None => {
            print_problems(&loaded.problems);
            Err(Failure::input(format!("the campus in {} can't be used", dir.display()))
                .mend("mend the errors above; `campanile check` shows them again"))
        }
    }
}

/// Reads the terrain that the plan names, if it names one.
pub fn terrain(campus: &Campus) -> Result<Option<campanile_formats::Grid>, Failure> {
    campanile_server::terrain(campus).map_err(|why| Failure::input(why.to_string()))
}

/// The errors that a campus would have with another campus.toml.
pub fn errors_with(dir: &Path, campus_toml: &str) -> Result<Vec<Problem>, Failure> {
    let path = dir.join(campanile_model::PLAN_FILE);
    let plan = std::fs::read(&path).map_err(|why| Failure::input(format!("{}: {why}", path.display())))?;
    let problems = campanile_model::load_bytes(dir, &plan, campus_toml.as_bytes()).problems;
    Ok(problems.into_iter().filter(|p| p.severity == Severity::Error).collect())
}

/// Writes a file anew as one step, keeping what was there beside it as `.bak`.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (new, old) = (path.with_file_name(format!("{name}.new")), path.with_file_name(format!("{name}.bak")));
    let write = || {
        std::fs::copy(path, &old)?;
        let mut file = std::fs::File::create(&new)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    write()
        .map_err(|why| Failure::input(format!("{} can't be written: {why}; it is as it was", path.display())))
}

pub fn check(args: CheckArgs) -> Result<ExitCode, Failure> {
    let loaded = load(&args.dir);
    let errors = loaded.problems.iter().filter(|p| p.severity == Severity::Error).count();
    let warnings = loaded.problems.len() - errors;
    if args.json {
        let problems: Vec<_> = loaded.problems.iter().map(problem_json).collect();
        let counts = loaded.campus.as_ref().map(counts);
        println!(
            "{}",
            serde_json::json!({"errors": errors, "warnings": warnings, "problems": problems, "campus": counts})
        );
    } else {
        print_problems(&loaded.problems);
        if let Some(campus) = &loaded.campus {
            println!("{}: {} / {}", campus.id, campus.names.en, campus.names.zh);
            if let Some(counts) = counts(campus).as_object() {
                for (what, count) in counts {
                    println!("  {count:>6} {what}");
                }
            }
        }
        let number = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        println!("{}, {}", number(errors, "error"), number(warnings, "warning"));
    }
    Ok(ExitCode::from(u8::from(errors > 0)))
}

fn counts(campus: &Campus) -> serde_json::Value {
    let plan = &campus.plan;
    let storeys = || plan.buildings.iter().flat_map(|b| &b.storeys);
    serde_json::json!({
        "buildings": plan.buildings.len(),
        "storeys": storeys().count(),
        "spaces": storeys().map(|s| s.spaces.len()).sum::<usize>(),
        "openings": storeys().map(|s| s.openings.len()).sum::<usize>(),
        "trees": plan.outside.trees.len(),
        "entities": campus.entities.len(),
        "points": campus.points.len(),
        "points bound": campus.points.iter().filter(|p| p.binding.is_some()).count(),
        "network nodes": campus.networks.iter().map(|n| n.nodes.len()).sum::<usize>(),
    })
}

fn problem_json(problem: &Problem) -> serde_json::Value {
    let place = match &problem.place {
        Place::Whole => serde_json::Value::Null,
        Place::Line { line, column } => serde_json::json!({"line": line, "column": column}),
        Place::Pointer(pointer) => serde_json::json!({"pointer": pointer}),
    };
    serde_json::json!({
        "severity": problem.severity.to_string(), "code": problem.code, "file": problem.file,
        "place": place, "what": problem.what, "mend": problem.mend,
    })
}

/// Problems of one code that are printed; one mistake in a template can make a hundred.
const PRINTED_A_CODE: usize = 10;

/// Prints each problem with its place, the line it is on where the file has lines, and its mend.
pub fn print_problems(problems: &[Problem]) {
    let mut counts: BTreeMap<(&Path, &str), usize> = BTreeMap::new();
    for problem in problems {
        let count = counts.entry((&problem.file, problem.code)).or_default();
        *count += 1;
        if *count > PRINTED_A_CODE {
            continue;
        }
        eprint!("{}[{}] {}", problem.severity, problem.code, problem.file.display());
        match &problem.place {
            Place::Whole => eprintln!(),
            Place::Pointer(pointer) => eprintln!("#{pointer}"),
            Place::Line { line, column } => {
                eprintln!(":{line}:{column}");
                let text = std::fs::read_to_string(&problem.file).unwrap_or_default();
                if let Some(text) = text.lines().nth(line.saturating_sub(1)).filter(|t| t.len() < 200) {
                    eprintln!("  {line} | {text}");
                    let margin = line.to_string().len() + 4 + column;
                    eprintln!("{:>margin$}", "^");
                }
            }
        }
        eprintln!("  {}\n  mend: {}", problem.what, problem.mend);
    }
    for ((file, code), count) in counts.into_iter().filter(|(_, count)| *count > PRINTED_A_CODE) {
        let more = count - PRINTED_A_CODE;
        eprintln!("and {more} more [{code}] in {}; `campanile check --json` lists all", file.display());
    }
}

pub fn scene_build(args: SceneBuildArgs) -> Result<ExitCode, Failure> {
    let campus = open(&args.dir)?;
    let terrain = terrain(&campus)?;
    let glb =
        campanile_scene::build(&campus, terrain.as_ref()).map_err(|why| Failure::input(why.to_string()))?;
    let out = args.out.unwrap_or_else(|| args.dir.join("campus.glb"));
    std::fs::write(&out, &glb.bytes).map_err(|why| {
        Failure::input(format!("can't write {}: {why}", out.display()))
            .mend("name a file that can be written with --out")
    })?;
    let stats = serde_json::to_value(glb.stats).unwrap_or_default();
    if args.json {
        println!("{}", serde_json::json!({"file": out, "bytes": glb.bytes.len(), "stats": stats}));
    } else {
        println!("{}: {:.1} MB", out.display(), glb.bytes.len() as f64 / 1e6);
        for (what, count) in stats.as_object().into_iter().flatten() {
            println!("  {count:>8} {what}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub fn schema(args: SchemaArgs) -> Result<ExitCode, Failure> {
    let schema = match args.format {
        SchemaFormat::Plan => campanile_model::plan_schema(),
        SchemaFormat::Campus => campanile_model::campus_schema(),
    };
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}

#[derive(Args)]
pub struct PointsArgs {
    /// Which points: a glob over their paths, such as `canteen/**` or `**/energy`.
    #[arg(default_value = "**")]
    glob: String,
    #[command(flatten)]
    campus: crate::CampusDir,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Where a point is in the field: its topic, or group, node, device and metric of Sparkplug B.
fn in_the_field(binding: &Binding) -> String {
    match &binding.sparkplug {
        None => binding.topic.clone(),
        Some(SparkplugMetric { group, node, device, metric }) => {
            let device = device.as_ref().map(|device| format!("/{device}")).unwrap_or_default();
            format!("Sparkplug {group}/{node}{device} '{metric}'")
        }
    }
}

/// What values a point has, in a word: its unit, or what else they are.
fn values(point: &Point) -> String {
    match point.value_type {
        ValueType::Number => point.unit.clone(),
        ValueType::Bool => "on/off".to_owned(),
        ValueType::Choice => point.choices.iter().map(|c| c.id.as_str()).collect::<Vec<_>>().join("|"),
        ValueType::Text => "text".to_owned(),
    }
}

/// Lists the points of a campus; those with a star can be commanded.
pub fn points(args: PointsArgs) -> Result<ExitCode, Failure> {
    let campus = open(&args.campus.resolve()?)?;
    campanile_model::Glob::new(&args.glob).map_err(|why| {
        Failure::input(format!("'{}': {why}", args.glob))
            .mend("such as 'canteen/**' or '**/energy', in quotes")
    })?;
    let found = campus.points_matching(&args.glob);
    let accumulation = |a: &Accumulation| match a {
        Accumulation::Gauge => "gauge",
        Accumulation::Counter { .. } => "counter",
        Accumulation::Interval => "interval",
    };
    if args.json {
        let rows: Vec<_> = found
            .iter()
            .map(|id| campus.point(*id))
            .map(|p| {
                serde_json::json!({
                    "path": p.path, "names": p.names, "quantity": p.quantity, "unit": p.unit,
                    "type": p.value_type, "choices": p.choices.iter().map(|c| &c.id).collect::<Vec<_>>(),
                    "period_s": p.period_s, "place": campus.entities.get(p.entity).map(|e| &e.names),
                    "accumulation": accumulation(&p.accumulation), "topic": p.binding.as_ref().map(|b| &b.topic),
                    "sparkplug": p.binding.as_ref().and_then(|b| b.sparkplug.as_ref()).map(|m| serde_json::json!({
                        "group": m.group, "node": m.node, "device": m.device, "metric": m.metric,
                    })),
                    "commandable": p.command.is_some(),
                })
            })
            .collect();
        println!("{}", serde_json::json!(rows));
    } else {
        let width = found.iter().map(|id| campus.point(*id).path.as_str().len()).max().unwrap_or(0);
        for point in found.iter().map(|id| campus.point(*id)) {
            println!(
                "{:<width$}  {:<8} {:<7} {:>5.0} s  {} {} / {}  {}",
                point.path.as_str(),
                values(point),
                accumulation(&point.accumulation),
                point.period_s,
                if point.command.is_some() { "*" } else { " " },
                point.names.en,
                point.names.zh,
                point.binding.as_ref().map_or_else(|| "not bound".to_owned(), in_the_field),
            );
        }
    }
    if found.is_empty() {
        return Err(Failure::input(format!("no point of {} matches '{}'", campus.id, args.glob))
            .mend("`campanile points` without a glob lists all"));
    }
    Ok(ExitCode::SUCCESS)
}
