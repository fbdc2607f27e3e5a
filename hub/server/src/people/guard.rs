//! The door: every request comes through here before it meets a handler.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use campanile_protocol::ErrorCode;
use serde_json::json;

use super::{Caller, Peer, People};
use crate::api::Failure;
use crate::live::{Live, wall_clock};
use crate::pages::Pages;
use crate::roles::{self, Found, Permission};
use crate::words::{Language, say};

/// The longest path with its query in bytes.
const MAX_URI: usize = 8 * 1024;
/// The largest body of a request in bytes.
const MAX_BODY: usize = 64 * 1024;
/// The largest package of a plugin in bytes, as its reader takes.
const MAX_PACKAGE: usize = 96 << 20;
/// The largest text of a script with what is around it.
const MAX_SCRIPT: usize = 256 * 1024;

/// The headers that an answer has that does not say otherwise: nothing of the hub is framed, sniffed, cached or run as a
/// page. Pages and reports have a policy of their own.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// What the door knows.
pub struct Door {
    /// People.
    pub people: Arc<People>,
    /// The hub.
    pub live: Arc<Live>,
    /// Whether the hub listens on loopback only.
    pub loopback: bool,
    /// What browsers are served beside the API.
    pub pages: Arc<Pages>,
}

/// Lets a request in, or refuses it; and gives every answer its headers.
pub async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    let answered = async {
        match door.admit(request).await {
            Ok(request) => next.run(request).await,
            Err(refused) => refused.into_response(),
        }
    };
    let mut answer = language.speaking(answered).await;
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    if door.people.tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    answer
}

/// The secret of a session in the cookies of a request.
pub fn session_secret(headers: &HeaderMap, tls: bool) -> Option<&str> {
    let name = cookie_name(tls);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Browsers keep a name that begins with `__Host-` from being set by another host or without TLS.
pub fn cookie_name(tls: bool) -> &'static str {
    if tls { "__Host-campanile" } else { "campanile" }
}

impl Door {
    async fn admit(&self, mut request: Request) -> Result<Request, Failure> {
        let people = &self.people;
        let peer = request.extensions().get::<Peer>().copied();
        let peer = peer.ok_or_else(|| Failure::internal("a request without an address"))?.0;
        if request.uri().to_string().len() > MAX_URI {
            let text = say("too-large-address", &[("bytes", &MAX_URI)]);
            return Err(Failure::new(StatusCode::URI_TOO_LONG, ErrorCode::TooLarge, text));
        }
        if people.required {
            people.requests.take(&super::pace::counted(peer), Instant::now()).map_err(too_many)?;
        }
        let is_look = matches!(*request.method(), Method::GET | Method::HEAD);
        let is_page = is_look && self.pages.has(request.uri().path());
        self.check_origin(request.headers(), is_page)?;
        // The same for everybody, and nothing of the campus.
        if is_page {
            return Ok(request);
        }
        let caller = self.caller(request.headers(), peer);
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let route = match roles::find(&method, &path) {
            Found::Route(route) => route,
            // Nobody without a session learns what there is.
            _ if caller.is_none() => return Err(sign_in_required()),
            Found::OtherMethod => return Err(crate::api::no_such_method(method, request.uri().clone()).await),
            Found::Nothing => return Err(crate::api::no_such_path(request.uri().clone()).await),
        };
        match &caller {
            None if route.needs == Permission::Open => {}
            None => return Err(sign_in_required()),
            Some(caller) => self.check_caller(caller, route).await?,
        }
        if let Some(caller) = caller {
            if route.export {
                let detail = json!({"subject": path, "query": request.uri().query()});
                let entry = caller.by.audit(wall_clock(), "export", "", detail);
                self.live.keep(vec![entry]).await.map_err(|()| busy())?;
            }
            request.extensions_mut().insert(caller);
        }
        // Who may send these has been let in above; a package of 20 MiB needs its time.
        let (most, within) = match path.as_str() {
            "/api/v1/plugins/packages" => (MAX_PACKAGE, people.limits.body * 12),
            "/api/v1/plugins/script" => (MAX_SCRIPT, people.limits.body),
            _ => (MAX_BODY, people.limits.body),
        };
        if method == Method::POST { whole(request, within, most).await } else { Ok(request) }
    }

