//! What goes wrong.

/// What is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}. {mend}")]
pub struct InputError {
    /// Which field.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
    /// How to mend it.
    pub mend: &'static str,
}

/// Why something can't be changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There is no such thing.
    #[error("the flood has no {kind} '{id}': name one of its input")]
    Unknown {
        /// Of what.
        kind: &'static str,
        /// What was named.
        id: String,
    },
    /// A number is out of range.
    #[error("{what}: {got} is not from {low} to {high}")]
    Range {
        /// Which number.
        what: &'static str,
        /// What it was.
        got: f64,
        /// The least.
        low: f64,
        /// The most.
        high: f64,
    },
}

/// Why a saved state can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It doesn't begin as one does.
    #[error("the bytes are no saved flood")]
    NotAFlood,
    /// It was cut off or changed.
    #[error("the saved flood is damaged or was cut off: use another")]
    Damaged,
    /// Another version has written it.
    #[error("another version of this program has saved the flood")]
    Version,
    /// It is of another input.
    #[error("the saved flood is of another input: give the input that it was computed from")]
    OtherInput,
    /// The input itself can't be used.
    #[error("the input can't be used: {0}")]
    Input(String),
}
