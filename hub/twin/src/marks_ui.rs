//! Map layers of plugins: places in the colours of their tones, on floors and as pins, with a legend and words under the
//! pointer. One layer is shown at a time, and no quantity beside it: a colour on the map means one thing.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy_egui::egui::{
    Align2, Area, Checkbox, Context, Id, Layout, Order, Rect, RichText, Sense, Ui, pos2, vec2,
};
use campanile_protocol::EntityKind;
use campanile_protocol::plugins::{MapMark, PanelContent, PanelShown, Tone};

use crate::locale::Texts;
use crate::plugins::{PanelKey, Plugins};
use crate::state::{Index, State};
use crate::theme::{self, faint, mark_colour};
use crate::ui::{Action, Input, View, card_ui, legend_place};
use crate::views::LabelKind;

/// Names a map layer: a node of a panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The panel.
    pub panel: PanelKey,
    /// The id of the node.
    pub node: String,
}

/// In this order tones stand in a legend: what is wrong first.
const TONES: [Tone; 5] = [Tone::Danger, Tone::Caution, Tone::Good, Tone::Accent, Tone::Plain];
/// How far from the head of a pin the pointer still means it, points.
const PIN_REACH: f32 = 13.0;

/// The marks of the layer that is shown.
pub struct Marks {
    shown: Arc<PanelShown>,
    at: usize,
    by_path: BTreeMap<String, usize>,
}

/// The marks of a node, if it has some.
fn marks_of(shown: &PanelShown, at: usize) -> &[MapMark] {
    match shown.nodes.get(at).map(|node| &node.content) {
        Some(PanelContent::MapLayer { marks }) => marks,
        _ => &[],
    }
}

impl Marks {
    /// The marks of a layer; `None` where the plugin does not show it.
    pub fn of(plugins: &Plugins, layer: &Layer) -> Option<Self> {
        let shown = plugins.panel(&layer.panel)?.clone();
        let at = shown.nodes.iter().position(|node| node.id == layer.node)?;
        let by_path = marks_of(&shown, at).iter().zip(0..).map(|(mark, i)| (mark.path.clone(), i)).collect();
        Some(Self { shown, at, by_path })
    }

    /// All marks.
    pub fn all(&self) -> &[MapMark] {
        marks_of(&self.shown, self.at)
    }

    /// The mark of a place, or of what it is in.
    pub fn at(&self, path: &str) -> Option<&MapMark> {
        let mut rest = path;
        loop {
            if let Some(mark) = self.by_path.get(rest) {
                return self.all().get(*mark);
            }
            rest = rest.rsplit_once('/')?.0;
        }
    }
}

/// The marks of the layer that is shown, if one is.
pub fn marks(state: &State, view: &View) -> Option<Marks> {
    Marks::of(&state.plugins, view.layer.as_ref()?)
}

/// Whether an entity is seen as floors; what is not, such as a meter, gets a pin.
pub fn has_floors(index: &Index, path: &str) -> bool {
    let kind = index.entity(path).and_then(|i| index.catalogue.entities.get(i as usize)).map(|e| e.kind);
    matches!(kind, Some(EntityKind::Space | EntityKind::Storey | EntityKind::Building))
}

/// The first map layer of a panel.
pub fn first_layer(panel: &PanelKey, shown: &PanelShown) -> Option<Layer> {
    let is_layer = |content: &PanelContent| matches!(content, PanelContent::MapLayer { .. });
    let node = shown.nodes.iter().find(|node| is_layer(&node.content))?;
    Some(Layer { panel: panel.clone(), node: node.id.clone() })
}

/// What a tone says where the plugin says nothing in common.
fn tone_text(tone: Tone, texts: &Texts) -> String {
    match tone {
        Tone::Plain => texts.t("tone-plain"),
        Tone::Accent => texts.t("tone-accent"),
        Tone::Good => texts.t("tone-good"),
        Tone::Caution => texts.t("tone-caution"),
        Tone::Danger => texts.t("tone-danger"),
    }
}

/// By tone what a legend says, and how many places that are: the words of the places where all have the same.
fn legend(marks: &[MapMark], texts: &Texts) -> Vec<(Tone, String, usize)> {
    let of = |tone: Tone| {
        let mut with = marks.iter().filter(|mark| mark.tone == tone);
        let first = with.next()?;
        let count = 1 + with.clone().count();
        let words = texts.name(&first.words);
        let is_common = !words.is_empty() && with.all(|mark| mark.words == first.words);
        Some((tone, if is_common { words.to_owned() } else { tone_text(tone, texts) }, count))
    };
    TONES.into_iter().filter_map(of).collect()
}

