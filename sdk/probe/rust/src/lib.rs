//! The probe: does one thing as it is told, so that a test of the host can drive every capability, every denial and
//! every failure. `sdk/probe/README.md` lists the modes; the probe in C has the same, with the same words.

use std::hint::black_box;

use campanile_plugin::{
    AlarmChange, Denial, Failure, Plugin, Point, Quality, Result, Sample, Settings, Time, Value, Words, alarms, clock,
    commands::{self, Command},
    history, info,
    log::{self, Level},
    panels::{self, Content, Tone, Tree},
    points::{self, Derived},
    records, store,
};

/// A handle that no host has given.
const FORGED: Point = 4_000_000;
/// Far more than any quota: a flood ends with the first denial, or here.
const FLOOD: u32 = 10_000;

struct Probe {
    mode: String,
    /// A handle, or a path; may be empty.
    target: String,
}

impl Plugin for Probe {
    fn start(settings: &Settings) -> Result<Self> {
        let text = |name| settings.get(name).unwrap_or_default().to_owned();
        let probe = Self { mode: text("mode"), target: text("target") };
        if probe.mode == "trap-start" {
            std::process::abort();
        }
        Ok(probe)
    }

    fn on_samples(&mut self, samples: &[Sample]) -> Result {
        if !self.mode.is_empty() {
            return self.act(&self.mode, samples);
        }
        samples
            .iter()
            .filter_map(|sample| sample.value.as_text())
            .try_for_each(|mode| self.act(mode, samples))
    }

    fn on_tick(&mut self, _: Time) -> Result {
        self.act(&self.mode, &[])
    }

    fn on_alarms(&mut self, _: &[AlarmChange]) -> Result {
        self.act(&self.mode, &[])
    }

    fn on_panel(&mut self, _: &panels::Event) -> Result {
        self.act(&self.mode, &[])
    }
}

impl Probe {
    fn act(&self, mode: &str, samples: &[Sample]) -> Result {
        match mode {
            "" | "trap-start" => {}
            "echo" => answer(mode, points::publish(&echo(samples))),
            "sum" => counted(mode, Ok(sum(samples))),
            "command" => answer(mode, command_all(samples)),
            "trap-mid-command" => {
                answer(mode, command_all(samples));
                std::process::abort();
            }
            "find" => counted(mode, points::find("**").map(|found| found.len())),
            "by-path" => counted(mode, points::by_path(&self.target).map(|_| 1)),
            "read" => counted(
                mode,
                self.target(samples).and_then(|point| points::read(&[point])).map(|read| read.len()),
            ),
            "history" => counted(mode, self.history(samples)),
            "buckets" => counted(mode, self.buckets(samples)),
            "holds" => {
                counted(mode, self.target(samples).and_then(commands::holds).map(|held| held.iter().count()))
            }
            "relinquish" => {
                answer(mode, self.target(samples).and_then(|point| commands::relinquish(&[point])))
            }
            "alarm" => answer(mode, alarms::raise("probe", "", &Words::new("探针", "Probe"))),
            "clear" => answer(mode, alarms::clear("probe", "")),
            "record" => answer(mode, records::append("probe", "{\"n\":1}")),
            "records" => counted(mode, records::newest("probe", 1_000).map(|kept| kept.len())),
            "store" => counted(mode, count_calls()),
            "panel" => answer(mode, panel()),
            "clock" => {
                let now = clock::now();
                info!("probe: clock: ok {now} {}", clock::local(now).hour);
            }
            "log" => {
                for level in [Level::Debug, Level::Info, Level::Warn, Level::Error] {
                    log::write(level, "probe: log: ok");
                }
            }

            "loop" => loop {
                black_box(());
            },
            "host-loop" => loop {
                clock::now();
            },
            "memory" => fill_memory(mode),
            "recursion" => {
                black_box(deeper(black_box(1)));
            }
            "trap" => std::process::abort(),
            "panic" => panic!("probe: panic"),
            "error" => return Err(Failure::from("probe: error")),
            "forged-handle" => {
                answer(mode, points::read(&[FORGED]));
                answer(mode, commands::one(command(FORGED, 1.0)));
            }
            "outside-globs" => answer(mode, self.command_target(samples, 1.0, 12)),
            "too-strong" => answer(mode, self.command_target(samples, 1.0, 1)),
            "out-of-limits" => answer(mode, self.command_target(samples, 1e9, 12)),
            "nan" => answer(mode, points::publish(&[Derived::good("echo", f64::NAN)])),
            "huge-batch" => answer(mode, points::publish(&vec![Derived::good("echo", 1.0); 100_000])),
            "store-full" => answer(mode, flood(|turn| store::set(&format!("full-{turn}"), &[0; 1024]))),
            "flood-commands" => answer(mode, self.flood_commands(samples)),
            "flood-alarms" => answer(
                mode,
                flood(|turn| alarms::raise("probe", "", &Words::new("告警", format!("flood {turn}")))),
            ),
            "flood-records" => answer(mode, flood(|_| records::append("probe", "{\"n\":1}"))),
            "flood-logs" => {
                for _ in 0..FLOOD {
                    log::write(Level::Info, "probe: flood-logs: ok");
                }
            }
            _ => return Err(Failure::from("probe: no such mode")),
        }
        Ok(())
    }

