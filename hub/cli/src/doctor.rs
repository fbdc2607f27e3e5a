//! `campanile doctor`: what is wrong with a set-up, and how to mend it.
//!
//! Each check adds findings; the texts of a finding are in `assets/locales/*/cli.ftl` under its key, and its mend under
//! the key with `-mend` behind it. Nothing is changed on the machine: a file that tries the data folder goes again.

use std::fmt::Display;
use std::io::{IsTerminal, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use campanile_model::Severity;
use clap::Args;
use serde::Serialize;

use crate::CampusDir;
use crate::failure::Failure;
use crate::locale::Texts;
use crate::settings::HubOptions;

/// Free room under which a hub will soon stop storing, and under which somebody should look.
const LEAST_FREE_BYTES: u64 = 1 << 30;
const GOOD_FREE_BYTES: u64 = 10 << 30;
/// A hub with the demo campus takes a tenth of it; the rest is for queries and the system.
const GOOD_MEMORY_BYTES: u64 = 1 << 30;
/// Each client, each month file of a query and the store take some; the usual limit of a session is 1,024.
const GOOD_OPEN_FILES: u64 = 1024;
/// How long a broker, a hub or a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct DoctorArgs {
    /// The configuration of the hub, as for `campanile hub`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub options: HubOptions,
    /// Read the whole store and compare its checksums: some seconds a gigabyte; a hub may be running.
    #[arg(long)]
    deep: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Language of the report; auto: that of the session.
    #[arg(long, default_value = "auto", value_parser = ["auto", "zh-CN", "en"])]
    lang: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Ok,
    Warn,
    Bad,
}

/// What a check found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    level: Level,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// The findings so far.
struct Report {
    texts: Texts,
    check: &'static str,
    findings: Vec<Finding>,
}

impl Report {
    /// The findings that follow are of this check.
    fn begin(&mut self, check: &'static str) {
        self.check = check;
    }

    fn add(&mut self, level: Level, key: &str, args: &[(&str, &dyn Display)]) {
        let args: Vec<(&str, String)> = args.iter().map(|(name, value)| (*name, value.to_string())).collect();
        let what = self.texts.with(key, &args);
        let mend = (level > Level::Ok).then(|| self.texts.with(&format!("{key}-mend"), &args));
        self.findings.push(Finding { check: self.check, level, what, mend });
    }

    fn ok(&mut self, key: &str, args: &[(&str, &dyn Display)]) {
        self.add(Level::Ok, key, args);
    }

    fn warn(&mut self, key: &str, args: &[(&str, &dyn Display)]) {
        self.add(Level::Warn, key, args);
    }

    fn bad(&mut self, key: &str, args: &[(&str, &dyn Display)]) {
        self.add(Level::Bad, key, args);
    }

    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}

/// Looks at everything that a hub with these options needs.
pub fn doctor(args: &DoctorArgs, options: &HubOptions) -> Result<ExitCode, Failure> {
    let mut report = Report { texts: Texts::new(&args.lang), check: "", findings: Vec::new() };
    version(&mut report);
    campus(&mut report, options);
    data(&mut report, options.data.as_deref(), args.deep);
    let hub = api(&mut report, options.listen());
    broker(&mut report, options, hub);
    clock(&mut report);
    machine(&mut report);
    twin(&mut report);
    if args.json {
        let (warnings, bad) = (report.count(Level::Warn), report.count(Level::Bad));
        println!(
            "{}",
            serde_json::json!({"ok": bad == 0, "warnings": warnings, "bad": bad, "findings": report.findings})
        );
    } else {
        print(&report);
    }
    Ok(ExitCode::from(u8::from(report.count(Level::Bad) > 0)))
}

fn print(report: &Report) {
    let colour = std::io::stdout().is_terminal();
    let mut check = "";
    for finding in &report.findings {
        if finding.check != check {
            check = finding.check;
            println!("{}", report.texts.with(&format!("check-{check}"), &[]));
        }
        let (sign, paint) = match finding.level {
            Level::Ok => ("✓", "32"),
            Level::Warn => ("!", "33"),
            Level::Bad => ("✗", "31"),
        };
        let sign = if colour { format!("\x1b[{paint}m{sign}\x1b[0m") } else { sign.to_owned() };
        println!("  {sign} {}", finding.what);
        if let Some(mend) = &finding.mend {
            println!("    → {mend}");
        }
    }
    let count = |level| report.count(level).to_string();
    println!();
    println!(
        "{}",
        report.texts.with("doctor-sum", &[("bad", count(Level::Bad)), ("warnings", count(Level::Warn))])
    );
}

fn version(report: &mut Report) {
    report.begin("version");
    report.ok("version-is", &[("version", &env!("CARGO_PKG_VERSION"))]);
}

