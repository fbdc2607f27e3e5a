//! The book of accounts, tokens and classes: what is kept, and which changes are allowed. No clock, no I/O: a hub and
//! the command for a stopped hub use the same.

use std::collections::BTreeMap;

use campanile_history::{HistoryError, Record, StoredRecord};
use campanile_model::Timestamp;
use campanile_protocol::people::{AccountInfo, ClassInfo, Role, TokenInfo};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::password::{NoSecrets, same};
use crate::roles;
use crate::words::say;

/// The most accounts, tokens of one account, and open classes.
const MOST_ACCOUNTS: usize = 10_000;
const MOST_TOKENS: usize = 50;
const MOST_CLASSES: usize = 1_000;
/// The longest name, label and reason in bytes.
pub const MAX_NAME: usize = 64;
const MAX_LABEL: usize = 100;

/// Why something about people was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeopleError {
    /// There is no such account, token or class.
    #[error("{0}")]
    NotFound(String),
    /// It can't be done to what is there.
    #[error("{0}")]
    Conflict(String),
    /// What was asked is not in order.
    #[error("{0}")]
    Invalid(String),
    /// The asker may not.
    #[error("{0}")]
    NotAllowed(String),
    /// It could not be stored.
    #[error("the hub is stopping or could not store this; its log says which. Try again")]
    NotStored,
    /// No random numbers.
    #[error(transparent)]
    NoSecrets(#[from] NoSecrets),
    /// The store can't be read.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// An account as it is kept. It has no `Debug`: nobody logs a hash by mistake.
#[derive(Clone, Serialize, Deserialize)]
pub struct Account {
    pub role: Role,
    pub hash: String,
    pub must_change: bool,
    pub disabled: bool,
    pub created_us: i64,
}

/// An API token as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    pub owner: String,
    pub label: String,
    pub role: Role,
    pub digest: [u8; 32],
    pub expires_us: i64,
}

/// A class as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct Class {
    pub owner: String,
    pub label: String,
    pub digest: [u8; 32],
    pub uses: u32,
    pub max_uses: u32,
    pub expires_us: i64,
}

const ACCOUNT: &str = "account";
const TOKEN: &str = "token";
const CLASS: &str = "class";

/// A change: what to keep, and what the audit record says of it.
pub struct Change {
    /// To be committed together with the audit record.
    pub records: Vec<Record>,
    /// To what, before and after; never a secret.
    pub detail: Json,
}

type Changed = Result<Change, PeopleError>;

/// All that is kept of people.
#[derive(Clone, Default)]
pub struct Book {
    pub accounts: BTreeMap<String, Account>,
    pub tokens: BTreeMap<String, Token>,
    pub classes: BTreeMap<String, Class>,
}

impl Book {
    /// Reads the book by the records of a kind.
    ///
    /// # Errors
    /// Where the store can't be read; a hub must not start with half its accounts.
    pub fn read(
        records: impl Fn(&str) -> Result<Vec<StoredRecord>, HistoryError>,
    ) -> Result<Self, PeopleError> {
        fn all<T: DeserializeOwned>(
            kind: &'static str,
            records: Vec<StoredRecord>,
        ) -> Result<BTreeMap<String, T>, PeopleError> {
            let read = |r: StoredRecord| {
                let body = serde_json::from_value(r.body)
                    .map_err(|why| HistoryError::Corrupt { what: kind, why: why.to_string() })?;
                Ok((r.key, body))
            };
            records.into_iter().map(read).collect()
        }
        Ok(Self {
            accounts: all(ACCOUNT, records(ACCOUNT)?)?,
            tokens: all(TOKEN, records(TOKEN)?)?,
            classes: all(CLASS, records(CLASS)?)?,
        })
    }

    fn account(&self, name: &str) -> Result<&Account, PeopleError> {
        self.accounts.get(name).ok_or_else(|| PeopleError::NotFound(say("not-found-account", &[])))
    }

