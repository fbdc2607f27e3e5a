//! Measures.

/// One measured figure.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// In which unit.
    pub unit: String,
    /// What it should be at least or at most.
    pub goal: Option<f64>,
    /// What it is compared with.
    pub reference: String,
}
