//! A Mosquitto of our own, for benches and tests.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::GatewayError;
use crate::broker::wait_until_it_answers;

/// Where distributions put it.
const USUAL_PLACES: [&str; 3] = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"];

/// A running Mosquitto on loopback, which ends when this is dropped.
#[derive(Debug)]
pub struct Mosquitto {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Mosquitto {
    /// Where it is installed, if in a usual place.
    pub fn find() -> Option<PathBuf> {
        USUAL_PLACES.into_iter().map(PathBuf::from).find(|p| p.exists())
    }

    /// Starts it on a port of loopback (0: any free one), sized for benches: ten thousand messages
    /// in flight, a million queued, no delay of small packets.
    ///
    /// # Errors
    /// [`GatewayError::PortTaken`], [`GatewayError::Program`], [`GatewayError::BrokerSilent`].
    pub fn start(program: &Path, port: u16) -> Result<Self, GatewayError> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let taken = |source| GatewayError::PortTaken { address: wanted, source };
        let probe = TcpListener::bind(wanted).map_err(taken)?;
        let address = probe.local_addr().map_err(taken)?;
        drop(probe);
        let folder = std::env::temp_dir().join(format!(
            "campanile-mosquitto-{}-{}",
            std::process::id(),
            address.port()
        ));
        let mut config = String::new();
        let _ = writeln!(config, "listener {} 127.0.0.1", address.port());
        config.push_str(
            "allow_anonymous true\npersistence false\nset_tcp_nodelay true\nmax_inflight_messages 10000\n\
             max_queued_messages 1000000\nlog_dest none\n",
        );
        let path = folder.join("mosquitto.conf");
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&path, config))
            .map_err(|source| GatewayError::Io { what: path.display().to_string(), source })?;
        let child = Command::new(program)
            .arg("-c")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| GatewayError::Program { program: program.to_owned(), source })?;
        // From here on dropping ends the child.
        let mosquitto = Self { child, address, folder };
        wait_until_it_answers(address, None)?;
        Ok(mosquitto)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It may have ended by itself; nothing is lost with a folder left behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
