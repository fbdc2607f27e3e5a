//! `campanile hub`, `demo` and `openapi`.

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_client::Access;
use campanile_model::Campus;
use campanile_server::{Broker, DeviceRun, Hub, HubConfig, Made, StopSignal, Tls, make_past};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::CampusDir;
use crate::failure::Failure;
use crate::settings::{DEFAULT_API_PORT, HubOptions, TlsOption};

#[derive(Args)]
pub struct HubArgs {
    /// A file with options, see --print-config; what is said here goes before it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print a configuration file with every option explained, and end.
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    pub options: HubOptions,
    /// Stop by itself after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    run_for_s: Option<u64>,
    /// Print the addresses as one line of JSON once it runs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct DemoArgs {
    #[command(flatten)]
    campus: CampusDir,
    /// Where the demo keeps its history; a folder of the user's cache where left out.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many days of the past a demo begins with whose folder is still empty: the devices as they would have been. 0
    /// is none.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(0..=400))]
    days: u16,
    /// Open no window even where there is a display.
    #[arg(long)]
    headless: bool,
    /// Run without the plugins that are shipped with the program.
    #[arg(long)]
    no_plugins: bool,
    /// Port of the API; the next free one is taken where it is in use.
    #[arg(long, default_value_t = DEFAULT_API_PORT)]
    port: u16,
    /// Language of the twin.
    #[arg(long, default_value = "auto", value_parser = ["auto", "zh-CN", "en"])]
    lang: String,
    /// Stop by itself after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    run_for_s: Option<u64>,
    /// Print the addresses as one line of JSON once it runs.
    #[arg(long)]
    json: bool,
}

/// Reports a failure of the hub with its own mend.
pub fn started(config: HubConfig) -> Result<Hub, Failure> {
    Hub::start(config).map_err(|why| Failure::unreachable(why.to_string()))
}

/// Runs a hub with options that the caller has put together from the command line and the file.
pub fn hub(args: HubArgs, options: HubOptions) -> Result<ExitCode, Failure> {
    if args.print_config {
        print!("{}", crate::settings::template());
        return Ok(ExitCode::SUCCESS);
    }
    let listen_at = options.listen();
    let broker_port = options.broker_port();
    let data = options.data.ok_or_else(|| {
        Failure::input("the hub is not told where to keep its data")
            .mend("say --data DIR, or data = \"DIR\" in the file of --config")
    })?;
    let stop = listen()?;
    let broker = match options.broker {
        Some(address) => Broker::External(address),
        None => Broker::Embedded { port: broker_port },
    };
    let campus = crate::campus::open(&CampusDir { campus: options.campus }.resolve()?)?;
    let tls = match (options.tls, options.tls_cert, options.tls_key) {
        (None, None, None) => Tls::Off,
        (Some(TlsOption::SelfSigned), None, None) => Tls::SelfSigned,
        (None, Some(cert), Some(key)) => Tls::Files { cert, key },
        _ => {
            return Err(Failure::input("the options of TLS don't go together")
                .mend("give tls = self-signed alone, or tls-cert and tls-key together"));
        }
    };
    let config = HubConfig::new(campus, data)
        .listen(listen_at)
        .broker(broker)
        .web(campanile_server::web_dir())
        .record(options.record)
        .retention_months(options.retention_months);
    let hub = started(config.sign_in(options.sign_in.unwrap_or(false)).tls(tls))?;
    announce(&hub, args.json);
    stop.wait(args.run_for_s.map(Duration::from_secs));
    eprintln!("stopping: committing what waits");
    hub.stop();
    Ok(ExitCode::SUCCESS)
}

/// Listens for Ctrl-C and SIGTERM.
pub fn listen() -> Result<StopSignal, Failure> {
    StopSignal::listen().map_err(|why| Failure::unreachable(format!("can't listen for signals: {why}")))
}

fn announce(hub: &Hub, json: bool) {
    let broker = hub.broker_address().map(|a| a.to_string());
    if json {
        let mut said = serde_json::json!({"api": hub.url(), "broker": broker});
        if let Some(file) = hub.first_sign_in() {
            said["first_sign_in"] = file.display().to_string().into();
        }
        println!("{said}");
        return;
    }
    println!("The hub runs.");
    println!("  browser  {}/", hub.url());
    println!("  API      {}/api/v1/health   (description: /api/v1/openapi.json)", hub.url());
    if let Some(file) = hub.first_sign_in() {
        println!(
            "  sign in  name and one-time password of the first administrator are in {}",
            file.display()
        );
    }
    if let Some(broker) = broker {
        println!("  broker   {broker} (MQTT)");
    }
    println!("  Ctrl-C stops it.");
}

