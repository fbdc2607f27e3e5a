//! Panels: trees of nodes that the host draws.

use std::collections::BTreeSet;

use super::{Answer, Given, HostState, MOST_ID, MOST_ITEMS, MOST_PERSON, declared, invalid, text_in};
use crate::bindings::panels::{Content, FieldKind, Host, Node};
use crate::bindings::types::{Denial, Words};
use crate::grants::Grants;
use crate::pace::Pace;
use crate::turn::Turn;

/// The most nodes of a panel.
const MOST_NODES: usize = 500;
/// The most bytes of its texts.
const MOST_TEXT: usize = 64 * 1024;
const PACE: Pace = Pace { burst: 8.0, per_s: 4.0 };
/// Of panels for one person.
const OWN: Pace = Pace { burst: 50.0, per_s: 10.0 };

impl Host for HostState {
    fn show(&mut self, panel: String, nodes: Vec<Node>) -> Answer<()> {
        self.asked("panels.show", nodes.len(), |turn, grants| show(turn, grants, &panel, None, nodes))
    }

    fn show_to(&mut self, panel: String, person: String, nodes: Vec<Node>) -> Answer<()> {
        self.asked("panels.show-to", nodes.len(), |turn, grants| {
            show(turn, grants, &panel, Some(&person), nodes)
        })
    }
}

fn show(turn: &mut Turn, grants: &Grants, panel: &str, person: Option<&str>, nodes: Vec<Node>) -> Given<()> {
    let index = declared("panel", grants.manifest.panel.iter().map(|spec| spec.id.as_str()), panel)?;
    let person = person.map(|person| text_in("the person's name", person, MOST_PERSON)).transpose()?;
    // A person's own panel without nodes gives way to the one for all.
    if person.is_none() || !nodes.is_empty() {
        check(grants, &nodes).or_else(invalid)?;
    }
    let (now, paces) = (turn.now(), &mut turn.memory.paces);
    let drawn = match &person {
        None => paces.panels.take(PACE, 1, now),
        Some(_) => paces.own_panels.take(OWN, 1, now),
    };
    drawn.map_err(Denial::TooSoon)?;
    for node in &nodes {
        if let Content::Value(point) = node.content
            && let Some(point) = grants.point(point)
        {
            turn.sees(point);
        }
    }
    if person.is_none() {
        // What is shown to all ends what single persons were shown.
        turn.effects.panels.retain(|(shown, _), _| *shown != index);
    }
    turn.effects.panels.insert((index, person), nodes.into());
    Ok(())
}

/// Whether a tree can be drawn: one root, parents before children, finite numbers, points that may be seen.
fn check(grants: &Grants, nodes: &[Node]) -> Result<(), String> {
    if nodes.is_empty() || nodes.len() > MOST_NODES {
        return Err(format!("the panel has {} nodes, 1 to {MOST_NODES} may be", nodes.len()));
    }
    let mut bytes = 0;
    let mut text = |text: &str| {
        bytes += text.len();
        if bytes > MOST_TEXT {
            Err(format!("the panel has more than {MOST_TEXT} bytes of text"))
        } else {
            Ok(())
        }
    };
    let finite = |x: f64| if x.is_finite() { Ok(()) } else { Err(format!("{x} is not a finite number")) };
    let mut ids = BTreeSet::new();
    for (i, node) in nodes.iter().enumerate() {
        let at = |why: String| format!("node {i} ('{}'): {why}", node.id);
        if node.id.is_empty() || node.id.len() > MOST_ID || !ids.insert(node.id.as_str()) {
            return Err(at("its id is empty, too long or there twice".to_owned()));
        }
        let parent = node.parent.map(|parent| nodes.get(parent as usize).filter(|_| (parent as usize) < i));
        match (i, parent) {
            (0, None) => {}
            (0, Some(_)) => return Err(at("the first node has no parent".to_owned())),
            (_, Some(Some(parent))) if matches!(parent.content, Content::Column | Content::Row) => {}
            _ => return Err(at("its parent has to be an earlier column or row".to_owned())),
        }
        let mut words = |words: &Words| text(&words.zh_cn).and_then(|()| text(&words.en));
        let checked = match &node.content {
            Content::Column | Content::Row => Ok(()),
            Content::Text((said, _)) | Content::Button((said, _)) => words(said),
            Content::Value(point) => match grants.point(*point) {
                Some(_) => Ok(()),
                None => Err("there is no such point".to_owned()),
            },
            Content::Gauge((said, value, low, high, unit)) => words(said)
                .and_then(|()| text(unit))
                .and_then(|()| [*value, *low, *high].into_iter().try_for_each(finite)),
            Content::Chart((lines, unit)) => {
                let dots: usize = lines.iter().map(|line| line.dots.len()).sum();
                if dots > MOST_ITEMS {
                    Err(format!("the chart has {dots} dots, at most {MOST_ITEMS} may be"))
                } else {
                    lines
                        .iter()
                        .try_for_each(|line| {
                            words(&line.names)?;
                            line.dots.iter().try_for_each(|(_, y)| finite(*y))
                        })
                        .and_then(|()| text(unit))
                }
            }
            Content::Table((head, rows)) => head.iter().try_for_each(&mut words).and_then(|()| {
                if rows.iter().any(|row| row.len() != head.len()) {
                    return Err("each row has as many cells as the head".to_owned());
                }
                rows.iter().flatten().try_for_each(&mut words)
            }),
            Content::Form((fields, said)) => fields
                .iter()
                .try_for_each(|field| {
                    words(&field.names)?;
                    match &field.kind {
                        FieldKind::Number((low, high, first)) => {
                            [*low, *high, *first].into_iter().try_for_each(finite)
                        }
                        FieldKind::Choice(choices) => choices.iter().try_for_each(&mut words),
                        FieldKind::Text(_) | FieldKind::Toggle(_) => Ok(()),
                    }
                })
                .and_then(|()| words(said)),
            Content::MapLayer(marks) => marks.iter().try_for_each(|(path, _, said)| {
                words(said)?;
                match grants.campus.entity(path) {
                    Some(_) => Ok(()),
                    None => Err(format!("the campus has no entity '{path}'")),
                }
            }),
            Content::Quiz((question, answers)) => {
                words(question).and_then(|()| answers.iter().try_for_each(&mut words))
            }
        };
        checked.map_err(at)?;
    }
    Ok(())
}
