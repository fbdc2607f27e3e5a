//! What a hub can be told, on the command line and in a file.
//!
//! [`HubOptions`] is the one place: a field of it is an option of the command line, a key of the file, a line of
//! `campanile hub --print-config` and a part of `--help`. A new option needs its field, and in [`HubOptions::example`]
//! its default or, where it has none, an example.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::failure::Failure;

/// The port of the API where none is given.
pub const DEFAULT_API_PORT: u16 = 7373;
/// The port of the embedded broker where none is given: MQTT's registered port.
pub const DEFAULT_BROKER_PORT: u16 = 1883;
/// What is logged where nobody asks for more.
const DEFAULT_LOG: &str = "warn,rumqttd=off";

/// The options of a hub. What is `None` is not said here, and the next layer counts.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HubOptions {
    /// The folder with campus.toml and plan.json. The demo school where left out.
    #[arg(long, value_name = "DIR")]
    pub campus: Option<PathBuf>,
    /// Where history, alarms and commands are kept; made where it is missing. It has to be given.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address of the API, IP:PORT; 127.0.0.1:7373 where left out. Beyond loopback it needs sign-in and TLS.
    #[arg(long, value_name = "IP:PORT", value_parser = listen_address)]
    #[serde(deserialize_with = "checked_listen")]
    #[schemars(with = "Option<String>")]
    pub listen: Option<SocketAddr>,
    /// Ask people to sign in on loopback too; beyond it they always have to, and this has to be given.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "BOOL")]
    pub sign_in: Option<bool>,
    /// TLS with a certificate that the hub makes itself and keeps in the data folder: self-signed.
    #[arg(long, value_name = "self-signed", hide_possible_values = true, conflicts_with = "tls_cert")]
    pub tls: Option<TlsOption>,
    /// TLS with this certificate chain, PEM; needs the key beside it.
    #[arg(long, value_name = "PEM", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate, PEM.
    #[arg(long, value_name = "PEM", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// An MQTT broker to join, HOST:PORT; the embedded one on loopback where left out.
    #[arg(long, value_name = "HOST:PORT", value_parser = broker_address)]
    #[serde(deserialize_with = "checked_broker")]
    pub broker: Option<String>,
    /// Port of the embedded broker, 1883 where left out; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    pub broker_port: Option<u16>,
    /// Give up the months (UTC) that ended more than so many months before the current one, 1 to 1200, at the start and once a day; all are kept where left out.
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u16).range(1..=1200))]
    #[schemars(range(min = 1, max = 1200))]
    pub retention_months: Option<u16>,
    /// Write all inputs of the world to a new file, about 21 bytes a sample, or to one of each start in this folder, which has to be there; see campanile world replay.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    // The command line has these two for every command, not for the hub alone: see `LogOptions`.
    /// What to log: error, warn, info, debug or trace, and for a part of the program PART=LEVEL, such as campanile_gateway=debug; several are joined by commas.
    #[arg(skip)]
    #[serde(deserialize_with = "checked_log")]
    pub log: Option<String>,
    /// How to log: text for people, json for programs, one object a line.
    #[arg(skip)]
    pub log_format: Option<LogFormat>,
}

/// What every command can be told about its log.
#[derive(Args, Clone, Debug)]
pub struct LogOptions {
    /// What to log: error, warn, info, debug, trace, or PART=LEVEL such as campanile_gateway=debug, joined by commas
    /// [default: warn,rumqttd=off].
    #[arg(long, global = true, env = "CAMPANILE_LOG", value_parser = log_filter)]
    pub log: Option<String>,
    /// How to log: text, or json with one object a line [default: text].
    #[arg(
        long,
        global = true,
        env = "CAMPANILE_LOG_FORMAT",
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub log_format: Option<LogFormat>,
}

/// How the hub comes by a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum TlsOption {
    /// It makes one itself.
    SelfSigned,
}

