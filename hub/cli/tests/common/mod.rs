//! The built command, programs that go when their test does, and patience.

#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each suite takes a part of it")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub fn root() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..").canonicalize().unwrap()
}

pub fn demo() -> PathBuf {
    root().join("scenes/shanghai-school")
}

/// The command, without what the environment may say to it.
pub fn campanile() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campanile"));
    for name in ["CAMPANILE_TOKEN", "CAMPANILE_LOG", "SSL_CERT_FILE"] {
        command.env_remove(name);
    }
    command.env("CAMPANILE_ROOT", root());
    command
}

/// A child that goes when the test does: killed, without a farewell.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A hub that runs.
pub struct Hub {
    pub child: Running,
    pub api: String,
    /// The address of its own broker.
    pub broker: String,
}

impl Hub {
    /// A hub of a command whose options may be all but `--json`, once it is ready.
    pub fn start(command: &mut Command) -> Self {
        let child = command.arg("--json").stdout(Stdio::piped()).spawn().unwrap();
        Self::ready(child)
    }

    /// A hub that was started with `--json` and its output at hand, once it is ready.
    pub fn ready(mut child: Child) -> Self {
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Json = serde_json::from_str(&line).unwrap();
        let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        Self { child: Running(child), api: text("api"), broker: text("broker") }
    }

    /// A hub with a broker of its own, on ports that are free.
    pub fn of(campus: &Path, data: &Path) -> Self {
        Self::start(hub_command(campus, data).args(["--broker-port", "0"]))
    }
}

/// A hub's command on a port that is free; which broker is still to be said.
pub fn hub_command(campus: &Path, data: &Path) -> Command {
    let mut command = campanile();
    command.args(["hub", "--listen", "127.0.0.1:0", "--campus"]).arg(campus).arg("--data").arg(data);
    command
}

pub fn get<T: serde::de::DeserializeOwned>(hub: &Hub, path: &str) -> T {
    let mut answer = ureq::get(format!("{}/api/v1/{path}", hub.api)).call().unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

/// The status and the body; none from a hub that has gone meanwhile.
pub fn post(hub: &Hub, path: &str, body: &Json) -> Option<(u16, String)> {
    let agent =
        ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
    let request = agent.post(format!("{}/api/v1/{path}", hub.api)).header("content-type", "application/json");
    let mut answer = request.send(body.to_string()).ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    Some((answer.status().as_u16(), text))
}

pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
