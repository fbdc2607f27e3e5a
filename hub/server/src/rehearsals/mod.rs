//! The rehearsals of a hub: each a world of its own in a thread of its own, kept on the disk so that it goes on after a
//! restart. None has a way to the field: their commands end in their device models.

mod endpoints;
mod run;
mod store;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use campanile_model::{Campus, Timestamp};
use campanile_protocol::rehearsal::{
    ActRequest, Busy, DecideRequest, DrillInfo, RehearsalInfo, RehearsalOrigin, RehearsalState, SetPace,
    StartRehearsal,
};
use campanile_rehearsal::{Deed, Drill, Outcome, Pace, PanelDeed, ReportLang};
use campanile_world::World;
use tokio::sync::oneshot;

use crate::channel::Channel;
use crate::people::By;
use crate::plugins::Plugins;
use crate::words::{Arg, say};
use run::{Order, Running};

pub use endpoints::router;

/// Rehearsals at once: each holds its past in memory.
const MOST: usize = 8;

/// Why a rehearsal does not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearsalsError {
    /// There is none.
    #[error("there is no rehearsal '{0}'; GET /api/v1/rehearsals lists them")]
    NotFound(String),
    /// There is no such drill.
    #[error(
        "the campus has no drill '{0}'; GET /api/v1/drills lists them, each a folder under the campus' drills/"
    )]
    NoDrill(String),
    /// The drill can't be used.
    #[error("the drill can't be rehearsed: {0}")]
    Drill(String),
    /// There are too many.
    #[error("{MOST} rehearsals are the most at once: end one first")]
    TooMany,
    /// What was asked for is out of range.
    #[error("{0}")]
    Asked(String),
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// It is not yet open, or it has failed.
    #[error("the rehearsal is busy opening, or has failed: GET /api/v1/rehearsals says which")]
    NotReady,
    /// The store.
    #[error("the rehearsal can't be kept: {0}")]
    Io(#[from] std::io::Error),
}

impl RehearsalsError {
    /// What is said to people, in their language.
    pub(super) fn said(&self) -> String {
        match self {
            Self::NotFound(id) => say("not-found-rehearsal", &[("id", id)]),
            Self::NoDrill(id) => say("not-found-drill", &[("id", id)]),
            Self::Drill(why) => say("conflict-drill", &[("why", why)]),
            Self::TooMany => say("too-many-rehearsals", &[("most", &MOST)]),
            Self::NotReady => say("busy-rehearsal", &[]),
            Self::Asked(why) | Self::Refused(why) => why.clone(),
            Self::Io(_) => say("internal", &[]),
        }
    }
}

/// How a live world is forked: as it is now, or as it was at a moment. `None` where it is not ready, or has not come to that
/// moment.
pub type Fork = Box<dyn Fn(Option<Timestamp>) -> Option<World> + Send + Sync>;

/// All rehearsals of a hub.
pub struct Rehearsals {
    campus: Arc<Campus>,
    dir: PathBuf,
    fork: Fork,
    plugins: Arc<Plugins>,
    list: Mutex<BTreeMap<String, Arc<Running>>>,
}

impl Rehearsals {
    /// Takes up the rehearsals that are kept in a folder: each goes on where it was kept last.
    pub fn open(campus: Arc<Campus>, dir: PathBuf, fork: Fork, plugins: Arc<Plugins>) -> Self {
        let rehearsals = Self { campus, dir, fork, plugins, list: Mutex::default() };
        for kept in store::list(&rehearsals.dir) {
            let id = kept.id.clone();
            match rehearsals.resume(kept) {
                Ok(()) => tracing::info!(id, "a rehearsal goes on"),
                Err(why) => {
                    tracing::error!(%why, id, "a rehearsal can't go on; its files stay where they are")
                }
            }
        }
        rehearsals
    }

    fn resume(&self, kept: store::Kept) -> Result<(), RehearsalsError> {
        let drill = self.drill(&kept.drill)?;
        let id = kept.id.clone();
        self.start(id, drill, run::Begin::Kept(Box::new(kept)))
    }

    fn start(&self, id: String, drill: Drill, begin: run::Begin) -> Result<(), RehearsalsError> {
        let (campus, plugins) = (self.campus.clone(), self.plugins.clone());
        let running = Running::start(id.clone(), campus, plugins, drill, begin, self.dir.join(&id))?;
        self.list.lock().unwrap_or_else(PoisonError::into_inner).insert(id, running);
        Ok(())
    }