/// How lines of the log are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl HubOptions {
    /// Every option with its default or, where it has none, an example.
    fn example() -> Self {
        Self {
            campus: Some("/etc/campanile/my-school".into()),
            data: Some("/var/lib/campanile".into()),
            listen: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_API_PORT)),
            sign_in: Some(true),
            tls: Some(TlsOption::SelfSigned),
            tls_cert: Some("/etc/campanile/chain.pem".into()),
            tls_key: Some("/etc/campanile/key.pem".into()),
            broker: Some("mqtt.school.example:1883".to_owned()),
            broker_port: Some(DEFAULT_BROKER_PORT),
            retention_months: Some(36),
            record: Some("/var/lib/campanile/records".into()),
            log: Some(DEFAULT_LOG.to_owned()),
            log_format: Some(LogFormat::Text),
        }
    }

    /// These, and what they leave open from `under`.
    pub fn over(&self, under: &Self) -> Self {
        let (Ok(mut all), Ok(mine)) = (serde_json::to_value(under), serde_json::to_value(self)) else {
            return self.clone();
        };
        if let (Value::Object(all), Value::Object(mine)) = (&mut all, mine) {
            all.extend(mine.into_iter().filter(|(_, value)| !value.is_null()));
        }
        serde_json::from_value(all).unwrap_or_else(|_| self.clone())
    }

    /// These over those of a file, where one is named, with what every command can be told on top.
    ///
    /// # Errors
    /// Where the file can't be read; every problem in it has then been printed.
    pub fn with_file(&self, file: Option<&Path>, log: &LogOptions) -> Result<Self, Failure> {
        let said = Self { log: log.log.clone(), log_format: log.log_format, ..self.clone() };
        match file {
            None => Ok(said),
            Some(file) => Ok(said.over(&read(file)?)),
        }
    }

    /// The address of the API.
    pub fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_API_PORT))
    }

    /// The port of the embedded broker.
    pub fn broker_port(&self) -> u16 {
        self.broker_port.unwrap_or(DEFAULT_BROKER_PORT)
    }

    /// The filter of the log.
    pub fn log(&self) -> &str {
        self.log.as_deref().unwrap_or(DEFAULT_LOG)
    }
}

/// Reads a configuration file; paths in it are taken from where it lies.
fn read(file: &Path) -> Result<HubOptions, Failure> {
    let text = std::fs::read_to_string(file).map_err(|why| {
        Failure::input(format!("can't read the configuration {}: {why}", file.display()))
            .mend("`campanile hub --print-config > FILE` makes one to begin with")
    })?;
    let mut options: HubOptions = campanile_model::read_toml(file, &text).map_err(|problems| {
        crate::campus::print_problems(&problems.0);
        Failure::input(format!("the configuration {} can't be used", file.display()))
            .mend("mend the errors above; `campanile hub --print-config` shows every option")
    })?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let HubOptions { campus, data, tls_cert, tls_key, record, .. } = &mut options;
    for path in [campus, data, tls_cert, tls_key, record].into_iter().flatten() {
        *path = folder.join(&*path);
    }
    Ok(options)
}

/// A configuration file in which every option is explained and left out.
pub fn template() -> String {
    let mut out = "\
        # The configuration of a hub: campanile hub --config FILE\n\
        #\n\
        # Every option is here with its default or an example. Take the # before a line away to set it. What the command\n\
        # line says goes before this file; paths are taken from the folder of this file.\n"
        .to_owned();
    let schema = schemars::schema_for!(HubOptions).to_value();
    let example = toml::to_string(&HubOptions::example()).unwrap_or_default();
    for line in example.lines() {
        let key = line.split(' ').next().unwrap_or_default();
        let text = schema["properties"][key]["description"].as_str().unwrap_or_default();
        out.push('\n');
        for line in wrapped(text, 100) {
            let _ = writeln!(out, "# {line}");
        }
        let _ = writeln!(out, "#{line}");
    }
    out
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let port = text.rsplit_once(':').map_or(text, |(_, port)| port);
        let port = port.parse::<u16>().unwrap_or(DEFAULT_API_PORT);
        format!(
            "'{text}' is not IP:PORT: write 127.0.0.1:{port} for this machine alone, or 0.0.0.0:{port} for its network"
        )
    })
}

fn broker_address(text: &str) -> Result<String, String> {
    campanile_server::host_port(text).map(|_| text.to_owned()).map_err(|why| why.to_string())
}

/// A filter as `tracing` reads it, but where a bare word is a level: `wran` would otherwise be a part of the program
/// that nobody has, and the log silent.
fn log_filter(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    for word in text.split(',').map(str::trim).filter(|word| !word.contains(['=', '['])) {
        if !LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level)) {
            return Err(format!("'{word}' is not a level: use {}, or PART=LEVEL", LEVELS.join(", ")));
        }
    }
    tracing_subscriber::EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|why| why.to_string())
}

