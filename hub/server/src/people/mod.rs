//! People: who they are ([`Book`]), that they are it ([`password`], sessions), and the door that asks ([`guard`]).

mod audit;
mod book;
mod endpoints;
mod folder;
mod guard;
pub mod pace;
mod password;
mod sessions;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use campanile_history::Record;
use campanile_model::Timestamp;
use campanile_protocol::people::{Role, Secret};
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;

pub use book::PeopleError;
pub use endpoints::router;
pub use folder::AccountsFolder;
pub use guard::{Door, busy, guard};

use crate::limits::Limits;
use crate::live::{Live, wall_clock};
use crate::words::say;
use book::{Book, Change};
use pace::{Failures, Pace};
use sessions::{Sessions, Who};

/// Passwords that are hashed at once: each takes 19 MiB and a core.
const MOST_HASHES: usize = 2;
/// The file with the first administrator's one-time password.
const FIRST_SIGN_IN: &str = "first-sign-in.txt";
/// The first administrator.
const FIRST_ADMIN: &str = "admin";

/// Who acts, from where: for the audit record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Such as `person:anna`.
    pub actor: String,
    /// The address, and the token where one was used.
    pub from: String,
}

impl By {
    /// The actor in the world's words.
    pub fn world_actor(&self) -> campanile_model::Actor {
        let name = self.actor.strip_prefix("person:").unwrap_or(&self.actor);
        campanile_model::Actor::Person(name.into())
    }

    /// An entry of the audit record.
    pub fn audit(&self, time: Timestamp, act: &str, reason: &str, detail: Json) -> Record {
        let mut body = json!({"act": act, "actor": self.actor, "from": self.from, "reason": reason});
        if let (Json::Object(body), Json::Object(detail)) = (&mut body, detail) {
            body.extend(detail);
        }
        Record::audit(time, body)
    }
}

/// By what somebody is known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    /// The person at this machine, where no sign-in is asked.
    Local,
    /// A session, by the digest of its cookie.
    Session([u8; 32]),
    /// An API token, by its id.
    Token(String),
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For the audit record.
    pub by: By,
    /// What they are.
    pub role: Role,
    /// The name of their account.
    account: Option<String>,
    nickname: Option<String>,
    must_change: bool,
    proof: Proof,
}

impl Caller {
    /// By what a plugin knows them: the name of an account, or class and nickname of a student, which are kept nowhere
    /// but where the plugin keeps them.
    pub fn person(&self) -> String {
        match (&self.nickname, self.by.actor.strip_prefix("student:").and_then(|s| s.split_once('/'))) {
            (Some(nickname), Some((class, _))) => format!("{class}/{nickname}"),
            _ => self.by.actor.strip_prefix("person:").unwrap_or(&self.by.actor).to_owned(),
        }
    }
}

/// The address that a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// All that a hub knows of people.
pub struct People {
    /// Whether sign-in is asked for.
    required: bool,
    /// Whether cookies go over TLS only.
    tls: bool,
    data: PathBuf,
    book: ArcSwap<Book>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
    sessions: Sessions,
    failures: Failures,
    requests: Pace<IpAddr>,
    acts: Pace<String>,
    joins: Pace<IpAddr>,
    hashing: Semaphore,
    /// Room for WebSockets.
    pub sockets: Arc<Semaphore>,
    /// What clients may take.
    pub limits: Limits,
    /// Compared with where there is no such account, so that the answer takes the same time.
    nobody: String,
}

impl People {
    /// Reads the book; where sign-in is required and nobody can, makes the first administrator.
    ///
    /// # Errors
    /// Where the store can't be read or written.
    pub fn open(
        live: &Live,
        data: &Path,
        required: bool,
        tls: bool,
        limits: Limits,
    ) -> Result<Arc<Self>, PeopleError> {
        let book = Book::read(|kind| live.history.records(kind))?;
        Ok(Arc::new(Self {
            required,
            tls,
            data: data.to_owned(),
            book: ArcSwap::from_pointee(book),
            changing: tokio::sync::Mutex::default(),
            sessions: Sessions::default(),
            failures: Failures::default(),
            // A whole school may come from one address.
            requests: Pace::new(600.0, 200.0),
            acts: Pace::new(200.0, 50.0),
            joins: Pace::new(60.0, 0.5),
            hashing: Semaphore::new(MOST_HASHES),
            sockets: Arc::new(Semaphore::new(limits.sockets)),
            limits,
            nobody: password::hash(&Secret::new(password::random_hex()?))?,
        }))
    }

