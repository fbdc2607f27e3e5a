//! `campanile user` and `audit`: the people of a hub, running or stopped, and what was done.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use campanile_client::Access;
use campanile_protocol::people::{AddClassRequest, AddTokenRequest, AuditQuery, Role, Secret};
use campanile_server::AccountsFolder;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::accounts::Accounts;
use crate::failure::Failure;

/// Which hub.
#[derive(Args)]
pub struct Place {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    access: Access,
}

/// A folder or an address.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The data folder of the hub, which has to be stopped.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address of the hub, which runs; needs the token of an administrator, of classes of who may open them.
    #[arg(long, value_name = "URL")]
    hub: Option<String>,
}

/// Which hub, and how to answer.
#[derive(Args)]
pub struct Folder {
    #[command(flatten)]
    place: Place,
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
pub enum UserCommand {
    /// Make an account; says its one-time password.
    #[command(after_help = "Example:\n  campanile user add anna --role operator --data DIR")]
    Add {
        /// 1 to 64 of a-z 0-9 . _ -
        name: String,
        /// viewer, vendor, trainer, operator, manager or admin.
        #[arg(long)]
        role: Role,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        folder: Folder,
    },
    /// List the accounts.
    #[command(after_help = "Example:\n  campanile user list --data DIR --json")]
    List {
        #[command(flatten)]
        folder: Folder,
    },
    /// Give an account another role, or close or open it.
    #[command(after_help = "Example:\n  campanile user role anna manager --data DIR\n  \
        campanile user role anna --disabled true --data DIR")]
    Role {
        /// The account.
        name: String,
        /// Its new role; as it is where left out.
        role: Option<Role>,
        /// Whether it may not sign in.
        #[arg(long)]
        disabled: Option<bool>,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        folder: Folder,
    },
    /// Give an account a new one-time password and say it: for who has forgotten theirs.
    #[command(after_help = "Example:\n  campanile user password anna --data DIR")]
    Password {
        /// The account.
        name: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        folder: Folder,
    },
    /// Remove an account with its tokens and classes.
    #[command(after_help = "Example:\n  campanile user remove anna --reason 'has left' --data DIR")]
    Remove {
        /// The account.
        name: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        folder: Folder,
    },
    /// API tokens of accounts.
    #[command(
        subcommand,
        after_help = "Example:\n  campanile user token add anna --role viewer --label 'wall screen' --days 90 --data DIR"
    )]
    Token(TokenCommand),
    /// Classes that students join with a code.
    #[command(
        subcommand,
        after_help = "Example:\n  campanile user class-code add --label 7b --minutes 45 --max-uses 40 --data DIR"
    )]
    ClassCode(ClassCommand),
}

#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token; says it once. It works when its owner has chosen a password of their own.
    #[command(
        after_help = "Examples:\n  campanile user token add anna --role viewer --label 'wall screen' --days 90 --data DIR\n  \
        campanile user token add anna --role viewer --label 'wall screen' --hub URL --password-file -\n\n\
        A running hub makes tokens only for who signs in: it needs the owner's password."
    )]
    Add {
        /// The account that it acts for.
        owner: String,
        /// Its role: may do no more than the owner's.
        #[arg(long)]
        role: Role,
        /// What it is for.
        #[arg(long)]
        label: String,
        /// After how many days it ends.
        #[arg(long, default_value_t = 90.0)]
        days: f64,
        /// With --hub: a file with the owner's password; - reads it from standard input.
        #[arg(long, value_name = "FILE", requires = "hub")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        folder: Folder,
    },
    /// List the tokens, without their secrets.
    #[command(after_help = "Example:\n  campanile user token list --data DIR")]
    List {
        #[command(flatten)]
        folder: Folder,
    },
    /// End a token.
    #[command(after_help = "Example:\n  campanile user token revoke k3m9x2ab --data DIR")]
    Revoke {
        /// Its id.
        id: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        folder: Folder,
    },
}

