//! Connections: how many, how long, and with TLS where that is wanted.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::limits::Limits;
use crate::people::Peer;

/// The largest head of a request in bytes, and its most headers.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// Open connections are given a moment when the hub stops, not for ever.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until told to stop.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    service: Router,
    mut stop: watch::Receiver<bool>,
    limits: Limits,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let tls = tls.map(TlsAcceptor::from);
    let room = Arc::new(Semaphore::new(limits.connections));
    let addresses = Arc::new(Addresses::of(limits.connections_of_one));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(why) => {
                // Out of files, usually: those that are open have to end first.
                tracing::warn!(%why, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (Ok(permit), Some(counted)) = (room.clone().try_acquire_owned(), addresses.enter(peer.ip()))
        else {
            tracing::debug!(%peer, "too many connections");
            continue;
        };
        // Small frames must not wait for each other (Nagle); a failure costs latency only.
        let _ = stream.set_nodelay(true);
        let (tls, service, stop) = (tls.clone(), service.clone(), stop.clone());
        tokio::spawn(async move {
            connection(stream, peer, tls, service, stop, limits).await;
            drop((permit, counted));
        });
    }
    // All the room there is means that nobody is left.
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(GRACE, room.acquire_many(all)).await;
    Ok(())
}

/// Waits until the hub stops; the sender gone means stop too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    service: Router,
    stop: watch::Receiver<bool>,
    limits: Limits,
) {
    match tls {
        None => talk(stream, peer, service, stop, limits.head).await,
        Some(tls) => match tokio::time::timeout(limits.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => talk(stream, peer, service, stop, limits.head).await,
            Ok(Err(why)) => tracing::debug!(%peer, %why, "no TLS came about"),
            Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
        },
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    service: Router,
    mut stop: watch::Receiver<bool>,
    head_time: Duration,
) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer.ip().to_canonical()));
        service.clone().call(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(why) = outcome {
        tracing::debug!(%peer, %why, "a connection broke off");
    }
}

/// How many connections each address has.
struct Addresses {
    most: u32,
    counts: Mutex<HashMap<IpAddr, u32>>,
}

/// Counts one connection as long as it lives.
struct Counted(Arc<Addresses>, IpAddr);

impl Addresses {
    fn of(most: u32) -> Self {
        Self { most, counts: Mutex::default() }
    }

    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Counted> {
        let mut all = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(address).or_insert(0);
        if *count >= self.most && !address.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Counted(self.clone(), address))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_take_all_connections() {
        let all = Arc::new(Addresses::of(3));
        let address: IpAddr = "10.0.0.1".parse().unwrap();
        let mut open: Vec<_> = (0..3).map(|_| all.enter(address).unwrap()).collect();
        assert!(all.enter(address).is_none());
        assert!(all.enter("10.0.0.2".parse().unwrap()).is_some());
        open.pop();
        assert!(all.enter(address).is_some());
        drop(open);
        assert!(all.counts.lock().unwrap().is_empty());
    }
}
