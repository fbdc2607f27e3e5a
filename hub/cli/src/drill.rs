//! `campanile drill`: drills run without a screen, one or many, and compared.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use campanile_model::Campus;
use campanile_plugins::{Budget, NoPast, Runtime, Seat};
use campanile_rehearsal::{
    Clock, Deed, Drill, KeptSeat, Outcome, Pace, Rehearsal, ReportLang, Site, Spent, comparison, drills_of,
    report,
};
use campanile_server::StopSignal;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::CampusDir;
use crate::failure::Failure;

#[derive(Subcommand)]
pub enum DrillCommand {
    /// List the drills of a campus.
    #[command(after_help = "Example:\n  campanile drill list")]
    List(ListArgs),
    /// Check a drill's file and report every problem with its place and its mend.
    #[command(
        after_help = "Example:\n  campanile drill check scenes/shanghai-school/drills/rainstorm-50a\n\n\
        Exit code 0: in order; 1: errors found."
    )]
    Check(CheckArgs),
    /// Run a drill: stand-in players follow the plan unless told otherwise.
    #[command(
        after_help = "Examples:\n  campanile drill run scenes/shanghai-school/drills/rainstorm-50a --speed max --out run\n  \
        campanile drill run DIR --decline barriers-river --act 40:move-up --out late\n  \
        campanile drill run DIR --seeds 1..20 --out many --json\n\n\
        `--out` gets report.zh-CN.html, report.en.html, outcome.json and state.bin, from which --resume goes on.\n\
        Exit code 0: it ran; 2: the drill or an option can't be used."
    )]
    Run(Box<RunArgs>),
    /// Compare two runs of a drill: a page that shows what other decisions changed.
    #[command(
        after_help = "Example:\n  campanile drill compare run/outcome.json late/outcome.json --out compared"
    )]
    Compare(CompareArgs),
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    campus: CampusDir,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct CheckArgs {
    /// The folder of the drill.
    drill: PathBuf,
    /// The campus; where left out, the one that the drill's folder lies in.
    #[arg(long, value_name = "DIR")]
    campus: Option<PathBuf>,
}

#[derive(Args)]
pub struct RunArgs {
    /// The folder of the drill.
    drill: PathBuf,
    /// The campus; where left out, the one that the drill's folder lies in, else the demo school.
    #[arg(long, value_name = "DIR")]
    campus: Option<PathBuf>,
    /// The seed of all draws; the drill's where left out.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Run with each of these seeds, such as 1..20 (both included), several at a time.
    #[arg(long, value_name = "A..B", value_parser = seeds, conflicts_with = "resume")]
    seeds: Option<RangeInclusive<u64>>,
    /// Seconds of the drill a second, or max.
    #[arg(long, default_value = "max", value_parser = speed)]
    speed: Pace,
    /// Stop after this time of the drill, such as 300s, 20min, 1h.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    until: Option<f64>,
    /// Begin an action at a minute, such as 12:barriers-river; may be given again.
    #[arg(long = "act", value_name = "MIN:ACTION", value_parser = act)]
    acts: Vec<(f64, String)>,
    /// Decide against an action: no stand-in does it; may be given again.
    #[arg(long = "decline", value_name = "ACTION")]
    declined: Vec<String>,
    /// Threads; all of the machine's where left out. They change the speed alone.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Where reports, outcome and state go.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on from a state.bin of an earlier run.
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    resume: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct CompareArgs {
    /// The folder of one run, or its outcome.json.
    one: PathBuf,
    /// That of another run of the same drill.
    other: PathBuf,
    /// The folder for compared.zh-CN.html and compared.en.html.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || format!("'{text}' is no range of seeds: write A..B, such as 1..20");
    let (a, b) = text.split_once("..").ok_or_else(wrong)?;
    let (a, b): (u64, u64) = (a.parse().map_err(|_| wrong())?, b.parse().map_err(|_| wrong())?);
    if a > b || b - a >= 10_000 {
        return Err("give at most 10,000 seeds, the smaller first".to_owned());
    }
    Ok(a..=b)
}

fn speed(text: &str) -> Result<Pace, String> {
    if text == "max" {
        return Ok(Pace::Most);
    }
    let rate = text.strip_suffix('x').unwrap_or(text).parse().ok().filter(|r: &f64| *r > 0.0);
    rate.and_then(Pace::of).ok_or_else(|| format!("'{text}' is no speed: write max, or a number such as 60"))
}

fn seconds(text: &str) -> Result<f64, String> {
    let units = [("min", 60.0), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (number, unit) = units
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number, *unit)))
        .unwrap_or((text, 1.0));
    let seconds = number.trim().parse::<f64>().ok().map(|x| x * unit);
    seconds
        .filter(|s| s.is_finite() && *s >= 0.0)
        .ok_or_else(|| format!("'{text}' is no time: write such as 300s, 20min or 1h"))
}