fn campus(report: &mut Report, options: &HubOptions) {
    report.begin("campus");
    let dir = match (CampusDir { campus: options.campus.clone() }).resolve() {
        Ok(dir) => dir,
        Err(_) => return report.bad("campus-none", &[]),
    };
    let loaded = crate::campus::load(&dir);
    let errors = loaded.problems.iter().filter(|p| p.severity == Severity::Error).count();
    let warnings = loaded.problems.len() - errors;
    let place = dir.display();
    match &loaded.campus {
        None => report.bad("campus-errors", &[("dir", &place), ("errors", &errors)]),
        Some(campus) => {
            report
                .ok("campus-fine", &[("id", &campus.id), ("points", &campus.points.len()), ("dir", &place)]);
            if warnings > 0 {
                report.warn("campus-warnings", &[("dir", &place), ("warnings", &warnings)]);
            }
            match jiff::tz::TimeZone::get(&campus.timezone) {
                Ok(zone) => {
                    let now = zone.to_datetime(jiff::Timestamp::now()).strftime("%F %R");
                    report.ok("zone-known", &[("zone", &campus.timezone), ("now", &now)]);
                }
                Err(_) => report.bad("zone-unknown", &[("zone", &campus.timezone)]),
            }
        }
    }
}

fn data(report: &mut Report, dir: Option<&Path>, deep: bool) {
    report.begin("data");
    let Some(dir) = dir else { return report.warn("data-not-named", &[]) };
    let place = dir.display();
    // What is missing is made by the hub, in the nearest folder that is there.
    let Some(there) = dir
        .ancestors()
        .find(|d| d.exists())
        .map(|d| if d.as_os_str().is_empty() { Path::new(".") } else { d })
    else {
        return report.bad("data-nowhere", &[("dir", &place)]);
    };
    if !there.is_dir() {
        return report.bad("data-no-folder", &[("dir", &there.display())]);
    }
    match try_writing(there) {
        Err(why) => report.bad("data-not-writable", &[("dir", &there.display()), ("why", &why)]),
        Ok(()) if there == dir => report.ok("data-writable", &[("dir", &place)]),
        Ok(()) => report.ok("data-will-be-made", &[("dir", &place)]),
    }
    disk(report, there);
    if there == dir {
        // Without a store in it the folder may be anybody's, such as /tmp.
        if dir.join("history.db").exists() {
            permissions(report, dir);
        }
        store(report, dir, deep);
    }
}