    /// The drills of the campus. What is wrong with one is said in its place.
    pub fn drills(&self) -> Vec<DrillInfo> {
        let dirs = campanile_rehearsal::drills_of(&self.campus.root_dir);
        let info = |dir: PathBuf| match Drill::open(&dir, &self.campus) {
            Ok(drill) => words::drill_info(&drill),
            Err(problems) => words::broken_drill(&dir, &problems),
        };
        dirs.into_iter().map(info).collect()
    }

    fn drill(&self, id: &str) -> Result<Drill, RehearsalsError> {
        let dirs = campanile_rehearsal::drills_of(&self.campus.root_dir);
        let mut broken = None;
        for dir in dirs {
            match Drill::open(&dir, &self.campus) {
                Ok(drill) if drill.file.id == id => return Ok(drill),
                Err(problems) if dir.ends_with(id) => broken = Some(problems),
                _ => {}
            }
        }
        match broken {
            Some(problems) => Err(RehearsalsError::Drill(problems.to_string())),
            None => Err(RehearsalsError::NoDrill(id.to_owned())),
        }
    }

    /// Every rehearsal.
    pub fn list(&self) -> Vec<RehearsalInfo> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.values().map(|running| running.info()).collect()
    }

    fn get(&self, id: &str) -> Result<Arc<Running>, RehearsalsError> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.get(id).cloned().ok_or_else(|| RehearsalsError::NotFound(id.to_owned()))
    }

    /// What a client follows of a rehearsal.
    pub fn channel(&self, id: &str) -> Option<Arc<Channel>> {
        self.get(id).ok()?.channel()
    }

    fn new_id(&self, drill: &str) -> Result<String, RehearsalsError> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= MOST {
            return Err(RehearsalsError::TooMany);
        }
        let taken = |n: &u32| {
            let id = format!("{drill}-{n}");
            !list.contains_key(&id) && !self.dir.join(id).exists()
        };
        let n = (1..).find(taken).unwrap_or(u32::MAX);
        Ok(format!("{drill}-{n}"))
    }

    /// Begins a rehearsal; it opens in its own thread.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub fn begin(&self, by: &By, request: &StartRehearsal) -> Result<RehearsalInfo, RehearsalsError> {
        let pace = pace(request.rate)?;
        let drill = self.drill(&request.drill)?;
        if let Some(unknown) = request.decline.iter().find(|id| drill.action(id).is_none()) {
            let known: Vec<&str> = drill.file.action.iter().map(|a| a.id.as_str()).collect();
            let args: [Arg<'_>; 2] = [("action", unknown), ("known", &known.join(", "))];
            return Err(RehearsalsError::Asked(say("malformed-action", &args)));
        }
        let declined = request.decline.iter();
        let declined =
            declined.map(|id| Deed::Decline { action: id.clone(), name: by.actor.clone() }).collect();
        let id = self.new_id(&drill.file.id)?;
        if request.at_us.is_some() && request.from != RehearsalOrigin::Past {
            return Err(RehearsalsError::Asked(say("malformed-past", &[])));
        }
        let seed = request.seed.unwrap_or(drill.file.seed);
        let world = match request.from {
            RehearsalOrigin::Scene => None,
            RehearsalOrigin::Live => Some(Box::new((self.fork)(None).ok_or(RehearsalsError::NotReady)?)),
            RehearsalOrigin::Past => {
                let at = request.at_us.filter(|at_us| *at_us > 0).map(Timestamp);
                let world = at.and_then(|at| (self.fork)(Some(at)));
                Some(Box::new(world.ok_or_else(|| RehearsalsError::Asked(say("malformed-past", &[])))?))
            }
        };
        self.start(id.clone(), drill, run::Begin::New { seed, pace, world, declined })?;
        Ok(self.get(&id)?.info())
    }

    /// Sets the pace.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub fn set_pace(&self, request: &SetPace) -> Result<(), RehearsalsError> {
        let pace = pace(request.rate)?;
        if request.until_s.is_some_and(|s| !(s.is_finite() && s >= 0.0)) {
            return Err(RehearsalsError::Asked(say("malformed-until", &[])));
        }
        self.get(&request.id)?.order(Order::Pace(pace, request.until_s))
    }

    /// Begins an action of a drill.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub async fn act(&self, by: &By, request: &ActRequest) -> Result<(), RehearsalsError> {
        let (action, name) = (request.action.clone(), by.actor.clone());
        let deed = if request.decline { Deed::Decline { action, name } } else { Deed::Act { action, name } };
        self.do_deed(&request.id, deed).await
    }

    /// Uses a panel of a plugin in a rehearsal; it was held against what is shown there.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub async fn use_panel(&self, id: &str, plugin: &str, used: PanelDeed) -> Result<(), RehearsalsError> {
        self.do_deed(id, Deed::Panel { plugin: plugin.to_owned(), used }).await
    }

    /// Decides a question of a director.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub async fn decide(&self, by: &By, request: &DecideRequest) -> Result<(), RehearsalsError> {
        let DecideRequest { id, question, answer } = request;
        let deed = Deed::Decide { question: question.clone(), answer: *answer, name: by.actor.clone() };
        self.do_deed(id, deed).await
    }

    async fn do_deed(&self, id: &str, deed: Deed) -> Result<(), RehearsalsError> {
        let (reply, answer) = oneshot::channel();
        self.get(id)?.order(Order::Act { deed, reply })?;
        match answer.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(RehearsalsError::Refused(why)),
            Err(_) => Err(RehearsalsError::NotReady),
        }
    }

    /// A rehearsal of its own that is as another was at a moment; it opens in its own thread.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub async fn branch(&self, id: &str, at_s: Option<f64>) -> Result<RehearsalInfo, RehearsalsError> {
        if at_s.is_some_and(|s| !(s.is_finite() && s >= 0.0)) {
            return Err(RehearsalsError::Asked(say("malformed-at", &[])));
        }
        let from = self.get(id)?;
        let (reply, answer) = oneshot::channel();
        from.order(Order::Branch(at_s, reply))?;
        let branching = match answer.await {
            Ok(Ok(branching)) => branching,
            Ok(Err(why)) => return Err(RehearsalsError::Refused(why.to_string())),
            Err(_) => return Err(RehearsalsError::NotReady),
        };
        let drill = self.drill(&from.info().drill)?;
        let new = self.new_id(&drill.file.id)?;
        self.start(
            new.clone(),
            drill,
            run::Begin::Branch { of: id.to_owned(), branching: Box::new(branching) },
        )?;
        Ok(self.get(&new)?.info())
    }

    /// How a rehearsal stands.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub async fn state(&self, id: &str) -> Result<RehearsalState, RehearsalsError> {
        let (reply, answer) = oneshot::channel();
        self.get(id)?.order(Order::State(reply))?;
        answer.await.map_err(|_| RehearsalsError::NotReady)
    }

    /// Whole frames of the layers as they were at a moment.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub async fn frames(&self, id: &str, at_s: f64) -> Result<Vec<Arc<[u8]>>, RehearsalsError> {
        let (reply, answer) = oneshot::channel();
        self.get(id)?.order(Order::Frames(at_s, reply))?;
        answer.await.map_err(|_| RehearsalsError::NotReady)
    }

    async fn outcome(&self, id: &str) -> Result<Outcome, RehearsalsError> {
        let (reply, answer) = oneshot::channel();
        self.get(id)?.order(Order::Outcome(reply))?;
        answer.await.map(|outcome| *outcome).map_err(|_| RehearsalsError::NotReady)
    }

    /// The report of a rehearsal so far, or of two compared, as an HTML page.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub async fn report(
        &self,
        id: &str,
        with: Option<&str>,
        lang: ReportLang,
    ) -> Result<String, RehearsalsError> {
        let one = self.outcome(id).await?;
        match with {
            None => Ok(campanile_rehearsal::report(&one, lang)),
            Some(other) => Ok(campanile_rehearsal::comparison(&one, &self.outcome(other).await?, lang)),
        }
    }

    /// Keeps a rehearsal on the disk now.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub async fn save(&self, id: &str) -> Result<(), RehearsalsError> {
        let (reply, answer) = oneshot::channel();
        self.get(id)?.order(Order::Save(reply))?;
        match answer.await {
            Ok(kept) => Ok(kept?),
            Err(_) => Err(RehearsalsError::NotReady),
        }
    }

    /// Ends a rehearsal and forgets it.
    ///
    /// # Errors
    /// [`RehearsalsError`].
    pub fn end(&self, id: &str) -> Result<(), RehearsalsError> {
        let running = self.get(id)?;
        running.stop(true);
        self.list.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(())
    }

    /// Keeps all and stops their threads.
    pub fn stop(&self) {
        let list = std::mem::take(&mut *self.list.lock().unwrap_or_else(PoisonError::into_inner));
        for running in list.values() {
            running.stop(false);
        }
    }
}

fn pace(rate: f64) -> Result<Pace, RehearsalsError> {
    Pace::of(rate).ok_or_else(|| RehearsalsError::Asked(say("malformed-pace", &[])))
}

/// What a thread is busy with, for people.
fn busy(what: &str, share: f64) -> Option<Busy> {
    Some(Busy { what: what.to_owned(), share })
}
