//! `campanile twin` and `snapshot`: the twin is a program of its own, found beside this one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use campanile_client::{Access, ClientError};
use campanile_server::{Broker, HubConfig, StopSignal};
use clap::Args;

use crate::CampusDir;
use crate::failure::Failure;

#[derive(Args)]
pub struct TwinArgs {
    /// Address of a running hub.
    #[arg(long, default_value = "http://127.0.0.1:7373")]
    hub: String,
    /// Language.
    #[arg(long, default_value = "auto", value_parser = ["auto", "zh-CN", "en"])]
    lang: String,
    #[command(flatten)]
    access: Access,
    /// Open this view: a link as the twin copies it, or what stands in it behind `#`.
    #[arg(long, value_name = "LINK")]
    link: Option<String>,
}

#[derive(Args)]
pub struct SnapshotArgs {
    #[command(flatten)]
    campus: CampusDir,
    /// Draw from this running hub instead of simulated values.
    #[arg(long, conflicts_with = "campus")]
    hub: Option<String>,
    #[command(flatten)]
    access: Access,
    /// Where to write the picture.
    #[arg(long, value_name = "PNG")]
    out: PathBuf,
    /// A named view, or the path of an entity to look at.
    #[arg(long, default_value = "overview")]
    view: String,
    /// Width and height in pixels.
    #[arg(long, default_value = "1600x900", value_name = "WxH", value_parser = size)]
    size: String,
    /// Language.
    #[arg(long, default_value = "en", value_parser = ["zh-CN", "en"])]
    lang: String,
    /// The quantity that colours the rooms, such as co2.
    #[arg(long)]
    quantity: Option<String>,
    /// The storey to slice open at, by path, such as teaching-a/2f.
    #[arg(long)]
    storey: Option<String>,
    /// The entity whose panel is open, by path.
    #[arg(long)]
    select: Option<String>,
    /// Follow the most urgent alarm to its place.
    #[arg(long)]
    alarm: bool,
    /// Draw a rehearsal of the running hub, by its id, or the campus as it was at a moment, RFC 3339.
    #[arg(long, value_name = "ID|TIME", requires = "hub")]
    world: Option<String>,
    /// Open the Drill page.
    #[arg(long)]
    drill: bool,
    /// Open what activities show, all plugins, the approval of one, or its script.
    #[arg(long, value_parser = ["learn", "plugins", "approve", "script"], conflicts_with = "drill")]
    page: Option<String>,
    /// The plugin that is open on that page, by its id.
    #[arg(long, value_name = "ID", requires = "page")]
    plugin: Option<String>,
    /// The panel of it that is drawn, by its id.
    #[arg(long, value_name = "ID", requires = "plugin")]
    panel: Option<String>,
    /// Show this view: a link as the twin copies it, or what stands in it behind `#`.
    #[arg(long, value_name = "LINK")]
    link: Option<String>,
    /// Open this pane.
    #[arg(long, conflicts_with_all = ["page", "drill"], value_parser = ["details", "charts", "energy", "water", "alarms", "drill", "learn", "plugins", "saved"])]
    pane: Option<String>,
    /// Chart this point today; may be given more than once.
    #[arg(long, value_name = "POINT")]
    chart: Vec<String>,
    /// Chart beside another day.
    #[arg(long, requires = "chart", value_parser = ["before", "week", "year"])]
    compare: Option<String>,
    /// Put this point on the strip; may be given more than once.
    #[arg(long, value_name = "POINT")]
    pin: Vec<String>,
    /// Dark panels.
    #[arg(long)]
    dark: bool,
    /// The moment that is simulated, RFC 3339; now where left out.
    #[arg(long, conflicts_with = "hub")]
    at: Option<jiff::Timestamp>,
}

/// The program `campanile-twin` beside this one.
pub fn program() -> Result<PathBuf, Failure> {
    let here = std::env::current_exe()
        .map_err(|why| Failure::unreachable(format!("can't find this program's folder: {why}")))?;
    let twin = here.with_file_name("campanile-twin");
    if twin.is_file() {
        return Ok(twin);
    }
    Err(Failure::unreachable(format!("the twin is not installed: {} is missing", twin.display()))
        .mend("build it with `cargo build -p campanile-twin`, or install campanile-twin beside campanile"))
}

/// Says at once where no hub answers or it can't be trusted, rather than after the twin's patience; and where it lets
/// nobody in with that token, unless a person can sign in.
fn reachable(hub: &str, access: &Access, can_sign_in: bool) -> Result<(), Failure> {
    match crate::link::client(hub, access)?.me() {
        Ok(_) => Ok(()),
        Err(ClientError::Refused { .. }) if can_sign_in => Ok(()),
        Err(why) => Err(Failure::of_hub(why)),
    }
}

/// What the twin is told of how to reach the hub. Of a token only the file is named: options are for all to see. One
/// in the environment is in the twin's too.
fn pass_on(command: &mut Command, access: &Access) {
    for (flag, file) in [("--token-file", &access.token_file), ("--ca", &access.ca)] {
        if let Some(file) = file {
            command.arg(flag).arg(file);
        }
    }
}

