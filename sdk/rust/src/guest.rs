use std::{any::Any, cell::RefCell, marker::PhantomData, panic};

use crate::{
    AlarmChange, Failure, Result, Sample, Settings, Time,
    bindings::campanile::plugin::types::Batch,
    bindings::exports::campanile::plugin::handler, log,
    panels::Event,
};

/// What a plugin of any world is. Every handler but `start` does nothing unless it is written.
pub trait Plugin: Sized + 'static {
    /// Makes the plugin, before anything else in each new instance. Nothing that it does to the campus here is taken:
    /// instances come and go, many in an hour perhaps. Reading is fine, so look up points and keep their handles.
    fn start(settings: &Settings) -> Result<Self>;

    /// New values of the points of `subscribe.points`, oldest first, at most 10,000.
    fn on_samples(&mut self, samples: &[Sample]) -> Result {
        let _ = samples;
        Ok(())
    }

    /// Every `subscribe.tick_s` seconds of the world; `now` in microseconds since 1970 UTC.
    fn on_tick(&mut self, now: Time) -> Result {
        let _ = now;
        Ok(())
    }

    /// Alarms of the entities of `subscribe.alarms` have changed.
    fn on_alarms(&mut self, changes: &[AlarmChange]) -> Result {
        let _ = changes;
        Ok(())
    }

    /// Somebody used one of the plugin's panels.
    fn on_panel(&mut self, event: &Event) -> Result {
        let _ = event;
        Ok(())
    }
}

/// What an activity hears beside.
#[cfg(feature = "activity")]
pub trait Activity: Plugin {
    /// What became of a proposal.
    fn on_outcome(&mut self, outcome: &crate::activities::Outcome) -> Result {
        let _ = outcome;
        Ok(())
    }
}

/// What the director of a drill hears beside.
#[cfg(feature = "drill")]
pub trait Drill: Plugin {
    /// What trainees decided.
    fn on_decision(&mut self, decision: &crate::drills::Decision) -> Result {
        let _ = decision;
        Ok(())
    }
}

thread_local! {
    // One plugin a component; the host never enters it twice at once.
    static PLUGIN: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// What the hub calls, over a [`Plugin`]. Used by the export macros.
pub struct Component<P>(PhantomData<P>);

fn with<P: Plugin>(handle: impl FnOnce(&mut P) -> Result) -> Result<(), String> {
    PLUGIN.with_borrow_mut(|plugin| match plugin.as_mut().and_then(|plugin| plugin.downcast_mut()) {
        Some(plugin) => handle(plugin).map_err(Failure::into_message),
        None => Err("called before it was started".into()),
    })
}

/// A panic ends as a trap, which has no words: they are logged before.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("(no message)");
        let message = match panic.location() {
            Some(place) => format!("panicked at {place}: {message}"),
            None => format!("panicked: {message}"),
        };
        log::write(log::Level::Error, &message);
    }));
}

impl<P: Plugin> handler::Guest for Component<P> {
    fn start(settings: Vec<(String, String)>) -> Result<(), String> {
        log_panics();
        let plugin = P::start(&settings.into()).map_err(Failure::into_message)?;
        PLUGIN.set(Some(Box::new(plugin)));
        Ok(())
    }

    fn on_samples(samples: Batch) -> Result<(), String> {
        let samples = samples.into_samples();
        with(|plugin: &mut P| plugin.on_samples(&samples))
    }

    fn on_tick(now: Time) -> Result<(), String> {
        with(|plugin: &mut P| plugin.on_tick(now))
    }

    fn on_alarms(changes: Vec<AlarmChange>) -> Result<(), String> {
        with(|plugin: &mut P| plugin.on_alarms(&changes))
    }

    fn on_panel(event: Event) -> Result<(), String> {
        with(|plugin: &mut P| plugin.on_panel(&event))
    }
}

#[cfg(feature = "activity")]
impl<P: Activity> crate::bindings::learning::exports::campanile::plugin::learning::Guest for Component<P> {
    fn on_outcome(outcome: crate::activities::Outcome) -> Result<(), String> {
        with(|plugin: &mut P| plugin.on_outcome(&outcome))
    }
}

#[cfg(feature = "drill")]
impl<P: Drill> crate::bindings::directing::exports::campanile::plugin::directing::Guest for Component<P> {
    fn on_decision(decision: crate::drills::Decision) -> Result<(), String> {
        with(|plugin: &mut P| plugin.on_decision(&decision))
    }
}

/// Makes a [`Plugin`] the rule that a component is. Once in a crate of `crate-type = ["cdylib"]`.
///
/// ```
/// use campanile_plugin::{Plugin, Result, Settings};
///
/// struct Quiet;
/// impl Plugin for Quiet {
///     fn start(_: &Settings) -> Result<Self> {
///         Ok(Self)
///     }
/// }
/// campanile_plugin::export_rule!(Quiet);
/// # fn main() {}
/// ```
#[cfg(feature = "rule")]
#[macro_export]
macro_rules! export_rule {
    ($plugin:ty) => {
        // Only a component has exports; the tests of a plugin run on the machine itself.
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Component = $crate::Component<$plugin>;
    $crate::bindings::export_handler!(Component with_types_in $crate::bindings);
        };
    };
}

/// Makes a [`Plugin`] that is an [`Activity`] the activity that a component is.
///
/// ```
/// use campanile_plugin::{Activity, Plugin, Result, Settings};
///
/// struct Quiet;
/// impl Plugin for Quiet {
///     fn start(_: &Settings) -> Result<Self> {
///         Ok(Self)
///     }
/// }
/// impl Activity for Quiet {}
/// campanile_plugin::export_activity!(Quiet);
/// # fn main() {}
/// ```
#[cfg(feature = "activity")]
#[macro_export]
macro_rules! export_activity {
    ($plugin:ty) => {
        // Only a component has exports; the tests of a plugin run on the machine itself.
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Component = $crate::Component<$plugin>;
    $crate::bindings::export_handler!(Component with_types_in $crate::bindings);
    $crate::bindings::learning::export_learning!(Component with_types_in $crate::bindings::learning);
        };
    };
}

/// Makes a [`Plugin`] that is a [`Drill`] the director that a component is.
///
/// ```
/// use campanile_plugin::{Drill, Plugin, Result, Settings};
///
/// struct Quiet;
/// impl Plugin for Quiet {
///     fn start(_: &Settings) -> Result<Self> {
///         Ok(Self)
///     }
/// }
/// impl Drill for Quiet {}
/// campanile_plugin::export_drill!(Quiet);
/// # fn main() {}
/// ```
#[cfg(feature = "drill")]
#[macro_export]
macro_rules! export_drill {
    ($plugin:ty) => {
        // Only a component has exports; the tests of a plugin run on the machine itself.
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Component = $crate::Component<$plugin>;
            $crate::bindings::export_handler!(Component with_types_in $crate::bindings);
            $crate::bindings::directing::export_directing!(Component with_types_in $crate::bindings::directing);
        };
    };
}
