//! What a plugin can't reach, found in its source: such a call compiles in most languages, and traps, lies or vanishes
//! when it is made. It is refused here, where its line is known.

use std::path::Path;

use crate::{Error, Language, Place, source::Source};

/// A call as it stands in the code, what it is for, and the mend.
type Call = (&'static str, &'static str);

const CLOCK: &str = "the time of the world is in `clock`";
const KEEP: &str = "there are no files: keep what must last in `store`, and say things in `log`";
const NETWORK: &str = "there is no network: a plugin sees the campus and nothing else";
const SETTINGS: &str = "there are no arguments and no environment: settings are given to `start`";
const THREADS: &str =
    "there is one thread, and no call waits: do it in `on-tick`, as `subscribe.tick_s` has it";
const RANDOM: &str =
    "it is the same in every instance: make random numbers of a seed that is kept in `store`";
const PROCESSES: &str = "there are no other programs";

const RUST: &[Call] = &[
    ("Instant::now(", CLOCK),
    ("SystemTime::now(", CLOCK),
    ("std::fs::", KEEP),
    ("File::open(", KEEP),
    ("File::create(", KEEP),
    ("std::net::", NETWORK),
    ("std::env::", SETTINGS),
    ("std::process::Command", PROCESSES),
    ("thread::spawn(", THREADS),
    ("thread::sleep(", THREADS),
    ("println!(", "it goes nowhere: use the macros `debug!`, `info!`, `warn!` and `error!`"),
    ("eprintln!(", "it goes nowhere: use the macros `debug!`, `info!`, `warn!` and `error!`"),
    ("dbg!(", "it goes nowhere: use the macro `debug!`"),
];

const PYTHON: &[Call] = &[
    ("open(", KEEP),
    ("input(", "nobody is there to answer: ask by a panel"),
    ("time.time(", CLOCK),
    ("time.monotonic(", CLOCK),
    ("time.perf_counter(", CLOCK),
    ("time.sleep(", THREADS),
    ("datetime.now(", CLOCK),
    ("datetime.utcnow(", CLOCK),
    ("date.today(", CLOCK),
    ("os.environ", SETTINGS),
    ("os.getenv(", SETTINGS),
    ("os.system(", PROCESSES),
    ("os.listdir(", KEEP),
    ("import subprocess", PROCESSES),
    ("import socket", NETWORK),
    ("import requests", NETWORK),
    ("import urllib.request", NETWORK),
    ("from urllib.request", NETWORK),
    ("import http.client", NETWORK),
    ("import threading", THREADS),
    ("import asyncio", THREADS),
    ("random.random(", RANDOM),
    ("random.randint(", RANDOM),
    ("random.uniform(", RANDOM),
    ("random.choice(", RANDOM),
    ("random.shuffle(", RANDOM),
    ("random.sample(", RANDOM),
];

const JAVASCRIPT: &[Call] = &[
    ("fetch(", NETWORK),
    ("new XMLHttpRequest(", NETWORK),
    ("new WebSocket(", NETWORK),
    ("setTimeout(", THREADS),
    ("setInterval(", THREADS),
    ("Date.now(", CLOCK),
    ("new Date()", CLOCK),
    ("performance.now(", CLOCK),
    ("Math.random(", RANDOM),
    ("crypto.getRandomValues(", RANDOM),
    ("crypto.randomUUID(", RANDOM),
    ("localStorage", KEEP),
    ("process.env", SETTINGS),
    ("process.argv", SETTINGS),
    ("require(", "modules are imported: `import { … } from \"./file.js\"`"),
];

/// Refuses source that calls what is not there.
pub(crate) fn refuse(language: Language, dir: &Path) -> Result<(), Error> {
    let calls = match language {
        Language::Rust => RUST,
        Language::Python => PYTHON,
        Language::JavaScript => JAVASCRIPT,
        // What a C library would have is nowhere defined there, and a script can't even name it.
        Language::C | Language::Rhai => return Ok(()),
    };
    for source in Source::of(language, dir)? {
        for (call, mend) in calls {
            if let Some(line) = source.line_of_call(call) {
                let place = Place { path: source.path.clone(), line };
                return Err(Error::Outside { place, call: call.trim_end_matches('(').into(), mend });
            }
        }
    }
    Ok(())
}
