use std::collections::BTreeSet;

use campanile_plugin::{
    AlarmChange, Failure, Plugin, Result, Sample, Settings, Time,
    log::{self, Level},
    panels::Event,
};
use rhai::{AST, CallFnOptions, Dynamic, Engine, Map, Module, OptimizationLevel, Scope, Token};

use crate::{capabilities, check, fault::Fault, samples::Samples, values};

/// The text of the script, and the name of its file: settings that the hub gives.
const TEXT: &str = "script";
const FILE: &str = "script-file";

/// Work in a call, in steps of the interpreter. It ends a script that never ends with its line, before the hub ends it
/// without; in the hub's measure it is about half of what `limits` of a manifest give by default.
const OPERATIONS: u64 = 1_000_000;
/// Functions that call each other; each takes about 4 KiB of the stack that a guest has.
const CALL_LEVELS: usize = 40;
/// Depth of an expression, in the script and in a function.
const EXPR_DEPTHS: (usize, usize) = (64, 64);
/// Bytes of a text, entries of an array (the hub gives lists of 10,000) and of a map.
const STRING_BYTES: usize = 256 << 10;
const ARRAY_ENTRIES: usize = 20_000;
const MAP_ENTRIES: usize = 10_000;

/// A script in its instance.
pub struct Script {
    engine: Engine,
    ast: AST,
    file: String,
    /// Those that it has.
    handlers: BTreeSet<&'static str>,
    /// What functions know as `this`.
    this: Dynamic,
}

impl Plugin for Script {
    fn start(settings: &Settings) -> Result<Self> {
        let file = settings.get(FILE).unwrap_or("script").to_owned();
        let text = settings.get(TEXT).ok_or("the hub gave no script (setting `script`)")?;
        let told = |fault: Fault| Failure::from(fault.told(&file));
        let (engine, ast) = compile(text).map_err(told)?;
        let handlers = check::functions(&engine, &ast, text).map_err(told)?;
        let mut script = Self { engine, ast, file: file.clone(), handlers, this: Map::new().into() };
        let own = settings.iter().filter(|(name, _)| ![TEXT, FILE].contains(name));
        let own: Map = own.map(|(name, text)| (name.into(), text.into())).collect();
        script.run("start", own.into()).map_err(told)?;
        Ok(script)
    }

    fn on_samples(&mut self, samples: &[Sample]) -> Result {
        self.call("on_samples", || Dynamic::from(Samples::from(samples)))
    }

    fn on_tick(&mut self, now: Time) -> Result {
        self.call("on_tick", || now.into())
    }

    fn on_alarms(&mut self, changes: &[AlarmChange]) -> Result {
        self.call("on_alarms", || changes.iter().map(values::alarm_change).collect::<Vec<_>>().into())
    }

    fn on_panel(&mut self, event: &Event) -> Result {
        self.call("on_panel", || values::panel_event(event))
    }
}

#[cfg(feature = "activity")]
impl campanile_plugin::Activity for Script {
    fn on_outcome(&mut self, outcome: &campanile_plugin::activities::Outcome) -> Result {
        self.call("on_outcome", || values::outcome(outcome))
    }
}

#[cfg(feature = "drill")]
impl campanile_plugin::Drill for Script {
    fn on_decision(&mut self, decision: &campanile_plugin::drills::Decision) -> Result {
        self.call("on_decision", || values::decision(decision))
    }
}

impl Script {
    /// Calls a handler, where the script has it.
    fn call(&mut self, handler: &str, given: impl FnOnce() -> Dynamic) -> Result {
        // What it does not hear is not made ready either.
        if !self.handlers.contains(handler) {
            return Ok(());
        }
        match self.run(handler, given()) {
            Ok(()) => Ok(()),
            Err(fault) if fault.is_thrown() => Err(Failure::from(fault.told(&self.file))),
            Err(fault) => {
                log::write(Level::Error, &fault.told(&self.file));
                // As a panic: nothing of the call has happened.
                std::process::abort()
            }
        }
    }

    fn run(&mut self, function: &str, given: Dynamic) -> Result<(), Fault> {
        if !self.handlers.contains(function) {
            return Ok(());
        }
        let options = CallFnOptions::new().eval_ast(false).bind_this_ptr(&mut self.this);
        let scope = &mut Scope::new();
        let _: Dynamic = self.engine.call_fn_with_options(options, scope, &self.ast, function, (given,))?;
        Ok(())
    }
}

/// The engine with the script's constants, and the script.
fn compile(text: &str) -> Result<(Engine, AST), Fault> {
    let mut engine = engine();
    // Its top is run once; the constants there are what functions see. Only then is it known whether a name is one.
    engine.set_optimization_level(OptimizationLevel::None);
    let top = engine.compile(text)?;
    let mut scope = Scope::new();
    engine.run_ast_with_scope(&mut scope, &top)?;
    let mut constants = Scope::new();
    let mut module = Module::new();
    for (name, is_constant, value) in scope.iter() {
        if is_constant {
            module.set_var(name, value.clone());
            constants.push_constant_dynamic(name, value);
        }
    }
    let module = rhai::Shared::new(module);
    engine.register_static_module("global", module.clone());
    engine.register_global_module(module);
    engine.set_optimization_level(OptimizationLevel::Simple).set_strict_variables(true);
    let ast = engine.compile_with_scope(&constants, text)?;
    Ok((engine, ast))
}

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(OPERATIONS)
        .set_max_call_levels(CALL_LEVELS)
        .set_max_expr_depths(EXPR_DEPTHS.0, EXPR_DEPTHS.1)
        .set_max_string_size(STRING_BYTES)
        .set_max_array_size(ARRAY_ENTRIES)
        .set_max_map_size(MAP_ENTRIES)
        .set_max_variables(1_000)
        .set_max_functions(1_000)
        .set_max_modules(0)
        .set_module_resolver(rhai::module_resolvers::DummyModuleResolver::new());
    for off in ["import", "export", "eval"] {
        engine.disable_symbol(off);
    }
    // The language keeps the word for its own function, which goes on to be called; `log::debug` is another.
    #[allow(
        deprecated,
        reason = "not deprecated, its documentation says, but volatile; the version is pinned"
    )]
    engine.on_parse_token(|token, _, _| match token {
        Token::Reserved(word) if word.as_str() == "debug" => Token::Identifier(word),
        other => other,
    });
    engine.on_print(|text| log::write(Level::Info, text));
    engine.on_debug(|text, _, at| {
        let line = at.line().map_or_else(String::new, |line| format!("{line}: "));
        log::write(Level::Debug, &format!("{line}{text}"));
    });
    capabilities::register(&mut engine);
    engine
}
