//! The pages: what they quote is in the files that they name, and their links lead somewhere.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The pages of `docs/`, with their texts.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = Vec::new();
    for dir in ["docs", "docs/plugins"] {
        for entry in fs::read_dir(root().join(dir)).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&file).unwrap();
                pages.push((file, text));
            }
        }
    }
    pages.sort();
    pages
}

/// The blocks of a page that say from which file they are: the file, the text.
fn quotes(page: &str) -> Vec<(&str, String)> {
    let mut quotes = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let of = line.strip_prefix("<!-- from ").and_then(|rest| rest.strip_suffix(" -->"));
        let Some(file) = of.filter(|_| lines.next().is_some_and(|line| line.starts_with("```"))) else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        quotes.push((file, block.join("\n") + "\n"));
    }
    quotes
}

#[test]
fn what_the_pages_quote_is_in_the_files() {
    let mut count = 0;
    for (page, text) in pages() {
        for (file, block) in quotes(&text) {
            let found =
                fs::read_to_string(root().join(file)).unwrap_or_else(|why| panic!("{page:?}: {file}: {why}"));
            assert!(found.contains(&block), "{page:?} quotes {file} as it no longer is:\n{block}");
            count += 1;
        }
    }
    assert!(count >= 40, "the cookbook alone has four of each recipe, and {count} were found");
}

/// The parts of a line outside of code.
fn plain(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// The anchors of a page's headings, as they are made of their words.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let mut anchors = BTreeSet::new();
    for line in page.lines() {
        is_code ^= line.trim_start().starts_with("```");
        if line.starts_with('#') && !is_code {
            let kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
            let words: String =
                line.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect();
            anchors.insert(words.replace(' ', "-"));
        }
    }
    anchors
}

/// The links of a page to other places of the repository.
fn links(page: &str) -> Vec<String> {
    let mut is_code = false;
    let mut links = Vec::new();
    for line in page.lines() {
        is_code ^= line.trim_start().starts_with("```");
        if is_code {
            continue;
        }
        for part in plain(line).split("](").skip(1) {
            let link = part.split(')').next().unwrap_or_default();
            if !link.contains("://") {
                links.push(link.to_owned());
            }
        }
    }
    links
}

#[test]
fn the_links_of_the_pages_lead_somewhere() {
    let mut lost = Vec::new();
    for (page, text) in pages() {
        for link in links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let to = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let is_there = match anchor {
                "" => to.exists(),
                anchor => fs::read_to_string(&to).is_ok_and(|text| anchors(&text).contains(anchor)),
            };
            if !is_there {
                lost.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(lost.is_empty(), "these lead nowhere:\n{}", lost.join("\n"));
}
