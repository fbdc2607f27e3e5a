//! The hub as programs reach it: blocking requests, with TLS where it has it.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use campanile_protocol::people::{Me, Secret};
use campanile_protocol::rest::Outcome;
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::header::{
    ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, SET_COOKIE,
};
use ureq::http::{Response, Uri};

use crate::request::{Answer, MAX_ANSWER, Method, Request};
use crate::{Access, ClientError, Proof};

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// A hub, and who asks it.
pub struct Client {
    /// Such as `https://hub.school.example:7373`.
    base: String,
    uri: Uri,
    agent: ureq::Agent,
    tls: Option<Arc<rustls::ClientConfig>>,
    proof: Mutex<Proof>,
    language: Mutex<&'static str>,
}

/// What a WebSocket needs to reach the hub.
pub struct SocketAddress {
    /// Such as `wss://hub.school.example:7373/api/v1/ws`.
    pub url: String,
    /// The name or address to connect to.
    pub host: String,
    /// The port to connect to.
    pub port: u16,
    /// How to prove that it is the hub; `None`: without TLS.
    pub tls: Option<(Arc<rustls::ClientConfig>, ServerName<'static>)>,
}

/// The libraries under the client write what they send, secrets too, into logs of `debug` and below. To be called
/// after a log has begun and before a hub is asked.
pub fn keep_secrets_from_log() {
    log::set_max_level(log::max_level().min(log::LevelFilter::Info));
}

impl Client {
    /// A hub at an address such as `http://127.0.0.1:7373`. Asks nothing yet.
    ///
    /// # Errors
    /// Where the address is none, or token or certificates can't be read.
    pub fn new(address: &str, access: &Access) -> Result<Self, ClientError> {
        let wrong = || ClientError::Address(address.to_owned());
        let base = address.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| wrong())?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        // A name and password in an address would be in the list of processes.
        if authority.host().is_empty() || authority.as_str().contains('@') || uri.path().len() > 1 {
            return Err(wrong());
        }
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            // As the WebSocket: no proxy stands between, and who redirects is no hub and gets no proof.
            .proxy(None)
            .max_redirects(0);
        let mut tls = None;
        if is_tls {
            let authorities = access.authorities()?;
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let certs: Vec<_> =
                authorities.iter().map(|der| ureq::tls::Certificate::from_der(der).to_owned()).collect();
            config = config.tls_config(
                ureq::tls::TlsConfig::builder()
                    .root_certs(ureq::tls::RootCerts::new_with_certs(&certs))
                    .unversioned_rustls_crypto_provider(provider.clone())
                    .build(),
            );
            let mut roots = rustls::RootCertStore::empty();
            // Lists of systems may have certificates that rustls does not take; the others count.
            if roots.add_parsable_certificates(authorities).0 == 0 {
                return Err(ClientError::Authorities("none of them can be used".to_owned()));
            }
            let config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|why| ClientError::Authorities(why.to_string()))?
                .with_root_certificates(roots)
                .with_no_client_auth();
            tls = Some(Arc::new(config));
        }
        let proof = access.token()?.map_or(Proof::Nothing, Proof::Token);
        Ok(Self {
            base,
            uri,
            agent: config.build().into(),
            tls,
            proof: Mutex::new(proof),
            language: Mutex::new("en"),
        })
    }

    /// The address of the hub.
    pub fn address(&self) -> &str {
        &self.base
    }

    /// By what the hub knows who asks.
    pub fn proof(&self) -> Proof {
        self.proof.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_proof(&self, proof: Proof) {
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner) = proof;
    }

    /// The language of what the hub says to people, a BCP 47 tag.
    pub fn language(&self) -> &'static str {
        *self.language.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the language of what the hub says to people.
    pub fn set_language(&self, tag: &'static str) {
        *self.language.lock().unwrap_or_else(PoisonError::into_inner) = tag;
    }

    /// The header that proves who asks; `None` where nothing does.
    ///
    /// # Errors
    /// Where the proof can't be in a header.
    pub fn proof_header(&self) -> Result<Option<(HeaderName, HeaderValue)>, ClientError> {
        let (name, text) = match self.proof() {
            Proof::Nothing => return Ok(None),
            Proof::Token(token) => (AUTHORIZATION, format!("Bearer {}", token.expose())),
            Proof::Session(cookie) => (COOKIE, cookie.expose().to_owned()),
        };
        let unusable = |_| ClientError::Token("it has signs that no token has".to_owned());
        let mut value = HeaderValue::from_str(&text).map_err(unusable)?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    /// Where the WebSocket is.
    ///
    /// # Errors
    /// [`ClientError::Address`] where the host can't be in a certificate.
    pub fn socket(&self) -> Result<SocketAddress, ClientError> {
        let wrong = || ClientError::Address(self.base.clone());
        let authority = self.uri.authority().ok_or_else(wrong)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = match &self.tls {
            Some(config) => {
                let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
                Some((config.clone(), name))
            }
            None => None,
        };
        let (scheme, usual) = if tls.is_some() { ("wss", 443) } else { ("ws", 80) };
        let url = format!("{scheme}://{authority}/api/v1/ws");
        Ok(SocketAddress { url, host, port: authority.port_u16().unwrap_or(usual), tls })
    }

    /// Asks for something.
    ///
    /// # Errors
    /// [`ClientError`] where nobody answers, the hub refuses, or its answer can't be read; as for all that follow.
    pub fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, ClientError> {
        self.run(&Request::get(path).queries(query))?.read()
    }

    /// Asks for something long, at most `limit` bytes.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn fetch(&self, path: &str, query: &[(&str, String)], limit: u64) -> Result<Vec<u8>, ClientError> {
        self.run(&Request::get(path).queries(query).limit(limit))?.taken()
    }

    /// Asks for something that is read as it comes.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn stream(&self, path: &str, query: &[(&str, String)]) -> Result<impl Read + use<>, ClientError> {
        let mut answer = self.send(&Request::get(path).queries(query), "", ())?;
        if answer.status().is_success() {
            return Ok(answer.into_body().into_reader());
        }
        Err(whole(&mut answer, MAX_ANSWER)?.taken().err().unwrap_or(ClientError::Unreadable(String::new())))
    }

    /// Tells the hub to do something.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        self.run(&Request::post(path, body)?)?.read()
    }

    /// Tells the hub to do something that has no answer but that it is done.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn tell(&self, path: &str, body: &impl Serialize) -> Result<(), ClientError> {
        self.run(&Request::post(path, body)?)?.taken().map(drop)
    }

    /// Gives the hub a file.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn give<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        content_type: &'static str,
        bytes: &[u8],
    ) -> Result<T, ClientError> {
        let request = Request { method: Method::Post, ..Request::get(path).queries(query) };
        whole(&mut self.send(&request, content_type, bytes)?, MAX_ANSWER)?.read()
    }

    /// Asks or tells something.
    ///
    /// # Errors
    /// Where nobody answers or the answer is too long; a refusal is an answer.
    pub fn run(&self, request: &Request) -> Result<Answer, ClientError> {
        whole(&mut self.go(request)?, request.limit)
    }

    fn go(&self, request: &Request) -> Result<Response<ureq::Body>, ClientError> {
        match &request.body {
            None => self.send(request, "", ()),
            Some(text) => self.send(request, "application/json", text.as_str()),
        }
    }

    fn send(
        &self,
        request: &Request,
        content_type: &'static str,
        body: impl ureq::AsSendBody,
    ) -> Result<Response<ureq::Body>, ClientError> {
        let unusable = |why: ureq::http::Error| ClientError::Unreadable(why.to_string());
        let mut sent = ureq::http::Request::builder()
            .method(request.method.name())
            .uri(format!("{}{}", self.base, request.target))
            .header(ACCEPT_LANGUAGE, self.language());
        if !content_type.is_empty() {
            sent = sent.header(CONTENT_TYPE, content_type);
        }
        let mut sent = sent.body(body).map_err(unusable)?;
        if let Some((name, value)) = self.proof_header()? {
            sent.headers_mut().insert(name, value);
        }
        self.agent.run(sent).map_err(|why| ClientError::of_request(&self.base, &why))
    }

    /// Signs in: from then on the hub knows who asks by the session.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn sign_in(&self, name: &str, password: Secret) -> Result<Me, ClientError> {
        self.begin(&Request::sign_in(name, password)?)
    }

    /// Joins a class as a student.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn join(&self, code: Secret, nickname: &str) -> Result<Me, ClientError> {
        self.begin(&Request::join(code, nickname)?)
    }

    /// Asks for a session by [`Request::sign_in`] or [`Request::join`], and proves by it from then on who asks.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn begin(&self, request: &Request) -> Result<Me, ClientError> {
        // Who signs in does not do it as somebody else.
        self.set_proof(Proof::Nothing);
        let mut answer = self.go(request)?;
        let cookie = answer.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|text| text.split(';').next()).map(str::to_owned);
        let me = whole(&mut answer, request.limit)?.read()?;
        let cookie = cookie.ok_or_else(|| ClientError::Unreadable("it has no session".to_owned()))?;
        self.set_proof(Proof::Session(Secret::new(cookie)));
        Ok(me)
    }

    /// Changes the password of who has signed in; all their sessions end, this one too.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn change_password(&self, old: Secret, new: Secret) -> Result<(), ClientError> {
        let _: Outcome = self.run(&Request::change_password(old, new)?)?.read()?;
        self.set_proof(Proof::Nothing);
        Ok(())
    }

    /// Ends the session, and forgets by what the hub knew who asks.
    pub fn sign_out(&self) {
        if let Proof::Session(_) = self.proof() {
            // Where the hub does not hear it, the session ends there by itself.
            let _ = Request::sign_out().and_then(|request| self.run(&request));
        }
        self.set_proof(Proof::Nothing);
    }

    /// Forgets a proof that the hub no longer takes.
    pub fn forget(&self) {
        self.set_proof(Proof::Nothing);
    }

    /// Who asks, and what they are.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn me(&self) -> Result<Me, ClientError> {
        self.run(&Request::me())?.read()
    }
}