    /// Makes the first administrator where there is none; gives the file that says how to sign in.
    ///
    /// # Errors
    /// Where it can't be stored or written.
    pub async fn first_admin(&self, live: &Live) -> Result<Option<PathBuf>, PeopleError> {
        let file = self.data.join(FIRST_SIGN_IN);
        if !self.required {
            return Ok(None);
        }
        if !self.book.load().accounts.is_empty() {
            // Still to be used, from an earlier start.
            return Ok(file.is_file().then_some(file));
        }
        let secret = one_time_password()?;
        let hash = password::hash(&secret)?;
        let text = format!(
            "name: {FIRST_ADMIN}\npassword: {}\n\nIt works once: choose your own at the first sign-in.\n",
            secret.expose()
        );
        // The file first: an administrator whose password nobody has is worse than a file too many.
        write_private(&file, &text)
            .map_err(|why| PeopleError::Invalid(format!("{} can't be written: {why}", file.display())))?;
        let by = By { actor: "system".to_owned(), from: String::new() };
        self.change(live, &by, "account-add", "first start with sign-in", |book, now| {
            Ok(((), book.add_account(FIRST_ADMIN, Role::Admin, hash, now)?))
        })
        .await?;
        Ok(Some(file))
    }

    /// Changes the book: stored together with its audit record, and only then in force.
    async fn change<T>(
        &self,
        live: &Live,
        by: &By,
        act: &str,
        reason: &str,
        change: impl FnOnce(&mut Book, Timestamp) -> Result<(T, Change), PeopleError>,
    ) -> Result<T, PeopleError> {
        if reason.len() > campanile_protocol::limits::MAX_REASON_BYTES {
            return Err(PeopleError::Invalid(say("malformed-reason", &[])));
        }
        let _one = self.changing.lock().await;
        let mut next = Book::clone(&self.book.load());
        let now = wall_clock();
        let (answer, Change { mut records, detail }) = change(&mut next, now)?;
        records.push(by.audit(now, act, reason, detail));
        live.keep(records).await.map_err(|()| PeopleError::NotStored)?;
        self.book.store(Arc::new(next));
        Ok(answer)
    }

    /// The role of a caller as of now, if they are still in.
    pub fn role_now(&self, caller: &Caller) -> Option<Role> {
        let book = self.book.load();
        match &caller.proof {
            Proof::Local => Some(caller.role),
            Proof::Token(id) => book.token_role(id, wall_clock()),
            Proof::Session(digest) => {
                let who = self.sessions.look(*digest, false)?;
                Some(role_of(&book, &who)?.0)
            }
        }
    }

    /// Somebody with an open WebSocket has done something: their session goes on.
    pub fn seen(&self, caller: &Caller) {
        if let Proof::Session(digest) = caller.proof {
            self.sessions.look(digest, true);
        }
    }

    /// The local person, where no sign-in is asked.
    fn local(peer: IpAddr) -> Caller {
        Caller {
            by: By { actor: "person:local".to_owned(), from: peer.to_string() },
            role: Role::Admin,
            account: None,
            nickname: None,
            must_change: false,
            proof: Proof::Local,
        }
    }

    /// Who has this session.
    fn by_session(&self, secret: &str, peer: IpAddr) -> Option<Caller> {
        let digest = password::digest(secret);
        let who = self.sessions.look(digest, true)?;
        let (role, must_change) = role_of(&self.book.load(), &who)?;
        let (actor, account, nickname) = match who {
            Who::Account(name) => (format!("person:{name}"), Some(name), None),
            // The nickname is not kept, and so not in the audit record.
            Who::Student { class, number, nickname } => {
                (format!("student:{class}/{number}"), None, Some(nickname))
            }
        };
        let by = By { actor, from: peer.to_string() };
        Some(Caller { by, role, account, nickname, must_change, proof: Proof::Session(digest) })
    }

    /// Who has this token: `cmp_ID_SECRET`.
    fn by_token(&self, text: &str, peer: IpAddr) -> Option<Caller> {
        let (id, _) = text.strip_prefix("cmp_")?.split_once('_')?;
        let book = self.book.load();
        let (owner, role) = book.token(id, password::digest(text), wall_clock())?;
        let by = By { actor: format!("person:{owner}"), from: format!("{peer} token:{id}") };
        Some(Caller {
            by,
            role,
            account: Some(owner.to_owned()),
            nickname: None,
            must_change: false,
            proof: Proof::Token(id.to_owned()),
        })
    }
}

/// The present role of who has a session, and whether their password is a one-time one.
fn role_of(book: &Book, who: &Who) -> Option<(Role, bool)> {
    match who {
        Who::Account(name) => {
            book.accounts.get(name).filter(|a| !a.disabled).map(|a| (a.role, a.must_change))
        }
        Who::Student { class, .. } => {
            let open = |c: &&book::Class| c.expires_us > wall_clock().0;
            book.classes.get(class).filter(open).map(|_| (Role::Student, false))
        }
    }
}

/// A password that works once: 80 bits, for copying by hand.
fn one_time_password() -> Result<Secret, PeopleError> {
    let words = [
        password::random_word::<4>()?,
        password::random_word::<4>()?,
        password::random_word::<4>()?,
        password::random_word::<4>()?,
    ];
    Ok(Secret::new(words.join("-")))
}

/// Writes a file that only its owner reads.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    // Made anew: the mode of a file that is there would stay as it is.
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
