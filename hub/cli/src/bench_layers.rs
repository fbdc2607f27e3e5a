//! `campanile bench layers`: what the water and the people of a rehearsal cost on the way to a client, and how old they
//! are when they are there.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use campanile_client::{Access, Client};
use campanile_formats::{Grid, geotiff};
use campanile_model::Timestamp;
use campanile_protocol::rehearsal::{
    RehearsalInfo, RehearsalOrigin, RehearsalState, SetPace, StartRehearsal,
};
use campanile_protocol::{
    AgentState, ClientMessage, LayerFrame, LayerInfo, LayerShape, LayerState, LayerSubscription,
    ServerMessage, is_layer_frame,
};
use campanile_server::{Broker, Hub, HubConfig};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::bench_ingest::{AnyError, in_a_folder};
use crate::failure::Failure;

/// The side of the ground that the water is reckoned on, m.
const SIDE_M: f64 = 400.0;
/// When to look, seconds from the start of the drill: the classes have set off, and water rises.
const LOOK_S: f64 = 3290.0;
/// What a twin asks for: water twice a second, people five times, and so many bytes a second of each.
const WATER_HZ: f64 = 2.0;
const PEOPLE_HZ: f64 = 5.0;
const BYTES_S: f64 = 400_000.0;
/// The paces that are looked at.
const PACES: [f64; 2] = [1.0, 60.0];
/// How long anything may take to come.
const PATIENCE: Duration = Duration::from_secs(900);

/// The demo campus with its rainstorm, on ground of the wanted size: beyond the terrain its edge goes on.
fn larger(from: &Path, to: &Path) -> Result<PathBuf, AnyError> {
    const DRILL: &str = "drills/rainstorm-50a/drill.toml";
    let to = to.join("campus");
    std::fs::create_dir_all(to.join("drills/rainstorm-50a"))?;
    for file in ["campus.toml", "plan.json", "weather.epw"] {
        std::fs::copy(from.join(file), to.join(file))?;
    }
    let old = geotiff::read(&std::fs::read(from.join("terrain.tif"))?)?;
    let middle = (
        old.origin.0 + old.cols as f64 * old.cell_m.0 / 2.0,
        old.origin.1 - old.rows as f64 * old.cell_m.1 / 2.0,
    );
    // The corner stays a whole number of cells from the old one.
    let shift = |of: f64, cell: f64| ((of - SIDE_M / 2.0) / cell).round() * cell;
    let west = old.origin.0 + shift(middle.0 - old.origin.0, old.cell_m.0);
    let north = old.origin.1 - shift(old.origin.1 - middle.1, old.cell_m.1);
    let (cols, rows) = ((SIDE_M / old.cell_m.0) as usize, (SIDE_M / old.cell_m.1) as usize);
    let nearest = |at: f64, count: usize| (at.max(0.0) as usize).min(count - 1);
    let mut values = Vec::with_capacity(cols * rows);
    for row in 0..rows {
        let j = nearest((old.origin.1 - north) / old.cell_m.1 + row as f64, old.rows);
        for col in 0..cols {
            let i = nearest((west - old.origin.0) / old.cell_m.0 + col as f64, old.cols);
            values.push(old.values.get(j * old.cols + i).copied().unwrap_or_default());
        }
    }
    let grid = Grid { cols, rows, origin: (west, north), values, ..old };
    std::fs::write(to.join("terrain.tif"), geotiff::write(&grid)?)?;
    let drill = std::fs::read_to_string(from.join(DRILL))?;
    let wider = drill.replace("[flood]\n", &format!("[flood]\nmargin_m = {SIDE_M}\n"));
    std::fs::write(to.join(DRILL), wider)?;
    Ok(to)
}

/// When each state of the layers was there, by the hub's own thread.
struct Published {
    times: Arc<Mutex<Vec<(Timestamp, Instant)>>>,
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Published {
    fn watch(hub: &Arc<Hub>, id: &str) -> Self {
        let times = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, ended, hub, id) = (times.clone(), stop.clone(), hub.clone(), id.to_owned());
        let thread = std::thread::spawn(move || {
            let mut last = None;
            while !ended.load(Ordering::Relaxed) {
                let now = hub.layers_time(&id);
                if now != last
                    && let Some(time) = now
                {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push((time, Instant::now()));
                }
                last = now;
                std::thread::sleep(Duration::from_micros(500));
            }
        });
        Self { times, stop, thread }
    }

