//! The connections of edge nodes of Sparkplug B: one a node, because each has a last will of its own.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use campanile_model::{Campus, PointId, Sample};
use crossbeam_channel::Sender;
use rumqttc::{Incoming, PubAck, Publish, QoS, Request, Subscribe, SubscribeFilter};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::gateway::now;
use crate::link::{Link, LinkConfig, LinkError};
use crate::publisher::{PublisherConfig, Shared, enqueue};
use crate::sparkplug::{EdgeSession, Layout, Message, Reading};
use crate::{FieldCommand, GatewayError};

/// Batches of readings that wait for a node's connection; then publishing blocks.
const QUEUED: usize = 16;
/// The most readings of a batch.
const BATCH: usize = 1024;
/// After so many connections that ended soon, somebody else is suspected of being the same node.
const SUSPICIOUS: u32 = 3;
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The same for the same node, so that one that comes back takes the place of what is left of it at the broker. Brokers
/// refuse some characters that IDs of Sparkplug may have; the number keeps apart what is alike without them.
fn client_id(node: &str) -> String {
    let plain: String = node.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let mut hasher = DefaultHasher::new();
    node.hash(&mut hasher);
    format!("campanile-edge-{plain}-{:08x}", hasher.finish() as u32)
}

/// Edge nodes that publish. Dropping them says that they are gone.
#[derive(Debug)]
pub(crate) struct EdgeNodes {
    nodes: Vec<(Arc<Layout>, mpsc::Sender<Vec<Reading>>)>,
    node_of: HashMap<PointId, usize>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl EdgeNodes {
    /// Starts a connection for each node that `config.metrics` are of.
    ///
    /// # Errors
    /// If their thread can't be started.
    pub fn start(
        config: &PublisherConfig,
        campus: &Arc<Campus>,
        commands: &Sender<FieldCommand>,
        shared: &Arc<Shared>,
    ) -> Result<Self, GatewayError> {
        let (stop, stopping) = watch::channel(false);
        let (mut nodes, mut node_of, mut runners) = (Vec::new(), HashMap::new(), Vec::new());
        for layout in Layout::all(campus, &config.metrics) {
            let layout = Arc::new(layout);
            let (queue, queued) = mpsc::channel(QUEUED);
            node_of.extend(layout.points().map(|point| (point, nodes.len())));
            nodes.push((layout.clone(), queue));
            runners.push(Runner {
                link: Link::new(&LinkConfig {
                    host: config.host.clone(),
                    port: config.port,
                    client_id: client_id(&layout.id()),
                    credentials: config.credentials.clone(),
                    keep_alive_s: KEEP_ALIVE.as_secs(),
                    max_packet_bytes: config.max_packet_bytes,
                    max_inflight: 16,
                    // tck-id-principles-persistence-clean-session-311.
                    clean_session: true,
                    last_will: None,
                }),
                session: EdgeSession::new(layout),
                takes_commands: config.commands,
                queued,
                unsent: Vec::new(),
                commands: commands.clone(),
                shared: shared.clone(),
                stopping: stopping.clone(),
                connected: false,
                born: false,
            });
        }
        shared.nodes.store(nodes.len(), Ordering::Release);
        let io = |what: &'static str| move |source| GatewayError::Io { what: what.to_owned(), source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(io("the runtime of the edge nodes"))?;
        let thread = std::thread::Builder::new()
            .name("edge-nodes".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let mut tasks: JoinSet<()> = runners.into_iter().map(Runner::run).collect();
                    while tasks.join_next().await.is_some() {}
                });
            })
            .map_err(io("the thread of the edge nodes"))?;
        Ok(Self { nodes, node_of, shared: shared.clone(), stop, thread: Some(thread) })
    }

    /// Whether a point is a metric of one of them.
    pub fn have(&self, point: PointId) -> bool {
        self.node_of.contains_key(&point)
    }

    /// Publishes samples of their points. Blocks while a queue is full.
    ///
    /// # Errors
    /// For a sample of another point or of the wrong type: then nothing is published.
    pub fn publish(&self, samples: &[Sample]) -> Result<(), GatewayError> {
        let mut batches: Vec<Vec<Reading>> = vec![Vec::new(); self.nodes.len()];
        for sample in samples {
            let node = *self.node_of.get(&sample.point).ok_or(GatewayError::UnknownPoint(sample.point.0))?;
            batches[node].push(self.nodes[node].0.reading(sample)?);
        }
        for (batch, (_, queue)) in batches.iter().zip(&self.nodes) {
            for chunk in batch.chunks(BATCH) {
                enqueue(queue, chunk.to_vec(), &self.shared)?;
            }
        }
        Ok(())
    }
}

