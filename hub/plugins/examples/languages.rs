//! What a plugin costs in each language: `cargo run --release -p campanile-plugins --example languages`, after
//! `scripts/guests.sh`. It measures the probe of `sdk/probe` with one sample and with a thousand, of which nothing comes and
//! of which a command each comes, in the host with all its checks; medians of a hundred calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use campanile_model::{Campus, Quality, Sample, Timestamp, Value};
use campanile_plugins::{Approval, Around, Budget, Call, Grants, Manifest, Runtime, Saved, Seat};
use campanile_world::{Schema, World};

type Failed = Box<dyn std::error::Error>;

const ROUNDS: usize = 101;
/// A quarter past nine on a school day in June.
const NOW: Timestamp = Timestamp(1_782_263_700_000_000);

fn main() -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let guests = std::env::var_os("CAMPANILE_PLUGINS").map_or_else(|| target.join("plugins"), PathBuf::from);
    let campus = Arc::new(campanile_model::open(&root.join("scenes/shanghai-school"))?);
    println!("language   size KB  compile ms  new instance us  1 sample us  1,000 us  1,000 commands us");
    for language in ["rust", "c", "rhai", "python", "js"] {
        let dir = root.join("sdk/probe").join(language);
        let file = dir.join("plugin.toml");
        let manifest = Arc::new(Manifest::read(&file, &std::fs::read_to_string(&file)?)?);
        let component = match &manifest.script {
            Some(_) => guests.join("rhai-rule.wasm"),
            None => guests.join(format!("probe-{language}.wasm")),
        };
        let Ok(bytes) = std::fs::read(&component) else {
            println!("{language:8}  {} is not there", component.display());
            continue;
        };
        let runtime = Arc::new(Runtime::new(None)?);
        let began = Instant::now();
        let compiled = runtime.compile(&manifest, &bytes)?;
        let compile_ms = began.elapsed().as_secs_f64() * 1e3;
        let seat = |mode: &str| -> Result<Seat, Failed> {
            let approval = Approval {
                plugin: manifest.id.clone(),
                version: manifest.version.clone(),
                package: String::new(),
                capability: manifest.capability.clone(),
                settings: [("mode".to_owned(), mode.to_owned())].into(),
                by: "bench".into(),
            };
            let mut grants = Grants::new(campus.clone(), manifest.clone(), &approval);
            if let Some(script) = &manifest.script {
                grants.settings.push(("script".into(), std::fs::read_to_string(dir.join(&script.file))?));
                grants.settings.push(("script-file".into(), script.file.clone()));
            }
            let (runtime, compiled) = (runtime.clone(), compiled.clone());
            Ok(Seat::new(runtime, compiled, Arc::new(grants), Budget::Deadline, Saved::default()))
        };
        let new_us = median(&campus, &mut seat("")?, &Call::Tick, true)?;
        let one_us = median(&campus, &mut seat("")?, &samples(&campus, 1), false)?;
        let thousand_us = median(&campus, &mut seat("")?, &samples(&campus, 1000), false)?;
        let commands_us = median(&campus, &mut seat("command")?, &samples(&campus, 1000), false)?;
        let kb = bytes.len() as f64 / 1e3;
        println!(
            "{language:8} {kb:9.0} {compile_ms:11.0} {new_us:16.1} {one_us:12.2} {thousand_us:9.1} {commands_us:18.1}"
        );
    }
    Ok(())
}

/// So many samples of setpoints, over and over.
fn samples(campus: &Campus, count: usize) -> Call {
    let setpoints: Vec<_> = campus.points_matching("*/*/*/ac/setpoint");
    let sample =
        |point: &_| Sample { point: *point, time: NOW, value: Value::Number(24.0), quality: Quality::Good };
    Call::Samples(setpoints.iter().cycle().take(count).map(sample).collect())
}

fn median(campus: &Arc<Campus>, seat: &mut Seat, call: &Call, anew: bool) -> Result<f64, Failed> {
    let mut world = World::new(Arc::new(Schema::of(campus)), NOW);
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..=ROUNDS {
        // So much later that every pace is full again.
        world.tick(world.now().plus_micros(200 * Timestamp::SECOND), &mut Vec::new());
        let around = Around::of(Arc::new(world.fork()));
        if anew {
            seat.forget_instance();
        }
        let began = Instant::now();
        let outcome = seat.call(call, &around);
        times.push(began.elapsed().as_secs_f64() * 1e6);
        if let Some(why) = outcome.failure {
            return Err(why.to_string().into());
        }
    }
    // The first has made the instance.
    times.remove(0);
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