fn try_writing(dir: &Path) -> std::io::Result<()> {
    let probe = dir.join(format!(".campanile-doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"probe");
    // It is not there where it could not be written.
    let _ = std::fs::remove_file(&probe);
    written
}

/// Free room and the kind of file system.
fn disk(report: &mut Report, dir: &Path) {
    let told = Command::new("df").args(["-B1", "--output=avail,fstype"]).arg(dir).output();
    let text = told.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    let mut words = text.lines().nth(1).unwrap_or_default().split_whitespace();
    let (Some(free), Some(kind)) = (words.next().and_then(|w| w.parse::<u64>().ok()), words.next()) else {
        return report.warn("disk-unknown", &[("dir", &dir.display())]);
    };
    let room = gigabytes(free);
    if free < LEAST_FREE_BYTES {
        report.bad("disk-full", &[("free", &room)]);
    } else if free < GOOD_FREE_BYTES {
        report.warn("disk-little", &[("free", &room)]);
    } else {
        report.ok("disk-free", &[("free", &room)]);
    }
    match kind_of_disk(kind) {
        Disk::Network => report.warn("disk-network", &[("kind", &kind)]),
        Disk::Passing => report.warn("disk-passing", &[("kind", &kind)]),
        Disk::Local => report.ok("disk-kind", &[("kind", &kind)]),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Disk {
    Local,
    /// Locks and syncs can't be trusted.
    Network,
    /// Gone with the next start of the machine or the container.
    Passing,
}

fn kind_of_disk(kind: &str) -> Disk {
    match kind {
        "tmpfs" | "ramfs" | "devtmpfs" | "overlay" => Disk::Passing,
        "cifs" | "smbfs" | "smb3" | "9p" | "afs" | "ceph" | "glusterfs" | "fuse.sshfs" => Disk::Network,
        _ if kind.starts_with("nfs") => Disk::Network,
        _ => Disk::Local,
    }
}

fn permissions(report: &mut Report, dir: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let Ok(of_dir) = dir.metadata() else { return };
    let place = dir.display();
    // The owner of what this program makes is its own user; /proc names it without a call into C.
    let me = std::fs::metadata("/proc/self").map_or(of_dir.uid(), |me| me.uid());
    if of_dir.uid() != me {
        report.warn("data-other-owner", &[("dir", &place), ("owner", &of_dir.uid()), ("me", &me)]);
    }
    if of_dir.permissions().mode() & 0o007 != 0 {
        report.warn("data-open-to-all", &[("dir", &place)]);
    }
}

fn store(report: &mut Report, dir: &Path, deep: bool) {
    match campanile_history::inspect(dir) {
        Ok(None) => report.ok("store-none-yet", &[]),
        Ok(Some(facts)) => {
            let size = gigabytes(facts.bytes);
            report.ok("store-fine", &[("points", &facts.points), ("size", &size)]);
            let months = facts.months.iter().map(|(month, bytes)| format!("{month} ({})", gigabytes(*bytes)));
            let months = months.collect::<Vec<_>>().join(", ");
            if !months.is_empty() {
                report.ok("store-months", &[("months", &months)]);
            }
            if facts.in_use {
                report.ok("store-in-use", &[]);
            }
            for damage in &facts.damage {
                report.bad("store-damaged", &[("file", &damage.file), ("why", &damage.why)]);
            }
            if deep {
                checksums(report, dir);
            }
        }
        Err(why) => report.bad("store-unreadable", &[("why", &why)]),
    }
}

/// Reads the whole store.
fn checksums(report: &mut Report, dir: &Path) {
    match campanile_history::verify(dir, &mut |_| true) {
        Ok(damage) if damage.is_empty() => report.ok("store-whole", &[]),
        Ok(damage) => {
            for damage in &damage {
                report.bad("store-damaged", &[("file", &damage.file), ("why", &damage.why)]);
            }
        }
        Err(why) => report.bad("store-unreadable", &[("why", &why)]),
    }
}

/// Whether a hub answers there.
fn api(report: &mut Report, address: SocketAddr) -> bool {
    report.begin("api");
    if !address.ip().is_loopback() {
        report.bad("api-beyond-loopback", &[("address", &address)]);
        return false;
    }
    match TcpListener::bind(address) {
        Ok(_) => report.ok("api-free", &[("address", &address)]),
        Err(why) if why.kind() == std::io::ErrorKind::AddrInUse => {
            if let Some(health) = health(address) {
                let text = |key: &str| health[key].as_str().unwrap_or("?").to_owned();
                let (server, campus) = (text("server"), text("campus"));
                report.ok("api-hub", &[("address", &address), ("server", &server), ("campus", &campus)]);
                if health["ok"].as_bool() == Some(false) {
                    report.warn("api-hub-ails", &[("address", &address)]);
                }
                for problem in health["problems"].as_array().into_iter().flatten().filter_map(|p| p.as_str())
                {
                    report.warn("api-hub-says", &[("what", &problem)]);
                }
                return true;
            }
            let who = holder(address.port()).unwrap_or_else(|| "?".to_owned());
            report.bad("api-taken", &[("address", &address), ("who", &who)]);
        }
        Err(why) => report.bad("api-can-not", &[("address", &address), ("why", &why)]),
    }
    false
}

/// What a hub says of itself, if it is one.
pub fn health(address: SocketAddr) -> Option<serde_json::Value> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET /api/v1/health HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    // A hub says little; who says more is none.
    stream.take(1 << 20).read_to_end(&mut answer).ok()?;
    let body = String::from_utf8(answer).ok()?.split_once("\r\n\r\n")?.1.to_owned();
    serde_json::from_str(&body).ok().filter(|health: &serde_json::Value| health["protocol"].is_u64())
}

/// The program that listens on a port, as far as this user may see it.
fn holder(port: u16) -> Option<String> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap_or_default());
    let inode = tables.iter().flat_map(|table| table.lines().skip(1)).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let listens = words.get(3) == Some(&"0A") && words.get(1)?.ends_with(&format!(":{port:04X}"));
        listens.then(|| words.get(9).map(|inode| format!("socket:[{inode}]")))?
    })?;
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        // Beside the numbers there are names for this process itself, and for what is none.
        process.file_name().to_str()?.parse::<u32>().ok()?;
        let of_it = std::fs::read_dir(process.path().join("fd")).ok()?.flatten();
        let holds = of_it
            .filter_map(|fd| std::fs::read_link(fd.path()).ok())
            .any(|to| to.as_os_str() == inode.as_str());
        let name = holds.then(|| std::fs::read_to_string(process.path().join("comm")).unwrap_or_default())?;
        Some(format!("{} ({})", name.trim(), process.file_name().to_string_lossy()))
    })
}

fn broker(report: &mut Report, options: &HubOptions, hub: bool) {
    report.begin("broker");
    if let Some(address) = &options.broker {
        match campanile_server::host_port(address) {
            Err(why) => report.bad("broker-address", &[("why", &why)]),
            Ok((host, port)) => probe(report, &host, port),
        }
        return;
    }
    let port = options.broker_port();
    if port == 0 {
        return report.ok("broker-any-port", &[]);
    }
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => report.ok("broker-free", &[("port", &port)]),
        // The broker of the hub that runs, in all likelihood.
        Err(_) if hub => probe(report, "127.0.0.1", port),
        Err(_) => {
            let who = holder(port).unwrap_or_else(|| "?".to_owned());
            report.bad("broker-taken", &[("port", &port), ("who", &who)]);
        }
    }
}