impl Drop for EdgeNodes {
    fn drop(&mut self) {
        // Without a receiver they have all ended already.
        let _ = self.stop.send(true);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the edge nodes panicked");
        }
    }
}

struct Runner {
    link: Link,
    session: EdgeSession,
    takes_commands: bool,
    queued: mpsc::Receiver<Vec<Reading>>,
    /// What a lost connection left; it follows the next birth.
    unsent: Vec<Reading>,
    commands: Sender<FieldCommand>,
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
    connected: bool,
    born: bool,
}

/// Until it is said to stop, or who could say so is gone.
async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

impl Runner {
    async fn run(mut self) {
        let mut stopping = self.stopping.clone();
        while !*stopping.borrow() {
            let ended = match self.connect().await {
                Ok(()) => self.serve().await,
                Err(e) => Err(e),
            };
            let Err(error) = ended else { break };
            self.note_connected(false);
            self.link.close();
            self.link.resend.clear();
            self.warn(&error);
            let pause = self.link.pause();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = told(&mut stopping) => break,
            }
        }
        if self.connected {
            // tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath, and -packet: DISCONNECT follows.
            let (topic, payload) = self.session.death();
            let _ = self.link.write(Request::Publish(Publish::new(topic, QoS::AtLeastOnce, payload))).await;
            self.note_connected(false);
        }
        self.link.disconnect().await;
    }

    fn warn(&self, error: &LinkError) {
        let node = self.session.layout().id();
        if error.is_hang_up() && self.link.short_lived() >= SUSPICIOUS {
            tracing::warn!(
                %node, %error,
                "the broker has closed the connection of the edge node soon after it was made, {} times: is the same node published by another program?",
                self.link.short_lived()
            );
        } else {
            tracing::warn!(%node, %error, "the connection of the edge node to the broker ended");
        }
    }

    fn note_connected(&mut self, connected: bool) {
        if std::mem::replace(&mut self.connected, connected) == connected {
            return;
        }
        if connected {
            self.shared.nodes_connected.fetch_add(1, Ordering::AcqRel);
        } else {
            self.shared.nodes_connected.fetch_sub(1, Ordering::AcqRel);
            if !*self.stopping.borrow() {
                self.shared.reconnects.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.shared.note_progress();
    }

    async fn connect(&mut self) -> Result<(), LinkError> {
        self.born = false;
        let (topic, will) = self.session.connect();
        // tck-id-payloads-ndeath-will-message-qos, -retain.
        self.link.set_last_will(&topic, will, false);
        tokio::select! {
            result = self.link.connect() => drop(result?),
            () = told(&mut self.stopping) => return Ok(()),
        }
        // Requests for births come the same way as commands.
        let filters = self.session.layout().filters();
        let filters =
            filters.into_iter().map(|path| SubscribeFilter { path, qos: QoS::AtLeastOnce }).collect();
        self.link.write(Request::Subscribe(Subscribe { pkid: 0, filters })).await?;
        self.link.flush().await?;
        self.note_connected(true);
        Ok(())
    }

    /// Until the connection ends or it is told to stop (then `Ok`).
    async fn serve(&mut self) -> Result<(), LinkError> {
        let mut stopping = self.stopping.clone();
        let mut keep_alive = tokio::time::interval(KEEP_ALIVE);
        keep_alive.tick().await;
        if self.session.has_values() {
            self.be_born().await?;
            let unsent = std::mem::take(&mut self.unsent);
            self.send(unsent).await?;
        }
        loop {
            tokio::select! {
                biased;
                () = told(&mut stopping) => return Ok(()),
                _ = keep_alive.tick() => self.link.ping().await?,
                result = self.link.read() => {
                    result?;
                    self.take_incoming().await?;
                    while self.link.read_ready()? {
                        self.take_incoming().await?;
                    }
                }
                Some(readings) = self.queued.recv() => {
                    if !self.born {
                        self.session.learn(&readings);
                        self.unsent = readings;
                        self.be_born().await?;
                        let readings = std::mem::take(&mut self.unsent);
                        self.send(readings).await?;
                    } else {
                        self.send(readings).await?;
                    }
                }
            }
        }
    }

    async fn be_born(&mut self) -> Result<(), LinkError> {
        let births = self.session.births(now());
        self.publish(births).await?;
        self.born = true;
        Ok(())
    }

    async fn send(&mut self, readings: Vec<Reading>) -> Result<(), LinkError> {
        if readings.is_empty() {
            return Ok(());
        }
        let messages = self.session.data(&readings, now());
        if let Err(error) = self.publish(messages).await {
            self.unsent = readings;
            return Err(error);
        }
        self.shared.finished.fetch_add(readings.len() as u64, Ordering::AcqRel);
        self.shared.note_progress();
        Ok(())
    }

    async fn publish(&mut self, messages: Vec<Message>) -> Result<(), LinkError> {
        for (topic, payload) in messages {
            self.link.write(Request::Publish(Publish::new(topic, QoS::AtMostOnce, payload))).await?;
        }
        self.link.flush().await
    }

    async fn take_incoming(&mut self) -> Result<(), LinkError> {
        let mut rebirth = false;
        while let Some(packet) = self.link.next_incoming() {
            let Incoming::Publish(publish) = packet else { continue };
            rebirth |= self.take(&publish);
            if publish.qos != QoS::AtMostOnce {
                self.link.write(Request::PubAck(PubAck::new(publish.pkid))).await?;
            }
        }
        self.link.flush().await?;
        // Not born yet, it comes to it anyway.
        if rebirth && self.born {
            self.be_born().await?;
        }
        Ok(())
    }

    /// Takes a command; whether it asks for births.
    fn take(&self, publish: &Publish) -> bool {
        let Some(asked) = self.session.layout().asked(&publish.topic, &publish.payload) else { return false };
        let dropped = |count: usize, why: &str| {
            self.shared.commands_dropped.fetch_add(count as u64, Ordering::Relaxed);
            tracing::warn!(topic = %publish.topic, %why, "a command was not obeyed");
        };
        if publish.retain {
            // tck-id-topics-ncmd-mqtt, -dcmd-mqtt: none is ever kept; one that is comes from who knows when.
            dropped(1, "it was kept by the broker");
            return false;
        }
        for why in asked.refused {
            dropped(1, &why);
        }
        if self.takes_commands {
            for command in asked.commands {
                self.shared.commands.fetch_add(1, Ordering::Relaxed);
                if self.commands.try_send(command).is_err() {
                    dropped(1, "commands come faster than they are taken");
                }
            }
        }
        asked.rebirth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ids_are_plain_and_of_one_node_each() {
        let ids = ["school/plant", "school-plant", "学校/plant", "a+b/c"].map(client_id);
        for (i, id) in ids.iter().enumerate() {
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{id}");
            assert!(!ids[..i].contains(id), "{ids:?}");
        }
        assert_eq!(ids[0], client_id("school/plant"));
    }
}
