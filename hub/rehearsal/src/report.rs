//! The report of a run, or of two that are compared: one HTML page in one language that needs no other file and no
//! network.

mod chart;
mod map;
mod text;

use std::fmt::Write as _;

use campanile_model::{Names, Timestamp};

use crate::outcome::{Decision, Outcome};
use crate::play::By;
pub use chart::{Across, CHART_SIZE, Curve, chart};
use text::{Lang, Words};

pub use text::Lang as ReportLang;

const STYLE: &str = include_str!("report/style.css");

/// The report of a run.
pub fn report(outcome: &Outcome, lang: Lang) -> String {
    Page { lang, words: text::words(lang) }.whole(&[outcome])
}

/// Two runs of a drill side by side: what was decided otherwise, and what came of it.
pub fn comparison(one: &Outcome, other: &Outcome, lang: Lang) -> String {
    Page { lang, words: text::words(lang) }.whole(&[one, other])
}

struct Page {
    lang: Lang,
    words: Words,
}

/// A text safe inside HTML.
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

impl Page {
    fn name<'a>(&self, names: &'a Names) -> &'a str {
        match self.lang {
            Lang::Zh => &names.zh,
            Lang::En => &names.en,
        }
    }

    fn safe(&self, names: &Names) -> String {
        safe(self.name(names))
    }

    /// The time of the clock on the wall of the campus.
    fn clock(&self, outcome: &Outcome, at_s: f64) -> String {
        let time = Timestamp(outcome.start_us).plus_micros((at_s * 1e6) as i64);
        let stamp = jiff::Timestamp::from_microsecond(time.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let zone = jiff::tz::TimeZone::get(&outcome.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        zone.to_datetime(stamp).strftime("%H:%M:%S").to_string()
    }

    fn whole(&self, outcomes: &[&Outcome]) -> String {
        let mut out = String::new();
        let Some(first) = outcomes.first() else { return out };
        let title = format!("{} · {}", self.safe(&first.names), self.safe(&first.campus));
        // Writing to a text can't fail.
        let _ = write!(
            out,
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><header><h1>{title}</h1><p>{}</p>",
            self.lang.tag(),
            self.safe(&first.summary)
        );
        self.head(&mut out, outcomes);
        out.push_str("</header>");
        self.section(&mut out, self.words.score, &|out| self.score(out, outcomes));
        if outcomes.len() > 1 {
            self.section(&mut out, self.words.difference, &|out| self.difference(out, outcomes));
        }
        self.section(&mut out, self.words.decisions, &|out| {
            self.each(out, outcomes, &|out, o| self.decisions(out, o))
        });
        self.section(&mut out, self.words.timeline, &|out| self.curves(out, outcomes));
        self.section(&mut out, self.words.maps, &|out| self.each(out, outcomes, &|out, o| self.maps(out, o)));
        self.section(&mut out, self.words.rooms, &|out| {
            self.each(out, outcomes, &|out, o| self.rooms(out, o))
        });
        self.section(&mut out, self.words.people, &|out| {
            self.each(out, outcomes, &|out, o| self.people(out, o))
        });
        self.section(&mut out, self.words.messages, &|out| {
            self.each(out, outcomes, &|out, o| self.messages(out, o))
        });
        self.section(&mut out, self.words.water, &|out| {
            self.each(out, outcomes, &|out, o| self.balance(out, o))
        });
        let _ = write!(out, "<footer><p>{}</p><p>", self.words.honest);
        for line in &first.attribution {
            let _ = write!(out, "{} ", self.safe(line));
        }
        out.push_str("</p></footer></body></html>");
        out
    }

    fn section(&self, out: &mut String, title: &str, body: &dyn Fn(&mut String)) {
        let _ = write!(out, "<section><h2>{}</h2>", safe(title));
        body(out);
        out.push_str("</section>");
    }

    /// Each run in a column of its own.
    fn each(&self, out: &mut String, outcomes: &[&Outcome], body: &dyn Fn(&mut String, &Outcome)) {
        out.push_str("<div class=\"runs\">");
        for (i, outcome) in outcomes.iter().enumerate() {
            out.push_str("<div class=\"run\">");
            if outcomes.len() > 1 {
                let _ = write!(out, "<h3>{}</h3>", self.run_name(i));
            }
            body(out, outcome);
            out.push_str("</div>");
        }
        out.push_str("</div>");
    }

    fn run_name(&self, index: usize) -> String {
        format!("{} {}", self.words.run, ["A", "B"].get(index).unwrap_or(&"?"))
    }

    fn head(&self, out: &mut String, outcomes: &[&Outcome]) {
        for (i, outcome) in outcomes.iter().enumerate() {
            let (points, of) = outcome.points();
            let label = if outcomes.len() > 1 { self.run_name(i) } else { String::new() };
            let _ = write!(
                out,
                "<p class=\"run-head\"><b>{label}</b> <span class=\"big\">{points:.0}</span> / {of:.0} {} · {} {} – {} · {} {} · {} <code>{}</code></p>",
                self.words.points,
                self.words.clock,
                self.clock(outcome, 0.0),
                self.clock(outcome, outcome.ran_s),
                self.words.seed,
                outcome.seed,
                self.words.hash,
                safe(outcome.hash.get(..16).unwrap_or(&outcome.hash)),
            );
        }
    }

    fn score(&self, out: &mut String, outcomes: &[&Outcome]) {
        self.each(out, outcomes, &|out, outcome| {
            out.push_str("<table><tbody>");
            for judged in &outcome.score {
                let share = if judged.of > 0.0 { judged.points / judged.of } else { 1.0 };
                let class = if share >= 0.999 {
                    "good"
                } else if share <= 0.001 {
                    "bad"
                } else {
                    "part"
                };
                let _ = write!(
                    out,
                    "<tr><td>{}</td><td class=\"n {class}\">{:.1} / {:.0}</td><td class=\"why\">{}</td></tr>",
                    self.safe(&judged.names),
                    judged.points,
                    judged.of,
                    self.safe(&judged.reason)
                );
            }
            out.push_str("</tbody></table>");
        });
    }

    fn difference(&self, out: &mut String, outcomes: &[&Outcome]) {
        let [one, other] = outcomes else { return };
        out.push_str("<table><tbody>");
        for judged in &one.score {
            let Some(there) = other.score.iter().find(|j| j.id == judged.id) else { continue };
            let _ = write!(
                out,
                "<tr><td>{}</td><td class=\"n\">{:.1}</td><td class=\"n\">{:.1}</td><td class=\"n\">{:+.1} {}</td></tr>",
                self.safe(&judged.names),
                judged.value,
                there.value,
                there.value - judged.value,
                self.safe(&judged.unit)
            );
        }
        let row = |out: &mut String, name: &str, a: f64, b: f64, unit: &str| {
            let _ = write!(
                out,
                "<tr><td>{name}</td><td class=\"n\">{a:.1}</td><td class=\"n\">{b:.1}</td><td class=\"n\">{:+.1} {unit}</td></tr>",
                b - a
            );
        };
        let wet = |o: &Outcome| o.rooms.iter().map(|r| r.volume_m3).sum::<f64>();
        row(out, self.words.rooms, wet(one), wet(other), "m³");
        let people = |o: &Outcome| f64::from(o.people.in_water);
        row(out, self.words.ever_in_water, people(one), people(other), "");
        row(
            out,
            self.words.endangered,
            f64::from(one.people.hazard[0]),
            f64::from(other.people.hazard[0]),
            "",
        );
        out.push_str("</tbody></table>");
    }

    fn by(&self, by: &By) -> String {
        match by {
            By::Person { name } => safe(name),
            By::Player => self.words.player.to_owned(),
            By::Event { .. } => self.words.event.to_owned(),
        }
    }

    fn decisions(&self, out: &mut String, outcome: &Outcome) {
        let w = &self.words;
        let _ = write!(
            out,
            "<table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>",
            w.action, w.who, w.plan, w.asked, w.done, w.verdict
        );
        for d in &outcome.decisions {
            let time = |at: Option<f64>| at.map_or_else(|| "–".to_owned(), |at| self.clock(outcome, at));
            let who = d.by.as_ref().map_or_else(|| "–".to_owned(), |by| self.by(by));
            let (class, verdict) = self.verdict(d);
            let _ = write!(
                out,
                "<tr><td>{}</td><td>{}<br><small>{who}</small></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"{class}\">{verdict}</td></tr>",
                self.safe(&d.names),
                self.safe(&d.role),
                time(d.planned_s),
                time(d.asked_s),
                time(d.done_s)
            );
        }
        out.push_str("</tbody></table>");
    }

    fn verdict(&self, d: &Decision) -> (&'static str, String) {
        let w = &self.words;
        match (d.planned_s, d.asked_s, &d.by) {
            (_, None, _) => ("bad", w.nobody.to_owned()),
            (_, Some(_), Some(By::Player)) => ("part", w.by_player.to_owned()),
            (Some(planned), Some(asked), _) if asked <= planned + 60.0 => {
                ("good", format!("{} {:.0} min", w.earlier, ((planned - asked) / 60.0).max(0.0)))
            }
            (Some(planned), Some(asked), _) => {
                ("bad", format!("{} {:.0} min", w.later, (asked - planned) / 60.0))
            }
            (None, Some(_), _) => ("good", w.ahead.to_owned()),
        }
    }

    fn curves(&self, out: &mut String, outcomes: &[&Outcome]) {
        let w = &self.words;
        let minutes = |o: &Outcome, of: &dyn Fn(&crate::tally::Row) -> Option<f64>| -> Vec<(f64, f64)> {
            o.rows.iter().filter_map(|row| Some((row.at_s / 60.0, of(row)?))).collect()
        };
        type Of<'a> = &'a dyn Fn(&crate::tally::Row) -> Option<f64>;
        type Group<'a> = (&'a str, &'a str, Vec<(&'a str, Of<'a>)>);
        let groups: [Group<'_>; 5] = [
            (w.rain, "mm/h", vec![(w.rain, &|r| Some(r.rain_mm_h))]),
            (w.river, "m", vec![(w.river, &|r| r.river_m)]),
            (w.rooms, "m³", vec![(w.rooms, &|r| Some(r.rooms_m3))]),
            (
                w.evacuation,
                w.people_unit,
                vec![
                    (w.walking, &|r| Some(f64::from(r.walking))),
                    (w.arrived, &|r| Some(f64::from(r.arrived + r.left))),
                ],
            ),
            (
                w.exposed,
                w.people_unit,
                vec![
                    (w.in_water, &|r| Some(f64::from(r.in_water))),
                    (w.endangered, &|r| Some(f64::from(r.endangered))),
                ],
            ),
        ];
        out.push_str("<div class=\"charts\">");
        for (title, unit, of) in groups {
            let mut curves = Vec::new();
            for (run, outcome) in outcomes.iter().enumerate() {
                for (kind, (name, f)) in of.iter().enumerate() {
                    let name = if outcomes.len() > 1 {
                        format!("{name} {}", ["A", "B"][run.min(1)])
                    } else {
                        (*name).to_owned()
                    };
                    curves.push(Curve { name, points: minutes(outcome, f), colour: kind, dashed: run > 0 });
                }
            }
            if curves.iter().any(|c| !c.points.is_empty()) {
                out.push_str(&chart(title, unit, &Across { unit: w.minutes, step: None }, &curves));
            }
        }
        out.push_str("</div>");
    }

    fn maps(&self, out: &mut String, outcome: &Outcome) {
        let Some(water) = &outcome.water else { return };
        let w = &self.words;
        let name = |names: &Names| self.name(names).to_owned();
        out.push_str(&map::depth(water, &outcome.outlines, &name, w.depth_map, w.depth_unit));
        out.push_str(&map::arrival(water, &outcome.outlines, &name, w.arrival_map, w.minutes));
    }

    fn rooms(&self, out: &mut String, outcome: &Outcome) {
        let w = &self.words;
        if outcome.rooms.is_empty() {
            let _ = write!(out, "<p class=\"good\">{}</p>", w.all_dry);
            return;
        }
        let _ = write!(
            out,
            "<table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>m³</th></tr></thead><tbody>",
            w.room, w.wet_from, w.depth_unit
        );
        let most = outcome.rooms.first().map_or(1.0, |r| r.volume_m3.max(1e-9));
        for room in outcome.rooms.iter().take(MOST_ROOMS) {
            let _ = write!(
                out,
                "<tr><td title=\"{}\">{}</td><td class=\"n\">{}</td><td class=\"n\">{:.2}</td><td class=\"n\"><span class=\"bar\" style=\"width:{:.0}px\"></span>{:.1}</td></tr>",
                safe(room.path.as_str()),
                self.safe(&room.names),
                self.clock(outcome, room.wet_s),
                room.depth_m,
                60.0 * room.volume_m3 / most,
                room.volume_m3
            );
        }
        out.push_str("</tbody></table>");
        if outcome.rooms.len() > MOST_ROOMS {
            let _ = write!(out, "<p>+ {}</p>", outcome.rooms.len() - MOST_ROOMS);
        }
    }

    fn people(&self, out: &mut String, outcome: &Outcome) {
        let (w, people) = (&self.words, &outcome.people);
        let _ = write!(
            out,
            "<p>{}: <b>{}</b> · {}: <b>{}</b> · {}: <b>{}</b> / {} / {}</p>",
            w.people,
            people.people,
            w.ever_in_water,
            people.in_water,
            w.hazards,
            people.hazard[0],
            people.hazard[1],
            people.hazard[2]
        );
        let mut exposed: Vec<_> = people.groups.iter().filter(|g| g.in_water > 0).collect();
        exposed.sort_by(|a, b| b.in_water.cmp(&a.in_water).then_with(|| a.group.cmp(&b.group)));
        if exposed.is_empty() {
            return;
        }
        let _ = write!(
            out,
            "<table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>",
            w.group, w.people, w.in_water, w.endangered, w.longest
        );
        for group in exposed.iter().take(MOST_ROOMS) {
            let _ = write!(
                out,
                "<tr><td title=\"{}\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1}</td></tr>",
                safe(&group.group),
                self.safe(&group.names),
                group.people,
                group.in_water,
                group.endangered,
                group.longest_min
            );
        }
        out.push_str("</tbody></table>");
    }

    fn messages(&self, out: &mut String, outcome: &Outcome) {
        out.push_str("<ol class=\"said\">");
        for message in &outcome.messages {
            let from = message.from.as_ref().map(|f| format!("<b>{}</b> ", self.safe(f))).unwrap_or_default();
            let _ = write!(
                out,
                "<li><time>{}</time> {from}{}</li>",
                self.clock(outcome, message.at_s),
                self.safe(&message.text)
            );
        }
        out.push_str("</ol>");
    }

    fn balance(&self, out: &mut String, outcome: &Outcome) {
        let Some(water) = &outcome.water else { return };
        out.push_str("<table><tbody>");
        for (name, m3) in &water.balance_m3 {
            let _ = write!(
                out,
                "<tr><td>{}</td><td class=\"n\">{m3:.1} m³</td></tr>",
                safe(text::term(self.lang, name))
            );
        }
        out.push_str("</tbody></table>");
    }
}

/// The most rooms and groups that are listed; the rest is counted.
const MOST_ROOMS: usize = 25;