    /// Who asks. What is sent to prove it and does not is no proof; it falls to nobody, not to anybody else.
    fn caller(&self, headers: &HeaderMap, peer: std::net::IpAddr) -> Option<Caller> {
        let people = &self.people;
        if !people.required {
            return Some(People::local(peer));
        }
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let token = value.to_str().ok()?.strip_prefix("Bearer ")?;
            return people.by_token(token, peer);
        }
        people.by_session(session_secret(headers, people.tls)?, peer)
    }

    /// Whether the caller may; a refusal is kept.
    async fn check_caller(&self, caller: &Caller, route: &roles::Route) -> Result<(), Failure> {
        if self.people.required {
            self.people.acts.take(&caller.by.actor, Instant::now()).map_err(too_many)?;
        }
        let to_own = matches!(route.path, "/api/v1/me" | "/api/v1/me/password" | "/api/v1/sign-out");
        if caller.must_change && !to_own && route.needs != Permission::Open {
            return Err(Failure::new(
                StatusCode::FORBIDDEN,
                ErrorCode::PasswordChangeRequired,
                say("password-change-required", &[]),
            ));
        }
        if roles::may(caller.role, route.needs) {
            return Ok(());
        }
        let detail = json!({"subject": format!("{} {}", route.method, route.path), "role": caller.role});
        let entry = caller.by.audit(wall_clock(), "refused", "", detail);
        self.live.keep(vec![entry]).await.map_err(|()| busy())?;
        let text = say("not-allowed", &[("role", &caller.role)]);
        Err(Failure::new(StatusCode::FORBIDDEN, ErrorCode::NotAllowed, text))
    }

    /// A web page of elsewhere must not reach the hub through somebody's browser: neither by a cross-origin request
    /// nor by a name that it points at loopback. It may have a link to a page of the hub, which can't be framed.
    fn check_origin(&self, headers: &HeaderMap, is_page: bool) -> Result<(), Failure> {
        let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
        let host = text(header::HOST);
        // Browsers say of requests without an origin, such as for a picture, whether another site's page makes them.
        let fetched = |what| text(HeaderName::from_static(what));
        let follows_link =
            fetched("sec-fetch-mode") == Some("navigate") && fetched("sec-fetch-dest") == Some("document");
        let cross_site = fetched("sec-fetch-site") == Some("cross-site") && !(is_page && follows_link);
        let own_origin = match text(header::ORIGIN) {
            None => true,
            Some(origin) => origin
                .split_once("://")
                .is_some_and(|(_, from)| host.is_some_and(|host| host.eq_ignore_ascii_case(from))),
        };
        let own_host = !self.loopback || host.is_none_or(is_loopback_name);
        if own_host && own_origin && !cross_site {
            return Ok(());
        }
        Err(Failure::new(StatusCode::FORBIDDEN, ErrorCode::WrongOrigin, say("wrong-origin", &[])))
    }
}

/// Takes the whole body in, within its limits of size and time.
async fn whole(request: Request, limit: Duration, most: usize) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(limit, axum::body::to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(_)) => {
            let text = say("too-large-body", &[("bytes", &most)]);
            Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooLarge, text))
        }
        Err(_) => {
            let text = say("malformed-slow", &[("seconds", &limit.as_secs_f64())]);
            Err(Failure::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::Malformed, text))
        }
    }
}

fn sign_in_required() -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, ErrorCode::SignInRequired, say("sign-in-required", &[]))
}

/// Too fast; says how long to wait.
pub fn too_many(wait: Duration) -> Failure {
    let seconds = wait.as_secs() + 1;
    let text = say("too-many", &[("seconds", &seconds)]);
    Failure::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooMany, text).after(seconds)
}

/// Something could not be stored, or there is too much to do.
pub fn busy() -> Failure {
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Busy, say("busy-request", &[])).after(1)
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_from_here() {
        for (host, ok) in [
            ("127.0.0.1:7373", true),
            ("localhost", true),
            ("[::1]:7373", true),
            ("evil.example:7373", false),
            ("127.0.0.1.evil.example", false),
            ("192.168.1.4", false),
            ("", false),
        ] {
            assert_eq!(is_loopback_name(host), ok, "{host}");
        }
    }

    #[test]
    fn the_session_is_found_among_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; campanile=xyz; __Host-campanile=safe"));
        assert_eq!(session_secret(&headers, false), Some("xyz"));
        assert_eq!(session_secret(&headers, true), Some("safe"));
        assert_eq!(session_secret(&HeaderMap::new(), true), None);
    }
}