fn probe(report: &mut Report, host: &str, port: u16) {
    let address = format!("{host}:{port}");
    match campanile_gateway::probe(host, port, PATIENCE) {
        Ok(took) => report.ok("broker-fine", &[("address", &address), ("ms", &took.as_millis())]),
        Err(why) => report.bad("broker-no-use", &[("address", &address), ("why", &why)]),
    }
}

fn clock(report: &mut Report) {
    report.begin("clock");
    let now = jiff::Timestamp::now();
    let utc = now.strftime("%F %T UTC");
    // Samples before 1970 or after 2199 are refused; a machine whose battery is empty begins at 1970 or 2000.
    match jiff::tz::TimeZone::UTC.to_datetime(now).year() {
        2025..2100 => report.ok("clock-plausible", &[("now", &utc)]),
        _ => report.bad("clock-wrong", &[("now", &utc)]),
    }
    match synchronised() {
        Some(true) => report.ok("clock-synchronised", &[]),
        Some(false) => report.warn("clock-alone", &[]),
        None => report.ok("clock-unknown", &[]),
    }
}

/// Whether the clock is kept by a time server; nothing where nobody can tell, as in a container.
fn synchronised() -> Option<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    let told = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    match String::from_utf8_lossy(&told.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn machine(report: &mut Report) {
    report.begin("machine");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 {
        report.warn("cores-few", &[("cores", &cores)]);
    } else {
        report.ok("cores", &[("cores", &cores)]);
    }
    let memory = number_in("/proc/meminfo", "MemAvailable:").map(|kib| kib * 1024);
    match memory {
        Some(bytes) if bytes < GOOD_MEMORY_BYTES => {
            report.warn("memory-little", &[("free", &gigabytes(bytes))])
        }
        Some(bytes) => report.ok("memory", &[("free", &gigabytes(bytes))]),
        None => {}
    }
    match number_in("/proc/self/limits", "Max open files") {
        Some(limit) if limit < GOOD_OPEN_FILES => {
            report.warn("files-few", &[("limit", &limit), ("good", &GOOD_OPEN_FILES)]);
        }
        Some(limit) => report.ok("files", &[("limit", &limit)]),
        None => {}
    }
}

/// The first number behind a name in a file of /proc.
fn number_in(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

fn twin(report: &mut Report) {
    report.begin("twin");
    let Ok(program) = crate::twin::program() else { return report.ok("twin-none", &[]) };
    match starts(&program) {
        Some(version) => report.ok("twin-starts", &[("version", &version)]),
        None => report.bad("twin-broken", &[("program", &program.display())]),
    }
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().find_map(|name| std::env::var(name).ok());
    match display {
        Some(display) => report.ok("display", &[("display", &display)]),
        None => report.ok("display-none", &[]),
    }
    // Drivers tell the Vulkan loader of themselves by a file in one of these folders.
    let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
    let entries = folders.iter().flat_map(|dir| std::fs::read_dir(dir).into_iter().flatten().flatten());
    let names = entries.map(|e| e.file_name().to_string_lossy().into_owned());
    let mut drivers: Vec<String> =
        names.filter_map(|n| Some(n.strip_suffix(".json")?.trim_end_matches("_icd").to_owned())).collect();
    drivers.sort();
    if drivers.is_empty() {
        report.warn("vulkan-none", &[]);
    } else {
        report.ok("vulkan", &[("drivers", &drivers.join(", "))]);
    }
    // The twin has its fonts, Chinese too, within; only a terminal needs some.
    report.ok("fonts", &[]);
}

/// The version that a program says of itself, if it starts and says it soon.
fn starts(program: &Path) -> Option<String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let mut said = String::new();
                child.stdout.take()?.read_to_string(&mut said).ok()?;
                return status.success().then(|| said.trim().to_owned());
            }
            Ok(None) if began.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
            _ => {
                // It hangs, or can't be asked: either way it is of no use.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

fn gigabytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_that_lose_data_are_told_from_others() {
        assert_eq!(kind_of_disk("ext2/ext3"), Disk::Local);
        assert_eq!(kind_of_disk("btrfs"), Disk::Local);
        assert_eq!(kind_of_disk("nfs4"), Disk::Network);
        assert_eq!(kind_of_disk("tmpfs"), Disk::Passing);
    }

    #[test]
    fn who_holds_a_port_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let who = holder(listener.local_addr().unwrap().port()).unwrap();
        assert!(who.ends_with(&format!("({})", std::process::id())), "{who}");
    }
}