/// Runs the twin's window until it is closed, somebody stops the program, or the limit is over.
pub fn run_window(
    hub: &str,
    lang: &str,
    access: &Access,
    link: Option<&str>,
    stop: &StopSignal,
    limit: Option<Duration>,
) -> Result<(), Failure> {
    let program = program()?;
    let mut command = Command::new(&program);
    command.args(["--hub", hub]);
    if let Some(link) = link {
        command.args(["--link", link]);
    }
    pass_on(&mut command, access);
    if lang != "auto" {
        command.args(["--lang", lang]);
    }
    session(&mut command);
    let cannot =
        |why: std::io::Error| Failure::unreachable(format!("can't run {}: {why}", program.display()));
    let mut child = command.spawn().map_err(cannot)?;
    let began = Instant::now();
    loop {
        let ended = child.try_wait().map_err(cannot)?;
        if stop.is_raised() || limit.is_some_and(|limit| began.elapsed() >= limit) {
            // It may have gone by itself: Ctrl-C reaches both.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(());
        }
        match ended {
            None => std::thread::sleep(Duration::from_millis(100)),
            Some(status) if status.success() => return Ok(()),
            Some(status) => {
                return Err(Failure::unreachable(format!("the twin ended with {status}")).mend(
                    "it needs a display and a Vulkan driver (Debian: mesa-vulkan-drivers, libvulkan1); \
                     `campanile snapshot` draws without a display",
                ));
            }
        }
    }
}

/// Graphics libraries complain where a session has no folder for run-time files; the twin needs none.
fn session(command: &mut Command) {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
}

pub fn open(args: TwinArgs) -> Result<ExitCode, Failure> {
    let stop = crate::hub::listen()?;
    reachable(&args.hub, &args.access, true)?;
    run_window(&args.hub, &args.lang, &args.access, args.link.as_deref(), &stop, None)?;
    Ok(ExitCode::SUCCESS)
}

/// Width and height, as the twin takes them.
fn size(text: &str) -> Result<String, String> {
    let parsed: Option<(u32, u32)> =
        text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parsed
        .filter(|(w, h)| (320..=8192).contains(w) && (240..=8192).contains(h))
        .map(|_| text.to_owned())
        .ok_or_else(|| "it has to be WIDTHxHEIGHT, from 320x240 to 8192x8192".to_owned())
}

/// Whether a file can be written, found out before half a minute of drawing.
fn writable(path: &Path) -> Result<(), Failure> {
    let there = path.exists();
    match std::fs::OpenOptions::new().append(true).create(true).open(path) {
        Ok(_) if there => Ok(()),
        Ok(_) => {
            let _ = std::fs::remove_file(path);
            Ok(())
        }
        Err(why) => Err(Failure::input(format!("can't write {}: {why}", path.display()))
            .mend("name a file in a folder that is there and can be written, with --out")),
    }
}

pub fn snapshot(args: SnapshotArgs) -> Result<ExitCode, Failure> {
    // What takes no time first.
    if let Some(url) = &args.hub {
        reachable(url, &args.access, false)?;
    }
    let program = program()?;
    writable(&args.out)?;
    let (own, url, _scratch) = match &args.hub {
        Some(url) => (None, url.clone(), None),
        None => {
            let campus = crate::campus::open(&args.campus.resolve()?)?;
            let scratch = Scratch::new()?;
            let at = args.at.unwrap_or_else(jiff::Timestamp::now);
            let config = HubConfig::new(campus, scratch.0.clone())
                .listen(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))
                .broker(Broker::None)
                .simulated_at(campanile_model::Timestamp(at.as_microsecond()), 1);
            let hub = crate::hub::started(config)?;
            let url = format!("http://{}", hub.api_address());
            (Some(hub), url, Some(scratch))
        }
    };
    let mut command = Command::new(&program);
    command
        .arg("snapshot")
        .args(["--hub", &url, "--view", &args.view, "--size", &args.size, "--lang", &args.lang]);
    command.arg("--out").arg(&args.out).stdin(Stdio::null());
    session(&mut command);
    if args.hub.is_some() {
        pass_on(&mut command, &args.access);
    } else {
        // A hub of its own asks for none.
        command.env_remove(campanile_client::TOKEN_VARIABLE);
    }
    for (flag, value) in [
        ("--quantity", &args.quantity),
        ("--storey", &args.storey),
        ("--select", &args.select),
        ("--world", &args.world),
        ("--page", &args.page),
        ("--plugin", &args.plugin),
        ("--panel", &args.panel),
        ("--link", &args.link),
        ("--pane", &args.pane),
        ("--compare", &args.compare),
    ] {
        if let Some(value) = value {
            command.args([flag, value]);
        }
    }
    for (flag, points) in [("--chart", &args.chart), ("--pin", &args.pin)] {
        for point in points {
            command.args([flag, point]);
        }
    }
    for (flag, is_set) in [("--alarm", args.alarm), ("--drill", args.drill), ("--dark", args.dark)] {
        if is_set {
            command.arg(flag);
        }
    }
    eprintln!("drawing; without a graphics processor it takes half a minute");
    let status = command
        .status()
        .map_err(|why| Failure::unreachable(format!("can't run {}: {why}", program.display())))?;
    if let Some(hub) = own {
        hub.stop();
    }
    Ok(ExitCode::from(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(3)))
}

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let dir = std::env::temp_dir().join(format!("campanile-snapshot-{}", std::process::id()));
        std::fs::create_dir_all(&dir)
            .map_err(|why| Failure::input(format!("can't make {}: {why}", dir.display())))?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
