//! What a person enters in panels of plugins: forms, buttons, answers of a quiz. It is kept while a panel is shown anew
//! under their hands.

use std::collections::BTreeMap;

use bevy_egui::egui::{
    Align, Button, Checkbox, Color32, ComboBox, DragValue, Id, Layout, RichText, Slider, TextEdit, Ui, vec2,
};
use campanile_protocol::Names;
use campanile_protocol::plugins::{Entered, FieldKind, FormField, Tone, UsePanel};

use crate::plugins::{Came, Errand, Order, PanelKey};
use crate::state::World;
use crate::theme::{self, bad, faint, good};
use crate::ui::{Action, Input};

/// The name of what was answered in a quiz.
const ANSWER: &str = "answer";
/// How long it stands there that something was sent, s.
const SAID_S: f64 = 5.0;
/// A text of more bytes gets several lines.
const LONG_TEXT: u32 = 120;

/// A node of a panel.
type Place = (PanelKey, String);

/// What a person has entered in panels and not lost yet.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// Of forms what was touched, by the ids of the fields; what was not is what the plugin says.
    touched: BTreeMap<Place, BTreeMap<String, Entered>>,
    /// Of quizzes the answer chosen, and to which question.
    chosen: BTreeMap<Place, (Names, Vec<Names>, u32)>,
    /// Forms that were sent and have not come through yet, and when: at the app's clock, s.
    sent: BTreeMap<Place, f64>,
}

/// The id of a node in the panels, whatever stands around it.
pub fn node_id(key: &PanelKey, node: &str) -> Id {
    Id::new(("panel", key, node))
}

/// At most so many bytes of a text, whole signs.
fn cut(text: &str, most: u32) -> &str {
    let mut end = text.len().min(most as usize);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What stands in a field: what was touched where the field still takes it, else what it is first.
fn standing(field: &FormField, touched: Option<&Entered>) -> Option<Entered> {
    Some(match (&field.kind, touched) {
        (FieldKind::Number { low, high, .. }, Some(Entered::Number(x))) => {
            Entered::Number(within(*x, *low, *high))
        }
        (FieldKind::Number { low, high, first }, _) => Entered::Number(within(*first, *low, *high)),
        (FieldKind::Text { most }, Some(Entered::Text(text))) => Entered::Text(cut(text, *most).to_owned()),
        (FieldKind::Text { .. }, _) => Entered::Text(String::new()),
        (FieldKind::Choice { choices }, Some(Entered::Choice(i))) if (*i as usize) < choices.len() => {
            Entered::Choice(*i)
        }
        // Of nothing nothing can be chosen.
        (FieldKind::Choice { choices }, _) => (!choices.is_empty()).then_some(Entered::Choice(0))?,
        (FieldKind::Toggle { .. }, Some(Entered::Toggle(is))) => Entered::Toggle(*is),
        (FieldKind::Toggle { first }, _) => Entered::Toggle(*first),
    })
}

/// A number in its limits; limits that are none are left aside.
fn within(x: f64, low: f64, high: f64) -> f64 {
    if low <= high { x.clamp(low, high) } else { x }
}

/// The world that a panel is used in; `None`: what was can't be acted on.
fn world_of(world: &World) -> Option<Option<String>> {
    match world {
        World::Live => Some(None),
        World::Rehearsal(id) => Some(Some(id.clone())),
        World::Past { .. } => None,
    }
}

fn used(input: &Input<'_>, key: &PanelKey, node: &str, fields: BTreeMap<String, Entered>) -> Option<Action> {
    let world = world_of(input.world)?;
    let (plugin, panel, node) = (key.plugin.clone(), key.panel.clone(), node.to_owned());
    Some(Action::Plugin(Order::Use(UsePanel { world, plugin, panel, node, fields })))
}

/// Whether something can be sent from a node now.
fn is_free(input: &Input<'_>, errand: &Errand) -> bool {
    input.state.plugins.came(errand) != Some(&Came::Waits) && world_of(input.world).is_some()
}

/// Says what became of what was sent.
pub fn came_ui(ui: &mut Ui, input: &Input<'_>, errand: &Errand) {
    let texts = input.texts;
    match input.state.plugins.came(errand) {
        Some(Came::Waits) => {
            ui.label(RichText::new(texts.t("panel-waits")).small().color(faint()));
        }
        Some(Came::Done(at_s)) if input.now_s - at_s < SAID_S => {
            ui.label(RichText::new(texts.t("panel-sent")).small().color(good()));
        }
        Some(Came::Refused(why)) => {
            ui.label(RichText::new(texts.with("notice-rejected", &[("why", why)])).small().color(bad()));
        }
        Some(Came::Done(_)) | None => {}
    }
}

/// The text of a button in its tone: filled, or as any button where the tone is plain.
fn toned(words: &str, tone: Tone) -> Button<'static> {
    let words = words.to_owned();
    match tone {
        Tone::Plain => Button::new(words),
        tone => Button::new(RichText::new(words).color(Color32::WHITE)).fill(theme::tone_colour(tone)),
    }
    .wrap()
}

