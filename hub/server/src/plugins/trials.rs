//! Proposals of activities, tried on device models: the days with the changes beside the days without.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use campanile_plugins::{Call, Proposal, TrialOutcome};
use campanile_rehearsal::{Trial, TrialError};
use crossbeam_channel::{Receiver, Sender};
use std::sync::{Mutex, PoisonError};

use super::crew::Crew;
use crate::live::Live;

/// The seed of trials: all have the same weather and the same people, so that proposals can be compared.
const SEED: u64 = 1;

/// The thread that tries one proposal after another.
pub struct Trials {
    ask: Sender<(Arc<str>, Proposal)>,
    over: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Trials {
    /// Begins to try what comes by `asked`.
    pub fn start(
        live: Arc<Live>,
        crew: Arc<Crew>,
        asked: Receiver<(Arc<str>, Proposal)>,
    ) -> std::io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let (ask, more) = crossbeam_channel::bounded::<(Arc<str>, Proposal)>(super::MOST_PLUGINS);
        let stopping = over.clone();
        let thread = std::thread::Builder::new().name("trials".to_owned()).spawn(move || {
            super::crew::give_way();
            let soon = Duration::from_millis(200);
            while !stopping.load(Ordering::Acquire) {
                let next = crossbeam_channel::select! {
                    recv(asked) -> proposal => proposal.ok(),
                    recv(more) -> proposal => proposal.ok(),
                    default(soon) => continue,
                };
                let Some((plugin, proposal)) = next else {
                    std::thread::sleep(soon);
                    continue;
                };
                if let Some(outcome) = run(&live, &proposal, &stopping) {
                    // One that was removed meanwhile does not want to know.
                    crew.tell(&plugin, Call::Trial(outcome));
                }
            }
        })?;
        Ok(Self { ask, over, thread: Mutex::new(Some(thread)) })
    }

    /// Tries a proposal that was open when the hub stopped.
    pub fn ask(&self, plugin: &str, proposal: Proposal) {
        // There are no more than plugins.
        let _ = self.ask.try_send((plugin.into(), proposal));
    }

    /// Breaks off what is tried now; it is tried again at the next start.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of trials had panicked");
        }
    }
}

/// What a proposal comes to; nothing where it was broken off.
fn run(live: &Live, proposal: &Proposal, over: &AtomicBool) -> Option<TrialOutcome> {
    let failed = |why: String| TrialOutcome {
        id: proposal.id.to_string(),
        energy_kwh: (0.0, 0.0),
        comfort_share: (0.0, 0.0),
        failed: Some(why),
    };
    let weather = match crate::weather(&live.campus) {
        Ok(weather) => weather,
        Err(why) => return Some(failed(why.to_string())),
    };
    let trial = Trial {
        campus: live.campus.clone(),
        weather,
        start: live.view().time,
        days: proposal.days,
        seed: SEED,
        changes: proposal.changes.clone(),
    };
    match trial.run(&mut |_| !over.load(Ordering::Acquire)) {
        Ok(found) => Some(TrialOutcome {
            id: proposal.id.to_string(),
            energy_kwh: (found.with.energy_kwh, found.without.energy_kwh),
            comfort_share: (found.with.comfort_share, found.without.comfort_share),
            failed: None,
        }),
        Err(TrialError::Cancelled) => None,
        Err(why) => Some(failed(why.to_string())),
    }
}
