//! Measures the gateway beside a bare subscriber: `cargo run --release -p campanile-gateway --example ingest`.
//!
//! Seconds a measurement as the only argument (default 7).

use campanile_gateway::bench::{BenchBroker, run};
use campanile_gateway::{Mosquitto, Qos};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(7.0), |a| a.parse())?;
    let mut brokers = vec![BenchBroker::Embedded];
    match Mosquitto::find() {
        Some(path) => brokers.push(BenchBroker::Mosquitto { path }),
        None => eprintln!("Mosquitto is not installed: measured without it"),
    }
    for broker in &brokers {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
            println!("{}", serde_json::to_string(&run(broker, qos, seconds, |_| {})?)?);
        }
    }
    Ok(())
}
