//! One box that finds everything: places, devices, points, alarms, views, and what can be done.

use bevy_egui::egui::{
    Align, Align2, Area, Color32, Context, Id, Key, Layout, Modifiers, Order, Rect, RichText, ScrollArea,
    TextEdit, Ui, vec2,
};
use campanile_protocol::EntityKind;

use crate::locale::{Language, Texts};
use crate::place::{Pane, WorkPlace};
use crate::sight::Sight;
use crate::state::{Index, State};
use crate::theme::{self, accent, faint};
use crate::ui::{Action, Input, View};
use crate::units::value_text;

/// The box, while it is open.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// What is typed.
    pub query: String,
    found: Vec<Hit>,
    found_for: Option<String>,
    at: usize,
    has_focus: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Hit {
    /// An entity, by index.
    Entity(u32),
    /// A point, by index.
    Point(u32),
    /// An alarm in force, by id.
    Alarm(String),
    /// A work place.
    Place(WorkPlace),
    /// A pane.
    Pane(Pane),
    /// A way to see.
    Sight(Sight),
    /// A quantity to colour by, with a point of it.
    Quantity(String, u32),
    /// A view that was saved, by its number.
    Saved(usize),
    /// A view of a name.
    View(&'static str),
    /// Another language.
    Language(Language),
    /// Dark or light.
    Dark,
    /// Larger or smaller text.
    Text(bool),
    /// The keys.
    Help,
    /// Back to the present.
    Live,
    /// A link to what is seen.
    Link,
}

/// As many are shown.
const MOST: usize = 40;

/// How well a text answers a query of words: lower is better; `None` where a word is missing.
pub fn rank(text: &str, words: &[&str]) -> Option<u32> {
    let mut worst = 0;
    for word in words {
        let at = text.find(word)?;
        let begins = at == 0 || text[..at].chars().next_back().is_some_and(|c| !c.is_alphanumeric());
        worst += if at == 0 {
            0
        } else if begins {
            1
        } else {
            3
        };
    }
    Some(worst)
}

/// Of entities what people look for comes before doors and shafts.
fn weight(kind: EntityKind) -> u32 {
    match kind {
        EntityKind::Building | EntityKind::Space => 0,
        EntityKind::Storey | EntityKind::Equipment | EntityKind::Gate => 1,
        EntityKind::Node | EntityKind::Network | EntityKind::AssemblyPoint => 2,
        _ => 4,
    }
}

/// All that answers a query, the best first.
pub fn find(
    query: &str,
    index: &Index,
    state: &State,
    view: &View,
    quantities: &[(String, u32)],
    texts: &Texts,
) -> Vec<Hit> {
    let lower = query.trim().to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let mut found: Vec<(u32, usize, Hit)> = Vec::new();
    let mut offer = |text: &str, weight: u32, hit: Hit| {
        if let Some(rank) = rank(&text.to_lowercase(), &words) {
            found.push((rank * 4 + weight, text.len(), hit));
        }
    };
    for (i, text) in index.entity_words().iter().enumerate() {
        if words.is_empty() {
            break;
        }
        let kind = index.catalogue.entities[i].kind;
        offer(text, 3 + weight(kind), Hit::Entity(i as u32));
    }
    for (i, text) in index.point_words().iter().enumerate() {
        if words.is_empty() {
            break;
        }
        offer(text, 6, Hit::Point(i as u32));
    }
    for alarm in state.alarms_by_urgency() {
        let place =
            index.entity(alarm.entity.as_str()).and_then(|e| index.catalogue.entities.get(e as usize));
        let place = place.map_or("", |e| texts.name(&e.names));
        let text = format!(
            "{} {} {} {place} {}",
            texts.t("alarms"),
            alarm.names.zh,
            alarm.names.en,
            alarm.entity.as_str()
        );
        offer(&text, if words.is_empty() { 1 } else { 4 }, Hit::Alarm(alarm.id.clone()));
    }
    for place in WorkPlace::ALL {
        offer(&place.text(texts), 0, Hit::Place(place));
    }
    for pane in Pane::ALL {
        offer(&pane.text(texts), 2, Hit::Pane(pane));
    }
    for sight in Sight::ALL {
        offer(&sight.text(texts), 2, Hit::Sight(sight));
    }
    for (quantity, example) in quantities {
        let names =
            index.point(*example).map(|p| format!("{} {} {}", texts.t("colour-by"), p.names.zh, p.names.en));
        offer(&names.unwrap_or_default(), 5, Hit::Quantity(quantity.clone(), *example));
    }
    for (i, saved) in view.own.views.iter().enumerate() {
        offer(&format!("{} {}", texts.t("views"), saved.name), 1, Hit::Saved(i));
    }
    for (name, key) in VIEWS {
        offer(&format!("{} {}", texts.t("views"), texts.t(key)), 2, Hit::View(name));
    }
    for language in Language::ALL.into_iter().filter(|language| *language != texts.language()) {
        offer(&format!("language 语言 {}", language.own_name()), 3, Hit::Language(language));
    }
    offer(&texts.t("command-dark"), 3, Hit::Dark);
    offer(&texts.t("command-text-larger"), 3, Hit::Text(true));
    offer(&texts.t("command-text-smaller"), 3, Hit::Text(false));
    offer(&texts.t("help-title"), 3, Hit::Help);
    offer(&texts.t("past-live"), 3, Hit::Live);
    offer(&texts.t("link-copy"), 3, Hit::Link);
    found.sort_by_key(|(rank, length, _)| (*rank, *length));
    found.truncate(MOST);
    found.into_iter().map(|(_, _, hit)| hit).collect()
}

/// The views that every campus may have, with the keys of their texts.
pub const VIEWS: [(&str, &str); 3] =
    [("overview", "view-overview"), ("gate", "view-gate"), ("river", "view-river")];

impl View {
    /// Opens the box, or closes it.
    pub fn toggle_palette(&mut self) {
        self.palette = match self.palette {
            Some(_) => None,
            None => Some(Palette::default()),
        };
    }
}

/// Draws the box while it is open.
pub fn palette_ui(
    ctx: &Context,
    screen: Rect,
    input: &Input<'_>,
    index: &Index,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let Some(mut palette) = view.palette.take() else { return };
    let texts = input.texts;
    let key = |key| ctx.input_mut(|i| i.consume_key(Modifiers::NONE, key));
    if key(Key::Escape) {
        return;
    }
    if palette.found_for.as_ref() != Some(&palette.query) {
        let quantities: Vec<(String, u32)> =
            input.rooms.quantities().into_iter().map(|q| (q.id, q.example)).collect();
        palette.found = find(&palette.query, index, input.state, view, &quantities, texts);
        palette.found_for = Some(palette.query.clone());
        palette.at = 0;
    }
    let last = palette.found.len().saturating_sub(1);
    let mut is_moved = false;
    if key(Key::ArrowDown) {
        palette.at = if palette.at >= last { 0 } else { palette.at + 1 };
        is_moved = true;
    }
    if key(Key::ArrowUp) {
        palette.at = if palette.at == 0 { last } else { palette.at - 1 };
        is_moved = true;
    }
    let mut chosen = key(Key::Enter).then(|| palette.found.get(palette.at).cloned()).flatten();
    let width = (screen.width() - 60.0).min(560.0);
    // A press beside it closes it.
    let mut is_left = false;
    Area::new(Id::new("palette-back")).fade_in(false).order(Order::Foreground).fixed_pos(screen.min).show(
        ctx,
        |ui| {
            let (rect, response) = ui.allocate_exact_size(screen.size(), bevy_egui::egui::Sense::click());
            ui.painter().rect_filled(rect, 0.0, Color32::from_black_alpha(50));
            is_left = response.clicked();
        },
    );
    let at = screen.center_top() + vec2(0.0, 70.0);
    Area::new(Id::new("palette"))
        .fade_in(false)
        .order(Order::Tooltip)
        .pivot(Align2::CENTER_TOP)
        .fixed_pos(at)
        .show(ctx, |ui| {
            theme::card().show(ui, |ui| {
                ui.set_width(width);
                let edit = TextEdit::singleline(&mut palette.query)
                    .hint_text(texts.t("palette-hint"))
                    .desired_width(f32::INFINITY)
                    .font(bevy_egui::egui::TextStyle::Heading)
                    .char_limit(100);
                let response = ui.add(edit);
                if !palette.has_focus {
                    response.request_focus();
                    palette.has_focus = response.has_focus();
                }
                ui.add_space(4.0);
                if palette.found.is_empty() {
                    ui.label(RichText::new(texts.t("search-none")).color(faint()));
                }
                let height = (screen.height() - 190.0).clamp(120.0, 440.0);
                ScrollArea::vertical()
                    .id_salt(("found", &palette.query))
                    .max_height(height)
                    .min_scrolled_height(height)
                    .auto_shrink([false, true])
                    .show(ui, |ui| {
                        for (i, hit) in palette.found.iter().enumerate() {
                            let response = hit_ui(ui, input, index, view, hit, i == palette.at);
                            if i == palette.at && is_moved {
                                response.scroll_to_me(None);
                            }
                            if response.clicked() {
                                chosen = Some(hit.clone());
                            }
                        }
                    });
            });
        });
    match chosen {
        Some(hit) => choose(hit, input, index, view, actions),
        None if !is_left => view.palette = Some(palette),
        None => {}
    }
}

fn hit_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    index: &Index,
    view: &View,
    hit: &Hit,
    is_at: bool,
) -> bevy_egui::egui::Response {
    let (name, kind, value) = words(input, index, view, hit);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), 30.0), bevy_egui::egui::Sense::click());
    response.widget_info(|| {
        bevy_egui::egui::WidgetInfo::selected(bevy_egui::egui::WidgetType::Button, true, is_at, &name)
    });
    if is_at || response.hovered() {
        let strength = if is_at { 1.0 } else { 0.5 };
        ui.painter().rect_filled(rect, 6.0, ui.visuals().selection.bg_fill.gamma_multiply(strength));
    }
    let row = rect.shrink2(vec2(10.0, 0.0));
    ui.scope_builder(bevy_egui::egui::UiBuilder::new().max_rect(row), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(kind).small().color(faint()));
            if let Some(value) = value {
                ui.label(RichText::new(value).strong().color(accent()));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(bevy_egui::egui::Label::new(name).truncate());
            });
        });
    });
    response
}

