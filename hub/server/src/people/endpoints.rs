//! The endpoints about people. What each needs is in [`crate::roles`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use campanile_model::Timestamp;
use campanile_protocol::ErrorCode;
use campanile_protocol::people::{
    AccountRequest, AccountsAnswer, AddAccountRequest, AddClassRequest, AddTokenRequest, AuditAnswer,
    AuditQuery, ChangeAccountRequest, ClassesAnswer, IdRequest, JoinRequest, Me, NewClass, NewToken,
    OneTimePassword, PasswordRequest, Role, Secret, SignInRequest, TokensAnswer,
};
use campanile_protocol::rest::{ApiError, Outcome};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::{self, Format};
use super::book::{Class, PeopleError, Token, class_info, token_info};
use super::guard::{busy, cookie_name, session_secret, too_many};
use super::password::{self, NoSecrets};
use super::sessions::Who;
use super::{By, Caller, FIRST_SIGN_IN, Peer, People, Proof};
use crate::api::{Ask, Body, Failure, ask_store, streamed};
use crate::live::{Live, wall_clock};
use crate::words::say;

/// How long a request waits for its turn to hash.
const HASH_PATIENCE: Duration = Duration::from_secs(5);
/// The longest nickname in characters.
const MAX_NICKNAME: usize = 24;
/// The longest class and token.
const MAX_CLASS_MINUTES: f64 = 24.0 * 60.0;
const MAX_TOKEN_DAYS: f64 = 366.0;

type Live_ = State<Arc<Live>>;
type People_ = Extension<Arc<People>>;
type Caller_ = Extension<Caller>;

/// Everything about people.
pub fn router() -> OpenApiRouter<Arc<Live>> {
    OpenApiRouter::new()
        .routes(routes!(sign_in))
        .routes(routes!(join))
        .routes(routes!(sign_out))
        .routes(routes!(me))
        .routes(routes!(change_password))
        .routes(routes!(my_tokens, add_token))
        .routes(routes!(revoke_my_token))
        .routes(routes!(people, add_person))
        .routes(routes!(change_person))
        .routes(routes!(reset_password))
        .routes(routes!(remove_person))
        .routes(routes!(all_tokens))
        .routes(routes!(revoke_token))
        .routes(routes!(classes, add_class))
        .routes(routes!(revoke_class))
        .routes(routes!(audit_page))
        .routes(routes!(audit_csv))
        .routes(routes!(audit_json))
}

impl From<PeopleError> for Failure {
    fn from(why: PeopleError) -> Self {
        let text = why.to_string();
        match why {
            PeopleError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, text),
            PeopleError::Conflict(_) => Self::new(StatusCode::CONFLICT, ErrorCode::Conflict, text),
            PeopleError::Invalid(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::Malformed, text)
            }
            PeopleError::NotAllowed(_) => Self::new(StatusCode::FORBIDDEN, ErrorCode::NotAllowed, text),
            PeopleError::NotStored => busy(),
            PeopleError::NoSecrets(why) => why.into(),
            PeopleError::History(why) => why.into(),
        }
    }
}

impl From<NoSecrets> for Failure {
    fn from(why: NoSecrets) -> Self {
        Self::internal(why)
    }
}

fn done() -> Json<Outcome> {
    Json(Outcome { ok: true, reason: None, message: String::new() })
}

fn wrong_sign_in() -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, ErrorCode::WrongSignIn, say("wrong-sign-in", &[]))
}

