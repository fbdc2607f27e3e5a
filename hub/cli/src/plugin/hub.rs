//! `campanile plugin install`, `approve`, `list` and the like: plugins of a running hub, over its API.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use campanile_client::{Access, Client};
use campanile_protocol::plugins::{
    ApprovePlugin, PackageAnswer, PluginAnswer, PluginInfo, PluginLogs, PluginRequest, PluginSettings,
    PluginState, PluginVersion, PluginsAnswer, TrustAnswer, TrustRequest,
};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Desk, print_json, size};
use crate::failure::Failure;
use crate::settings::DEFAULT_API_PORT;

/// How often `logs -f` looks for new lines.
const LOOK: Duration = Duration::from_secs(1);

fn default_hub() -> String {
    format!("http://127.0.0.1:{DEFAULT_API_PORT}")
}

/// Which hub, who asks, and how to answer.
#[derive(Args)]
pub struct Place {
    /// The address of the hub.
    #[arg(long, value_name = "URL", default_value_t = default_hub())]
    hub: String,
    #[command(flatten)]
    access: Access,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Why, for the audit record.
#[derive(Args)]
pub struct Why {
    /// Why: kept in the audit record.
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Subcommand)]
pub enum HubCommand {
    /// Give a hub a package and say what it asks for. It does nothing before it is approved.
    #[command(after_help = "Examples:\n  campanile plugin install fresh-air-1.0.0.cpk\n  \
        campanile plugin install fresh-air-1.0.0.cpk --approve --hub https://hub.school.example:7373 --token-file token")]
    Install {
        /// The package.
        file: PathBuf,
        /// Approve it at once, with all that it asks for.
        #[arg(long)]
        approve: bool,
        /// Take it without the signature of a key that the hub trusts.
        #[arg(long)]
        unsigned: bool,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        place: Place,
    },
    /// Let a plugin work: the first time with all that it asks for, later with what it was granted before.
    #[command(after_help = "Examples:\n  campanile plugin approve fresh-air --set limit_ppm=900\n  \
        campanile plugin approve fresh-air --version 2.0.0 --all\n\n\
        `campanile plugin list` says what each version asks for.")]
    Approve {
        /// The plugin.
        id: String,
        /// The version; the newest where left out.
        #[arg(long)]
        version: Option<String>,
        /// Grant all that this version asks for, also what it was not granted before.
        #[arg(long)]
        all: bool,
        /// A setting, KEY=VALUE; may be given again.
        #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        place: Place,
    },
    /// List the plugins of a hub: versions, how each is, and what it may do.
    #[command(after_help = "Example:\n  campanile plugin list --json")]
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Read what a plugin says.
    #[command(after_help = "Example:\n  campanile plugin logs fresh-air -f")]
    Logs {
        /// The plugin.
        id: String,
        /// Go on until stopped.
        #[arg(short, long)]
        follow: bool,
        /// The most lines to begin with.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        #[command(flatten)]
        place: Place,
    },
    /// Change settings of a plugin.
    #[command(after_help = "Example:\n  campanile plugin set fresh-air limit_ppm=900")]
    Set {
        /// The plugin.
        id: String,
        /// Settings, KEY=VALUE.
        #[arg(required = true, value_name = "KEY=VALUE", value_parser = setting)]
        settings: Vec<(String, String)>,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        place: Place,
    },
    /// Let a plugin rest: all that it commands is let go, what it remembers stays.
    #[command(
        after_help = "Example:\n  campanile plugin stop fresh-air --reason 'the canteen is being rebuilt'"
    )]
    Stop {
        /// The plugin.
        id: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        place: Place,
    },
    /// Let a plugin work again that was stopped or is down.
    #[command(after_help = "Example:\n  campanile plugin start fresh-air")]
    Start {
        /// The plugin.
        id: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        place: Place,
    },
    /// Take a plugin off the hub with all that it remembers; or one version of it that does not work.
    #[command(
        after_help = "Examples:\n  campanile plugin remove fresh-air\n  campanile plugin remove fresh-air@1.0.0"
    )]
    Remove {
        /// The plugin, or ID@VERSION.
        id: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        place: Place,
    },
    /// Go back to the version of a plugin before the one that works.
    #[command(after_help = "Example:\n  campanile plugin rollback fresh-air")]
    Rollback {
        /// The plugin.
        id: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        place: Place,
    },
    /// Whose packages a hub takes.
    #[command(subcommand, after_help = "Example:\n  campanile plugin trust add 'Example Ltd' KEY")]
    Trust(TrustCommand),
}

