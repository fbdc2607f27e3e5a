//! The accounts of a hub that is stopped, for the command `campanile user`.

use std::path::Path;

use campanile_history::{CommitQueue, History, Submission};
use campanile_model::Timestamp;
use campanile_protocol::people::{
    AccountInfo, AddClassRequest, AddTokenRequest, AuditAnswer, AuditQuery, ClassInfo, NewClass, NewToken,
    Role, Secret, TokenInfo,
};

use super::audit::{self, Format};
use super::book::{Book, Change, PeopleError, class_info, token_info};
use super::endpoints::{new_class, new_token};
use super::{By, one_time_password, password};
use crate::live::wall_clock;

/// The people of a data folder, while no hub has it open. Each call that changes is durable when it returns, with an
/// entry of the audit record.
pub struct AccountsFolder {
    // Dropped in this order: what waits is committed, then the store closes.
    queue: CommitQueue,
    history: History,
    book: Book,
    by: By,
}

impl AccountsFolder {
    /// Opens the folder; `actor` is who sits at the machine, for the audit record.
    ///
    /// # Errors
    /// Where a hub has it open, or it can't be read.
    pub fn open(data: &Path, actor: &str) -> Result<Self, PeopleError> {
        let history = History::open(data, &[])?;
        let queue = CommitQueue::start(history.writer(), 16)?;
        let book = Book::read(|kind| history.records(kind))?;
        let by = By { actor: format!("machine:{actor}"), from: "command line".to_owned() };
        Ok(Self { queue, history, book, by })
    }

    fn change<T>(
        &mut self,
        act: &str,
        reason: &str,
        change: impl FnOnce(&mut Book, Timestamp) -> Result<(T, Change), PeopleError>,
    ) -> Result<T, PeopleError> {
        let now = wall_clock();
        let (answer, Change { mut records, detail }) = change(&mut self.book, now)?;
        records.push(self.by.audit(now, act, reason, detail));
        let (told, heard) = std::sync::mpsc::sync_channel(1);
        let done: campanile_history::Done = Box::new(move |outcome| {
            // The one who waits has not gone.
            let _ = told.send(outcome.is_ok());
        });
        let submitted = self.queue.submit(Submission { samples: Vec::new(), records, done: Some(done) });
        match submitted.is_ok() && heard.recv().unwrap_or(false) {
            true => Ok(answer),
            false => Err(PeopleError::NotStored),
        }
    }

    /// All accounts.
    pub fn accounts(&self) -> Vec<AccountInfo> {
        self.book.account_infos()
    }

    /// All tokens.
    pub fn tokens(&self) -> Vec<TokenInfo> {
        self.book.token_infos(None)
    }

    /// The classes that are not over.
    pub fn classes(&self) -> Vec<ClassInfo> {
        self.book.class_infos(wall_clock())
    }

    /// Makes an account; gives its one-time password.
    ///
    /// # Errors
    /// Where the name or role is not in order, or it can't be stored; as for all that follow.
    pub fn add(&mut self, name: &str, role: Role, reason: &str) -> Result<Secret, PeopleError> {
        let secret = one_time_password()?;
        let hash = password::hash(&secret)?;
        self.change("account-add", reason, |book, now| Ok((secret, book.add_account(name, role, hash, now)?)))
    }

    /// Changes role or whether it may sign in.
    ///
    /// # Errors
    /// See [`Self::add`].
    pub fn change_account(
        &mut self,
        name: &str,
        role: Option<Role>,
        disabled: Option<bool>,
        reason: &str,
    ) -> Result<(), PeopleError> {
        self.change("account-change", reason, |book, now| {
            Ok(((), book.change_account(name, role, disabled, now)?))
        })
    }

    /// Sets a one-time password and gives it.
    ///
    /// # Errors
    /// See [`Self::add`].
    pub fn reset_password(&mut self, name: &str, reason: &str) -> Result<Secret, PeopleError> {
        let secret = one_time_password()?;
        let hash = password::hash(&secret)?;
        self.change("password-reset", reason, |book, now| {
            Ok((secret, book.set_password(name, hash, true, now)?))
        })
    }

    /// Removes an account with its tokens and classes.
    ///
    /// # Errors
    /// See [`Self::add`].
    pub fn remove(&mut self, name: &str, reason: &str) -> Result<(), PeopleError> {
        self.change("account-remove", reason, |book, _| Ok(((), book.remove_account(name)?)))
    }

    /// Makes a token for an account.
    ///
    /// # Errors
    /// See [`Self::add`].
    pub fn add_token(&mut self, owner: &str, request: AddTokenRequest) -> Result<NewToken, PeopleError> {
        self.change("token-add", "", |book, now| {
            let (id, token, secret) = new_token(owner.to_owned(), request, now)?;
            let info = token_info(&id, &token);
            Ok((NewToken { info, token: secret }, book.add_token(&id, token, Role::Admin, now)?))
        })
    }

    /// Ends a token.
    ///
    /// # Errors
    /// See [`Self::add`].
    pub fn revoke_token(&mut self, id: &str, reason: &str) -> Result<(), PeopleError> {
        self.change("token-revoke", reason, |book, _| Ok(((), book.revoke_token(id, None)?)))
    }

    /// Opens a class.
    ///
    /// # Errors
    /// See [`Self::add`].
    pub fn add_class(&mut self, request: AddClassRequest) -> Result<NewClass, PeopleError> {
        self.change("class-add", "", |book, now| {
            let (id, class, code) = new_class("local".to_owned(), request, now)?;
            let info = class_info(&id, &class);
            Ok((NewClass { info, code }, book.add_class(&id, class, now)?))
        })
    }

    /// Ends a class.
    ///
    /// # Errors
    /// See [`Self::add`].
    pub fn revoke_class(&mut self, id: &str, reason: &str) -> Result<(), PeopleError> {
        self.change("class-revoke", reason, |book, _| Ok(((), book.revoke_class(id, None)?)))
    }

    /// A page of the audit record.
    ///
    /// # Errors
    /// Where the store can't be read.
    pub fn audit(&self, query: &AuditQuery) -> Result<AuditAnswer, PeopleError> {
        Ok(audit::page(|kind: &str, before, limit| self.history.log(kind, before, limit), query)?)
    }

    /// Writes the audit record, as CSV or JSON; gives the count. That it was taken away is kept too.
    ///
    /// # Errors
    /// Where the store can't be read, or `out` fails.
    pub fn export_audit(
        &mut self,
        out: &mut dyn std::io::Write,
        query: &AuditQuery,
        csv: bool,
    ) -> Result<u64, PeopleError> {
        let detail = serde_json::json!({"subject": "audit", "query": query});
        self.change("export", "", |_, _| Ok(((), Change { records: Vec::new(), detail })))?;
        let format = if csv { Format::Csv } else { Format::Json };
        Ok(audit::export(
            out,
            |kind: &str, before, limit| self.history.log(kind, before, limit),
            query,
            format,
        )?)
    }
}