    /// The point to act upon: the setting's, else that of the first number among the samples.
    fn target(&self, samples: &[Sample]) -> Result<Point, Denial> {
        if let Ok(handle) = self.target.parse() {
            Ok(handle)
        } else if !self.target.is_empty() {
            points::by_path(&self.target).map(|info| info.point)
        } else {
            let number = samples.iter().find(|sample| sample.value.as_number().is_some());
            number.map(|sample| sample.point).ok_or(Denial::UnknownPoint)
        }
    }

    fn command_target(&self, samples: &[Sample], value: f64, priority: u8) -> Result<(), Denial> {
        commands::one(command(self.target(samples)?, value).priority(priority))
    }

    fn flood_commands(&self, samples: &[Sample]) -> Result<(), Denial> {
        let batch = vec![command(self.target(samples)?, 24.0); 1_000];
        (0..5).try_for_each(|_| commands::write(&batch).into_iter().collect())
    }

    fn history(&self, samples: &[Sample]) -> Result<usize, Denial> {
        let (point, now) = (self.target(samples)?, clock::now());
        history::range(point, now - clock::HOUR, now, 100).map(|found| found.len())
    }

    fn buckets(&self, samples: &[Sample]) -> Result<usize, Denial> {
        let (point, now) = (self.target(samples)?, clock::now());
        history::buckets(point, now - clock::HOUR, now, 600.0).map(|found| found.len())
    }
}

fn command(point: Point, value: f64) -> Command {
    Command::new(point, value, "probe").priority(12).expires_s(60.0)
}

fn numbers(samples: &[Sample]) -> impl Iterator<Item = (&Sample, f64)> {
    samples.iter().filter_map(|sample| Some((sample, sample.value.as_number()?)))
}

fn echo(samples: &[Sample]) -> Vec<Derived> {
    let derived = |(sample, number): (&Sample, f64)| Derived {
        id: "echo".into(),
        entity: String::new(),
        value: Value::Number(number),
        quality: sample.quality,
    };
    numbers(samples).map(derived).collect()
}

/// What samples are, each by its place, as one number.
fn sum(samples: &[Sample]) -> usize {
    let one = |(place, sample): (usize, &Sample)| {
        let quality = match sample.quality {
            Quality::Good => 1,
            Quality::Uncertain => 2,
            Quality::Bad => 3,
            Quality::Stale => 4,
        };
        let value = match &sample.value {
            Value::Number(number) => *number as usize,
            Value::Boolean(yes) => 10 + usize::from(*yes),
            Value::Choice(index) => 20 + usize::from(*index),
            Value::Text(text) => 30 + text.len(),
        };
        place * (quality + value)
    };
    (1..).zip(samples).map(one).sum()
}

fn command_all(samples: &[Sample]) -> Result<(), Denial> {
    let all: Vec<_> = numbers(samples).map(|(sample, number)| command(sample.point, number)).collect();
    commands::write(&all).into_iter().collect()
}

/// Calls of this mode, as four bytes, little end first: the probe in C can read them.
fn count_calls() -> Result<usize, Denial> {
    let before = store::get("calls")?.and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    store::set("calls", &(before + 1).to_le_bytes())?;
    Ok(before as usize + 1)
}

fn panel() -> Result<(), Denial> {
    let mut tree = Tree::new("all", Content::Column);
    tree.add(Tree::ROOT, "text", Content::Text((Words::new("探针", "Probe"), Tone::Plain)));
    tree.add(Tree::ROOT, "button", Content::Button((Words::new("按钮", "Button"), Tone::Accent)));
    tree.show("probe")
}

/// Takes memory by the MiB until there is no more. Where the host traps instead of refusing, no line is written.
fn fill_memory(mode: &str) {
    let mut taken: Vec<Vec<u8>> = Vec::with_capacity(4096);
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(1 << 20).is_err() || taken.len() == taken.capacity() {
            break;
        }
        taken.push(black_box(block));
    }
    // Given back first: the line needs some itself.
    drop(taken);
    info!("probe: {mode}: refused");
}

/// As good as endless, and with a frame that no optimiser can fold.
fn deeper(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let frame = black_box([depth; 16]);
    deeper(depth + 1) + frame[(depth % 16) as usize]
}

fn flood(mut turn: impl FnMut(u32) -> Result<(), Denial>) -> Result<(), Denial> {
    (0..FLOOD).try_for_each(&mut turn)
}

fn answer<T>(mode: &str, answer: Result<T, Denial>) {
    info!("probe: {mode}: {}", answer.map_or_else(|denial| name(&denial), |_| "ok"));
}

fn counted(mode: &str, count: Result<usize, Denial>) {
    match count {
        Ok(count) => info!("probe: {mode}: ok {count}"),
        Err(denial) => info!("probe: {mode}: {}", name(&denial)),
    }
}

/// As the contract spells it.
fn name(denial: &Denial) -> &'static str {
    match denial {
        Denial::NotGranted(_) => "not-granted",
        Denial::UnknownPoint => "unknown-point",
        Denial::Invalid(_) => "invalid",
        Denial::OutOfLimits(_) => "out-of-limits",
        Denial::TooStrong(_) => "too-strong",
        Denial::TooSoon(_) => "too-soon",
        Denial::Interlocked(_) => "interlocked",
        Denial::Quota(_) => "quota",
        Denial::Unavailable(_) => "unavailable",
    }
}

campanile_plugin::export_rule!(Probe);