fn sending_ui(ui: &mut Ui, input: &Input<'_>, errand: &Errand, button: Button<'static>) -> bool {
    let response = ui.add_enabled(is_free(input, errand), button);
    let clicked = response.clicked();
    if world_of(input.world).is_none() {
        response.on_disabled_hover_text(input.texts.t("panel-past"));
    }
    clicked
}

/// A button.
pub fn button_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    key: &PanelKey,
    node: &str,
    (words, tone): (&Names, Tone),
    actions: &mut Vec<Action>,
) {
    let errand = Errand::Use(key.clone(), node.to_owned());
    // A button has to have the same id from its press to its release, whatever the plugin puts before it meanwhile.
    ui.push_id(node, |ui| {
        if sending_ui(ui, input, &errand, toned(input.texts.name(words), tone)) {
            actions.extend(used(input, key, node, BTreeMap::new()));
        }
        came_ui(ui, input, &errand);
    });
}

/// A form: its fields, then its button.
pub fn form_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    key: &PanelKey,
    node: &str,
    (fields, words): (&[FormField], &Names),
    entries: &mut Entries,
    actions: &mut Vec<Action>,
) {
    let place = (key.clone(), node.to_owned());
    let errand = Errand::Use(key.clone(), node.to_owned());
    let mut sent = BTreeMap::new();
    for field in fields {
        let touched = entries.touched.get(&place).and_then(|fields| fields.get(&field.id));
        let Some(stands) = standing(field, touched) else { continue };
        let mut entered = stands.clone();
        ui.push_id(&field.id, |ui| {
            field_ui(ui, input, field, &mut entered, node_id(key, node).with(&field.id))
        });
        if entered != stands {
            entries.touched.entry(place.clone()).or_default().insert(field.id.clone(), entered.clone());
        }
        sent.insert(field.id.clone(), entered);
    }
    if sending_ui(ui, input, &errand, toned(input.texts.name(words), Tone::Accent)) {
        actions.extend(used(input, key, node, sent));
        entries.sent.insert(place, input.now_s);
        return;
    }
    came_ui(ui, input, &errand);
    // What came before it was sent is what became of an earlier try.
    let has_come =
        |sent: &f64| matches!(input.state.plugins.came(&errand), Some(Came::Done(at_s)) if at_s > sent);
    if entries.sent.get(&place).is_some_and(has_come) {
        entries.sent.remove(&place);
        if let Some(fields) = entries.touched.get_mut(&place) {
            // A text that has been said is not said again; what was set stays set.
            fields.retain(|_, entered| !matches!(entered, Entered::Text(_)));
        }
    }
}

