//! The people of a hub: of one that runs over its API, of one that is stopped in its data folder. Both keep each change
//! in the audit record.

use std::io::Write;

use campanile_client::{Client, ClientError};
use campanile_protocol::people::{
    AccountInfo, AccountRequest, AccountsAnswer, AddAccountRequest, AddClassRequest, AddTokenRequest,
    AuditQuery, ChangeAccountRequest, ClassInfo, ClassesAnswer, IdRequest, NewClass, NewToken,
    OneTimePassword, Role, Secret, TokenInfo, TokensAnswer,
};
use campanile_protocol::rest::Outcome;
use campanile_server::{AccountsFolder, PeopleError};

use crate::failure::Failure;

/// Where the people are.
pub enum Accounts {
    /// In the data folder of a stopped hub.
    Folder(Box<AccountsFolder>),
    /// With a running hub.
    Hub(Box<Client>),
}

use Accounts::{Folder, Hub};

fn in_folder(why: PeopleError) -> Failure {
    Failure::input(why.to_string())
}

fn at_hub(why: ClientError) -> Failure {
    Failure::of_hub(why)
}

/// Tells a hub to do what has no answer but that it is done.
fn tell(hub: &Client, path: &str, request: &impl serde::Serialize) -> Result<(), Failure> {
    hub.post::<Outcome>(path, request).map(drop).map_err(at_hub)
}

impl Accounts {
    pub fn accounts(&self) -> Result<Vec<AccountInfo>, Failure> {
        match self {
            Folder(folder) => Ok(folder.accounts()),
            Hub(hub) => hub.get("/api/v1/people", &[]).map(|a: AccountsAnswer| a.accounts).map_err(at_hub),
        }
    }

    /// Makes an account; gives its one-time password.
    pub fn add(&mut self, name: &str, role: Role, reason: &str) -> Result<Secret, Failure> {
        match self {
            Folder(folder) => folder.add(name, role, reason).map_err(in_folder),
            Hub(hub) => {
                let request = AddAccountRequest { name: name.to_owned(), role, reason: reason.to_owned() };
                hub.post("/api/v1/people", &request).map(|a: OneTimePassword| a.password).map_err(at_hub)
            }
        }
    }

    pub fn change_account(
        &mut self,
        name: &str,
        role: Option<Role>,
        disabled: Option<bool>,
        reason: &str,
    ) -> Result<(), Failure> {
        match self {
            Folder(folder) => folder.change_account(name, role, disabled, reason).map_err(in_folder),
            Hub(hub) => {
                let (name, reason) = (name.to_owned(), reason.to_owned());
                tell(hub, "/api/v1/people/change", &ChangeAccountRequest { name, role, disabled, reason })
            }
        }
    }

    /// Sets a one-time password and gives it.
    pub fn reset_password(&mut self, name: &str, reason: &str) -> Result<Secret, Failure> {
        match self {
            Folder(folder) => folder.reset_password(name, reason).map_err(in_folder),
            Hub(hub) => {
                let request = AccountRequest { name: name.to_owned(), reason: reason.to_owned() };
                let answer = hub.post("/api/v1/people/password", &request);
                answer.map(|a: OneTimePassword| a.password).map_err(at_hub)
            }
        }
    }

    pub fn remove(&mut self, name: &str, reason: &str) -> Result<(), Failure> {
        match self {
            Folder(folder) => folder.remove(name, reason).map_err(in_folder),
            Hub(hub) => {
                let request = AccountRequest { name: name.to_owned(), reason: reason.to_owned() };
                tell(hub, "/api/v1/people/remove", &request)
            }
        }
    }

    pub fn tokens(&self) -> Result<Vec<TokenInfo>, Failure> {
        match self {
            Folder(folder) => Ok(folder.tokens()),
            Hub(hub) => hub.get("/api/v1/people/tokens", &[]).map(|a: TokensAnswer| a.tokens).map_err(at_hub),
        }
    }

    /// Makes a token for an account. A running hub makes one only for who signs in, so that it needs the owner's
    /// password.
    pub fn add_token(
        &mut self,
        owner: &str,
        request: AddTokenRequest,
        password: Option<Secret>,
    ) -> Result<NewToken, Failure> {
        match self {
            Folder(folder) => folder.add_token(owner, request).map_err(in_folder),
            Hub(hub) => {
                let password = password.ok_or_else(|| {
                    Failure::input("a running hub makes a token only for who signs in")
                        .mend("name a file with the owner's password, with --password-file FILE")
                })?;
                hub.sign_in(owner, password).map_err(at_hub)?;
                let made = hub.post("/api/v1/me/tokens", &request).map_err(at_hub);
                hub.sign_out();
                made
            }
        }
    }

    pub fn revoke_token(&mut self, id: &str, reason: &str) -> Result<(), Failure> {
        match self {
            Folder(folder) => folder.revoke_token(id, reason).map_err(in_folder),
            Hub(hub) => tell(hub, "/api/v1/people/tokens/revoke", &of_id(id, reason)),
        }
    }

    pub fn classes(&self) -> Result<Vec<ClassInfo>, Failure> {
        match self {
            Folder(folder) => Ok(folder.classes()),
            Hub(hub) => hub.get("/api/v1/classes", &[]).map(|a: ClassesAnswer| a.classes).map_err(at_hub),
        }
    }

    pub fn add_class(&mut self, request: AddClassRequest) -> Result<NewClass, Failure> {
        match self {
            Folder(folder) => folder.add_class(request).map_err(in_folder),
            Hub(hub) => hub.post("/api/v1/classes", &request).map_err(at_hub),
        }
    }

    pub fn revoke_class(&mut self, id: &str, reason: &str) -> Result<(), Failure> {
        match self {
            Folder(folder) => folder.revoke_class(id, reason).map_err(in_folder),
            Hub(hub) => tell(hub, "/api/v1/classes/revoke", &of_id(id, reason)),
        }
    }

    /// Writes the audit record; gives how many entries, where they were counted.
    pub fn export_audit(
        &mut self,
        out: &mut dyn Write,
        query: &AuditQuery,
        csv: bool,
    ) -> Result<Option<u64>, Failure> {
        let hub = match self {
            Folder(folder) => return folder.export_audit(out, query, csv).map(Some).map_err(in_folder),
            Hub(hub) => hub,
        };
        let number = |n: Option<i64>| n.map(|n| n.to_string());
        let wanted = [
            ("actor", query.actor.clone()),
            ("act", query.act.clone()),
            ("from_us", number(query.from_us)),
            ("to_us", number(query.to_us)),
        ];
        let wanted: Vec<_> = wanted.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let path = if csv { "/api/v1/audit/export.csv" } else { "/api/v1/audit/export.json" };
        let mut answer = hub.stream(path, &wanted).map_err(at_hub)?;
        std::io::copy(&mut answer, out)
            .map_err(|why| Failure::input(format!("the export could not be read or written: {why}")))?;
        Ok(None)
    }
}

fn of_id(id: &str, reason: &str) -> IdRequest {
    IdRequest { id: id.to_owned(), reason: reason.to_owned() }
}
