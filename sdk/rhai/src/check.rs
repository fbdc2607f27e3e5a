//! What can be known of a script before it runs: that its handlers are called, and that what it calls is there.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Engine, Expr, Position, Stmt};

use crate::fault::Fault;

/// The functions that the hub calls, each with one parameter.
const HANDLERS: [&str; 7] =
    ["start", "on_samples", "on_tick", "on_alarms", "on_panel", "on_outcome", "on_decision"];
/// What the language itself calls, whatever the number of parameters.
const KEYWORDS: [&str; 9] =
    ["call", "curry", "debug", "Fn", "is_def_fn", "is_def_var", "is_shared", "print", "type_of"];

/// Finds handlers that the hub would never call, and calls of functions that are nowhere. Gives the handlers.
pub fn functions(engine: &Engine, ast: &AST, text: &str) -> Result<BTreeSet<&'static str>, Fault> {
    let found = handlers(ast, text)?;
    calls(ast, &known(engine, ast))?;
    Ok(found)
}

fn handlers(ast: &AST, text: &str) -> Result<BTreeSet<&'static str>, Fault> {
    let mut found = BTreeSet::new();
    for function in ast.iter_functions() {
        let name = function.name;
        match HANDLERS.iter().find(|handler| **handler == name) {
            Some(handler) if function.params.len() == 1 => {
                found.insert(*handler);
            }
            Some(_) => {
                let why = format!("{name} has one parameter, here it has {}", function.params.len());
                return Err(Fault::at(definition(text, name), why));
            }
            None if name.starts_with("on_") => {
                let why = format!("the hub calls no function {name}{}", did_you_mean(name, HANDLERS));
                return Err(Fault::at(definition(text, name), why));
            }
            None => {}
        }
    }
    Ok(found)
}

/// Where a function is defined.
fn definition(text: &str, name: &str) -> Position {
    let head = format!("fn {name}");
    let line = text.lines().zip(1_u16..).find_map(|(line, n)| Some((n, line.find(&head)?)));
    line.map_or(Position::NONE, |(n, column)| Position::new(n, column as u16 + 1))
}

/// Every function that can be called, with the numbers of parameters that it may have.
type Known = BTreeMap<String, BTreeSet<usize>>;

fn known(engine: &Engine, ast: &AST) -> Known {
    let mut known = Known::new();
    let native = engine.collect_fn_metadata(
        None,
        |function| {
            let (metadata, space) = (function.metadata, function.namespace);
            let name = metadata.name.as_str();
            Some((
                if space.is_empty() { name.into() } else { format!("{space}::{name}") },
                metadata.num_params,
            ))
        },
        true,
    );
    for (name, parameters) in native {
        known.entry(name).or_default().insert(parameters);
    }
    for function in ast.iter_functions() {
        // Called as a method, what it is called on is one more.
        let parameters = known.entry(function.name.to_owned()).or_default();
        parameters.extend([function.params.len(), function.params.len() + 1]);
    }
    known
}

fn calls(ast: &AST, known: &Known) -> Result<(), Fault> {
    // What lies in a map can be called like a method, and what a variable holds like a function.
    let mut held = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Property(property, _))) => {
                held.insert(property.2.to_string());
            }
            Some(ASTNode::Expr(Expr::Map(map, _))) => {
                held.extend(map.0.iter().map(|(name, _)| name.name.to_string()));
            }
            Some(ASTNode::Expr(Expr::StringConstant(text, _))) => {
                held.insert(text.to_string());
            }
            _ => {}
        }
        true
    });

    let mut missing = None;
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        let (call, place, is_method) = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, place))) => (call, *place, false),
            // One that stands for itself is a statement.
            Some(ASTNode::Stmt(Stmt::FnCall(call, place))) => (call, *place, false),
            Some(ASTNode::Expr(Expr::MethodCall(call, place))) => (call, *place, true),
            _ => return true,
        };
        if call.op_token.is_some() || KEYWORDS.contains(&call.name.as_str()) {
            return true;
        }
        let space = if call.namespace.is_empty() { String::new() } else { format!("{}::", call.namespace) };
        let name = format!("{space}{}", call.name);
        let parameters = call.args.len() + usize::from(is_method);
        let is_there = match known.get(&name) {
            Some(known) => known.contains(&parameters),
            None => is_method && held.contains(&name),
        };
        if !is_there {
            missing = Some(Fault::at(place, unknown(known, &name, call.args.len(), is_method)));
        }
        is_there
    });
    missing.map_or(Ok(()), Err)
}

fn unknown(known: &Known, name: &str, arguments: usize, is_method: bool) -> String {
    match known.get(name) {
        Some(parameters) => {
            let of_a_method = usize::from(is_method);
            let may: Vec<String> = parameters
                .iter()
                .filter_map(|parameters| Some(parameters.checked_sub(of_a_method)?.to_string()))
                .collect();
            format!("{name} takes {} arguments, here it is given {arguments}", may.join(" or "))
        }
        None => {
            let mean = did_you_mean(name, known.keys().map(String::as_str));
            format!("there is no function {name}{mean}")
        }
    }
}

/// `; did you mean NAME?` for the nearest of some names, where one is near.
fn did_you_mean<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let near = names.into_iter().map(|known| (distance(name, known), known)).min();
    match near {
        Some((distance, known)) if distance <= 1 + name.len() / 4 => format!("; did you mean {known}?"),
        _ => String::new(),
    }
}

/// Letters that have to be changed, put in or left out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