    /// Makes an account with the hash of a one-time password.
    pub fn add_account(&mut self, name: &str, role: Role, hash: String, now: Timestamp) -> Changed {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) || name == "local" {
            return Err(PeopleError::Invalid(say("malformed-account-name", &[])));
        }
        if role == Role::Student {
            return Err(PeopleError::Invalid(say("malformed-student-account", &[])));
        }
        if self.accounts.contains_key(name) {
            return Err(PeopleError::Conflict(say("conflict-account", &[("name", &name)])));
        }
        if self.accounts.len() >= MOST_ACCOUNTS {
            return Err(PeopleError::Conflict(say("conflict-most-accounts", &[("most", &MOST_ACCOUNTS)])));
        }
        let account = Account { role, hash, must_change: true, disabled: false, created_us: now.0 };
        let detail = json!({"subject": name, "before": null, "after": shown(&account)});
        let records = vec![put(ACCOUNT, name, now, &account)?];
        self.accounts.insert(name.to_owned(), account);
        Ok(Change { records, detail })
    }

    /// Changes role or whether it may sign in.
    pub fn change_account(
        &mut self,
        name: &str,
        role: Option<Role>,
        disabled: Option<bool>,
        now: Timestamp,
    ) -> Changed {
        if role == Some(Role::Student) {
            return Err(PeopleError::Invalid(say("malformed-student-role", &[])));
        }
        let mut account = self.account(name)?.clone();
        let before = shown(&account);
        account.role = role.unwrap_or(account.role);
        account.disabled = disabled.unwrap_or(account.disabled);
        self.keeps_an_admin(name, account.role == Role::Admin && !account.disabled)?;
        let detail = json!({"subject": name, "before": before, "after": shown(&account)});
        let records = vec![put(ACCOUNT, name, now, &account)?];
        self.accounts.insert(name.to_owned(), account);
        Ok(Change { records, detail })
    }

    /// Sets a password by its hash.
    pub fn set_password(&mut self, name: &str, hash: String, must_change: bool, now: Timestamp) -> Changed {
        let mut account = self.account(name)?.clone();
        account.hash = hash;
        account.must_change = must_change;
        let records = vec![put(ACCOUNT, name, now, &account)?];
        let detail = json!({"subject": name, "before": null, "after": shown(&account)});
        self.accounts.insert(name.to_owned(), account);
        Ok(Change { records, detail })
    }

    /// Removes an account with its tokens and classes.
    pub fn remove_account(&mut self, name: &str) -> Changed {
        let before = shown(self.account(name)?);
        self.keeps_an_admin(name, false)?;
        let mut records = vec![remove(ACCOUNT, name)];
        self.accounts.remove(name);
        self.tokens.retain(|id, token| token.owner != name || gone(&mut records, TOKEN, id));
        self.classes.retain(|id, class| class.owner != name || gone(&mut records, CLASS, id));
        Ok(Change { records, detail: json!({"subject": name, "before": before, "after": null}) })
    }

    /// The last administrator stays, or nobody could ever make another.
    fn keeps_an_admin(&self, name: &str, stays: bool) -> Result<(), PeopleError> {
        let is_admin = |a: &Account| a.role == Role::Admin && !a.disabled;
        let others = self.accounts.iter().any(|(other, account)| other != name && is_admin(account));
        if stays || others || !self.accounts.get(name).is_some_and(is_admin) {
            return Ok(());
        }
        Err(PeopleError::Conflict(say("conflict-last-admin", &[])))
    }

    /// Makes a token; `most` is the role of who asks for it.
    pub fn add_token(&mut self, id: &str, token: Token, most: Role, now: Timestamp) -> Changed {
        label(&token.label)?;
        if !roles::includes(most, token.role)
            || !roles::includes(self.account(&token.owner)?.role, token.role)
        {
            return Err(PeopleError::NotAllowed(say("not-allowed-token-role", &[("role", &token.role)])));
        }
        let mut records = Vec::new();
        self.tokens.retain(|id, old| old.expires_us > now.0 || gone(&mut records, TOKEN, id));
        if self.tokens.values().filter(|t| t.owner == token.owner).count() >= MOST_TOKENS {
            return Err(PeopleError::Conflict(say("conflict-most-tokens", &[("most", &MOST_TOKENS)])));
        }
        records.push(put(TOKEN, id, now, &token)?);
        let detail = json!({"subject": id, "before": null, "after": token_info(id, &token)});
        self.tokens.insert(id.to_owned(), token);
        Ok(Change { records, detail })
    }

    /// Ends a token; of a certain owner, where one is given.
    pub fn revoke_token(&mut self, id: &str, owner: Option<&str>) -> Changed {
        let token = self.tokens.get(id).filter(|t| owner.is_none_or(|owner| t.owner == owner));
        let token = token.ok_or_else(|| PeopleError::NotFound(say("not-found-token", &[])))?;
        let detail = json!({"subject": id, "before": token_info(id, token), "after": null});
        self.tokens.remove(id);
        Ok(Change { records: vec![remove(TOKEN, id)], detail })
    }

    /// Opens a class.
    pub fn add_class(&mut self, id: &str, class: Class, now: Timestamp) -> Changed {
        label(&class.label)?;
        if !(1..=200).contains(&class.max_uses) {
            return Err(PeopleError::Invalid(say("malformed-max-uses", &[])));
        }
        let mut records = Vec::new();
        self.classes.retain(|id, old| old.expires_us > now.0 || gone(&mut records, CLASS, id));
        if self.classes.len() >= MOST_CLASSES {
            return Err(PeopleError::Conflict(say("conflict-most-classes", &[("most", &MOST_CLASSES)])));
        }
        records.push(put(CLASS, id, now, &class)?);
        let detail = json!({"subject": id, "before": null, "after": class_info(id, &class)});
        self.classes.insert(id.to_owned(), class);
        Ok(Change { records, detail })
    }

    /// Ends a class; its owner may, and who may do everything.
    pub fn revoke_class(&mut self, id: &str, owner: Option<&str>) -> Changed {
        let class = self.classes.get(id).filter(|c| owner.is_none_or(|owner| c.owner == owner));
        let class = class.ok_or_else(|| PeopleError::NotFound(say("not-found-class", &[])))?;
        let detail = json!({"subject": id, "before": class_info(id, class), "after": null});
        self.classes.remove(id);
        Ok(Change { records: vec![remove(CLASS, id)], detail })
    }

    /// Takes a student in by the digest of a code; gives the class and the student's number in it.
    pub fn join(&mut self, digest: [u8; 32], now: Timestamp) -> Result<(String, u32, Change), PeopleError> {
        let wrong = || PeopleError::NotFound(say("wrong-sign-in-class", &[]));
        let open = |c: &Class| c.expires_us > now.0 && c.uses < c.max_uses;
        // All are compared, so that the time tells nothing.
        let found = self.classes.iter().fold(None, |found, (id, class)| {
            if same(class.digest, digest) && open(class) { Some(id.clone()) } else { found }
        });
        let id = found.ok_or_else(wrong)?;
        let class = self.classes.get_mut(&id).ok_or_else(wrong)?;
        class.uses += 1;
        let detail = json!({"subject": &id, "before": class.uses - 1, "after": class.uses});
        let change = Change { records: vec![put(CLASS, &id, now, class)?], detail };
        Ok((id, class.uses, change))
    }

    /// The account of a token that is valid now, with the token's id and role.
    pub fn token(&self, id: &str, digest: [u8; 32], now: Timestamp) -> Option<(&str, Role)> {
        let token = self.tokens.get(id).filter(|t| same(t.digest, digest))?;
        self.token_role(id, now).map(|role| (token.owner.as_str(), role))
    }

    /// The role of a token that is valid now.
    pub fn token_role(&self, id: &str, now: Timestamp) -> Option<Role> {
        let token = self.tokens.get(id).filter(|t| t.expires_us > now.0)?;
        let owner = self.accounts.get(&token.owner).filter(|a| !a.disabled && !a.must_change)?;
        // The owner may have been given less since.
        roles::includes(owner.role, token.role).then_some(token.role)
    }

    /// The accounts for people.
    pub fn account_infos(&self) -> Vec<AccountInfo> {
        let info = |(name, a): (&String, &Account)| AccountInfo {
            name: name.clone(),
            role: a.role,
            disabled: a.disabled,
            must_change_password: a.must_change,
            created_us: a.created_us,
        };
        self.accounts.iter().map(info).collect()
    }

    /// The tokens for people, of one owner or of all.
    pub fn token_infos(&self, owner: Option<&str>) -> Vec<TokenInfo> {
        let of = self.tokens.iter().filter(|(_, t)| owner.is_none_or(|owner| t.owner == owner));
        of.map(|(id, token)| token_info(id, token)).collect()
    }

    /// The classes that are not over, for people.
    pub fn class_infos(&self, now: Timestamp) -> Vec<ClassInfo> {
        let open = self.classes.iter().filter(|(_, c)| c.expires_us > now.0);
        open.map(|(id, class)| class_info(id, class)).collect()
    }
}

