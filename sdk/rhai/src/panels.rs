//! Panels as scripts build them: nodes within nodes.
//!
//! ```rhai
//! panels::show("savings", panels::column("all", [
//!     panels::text("title", words("节能", "Savings"), "accent"),
//!     panels::gauge("today", words("今天", "Today"), 12.5, 0, 50, "kWh"),
//!     panels::button("more", words("更多", "More")),
//! ]));
//! ```

use campanile_plugin::{
    Words,
    panels::{self, Content, Field, FieldKind, Line, Node, Tone},
};
use rhai::{Array, Dynamic, Engine, ImmutableString, Module};

use crate::{
    fault::{denied, invalid, placed},
    values::{Thrown, list, number, point, real, text, whole, words},
};

/// A node with those in it.
#[derive(Clone, Debug)]
struct Tree {
    id: ImmutableString,
    content: Content,
    children: Vec<Tree>,
}

impl Tree {
    fn leaf(id: ImmutableString, content: Content) -> Self {
        Self { id, content, children: Vec::new() }
    }

    fn flatten(self, parent: Option<u32>, nodes: &mut Vec<Node>) {
        let place = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        nodes.push(Node { id: self.id.into(), parent, content: self.content });
        for child in self.children {
            child.flatten(Some(place), nodes);
        }
    }
}

fn tree(given: &Dynamic) -> Thrown<Tree> {
    let tree = given.read_lock::<Tree>().map(|tree| tree.clone());
    tree.ok_or_else(|| {
        invalid(format!("a node is made by panels::text and its like, it is not a {}", given.type_name()))
    })
}

fn tone(given: &str) -> Thrown<Tone> {
    Ok(match given {
        "plain" => Tone::Plain,
        "accent" => Tone::Accent,
        "good" => Tone::Good,
        "caution" => Tone::Caution,
        "danger" => Tone::Danger,
        _ => {
            return Err(invalid(format!(
                "there is no tone \"{given}\": plain, accent, good, caution or danger"
            )));
        }
    })
}

/// An entry of a list that is itself a list.
fn parts<const N: usize>(given: &Dynamic, of: &str) -> Thrown<[Dynamic; N]> {
    let wrong = || invalid(format!("{of} is a list of {N}"));
    let array = given.read_lock::<Array>().ok_or_else(wrong)?.clone();
    array.try_into().map_err(|_: Array| wrong())
}

fn dot(given: &Dynamic) -> Thrown<(i64, f64)> {
    let [time, value] = parts(given, "a dot of a line, [time, value],")?;
    Ok((whole(&time)?, real(&value)?))
}

fn mark(given: &Dynamic) -> Thrown<(String, Tone, Words)> {
    let [path, colour, said] = parts(given, "a mark on the map, [path, tone, words],")?;
    Ok((text(&path)?, tone(&text(&colour)?)?, words(&said)?))
}

/// A row of a table. What is no words is the same in both languages: a number, a name.
fn row(given: &Dynamic) -> Thrown<Vec<Words>> {
    let row = given.read_lock::<Array>().ok_or_else(|| invalid("a row of a table is a list"))?;
    let cell = |cell: &Dynamic| match cell.read_lock::<Words>() {
        Some(words) => words.clone(),
        None => Words::new(cell.to_string(), cell.to_string()),
    };
    Ok(row.iter().map(cell).collect())
}

fn field(given: &Dynamic) -> Thrown<Field> {
    let field = given.read_lock::<Field>().map(|field| field.clone());
    field.ok_or_else(|| {
        invalid("a field is made by panels::number_field, text_field, choice_field or toggle_field")
    })
}

fn line(given: &Dynamic) -> Thrown<Line> {
    let line = given.read_lock::<Line>().map(|line| line.clone());
    line.ok_or_else(|| invalid("a line is made by panels::line"))
}