fn act(text: &str) -> Result<(f64, String), String> {
    let wrong = || format!("'{text}' is no act: write MINUTE:ACTION, such as 12:barriers-river");
    let (minute, action) = text.split_once(':').ok_or_else(wrong)?;
    let minute = minute.parse().ok().filter(|m: &f64| m.is_finite() && *m >= 0.0).ok_or_else(wrong)?;
    Ok((minute, action.to_owned()))
}

pub fn run(command: DrillCommand) -> Result<ExitCode, Failure> {
    match command {
        DrillCommand::List(args) => list(args),
        DrillCommand::Check(args) => check(args),
        DrillCommand::Run(args) => run_drill(*args),
        DrillCommand::Compare(args) => compare(args),
    }
}

/// The campus of a drill: as told, else the folder two above the drill's, else the demo school.
fn campus_of(told: Option<&Path>, drill: &Path) -> Result<Arc<Campus>, Failure> {
    let dir = match told {
        Some(dir) => dir.to_owned(),
        None => {
            let above = drill.canonicalize().ok().and_then(|d| d.ancestors().nth(2).map(Path::to_owned));
            match above.filter(|dir| dir.join("campus.toml").is_file()) {
                Some(dir) => dir,
                None => crate::demo_campus()?,
            }
        }
    };
    crate::campus::open(&dir)
}

fn open(dir: &Path, campus: &Arc<Campus>) -> Result<Drill, Failure> {
    Drill::open(dir, campus).map_err(|problems| {
        crate::campus::print_problems(&problems.0);
        Failure::input(format!("{} can't be rehearsed", dir.display())).mend("mend the problems above")
    })
}

/// The campus of a drill as its engines see it.
fn site(campus: &Arc<Campus>, drill: Drill) -> Result<Arc<Site>, Failure> {
    let terrain = crate::campus::terrain(campus)?;
    let weather = campanile_server::weather(campus).map_err(|why| Failure::input(why.to_string()))?;
    let built = Site::build(campus.clone(), drill, terrain.as_ref(), weather);
    built.map(Arc::new).map_err(|why| Failure::input(why.to_string()).mend("mend the drill or the campus"))
}