fn label(text: &str) -> Result<(), PeopleError> {
    if text.is_empty() || text.len() > MAX_LABEL || text.chars().any(char::is_control) {
        return Err(PeopleError::Invalid(say("malformed-label", &[])));
    }
    Ok(())
}

fn shown(account: &Account) -> Json {
    json!({"role": account.role, "disabled": account.disabled, "must_change_password": account.must_change})
}

/// A token without its secret.
pub fn token_info(id: &str, token: &Token) -> TokenInfo {
    let Token { owner, label, role, expires_us, .. } = token.clone();
    TokenInfo { id: id.to_owned(), owner, label, role, expires_us }
}

/// A class without its code.
pub fn class_info(id: &str, class: &Class) -> ClassInfo {
    let Class { owner, label, uses, max_uses, expires_us, .. } = class.clone();
    ClassInfo { id: id.to_owned(), owner, label, uses, max_uses, expires_us }
}

fn put<T: Serialize>(kind: &str, key: &str, time: Timestamp, body: &T) -> Result<Record, PeopleError> {
    let body = serde_json::to_value(body).map_err(|why| PeopleError::Invalid(why.to_string()))?;
    Ok(Record::Put { kind: kind.to_owned(), key: key.to_owned(), time, body })
}

fn remove(kind: &str, key: &str) -> Record {
    Record::Remove { kind: kind.to_owned(), key: key.to_owned() }
}

