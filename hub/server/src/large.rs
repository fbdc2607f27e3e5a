//! Large answers that change seldom: kept whole, and compressed from the first time that a client asks for it so.

use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use crate::pages::takes;

/// An answer, whole and compressed.
#[derive(Clone)]
pub struct Large {
    whole: Bytes,
    gzip: Arc<OnceLock<Bytes>>,
}

/// Of a scene a higher level saves some hundredths and takes several times as long.
const LEVEL: flate2::Compression = flate2::Compression::new(5);

impl From<Vec<u8>> for Large {
    fn from(whole: Vec<u8>) -> Self {
        Self { whole: whole.into(), gzip: Arc::default() }
    }
}

impl Large {
    fn gzip(&self) -> &Bytes {
        self.gzip.get_or_init(|| {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), LEVEL);
            // Memory takes all that is written.
            let _ = out.write_all(&self.whole);
            out.finish().unwrap_or_default().into()
        })
    }

    /// The answer for a client that says which encodings it takes. Compresses, the first time: not for the threads of the
    /// network.
    pub fn answer(&self, asked: &HeaderMap, content_type: &'static str) -> Response {
        let is_gzip = takes(asked, "gzip");
        let bytes = if is_gzip { self.gzip() } else { &self.whole };
        let mut answer = Body::from(bytes.clone()).into_response();
        let said = answer.headers_mut();
        said.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        said.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        said.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        if is_gzip {
            said.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn who_takes_gzip_gets_less_and_the_same() {
        let large = Large::from(b"campus ".repeat(10_000));
        let mut asked = HeaderMap::new();
        let plain = large.answer(&asked, "text/plain");
        assert_eq!(plain.headers()[header::CONTENT_LENGTH], "70000");
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, br"));
        let packed = large.answer(&asked, "text/plain");
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&large.gzip()[..]).read_to_end(&mut text).unwrap();
        assert!(text == large.whole && large.gzip().len() < 1000);
    }
}