fn checked<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    check: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| check(&text).map_err(serde::de::Error::custom)).transpose()
}

fn checked_listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    checked(deserializer, listen_address)
}

fn checked_broker<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, broker_address)
}

fn checked_log<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, log_filter)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn parse(text: &str) -> Result<HubOptions, Vec<String>> {
        campanile_model::read_toml(Path::new("hub.toml"), text)
            .map_err(|problems| problems.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_template_parses_sets_nothing_and_has_every_option() {
        let template = template();
        assert_eq!(parse(&template).unwrap(), HubOptions::default());
        let options = |line: &&str| {
            line.starts_with('#') && line.as_bytes().get(1).is_some_and(|b| b.is_ascii_lowercase())
        };
        let set: String = template.lines().filter(options).map(|line| format!("{}\n", &line[1..])).collect();
        assert_eq!(parse(&set).unwrap(), HubOptions::example());

        // The file, the command line and the template have the same options.
        let schema = schemars::schema_for!(HubOptions).to_value();
        let keys: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        let in_template: BTreeSet<String> =
            set.lines().map(|l| l.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(in_template, keys, "HubOptions::example leaves an option out");
        let arguments: BTreeSet<String> = HubOptions::augment_args(clap::Command::new("hub"))
            .get_arguments()
            .chain(LogOptions::augment_args(clap::Command::new("log")).get_arguments())
            .map(|argument| argument.get_id().to_string())
            .collect();
        assert_eq!(arguments, keys);
        for key in &keys {
            assert!(
                !schema["properties"][key]["description"].as_str().unwrap_or_default().is_empty(),
                "{key}"
            );
        }
    }

    #[test]
    fn the_command_line_goes_before_the_file_and_the_file_before_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hub.toml");
        std::fs::write(&file, "data = \"store\"\nbroker_port = 1884\nlog = \"info\"\nrecord = \"day.rec\"\nretention_months = 24\n").unwrap();
        let said = HubOptions { broker_port: Some(1885), ..HubOptions::default() };
        let log = LogOptions { log: None, log_format: Some(LogFormat::Json) };
        let all = said.with_file(Some(&file), &log).unwrap();
        assert_eq!(all.broker_port(), 1885);
        assert_eq!(all.data, Some(dir.path().join("store")), "from where the file lies");
        assert_eq!((all.record.clone(), all.retention_months), (Some(dir.path().join("day.rec")), Some(24)));
        assert_eq!((all.log(), all.log_format), ("info", Some(LogFormat::Json)));
        assert_eq!(all.listen().port(), DEFAULT_API_PORT);
        let log = LogOptions { log: Some("debug".to_owned()), log_format: None };
        assert_eq!(said.with_file(Some(&file), &log).unwrap().log(), "debug");
    }

    #[test]
    fn every_mistake_is_named_with_its_line_and_its_mend() {
        let wrong = "data = \"d\"\nlistne = \"127.0.0.1:1\"\nbroker_port = \"x\"\nlisten = \"here\"\n\
                     broker = \"nobody\"\nlog = \"wran\"\nlog_format = \"jsno\"\nretention_months = 0\n";
        let problems = parse(wrong).unwrap_err();
        for (line, what, mend) in [
            (2, "the field 'listne' isn't known", "Did you mean 'listen'?"),
            (3, "an integer", "Port of the embedded broker"),
            (4, "'here' is not IP:PORT: write 127.0.0.1:7373", "Address of the API"),
            (5, "'nobody' is not HOST:PORT", "An MQTT broker to join"),
            (6, "'wran' is not a level", "What to log"),
            (7, "\"jsno\" isn't one of the values", "Did you mean 'json'?"),
            (8, "0 is out of range here", "Use a number from 1 to 1200"),
        ] {
            let place = format!("hub.toml:{line}:");
            let at: Vec<&String> = problems.iter().filter(|p| p.contains(&place)).collect();
            let [one] = at.as_slice() else { panic!("line {line}: {problems:#?}") };
            assert!(one.contains(what) && one.contains(mend), "{one}");
        }
        assert_eq!(problems.len(), 7, "{problems:#?}");
        let problems = parse("broker_port = 70000\n").unwrap_err();
        assert!(problems[0].contains("hub.toml:1:") && problems[0].contains("65535"), "{problems:?}");
        let problems = parse("data = \n").unwrap_err();
        assert!(problems[0].contains("hub.toml:1:"), "{problems:?}");
    }
}
