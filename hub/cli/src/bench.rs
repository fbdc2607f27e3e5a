//! `campanile bench`: what this machine can carry.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::failure::Failure;

#[derive(Args)]
pub struct BenchArgs {
    /// What to measure.
    what: What,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// A folder with real columns (energy/bdg1, energy/iaq) for the history bench; made-up ones where it is missing.
    #[arg(long, env = "CAMPANILE_DATA", value_name = "DIR")]
    real_data: Option<PathBuf>,
    /// Seconds of the idle and layers benches (60 where left out), or for each broker and quality of service of the ingest bench (12).
    #[arg(long)]
    seconds: Option<f64>,
    /// Minutes of the soak.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// The broker of the soak, HOST:PORT; the hub's embedded one where left out.
    #[arg(long, value_name = "HOST:PORT")]
    broker: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Samples applied a second, and forking a million points.
    World,
    /// MQTT to the disk, beside a bare subscriber of the same broker in the same run; and how long to a client's socket.
    Ingest,
    /// Durable samples a second, bytes a sample and queries, beside plain SQLite rows in the same run.
    History,
    /// Processor and memory of a hub with the demo campus, whose simulated devices publish.
    Idle,
    /// Bytes a second and age at a client of the water and people of the rainstorm drill, on 400 by 400 m at 2 m, at 1x
    /// and 60x; `--seconds` each (60).
    Layers,
    /// Plugins: a call, a batch, beside bare wasmtime in the same run; a fleet of 200; starting 50. Needs the probe
    /// (`probe-rust.wasm`, built by scripts/guests.sh) among what is shipped.
    Plugins,
    /// The hub's pace, with as many samples as it takes and with 5,000 a second, while the hostile plugins of
    /// tests/hostile work in it, beside windows in which they are stopped; `--seconds` a window (5).
    Hostile,
    /// A hub under 5,000 samples a second with 20 clients, one stalled: a line of JSON a minute and a verdict; exit code 1
    /// where memory or latency grew.
    Soak,
}

pub fn run(args: BenchArgs) -> Result<ExitCode, Failure> {
    let (name, figures) = match args.what {
        What::World => ("world", json_rows(campanile_world::bench::run())),
        What::History => ("history", history(&args)?),
        What::Ingest => ("ingest", crate::bench_ingest::run(args.seconds.unwrap_or(12.0))?),
        What::Idle => ("idle", crate::bench_hub::idle(&crate::demo_campus()?, args.seconds.unwrap_or(60.0))?),
        What::Layers => {
            ("layers", crate::bench_layers::run(&crate::demo_campus()?, args.seconds.unwrap_or(60.0))?)
        }
        What::Plugins => ("plugins", plugins()?),
        What::Hostile => {
            let dir = crate::demo_campus()?;
            let campus = crate::campus::open(&dir)?;
            ("hostile", crate::bench_hostile::run(&dir, &campus, args.seconds.unwrap_or(5.0))?)
        }
        What::Soak => {
            let dir = crate::demo_campus()?;
            let campus = crate::campus::open(&dir)?;
            eprintln!("soaking on {}", machine());
            let flat = crate::bench_hub::soak(&dir, &campus, args.minutes, args.broker.as_deref())?;
            return Ok(ExitCode::from(u8::from(!flat)));
        }
    };
    if args.json {
        let mut all = headline(&figures);
        all.insert("bench".to_owned(), name.into());
        all.insert("machine".to_owned(), machine().into());
        all.insert("figures".to_owned(), figures.into());
        println!("{}", Value::Object(all));
    } else {
        println!("{name} on {}", machine());
        for figure in &figures {
            let text = |key: &str| figure[key].as_str().unwrap_or_default();
            let value = figure["value"].as_f64().unwrap_or(f64::NAN);
            let goal = match figure["goal"].as_f64() {
                Some(goal) if high_is_good(text("name")) => format!(">= {goal}"),
                Some(goal) => format!("<= {goal}"),
                None => text("goal").to_owned(),
            };
            let value = if value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.3}") };
            println!(
                "  {:<44} {value:>14} {:<6} {:<26} {}",
                text("name"),
                text("unit"),
                goal,
                text("reference")
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Each figure by its name; where it was measured on several things, the least favourable.
fn headline(figures: &[Value]) -> serde_json::Map<String, Value> {
    let mut all = serde_json::Map::new();
    for figure in figures {
        let (Some(name), Some(value)) = (figure["name"].as_str(), figure["value"].as_f64()) else { continue };
        let high = high_is_good(name);
        let known = all.get(name).and_then(Value::as_f64);
        if known.is_none_or(|known| if high { value < known } else { value > known }) {
            all.insert(name.to_owned(), json!(value));
        }
    }
    all
}

/// Rates and ratios should be high, everything else low.
fn high_is_good(name: &str) -> bool {
    name.ends_with("_per_s") || name.starts_with("ratio")
}

fn json_rows<T: serde::Serialize>(rows: Vec<T>) -> Vec<Value> {
    rows.iter().filter_map(|row| serde_json::to_value(row).ok()).collect()
}

/// The processor's name and how many there are.
pub fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .map(|l| l.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{} × {cores}{}",
        name.unwrap_or("unknown processor"),
        if cfg!(debug_assertions) { ", development build" } else { "" }
    )
}

fn plugins() -> Result<Vec<Value>, Failure> {
    let missing = || {
        Failure::input("the probe that is measured, probe-rust.wasm, is not among what is shipped")
            .mend("build it with scripts/guests.sh, or name its folder in CAMPANILE_PLUGINS")
    };
    let file = campanile_plugins::shipped_dir().ok_or_else(missing)?.join("probe-rust.wasm");
    let component = std::fs::read(file).map_err(|_| missing())?;
    let dir = std::env::temp_dir().join(format!("campanile-bench-{}", std::process::id()));
    let outcome = campanile_plugins::bench::run(&component, &dir);
    // The folder is ours alone; leaving it would only waste room.
    let _ = std::fs::remove_dir_all(&dir);
    Ok(json_rows(outcome.map_err(|why| Failure::input(why.to_string()))?))
}

fn history(args: &BenchArgs) -> Result<Vec<Value>, Failure> {
    let dir = std::env::temp_dir().join(format!("campanile-bench-{}", std::process::id()));
    let outcome = campanile_history::bench::run(&dir, args.real_data.as_deref());
    // The folder is ours alone; leaving it would only waste room.
    let _ = std::fs::remove_dir_all(&dir);
    Ok(json_rows(outcome.map_err(|why| Failure::input(why.to_string()))?))
}
