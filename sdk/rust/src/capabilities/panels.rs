//! What the plugin shows. The hub draws it, in the twin and in browsers alike. Each panel is declared by a `[[panel]]` of
//! the manifest; at most 500 nodes and 64 KiB, 4 times a second.
//!
//! ```no_run
//! use campanile_plugin::{Words, panels::{Content, Tone, Tree}};
//!
//! # fn main() -> Result<(), campanile_plugin::Denial> {
//! let mut tree = Tree::new("all", Content::Column);
//! tree.add(Tree::ROOT, "title", Content::Text((Words::new("节能", "Savings"), Tone::Accent)));
//! let row = tree.add(Tree::ROOT, "row", Content::Row);
//! tree.add(row, "today", Content::Gauge((Words::new("今天", "Today"), 12.5, 0.0, 50.0, "kWh".into())));
//! tree.add(row, "more", Content::Button((Words::new("更多", "More"), Tone::Plain)));
//! tree.show("savings")
//! # }
//! ```

pub use crate::bindings::campanile::plugin::panels::{
    Content, Field, FieldKind, Line, Node, Tone, show, show_to,
};
pub use crate::bindings::campanile::plugin::types::{Entered, PanelEvent as Event};
use crate::denial::Denial;

/// A panel while it is put together.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree(Vec<Node>);

impl Tree {
    /// The node that holds all others.
    pub const ROOT: u32 = 0;

    /// A tree of the root alone, mostly a column.
    pub fn new(id: impl Into<String>, content: Content) -> Self {
        Self(vec![Node { id: id.into(), parent: None, content }])
    }

    /// Adds a node below a parent and gives its place, for its own children. The id names it in events and is unique in
    /// the panel.
    pub fn add(&mut self, parent: u32, id: impl Into<String>, content: Content) -> u32 {
        // At most 500 are ever shown.
        let place = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.push(Node { id: id.into(), parent: Some(parent), content });
        place
    }

    /// Shows it as the panel of this id, in place of what was there.
    pub fn show(&self, panel: &str) -> Result<(), Denial> {
        show(panel, &self.0)
    }

    /// Shows it to one person, by the name that an [`Event`] has, in place of what all others see.
    pub fn show_to(&self, panel: &str, person: &str) -> Result<(), Denial> {
        show_to(panel, person, &self.0)
    }
}

impl Event {
    /// What was entered in a field.
    pub fn entered(&self, field: &str) -> Option<&Entered> {
        self.fields.iter().find(|(id, _)| id == field).map(|(_, entered)| entered)
    }
}
