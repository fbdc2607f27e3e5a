//! Keys: what they do, and the page that says it.

use bevy_egui::egui::{Align2, Area, Context, Grid, Id, Key, Modifiers, Order, Rect, RichText, ScrollArea};

use crate::place::WorkPlace;
use crate::sight::Sight;
use crate::state::World;
use crate::theme::{self, accent, faint};
use crate::ui::{Action, Input, View};

/// The keys and what they do, by the key of the text; the camera's are drawn here and read where the camera is moved.
const KEYS: [(&str, &str); 20] = [
    ("Ctrl K  /", "key-search"),
    ("1 2 3 4", "key-places"),
    ("Esc", "key-escape"),
    ("F", "key-fly"),
    ("H", "key-overview"),
    ("[  ]", "key-back"),
    ("X", "key-xray"),
    ("I", "key-isolate"),
    ("O", "key-explode"),
    ("PgUp  PgDn", "key-storeys"),
    ("T", "key-time"),
    ("L", "key-live"),
    ("Space", "key-pause"),
    (",  .", "key-step"),
    ("Ctrl Z", "key-undo"),
    ("Ctrl +  Ctrl −", "key-text"),
    ("N", "key-dark"),
    ("W A S D  Q E", "key-move"),
    ("Tab", "key-tab"),
    ("?  F1", "key-help"),
];

/// Does what keys say. Nothing while somebody types.
pub fn keys(ctx: &Context, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let pressed = |modifiers: Modifiers, key: Key| ctx.input_mut(|i| i.consume_key(modifiers, key));
    let (plain, command) = (Modifiers::NONE, Modifiers::COMMAND);
    if pressed(command, Key::K) {
        view.toggle_palette();
        return;
    }
    if pressed(command, Key::Plus) || pressed(command, Key::Equals) {
        view.scale_text(true);
    }
    if pressed(command, Key::Minus) {
        view.scale_text(false);
    }
    if pressed(command, Key::Num0) {
        view.text_scale = 1.0;
    }
    if ctx.egui_wants_keyboard_input() || view.palette.is_some() {
        return;
    }
    if pressed(command, Key::Z) {
        actions.push(Action::Undo);
    }
    if pressed(Modifiers::SHIFT, Key::Slash) || pressed(plain, Key::Questionmark) || pressed(plain, Key::F1) {
        view.help_open = !view.help_open;
        return;
    }
    if pressed(plain, Key::Slash) {
        view.toggle_palette();
        return;
    }
    if pressed(plain, Key::Escape) {
        view.tour = None;
        if view.help_open {
            view.help_open = false;
        } else if view.draft.take().is_none() && view.acknowledging.take().is_none() {
            if view.selected.is_some() {
                actions.push(Action::Select(None));
            } else {
                view.dock.is_open = false;
            }
        }
    }
    for (key, place) in [Key::Num1, Key::Num2, Key::Num3, Key::Num4].into_iter().zip(WorkPlace::ALL) {
        if pressed(plain, key) {
            view.dock.go(place);
        }
    }
    let mut toggle = |key: Key, sight: Sight| {
        if pressed(plain, key) {
            view.sight = if view.sight == sight { Sight::Solid } else { sight };
        }
    };
    toggle(Key::X, Sight::XRay);
    toggle(Key::I, Sight::Isolate);
    toggle(Key::O, Sight::Explode);
    if pressed(plain, Key::F)
        && let Some(path) = view.selected.clone()
    {
        actions.push(Action::FlyTo(path));
    }
    if pressed(plain, Key::H) {
        actions.push(Action::View("overview".into()));
    }
    if pressed(plain, Key::OpenBracket) {
        actions.push(Action::Back(true));
    }
    if pressed(plain, Key::CloseBracket) {
        actions.push(Action::Back(false));
    }
    if pressed(plain, Key::N) {
        view.is_dark = !view.is_dark;
    }
    for (key, step) in [(Key::PageUp, 1), (Key::PageDown, -1)] {
        if pressed(plain, key) {
            let (low, high) = input.storeys.levels(view.slice.building.as_deref());
            // One above the highest is the whole.
            let at = (view.slice.level.unwrap_or(high + 1) + step).clamp(low, high + 1);
            let level = (at <= high).then_some(at);
            actions
                .push(Action::Slice(crate::storeys::Slice { building: view.slice.building.clone(), level }));
        }
    }
    if pressed(plain, Key::T) {
        view.past_open = !view.past_open;
    }
    if pressed(plain, Key::L) && *input.world != World::Live {
        actions.push(Action::Follow(World::Live));
    }
    let Some(now_us) = input.state.time_us(input.now_s) else { return };
    if pressed(plain, Key::Space)
        && let World::Live | World::Past { .. } = input.world
    {
        let rate = match input.world {
            World::Past { rate, .. } if *rate == 0.0 => 1.0,
            _ => 0.0,
        };
        view.past_open = true;
        actions.push(Action::Follow(World::Past { at_us: now_us, rate }));
    }
    const STEP_US: i64 = 300_000_000;
    for (key, step) in [(Key::Comma, -STEP_US), (Key::Period, STEP_US)] {
        let may = matches!(input.world, World::Past { .. }) || (step < 0 && *input.world == World::Live);
        if pressed(plain, key) && may {
            let rate = if let World::Past { rate, .. } = input.world { *rate } else { 0.0 };
            view.past_open = true;
            let at_us = (now_us + step).min(view.newest_us.max(now_us));
            actions.push(Action::Follow(World::Past { at_us, rate }));
        }
    }
}

