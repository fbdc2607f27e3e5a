//! The panels as an assistive program meets them: by names, roles and keys, without a picture (`egui_kittest`).

use std::collections::BTreeSet;

use bevy_egui::egui::accesskit::Role;
use bevy_egui::egui::{Key, Modifiers, vec2};
use campanile_protocol::{AlarmPriority, AlarmState, CommandInfo, JsonValue, ServerMessage};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::lens::{Lens, Shown};
use crate::locale::{Language, Texts};
use crate::place::{Dock, Pane, WorkPlace};
use crate::rooms::RoomPoints;
use crate::state::tests::{alarm, catalogue, live_state};
use crate::state::{Event, State, World};
use crate::storeys::Storeys;
use crate::theme;
use crate::ui::{Action, Input, View, twin_ui};

/// Somebody before the panels.
struct Reader {
    state: State,
    view: View,
    texts: Texts,
    is_dressed: bool,
    wishes: Vec<Action>,
}

/// A campus with an alarm and a point that can be commanded.
fn campus() -> State {
    let mut catalogue = catalogue();
    catalogue.points[0].command = Some(CommandInfo {
        limits: Some([400.0, 2000.0]),
        min_interval_s: 1.0,
        safe: JsonValue::Number(400.0),
        readback: None,
        weakest_priority: None,
    });
    let mut state = live_state();
    state.apply(Event::Catalogue(Box::new(catalogue)), 0.0);
    state.apply(Event::Message(ServerMessage::Welcome { actor: "anna".into(), can_operate: true }), 0.0);
    let alarms = vec![alarm("x", AlarmPriority::High, AlarmState::Unacknowledged, 0)];
    state.apply(Event::Message(ServerMessage::AlarmList { alarms }), 0.0);
    state
}

fn before(view: View, language: Language) -> Harness<'static, Reader> {
    let reader =
        Reader { state: campus(), view, texts: Texts::new(language), is_dressed: false, wishes: Vec::new() };
    let mut harness = Harness::builder().with_size(vec2(1024.0, 640.0)).with_max_steps(60).build_ui_state(
        |ui, reader: &mut Reader| {
            if !std::mem::replace(&mut reader.is_dressed, true) {
                theme::dress(ui.ctx());
                return;
            }
            let rooms = reader.state.index.as_deref().map(RoomPoints::find).unwrap_or_default();
            let input = Input {
                state: &reader.state,
                rooms: &rooms,
                storeys: &Storeys::default(),
                texts: &reader.texts,
                labels: &[],
                lens: &Shown::default(),
                scene_problem: None,
                is_scene_here: true,
                now_s: 1.0,
                world: &World::Live,
            };
            reader.wishes.extend(twin_ui(ui, &input, &mut reader.view).0);
        },
        reader,
    );
    harness.run_steps(6);
    harness
}

fn chosen(place: WorkPlace, pane: Pane) -> View {
    let mut view = View { dock: Dock::at(place), ..View::default() };
    view.select(Some("a/1f/101".into()));
    view.dock.open(pane);
    view
}

/// Controls that say nothing of themselves.
fn nameless(harness: &Harness<'_, Reader>) -> BTreeSet<String> {
    const CONTROLS: [Role; 9] = [
        Role::Button,
        Role::CheckBox,
        Role::ComboBox,
        Role::Slider,
        Role::SpinButton,
        Role::TextInput,
        Role::MultilineTextInput,
        Role::RadioButton,
        Role::Link,
    ];
    harness
        .root()
        .children_recursive()
        .filter_map(|node| {
            let node = node.accesskit_node();
            let is_named = [node.label(), node.value(), node.placeholder().map(Into::into)]
                .iter()
                .flatten()
                .any(|text| text.chars().any(char::is_alphanumeric));
            // Arrows beside tabs that have no room are egui_tiles' own; each pane is also in the menu beside them.
            let is_arrow = node.label().is_some_and(|label| label == "\u{23f5}" || label == "\u{23f4}");
            (CONTROLS.contains(&node.role()) && !is_named && !is_arrow).then(|| {
                format!(
                    "{:?} {:?} at {:?}",
                    node.role(),
                    node.label(),
                    node.bounding_box().map(|b| (b.x0, b.y0))
                )
            })
        })
        .collect()
}

#[test]
fn every_control_says_what_it_is_in_both_languages() {
    for language in Language::ALL {
        for pane in Pane::ALL {
            let place = match pane {
                Pane::Drill => WorkPlace::Drill,
                Pane::Learn => WorkPlace::Learn,
                Pane::Plugins => WorkPlace::Build,
                _ => WorkPlace::Monitor,
            };
            let mut view = chosen(place, pane);
            view.past_open = true;
            view.toggle_pin("a/1f/101/co2");
            let harness = before(view, language);
            assert_eq!(nameless(&harness), BTreeSet::new(), "{language:?} {pane:?}");
        }
    }
}

#[test]
fn a_layer_is_chosen_by_its_name() {
    for (language, name) in [(Language::English, "Water"), (Language::Chinese, "用水")] {
        let mut harness = before(View::default(), language);
        harness.get_all_by_label(name).next().unwrap().click();
        harness.run_steps(4);
        assert!(harness.state().wishes.contains(&Action::Lens(Some(Lens::Water))), "{language:?}");
    }
}

#[test]
fn a_room_is_found_by_keys_alone() {
    let mut harness = before(View::default(), Language::English);
    harness.key_press_modifiers(Modifiers { ctrl: true, command: true, ..Modifiers::default() }, Key::K);
    harness.run_steps(4);
    for sign in ["1", "0", "1"] {
        harness.event(bevy_egui::egui::Event::Text(sign.into()));
        harness.run_steps(2);
    }
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert!(
        harness.state().wishes.iter().any(|wish| matches!(wish, Action::FlyTo(path) if path == "a/1f/101")),
        "{:?}",
        harness.state().wishes
    );
}

#[test]
fn an_override_is_written_by_names_alone_and_needs_a_reason() {
    let mut harness = before(chosen(WorkPlace::Monitor, Pane::Details), Language::English);
    harness.get_by_label("Override").click();
    harness.run_steps(4);
    assert!(harness.state().view.draft.is_some());
    let send = |harness: &mut Harness<'_, Reader>| {
        harness
            .get_all_by_role(Role::Button)
            .rfind(|n| n.accesskit_node().label().as_deref() == Some("Send"))
            .unwrap()
            .click();
        harness.run_steps(4);
    };
    send(&mut harness);
    let is_sent = |harness: &Harness<'_, Reader>| {
        harness.state().wishes.iter().any(|wish| matches!(wish, Action::Write { .. }))
    };
    assert!(!is_sent(&harness), "nobody overrides without a reason");
    if let Some(draft) = &mut harness.state_mut().view.draft {
        draft.reason = "exam".into();
    }
    harness.run_steps(2);
    send(&mut harness);
    assert!(is_sent(&harness), "{:?}", harness.state().wishes);
}