/// Registers `panels::…`.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Tree>("node");
    engine.register_type_with_name::<Field>("field");
    engine.register_type_with_name::<Line>("line");
    let mut module = Module::new();
    nodes(&mut module);
    fields(&mut module);
    placed!(module, "show", |panel: &str, root: Tree| -> Thrown {
        let mut nodes = Vec::new();
        root.flatten(None, &mut nodes);
        panels::show(panel, &nodes).map_err(denied)
    });
    placed!(module, "show_to", |panel: &str, person: &str, root: Dynamic| -> Thrown {
        let mut nodes = Vec::new();
        // `()`: what all others see.
        if !root.is_unit() {
            tree(&root)?.flatten(None, &mut nodes);
        }
        panels::show_to(panel, person, &nodes).map_err(denied)
    });
    engine.register_static_module("panels", module.into());
}

fn nodes(module: &mut Module) {
    type Id = ImmutableString;
    for (name, content) in [("column", Content::Column), ("row", Content::Row)] {
        placed!(module, name, |id: Id, children: Array| -> Thrown<Tree> {
            Ok(Tree { id, content: content.clone(), children: list(&children, tree)? })
        });
    }
    placed!(module, "text", |id: Id, said: Words| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::Text((said, Tone::Plain))))
    });
    placed!(module, "text", |id: Id, said: Words, colour: &str| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::Text((said, tone(colour)?))))
    });
    placed!(module, "value", |id: Id, of: Dynamic| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::Value(point(&of)?)))
    });
    placed!(module, "gauge", |id: Id,
                              said: Words,
                              value: Dynamic,
                              low: Dynamic,
                              high: Dynamic,
                              unit: &str|
     -> Thrown<Tree> {
        let gauge = (said, real(&value)?, real(&low)?, real(&high)?, unit.to_owned());
        Ok(Tree::leaf(id, Content::Gauge(gauge)))
    });
    placed!(module, "chart", |id: Id, lines: Array, unit: &str| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::Chart((list(&lines, line)?, unit.to_owned()))))
    });
    placed!(module, "line", |names: Words, dots: Array| -> Thrown<Line> {
        Ok(Line { names, dots: list(&dots, dot)? })
    });
    placed!(module, "table", |id: Id, head: Array, rows: Array| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::Table((list(&head, words)?, list(&rows, row)?))))
    });
    placed!(module, "button", |id: Id, said: Words| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::Button((said, Tone::Plain))))
    });
    placed!(module, "button", |id: Id, said: Words, colour: &str| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::Button((said, tone(colour)?))))
    });
    placed!(module, "map_layer", |id: Id, marks: Array| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::MapLayer(list(&marks, mark)?)))
    });
    placed!(module, "quiz", |id: Id, question: Words, answers: Array| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::Quiz((question, list(&answers, words)?))))
    });
    placed!(module, "form", |id: Id, fields: Array, button: Words| -> Thrown<Tree> {
        Ok(Tree::leaf(id, Content::Form((list(&fields, field)?, button))))
    });
}

fn fields(module: &mut Module) {
    placed!(module, "number_field", |id: &str,
                                     names: Words,
                                     low: Dynamic,
                                     high: Dynamic,
                                     first: Dynamic|
     -> Thrown<Field> {
        let [low, high, first] = [&low, &high, &first].map(number);
        let (Some(low), Some(high), Some(first)) = (low, high, first) else {
            return Err(invalid("a field for a number has the lowest, the highest and the first"));
        };
        Ok(Field { id: id.to_owned(), names, kind: FieldKind::Number((low, high, first)) })
    });
    placed!(module, "text_field", |id: &str, names: Words, bytes: i64| -> Thrown<Field> {
        Ok(Field { id: id.to_owned(), names, kind: FieldKind::Text(whole(&bytes.into())?) })
    });
    placed!(module, "choice_field", |id: &str, names: Words, choices: Array| -> Thrown<Field> {
        Ok(Field { id: id.to_owned(), names, kind: FieldKind::Choice(list(&choices, words)?) })
    });
    placed!(module, "toggle_field", |id: &str, names: Words, first: bool| -> Thrown<Field> {
        Ok(Field { id: id.to_owned(), names, kind: FieldKind::Toggle(first) })
    });
}
