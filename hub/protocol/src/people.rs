//! People over HTTP: roles, signing in, accounts, tokens, class codes and the audit record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A secret: it never shows in a log or an error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself: to hash it, to compare it, or to hand it to its owner once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What somebody is at this school; `docs/roles.md` says what each may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks on; joins with a class code, has no account.
    Student,
    /// Looks on.
    Viewer,
    /// Serves devices: looks on and sees what the field says.
    Vendor,
    /// Teaches: looks on, exports, opens classes.
    Trainer,
    /// Runs the campus: commands and alarms.
    Operator,
    /// Answers for the campus: as an operator, and classes and the audit record.
    Manager,
    /// Everything, accounts too.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 7] = [
        Self::Student,
        Self::Viewer,
        Self::Vendor,
        Self::Trainer,
        Self::Operator,
        Self::Manager,
        Self::Admin,
    ];

    /// The role's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Viewer => "viewer",
            Self::Vendor => "vendor",
            Self::Trainer => "trainer",
            Self::Operator => "operator",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|role| role.name()).collect();
            format!("'{text}' is no role; there are {}", names.join(", "))
        })
    }
}

/// Sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// The account's name.
    pub name: String,
    /// Its password.
    pub password: Secret,
}

/// Join a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The class code.
    pub code: Secret,
    /// What to be called in this class, at most 24 characters; forgotten with it.
    pub nickname: String,
}

/// Who asks, and what they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Me {
    /// As the audit record has it, such as `person:anna`.
    pub actor: String,
    /// The role.
    pub role: Role,
    /// The nickname of a student.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Whether nothing but changing the password is allowed.
    #[serde(default)]
    pub must_change_password: bool,
}

/// Change one's own password; all sessions of the account end, this one too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordRequest {
    /// The present one.
    pub old: Secret,
    /// The next one: 12 to 128 bytes, not containing the account's name.
    pub new: Secret,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AccountInfo {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Whether it may not sign in.
    pub disabled: bool,
    /// Whether it has a one-time password still.
    pub must_change_password: bool,
    /// When it was made, microseconds UTC.
    pub created_us: i64,
}

/// The accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AccountsAnswer {
    /// In order of name.
    pub accounts: Vec<AccountInfo>,
}

/// Make an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAccountRequest {
    /// 1 to 64 of `a-z 0-9 . _ -`.
    pub name: String,
    /// Its role; a student has no account.
    pub role: Role,
    /// Why: kept in the audit record.
    #[serde(default)]
    pub reason: String,
}

/// Change an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAccountRequest {
    /// Which.
    pub name: String,
    /// Its new role; absent: as it is.
    #[serde(default)]
    pub role: Option<Role>,
    /// Whether it may not sign in; absent: as it is.
    #[serde(default)]
    pub disabled: Option<bool>,
    /// Why: kept in the audit record.
    #[serde(default)]
    pub reason: String,
}

/// Which account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRequest {
    /// Its name.
    pub name: String,
    /// Why: kept in the audit record.
    #[serde(default)]
    pub reason: String,
}

/// A password that works once: to be handed over, and changed at the first sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct OneTimePassword {
    /// Of which account.
    pub name: String,
    /// The password; it is not shown again.
    pub password: Secret,
}

/// An API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct TokenInfo {
    /// Its id, to revoke it by.
    pub id: String,
    /// The account that it acts for.
    pub owner: String,
    /// What it is for.
    pub label: String,
    /// Its role.
    pub role: Role,
    /// When it ends, microseconds UTC.
    pub expires_us: i64,
}

/// Tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct TokensAnswer {
    /// In order of id.
    pub tokens: Vec<TokenInfo>,
}

/// Make an API token for oneself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddTokenRequest {
    /// What it is for, at most 100 bytes.
    pub label: String,
    /// Its role: may do no more than its owner's.
    pub role: Role,
    /// After how many days it ends, at most 366.
    pub days: f64,
}

/// A new token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct NewToken {
    /// What it is.
    pub info: TokenInfo,
    /// For `Authorization: Bearer …`; it is not shown again.
    pub token: Secret,
}

/// Which token or class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdRequest {
    /// Its id.
    pub id: String,
    /// Why: kept in the audit record.
    #[serde(default)]
    pub reason: String,
}

/// A class, without its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ClassInfo {
    /// Its id, to revoke it by.
    pub id: String,
    /// Who opened it.
    pub owner: String,
    /// What it is called.
    pub label: String,
    /// How many have joined.
    pub uses: u32,
    /// How many may join.
    pub max_uses: u32,
    /// When it ends, and with it the sessions of its students, microseconds UTC.
    pub expires_us: i64,
}

/// Classes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ClassesAnswer {
    /// In order of id.
    pub classes: Vec<ClassInfo>,
}

/// Open a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddClassRequest {
    /// What it is called, at most 100 bytes; no names of students.
    pub label: String,
    /// For how many minutes, at most a day.
    pub minutes: f64,
    /// How many may join, at most 200.
    pub max_uses: u32,
}

/// A new class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct NewClass {
    /// What it is.
    pub info: ClassInfo,
    /// The code for the blackboard; it is not shown again.
    pub code: Secret,
}

/// Which entries of the audit record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, JsonSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Entries before this id, to page back; absent: from the newest.
    #[serde(default)]
    pub before: Option<i64>,
    /// At most how many, up to 1000; absent: 100. An export takes all.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only of this actor, such as `person:anna`.
    #[serde(default)]
    pub actor: Option<String>,
    /// Only this act, such as `sign-in`.
    #[serde(default)]
    pub act: Option<String>,
    /// From when, microseconds UTC, inclusive.
    #[serde(default)]
    pub from_us: Option<i64>,
    /// Until when, microseconds UTC, exclusive.
    #[serde(default)]
    pub to_us: Option<i64>,
}

/// An entry of the audit record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AuditEntry {
    /// Its number, growing.
    pub id: i64,
    /// When, microseconds UTC.
    pub time_us: i64,
    /// Who, such as `person:anna`.
    pub actor: String,
    /// What.
    pub act: String,
    /// From which address; empty where it was the hub itself.
    pub from: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// All that was kept: what it was done to, before and after.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

/// A page of the audit record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AuditAnswer {
    /// The newest first.
    pub entries: Vec<AuditEntry>,
    /// Ask again with `before` at this for more; absent: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show() {
        let request = SignInRequest { name: "anna".into(), password: Secret::new("correct horse") };
        assert!(!format!("{request:?}").contains("horse"));
        assert!(serde_json::to_string(&request).unwrap().contains("horse"));
    }

    #[test]
    fn roles_are_written_and_read_alike() {
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>().unwrap(), role);
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        assert!("root".parse::<Role>().is_err());
    }
}