impl People {
    /// Hashes or verifies away from the tasks that serve sockets, a few at a time.
    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = tokio::time::timeout(HASH_PATIENCE, self.hashing.acquire()).await;
        let _permit = permit.map_err(|_| busy())?.map_err(Failure::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Failure::internal)
    }

    /// Begins a session, ends the one that was sent, and gives the cookie.
    fn begin(&self, who: Who, headers: &HeaderMap) -> Result<(Caller, HeaderValue), Failure> {
        if let Some(old) = session_secret(headers, self.tls) {
            self.sessions.end(password::digest(old));
        }
        let secret = self.sessions.begin(who)?;
        // Only what is shown of the caller is used here, not where they come from.
        let nowhere = std::net::IpAddr::from([0, 0, 0, 0]);
        let caller = self.by_session(secret.expose(), nowhere).ok_or_else(wrong_sign_in)?;
        Ok((caller, self.cookie(secret.expose())?))
    }

    fn cookie(&self, value: &str) -> Result<HeaderValue, Failure> {
        let name = cookie_name(self.tls);
        let secure = if self.tls { "; Secure" } else { "" };
        let gone = if value.is_empty() { "; Max-Age=0" } else { "" };
        let text = format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/{secure}{gone}");
        let mut header = HeaderValue::from_str(&text).map_err(Failure::internal)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

fn me_of(caller: &Caller) -> Me {
    Me {
        actor: caller.by.actor.clone(),
        role: caller.role,
        nickname: caller.nickname.clone(),
        must_change_password: caller.must_change,
    }
}

/// The account of who asks.
fn account(caller: &Caller) -> Result<String, Failure> {
    caller.account.clone().ok_or_else(|| PeopleError::Conflict(say("conflict-no-accounts", &[])).into())
}

/// Who holds a token must not turn it into more: passwords and tokens are for who has signed in.
fn signed_in(caller: &Caller) -> Result<String, Failure> {
    if matches!(caller.proof, Proof::Token(_)) {
        return Err(PeopleError::NotAllowed(say("not-allowed-token", &[])).into());
    }
    account(caller)
}

/// Signs in; the answer's cookie is the session.
#[utoipa::path(post, path = "/sign-in", request_body = SignInRequest, responses((status = 200, description = "Signed in; a cookie is set", body = Me), (status = 401, description = "Name and password do not belong together", body = ApiError), (status = 429, description = "Too many attempts; Retry-After says how long to wait", body = ApiError)))]
async fn sign_in(
    State(live): Live_,
    Extension(people): People_,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Body(request): Body<SignInRequest>,
) -> Result<Response, Failure> {
    let SignInRequest { name, password } = request;
    if name.len() > super::book::MAX_NAME {
        return Err(wrong_sign_in());
    }
    people.failures.attempt(&name, peer, Instant::now()).map_err(too_many)?;
    let account = people.book.load().accounts.get(&name).cloned();
    let known = account.is_some();
    let open = account.as_ref().is_some_and(|a| !a.disabled);
    // Unknown accounts are hashed for too: the time tells nothing.
    let hash = account.map_or_else(|| people.nobody.clone(), |a| a.hash);
    let compared = hash.clone();
    let right = people.hashing(move || password::verify(&password, &hash)).await? && open;
    // What was typed as a name may have been a password.
    let actor = if known { format!("person:{name}") } else { "unknown".to_owned() };
    let by = By { actor, from: peer.to_string() };
    let act = if right { "sign-in" } else { "sign-in-failed" };
    live.keep(vec![by.audit(wall_clock(), act, "", json!({}))]).await.map_err(|()| busy())?;
    if !right {
        return Err(wrong_sign_in());
    }
    people.failures.forget(&name, peer);
    // While the hash was compared the account may have been closed or given another password, and its sessions ended:
    // none may begin after that.
    let _one = people.changing.lock().await;
    if people.book.load().accounts.get(&name).is_none_or(|a| a.disabled || a.hash != compared) {
        return Err(wrong_sign_in());
    }
    let (caller, cookie) = people.begin(Who::Account(name), &headers)?;
    Ok(([(header::SET_COOKIE, cookie)], Json(me_of(&caller))).into_response())
}

/// Joins a class with its code, as a student with a nickname.
#[utoipa::path(post, path = "/join", request_body = JoinRequest, responses((status = 200, description = "Joined; a cookie is set", body = Me), (status = 401, description = "The code is not right, or its class is over or full", body = ApiError), (status = 422, description = "The nickname is not in order", body = ApiError), (status = 429, description = "Too many attempts; Retry-After says how long to wait", body = ApiError)))]
async fn join(
    State(live): Live_,
    Extension(people): People_,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Body(request): Body<JoinRequest>,
) -> Result<Response, Failure> {
    people.joins.take(&super::pace::counted(peer), Instant::now()).map_err(too_many)?;
    let nickname = request.nickname.trim().to_owned();
    let fits = |c: char| c.is_alphanumeric() || " -_.".contains(c);
    if nickname.is_empty() || nickname.chars().count() > MAX_NICKNAME || !nickname.chars().all(fits) {
        let text = say("malformed-nickname", &[("most", &MAX_NICKNAME)]);
        return Err(PeopleError::Invalid(text).into());
    }
    let digest = password::digest(&plain_code(request.code.expose()));
    let by = By { actor: "student".to_owned(), from: peer.to_string() };
    let joined = people
        .change(&live, &by, "join", "", |book, now| {
            let (class, number, change) = book.join(digest, now)?;
            Ok(((class, number), change))
        })
        .await;
    let (class, number) = match joined {
        Ok(joined) => joined,
        Err(why @ PeopleError::NotFound(_)) => {
            let entry = by.audit(wall_clock(), "join-failed", "", json!({}));
            live.keep(vec![entry]).await.map_err(|()| busy())?;
            return Err(Failure::new(StatusCode::UNAUTHORIZED, ErrorCode::WrongSignIn, why.to_string()));
        }
        Err(why) => return Err(why.into()),
    };
    let (caller, cookie) = people.begin(Who::Student { class, number, nickname }, &headers)?;
    Ok(([(header::SET_COOKIE, cookie)], Json(me_of(&caller))).into_response())
}

/// A class code as it is compared: people write it with hyphens, spaces and capitals.
fn plain_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Signs out: the session ends.
#[utoipa::path(post, path = "/sign-out", responses((status = 200, description = "Signed out", body = Outcome)))]
async fn sign_out(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
) -> Result<Response, Failure> {
    if let Proof::Session(digest) = caller.proof {
        people.sessions.end(digest);
    }
    let entry = caller.by.audit(wall_clock(), "sign-out", "", json!({}));
    live.keep(vec![entry]).await.map_err(|()| busy())?;
    Ok(([(header::SET_COOKIE, people.cookie("")?)], done()).into_response())
}

/// Who asks.
#[utoipa::path(get, path = "/me", responses((status = 200, description = "The answer", body = Me)))]
async fn me(Extension(caller): Caller_) -> Json<Me> {
    Json(me_of(&caller))
}

/// Changes one's own password; all sessions of the account end.
#[utoipa::path(post, path = "/me/password", request_body = PasswordRequest, responses((status = 200, description = "Changed: sign in anew", body = Outcome), (status = 401, description = "The present password is not right", body = ApiError), (status = 422, description = "The new one is too weak", body = ApiError), (status = 429, description = "Too many attempts; Retry-After says how long to wait", body = ApiError)))]
async fn change_password(
    State(live): Live_,
    Extension(people): People_,
    Extension(Peer(peer)): Extension<Peer>,
    Extension(caller): Caller_,
    Body(request): Body<PasswordRequest>,
) -> Result<Json<Outcome>, Failure> {
    let name = signed_in(&caller)?;
    let PasswordRequest { old, new } = request;
    if let Some(weakness) = password::weakness(&new, &name) {
        return Err(PeopleError::Invalid(say(weakness, &[])).into());
    }
    if old == new {
        return Err(PeopleError::Invalid(say("malformed-password-same", &[])).into());
    }
    people.failures.attempt(&name, peer, Instant::now()).map_err(too_many)?;
    let kept = people.book.load().accounts.get(&name).map(|a| a.hash.clone()).ok_or_else(wrong_sign_in)?;
    let compared = kept.clone();
    let hash = people.hashing(move || password::verify(&old, &kept).then(|| password::hash(&new))).await?;
    let Some(hash) = hash else {
        let entry = caller.by.audit(wall_clock(), "password-failed", "", json!({}));
        live.keep(vec![entry]).await.map_err(|()| busy())?;
        return Err(wrong_sign_in());
    };
    people.failures.forget(&name, peer);
    let hash = hash?;
    people
        .change(&live, &caller.by, "password", "", |book, now| {
            // An administrator may have set another meanwhile.
            if book.accounts.get(&name).is_none_or(|a| a.hash != compared) {
                return Err(PeopleError::Conflict(say("conflict-password", &[])));
            }
            Ok(((), book.set_password(&name, hash, false, now)?))
        })
        .await?;
    people.sessions.end_all(&name);
    if name == super::FIRST_ADMIN {
        // It has done its work; where it is gone already, all the better.
        let _ = std::fs::remove_file(people.data.join(FIRST_SIGN_IN));
    }
    Ok(done())
}

/// One's own API tokens.
#[utoipa::path(get, path = "/me/tokens", responses((status = 200, description = "The answer", body = TokensAnswer)))]
async fn my_tokens(
    Extension(people): People_,
    Extension(caller): Caller_,
) -> Result<Json<TokensAnswer>, Failure> {
    let name = account(&caller)?;
    Ok(Json(TokensAnswer { tokens: people.book.load().token_infos(Some(&name)) }))
}

/// Makes an API token for oneself; the answer alone has it.
#[utoipa::path(post, path = "/me/tokens", request_body = AddTokenRequest, responses((status = 200, description = "The token", body = NewToken), (status = 403, description = "It could do more than its owner", body = ApiError), (status = 422, description = "The label or time is not in order", body = ApiError)))]
async fn add_token(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
    Body(request): Body<AddTokenRequest>,
) -> Result<Json<NewToken>, Failure> {
    let owner = signed_in(&caller)?;
    let made = people
        .change(&live, &caller.by, "token-add", "", |book, now| {
            let (id, token, secret) = new_token(owner, request, now)?;
            let info = token_info(&id, &token);
            let change = book.add_token(&id, token, caller.role, now)?;
            Ok((NewToken { info, token: secret }, change))
        })
        .await?;
    Ok(Json(made))
}

/// A token with a random secret; its id is in it, to find it by.
pub fn new_token(
    owner: String,
    request: AddTokenRequest,
    now: Timestamp,
) -> Result<(String, Token, Secret), PeopleError> {
    if !(request.days > 0.0 && request.days <= MAX_TOKEN_DAYS) {
        return Err(PeopleError::Invalid(say("malformed-days", &[("most", &MAX_TOKEN_DAYS)])));
    }
    let id = password::random_word::<8>()?;
    let secret = format!("cmp_{id}_{}", password::random_hex()?);
    let token = Token {
        owner,
        label: request.label,
        role: request.role,
        digest: password::digest(&secret),
        expires_us: now.plus_micros((request.days * 86_400e6) as i64).0,
    };
    Ok((id, token, Secret::new(secret)))
}

/// Ends one of one's own tokens.
#[utoipa::path(post, path = "/me/tokens/revoke", request_body = IdRequest, responses((status = 200, description = "It has ended", body = Outcome), (status = 404, description = "There is no such token", body = ApiError)))]
async fn revoke_my_token(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
    Body(request): Body<IdRequest>,
) -> Result<Json<Outcome>, Failure> {
    let owner = account(&caller)?;
    people
        .change(&live, &caller.by, "token-revoke", &request.reason, |book, _| {
            Ok(((), book.revoke_token(&request.id, Some(&owner))?))
        })
        .await?;
    Ok(done())
}

/// All accounts.
#[utoipa::path(get, path = "/people", responses((status = 200, description = "The answer", body = AccountsAnswer)))]
async fn people(Extension(people): People_) -> Json<AccountsAnswer> {
    Json(AccountsAnswer { accounts: people.book.load().account_infos() })
}

/// Makes an account; the answer alone has its one-time password.
#[utoipa::path(post, path = "/people", request_body = AddAccountRequest, responses((status = 200, description = "The one-time password", body = OneTimePassword), (status = 409, description = "There is one of that name", body = ApiError), (status = 422, description = "The name or role is not in order", body = ApiError)))]
async fn add_person(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
    Body(request): Body<AddAccountRequest>,
) -> Result<Json<OneTimePassword>, Failure> {
    let (password, hash) = people.one_time().await?;
    let AddAccountRequest { name, role, reason } = request;
    people
        .change(&live, &caller.by, "account-add", &reason, |book, now| {
            Ok(((), book.add_account(&name, role, hash, now)?))
        })
        .await?;
    Ok(Json(OneTimePassword { name, password }))
}

impl People {
    async fn one_time(&self) -> Result<(Secret, String), Failure> {
        let secret = super::one_time_password()?;
        let of = secret.clone();
        let hash = self.hashing(move || password::hash(&of)).await??;
        Ok((secret, hash))
    }
}

/// Changes an account's role, or closes or opens it; it takes effect at once.
#[utoipa::path(post, path = "/people/change", request_body = ChangeAccountRequest, responses((status = 200, description = "Changed", body = Outcome), (status = 404, description = "There is no such account", body = ApiError), (status = 409, description = "It is the last administrator", body = ApiError)))]
async fn change_person(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
    Body(request): Body<ChangeAccountRequest>,
) -> Result<Json<Outcome>, Failure> {
    let ChangeAccountRequest { name, role, disabled, reason } = request;
    people
        .change(&live, &caller.by, "account-change", &reason, |book, now| {
            Ok(((), book.change_account(&name, role, disabled, now)?))
        })
        .await?;
    if disabled == Some(true) {
        people.sessions.end_all(&name);
    }
    Ok(done())
}

/// Gives an account a one-time password; its sessions end.
#[utoipa::path(post, path = "/people/password", request_body = AccountRequest, responses((status = 200, description = "The one-time password", body = OneTimePassword), (status = 404, description = "There is no such account", body = ApiError)))]
async fn reset_password(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
    Body(request): Body<AccountRequest>,
) -> Result<Json<OneTimePassword>, Failure> {
    let (password, hash) = people.one_time().await?;
    let AccountRequest { name, reason } = request;
    people
        .change(&live, &caller.by, "password-reset", &reason, |book, now| {
            Ok(((), book.set_password(&name, hash, true, now)?))
        })
        .await?;
    people.sessions.end_all(&name);
    Ok(Json(OneTimePassword { name, password }))
}

/// Removes an account with its sessions, tokens and classes.
#[utoipa::path(post, path = "/people/remove", request_body = AccountRequest, responses((status = 200, description = "Removed", body = Outcome), (status = 404, description = "There is no such account", body = ApiError), (status = 409, description = "It is the last administrator", body = ApiError)))]
async fn remove_person(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
    Body(request): Body<AccountRequest>,
) -> Result<Json<Outcome>, Failure> {
    people
        .change(&live, &caller.by, "account-remove", &request.reason, |book, _| {
            Ok(((), book.remove_account(&request.name)?))
        })
        .await?;
    people.sessions.end_all(&request.name);
    Ok(done())
}

/// The API tokens of all.
#[utoipa::path(get, path = "/people/tokens", responses((status = 200, description = "The answer", body = TokensAnswer)))]
async fn all_tokens(Extension(people): People_) -> Json<TokensAnswer> {
    Json(TokensAnswer { tokens: people.book.load().token_infos(None) })
}

/// Ends anybody's token.
#[utoipa::path(post, path = "/people/tokens/revoke", request_body = IdRequest, responses((status = 200, description = "It has ended", body = Outcome), (status = 404, description = "There is no such token", body = ApiError)))]
async fn revoke_token(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
    Body(request): Body<IdRequest>,
) -> Result<Json<Outcome>, Failure> {
    people
        .change(&live, &caller.by, "token-revoke", &request.reason, |book, _| {
            Ok(((), book.revoke_token(&request.id, None)?))
        })
        .await?;
    Ok(done())
}

/// The classes that are not over.
#[utoipa::path(get, path = "/classes", responses((status = 200, description = "The answer", body = ClassesAnswer)))]
async fn classes(Extension(people): People_) -> Json<ClassesAnswer> {
    Json(ClassesAnswer { classes: people.book.load().class_infos(wall_clock()) })
}

/// Opens a class; the answer alone has its code.
#[utoipa::path(post, path = "/classes", request_body = AddClassRequest, responses((status = 200, description = "The class and its code", body = NewClass), (status = 422, description = "The label, time or number is not in order", body = ApiError)))]
async fn add_class(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
    Body(request): Body<AddClassRequest>,
) -> Result<Json<NewClass>, Failure> {
    let owner = caller.account.clone().unwrap_or_else(|| "local".to_owned());
    let made = people
        .change(&live, &caller.by, "class-add", "", |book, now| {
            let (id, class, code) = new_class(owner, request, now)?;
            let info = class_info(&id, &class);
            Ok((NewClass { info, code }, book.add_class(&id, class, now)?))
        })
        .await?;
    Ok(Json(made))
}

/// A class with a random code of 50 bits, written in two halves.
pub fn new_class(
    owner: String,
    request: AddClassRequest,
    now: Timestamp,
) -> Result<(String, Class, Secret), PeopleError> {
    if !(request.minutes > 0.0 && request.minutes <= MAX_CLASS_MINUTES) {
        return Err(PeopleError::Invalid(say("malformed-minutes", &[("most", &MAX_CLASS_MINUTES)])));
    }
    let (left, right) = (password::random_word::<5>()?, password::random_word::<5>()?);
    let class = Class {
        owner,
        label: request.label,
        digest: password::digest(&format!("{left}{right}")),
        uses: 0,
        max_uses: request.max_uses,
        expires_us: now.plus_micros((request.minutes * 60e6) as i64).0,
    };
    Ok((password::random_word::<6>()?, class, Secret::new(format!("{left}-{right}"))))
}

/// Ends a class and the sessions of its students; an administrator ends anybody's.
#[utoipa::path(post, path = "/classes/revoke", request_body = IdRequest, responses((status = 200, description = "It has ended", body = Outcome), (status = 404, description = "There is no such class, or it is another's", body = ApiError)))]
async fn revoke_class(
    State(live): Live_,
    Extension(people): People_,
    Extension(caller): Caller_,
    Body(request): Body<IdRequest>,
) -> Result<Json<Outcome>, Failure> {
    let owner = caller.account.clone().filter(|_| caller.role != Role::Admin);
    people
        .change(&live, &caller.by, "class-revoke", &request.reason, |book, _| {
            Ok(((), book.revoke_class(&request.id, owner.as_deref())?))
        })
        .await?;
    Ok(done())
}

/// The audit record by pages: who did what, why, from where, before and after.
#[utoipa::path(get, path = "/audit", params(AuditQuery), responses((status = 200, description = "The answer", body = AuditAnswer), (status = 400, description = "The request could not be understood", body = ApiError)))]
async fn audit_page(State(live): Live_, Ask(query): Ask<AuditQuery>) -> Result<Json<AuditAnswer>, Failure> {
    let page = move |store: &dyn crate::seams::Store| {
        audit::page(|kind: &str, before, limit| store.log(kind, before, limit), &query)
    };
    Ok(Json(ask_store(live, page).await?))
}

/// The audit record as CSV, the newest first.
#[utoipa::path(get, path = "/audit/export.csv", params(AuditQuery), responses((status = 200, description = "The answer", content_type = "text/csv", body = String), (status = 400, description = "The request could not be understood", body = ApiError)))]
async fn audit_csv(State(live): Live_, Ask(query): Ask<AuditQuery>) -> Response {
    export(live, query, Format::Csv, "text/csv; charset=utf-8")
}

/// The audit record as JSON, the newest first.
#[utoipa::path(get, path = "/audit/export.json", params(AuditQuery), responses((status = 200, description = "The answer", body = Vec<campanile_protocol::people::AuditEntry>), (status = 400, description = "The request could not be understood", body = ApiError)))]
async fn audit_json(State(live): Live_, Ask(query): Ask<AuditQuery>) -> Response {
    export(live, query, Format::Json, "application/json")
}

fn export(live: Arc<Live>, query: AuditQuery, format: Format, kind: &'static str) -> Response {
    streamed(kind, move |out| {
        let log = |kind: &str, before, limit| live.history.log(kind, before, limit);
        audit::export(out, log, &query, format)
    })
}
