//! The thread of a rehearsal: it keeps the pace, does what people do, and shows clients how it stands.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use campanile_model::{Campus, Intent};
use campanile_plugins::{NoPast, Past};
use campanile_protocol::rehearsal::{BranchOf, RehearsalInfo, RehearsalState};
use campanile_protocol::{RejectReason, ServerMessage};
use campanile_rehearsal::{
    BranchError, Branching, Clock, Deed, DeedError, Drill, KeptSeat, Outcome, Pace, Player, Rehearsal, Site,
    judge, layers,
};
use campanile_world::{Event, Input, Refusal, World};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use tokio::sync::oneshot;

use super::store::{self, Kept, Meta};
use super::{RehearsalsError, busy, words};
use crate::channel::{Channel, Hands};
use crate::clients::PointSet;
use crate::live::AlarmAct;
use crate::people::By;
use crate::plugins::Plugins;
use crate::view::{alarm_info, command_state, view, view_of};

/// Orders that may wait.
const INBOX: usize = 64;
/// Clients are shown at most so many states a second.
const SHOWN: Duration = Duration::from_millis(50);
/// How often a rehearsal that moves is kept.
const KEPT: Duration = Duration::from_secs(20);
/// How long a thread sleeps where nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// What a rehearsal begins from.
pub enum Begin {
    /// From its drill, or from a world.
    New { seed: u64, pace: Pace, world: Option<Box<World>>, declined: Vec<Deed> },
    /// From another rehearsal.
    Branch { of: String, branching: Box<Branching> },
    /// From the disk.
    Kept(Box<Kept>),
}

/// What a rehearsal is asked.
pub enum Order {
    Pace(Pace, Option<f64>),
    Act {
        deed: Deed,
        reply: oneshot::Sender<Result<(), String>>,
    },
    Intend(Box<Intent>, oneshot::Sender<Result<(), Refusal>>),
    Alarm {
        alarm: String,
        by: By,
        act: AlarmAct,
        reply: oneshot::Sender<Result<(), RejectReason>>,
    },
    Branch(Option<f64>, oneshot::Sender<Result<Branching, BranchError>>),
    State(oneshot::Sender<RehearsalState>),
    Frames(f64, oneshot::Sender<Vec<Arc<[u8]>>>),
    Outcome(oneshot::Sender<Box<Outcome>>),
    Save(oneshot::Sender<std::io::Result<()>>),
    /// Keep it, or forget it, and end.
    Stop {
        forget: bool,
    },
}