#[derive(Subcommand)]
pub enum ClassCommand {
    /// Open a class; says its code once.
    #[command(
        after_help = "Example:\n  campanile user class-code add --label 7b --minutes 45 --max-uses 40 --data DIR"
    )]
    Add {
        /// What it is called; no names of students.
        #[arg(long)]
        label: String,
        /// For how many minutes, at most a day.
        #[arg(long, default_value_t = 90.0)]
        minutes: f64,
        /// How many may join.
        #[arg(long, default_value_t = 40)]
        max_uses: u32,
        #[command(flatten)]
        folder: Folder,
    },
    /// List the classes that are not over, without their codes.
    #[command(after_help = "Example:\n  campanile user class-code list --data DIR")]
    List {
        #[command(flatten)]
        folder: Folder,
    },
    /// End a class.
    #[command(after_help = "Example:\n  campanile user class-code revoke k3m9x2 --data DIR")]
    Revoke {
        /// Its id.
        id: String,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        folder: Folder,
    },
}

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Write the audit record as CSV or JSON, the newest first.
    #[command(after_help = "Example:\n  campanile audit export --data DIR --format csv --out audit.csv\n  \
        campanile audit export --data DIR --format json --actor person:anna --from 2026-09-01T00:00:00Z")]
    Export {
        /// csv or json.
        #[arg(long, default_value = "csv", value_parser = ["csv", "json"])]
        format: String,
        /// The file; standard output where left out.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Only of this actor, such as person:anna.
        #[arg(long)]
        actor: Option<String>,
        /// Only this act, such as sign-in.
        #[arg(long)]
        act: Option<String>,
        /// From when, RFC 3339.
        #[arg(long)]
        from: Option<jiff::Timestamp>,
        /// Until before when, RFC 3339.
        #[arg(long)]
        to: Option<jiff::Timestamp>,
        #[command(flatten)]
        place: Place,
    },
}

/// Who sits at the machine, for the audit record.
pub fn who() -> String {
    std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default()
}

/// Opens the folder as whoever sits at the machine.
fn open_folder(data: &Path) -> Result<AccountsFolder, Failure> {
    if !data.is_dir() {
        return Err(Failure::input(format!("there is no data folder {}", data.display()))
            .mend("name the one that the hub was given with --data"));
    }
    AccountsFolder::open(data, &who()).map_err(|why| {
        Failure::input(why.to_string())
            .mend("stop the hub first, or ask it while it runs: --hub instead of --data")
    })
}

fn open(place: &Place) -> Result<Accounts, Failure> {
    match (&place.which.data, &place.which.hub) {
        (Some(data), _) => Ok(Accounts::Folder(Box::new(open_folder(data)?))),
        (None, Some(hub)) => Ok(Accounts::Hub(Box::new(crate::link::client(hub, &place.access)?))),
        (None, None) => Err(Failure::input("no hub is named").mend("say --data DIR or --hub URL")),
    }
}

/// The password in a file, or what stands on the first line of standard input.
fn password(file: &Path) -> Result<Secret, Failure> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_line(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|all| text = all)
    };
    read.map_err(|why| Failure::input(format!("the password can't be read from {}: {why}", file.display())))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

/// Says an answer in JSON, or in words.
fn say(folder: &Folder, json: &serde_json::Value, words: impl FnOnce() -> String) {
    if folder.json {
        println!("{json}");
    } else {
        println!("{}", words());
    }
}

fn one_time(folder: &Folder, name: &str, password: &str) {
    say(folder, &json!({"name": name, "password": password}), || {
        format!("{name} signs in with this password once, and then chooses another: {password}")
    });
}

fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |t| t.to_string())
}

