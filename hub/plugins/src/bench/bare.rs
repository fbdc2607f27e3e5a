//! The same component without a host: functions that do nothing, no checks, no memory.

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Result, Store};

use crate::bindings::rule::Rule;
use crate::bindings::types::{self, Denial, Words};
use crate::bindings::{alarms, clock, commands, history, log, networks, panels, points, records, store};
use crate::runtime::{Compiled, ComponentError, engine_error};

/// An instance.
pub(super) struct Bare {
    store: Store<Nothing>,
    guest: Rule,
}

impl Bare {
    /// A started instance of a component.
    pub(super) fn new(
        engine: &Engine,
        compiled: &Compiled,
        settings: &[(String, String)],
    ) -> Result<Self, ComponentError> {
        let mut linker = Linker::new(engine);
        Rule::add_to_linker::<_, HasSelf<Nothing>>(&mut linker, |state| state).map_err(engine_error)?;
        let mut store = Store::new(engine, Nothing);
        store.set_epoch_deadline(u64::MAX / 2);
        store.set_fuel(u64::MAX).map_err(engine_error)?;
        let guest = Rule::instantiate(&mut store, compiled.component(), &linker).map_err(engine_error)?;
        let started = guest.campanile_plugin_handler().call_start(&mut store, settings);
        started.map_err(engine_error)?.map_err(ComponentError::Engine)?;
        Ok(Self { store, guest })
    }

    pub(super) fn call(&mut self, samples: &types::Batch) -> Result<(), ComponentError> {
        let answer = self.guest.campanile_plugin_handler().call_on_samples(&mut self.store, samples);
        answer.map_err(engine_error)?.map_err(ComponentError::Engine)
    }
}

struct Nothing;

type Answer<T> = Result<std::result::Result<T, Denial>>;

fn nothing<T>() -> Answer<T> {
    Ok(Err(Denial::UnknownPoint))
}

impl types::Host for Nothing {}

impl clock::Host for Nothing {
    fn now(&mut self) -> Result<i64> {
        Ok(0)
    }

    fn local(&mut self, _: i64) -> Result<clock::LocalTime> {
        Ok(clock::LocalTime {
            year: 1970,
            month: 1,
            day: 1,
            weekday: 4,
            hour: 0,
            minute: 0,
            second: 0,
            offset_s: 0,
        })
    }
}

impl log::Host for Nothing {
    fn write(&mut self, _: log::Level, _: String) -> Result<()> {
        Ok(())
    }
}

impl points::Host for Nothing {
    fn find(&mut self, _: String) -> Answer<Vec<points::Info>> {
        nothing()
    }

    fn by_path(&mut self, _: String) -> Answer<points::Info> {
        nothing()
    }

    fn read(&mut self, _: Vec<u32>) -> Answer<Vec<Option<types::Sample>>> {
        nothing()
    }

    fn publish(&mut self, _: Vec<points::Derived>) -> Answer<()> {
        nothing()
    }
}

impl networks::Host for Nothing {
    fn nodes(&mut self, _: networks::NetworkKind) -> Answer<Vec<networks::Node>> {
        nothing()
    }
}

impl history::Host for Nothing {
    fn range(&mut self, _: u32, _: i64, _: i64, _: u32) -> Answer<Vec<types::Sample>> {
        nothing()
    }

    fn buckets(&mut self, _: u32, _: i64, _: i64, _: f64) -> Answer<Vec<history::Bucket>> {
        nothing()
    }
}

impl commands::Host for Nothing {
    /// All are taken, as the host takes them: the plugin is to do the same work with the answers.
    fn write(&mut self, commands: Vec<commands::Command>) -> Result<Vec<std::result::Result<(), Denial>>> {
        Ok(commands.iter().map(|_| Ok(())).collect())
    }

    fn relinquish(&mut self, _: Vec<u32>) -> Answer<()> {
        nothing()
    }

    fn holds(&mut self, _: u32) -> Answer<Option<commands::Holding>> {
        nothing()
    }
}

impl alarms::Host for Nothing {
    fn raise(&mut self, _: String, _: String, _: Words) -> Answer<()> {
        nothing()
    }

    fn clear(&mut self, _: String, _: String) -> Answer<()> {
        nothing()
    }
}

impl records::Host for Nothing {
    fn append(&mut self, _: String, _: String) -> Answer<()> {
        nothing()
    }

    fn newest(&mut self, _: String, _: u32) -> Answer<Vec<records::Kept>> {
        nothing()
    }
}

impl store::Host for Nothing {
    fn get(&mut self, _: String) -> Answer<Option<Vec<u8>>> {
        nothing()
    }

    fn set(&mut self, _: String, _: Vec<u8>) -> Answer<()> {
        nothing()
    }

    fn delete(&mut self, _: String) -> Answer<()> {
        nothing()
    }

    fn keys(&mut self, _: String) -> Answer<Vec<String>> {
        nothing()
    }
}

impl panels::Host for Nothing {
    fn show(&mut self, _: String, _: Vec<panels::Node>) -> Answer<()> {
        nothing()
    }

    fn show_to(&mut self, _: String, _: String, _: Vec<panels::Node>) -> Answer<()> {
        nothing()
    }
}