/// An answer with all of its body.
fn whole(answer: &mut Response<ureq::Body>, limit: u64) -> Result<Answer, ClientError> {
    let bytes = answer.body_mut().with_config().limit(limit).read_to_vec();
    let bytes = bytes.map_err(|why| ClientError::Unreadable(why.to_string()))?;
    Ok(Answer { status: answer.status().as_u16(), bytes })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use campanile_protocol::ErrorCode;

    use super::*;

    fn client(address: &str) -> Result<Client, ClientError> {
        Client::new(address, &Access::default())
    }

    #[test]
    fn an_address_that_is_none_or_has_a_secret_is_refused() {
        for address in
            ["", "127.0.0.1:7373", "ftp://x", "http://", "http://anna:horse@hub:7373", "http://hub/path"]
        {
            assert!(matches!(client(address), Err(ClientError::Address(_))), "{address}");
        }
        let socket = client("http://[::1]:7373/").unwrap().socket().unwrap();
        assert_eq!((socket.url.as_str(), socket.host.as_str()), ("ws://[::1]:7373/api/v1/ws", "::1"));
    }

    /// Answers each connection once, and gives back what was asked.
    fn hub(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            let one = |answer: &str| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut text = Vec::new();
                let mut piece = [0; 4096];
                loop {
                    let n = stream.read(&mut piece).unwrap();
                    text.extend_from_slice(&piece[..n]);
                    let said = String::from_utf8_lossy(&text).into_owned();
                    let Some((head, body)) = said.split_once("\r\n\r\n") else { continue };
                    let length = head.to_lowercase();
                    let length = length.split("content-length: ").nth(1).and_then(|l| l.lines().next());
                    if n == 0 || body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
                        stream.write_all(answer.as_bytes()).unwrap();
                        return said;
                    }
                }
            };
            answers.into_iter().map(one).collect()
        });
        (address, asked)
    }

    #[test]
    fn a_session_is_kept_sent_and_forgotten_and_refusals_are_the_hubs_words() {
        const ME: &str = "{\"actor\":\"person:anna\",\"role\":\"viewer\"}";
        let signed_in = format!(
            "HTTP/1.1 200 OK\r\nset-cookie: campanile=0123; HttpOnly; Path=/\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{ME}",
            ME.len()
        );
        let refused = "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n\
                       {\"code\":\"sign-in-required\",\"message\":\"请登录\"}";
        let done = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"ok\":true}";
        let (address, asked) = hub(vec![refused, signed_in.leak(), refused, done]);
        let client = client(&address).unwrap();
        client.set_language("zh-CN");
        let why = client.me().unwrap_err();
        assert!(why.wants_sign_in() && why.mend().unwrap().contains("--token-file"), "{why:?}");
        assert_eq!(why.to_string(), "请登录");
        assert_eq!(client.sign_in("anna", Secret::new("four words")).unwrap().actor, "person:anna");
        let code = Some(ErrorCode::SignInRequired);
        let told = client.get::<Me>("/api/v1/people", &[("glob", "a b".to_owned())]).unwrap_err();
        assert_eq!(told, ClientError::Refused { status: 401, code, message: "请登录".to_owned() });
        client.sign_out();
        assert_eq!(client.proof(), Proof::Nothing);
        let asked = asked.join().unwrap();
        assert!(asked.iter().all(|a| a.contains("zh-CN")));
        assert!(asked[1].contains("four words") && !asked[1].to_lowercase().contains("cookie:"));
        assert!(asked[2].starts_with("GET /api/v1/people?glob=a%20b"), "{}", asked[2]);
        assert!(asked[2].contains("cookie: campanile=0123\r\n"), "{}", asked[2]);
        assert!(asked[3].starts_with("POST /api/v1/sign-out"), "{}", asked[3]);
    }

    #[test]
    fn nobody_at_the_address_is_said_with_a_mend() {
        // Port 9 (discard) is closed on any machine that runs tests.
        let why = client("http://127.0.0.1:9").unwrap().me().unwrap_err();
        assert!(matches!(why, ClientError::Unreachable { .. }) && why.mend().is_some(), "{why:?}");
    }
}