pub fn run(command: UserCommand) -> Result<ExitCode, Failure> {
    match command {
        UserCommand::Add { name, role, why, folder } => {
            let password = open(&folder.place)?.add(&name, role, &why.reason)?;
            one_time(&folder, &name, password.expose());
        }
        UserCommand::List { folder } => {
            let accounts = open(&folder.place)?.accounts()?;
            say(&folder, &json!({"accounts": accounts}), || {
                let line = |a: &campanile_protocol::people::AccountInfo| {
                    let closed = if a.disabled { "  closed" } else { "" };
                    let once = if a.must_change_password { "  one-time password" } else { "" };
                    format!("{:<24} {:<10}{closed}{once}", a.name, a.role.name())
                };
                accounts.iter().map(line).collect::<Vec<_>>().join("\n")
            });
        }
        UserCommand::Role { name, role, disabled, why, folder } => {
            if role.is_none() && disabled.is_none() {
                return Err(Failure::input("nothing to change").mend("name a role, or --disabled true"));
            }
            open(&folder.place)?.change_account(&name, role, disabled, &why.reason)?;
            say(&folder, &json!({"ok": true}), || format!("{name} is changed"));
        }
        UserCommand::Password { name, why, folder } => {
            let password = open(&folder.place)?.reset_password(&name, &why.reason)?;
            one_time(&folder, &name, password.expose());
        }
        UserCommand::Remove { name, why, folder } => {
            open(&folder.place)?.remove(&name, &why.reason)?;
            say(&folder, &json!({"ok": true}), || format!("{name} is removed"));
        }
        UserCommand::Token(command) => token(command)?,
        UserCommand::ClassCode(command) => class(command)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn token(command: TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Add { owner, role, label, days, password_file, folder } => {
            let request = AddTokenRequest { label, role, days };
            let password = password_file.as_deref().map(password).transpose()?;
            let made = open(&folder.place)?.add_token(&owner, request, password)?;
            say(&folder, &json!(made), || {
                let until = time(made.info.expires_us);
                format!(
                    "token {} until {until}; it is not shown again:\n{}",
                    made.info.id,
                    made.token.expose()
                )
            });
        }
        TokenCommand::List { folder } => {
            let tokens = open(&folder.place)?.tokens()?;
            say(&folder, &json!({"tokens": tokens}), || {
                let line = |t: &campanile_protocol::people::TokenInfo| {
                    format!(
                        "{} {:<24} {:<10} until {}  {}",
                        t.id,
                        t.owner,
                        t.role.name(),
                        time(t.expires_us),
                        t.label
                    )
                };
                tokens.iter().map(line).collect::<Vec<_>>().join("\n")
            });
        }
        TokenCommand::Revoke { id, why, folder } => {
            open(&folder.place)?.revoke_token(&id, &why.reason)?;
            say(&folder, &json!({"ok": true}), || format!("token {id} has ended"));
        }
    }
    Ok(())
}

fn class(command: ClassCommand) -> Result<(), Failure> {
    match command {
        ClassCommand::Add { label, minutes, max_uses, folder } => {
            let request = AddClassRequest { label, minutes, max_uses };
            let made = open(&folder.place)?.add_class(request)?;
            say(&folder, &json!(made), || {
                let until = time(made.info.expires_us);
                format!("class {} until {until}; students join with: {}", made.info.id, made.code.expose())
            });
        }
        ClassCommand::List { folder } => {
            let classes = open(&folder.place)?.classes()?;
            say(&folder, &json!({"classes": classes}), || {
                let line = |c: &campanile_protocol::people::ClassInfo| {
                    format!("{} {} of {} until {}  {}", c.id, c.uses, c.max_uses, time(c.expires_us), c.label)
                };
                classes.iter().map(line).collect::<Vec<_>>().join("\n")
            });
        }
        ClassCommand::Revoke { id, why, folder } => {
            open(&folder.place)?.revoke_class(&id, &why.reason)?;
            say(&folder, &json!({"ok": true}), || format!("class {id} has ended"));
        }
    }
    Ok(())
}

pub fn audit(command: AuditCommand) -> Result<ExitCode, Failure> {
    let AuditCommand::Export { format, out, actor, act, from, to, place } = command;
    let query = AuditQuery {
        actor,
        act,
        from_us: from.map(jiff::Timestamp::as_microsecond),
        to_us: to.map(jiff::Timestamp::as_microsecond),
        ..AuditQuery::default()
    };
    let mut accounts = open(&place)?;
    let sink: Box<dyn Write> = match &out {
        None => Box::new(std::io::stdout().lock()),
        Some(path) => Box::new(std::fs::File::create(path).map_err(|why| {
            Failure::input(format!("can't write {}: {why}", path.display()))
                .mend("name a file in a folder that is there and can be written, with --out")
        })?),
    };
    let mut sink = std::io::BufWriter::new(sink);
    let count = accounts.export_audit(&mut sink, &query, format == "csv")?;
    sink.flush().map_err(|why| Failure::input(format!("the export could not be written: {why}")))?;
    if let Some(count) = count {
        eprintln!("{count} entries");
    }
    Ok(ExitCode::SUCCESS)
}
