//! What a hub is asked and what it answers, as data: the same for programs and for pages in a browser, which differ in
//! how it goes there and back.

use campanile_protocol::people::{JoinRequest, PasswordRequest, Secret, SignInRequest};
use campanile_protocol::rest::{ApiError, Outcome};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ClientError;

/// The longest answer that is not fetched as a file, bytes.
pub const MAX_ANSWER: u64 = 16 * 1024 * 1024;

/// Whether something is asked or told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Asked.
    Get,
    /// Told.
    Post,
}

impl Method {
    /// As HTTP spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What a hub is asked or told.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// Whether it is asked or told.
    pub method: Method,
    /// Path and query, such as `/api/v1/drills?of=a`.
    pub target: String,
    /// What it is told, as JSON.
    pub body: Option<String>,
    /// The longest answer that is taken, bytes.
    pub limit: u64,
}

impl std::fmt::Debug for Request {
    /// Without what it is told: a password may be in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method.name(), self.target)
    }
}

impl Request {
    /// Asks for something.
    pub fn get(path: &str) -> Self {
        Self { method: Method::Get, target: path.to_owned(), body: None, limit: MAX_ANSWER }
    }

    /// Tells something.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`] where it can't be written as JSON.
    pub fn post(path: &str, body: &impl Serialize) -> Result<Self, ClientError> {
        let body = serde_json::to_string(body).map_err(|why| ClientError::Unreadable(why.to_string()))?;
        Ok(Self { method: Method::Post, target: path.to_owned(), body: Some(body), limit: MAX_ANSWER })
    }

    /// With a key of the query.
    pub fn query(mut self, key: &str, value: &str) -> Self {
        self.target.push(if self.target.contains('?') { '&' } else { '?' });
        self.target += &format!("{key}={}", escaped(value));
        self
    }

    /// With keys of the query.
    pub fn queries(self, query: &[(&str, String)]) -> Self {
        query.iter().fold(self, |request, (key, value)| request.query(key, value))
    }

    /// Of an answer that may be so long.
    pub fn limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// Who asks, and what they are.
    pub fn me() -> Self {
        Self::get("/api/v1/me")
    }

    /// To sign in; the answer brings a session.
    ///
    /// # Errors
    /// See [`Self::post`].
    pub fn sign_in(name: &str, password: Secret) -> Result<Self, ClientError> {
        Self::post("/api/v1/sign-in", &SignInRequest { name: name.to_owned(), password })
    }

    /// To join a class as a student; the answer brings a session.
    ///
    /// # Errors
    /// See [`Self::post`].
    pub fn join(code: Secret, nickname: &str) -> Result<Self, ClientError> {
        Self::post("/api/v1/join", &JoinRequest { code, nickname: nickname.to_owned() })
    }

    /// To change the password of who has signed in; all their sessions end, this one too.
    ///
    /// # Errors
    /// See [`Self::post`].
    pub fn change_password(old: Secret, new: Secret) -> Result<Self, ClientError> {
        Self::post("/api/v1/me/password", &PasswordRequest { old, new })
    }

    /// To end the session.
    ///
    /// # Errors
    /// See [`Self::post`].
    pub fn sign_out() -> Result<Self, ClientError> {
        Self::post("/api/v1/sign-out", &serde_json::json!({}))
    }
}

/// What a hub has answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body of an answer that is no refusal.
    ///
    /// # Errors
    /// [`ClientError::Refused`], in the hub's words; of what is no hub the status.
    pub fn taken(self) -> Result<Vec<u8>, ClientError> {
        if (200..300).contains(&self.status) {
            return Ok(self.bytes);
        }
        let status = self.status;
        let (code, message) = match serde_json::from_slice::<ApiError>(&self.bytes) {
            Ok(ApiError { code, message }) => (Some(code), message),
            Err(_) => match serde_json::from_slice::<Outcome>(&self.bytes) {
                Ok(outcome) => (None, outcome.message),
                Err(_) => (None, format!("the hub answers with HTTP status {status}")),
            },
        };
        Err(ClientError::Refused { status, code, message })
    }

    /// What it says.
    ///
    /// # Errors
    /// As [`Self::taken`], and [`ClientError::Unreadable`].
    pub fn read<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.taken()?).map_err(|why| ClientError::Unreadable(why.to_string()))
    }
}

/// A value as it stands in a query.
fn escaped(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:*".contains(&b);
    let one = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    value.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use campanile_protocol::ErrorCode;

    use super::*;

    #[test]
    fn a_query_says_what_was_meant() {
        let request = Request::get("/api/v1/points").query("glob", "a/b*&=ü 1").query("limit", "5");
        assert_eq!(request.target, "/api/v1/points?glob=a/b*%26%3D%C3%BC%201&limit=5");
    }

    #[test]
    fn a_password_is_in_no_log() {
        let request = Request::sign_in("anna", Secret::new("four words")).unwrap();
        assert_eq!(format!("{request:?}"), "POST /api/v1/sign-in");
        assert!(request.body.unwrap().contains("four words"));
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_hub() {
        let refused = |status, body: &str| {
            let answer = Answer { status, bytes: body.as_bytes().to_vec() };
            answer.read::<serde_json::Value>().unwrap_err()
        };
        for (status, body, code, said) in [
            (
                401,
                "{\"code\":\"sign-in-required\",\"message\":\"请登录\"}",
                Some(ErrorCode::SignInRequired),
                "请登录",
            ),
            (409, "{\"ok\":false,\"message\":\"too soon\"}", None, "too soon"),
            (502, "<html>", None, "the hub answers with HTTP status 502"),
        ] {
            assert_eq!(
                refused(status, body),
                ClientError::Refused { status, code, message: said.to_owned() }
            );
        }
        assert!(matches!(refused(200, "<html>"), ClientError::Unreadable(_)));
    }
}