/// A number as somebody would enter it: 3 days, not 3.00.
fn entered_text(x: f64) -> String {
    let text = format!("{x:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A field under its name.
fn field_ui(ui: &mut Ui, input: &Input<'_>, field: &FormField, entered: &mut Entered, id: Id) {
    let texts = input.texts;
    let name = texts.name(&field.names);
    match (&field.kind, entered) {
        (FieldKind::Toggle { .. }, Entered::Toggle(is)) => {
            ui.add(Checkbox::new(is, RichText::new(name)));
        }
        (FieldKind::Number { low, high, .. }, Entered::Number(x)) => {
            ui.label(RichText::new(name).small());
            let is_range = low < high && (high - low).is_finite();
            if is_range {
                // Beside the slider stands the number, which can be typed too.
                ui.spacing_mut().slider_width = (ui.available_width() - 84.0).max(60.0);
                let slider =
                    Slider::new(x, *low..=*high).max_decimals(3).custom_formatter(|x, _| entered_text(x));
                crate::theme::said(&ui.add(slider), name);
            } else {
                ui.add(DragValue::new(x).max_decimals(3).custom_formatter(|x, _| entered_text(x)));
            }
        }
        (FieldKind::Text { most }, Entered::Text(text)) => {
            ui.label(RichText::new(name).small());
            let edit = if *most > LONG_TEXT {
                TextEdit::multiline(text).desired_rows(3)
            } else {
                TextEdit::singleline(text)
            };
            // The cursor stays where it is although the panel is another.
            let limit = *most as usize;
            if ui.add(edit.id(id).char_limit(limit).desired_width(f32::INFINITY)).changed() {
                *text = cut(text, *most).to_owned();
            }
            if text.len() * 5 > limit * 4 {
                let left = (limit - text.len().min(limit)).to_string();
                let left = texts.with("panel-text-left", &[("bytes", &left)]);
                ui.label(RichText::new(left).small().color(faint()));
            }
        }
        (FieldKind::Choice { choices }, Entered::Choice(chosen)) => {
            ui.label(RichText::new(name).small());
            let now = choices.get(*chosen as usize).map_or("", |names| texts.name(names));
            ComboBox::from_id_salt(id).truncate().selected_text(now).width(ui.available_width()).show_ui(
                ui,
                |ui| {
                    for (names, i) in choices.iter().zip(0..) {
                        ui.selectable_value(chosen, i, texts.name(names));
                    }
                },
            );
        }
        // A field that stands has the kind of its entry.
        _ => {}
    }
}

/// A question, its answers below each other, the one that was chosen marked.
pub fn quiz_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    key: &PanelKey,
    node: &str,
    (question, answers): (&Names, &[Names]),
    entries: &mut Entries,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let place = (key.clone(), node.to_owned());
    let errand = Errand::Use(key.clone(), node.to_owned());
    // Another question was not answered yet.
    let is_same = |(asked, of, _): &(Names, Vec<Names>, u32)| asked == question && of == answers;
    let chosen = entries.chosen.get(&place).filter(|chosen| is_same(chosen)).map(|(_, _, i)| *i);
    let refused = matches!(input.state.plugins.came(&errand), Some(Came::Refused(_)));
    ui.label(RichText::new(texts.name(question)).strong());
    for (answer, i) in answers.iter().zip(0..) {
        let is_chosen = chosen == Some(i) && !refused;
        let text = texts.name(answer);
        let text = if is_chosen { format!("√ {text}") } else { text.to_owned() };
        // As wide as the panel, to be hit with a finger.
        let size = vec2(ui.available_width(), 30.0);
        let button = Button::new(text).selected(is_chosen).wrap().min_size(size);
        let clicked = ui
            .push_id((node, i), |ui| {
                let layout = Layout::top_down_justified(Align::Min);
                ui.with_layout(layout, |ui| sending_ui(ui, input, &errand, button)).inner
            })
            .inner;
        if clicked {
            let fields = BTreeMap::from([(ANSWER.to_owned(), Entered::Choice(i))]);
            if let Some(action) = used(input, key, node, fields) {
                entries.chosen.insert(place.clone(), (question.clone(), answers.to_vec(), i));
                actions.push(action);
            }
        }
    }
    came_ui(ui, input, &errand);
}

#[cfg(test)]
mod tests {
    use bevy_egui::egui::pos2;
    use campanile_protocol::ServerMessage;
    use campanile_protocol::plugins::{PanelContent, PanelNode};

    use super::*;
    use crate::locale::Language;
    use crate::panel_ui::tests::{HIGH, column, names, node, open, showing};
    use crate::person::Person;
    use crate::plugins::PluginNews;
    use crate::state::Event;

    fn field(id: &str, en: &str, kind: FieldKind) -> FormField {
        FormField { id: id.into(), names: names(en, en), kind }
    }

    fn form(most: u32) -> PanelNode {
        let choices = vec![names("Gym", "Gym"), names("Canteen", "Canteen")];
        let fields = vec![
            field("why", "Why", FieldKind::Text { most }),
            field("t", "Cooling to", FieldKind::Number { low: 20.0, high: 30.0, first: 26.0 }),
            field("where", "Where", FieldKind::Choice { choices }),
            field("solar", "Solar", FieldKind::Toggle { first: false }),
        ];
        node("trial", 0, PanelContent::Form { fields, words: names("Try it", "Try it") })
    }

    fn say(en: &str) -> PanelNode {
        node(en, 0, PanelContent::Text { words: names(en, en), tone: Tone::Plain })
    }

    fn show(person: &mut Person, nodes: Vec<PanelNode>) {
        let panel = Box::new(column(nodes));
        person.state.apply(Event::Message(ServerMessage::PanelShown { panel }), 0.0);
        person.look();
    }

    fn sent(person: &mut Person) -> Option<UsePanel> {
        match std::mem::take(&mut person.wishes).pop() {
            Some(Action::Plugin(Order::Use(used))) => Some(used),
            None => None,
            Some(other) => panic!("{other:?} was not wished"),
        }
    }

    /// Fields are below their labels.
    fn click_below(person: &mut Person, label: &str) {
        let label = person.place(label);
        person.click(pos2(label.left() + 30.0, label.bottom() + 14.0));
    }

    #[test]
    fn what_is_entered_survives_that_the_panel_is_shown_anew_and_is_sent() {
        let mut person = Person::at(showing(column(vec![form(60)])), open(), Language::English, HIGH);
        click_below(&mut person, "Why");
        person.types("too ");
        person.click_on("Solar");
        click_below(&mut person, "Why");
        // Under the hands of who types the plugin puts words before the form.
        show(&mut person, vec![say("12 classes take part"), say("3 proposals"), form(60)]);
        person.types("hot");
        let number = person.place("26").center();
        person.click(number);
        person.types("28");
        person.enter();
        person.look();
        person.click_on("Try it");
        let used = sent(&mut person).unwrap();
        assert_eq!(
            (used.plugin.as_str(), used.panel.as_str(), used.node.as_str()),
            ("quest", "main", "trial")
        );
        assert_eq!(used.world, None, "the live world");
        let expected = [
            ("solar", Entered::Toggle(true)),
            ("t", Entered::Number(28.0)),
            ("where", Entered::Choice(0)),
            ("why", Entered::Text("too hot".into())),
        ];
        assert_eq!(used.fields, BTreeMap::from(expected.map(|(id, entered)| (id.to_owned(), entered))));
    }

    #[test]
    fn while_the_hub_is_asked_nothing_more_is_sent_and_its_refusal_is_read() {
        let mut person = Person::at(showing(column(vec![form(60)])), open(), Language::English, HIGH);
        click_below(&mut person, "Why");
        person.types("hot");
        person.click_on("Try it");
        let used = sent(&mut person).unwrap();
        let errand = Order::Use(used).errand();
        person.state.plugins.send(errand.clone(), None);
        person.look();
        assert!(person.sees("Asking the hub"));
        person.click_on("Try it");
        assert_eq!(sent(&mut person), None, "it waits");
        let came =
            |why: Option<&str>| Event::Plugin(PluginNews::Came(errand.clone(), why.map(str::to_owned)));
        person.state.apply(came(Some("one trial at a time")), 1.0);
        person.look();
        assert!(person.sees("one trial at a time"), "{:?}", person.all());
        person.click_on("Try it");
        let used = sent(&mut person).unwrap();
        assert_eq!(used.fields["why"], Entered::Text("hot".into()), "nothing is lost by a refusal");
        person.state.apply(came(None), 2.0);
        person.now_s = 2.0;
        person.look();
        assert!(person.sees("Done"));
        person.click_on("Try it");
        assert_eq!(sent(&mut person).unwrap().fields["why"], Entered::Text(String::new()), "said is said");
    }

    #[test]
    fn in_a_rehearsal_it_is_the_rehearsal_that_is_used_and_in_the_past_nothing() {
        let mut person = Person::at(showing(column(vec![form(60)])), open(), Language::English, HIGH);
        person.world = World::Rehearsal("rainstorm-1".into());
        person.click_on("Try it");
        assert_eq!(sent(&mut person).unwrap().world.as_deref(), Some("rainstorm-1"));
        person.world = World::Past { at_us: 0, rate: 0.0 };
        person.look();
        person.click_on("Try it");
        assert_eq!(sent(&mut person), None);
    }

    #[test]
    fn a_field_keeps_what_fits() {
        let number = |low, high, first| field("f", "f", FieldKind::Number { low, high, first });
        let choice = |n: usize| field("f", "f", FieldKind::Choice { choices: vec![names("c", "c"); n] });
        let text = |most| field("f", "f", FieldKind::Text { most });
        let said = |text: &str| Entered::Text(text.into());
        for (field, touched, expected) in [
            (number(0.0, 10.0, 4.0), None, Some(Entered::Number(4.0))),
            (number(0.0, 10.0, 40.0), None, Some(Entered::Number(10.0))),
            (number(0.0, 10.0, 4.0), Some(Entered::Number(12.0)), Some(Entered::Number(10.0))),
            (number(0.0, 10.0, 4.0), Some(said("x")), Some(Entered::Number(4.0))),
            (choice(3), Some(Entered::Choice(2)), Some(Entered::Choice(2))),
            (choice(2), Some(Entered::Choice(2)), Some(Entered::Choice(0))),
            (choice(0), Some(Entered::Choice(0)), None),
            (text(7), Some(said("二十六度")), Some(said("二十"))),
            (text(0), Some(said("x")), Some(said(""))),
            (field("f", "f", FieldKind::Toggle { first: true }), None, Some(Entered::Toggle(true))),
        ] {
            assert_eq!(standing(&field, touched.as_ref()), expected, "{field:?} {touched:?}");
        }
    }

    fn quiz(question: &str) -> PanelNode {
        let answers = ["The lights", "The air-conditioner", "The blackboard"].map(|a| names(a, a)).to_vec();
        node("quiz", 0, PanelContent::Quiz { question: names(question, question), answers })
    }

    #[test]
    fn an_answer_is_sent_and_marked_until_the_next_question() {
        let mut person = Person::at(showing(column(vec![quiz("Which?")])), open(), Language::English, HIGH);
        person.click_on("The air-conditioner");
        let used = sent(&mut person).unwrap();
        assert_eq!(used.fields, BTreeMap::from([("answer".to_owned(), Entered::Choice(1))]));
        let errand = Order::Use(used).errand();
        person.state.plugins.send(errand.clone(), None);
        show(&mut person, vec![say("14 have answered"), quiz("Which?")]);
        assert!(person.sees("√ The air-conditioner"), "{:?}", person.all());
        person.state.apply(Event::Plugin(PluginNews::Came(errand, None)), 1.0);
        show(&mut person, vec![quiz("And at night?")]);
        assert!(
            person.sees("The air-conditioner") && !person.sees("√"),
            "that question was not answered yet"
        );
    }

    #[test]
    fn what_was_pressed_is_what_is_sent_whatever_has_moved_under_the_pointer() {
        let button = |id: &str| node(id, 0, PanelContent::Button { words: names(id, id), tone: Tone::Plain });
        let mut person = Person::at(showing(column(vec![button("open")])), open(), Language::English, HIGH);
        let at = person.place("open").center();
        let press = |pressed| bevy_egui::egui::Event::PointerButton {
            pos: at,
            button: bevy_egui::egui::PointerButton::Primary,
            pressed,
            modifiers: Default::default(),
        };
        person.pass(vec![bevy_egui::egui::Event::PointerMoved(at), press(true)]);
        show(&mut person, vec![button("shut"), button("open")]);
        assert!(person.place("shut").contains(at), "another stands there now");
        person.pass(vec![press(false)]);
        person.pass(Vec::new());
        assert_eq!(sent(&mut person).unwrap().node, "open", "it is what the person saw when they pressed");
        person.click_on("shut");
        assert_eq!(sent(&mut person).unwrap().node, "shut");
    }
}
