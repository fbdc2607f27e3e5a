//! Lines for people. They are kept whatever becomes of the call.

use wasmtime::Result;

use super::HostState;
use crate::bindings::log::{Host, Level};
use crate::pace::Pace;
use crate::turn::{LogLevel, LogLine, Turn};

/// The longest line that is kept, bytes.
const MOST_LINE: usize = 1000;
const PACE: Pace = Pace { burst: 200.0, per_s: 1.0 };

impl Host for HostState {
    fn write(&mut self, level: Level, message: String) -> Result<()> {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.told("log.write", 0, |turn, _| write(turn, level, message))
    }
}

fn write(turn: &mut Turn, level: LogLevel, mut message: String) {
    let time = turn.now();
    if turn.memory.paces.log.take(PACE, 1, time).is_err() {
        turn.unlogged += 1;
        return;
    }
    if message.len() > MOST_LINE {
        let end = (0..=MOST_LINE).rev().find(|i| message.is_char_boundary(*i)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    turn.log.push(LogLine { time, level, text: message });
}