#[derive(Subcommand)]
pub enum TrustCommand {
    /// List the keys that are trusted.
    #[command(after_help = "Example:\n  campanile plugin trust list")]
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Trust a key: `campanile plugin key show` says it. Get it by another way than the package.
    #[command(after_help = "Example:\n  campanile plugin trust add 'Example Ltd' 1f2e…")]
    Add {
        /// Whose it is.
        name: String,
        /// The public key, 64 hexadecimal digits.
        key: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        place: Place,
    },
    /// Trust a key no longer. What it has signed stays as it is.
    #[command(after_help = "Example:\n  campanile plugin trust remove 'Example Ltd'")]
    Remove {
        /// Whose it is.
        name: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        place: Place,
    },
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("'{text}' is not KEY=VALUE"))?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

pub fn run(desk: &Desk, command: HubCommand) -> Result<ExitCode, Failure> {
    match command {
        HubCommand::Install { file, approve, unsigned, why, place } => {
            let hub = Hub::open(desk, place)?;
            hub.install(&file, approve, unsigned, &why.reason)?;
        }
        HubCommand::Approve { id, version, all, settings, why, place } => {
            let hub = Hub::open(desk, place)?;
            let plugin = hub.plugin(&id)?;
            let found = match &version {
                Some(version) => plugin.versions.iter().find(|v| v.version == *version),
                None => plugin.versions.first(),
            };
            let found = found.ok_or_else(|| hub.no_version(&plugin, version.as_deref().unwrap_or("")))?;
            hub.approve(&plugin.id, found, all, settings.into_iter().collect(), &why.reason)?;
        }
        HubCommand::List { place } => Hub::open(desk, place)?.list()?,
        HubCommand::Logs { id, follow, limit, place } => {
            let hub = Hub::open(desk, place)?;
            hub.known(&id, hub.logs(&id, limit, follow))?;
        }
        HubCommand::Set { id, settings, why, place } => {
            let hub = Hub::open(desk, place)?;
            let settings = settings.into_iter().collect();
            let request = PluginSettings { plugin: id, settings, reason: why.reason };
            hub.known(&request.plugin, hub.tell("settings", &request, "hub-set", &request.plugin))?;
        }
        HubCommand::Stop { id, why, place } => {
            Hub::open(desk, place)?.named("stop", id, why, "hub-stopped")?
        }
        HubCommand::Start { id, why, place } => {
            Hub::open(desk, place)?.named("start", id, why, "hub-started")?
        }
        HubCommand::Remove { id, why, place } => {
            let (plugin, version) = match id.split_once('@') {
                Some((plugin, version)) => (plugin.to_owned(), Some(version.to_owned())),
                None => (id.clone(), None),
            };
            let hub = Hub::open(desk, place)?;
            let request = PluginRequest { plugin, version, reason: why.reason };
            hub.known(&request.plugin, hub.change("remove", &request, "hub-removed", &id))?;
        }
        HubCommand::Rollback { id, why, place } => {
            let hub = Hub::open(desk, place)?;
            let plugin = hub.plugin(&id)?;
            let at = plugin.versions.iter().position(|v| Some(&v.version) == plugin.version.as_ref());
            let before = at.and_then(|at| plugin.versions.get(at + 1)).ok_or_else(|| {
                Failure::not_in_order(desk.say("hub-no-older", &[("id", id.clone())]))
                    .mend(desk.say("hub-no-older-mend", &[]))
            })?;
            hub.approve(&plugin.id, before, false, BTreeMap::new(), &why.reason)?;
        }
        HubCommand::Trust(command) => trust(desk, command)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn trust(desk: &Desk, command: TrustCommand) -> Result<(), Failure> {
    match command {
        TrustCommand::List { place } => {
            let hub = Hub::open(desk, place)?;
            let answer: TrustAnswer =
                hub.client.get("/api/v1/plugins/trust", &[]).map_err(Failure::of_hub)?;
            if hub.json {
                print_json(&json!(answer));
            } else if answer.keys.is_empty() {
                println!("{}", desk.say("hub-trusts-nobody", &[]));
            }
            answer.keys.iter().filter(|_| !hub.json).for_each(|key| println!("{}  {}", key.key, key.name));
            Ok(())
        }
        TrustCommand::Add { name, key, why, place } => {
            let request = TrustRequest { name, key: Some(key), reason: why.reason };
            Hub::open(desk, place)?.tell("trust", &request, "hub-trusted", &request.name)
        }
        TrustCommand::Remove { name, why, place } => {
            let request = TrustRequest { name, key: None, reason: why.reason };
            Hub::open(desk, place)?.tell("trust", &request, "hub-trusted-no-longer", &request.name)
        }
    }
}

/// A hub that is asked.
struct Hub<'a> {
    desk: &'a Desk,
    client: Client,
    json: bool,
}

impl<'a> Hub<'a> {
    fn open(desk: &'a Desk, place: Place) -> Result<Self, Failure> {
        let client = crate::link::client(&place.hub, &place.access)?;
        client.set_language(desk.texts.tag());
        Ok(Self { desk, client, json: place.json })
    }

    fn plugins(&self) -> Result<Vec<PluginInfo>, Failure> {
        let answer: Result<PluginsAnswer, _> = self.client.get("/api/v1/plugins", &[]);
        answer.map(|answer| answer.plugins).map_err(Failure::of_hub)
    }

    fn plugin(&self, id: &str) -> Result<PluginInfo, Failure> {
        let plugins = self.plugins()?;
        let known: Vec<String> = plugins.iter().map(|plugin| plugin.id.clone()).collect();
        plugins.into_iter().find(|plugin| plugin.id == id).ok_or_else(|| {
            Failure::input(self.desk.say("hub-no-plugin", &[("id", id.to_owned())]))
                .mend(campanile_model::did_you_mean(id, known.iter().map(String::as_str)))
        })
    }

    fn no_version(&self, plugin: &PluginInfo, version: &str) -> Failure {
        let (id, version) = (plugin.id.clone(), version.to_owned());
        let known: Vec<&str> = plugin.versions.iter().map(|v| v.version.as_str()).collect();
        let known = known.join(", ");
        Failure::input(self.desk.say("hub-no-version", &[("id", id), ("version", version)]))
            .mend(self.desk.say("hub-no-version-mend", &[("known", known)]))
    }

    fn install(
        &self,
        file: &std::path::Path,
        approve: bool,
        unsigned: bool,
        reason: &str,
    ) -> Result<(), Failure> {
        let bytes = std::fs::read(file).map_err(|why| {
            Failure::input(format!("{}: {why}", file.display())).mend(self.desk.say("hub-package-mend", &[]))
        })?;
        let query = [("unsigned", unsigned.to_string())];
        let path = "/api/v1/plugins/packages";
        let answer: Result<PackageAnswer, _> =
            self.desk.patiently("hub-takes", || self.client.give(path, &query, "application/zip", &bytes));
        let answer = answer.map_err(Failure::of_hub)?;
        if !self.json {
            let (id, version) = (answer.id.clone(), answer.version.version.clone());
            println!("{}", self.desk.say("hub-installed", &[("id", id), ("version", version)]));
            println!("{}", self.desk.both(&answer.names));
            println!("{}", self.signature(&answer.version));
            println!("{}", self.desk.say("hub-asks", &[]));
            self.desk.sentences(&answer.asks);
            // The first time all is more than nothing.
            if !answer.asks_more.is_empty() && answer.asks_more != answer.asks {
                println!("{}", self.desk.say("hub-asks-more", &[]));
                self.desk.sentences(&answer.asks_more);
            }
        }
        if approve {
            return self.approve(&answer.id, &answer.version, false, BTreeMap::new(), reason);
        }
        if self.json {
            print_json(&json!(answer));
        } else {
            let to = match self.client.address() {
                address if address == default_hub() => String::new(),
                address => format!(" --hub {address}"),
            };
            println!("{}", self.desk.say("hub-approve-next", &[("id", answer.id + &to)]));
        }
        Ok(())
    }

    fn signature(&self, version: &PluginVersion) -> String {
        match &version.signed_by {
            Some(name) => self.desk.say("hub-signed", &[("name", name.clone())]),
            None => self.desk.say("hub-unsigned", &[]),
        }
    }

    fn approve(
        &self,
        id: &str,
        version: &PluginVersion,
        all: bool,
        settings: BTreeMap<String, String>,
        reason: &str,
    ) -> Result<(), Failure> {
        let request = ApprovePlugin {
            plugin: id.to_owned(),
            version: version.version.clone(),
            package: version.package.clone(),
            capability: all.then(|| version.capability.clone()),
            settings,
            reason: reason.to_owned(),
        };
        let name = format!("{id} {}", version.version);
        self.change("approve", &request, "hub-approved", &name)
    }

    /// Tells the hub to do something with a plugin.
    fn named(&self, what: &str, plugin: String, why: Why, done: &str) -> Result<(), Failure> {
        let request = PluginRequest { plugin, version: None, reason: why.reason };
        self.known(&request.plugin, self.tell(what, &request, done, &request.plugin))
    }

    /// What failed of a plugin that is none is told with the name of one that is. It is asked of the hub first: one whose
    /// package is lost is not listed, and can still be stopped and removed.
    fn known(&self, id: &str, tried: Result<(), Failure>) -> Result<(), Failure> {
        let Err(why) = tried else { return Ok(()) };
        match self.plugin(id) {
            Err(unknown) if why.is_input() => Err(unknown),
            _ => Err(why),
        }
    }

    /// Tells the hub to do something that has no answer but that it is done.
    fn tell(
        &self,
        what: &str,
        request: &impl serde::Serialize,
        done: &str,
        name: &str,
    ) -> Result<(), Failure> {
        self.client.tell(&format!("/api/v1/plugins/{what}"), request).map_err(Failure::of_hub)?;
        self.done(PluginAnswer::default(), done, name);
        Ok(())
    }

    /// Tells the hub to do something after which it may begin anew.
    fn change(
        &self,
        what: &str,
        request: &impl serde::Serialize,
        done: &str,
        name: &str,
    ) -> Result<(), Failure> {
        let at = format!("/api/v1/plugins/{what}");
        let wait = if what == "approve" { "hub-readies" } else { "hub-works" };
        let answer = self.desk.patiently(wait, || self.client.post(&at, request));
        let answer = answer.map_err(Failure::of_hub)?;
        self.done(answer, done, name);
        Ok(())
    }

    fn done(&self, answer: PluginAnswer, done: &str, name: &str) {
        if self.json {
            print_json(&json!({"ok": true, "restarts": answer.restarts}));
            return;
        }
        println!("{}", self.desk.say(done, &[("name", name.to_owned())]));
        if answer.restarts {
            println!("{}", self.desk.say("hub-restarts", &[]));
        }
    }

    fn list(&self) -> Result<(), Failure> {
        let plugins = self.plugins()?;
        if self.json {
            print_json(&json!({"plugins": plugins}));
            return Ok(());
        }
        if plugins.is_empty() {
            println!("{}", self.desk.say("hub-no-plugins", &[]));
        }
        for plugin in &plugins {
            let version = plugin.version.clone().unwrap_or_default();
            println!(
                "{} {version}  {}  {}",
                plugin.id,
                self.desk.both(&plugin.names),
                self.state(&plugin.state)
            );
            for version in &plugin.versions {
                let used = if Some(&version.version) == plugin.version.as_ref() { "*" } else { " " };
                let size = size(version.bytes as usize);
                println!("  {used} {}  {size}  {}", version.version, self.signature(version));
                if let Some(problem) = &version.problem {
                    println!("      {problem}");
                }
            }
            let (title, lines) = if plugin.version.is_some() {
                (self.desk.say("hub-may", &[]), &plugin.may)
            } else {
                (self.desk.say("hub-asks", &[]), &plugin.asks)
            };
            println!("{title}");
            self.desk.sentences(lines);
            for setting in &plugin.settings {
                println!("  {} = {}  {}", setting.id, setting.value, self.desk.both(&setting.names));
            }
            let work = &plugin.work;
            let args = [
                ("calls", work.calls.to_string()),
                ("failures", work.failures.to_string()),
                ("busy", format!("{:.1}", work.busy_s)),
                ("longest", format!("{:.1}", work.longest_ms)),
            ];
            println!("  {}", self.desk.say("hub-work", &args));
        }
        Ok(())
    }

    fn state(&self, state: &PluginState) -> String {
        match state {
            PluginState::NotApproved => self.desk.say("state-not-approved", &[]),
            PluginState::Working => self.desk.say("state-working", &[]),
            PluginState::Resting { until_us, why } => {
                self.desk.say("state-resting", &[("until", time(*until_us)), ("why", why.clone())])
            }
            PluginState::Down { why } => self.desk.say("state-down", &[("why", why.clone())]),
            PluginState::Stopped => self.desk.say("state-stopped", &[]),
            PluginState::Broken { why } => self.desk.say("state-broken", &[("why", why.clone())]),
        }
    }

    fn logs(&self, id: &str, limit: u32, follow: bool) -> Result<(), Failure> {
        let stop = follow.then(crate::hub::listen).transpose()?;
        let mut after: Option<u64> = None;
        loop {
            let mut query = vec![("plugin", id.to_owned()), ("limit", limit.to_string())];
            query.extend(after.map(|number| ("after", number.to_string())));
            let logs: PluginLogs =
                self.client.get("/api/v1/plugins/logs", &query).map_err(Failure::of_hub)?;
            for line in &logs.lines {
                if self.json {
                    println!("{}", json!(line));
                } else {
                    println!("{} {:<5} {}", time(line.time_us), line.level, line.text);
                }
                after = Some(line.number);
            }
            match &stop {
                None => return Ok(()),
                Some(stop) => {
                    stop.wait(Some(LOOK));
                    if stop.is_raised() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |t| t.to_string())
}