fn list(args: ListArgs) -> Result<ExitCode, Failure> {
    let dir = args.campus.resolve()?;
    let campus = crate::campus::open(&dir)?;
    let mut found = Vec::new();
    for folder in drills_of(&dir) {
        match Drill::open(&folder, &campus) {
            Ok(drill) => found.push(json!({
                "id": drill.file.id, "dir": folder, "zh-CN": drill.file.zh, "en": drill.file.en,
                "duration_min": drill.file.duration_min, "people": drill.people(),
            })),
            Err(problems) => crate::campus::print_problems(&problems.0),
        }
    }
    if args.json {
        println!("{:#}", serde_json::Value::from(found));
    } else if found.is_empty() {
        println!("{} has no drills: a drill is a folder with a drill.toml under drills/", dir.display());
    } else {
        for drill in &found {
            let text = |key: &str| drill[key].as_str().unwrap_or_default();
            println!(
                "{}  {} / {}  {} min, {} people\n    {}",
                text("id"),
                text("zh-CN"),
                text("en"),
                drill["duration_min"],
                drill["people"],
                text("dir")
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: CheckArgs) -> Result<ExitCode, Failure> {
    let campus = campus_of(args.campus.as_deref(), &args.drill)?;
    match Drill::open(&args.drill, &campus) {
        Ok(drill) => {
            let site = site(&campus, drill)?;
            let (drill, file) = (&site.drill, &site.drill.file);
            println!(
                "{}: {} actions, {} events, {} objectives, {} people, {} min: in order",
                file.id,
                file.action.len(),
                file.event.len(),
                file.objective.len(),
                drill.people(),
                file.duration_min
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            crate::campus::print_problems(&problems.0);
            Ok(ExitCode::from(1))
        }
    }
}

/// What is done in a run, in order of time.
struct Script {
    acts: Vec<(f64, String)>,
    declined: Vec<String>,
}

impl Script {
    fn of(args: &RunArgs, drill: &Drill) -> Result<Self, Failure> {
        let known = |id: &String| {
            if drill.action(id).is_some() {
                return Ok(());
            }
            let ids = drill.file.action.iter().map(|a| a.id.as_str());
            Err(Failure::input(format!("the drill has no action '{id}'"))
                .mend(campanile_model::did_you_mean(id, ids)))
        };
        args.acts.iter().map(|(_, id)| id).chain(&args.declined).try_for_each(known)?;
        let mut acts = args.acts.clone();
        acts.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Self { acts, declined: args.declined.clone() })
    }
}

/// A run that has come to its end, or was stopped.
struct Ran {
    outcome: Outcome,
    state: Vec<u8>,
    wall_s: f64,
    began_s: f64,
    spent: Spent,
    slowed: bool,
    refused: Vec<String>,
}

fn failed(why: impl std::fmt::Display) -> Failure {
    Failure::input(format!("the drill can't go on: {why}"))
        .mend("run `campanile drill check` on it, or report it")
}

/// Plays a rehearsal to its end, or as far as is wanted.
fn play(
    mut rehearsal: Rehearsal,
    script: &Script,
    args: &RunArgs,
    threads: usize,
    go_on: &mut dyn FnMut(f64) -> bool,
) -> Result<Ran, Failure> {
    let began = Instant::now();
    let began_s = rehearsal.now_s();
    let mut clock = Clock::new(args.speed, began, began_s);
    let mut refused = Vec::new();
    let mut slowed = false;
    let by = || "campanile drill run".to_owned();
    for action in &script.declined {
        rehearsal.act(Deed::Decline { action: action.clone(), name: by() }).map_err(failed)?;
    }
    // Of a run that is taken up again, what lies before it was done then.
    let mut next = script.acts.iter().filter(|(minute, _)| minute * 60.0 >= began_s).peekable();
    let dt_s = rehearsal.drill().file.barrier_s;
    let end_s = args.until.unwrap_or(f64::INFINITY);
    while rehearsal.now_s() < end_s - 1e-9 && go_on(rehearsal.now_s()) {
        while next.peek().is_some_and(|(minute, _)| minute * 60.0 <= rehearsal.now_s() + 1e-9) {
            let Some((minute, action)) = next.next() else { break };
            if let Err(why) = rehearsal.act(Deed::Act { action: action.clone(), name: by() }) {
                refused.push(format!("minute {minute}: {why}"));
            }
        }
        std::thread::sleep(clock.wait(Instant::now(), rehearsal.now_s() + dt_s).unwrap_or(Duration::ZERO));
        if !rehearsal.step(threads).map_err(failed)? {
            break;
        }
        rehearsal.take_events();
        clock.passed(Instant::now(), rehearsal.now_s());
        slowed |= clock.is_slowed();
    }
    let wall_s = began.elapsed().as_secs_f64();
    let (spent, state) = (rehearsal.spent(), rehearsal.save().map_err(failed)?);
    Ok(Ran { outcome: Outcome::of(&mut rehearsal), state, wall_s, began_s, spent, slowed, refused })
}

fn run_drill(args: RunArgs) -> Result<ExitCode, Failure> {
    let campus = campus_of(args.campus.as_deref(), &args.drill)?;
    let drill = open(&args.drill, &campus)?;
    let script = Script::of(&args, &drill)?;
    let site = site(&campus, drill)?;
    let threads = args.threads.map_or_else(machine_threads, usize::from);
    let stop = StopSignal::listen().map_err(|why| Failure::unreachable(why.to_string()))?;
    let director = director(&site)?;
    let cast = |director: &Option<Seat>| director.iter().map(|seat| seat.fork(Budget::Fuel)).collect();
    if let Some(seeds) = args.seeds.clone() {
        let begin = |seed| {
            let rehearsal = Rehearsal::from_scene(site.clone(), seed).map_err(failed)?;
            Ok(rehearsal.with_seats(cast(&director), Arc::new(NoPast)))
        };
        return many(&args, &site.drill.file.id, &begin, &script, seeds, threads, &stop);
    }
    let rehearsal = match &args.resume {
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|why| {
                Failure::input(format!("{}: {why}", file.display()))
                    .mend("name the state.bin of an earlier run")
            })?;
            let mut seat = |of: &KeptSeat| {
                let own = director.as_ref().filter(|seat| seat.grants().manifest.id == of.plugin)?;
                Some(own.fork(Budget::Fuel).with(of.saved.clone()))
            };
            let restored = Rehearsal::restore_with(site.clone(), &bytes, Arc::new(NoPast), &mut seat);
            restored.map_err(|why| {
                Failure::input(format!("{}: {why}", file.display()))
                    .mend("name the state.bin of an earlier run of this drill")
            })?
        }
        None => {
            let seed = args.seed.unwrap_or(site.drill.file.seed);
            let rehearsal = Rehearsal::from_scene(site.clone(), seed).map_err(failed)?;
            rehearsal.with_seats(cast(&director), Arc::new(NoPast))
        }
    };
    let whole_s = site.drill.file.duration_min * 60.0;
    let bar = ProgressBar::new(args.until.unwrap_or(whole_s).min(whole_s) as u64);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos}/{len} s of the drill, {elapsed} so far, {eta} to go")
    {
        bar.set_style(style);
    }
    let ran = play(rehearsal, &script, &args, threads, &mut |now_s| {
        bar.set_position(now_s as u64);
        !stop.is_raised()
    })?;
    bar.finish_and_clear();
    if let Some(out) = &args.out {
        write(out, &ran)?;
    }
    say(&args, &ran, threads)?;
    Ok(ExitCode::SUCCESS)
}

