//! What a script died of, in words with their place.

use campanile_plugin::Denial;
use rhai::{Dynamic, EvalAltResult, Map, NativeCallContext, ParseError, ParseErrorType, Position};

/// A denial as scripts see it in `catch (err)`.
#[derive(Clone, Debug)]
pub struct Denied(pub Denial);

impl Denied {
    /// As the contract spells it.
    pub fn kind(&self) -> &'static str {
        match self.0 {
            Denial::NotGranted(_) => "not-granted",
            Denial::UnknownPoint => "unknown-point",
            Denial::Invalid(_) => "invalid",
            Denial::OutOfLimits(_) => "out-of-limits",
            Denial::TooStrong(_) => "too-strong",
            Denial::TooSoon(_) => "too-soon",
            Denial::Interlocked(_) => "interlocked",
            Denial::Quota(_) => "quota",
            Denial::Unavailable(_) => "unavailable",
        }
    }
}

/// Throws a denial; where it was thrown, [`placed`] fills in.
pub fn denied(denial: Denial) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(Dynamic::from(Denied(denial)), Position::NONE).into()
}

/// Throws what the hub would have denied as `invalid`.
pub fn invalid(why: impl Into<String>) -> Box<EvalAltResult> {
    denied(Denial::Invalid(why.into()))
}

/// Ends the call with nothing done; nobody can catch it.
pub fn panic(why: &str) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(why.into(), Position::NONE).into()
}

/// Puts a function into a module. What it throws has the place of its call, which the interpreter does not give to
/// functions that a namespace comes before.
macro_rules! placed {
    ($module:expr, $name:expr, || -> $out:ty $body:block $(,)?) => {
        $crate::fault::placed!($module, $name, | | -> $out $body)
    };
    ($module:expr, $name:expr, |$($arg:ident: $type:ty),* $(,)?| -> $out:ty $body:block $(,)?) => {
        $module.set_native_fn($name, move |context: rhai::NativeCallContext<'_>, $($arg: $type),*| -> $out {
            $crate::fault::at_call(&context, || -> $out { $body })
        })
    };
}
pub(crate) use placed;

/// Calls, and gives what is thrown without a place that of the call.
pub fn at_call<T>(
    context: &NativeCallContext<'_>,
    call: impl FnOnce() -> Result<T, Box<EvalAltResult>>,
) -> Result<T, Box<EvalAltResult>> {
    call().map_err(|mut error| {
        if error.position().is_none() {
            error.set_position(context.call_position());
        }
        error
    })
}

/// Why a script did not compile, or a function of it did not end well.
#[derive(Debug)]
pub struct Fault(Box<EvalAltResult>);

impl From<Box<EvalAltResult>> for Fault {
    fn from(error: Box<EvalAltResult>) -> Self {
        Self(error)
    }
}

impl From<ParseError> for Fault {
    fn from(error: ParseError) -> Self {
        Self(error.into())
    }
}

impl Fault {
    /// A fault of our own finding.
    pub fn at(place: Position, why: impl Into<String>) -> Self {
        Self(EvalAltResult::ErrorRuntime(why.into().into(), place).into())
    }

    /// Whether somebody meant it: a `throw`, or a denial.
    pub fn is_thrown(&self) -> bool {
        matches!(innermost(&self.0).0, EvalAltResult::ErrorRuntime(..))
    }

    /// `FILE:LINE:COLUMN: what, and through which functions it came there`.
    pub fn told(&self, file: &str) -> String {
        let (error, calls) = innermost(&self.0);
        let mut place = error.position();
        if place.is_none() {
            place = calls.iter().rev().map(|(_, at)| *at).find(|at| !at.is_none()).unwrap_or(Position::NONE);
        }
        let way: Vec<String> = calls
            .iter()
            .rev()
            .filter(|(_, at)| *at != place && !at.is_none())
            .map(|(name, at)| format!("; {name} was called at {}", located(file, *at)))
            .collect();
        format!("{}: {}{}", located(file, place), words(error), way.concat())
    }
}

fn located(file: &str, place: Position) -> String {
    match (place.line(), place.position()) {
        (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
        (Some(line), None) => format!("{file}:{line}"),
        _ => file.to_owned(),
    }
}

/// The error itself, and the functions through which it came, the outermost first, with where they were called.
fn innermost(error: &EvalAltResult) -> (&EvalAltResult, Vec<(&str, Position)>) {
    let mut calls = Vec::new();
    let mut error = error;
    while let EvalAltResult::ErrorInFunctionCall(name, _, inner, at) = error {
        calls.push((name.as_str(), *at));
        error = inner;
    }
    (error, calls)
}

fn words(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorRuntime(thrown, _) => thrown_words(thrown),
        EvalAltResult::ErrorTerminated(token, _) => thrown_words(token),
        EvalAltResult::ErrorParsing(ParseErrorType::VariableUndefined(name), _) => format!(
            "there is no `{name}`: a function sees its own variables, the constants of the script, and `this`"
        ),
        EvalAltResult::ErrorParsing(why, _) => why.to_string(),
        EvalAltResult::ErrorTooManyOperations(_) => {
            "the call has done too much work: a loop without end?".into()
        }
        EvalAltResult::ErrorStackOverflow(_) => "functions call each other too deeply".into(),
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            format!("{what}: more than a script may have in one value")
        }
        EvalAltResult::ErrorFunctionNotFound(what, _) => format!("there is no function {what}"),
        other => {
            let text = other.to_string();
            // The place is told before.
            text.rsplit_once(" (line ").map_or(text.clone(), |(words, _)| words.to_owned())
        }
    }
}

fn thrown_words(thrown: &Dynamic) -> String {
    if let Some(denied) = thrown.read_lock::<Denied>() {
        return denied.0.to_string();
    }
    // What the interpreter threw, was caught, and thrown again.
    let message = thrown.read_lock::<Map>().and_then(|map| map.get("message").map(ToString::to_string));
    message.unwrap_or_else(|| thrown.to_string())
}
