//! What clients may take of the hub: how many, how long, how fast. How large is in `serve`, `guard` and the protocol.

use std::time::Duration;

/// The limits of the API. Those of a hub are the default; others are for tests, which can't wait for half a minute.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections.
    pub connections: usize,
    /// The most from one address that is not this machine's: a school may come from one.
    pub connections_of_one: u32,
    /// The most WebSockets.
    pub sockets: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long the head of a request may take; an idle connection is closed as soon.
    pub head: Duration,
    /// A body has to be here after so long, however slowly it drips.
    pub body: Duration,
    /// How long a WebSocket may take to say hello, and to take what it is sent.
    pub socket: Duration,
    /// The most messages of a WebSocket at once, pings too, and then a second.
    pub messages: (f64, f64),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            connections_of_one: 512,
            sockets: 512,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: Duration::from_secs(10),
            socket: Duration::from_secs(20),
            messages: (1000.0, 200.0),
        }
    }
}