fn machine_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn write(out: &Path, ran: &Ran) -> Result<(), Failure> {
    let io = |path: &Path, why: std::io::Error| {
        Failure::input(format!("{}: {why}", path.display()))
            .mend("name a folder that can be written to with --out")
    };
    std::fs::create_dir_all(out).map_err(|why| io(out, why))?;
    let outcome = serde_json::to_vec_pretty(&ran.outcome).map_err(failed)?;
    let mut files = vec![("outcome.json".to_owned(), outcome), ("state.bin".to_owned(), ran.state.clone())];
    for lang in ReportLang::ALL {
        files.push((format!("report.{}.html", lang.tag()), report(&ran.outcome, lang).into_bytes()));
    }
    for (name, bytes) in files {
        let path = out.join(name);
        std::fs::write(&path, bytes).map_err(|why| io(&path, why))?;
    }
    Ok(())
}

fn say(args: &RunArgs, ran: &Ran, threads: usize) -> Result<(), Failure> {
    let outcome = &ran.outcome;
    let (points, of) = outcome.points();
    let pace = (outcome.ran_s - ran.began_s) / ran.wall_s.max(1e-9);
    if args.json {
        let score: Vec<_> = outcome
            .score
            .iter()
            .map(|j| json!({"id": j.id, "value": j.value, "points": j.points, "of": j.of}))
            .collect();
        let body = json!({
            "drill": outcome.drill, "seed": outcome.seed, "ran_s": outcome.ran_s, "hash": outcome.hash,
            "threads": threads, "wall_s": ran.wall_s, "pace": pace, "slowed": ran.slowed, "spent": ran.spent,
            "points": points, "of": of, "score": score,
            "people": outcome.people.people, "in_water": outcome.people.in_water, "endangered": outcome.people.hazard[0],
            "wet_rooms": outcome.rooms.len(), "rooms_m3": outcome.rooms.iter().map(|r| r.volume_m3).sum::<f64>(),
            "balance_m3": outcome.water.as_ref().map(|w| w.balance_m3.iter().cloned().collect::<std::collections::BTreeMap<_, _>>()),
            "refused": ran.refused,
        });
        println!("{body:#}");
        return Ok(());
    }
    println!(
        "{}: {:.0} s in {:.1} s ({pace:.0}× real time, {threads} threads)",
        outcome.names.en, outcome.ran_s, ran.wall_s
    );
    let s = &ran.spent;
    println!(
        "  engines {:.1} s (flood {:.1}, crowd {:.1}), devices and world {:.1} s, drill {:.1} s, measuring {:.1} s",
        s.engines_s, s.flood_s, s.crowd_s, s.devices_s, s.drill_s, s.measure_s
    );
    if ran.slowed {
        println!(
            "  the machine could not keep the speed asked for: the clock went slower and skipped nothing"
        );
    }
    for judged in &outcome.score {
        println!("  {:>5.1} / {:<3.0} {}: {}", judged.points, judged.of, judged.names.en, judged.reason.en);
    }
    println!("  {points:.1} of {of:.0} points; state {}", outcome.hash);
    ran.refused.iter().for_each(|why| println!("  not done: {why}"));
    if let Some(out) = &args.out {
        println!("  report: {}", out.join("report.en.html").display());
    }
    Ok(())
}

/// The director of the drill, if it has one.
fn director(site: &Site) -> Result<Option<Seat>, Failure> {
    let runtime = || Ok(Arc::new(Runtime::new(None)?));
    campanile_rehearsal::director(&site.drill.dir, &site.campus, runtime)
        .map_err(|why| Failure::input(why.to_string()).mend("see docs/drills.md on directors"))
}