/// Draws the page of keys while it is open.
pub fn help_ui(ctx: &Context, screen: Rect, input: &Input<'_>, view: &mut View) {
    if !view.help_open {
        return;
    }
    let texts = input.texts;
    Area::new(Id::new("help"))
        .fade_in(false)
        .order(Order::Foreground)
        .pivot(Align2::CENTER_CENTER)
        .fixed_pos(screen.center())
        .show(ctx, |ui| {
            theme::card().show(ui, |ui| {
                ui.set_width((screen.width() - 80.0).min(620.0));
                ui.horizontal(|ui| {
                    ui.label(RichText::new(texts.t("help-title")).heading().strong());
                    ui.with_layout(
                        bevy_egui::egui::Layout::right_to_left(bevy_egui::egui::Align::Center),
                        |ui| {
                            if theme::named(ui.small_button("×"), &texts.t("details-close")).clicked() {
                                view.help_open = false;
                            }
                        },
                    );
                });
                ui.label(RichText::new(texts.t("help-mouse")).color(faint()));
                ui.add_space(6.0);
                let height = (screen.height() - 200.0).max(160.0);
                ScrollArea::vertical().id_salt("help").max_height(height).auto_shrink([false, true]).show(
                    ui,
                    |ui| {
                        Grid::new("keys").num_columns(4).spacing([14.0, 6.0]).show(ui, |ui| {
                            let half = KEYS.len().div_ceil(2);
                            for i in 0..half {
                                for (key, text) in [KEYS.get(i), KEYS.get(i + half)].into_iter().flatten() {
                                    ui.label(RichText::new(*key).monospace().color(accent()));
                                    ui.add(bevy_egui::egui::Label::new(texts.t(text)).wrap());
                                }
                                ui.end_row();
                            }
                        });
                    },
                );
            });
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Language;
    use crate::person::Person;
    use crate::state::tests::live_state;

    fn press(person: &mut Person, modifiers: Modifiers, key: Key) {
        person.press(modifiers, key);
        person.look();
    }

    #[test]
    fn keys_do_what_the_page_of_keys_says() {
        let mut person = Person::at(live_state(), View::default(), Language::English, [1280.0, 720.0]);
        let plain = Modifiers::NONE;
        press(&mut person, plain, Key::F1);
        assert!(person.sees("Search everything"), "{:?}", person.all());
        assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
        press(&mut person, plain, Key::Escape);
        assert!(!person.view.help_open);
        press(&mut person, plain, Key::X);
        assert_eq!(person.view.sight, Sight::XRay);
        press(&mut person, plain, Key::X);
        assert_eq!(person.view.sight, Sight::Solid);
        press(&mut person, plain, Key::Num2);
        assert_eq!(person.view.dock.place, WorkPlace::Drill);
        press(&mut person, plain, Key::Comma);
        let at_us = 1_000_000 + 1_000_000 - 300_000_000;
        assert_eq!(person.wishes.pop(), Some(Action::Follow(World::Past { at_us, rate: 0.0 })));
        person.world = World::Past { at_us, rate: 0.0 };
        press(&mut person, plain, Key::L);
        assert_eq!(person.wishes.pop(), Some(Action::Follow(World::Live)));
        press(&mut person, Modifiers::COMMAND, Key::K);
        assert!(person.view.palette.is_some());
        person.types("x");
        press(&mut person, plain, Key::X);
        assert_eq!(person.view.sight, Sight::Solid, "who types does nothing else");
    }

    #[test]
    fn the_page_of_keys_has_room_in_both_languages_on_a_small_screen() {
        for language in Language::ALL {
            let view = View { help_open: true, ..View::default() };
            let person = Person::at(live_state(), view, language, [1024.0, 640.0]);
            assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
        }
    }
}