    fn end(self) -> Vec<(Timestamp, Instant)> {
        self.stop.store(true, Ordering::Relaxed);
        // It has nothing to fail with.
        let _ = self.thread.join();
        std::mem::take(&mut *self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What came of one layer.
#[derive(Default)]
struct Came {
    bytes: u64,
    largest: usize,
    /// How many people walked, summed over frames.
    walking: usize,
    /// The world's time of each frame, and when it was here.
    frames: Vec<(Timestamp, Instant)>,
}

fn join(hub: &Hub, id: &str) -> Result<WebSocket<TcpStream>, AnyError> {
    let stream = TcpStream::connect(hub.api_address())?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    let url = format!("ws://{}/api/v1/ws?world={id}", hub.api_address());
    let (mut socket, _) = tungstenite::client(url, stream)?;
    socket.send(Message::Text(ClientMessage::hello("bench").encode()?.into()))?;
    Ok(socket)
}

fn is_nothing_yet(why: &tungstenite::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(why, tungstenite::Error::Io(why) if matches!(why.kind(), WouldBlock | TimedOut))
}

/// Follows all layers for a while.
fn follow(hub: &Hub, id: &str, seconds: f64) -> Result<(Vec<LayerInfo>, Vec<Came>), AnyError> {
    let mut socket = join(hub, id)?;
    let mut infos: Vec<LayerInfo> = Vec::new();
    let mut came: Vec<Came> = Vec::new();
    let mut before: Vec<Option<LayerState>> = Vec::new();
    let mut began = Instant::now();
    while began.elapsed().as_secs_f64() < seconds {
        match socket.read() {
            Ok(Message::Text(text)) => {
                if let ServerMessage::Layers { layers } = ServerMessage::decode(&text)? {
                    for (i, info) in layers.iter().enumerate() {
                        let is_people = matches!(info.shape, LayerShape::Agents { .. });
                        let subscription = LayerSubscription {
                            id: i as u32,
                            layer: info.id.clone(),
                            max_rate_hz: Some(if is_people { PEOPLE_HZ } else { WATER_HZ }),
                            max_bytes_s: Some(BYTES_S),
                        };
                        let message = ClientMessage::SubscribeLayer(subscription).encode()?;
                        socket.send(Message::Text(message.into()))?;
                    }
                    came = layers.iter().map(|_| Came::default()).collect();
                    before = vec![None; layers.len()];
                    infos = layers;
                    began = Instant::now();
                }
            }
            Ok(Message::Binary(bytes)) if is_layer_frame(&bytes) => {
                let here = Instant::now();
                let head = LayerFrame::head(&bytes)?;
                let layer = head.layer as usize;
                let (Some(came), Some(before)) = (came.get_mut(layer), before.get_mut(layer)) else {
                    continue;
                };
                let frame = LayerFrame::decode(&bytes, before.as_ref())?;
                // The first is whole; what a client costs is what follows.
                if before.is_some() {
                    came.bytes += bytes.len() as u64;
                }
                came.largest = came.largest.max(bytes.len());
                came.frames.push((frame.time, here));
                if let LayerState::Agents(people) = &frame.state {
                    came.walking += people.iter().filter(|one| one.state == AgentState::Walking).count();
                }
                *before = Some(frame.state);
            }
            Ok(_) => {}
            Err(why) if is_nothing_yet(&why) => {}
            Err(why) => return Err(why.into()),
        }
    }
    Ok((infos, came))
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() as f64 - 1.0) * share).round().max(0.0) as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

fn wait_for<T>(mut look: impl FnMut() -> Result<Option<T>, AnyError>) -> Result<T, AnyError> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(found) = look()? {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err("the rehearsal did not come so far in a quarter of an hour".into())
}

/// Runs the rainstorm on larger ground, and follows it as a twin does at each pace.
pub fn run(campus: &Path, seconds: f64) -> Result<Vec<Value>, Failure> {
    in_a_folder(|dir| {
        std::fs::create_dir_all(dir)?;
        let campus = Arc::new(campanile_model::open(&larger(campus, dir)?)?);
        let config =
            HubConfig::new(campus, dir.join("data")).listen(([127, 0, 0, 1], 0).into()).broker(Broker::None);
        let hub = Arc::new(Hub::start(config)?);
        let measured = measure(&hub, seconds);
        if let Ok(hub) = Arc::try_unwrap(hub) {
            hub.stop();
        }
        measured
    })
}

fn measure(hub: &Arc<Hub>, seconds: f64) -> Result<Vec<Value>, AnyError> {
    let client = Client::new(&format!("http://{}", hub.api_address()), &Access::default())?;
    let start = StartRehearsal {
        drill: "rainstorm-50a".to_owned(),
        seed: None,
        from: RehearsalOrigin::Scene,
        at_us: None,
        rate: 0.0,
        decline: Vec::new(),
    };
    let info: RehearsalInfo = client.post("/api/v1/rehearsals", &start)?;
    let id = info.id;
    wait_for(|| {
        let list: Vec<RehearsalInfo> = client.get("/api/v1/rehearsals", &[])?;
        let one = list.into_iter().find(|one| one.id == id).ok_or("the rehearsal has gone")?;
        match one.failed {
            Some(why) => Err(why.into()),
            None => Ok(one.busy.is_none().then_some(())),
        }
    })?;
    let state = || client.get::<RehearsalState>("/api/v1/rehearsals/state", &[("id", id.clone())]);
    let pace = |rate: f64, until_s: Option<f64>| {
        client.tell("/api/v1/rehearsals/pace", &SetPace { id: id.clone(), rate, until_s })
    };
    eprintln!("running to minute {:.0} of the drill", LOOK_S / 60.0);
    let mut figures = Vec::new();
    for rate in PACES {
        // The second pace goes on where the first ended.
        pace(1e9, Some(LOOK_S))?;
        wait_for(|| Ok((state()?.info.now_s >= LOOK_S).then_some(())))?;
        let from_s = state()?.info.now_s;
        let published = Published::watch(hub, &id);
        pace(rate, None)?;
        eprintln!("following at {rate} x for {seconds} s");
        let began = Instant::now();
        let (infos, came) = follow(hub, &id, seconds)?;
        let pace_got = (state()?.info.now_s - from_s) / began.elapsed().as_secs_f64();
        pace(0.0, None)?;
        let published = published.end();
        figures.push(json!({"name": format!("pace_at_{rate}x"), "value": pace_got, "unit": "x", "goal": "", "reference": "of the rehearsal, while it was followed"}));
        for (info, came) in infos.iter().zip(&came) {
            figures.extend(of_layer(info, came, &published, rate, seconds));
        }
    }
    Ok(figures)
}

fn of_layer(
    info: &LayerInfo,
    came: &Came,
    published: &[(Timestamp, Instant)],
    rate: f64,
    seconds: f64,
) -> Vec<Value> {
    let at = |time: Timestamp| published.iter().find(|(t, _)| *t == time).map(|(_, at)| *at);
    let ms = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1e3;
    // The first frame was made before the client was there.
    let here = came.frames.get(1..).unwrap_or_default();
    let mut delays: Vec<f64> = here.iter().filter_map(|(time, here)| Some(ms(at(*time)?, *here))).collect();
    delays.sort_by(f64::total_cmp);
    // What is on a screen is as old as its frame until the next is here.
    let mut ages = Vec::new();
    for pair in here.windows(2) {
        let [(time, from), (_, until)] = pair else { continue };
        let Some(made) = at(*time) else { continue };
        let mut now = *from;
        while now < *until {
            ages.push(ms(made, now));
            now += Duration::from_millis(10);
        }
    }
    ages.sort_by(f64::total_cmp);
    let size = match &info.shape {
        LayerShape::Grid { nx, ny, .. } => format!("{nx} x {ny} cells"),
        LayerShape::Agents { kinds, .. } => format!("{} people", kinds.iter().map(|k| k.count).sum::<u32>()),
        LayerShape::Zones { .. } => "zones".to_owned(),
    };
    let figure = |name: &str, value: f64, unit: &str| json!({"name": format!("{}_{name}_at_{rate}x", info.id), "value": value, "unit": unit, "goal": "", "reference": size});
    let mut figures = vec![
        figure("bytes_per_s", came.bytes as f64 / seconds, "B/s"),
        figure("largest_frame", came.largest as f64, "B"),
        figure("frames_per_s", here.len() as f64 / seconds, "/s"),
        figure("delay_p50_ms", quantile(&delays, 0.5), "ms"),
        figure("delay_p99_ms", quantile(&delays, 0.99), "ms"),
        figure("age_p50_ms", quantile(&ages, 0.5), "ms"),
        figure("age_p99_ms", quantile(&ages, 0.99), "ms"),
    ];
    if let LayerShape::Agents { .. } = &info.shape {
        figures.push(figure("walking", came.walking as f64 / came.frames.len().max(1) as f64, "people"));
    }
    figures
}
