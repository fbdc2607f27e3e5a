//! TLS: with the school's certificate, or one that the hub signs itself.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::hub::HubError;
use crate::people::write_private;

/// How the API is protected on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: on loopback only.
    #[default]
    Off,
    /// With a certificate that the hub makes itself and keeps in its data folder. Clients have to be told to trust it.
    SelfSigned,
    /// With a certificate chain and its key, both PEM.
    Files {
        /// The chain, the hub's own certificate first.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
}

const CERT: &str = "tls-self-signed.pem";
const KEY: &str = "tls-self-signed-key.pem";
/// A self-signed certificate is valid for two years, and made anew on a start in its last month.
const VALID_DAYS: i64 = 730;
const RENEW_AFTER: Duration = Duration::from_secs(700 * 24 * 3600);

/// What rustls needs; nothing where TLS is off.
pub fn config(tls: &Tls, data: &Path, listen: IpAddr) -> Result<Option<Arc<ServerConfig>>, HubError> {
    let (cert, key) = match tls {
        Tls::Off => return Ok(None),
        Tls::Files { cert, key } => (cert.clone(), key.clone()),
        Tls::SelfSigned => self_signed(data, listen)?,
    };
    let wrong =
        |path: &Path, why: &dyn std::fmt::Display| HubError::Tls(format!("{}: {why}", path.display()));
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(&cert).and_then(Iterator::collect).map_err(|why| wrong(&cert, &why))?;
    if chain.is_empty() {
        return Err(wrong(&cert, &"there is no certificate in it"));
    }
    let key_der = PrivateKeyDer::from_pem_file(&key).map_err(|why| wrong(&key, &why))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|why| wrong(&cert, &why))?
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .map_err(|why| wrong(&key, &why))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// The certificate and key in the data folder, made where they are missing or old.
fn self_signed(data: &Path, listen: IpAddr) -> Result<(PathBuf, PathBuf), HubError> {
    let (cert, key) = (data.join(CERT), data.join(KEY));
    let age = std::fs::metadata(&cert).and_then(|m| m.modified()).ok();
    let age = age.and_then(|made| SystemTime::now().duration_since(made).ok());
    if age.is_some_and(|age| age < RENEW_AFTER) && key.is_file() {
        return Ok((cert, key));
    }
    let wrong = |why: &dyn std::fmt::Display| HubError::Tls(format!("can't make a certificate: {why}"));
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !listen.is_unspecified() && !listen.is_loopback() {
        names.push(listen.to_string());
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    if !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
        names.push(host.to_owned());
    }
    let mut params = rcgen::CertificateParams::new(names).map_err(|why| wrong(&why))?;
    let mut name = rcgen::DistinguishedName::new();
    name.push(rcgen::DnType::CommonName, "Campanile hub");
    params.distinguished_name = name;
    let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    let date = |days: i64| {
        let day = today.saturating_add(jiff::Span::new().days(days));
        rcgen::date_time_ymd(i32::from(day.year()), day.month() as u8, day.day() as u8)
    };
    params.not_before = date(-1);
    params.not_after = date(VALID_DAYS);
    let pair = rcgen::KeyPair::generate().map_err(|why| wrong(&why))?;
    let signed = params.self_signed(&pair).map_err(|why| wrong(&why))?;
    // The key first: a certificate without its key would be taken for whole.
    write_private(&key, &pair.serialize_pem())?;
    write_private(&cert, &signed.pem())?;
    Ok((cert, key))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let listen = "192.168.1.4".parse().unwrap();
        assert!(config(&Tls::SelfSigned, dir.path(), listen).unwrap().is_some());
        let key = dir.path().join(KEY);
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let before = std::fs::read(&key).unwrap();
        assert!(config(&Tls::SelfSigned, dir.path(), listen).unwrap().is_some());
        assert_eq!(std::fs::read(&key).unwrap(), before);
    }

    #[test]
    fn wrong_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let cert = dir.path().join("cert.pem");
        std::fs::write(&cert, "nothing of use").unwrap();
        let files = Tls::Files { cert: cert.clone(), key: cert };
        let why = config(&files, dir.path(), "::1".parse().unwrap()).unwrap_err().to_string();
        assert!(why.contains("cert.pem"), "{why}");
    }
}