/// Name, what it is, and its value now.
fn words(input: &Input<'_>, index: &Index, view: &View, hit: &Hit) -> (String, String, Option<String>) {
    let texts = input.texts;
    let plain = |name: String, kind: &str| (name, texts.t(kind), None);
    let value = |point: u32| {
        let (value, info) = (input.state.value(point)?, index.point(point)?);
        Some(value_text(&value.value, info, texts))
    };
    match hit {
        Hit::Entity(entity) => {
            let Some(info) = index.catalogue.entities.get(*entity as usize) else {
                return Default::default();
            };
            let above = info.parent.and_then(|p| index.catalogue.entities.get(p as usize));
            let above = above.map_or("", |above| texts.name(&above.names)).to_owned();
            let first = index.points_of(*entity).first().copied();
            (texts.name(&info.names).to_owned(), above, first.and_then(value))
        }
        Hit::Point(point) => {
            let Some(info) = index.point(*point) else { return Default::default() };
            let name =
                format!("{} · {}", crate::charts_ui::place_of(index, info, texts), texts.name(&info.names));
            (name, texts.t("kind-point"), value(*point))
        }
        Hit::Alarm(id) => {
            let alarm = input.state.alarms.get(id);
            let place =
                alarm.and_then(|a| index.catalogue.entities.get(index.nearest(a.entity.as_str())? as usize));
            let name = alarm.map_or("", |alarm| texts.name(&alarm.names));
            let place = place.map_or("", |place| texts.name(&place.names));
            plain(format!("{name} · {place}"), "kind-alarm")
        }
        Hit::Place(place) => plain(place.text(texts), "kind-place"),
        Hit::Pane(pane) => plain(pane.text(texts), "kind-pane"),
        Hit::Sight(sight) => plain(sight.text(texts), "kind-sight"),
        Hit::Quantity(_, example) => {
            let name = index.point(*example).map_or("", |p| texts.name(&p.names));
            plain(name.to_owned(), "colour-by")
        }
        Hit::Saved(i) => {
            plain(view.own.views.get(*i).map_or_else(String::new, |saved| saved.name.clone()), "views")
        }
        Hit::View(name) => {
            let key = VIEWS.iter().find(|(of, _)| of == name).map_or("views", |(_, key)| key);
            plain(texts.t(key), "views")
        }
        Hit::Language(language) => plain(language.own_name().to_owned(), "kind-command"),
        Hit::Dark => plain(texts.t("command-dark"), "kind-command"),
        Hit::Text(true) => plain(texts.t("command-text-larger"), "kind-command"),
        Hit::Text(false) => plain(texts.t("command-text-smaller"), "kind-command"),
        Hit::Help => plain(texts.t("help-title"), "kind-command"),
        Hit::Live => plain(texts.t("past-live"), "kind-command"),
        Hit::Link => plain(texts.t("link-copy"), "kind-command"),
    }
}