/// Notes a removal; always false, for `retain`.
fn gone(records: &mut Vec<Record>, kind: &str, key: &str) -> bool {
    records.push(remove(kind, key));
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn book() -> Book {
        let mut book = Book::default();
        book.add_account("root", Role::Admin, "-".into(), NOW).unwrap();
        book.add_account("anna", Role::Operator, "-".into(), NOW).unwrap();
        book.set_password("anna", "-".into(), false, NOW).unwrap();
        book
    }

    fn token(role: Role) -> Token {
        Token { owner: "anna".into(), label: "wall".into(), role, digest: [7; 32], expires_us: NOW.0 + 10 }
    }

    #[test]
    fn the_last_administrator_stays() {
        let mut book = book();
        assert!(matches!(book.remove_account("root"), Err(PeopleError::Conflict(_))));
        assert!(book.change_account("root", Some(Role::Viewer), None, NOW).is_err());
        assert!(book.change_account("root", None, Some(true), NOW).is_err());
        book.add_account("second", Role::Admin, "-".into(), NOW).unwrap();
        assert!(book.remove_account("root").is_ok());
    }

    #[test]
    fn a_token_does_no_more_than_its_owner_and_ends_with_time_role_and_owner() {
        let mut book = book();
        assert!(matches!(
            book.add_token("t", token(Role::Admin), Role::Operator, NOW),
            Err(PeopleError::NotAllowed(_))
        ));
        book.add_token("t", token(Role::Operator), Role::Operator, NOW).unwrap();
        assert_eq!(book.token("t", [7; 32], NOW), Some(("anna", Role::Operator)));
        assert!(book.token("t", [8; 32], NOW).is_none());
        assert!(book.token("t", [7; 32], Timestamp(NOW.0 + 10)).is_none());
        book.change_account("anna", Some(Role::Viewer), None, NOW).unwrap();
        assert!(book.token("t", [7; 32], NOW).is_none());
        book.change_account("anna", Some(Role::Manager), None, NOW).unwrap();
        assert!(book.token("t", [7; 32], NOW).is_some());
        let gone = book.remove_account("anna").unwrap();
        assert_eq!(gone.records.len(), 2);
        assert!(book.token("t", [7; 32], NOW).is_none());
    }

    #[test]
    fn a_class_takes_in_as_many_as_it_may_for_as_long_as_it_may() {
        let mut book = book();
        let class = Class {
            owner: "root".into(),
            label: "7b".into(),
            digest: [1; 32],
            uses: 0,
            max_uses: 2,
            expires_us: NOW.0 + 10,
        };
        book.add_class("c", class, NOW).unwrap();
        assert!(book.join([2; 32], NOW).is_err());
        assert_eq!(book.join([1; 32], NOW).unwrap().1, 1);
        assert!(book.join([1; 32], Timestamp(NOW.0 + 10)).is_err());
        assert_eq!(book.join([1; 32], NOW).unwrap().1, 2);
        assert!(book.join([1; 32], NOW).is_err(), "full");
    }

    #[test]
    fn names_are_plain_and_students_have_no_account() {
        let mut book = book();
        for bad in ["", "Anna", "a b", "a\r\nb", "../x", "'; DROP TABLE log;--", "local", &"x".repeat(65)] {
            assert!(book.add_account(bad, Role::Viewer, "-".into(), NOW).is_err(), "{bad}");
        }
        assert!(book.add_account("kid", Role::Student, "-".into(), NOW).is_err());
        assert!(matches!(
            book.add_account("anna", Role::Viewer, "-".into(), NOW),
            Err(PeopleError::Conflict(_))
        ));
    }
}