pub fn demo(args: DemoArgs) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let stop = listen()?;
    let dir = args.campus.resolve()?;
    let quiet = args.json;
    let say = |text: String| {
        if !quiet {
            println!("{text}");
        }
    };
    say(format!("Opening {} …", dir.display()));
    let campus = crate::campus::open(&dir)?;
    let data = args.data.map_or_else(default_demo_data, Ok)?;
    let Made::Devices(before) = past(&campus, &data, args.days, quiet, &stop)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let listen = free_address(args.port)?;
    let config =
        HubConfig::new(campus.clone(), data.clone()).listen(listen).broker(Broker::Embedded { port: 0 });
    let config = config.web(campanile_server::web_dir());
    let config = if args.no_plugins { config } else { config.with_shipped_plugins() };
    let hub = started(config)?;
    let broker =
        hub.broker_address().ok_or_else(|| Failure::unreachable("the embedded broker did not start"))?;
    let broker_address = broker.to_string();
    let devices = DeviceRun::going_on(*before, campus.clone(), &broker_address, true);
    let devices = devices.map_err(|why| Failure::unreachable(why.to_string()))?;
    say(format!(
        "{} / {}: {} points, simulated devices on MQTT {broker}, history in {} ({:.1} s)",
        campus.names.en,
        campus.names.zh,
        campus.points.len(),
        data.display(),
        began.elapsed().as_secs_f64(),
    ));
    let url = format!("http://{}", hub.api_address());
    let limit = args.run_for_s.map(Duration::from_secs);
    let display = std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
    let mut headless = !display || args.headless;
    if !headless {
        say(format!("The API is at {url}/api/v1/health; opening the twin."));
        match crate::twin::run_window(&url, &args.lang, &Access::default(), None, &stop, limit) {
            Ok(()) => {}
            Err(why) => {
                // The campus lives on without a window.
                why.report();
                headless = true;
            }
        }
    }
    if headless && !stop.is_raised() {
        if args.json {
            announce(&hub, true);
        } else {
            println!("The campus runs headless{}.", if display { "" } else { ": there is no display here" });
            println!("  browser    {url}/");
            println!("  look       curl {url}/api/v1/health");
            println!("  a picture  campanile snapshot --hub {url} --out campus.png");
            println!("  a value    curl '{url}/api/v1/points?glob=*/*/*/co2'");
            println!("  the twin   campanile twin --hub {url}      (where there is a display)");
            let how = if std::io::stdin().is_terminal() { "Ctrl-C stops it." } else { "SIGTERM stops it." };
            println!("  {how}");
        }
        stop.wait(limit);
    }
    devices.stop();
    hub.stop();
    Ok(ExitCode::SUCCESS)
}

/// Of all draws of the devices of a demo.
const DEMO_SEED: u64 = 1;

/// The past of a demo.
fn past(
    campus: &Arc<Campus>,
    data: &Path,
    days: u16,
    quiet: bool,
    stop: &StopSignal,
) -> Result<Made, Failure> {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(100) };
    let bar = bar.with_message(format!("the {days} days before"));
    bar.set_style(
        ProgressStyle::with_template("{bar:40} {msg}, {eta} to go")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut heard = |share: f64| {
        bar.set_position((share * 100.0) as u64);
        !stop.is_raised()
    };
    let made = make_past(campus, data, days, DEMO_SEED, &mut heard)
        .map_err(|why| Failure::unreachable(why.to_string()))?;
    bar.finish_and_clear();
    Ok(made)
}

/// Where this user keeps what can be made anew.
pub fn user_cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(base.join("campanile"))
}

fn default_demo_data() -> Result<PathBuf, Failure> {
    user_cache().map(|dir| dir.join("demo-data")).ok_or_else(|| {
        Failure::input("neither HOME nor XDG_CACHE_HOME is set").mend("name a folder with --data DIR")
    })
}

/// The wanted port on loopback, or a free one where it is taken.
fn free_address(port: u16) -> Result<SocketAddr, Failure> {
    let address = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    match std::net::TcpListener::bind(address(port)) {
        Ok(_) => Ok(address(port)),
        Err(why) if why.kind() == std::io::ErrorKind::AddrInUse => {
            eprintln!("port {port} is in use; taking a free one");
            Ok(address(0))
        }
        Err(why) => Err(Failure::unreachable(format!("can't listen on 127.0.0.1:{port}: {why}"))),
    }
}

pub fn openapi() -> Result<ExitCode, Failure> {
    println!("{}", campanile_server::openapi_json());
    Ok(ExitCode::SUCCESS)
}
