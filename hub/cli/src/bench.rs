//! `campanile bench`: what this machine can carry.

use std::path::PathBuf;
use std::process::ExitCode;

use campanile_gateway::{Mosquitto, Qos, bench as mqtt};
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
    /// Seconds for each broker and quality of service of the ingest bench.
    #[arg(long, default_value_t = 7.0)]
    seconds: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Samples applied a second, and forking a million points.
    World,
    /// MQTT to the sink, beside a bare subscriber of the same broker in the same run.
    Ingest,
    /// Durable samples a second, bytes a sample and queries, beside plain SQLite rows in the same run.
    History,
}

pub fn run(args: BenchArgs) -> Result<ExitCode, Failure> {
    let (name, figures) = match args.what {
        What::World => ("world", json_rows(campanile_world::bench::run())),
        What::History => ("history", history(&args)?),
        What::Ingest => ("ingest", ingest(args.seconds)?),
    };
    if args.json {
        println!("{}", json!({"bench": name, "machine": machine(), "figures": figures}));
    } else {
        println!("{name} on {}", machine());
        for figure in &figures {
            let text = |key: &str| figure[key].as_str().unwrap_or_default();
            let value = figure["value"].as_f64().unwrap_or(f64::NAN);
            let value = if value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.3}") };
            println!(
                "  {:<44} {value:>14} {:<6} {:<26} {}",
                text("name"),
                text("unit"),
                text("goal"),
                text("reference")
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn json_rows<T: serde::Serialize>(rows: Vec<T>) -> Vec<Value> {
    rows.iter().filter_map(|row| serde_json::to_value(row).ok()).collect()
}

/// The processor's name and how many there are.
fn machine() -> String {
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

fn history(args: &BenchArgs) -> Result<Vec<Value>, Failure> {
    let dir = std::env::temp_dir().join(format!("campanile-bench-{}", std::process::id()));
    let outcome = campanile_history::bench::run(&dir, args.real_data.as_deref());
    // The folder is ours alone; leaving it would only waste room.
    let _ = std::fs::remove_dir_all(&dir);
    Ok(json_rows(outcome.map_err(|why| Failure::input(why.to_string()))?))
}

fn ingest(seconds: f64) -> Result<Vec<Value>, Failure> {
    let mut brokers = vec![mqtt::BenchBroker::Embedded];
    match Mosquitto::find() {
        Some(path) => brokers.push(mqtt::BenchBroker::Mosquitto { path }),
        None => eprintln!("Mosquitto is not installed: only the embedded broker is measured"),
    }
    let mut figures = Vec::new();
    for broker in &brokers {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
            let f = mqtt::run(broker, qos, seconds, |samples| {
                std::hint::black_box(samples);
            })
            .map_err(|why| Failure::unreachable(why.to_string()))?;
            let of = format!("{} QoS {}", f.broker, f.qos);
            let mut add = |name: &str, value: f64, unit: &str, goal: &str| {
                figures
                    .push(json!({"name": name, "value": value, "unit": unit, "goal": goal, "reference": of}));
            };
            add("mqtt_samples_per_s", f.mqtt_samples_per_s, "1/s", "");
            add("bare_messages_per_s", f.bare_messages_per_s, "1/s", "");
            add("ratio_to_bare_broker", f.ratio_to_bare_broker, "1", ">= 0.8");
            add("latency_p50_ms", f.latency_p50_ms, "ms", "");
            add("latency_p99_ms", f.latency_p99_ms, "ms", "<= 50");
            add("lost", f.lost as f64, "1", "0");
        }
    }
    Ok(figures)
}
