//! Sessions: in memory only. A hub that starts anew asks everybody to sign in again, and no secret is on the disk.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use campanile_protocol::people::Secret;

use super::password::{NoSecrets, digest, random_hex};

/// A session that does nothing for so long ends.
const IDLE: Duration = Duration::from_secs(60 * 60);
/// A session ends after a working day, whatever it does.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// The most sessions, and of one account; the oldest give way.
const MOST: usize = 10_000;
const MOST_OF_ONE: usize = 20;

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// An account's, by name.
    Account(String),
    /// A student's of a class, with the number in it and what they are called.
    Student { class: String, number: u32, nickname: String },
}

struct Session {
    who: Who,
    began: Instant,
    seen: Instant,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.began) > LONGEST || now.duration_since(self.seen) > IDLE
    }
}

/// All sessions by the digest of their secret.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

impl Sessions {
    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session with a secret of its own: nobody can have fixed it before.
    pub fn begin(&self, who: Who) -> Result<Secret, NoSecrets> {
        let secret = random_hex()?;
        let now = Instant::now();
        let mut all = self.all();
        all.retain(|_, session| !session.is_over(now));
        if let Who::Account(_) = who {
            drop_oldest(&mut all, MOST_OF_ONE, |session| session.who == who);
        }
        drop_oldest(&mut all, MOST, |_| true);
        all.insert(digest(&secret), Session { who, began: now, seen: now });
        Ok(Secret::new(secret))
    }

    /// Whose session this is; `touch` where they have just done something.
    pub fn look(&self, digest: [u8; 32], touch: bool) -> Option<Who> {
        let now = Instant::now();
        let mut all = self.all();
        let session = all.get_mut(&digest)?;
        if session.is_over(now) {
            all.remove(&digest);
            return None;
        }
        if touch {
            session.seen = now;
        }
        Some(session.who.clone())
    }

    /// Ends a session.
    pub fn end(&self, digest: [u8; 32]) {
        self.all().remove(&digest);
    }

    /// Ends all sessions of an account.
    pub fn end_all(&self, name: &str) {
        self.all().retain(|_, session| !matches!(&session.who, Who::Account(of) if of == name));
    }
}

/// Makes room for one more of those that are meant.
fn drop_oldest(all: &mut HashMap<[u8; 32], Session>, most: usize, meant: impl Fn(&Session) -> bool) {
    while all.values().filter(|session| meant(session)).count() >= most {
        let oldest = all.iter().filter(|(_, s)| meant(s)).min_by_key(|(_, s)| s.seen).map(|(key, _)| *key);
        let Some(oldest) = oldest else { return };
        all.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end_by_themselves_and_by_hand() {
        let sessions = Sessions::default();
        let anna = Who::Account("anna".into());
        let first = sessions.begin(anna.clone()).unwrap();
        let second = sessions.begin(anna.clone()).unwrap();
        assert_ne!(first, second);
        assert_eq!(sessions.look(digest(first.expose()), false), Some(anna.clone()));
        sessions.end(digest(first.expose()));
        assert_eq!(sessions.look(digest(first.expose()), false), None);
        sessions.end_all("anna");
        assert_eq!(sessions.look(digest(second.expose()), false), None);

        let now = Instant::now();
        let session = |began: u64, seen: u64| Session {
            who: anna.clone(),
            began: now + Duration::from_secs(began),
            seen: now + Duration::from_secs(seen),
        };
        assert!(!session(0, 0).is_over(now + IDLE));
        assert!(session(0, 0).is_over(now + IDLE + Duration::from_secs(1)));
        assert!(session(0, 43_200).is_over(now + LONGEST + Duration::from_secs(1)));
    }

    #[test]
    fn one_account_has_so_many_sessions_and_no_more() {
        let sessions = Sessions::default();
        let secrets: Vec<_> = (0..30).map(|_| sessions.begin(Who::Account("anna".into())).unwrap()).collect();
        assert_eq!(sessions.all().len(), MOST_OF_ONE);
        assert!(sessions.look(digest(secrets[29].expose()), false).is_some());
        assert!(sessions.look(digest(secrets[0].expose()), false).is_none());
    }
}
