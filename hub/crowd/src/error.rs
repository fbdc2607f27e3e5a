//! What can be wrong with what a crowd is given.

/// What is wrong with an input: where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}; {mend}")]
pub struct InputError {
    /// The field with its index, such as `doors[3].from.space`.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl InputError {
    pub(crate) fn new(field: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { field: field.into(), what: what.into(), mend: mend.into() }
    }
}

/// Why a saved crowd can't be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The bytes are no saved crowd.
    #[error("these bytes are not a saved crowd: save one with `Crowd::save`")]
    NotACrowd,
    /// They were saved by another version.
    #[error("saved as version {found}, this program reads version {known}: use the program that saved it")]
    Version {
        /// The version found.
        found: u32,
        /// The version that this program reads.
        known: u32,
    },
    /// They were damaged or cut off.
    #[error("the saved crowd is damaged ({0}): use another copy of it")]
    Damaged(&'static str),
    /// They belong to another input.
    #[error("the crowd was saved with another input: restore it with the input it was made from")]
    OtherInput,
    /// The input itself is wrong.
    #[error(transparent)]
    Input(#[from] InputError),
}