/// Many seeds, each run on one thread, as many at a time as there are threads.
fn many(
    args: &RunArgs,
    drill: &str,
    begin: &(dyn Fn(u64) -> Result<Rehearsal, Failure> + Sync),
    script: &Script,
    seeds: RangeInclusive<u64>,
    threads: usize,
    stop: &StopSignal,
) -> Result<ExitCode, Failure> {
    let seeds: Vec<u64> = seeds.collect();
    let bar = ProgressBar::new(seeds.len() as u64);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {elapsed} so far, {eta} to go")
    {
        bar.set_style(style);
    }
    let next = AtomicUsize::new(0);
    let mut rows = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(seeds.len()))
            .map(|_| {
                scope.spawn(|| -> Result<Vec<(u64, Outcome)>, Failure> {
                    let mut done = Vec::new();
                    while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let rehearsal = begin(*seed)?;
                        let ran = play(rehearsal, script, args, 1, &mut |_| !stop.is_raised())?;
                        if stop.is_raised() {
                            break;
                        }
                        bar.inc(1);
                        done.push((*seed, ran.outcome));
                    }
                    Ok(done)
                })
            })
            .collect();
        let mut rows = Vec::new();
        for worker in workers {
            rows.extend(worker.join().unwrap_or_else(|_| Err(failed("a thread has panicked")))?);
        }
        Ok::<_, Failure>(rows)
    })?;
    bar.finish_and_clear();
    rows.sort_by_key(|(seed, _)| *seed);
    let table: Vec<_> = rows
        .iter()
        .map(|(seed, o)| {
            let measures: serde_json::Map<_, _> = o.score.iter().map(|j| (j.id.clone(), j.value.into())).collect();
            json!({"seed": seed, "hash": o.hash, "points": o.points().0, "of": o.points().1, "measures": measures})
        })
        .collect();
    let mut points: Vec<f64> = rows.iter().map(|(_, o)| o.points().0).collect();
    points.sort_by(f64::total_cmp);
    let at =
        |share: f64| points.get(((points.len() as f64 - 1.0) * share).round().max(0.0) as usize).copied();
    let body = json!({
        "drill": drill, "runs": table,
        "points": {"min": at(0.0), "median": at(0.5), "max": at(1.0)},
    });
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out).map_err(|why| Failure::input(format!("{}: {why}", out.display())))?;
        let text = serde_json::to_vec_pretty(&body).map_err(failed)?;
        let path = out.join("ensemble.json");
        std::fs::write(&path, text).map_err(|why| Failure::input(format!("{}: {why}", path.display())))?;
    }
    if args.json {
        println!("{body:#}");
    } else {
        for (seed, outcome) in &rows {
            println!("seed {seed}: {:.1} points, state {}", outcome.points().0, outcome.hash);
        }
        println!(
            "{} of {} runs; points least {:.1}, median {:.1}, most {:.1}",
            rows.len(),
            seeds.len(),
            at(0.0).unwrap_or(0.0),
            at(0.5).unwrap_or(0.0),
            at(1.0).unwrap_or(0.0)
        );
    }
    Ok(if rows.len() == seeds.len() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn compare(args: CompareArgs) -> Result<ExitCode, Failure> {
    let read = |path: &Path| -> Result<Outcome, Failure> {
        let wrong = |why: String| {
            Failure::input(format!("{}: {why}", path.display()))
                .mend("name the folder of a run, made with --out, or its outcome.json")
        };
        let file = if path.is_dir() { path.join("outcome.json") } else { path.to_owned() };
        let bytes = std::fs::read(file).map_err(|why| wrong(why.to_string()))?;
        let outcome: Outcome = serde_json::from_slice(&bytes).map_err(|why| wrong(why.to_string()))?;
        if outcome.format != campanile_rehearsal::OUTCOME_FORMAT {
            return Err(wrong(format!("its format '{}' isn't known", outcome.format)));
        }
        Ok(outcome)
    };
    let (one, other) = (read(&args.one)?, read(&args.other)?);
    if one.drill != other.drill {
        return Err(Failure::input(format!("they are of two drills, {} and {}", one.drill, other.drill))
            .mend("compare runs of one drill"));
    }
    std::fs::create_dir_all(&args.out)
        .map_err(|why| Failure::input(format!("{}: {why}", args.out.display())))?;
    for lang in ReportLang::ALL {
        let path = args.out.join(format!("compared.{}.html", lang.tag()));
        std::fs::write(&path, comparison(&one, &other, lang))
            .map_err(|why| Failure::input(format!("{}: {why}", path.display())))?;
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}
