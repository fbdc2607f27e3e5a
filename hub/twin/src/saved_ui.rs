//! Views that a person saved, and the tour through them.

use bevy_egui::egui::{Align, Button, Layout, RichText, ScrollArea, TextEdit, Ui};

use crate::prefs::{MOST_VIEWS, SavedView};
use crate::theme::{self, faint};
use crate::ui::{Action, Input, View};

/// A tour through saved views.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tour {
    /// Which view is next.
    pub next: usize,
    /// When it is gone to, in the app's seconds.
    pub at_s: f64,
}

/// How long a tour stays at a view, s.
pub const STAY_S: f64 = 12.0;

impl View {
    /// Where a tour goes now, if it is time.
    pub fn tour_step(&mut self, now_s: f64) -> Option<String> {
        let tour = self.tour.as_mut()?;
        if self.own.views.is_empty() {
            self.tour = None;
            return None;
        }
        if now_s < tour.at_s {
            return None;
        }
        let at = tour.next % self.own.views.len();
        *tour = Tour { next: at + 1, at_s: now_s + STAY_S };
        self.own.views.get(at).map(|view| view.address.clone())
    }
}

/// Draws the pane.
pub fn saved_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    ui.horizontal(|ui| {
        let room = (ui.available_width() - 90.0).max(80.0);
        let edit = TextEdit::singleline(&mut view.saved_name).hint_text(texts.t("saved-name")).char_limit(60);
        let response = ui.add(edit.desired_width(room));
        let entered = response.lost_focus() && ui.input(|i| i.key_pressed(bevy_egui::egui::Key::Enter));
        let name = view.saved_name.trim().to_owned();
        let may = !name.is_empty() && view.own.views.len() < MOST_VIEWS;
        if ui.add_enabled(may, Button::new(texts.t("saved-keep"))).clicked() || (entered && may) {
            actions.push(Action::SaveView(name));
            view.saved_name.clear();
        }
    });
    ui.horizontal(|ui| {
        if ui.button(texts.t("link-copy")).on_hover_text(texts.t("link-copy-hint")).clicked() {
            actions.push(Action::CopyLink);
        }
        let is_touring = view.tour.is_some();
        let text = texts.t(if is_touring { "tour-end" } else { "tour-begin" });
        if ui.add_enabled(!view.own.views.is_empty(), Button::selectable(is_touring, text)).clicked() {
            view.tour = (!is_touring).then_some(Tour { next: 0, at_s: input.now_s });
        }
    });
    ui.separator();
    if view.own.views.is_empty() {
        ui.label(RichText::new(texts.t("saved-none")).color(faint()));
    }
    let views: Vec<SavedView> = view.own.views.clone();
    ScrollArea::vertical().id_salt("saved").auto_shrink([false, false]).show(ui, |ui| {
        for (i, saved) in views.iter().enumerate() {
            ui.push_id(i, |ui| {
                ui.horizontal(|ui| {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        if theme::named(ui.small_button("×"), &texts.t("saved-forget")).clicked() {
                            view.own.views.remove(i);
                        }
                        let up = Button::new("↑").small();
                        if ui.add_enabled(i > 0, up).on_hover_text(texts.t("saved-up")).clicked() {
                            view.own.views.swap(i, i - 1);
                        }
                        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                            if ui.add(Button::selectable(false, &saved.name).truncate()).clicked() {
                                actions.push(Action::Open(saved.address.clone()));
                            }
                        });
                    });
                });
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Language;
    use crate::person::Person;
    use crate::place::{Dock, Pane, WorkPlace};
    use crate::state::tests::live_state;

    #[test]
    fn views_are_saved_by_name_and_toured_one_after_the_other() {
        let mut dock = Dock::at(WorkPlace::Monitor);
        dock.open(Pane::Saved);
        let view = View { dock, saved_name: "Gate in the morning".into(), ..View::default() };
        let mut person = Person::at(live_state(), view, Language::English, [1280.0, 720.0]);
        person.click_on("Save");
        assert_eq!(std::mem::take(&mut person.wishes), [Action::SaveView("Gate in the morning".into())]);
        for name in ["a", "b"] {
            let address = format!("at={name}");
            person.view.own.views.push(SavedView { name: name.into(), address });
        }
        person.look();
        person.click_on("b");
        assert_eq!(std::mem::take(&mut person.wishes), [Action::Open("at=b".into())]);
        person.click_on("Start the tour");
        let at: Vec<_> = (0..4).map(|i| person.view.tour_step(1.0 + STAY_S * f64::from(i))).collect();
        assert_eq!(
            at.iter().map(|a| a.as_deref().unwrap()).collect::<Vec<_>>(),
            ["at=a", "at=b", "at=a", "at=b"]
        );
        assert_eq!(person.view.tour_step(1.0), None, "it stays for a while");
    }
}