/// A rehearsal and its thread.
pub struct Running {
    info: Mutex<RehearsalInfo>,
    channel: OnceLock<Arc<Channel>>,
    orders: Sender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Running {
    pub fn start(
        id: String,
        campus: Arc<Campus>,
        plugins: Arc<Plugins>,
        drill: Drill,
        begin: Begin,
        dir: PathBuf,
    ) -> Result<Arc<Self>, RehearsalsError> {
        let (orders, inbox) = crossbeam_channel::bounded(INBOX);
        let running = Arc::new(Self {
            info: Mutex::new(first_info(&id, &drill, &begin)),
            channel: OnceLock::new(),
            orders,
            thread: Mutex::default(),
        });
        let own = running.clone();
        let thread = std::thread::Builder::new().name(format!("rehearsal-{id}")).spawn(move || {
            let opened = open(&own, &campus, &plugins, drill, begin);
            match opened {
                Ok((player, pace, branch_of)) => Run::new(own, player, pace, branch_of, dir).run(&inbox),
                Err(why) => {
                    tracing::error!(why, id, "a rehearsal can't begin");
                    own.change(|info| {
                        info.busy = None;
                        info.failed = Some(why);
                    });
                    wait_for_end(&inbox, &dir);
                }
            }
        })?;
        *running.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(running)
    }

    pub fn info(&self) -> RehearsalInfo {
        self.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut RehearsalInfo)) {
        change(&mut self.info.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn channel(&self) -> Option<Arc<Channel>> {
        self.channel.get().cloned()
    }

    pub fn order(&self, order: Order) -> Result<(), RehearsalsError> {
        if let Some(why) = &self.info().failed {
            return Err(RehearsalsError::Refused(why.clone()));
        }
        self.orders.try_send(order).map_err(|why| match why {
            TrySendError::Full(_) => {
                RehearsalsError::Refused(crate::words::say("busy-rehearsal-orders", &[]))
            }
            TrySendError::Disconnected(_) => RehearsalsError::NotReady,
        })
    }

    pub fn stop(&self, forget: bool) {
        // A thread that has gone needs no telling.
        let _ = self.orders.send(Order::Stop { forget });
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of a rehearsal had panicked");
        }
    }
}

fn first_info(id: &str, drill: &Drill, begin: &Begin) -> RehearsalInfo {
    let (seed, branch_of, what) = match begin {
        Begin::New { seed, .. } => (*seed, None, "opening"),
        Begin::Branch { of, branching } => {
            (branching.seed(), Some(BranchOf { id: of.clone(), at_s: branching.at_s() }), "branching")
        }
        Begin::Kept(kept) => (0, kept.meta.branch_of.clone(), "opening"),
    };
    RehearsalInfo {
        id: id.to_owned(),
        drill: drill.file.id.clone(),
        names: drill.names(),
        seed,
        branch_of,
        now_s: 0.0,
        duration_s: drill.file.duration_min * 60.0,
        time_us: drill.start.0,
        wanted_rate: 0.0,
        rate: 0.0,
        slowed: false,
        over: false,
        busy: busy(what, 0.0),
        failed: None,
        points: [0.0, 0.0],
    }
}

type Opened = (Player, Pace, Option<BranchOf>);

fn open(
    running: &Running,
    campus: &Arc<Campus>,
    plugins: &Plugins,
    drill: Drill,
    begin: Begin,
) -> Result<Opened, String> {
    let text = |why: &dyn std::fmt::Display| why.to_string();
    let site = |drill: Drill| {
        let terrain = crate::terrain(campus).map_err(|why| why.to_string())?;
        let weather = crate::weather(campus).map_err(|why| why.to_string())?;
        Site::build(campus.clone(), drill, terrain.as_ref(), weather)
            .map(Arc::new)
            .map_err(|why| why.to_string())
    };
    match begin {
        Begin::New { seed, pace, world, declined } => {
            let director = plugins.director(&drill.dir).map_err(|why| text(&why))?;
            let site = site(drill)?;
            // What goes on from the living campus has its plugins, as they are now; a scene has none but its drill's.
            let (rehearsal, (mut seats, past)) = match &world {
                None => (Rehearsal::from_scene(site, seed), (Vec::new(), Arc::new(NoPast) as Arc<dyn Past>)),
                Some(world) => (Rehearsal::from_world(site, world, seed), plugins.for_rehearsal()),
            };
            seats.extend(director);
            let mut rehearsal = rehearsal.map_err(|why| text(&why))?.with_seats(seats, past);
            for deed in declined {
                rehearsal.act(deed).map_err(|why| text(&why))?;
            }
            Ok((Player::new(rehearsal), pace, None))
        }
        Begin::Branch { of, branching } => {
            let branch_of = BranchOf { id: of, at_s: branching.at_s() };
            let mut shown = Instant::now();
            let mut progress = |share: f64| {
                if shown.elapsed() > SHOWN {
                    shown = Instant::now();
                    running.change(|info| info.busy = busy("branching", share));
                }
                true
            };
            let rehearsal = branching.run(threads(), &mut progress).map_err(|why| text(&why))?;
            Ok((Player::new(rehearsal), Pace::Paused, Some(branch_of)))
        }
        Begin::Kept(kept) => {
            let dir = drill.dir.clone();
            let mut seat = |of: &KeptSeat| match plugins.director(&dir) {
                Ok(Some(director)) if director.grants().manifest.id == of.plugin => {
                    Some(director.with(of.saved.clone()))
                }
                _ => plugins.kept(of),
            };
            let (_, past) = plugins.for_rehearsal();
            let rehearsal = Rehearsal::restore_with(site(drill)?, &kept.state, past, &mut seat)
                .map_err(|why| text(&why))?;
            let pace = if kept.meta.rate < 0.0 {
                Pace::Most
            } else {
                Pace::of(kept.meta.rate).unwrap_or(Pace::Paused)
            };
            Ok((Player::new(rehearsal), pace, kept.meta.branch_of))
        }
    }
}

/// One that could not begin stays to be looked at until it is ended.
fn wait_for_end(inbox: &Receiver<Order>, dir: &std::path::Path) {
    for order in inbox {
        if let Order::Stop { forget } = order {
            if forget && let Err(why) = store::forget(dir) {
                tracing::error!(%why, "the files of a rehearsal can't be removed");
            }
            return;
        }
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Wishes of people to the thread.
struct ToThread(Sender<Order>);

impl Hands for ToThread {
    fn intend(&self, intent: Box<Intent>, _: By, reply: oneshot::Sender<Result<(), Refusal>>) -> bool {
        self.0.try_send(Order::Intend(intent, reply)).is_ok()
    }

    fn alarm(
        &self,
        alarm: String,
        by: By,
        act: AlarmAct,
        reply: oneshot::Sender<Result<(), RejectReason>>,
    ) -> bool {
        self.0.try_send(Order::Alarm { alarm, by, act, reply }).is_ok()
    }
}

struct Run {
    running: Arc<Running>,
    channel: Arc<Channel>,
    player: Player,
    clock: Clock,
    until_s: Option<f64>,
    branch_of: Option<BranchOf>,
    dir: PathBuf,
    shown: Instant,
    kept: Instant,
    /// Whether something has changed since it was kept.
    moved: bool,
    threads: usize,
}

impl Run {
    fn new(
        running: Arc<Running>,
        player: Player,
        pace: Pace,
        branch_of: Option<BranchOf>,
        dir: PathBuf,
    ) -> Self {
        let mut player = player;
        let rehearsal = player.rehearsal_mut();
        let campus = rehearsal.site().campus.clone();
        let now_s = rehearsal.now_s();
        let first = view(&campus, rehearsal.world_mut());
        let hands = Box::new(ToThread(running.orders.clone()));
        let channel = Channel::new(running.info().id, false, campus, first, 0.0, hands);
        channel.set_layer_infos(layers::infos(rehearsal.site()));
        let channel = Arc::new(channel);
        let clock = Clock::new(pace, Instant::now(), now_s);
        let mut run = Self {
            running,
            channel,
            player,
            clock,
            until_s: None,
            branch_of,
            dir,
            shown: Instant::now(),
            kept: Instant::now(),
            moved: true,
            threads: threads(),
        };
        // There is one channel for the life of a rehearsal. Who reads that it is open can follow it.
        let _ = run.running.channel.set(run.channel.clone());
        run.show();
        run.keep_now();
        run
    }

    fn run(mut self, inbox: &Receiver<Order>) {
        loop {
            let wait = self.wait();
            let order = match inbox.recv_timeout(wait) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            match order {
                Some(Order::Stop { forget }) => {
                    self.end(forget);
                    return;
                }
                Some(order) => self.obey(order),
                None => self.step(),
            }
        }
    }

    /// How long until the next barrier is due.
    fn wait(&mut self) -> Duration {
        if self.player.rehearsal().is_over() {
            return IDLE;
        }
        let next_s = self.player.rehearsal().now_s() + self.player.rehearsal().drill().file.barrier_s;
        self.clock.wait(Instant::now(), next_s).unwrap_or(IDLE)
    }

    fn step(&mut self) {
        if self.player.rehearsal().is_over() || self.clock.pace() == Pace::Paused {
            return;
        }
        match self.player.step(self.threads) {
            Ok(_) => {
                self.moved = true;
                let now_s = self.player.rehearsal().now_s();
                self.clock.passed(Instant::now(), now_s);
                let there = self.until_s.is_some_and(|until| now_s >= until - 1e-9);
                if there || self.player.rehearsal().is_over() {
                    self.until_s = None;
                    self.pace(Pace::Paused);
                    self.keep_now();
                } else if self.shown.elapsed() >= SHOWN {
                    self.show();
                }
                if self.kept.elapsed() >= KEPT {
                    self.keep_now();
                }
            }
            Err(why) => {
                tracing::error!(%why, id = self.channel.world, "a rehearsal can't go on");
                self.pace(Pace::Paused);
                self.running.change(|info| info.failed = Some(why.to_string()));
            }
        }
    }

    fn pace(&mut self, pace: Pace) {
        let now_s = self.player.rehearsal().now_s();
        self.clock.set(pace, Instant::now(), now_s);
        self.show();
    }

    fn obey(&mut self, order: Order) {
        // Who has gone needs no answer.
        match order {
            Order::Pace(pace, until_s) => {
                self.until_s = until_s;
                self.pace(pace);
                self.keep_now();
            }
            Order::Act { deed, reply } => {
                let done = self.player.rehearsal_mut().act(deed);
                self.acted();
                let _ = reply.send(done.map_err(|why| why.to_string()));
            }
            Order::Intend(intent, reply) => {
                let done = self.deed(Input::Intend { intent });
                let _ = reply.send(match done {
                    Ok(()) => Ok(()),
                    Err(DeedError::World(why)) => Err(why),
                    // The world alone refuses an intent.
                    Err(_) => Ok(()),
                });
            }
            Order::Alarm { alarm, by, act, reply } => {
                let world = self.player.rehearsal().world();
                let done = match world.alarm_number(&alarm) {
                    None => Err(RejectReason::NotFound),
                    Some(rule) => {
                        let input = crate::keeper::alarm_input(rule, &by.actor, &act, world.now());
                        self.deed(input).map_err(|_| RejectReason::State)
                    }
                };
                let _ = reply.send(done);
            }
            Order::Branch(at_s, reply) => {
                let at_s = at_s.unwrap_or_else(|| self.player.rehearsal().now_s());
                let _ = reply.send(self.player.branch(at_s));
            }
            Order::State(reply) => {
                let _ = reply.send(words::state(self.player.rehearsal(), self.info()));
            }
            Order::Frames(at_s, reply) => {
                let frames = self.player.frames_at(at_s).map(|(_, frames)| frames.to_vec());
                let _ = reply.send(frames.unwrap_or_default());
            }
            Order::Outcome(reply) => {
                let _ = reply.send(Box::new(Outcome::of(self.player.rehearsal_mut())));
            }
            Order::Save(reply) => {
                let _ = reply.send(self.keep());
            }
            Order::Stop { .. } => {}
        }
    }

    fn deed(&mut self, input: Input) -> Result<(), DeedError> {
        let done = self.player.rehearsal_mut().act(Deed::World { input });
        self.acted();
        done
    }

    /// What people do is kept at once and seen at once.
    fn acted(&mut self) {
        self.moved = true;
        self.show();
        self.keep_now();
    }

    fn info(&self) -> RehearsalInfo {
        let rehearsal = self.player.rehearsal();
        let before = self.running.info();
        let score = judge(rehearsal);
        RehearsalInfo {
            seed: rehearsal.seed(),
            branch_of: self.branch_of.clone(),
            now_s: rehearsal.now_s(),
            time_us: rehearsal.world().now().0,
            wanted_rate: rate(self.clock.pace()),
            rate: self.clock.measured(),
            slowed: self.clock.is_slowed(),
            over: rehearsal.is_over(),
            busy: None,
            points: [score.iter().map(|j| j.points).sum(), score.iter().map(|j| j.of).sum()],
            ..before
        }
    }

    /// Clients see how it stands.
    fn show(&mut self) {
        self.shown = Instant::now();
        let channel = self.channel.clone();
        let rehearsal = self.player.rehearsal_mut();
        for said in rehearsal.take_outcomes() {
            let Some(seat) = rehearsal.seats().get(said.seat) else { continue };
            crate::plugins::shown(&channel, seat.grants(), &said.outcome.effects, said.time);
            let plugin = &seat.grants().manifest.id;
            for line in &said.outcome.log {
                tracing::debug!(rehearsal = channel.world, plugin, text = line.text, "a plugin says");
            }
        }
        let events = rehearsal.take_events();
        let campus = &channel.campus;
        let changed = rehearsal.world_mut().take_dirty();
        let mut next = view_of(campus, rehearsal.world_mut(), &channel.view(), !events.is_empty());
        next.time = rehearsal.world().now();
        channel.view.store(Arc::new(next));
        if !changed.is_empty() {
            let mut set = PointSet::empty(campus.points.len());
            changed.into_iter().for_each(|point| set.insert(point));
            channel.clients.mark(&set);
        }
        for event in &events {
            let message = match event {
                Event::Command { point, .. } | Event::Confirmation { point, .. } => {
                    command_state(campus, rehearsal.world(), *point).map(ServerMessage::CommandState)
                }
                Event::Alarm { rule, .. } => alarm_info(campus, rehearsal.world(), *rule)
                    .map(|alarm| ServerMessage::AlarmChanged { alarm: Box::new(alarm) }),
                _ => None,
            };
            // Nobody listening is no error.
            message.into_iter().for_each(|message| drop(channel.events.send(message)));
        }
        channel.set_layer_states(rehearsal.world().now(), layers::states(rehearsal));
        channel.set_rate(self.clock.measured());
        let info = self.info();
        self.running.change(|shared| *shared = RehearsalInfo { failed: shared.failed.take(), ..info });
    }

    fn keep(&mut self) -> std::io::Result<()> {
        self.kept = Instant::now();
        let state = self.player.rehearsal().save().map_err(std::io::Error::other)?;
        let meta = Meta {
            drill: self.player.rehearsal().drill().file.id.clone(),
            branch_of: self.branch_of.clone(),
            rate: rate(self.clock.pace()),
        };
        store::keep(&self.dir, &meta, &state)?;
        self.moved = false;
        Ok(())
    }

    fn keep_now(&mut self) {
        if let Err(why) = self.keep() {
            tracing::error!(%why, id = self.channel.world, "a rehearsal can't be kept; it goes on all the same");
        }
    }

    fn end(&mut self, forget: bool) {
        if forget {
            if let Err(why) = store::forget(&self.dir) {
                tracing::error!(%why, "the files of a rehearsal can't be removed");
            }
        } else if self.moved {
            self.keep_now();
        }
    }
}

fn rate(pace: Pace) -> f64 {
    match pace {
        Pace::Paused => 0.0,
        Pace::Rate(rate) => rate,
        Pace::Most => -1.0,
    }
}
