//! Panels: from the contract's words to the protocol's, and what people do at them on its way back.

use campanile_model::{Names, Timestamp};
use campanile_plugins::{Effects, Grants, PanelNode as HostNode, PanelUse, wit};
use campanile_protocol::plugins::{
    ChartLine, Entered, FieldKind, FormField, MapMark, PanelContent, PanelNode, PanelShown, Tone, UsePanel,
};

use crate::channel::Channel;
use crate::words::say;

/// Shows what a call of a plugin shows.
pub fn shown(channel: &Channel, grants: &Grants, effects: &Effects, time: Timestamp) {
    let manifest = &grants.manifest;
    for ((panel, person), nodes) in &effects.panels {
        let Some(spec) = manifest.panel.get(usize::from(*panel)) else { continue };
        channel.show_panel(PanelShown {
            plugin: manifest.id.clone(),
            panel: spec.id.clone(),
            names: Names::new(&spec.zh, &spec.en),
            person: person.as_ref().map(ToString::to_string),
            time_us: time.0,
            nodes: nodes.iter().map(|node| out(grants, node)).collect(),
        });
    }
}

fn words(of: &wit::types::Words) -> Names {
    Names::new(&of.zh_cn, &of.en)
}

fn tone(of: wit::panels::Tone) -> Tone {
    match of {
        wit::panels::Tone::Plain => Tone::Plain,
        wit::panels::Tone::Accent => Tone::Accent,
        wit::panels::Tone::Good => Tone::Good,
        wit::panels::Tone::Caution => Tone::Caution,
        wit::panels::Tone::Danger => Tone::Danger,
    }
}

fn out(grants: &Grants, node: &HostNode) -> PanelNode {
    use wit::panels::Content as C;
    let content = match &node.content {
        C::Column => PanelContent::Column,
        C::Row => PanelContent::Row,
        C::Text((said, of)) => PanelContent::Text { words: words(said), tone: tone(*of) },
        C::Value(handle) => match grants.point(*handle).and_then(|point| grants.campus.get_point(point)) {
            Some(point) => PanelContent::Value { point: point.path.clone() },
            // The host has refused a handle that is none.
            None => PanelContent::Column,
        },
        C::Gauge((said, value, low, high, unit)) => PanelContent::Gauge {
            words: words(said),
            value: *value,
            low: *low,
            high: *high,
            unit: unit.clone(),
        },
        C::Chart((lines, unit)) => PanelContent::Chart {
            lines: lines
                .iter()
                .map(|line| ChartLine { names: words(&line.names), dots: line.dots.clone() })
                .collect(),
            unit: unit.clone(),
        },
        C::Table((head, rows)) => PanelContent::Table {
            head: head.iter().map(words).collect(),
            rows: rows.iter().map(|row| row.iter().map(words).collect()).collect(),
        },
        C::Form((fields, said)) => {
            PanelContent::Form { fields: fields.iter().map(field).collect(), words: words(said) }
        }
        C::Button((said, of)) => PanelContent::Button { words: words(said), tone: tone(*of) },
        C::MapLayer(marks) => PanelContent::MapLayer {
            marks: marks
                .iter()
                .map(|(path, of, said)| MapMark { path: path.clone(), tone: tone(*of), words: words(said) })
                .collect(),
        },
        C::Quiz((question, answers)) => {
            PanelContent::Quiz { question: words(question), answers: answers.iter().map(words).collect() }
        }
    };
    PanelNode { id: node.id.clone(), parent: node.parent, content }
}

fn field(field: &wit::panels::Field) -> FormField {
    use wit::panels::FieldKind as K;
    let kind = match &field.kind {
        K::Number((low, high, first)) => FieldKind::Number { low: *low, high: *high, first: *first },
        K::Text(most) => FieldKind::Text { most: *most },
        K::Choice(choices) => FieldKind::Choice { choices: choices.iter().map(words).collect() },
        K::Toggle(first) => FieldKind::Toggle { first: *first },
    };
    FormField { id: field.id.clone(), names: words(&field.names), kind }
}

/// What a person does at a panel, held against what they are shown.
///
/// # Errors
/// What is wrong, for people.
pub fn used(shown: &PanelShown, asked: &UsePanel, person: &str) -> Result<PanelUse, String> {
    let node = shown.nodes.iter().find(|node| node.id == asked.node);
    let node = node.ok_or_else(|| say("not-found-node", &[("node", &asked.node)]))?;
    let one = |kind| FormField { id: "answer".to_owned(), names: Names::default(), kind };
    let fields = match &node.content {
        PanelContent::Button { .. } => Vec::new(),
        PanelContent::Form { fields, .. } => fields.clone(),
        PanelContent::Quiz { answers, .. } => vec![one(FieldKind::Choice { choices: answers.clone() })],
        _ => return Err(say("malformed-node", &[("node", &asked.node)])),
    };
    if let Some(unknown) = asked.fields.keys().find(|id| !fields.iter().any(|field| field.id == **id)) {
        return Err(say("malformed-field-unknown", &[("field", unknown)]));
    }
    let mut entered = Vec::with_capacity(fields.len());
    for field in &fields {
        let given = asked.fields.get(&field.id);
        let value = given.and_then(|value| enter(&field.kind, value));
        let value = value.ok_or_else(|| wrong(field))?;
        entered.push((field.id.clone(), value));
    }
    Ok(PanelUse {
        panel: asked.panel.clone(),
        node: asked.node.clone(),
        person: person.to_owned(),
        fields: entered,
    })
}

fn wrong(field: &FormField) -> String {
    let id = &field.id;
    match &field.kind {
        FieldKind::Number { low, high, .. } => {
            say("malformed-field-number", &[("field", id), ("low", low), ("high", high)])
        }
        FieldKind::Text { most } => say("malformed-field-text", &[("field", id), ("most", most)]),
        FieldKind::Choice { choices } => {
            say("malformed-field-choice", &[("field", id), ("count", &choices.len())])
        }
        FieldKind::Toggle { .. } => say("malformed-field-toggle", &[("field", id)]),
    }
}

fn enter(kind: &FieldKind, given: &Entered) -> Option<wit::types::Entered> {
    match (kind, given) {
        (FieldKind::Number { low, high, .. }, Entered::Number(x))
            if x.is_finite() && low <= x && x <= high =>
        {
            Some(wit::types::Entered::Number(*x))
        }
        (FieldKind::Text { most }, Entered::Text(text)) if text.len() <= *most as usize => {
            Some(wit::types::Entered::Text(text.clone()))
        }
        (FieldKind::Choice { choices }, Entered::Choice(index)) if (*index as usize) < choices.len() => {
            Some(wit::types::Entered::Choice(*index))
        }
        (FieldKind::Toggle { .. }, Entered::Toggle(is)) => Some(wit::types::Entered::Toggle(*is)),
        _ => None,
    }
}
