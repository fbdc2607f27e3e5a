//! The one error of the command: what went wrong, how to mend it, and the exit code.

use std::process::ExitCode;

use campanile_client::ClientError;

/// What went wrong, for a person.
#[derive(Debug)]
pub struct Failure {
    what: String,
    mend: Option<String>,
    code: u8,
}

impl Failure {
    /// Wrong arguments or an input that can't be read: exit code 2.
    pub fn input(what: impl Into<String>) -> Self {
        Self { what: what.into(), mend: None, code: 2 }
    }

    /// The thing asked about is not in order: exit code 1.
    pub fn not_in_order(what: impl Into<String>) -> Self {
        Self { what: what.into(), mend: None, code: 1 }
    }

    /// A hub, broker or display that could not be reached or started: exit code 3.
    pub fn unreachable(what: impl Into<String>) -> Self {
        Self { what: what.into(), mend: None, code: 3 }
    }

    /// Somebody ended it by a signal: exit code 130, as of a shell.
    pub fn interrupted(what: impl Into<String>) -> Self {
        Self { what: what.into(), mend: None, code: 130 }
    }

    /// What a hub answered, or that it did not: 3 where it can't be reached, else 2.
    pub fn of_hub(why: ClientError) -> Self {
        let what = why.to_string();
        let failure = match why {
            ClientError::Unreachable { .. } | ClientError::Untrusted { .. } => Self::unreachable(what),
            _ => Self::input(what),
        };
        match why.mend() {
            Some(mend) => failure.mend(mend),
            None => failure,
        }
    }

    /// Whether what was asked for is wrong, and not the way to it.
    pub fn is_input(&self) -> bool {
        self.code == Self::input("").code
    }

    /// Says how to mend it.
    pub fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// Prints the failure to standard error and gives the exit code.
    pub fn report(&self) -> ExitCode {
        eprintln!("error: {}", self.what);
        if let Some(mend) = &self.mend {
            eprintln!(" mend: {mend}");
        }
        ExitCode::from(self.code)
    }
}