fn legend_rows_ui(ui: &mut Ui, marks: &[MapMark], texts: &Texts) {
    for (tone, words, count) in legend(marks, texts) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 12.0), Sense::hover());
            ui.painter().rect_filled(rect, 3.0, mark_colour(tone));
            ui.label(RichText::new(words).small());
            ui.label(RichText::new(format!("({count})")).small().color(faint()));
        });
    }
}

/// The node of a map layer in its panel: whether it is shown, and what its colours say.
pub fn layer_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    panel: &PanelKey,
    (node, marks): (&str, &[MapMark]),
    layer: &mut Option<Layer>,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let this = Layer { panel: panel.clone(), node: node.to_owned() };
    let mut is_shown = layer.as_ref() == Some(&this);
    if ui.add(Checkbox::new(&mut is_shown, texts.t("panel-on-map"))).changed() {
        actions.push(Action::Layer(is_shown.then_some(this)));
    }
    legend_rows_ui(ui, marks, texts);
}

/// The legend of the layer that is shown, below the map, and the words of the place under the pointer.
pub fn marks_ui(ctx: &Context, screen: Rect, input: &Input<'_>, view: &View, actions: &mut Vec<Action>) {
    let Some(marks) = marks(input.state, view) else { return };
    let texts = input.texts;
    let at = legend_place(screen, input, view);
    card_ui(ctx, "marks", Align2::CENTER_BOTTOM, at, 250.0, |ui| {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(bevy_egui::egui::Align::Center), |ui| {
                if theme::named(ui.small_button("×"), &texts.t("panel-off-map")).clicked() {
                    actions.push(Action::Layer(None));
                }
                ui.with_layout(Layout::left_to_right(bevy_egui::egui::Align::Center), |ui| {
                    let title = RichText::new(texts.name(&marks.shown.names)).strong();
                    ui.add(bevy_egui::egui::Label::new(title).truncate());
                });
            });
        });
        legend_rows_ui(ui, marks.all(), texts);
    });
    pointed_ui(ctx, input, view, &marks);
}