fn choose(hit: Hit, input: &Input<'_>, index: &Index, view: &mut View, actions: &mut Vec<Action>) {
    match hit {
        Hit::Entity(entity) => {
            if let Some(info) = index.catalogue.entities.get(entity as usize) {
                actions.push(Action::FlyTo(info.path.as_str().to_owned()));
            }
        }
        Hit::Point(point) => {
            let entity = index.point(point).and_then(|p| index.catalogue.entities.get(p.entity as usize));
            if let Some(info) = entity {
                actions.push(Action::FlyTo(info.path.as_str().to_owned()));
                view.wanted_point = Some(point);
            }
        }
        Hit::Alarm(id) => {
            if let Some(alarm) = input.state.alarms.get(&id) {
                actions.push(Action::FlyTo(alarm.entity.as_str().to_owned()));
            }
        }
        Hit::Place(place) => {
            if view.dock.place != place || !view.dock.is_open {
                view.dock.go(place);
            }
        }
        Hit::Pane(pane) => view.dock.open(pane),
        Hit::Sight(sight) => view.sight = sight,
        Hit::Quantity(quantity, _) => actions.push(Action::Quantity(Some(quantity))),
        Hit::Saved(i) => {
            if let Some(saved) = view.own.views.get(i) {
                actions.push(Action::Open(saved.address.clone()));
            }
        }
        Hit::View(name) => actions.push(Action::View(name.into())),
        Hit::Language(language) => actions.push(Action::Language(language)),
        Hit::Dark => view.is_dark = !view.is_dark,
        Hit::Text(is_larger) => view.scale_text(is_larger),
        Hit::Help => view.help_open = true,
        Hit::Live => actions.push(Action::Follow(crate::state::World::Live)),
        Hit::Link => actions.push(Action::CopyLink),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::Person;
    use crate::state::tests::live_state;

    #[test]
    fn all_words_have_to_be_there_and_beginnings_come_first() {
        for (text, words, expected) in [
            ("classroom 201", &["201"][..], Some(1)),
            ("201", &["201"][..], Some(0)),
            ("b2014", &["201"][..], Some(3)),
            ("canteen energy", &["canteen", "ener"][..], Some(1)),
            ("canteen energy", &["water"][..], None),
            ("教学楼", &["学"][..], Some(3)),
            ("anything", &[][..], Some(0)),
        ] {
            assert_eq!(rank(text, words), expected, "{text} {words:?}");
        }
    }

    #[test]
    fn a_room_is_found_in_either_language_and_flown_to_with_enter() {
        for (language, query) in
            [(Language::English, "101"), (Language::English, "a/1f/101 中"), (Language::Chinese, "A/1F/101")]
        {
            let mut person = Person::before(live_state(), language);
            person.view.toggle_palette();
            person.look();
            person.types(query);
            person.look();
            assert!(person.sees("800 ppm"), "its value is read without a click: {:?}", person.all());
            person.enter();
            assert_eq!(person.wishes, [Action::FlyTo("a/1f/101".into())]);
            assert!(person.view.palette.is_none());
        }
    }

    #[test]
    fn what_can_be_done_is_found_by_its_name() {
        for (language, query) in [(Language::English, "x-ray"), (Language::Chinese, "透视")] {
            let mut person = Person::before(live_state(), language);
            person.view.toggle_palette();
            person.look();
            person.types(query);
            person.look();
            person.enter();
            assert_eq!(person.view.sight, Sight::XRay);
        }
    }
}