/// The words of the place under the pointer.
fn pointed_ui(ctx: &Context, input: &Input<'_>, view: &View, marks: &Marks) {
    let Some(pointer) = ctx.pointer_hover_pos().filter(|_| !view.panel_has_pointer) else { return };
    let is_near = |label: &&crate::views::Label| {
        matches!(label.kind, LabelKind::Mark { .. })
            && pos2(label.at.x, label.at.y - theme::PIN_HEIGHT).distance(pointer) < PIN_REACH
    };
    // The pin on top is the last that was drawn.
    let pin = input.labels.iter().rev().find(is_near).map(|label| label.path.as_str());
    let Some(path) = pin.or(view.hovered.as_deref()) else { return };
    let Some(mark) = marks.at(path) else { return };
    let entity = input
        .index()
        .and_then(|index| index.catalogue.entities.get(index.nearest(&mark.path)? as usize))
        .map_or(mark.path.as_str(), |entity| input.texts.name(&entity.names));
    let words = input.texts.name(&mark.words);
    Area::new(Id::new("mark")).order(Order::Tooltip).fixed_pos(pointer + vec2(16.0, 12.0)).show(ctx, |ui| {
        theme::card().show(ui, |ui| {
            ui.set_max_width(260.0);
            ui.label(RichText::new(entity).strong());
            if !words.is_empty() {
                ui.label(RichText::new(words).color(theme::tone_colour(mark.tone)));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use campanile_protocol::Names;
    use campanile_protocol::plugins::PanelNode;

    use bevy_egui::egui::Event;

    use super::*;
    use crate::locale::Language;
    use crate::panel_ui::tests::{HIGH, column, node, open, showing};
    use crate::person::Person;
    use crate::plugins::tests::panel;
    use crate::state::tests::catalogue;

    fn mark(path: &str, tone: Tone, says: &str) -> MapMark {
        MapMark { path: path.into(), tone, words: Names::new(format!("{says} 中"), says) }
    }

    #[test]
    fn a_mark_is_of_a_place_and_of_what_is_in_it() {
        let mut shown = panel("map", None, "Leaks");
        let marks = vec![
            mark("a", Tone::Good, "dry"),
            mark("a/1f/101", Tone::Danger, "leaks"),
            mark("net/water/a", Tone::Caution, "runs at night"),
        ];
        shown.nodes.push(PanelNode {
            id: "map".into(),
            parent: Some(0),
            content: PanelContent::MapLayer { marks },
        });
        let key = PanelKey { plugin: "quest".into(), panel: "map".into() };
        let layer = first_layer(&key, &shown).unwrap();
        let mut plugins = Plugins::default();
        assert!(Marks::of(&plugins, &layer).is_none(), "the plugin does not show it yet");
        plugins.show(shown);
        let marks = Marks::of(&plugins, &layer).unwrap();
        for (path, expected) in [
            ("a/1f/101", Some(Tone::Danger)),
            ("a/1f/101/window-1", Some(Tone::Danger)),
            ("a/1f/102", Some(Tone::Good)),
            ("b", None),
            ("net/water", None),
        ] {
            assert_eq!(marks.at(path).map(|mark| mark.tone), expected, "{path}");
        }
        let index = Index::new(catalogue());
        let floors = marks.all().iter().map(|mark| has_floors(&index, &mark.path));
        assert_eq!(floors.collect::<Vec<_>>(), [true, true, false], "the branch of the network gets a pin");
    }

    #[test]
    fn a_legend_says_what_a_tone_means() {
        let marks = [
            mark("a/1", Tone::Good, "dry"),
            mark("a/2", Tone::Good, "dry"),
            mark("a/3", Tone::Danger, "120 l/h"),
            mark("a/4", Tone::Danger, "90 l/h"),
        ];
        for (language, wrong, dry) in
            [(Language::English, "wrong", "dry"), (Language::Chinese, "异常", "dry 中")]
        {
            let got = legend(&marks, &Texts::new(language));
            assert_eq!(got, [(Tone::Danger, wrong.into(), 2), (Tone::Good, dry.into(), 2)]);
        }
    }

    #[test]
    fn a_layer_has_a_legend_and_words_under_the_pointer_and_is_taken_away() {
        let marks = vec![mark("a/1f/101", Tone::Danger, "leaks 120 l/h"), mark("a", Tone::Good, "tight")];
        let shown = column(vec![node("map", 0, PanelContent::MapLayer { marks })]);
        let key = PanelKey { plugin: "quest".into(), panel: "main".into() };
        for (language, words, place, title) in [
            (Language::English, "leaks 120 l/h", "a/1f/101", "Today"),
            (Language::Chinese, "leaks 120 l/h 中", "a/1f/101 中", "今日"),
        ] {
            let mut view = View { layer: first_layer(&key, &shown), ..View::default() };
            view.hovered = Some("a/1f/101/ac".into());
            let mut person = Person::at(showing(shown.clone()), view, language, [800.0, 600.0]);
            assert!(person.sees(title) && person.sees("(1)"), "{:?}", person.all());
            assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
            let of = |person: &Person, text: &str| person.all().iter().filter(|seen| **seen == text).count();
            assert_eq!(of(&person, words), 1, "in the legend");
            person.pass(vec![Event::PointerMoved(pos2(420.0, 200.0))]);
            person.look();
            assert_eq!((of(&person, words), of(&person, place)), (2, 1), "and beside the pointer");
            // The head of a pin comes before what is behind it.
            person.view.hovered = None;
            let at = crate::views::Label {
                at: bevy::math::Vec2::new(420.0, 222.0),
                text: String::new(),
                distance_m: 1.0,
                path: "a/1f/101".into(),
                kind: LabelKind::Mark { tone: Tone::Danger },
            };
            person.labels.push(at);
            person.look();
            assert_eq!(of(&person, words), 2);
            person.pass(vec![Event::PointerMoved(pos2(440.0, 200.0))]);
            person.look();
            assert_eq!(of(&person, words), 1);
            person.click_on("×");
            assert_eq!(person.wishes, [Action::Layer(None)]);
        }
    }

    #[test]
    fn a_panel_with_a_map_is_opened_with_it_unless_a_quantity_is_looked_at() {
        let marks = vec![mark("a", Tone::Good, "tight")];
        let shown = column(vec![node("map", 0, PanelContent::MapLayer { marks })]);
        let key = PanelKey { plugin: "quest".into(), panel: "main".into() };
        let layer = first_layer(&key, &shown);
        let person = Person::at(showing(shown.clone()), open(), Language::English, HIGH);
        assert_eq!(person.wishes, [Action::Layer(layer.clone())], "once");
        let view = View { quantity: Some("co2".into()), ..open() };
        let mut person = Person::at(showing(shown), view, Language::English, HIGH);
        assert!(person.wishes.is_empty());
        person.click_on("Show on the map");
        assert_eq!(person.wishes, [Action::Layer(layer)]);
    }
}
