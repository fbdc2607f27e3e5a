//! The list of alarms: what, how urgent, since when; go there, acknowledge.

use bevy_egui::egui::{Align2, Context, Rect, RichText, ScrollArea, TextEdit, Ui, pos2};
use campanile_protocol::{AlarmInfo, AlarmPriority, AlarmState};

use crate::locale::Texts;
use crate::plugins_ui::plugin_name;
use crate::theme::{self, faint};
use crate::ui::{Action, Input, View, acting_button_ui, card_ui, heading_ui};
use crate::units::time_text;

/// An acknowledgement being written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AckDraft {
    /// The alarm's id.
    pub alarm: String,
    /// What was seen or done.
    pub comment: String,
    /// Whether its field has had the keys.
    pub is_focused: bool,
}

/// Which alarms are listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmsView {
    /// What has to stand in their names or places.
    pub text: String,
    /// The priority; `None`: all.
    pub priority: Option<AlarmPriority>,
    /// Whether only those that wait for a person.
    pub only_new: bool,
    /// Whether those of the past are listed instead of those in force.
    pub is_past: bool,
    /// What is said of all that are listed, while they are acknowledged together.
    pub all: Option<String>,
}

impl AlarmsView {
    fn lists(&self, alarm: &AlarmInfo, input: &Input<'_>) -> bool {
        let place = input
            .index()
            .and_then(|index| index.catalogue.entities.get(index.nearest(alarm.entity.as_str())? as usize));
        let place = place.map(|place| format!("{} {}", place.names.zh, place.names.en)).unwrap_or_default();
        let text = format!("{} {} {place} {}", alarm.names.zh, alarm.names.en, alarm.entity.as_str());
        let words: Vec<String> = self.text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let text = text.to_lowercase();
        self.priority.is_none_or(|priority| alarm.priority == priority)
            && (!self.only_new || alarm.state.needs_acknowledgement())
            && words.iter().all(|word| text.contains(word))
    }
}

/// Draws the pane: alarms in force, filtered, and one word for all that are listed.
pub fn alarms_pane_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let all = input.state.alarms_by_urgency();
    let hint = texts.t("alarms-filter");
    let edit = TextEdit::singleline(&mut view.alarms.text).hint_text(hint).char_limit(60);
    ui.add(edit.desired_width(f32::INFINITY));
    ui.horizontal_wrapped(|ui| {
        ui.selectable_value(&mut view.alarms.priority, None, texts.t("alarms-all"));
        for priority in
            [AlarmPriority::Critical, AlarmPriority::High, AlarmPriority::Medium, AlarmPriority::Low]
        {
            let count = all.iter().filter(|alarm| alarm.priority == priority).count();
            let text = format!("{} {count}", priority_text(priority, texts));
            let text = RichText::new(text).color(theme::priority_colour(priority));
            ui.selectable_value(&mut view.alarms.priority, Some(priority), text);
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.selectable_value(&mut view.alarms.is_past, false, texts.t("alarms-in-force"));
        ui.selectable_value(&mut view.alarms.is_past, true, texts.t("alarms-past"));
        if view.alarms.is_past {
            crate::drill_ui::spans_ui(ui, view, texts);
        } else {
            ui.checkbox(&mut view.alarms.only_new, texts.t("alarms-only-new"));
        }
    });
    if view.alarms.is_past {
        journal_ui(ui, input, view, actions);
        return;
    }
    let listed: Vec<&AlarmInfo> = all.into_iter().filter(|alarm| view.alarms.lists(alarm, input)).collect();
    let waiting: Vec<&str> =
        listed.iter().filter(|a| a.state.needs_acknowledgement()).map(|a| a.id.as_str()).collect();
    if waiting.len() > 1 {
        let count = waiting.len().to_string();
        match view.alarms.all.as_mut() {
            None => {
                if acting_button_ui(ui, input, &texts.with("alarms-acknowledge-all", &[("count", &count)]))
                    .clicked()
                {
                    view.alarms.all = Some(String::new());
                }
            }
            Some(comment) => {
                let hint = texts.t("alarm-comment");
                ui.add(
                    TextEdit::singleline(comment)
                        .hint_text(hint)
                        .char_limit(120)
                        .desired_width(f32::INFINITY),
                );
                let mut is_done = false;
                ui.horizontal(|ui| {
                    // Many at once is worth a word.
                    let may = !comment.trim().is_empty();
                    let text = texts.with("alarms-acknowledge-all", &[("count", &count)]);
                    if ui.add_enabled(may, bevy_egui::egui::Button::new(text)).clicked() {
                        actions.extend(waiting.iter().map(|id| Action::Acknowledge {
                            alarm: (*id).to_owned(),
                            comment: comment.clone(),
                        }));
                        is_done = true;
                    }
                    is_done |= ui.button(texts.t("command-cancel")).clicked();
                });
                if is_done {
                    view.alarms.all = None;
                }
            }
        }
    }
    ui.separator();
    if listed.is_empty() {
        ui.label(RichText::new(texts.t("alarms-none")).color(faint()));
    }
    ScrollArea::vertical().id_salt("alarms-pane").auto_shrink([false, false]).show(ui, |ui| {
        for alarm in listed.into_iter().take(300) {
            alarm_ui(ui, alarm, input, view, actions);
            ui.separator();
        }
    });
}

/// How alarms turned, the newest first.
fn journal_ui(ui: &mut Ui, input: &Input<'_>, view: &View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let past = AlarmsView { only_new: false, ..view.alarms.clone() };
    let turns = input.state.journal.iter().filter(|turn| past.lists(&turn.alarm, input));
    ScrollArea::vertical().id_salt("journal").auto_shrink([false, false]).show(ui, |ui| {
        let mut count = 0;
        for turn in turns.take(500) {
            count += 1;
            ui.push_id(turn.number, |ui| {
                let clock = time_text(turn.time_us, input.timezone(), "%m-%d %H:%M:%S");
                ui.horizontal(|ui| {
                    theme::badge_ui(
                        ui,
                        &priority_text(turn.alarm.priority, texts),
                        theme::priority_colour(turn.alarm.priority),
                    );
                    ui.add(bevy_egui::egui::Label::new(texts.name(&turn.alarm.names)).truncate());
                });
                ui.horizontal_wrapped(|ui| {
                    let by = turn.alarm.acknowledged_by.as_deref().unwrap_or_default();
                    let state = state_text(turn.alarm.state, texts);
                    ui.label(RichText::new(format!("{clock} · {state}  {by}")).small().color(faint()));
                    let place = input.index().and_then(|index| {
                        index.catalogue.entities.get(index.nearest(turn.alarm.entity.as_str())? as usize)
                    });
                    let place = place.map_or(turn.alarm.entity.as_str(), |place| texts.name(&place.names));
                    if ui.link(RichText::new(place).small()).clicked() {
                        actions.push(Action::FlyTo(turn.alarm.entity.as_str().to_owned()));
                    }
                });
                ui.separator();
            });
        }
        if count == 0 {
            ui.label(RichText::new(texts.t("alarms-none-past")).color(faint()));
        }
    });
}

/// The name of a priority.
pub fn priority_text(priority: AlarmPriority, texts: &Texts) -> String {
    match priority {
        AlarmPriority::Critical => texts.t("priority-critical"),
        AlarmPriority::High => texts.t("priority-high"),
        AlarmPriority::Medium => texts.t("priority-medium"),
        AlarmPriority::Low => texts.t("priority-low"),
    }
}

fn state_text(state: AlarmState, texts: &Texts) -> String {
    match state {
        AlarmState::Unacknowledged => texts.t("state-unacknowledged"),
        AlarmState::Acknowledged => texts.t("state-acknowledged"),
        AlarmState::ReturnedUnacknowledged => texts.t("state-returned-unacknowledged"),
        AlarmState::Normal => texts.t("state-normal"),
        AlarmState::Shelved => texts.t("state-shelved"),
        AlarmState::Suppressed => texts.t("state-suppressed"),
        AlarmState::OutOfService => texts.t("state-out-of-service"),
    }
}

/// How much room the list may take.
pub fn height(screen: Rect) -> f32 {
    (screen.height() * 0.28).clamp(110.0, 420.0)
}

/// Draws the list in the lower left corner.
pub fn alarms_ui(ctx: &Context, screen: Rect, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let at = pos2(screen.left() + 12.0, screen.bottom() - 12.0);
    card_ui(ctx, "alarms", Align2::LEFT_BOTTOM, at, 206.0, |ui| {
        let alarms = input.state.alarms_by_urgency();
        ui.horizontal(|ui| {
            heading_ui(ui, &texts.t("alarms"));
            if !alarms.is_empty() {
                theme::badge_ui(ui, &alarms.len().to_string(), theme::bad());
            }
        });
        if alarms.is_empty() {
            ui.label(RichText::new(texts.t("alarms-none")).color(faint()));
            return;
        }
        let height = height(screen);
        ScrollArea::vertical().id_salt("alarms").max_height(height).min_scrolled_height(height).show(
            ui,
            |ui| {
                // A flood of alarms is for the control room's own list; here the most urgent stand.
                for alarm in alarms.iter().take(100) {
                    alarm_ui(ui, alarm, input, view, actions);
                    ui.separator();
                }
            },
        );
    });
}

fn alarm_ui(ui: &mut Ui, alarm: &AlarmInfo, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    ui.push_id(&alarm.id, |ui| {
        ui.horizontal(|ui| {
            theme::badge_ui(
                ui,
                &priority_text(alarm.priority, texts),
                theme::priority_colour(alarm.priority),
            );
            ui.label(RichText::new(texts.name(&alarm.names)).strong());
        });
        let place = input
            .index()
            .and_then(|index| index.catalogue.entities.get(index.nearest(alarm.entity.as_str())? as usize))
            .map_or_else(|| alarm.entity.as_str().to_owned(), |e| texts.name(&e.names).to_owned());
        if let Some(detail) = &alarm.detail {
            ui.label(RichText::new(texts.name(detail)).small());
        }
        ui.label(place);
        if let Some(plugin) = plugin_of(alarm) {
            let name = plugin_name(&input.state.plugins, plugin, texts);
            let from = texts.with("alarm-of-plugin", &[("name", name)]);
            ui.label(RichText::new(from).small().color(faint()));
        }
        let since = time_text(alarm.raised_us, input.timezone(), "%m-%d %H:%M");
        let since = texts.with("alarms-since", &[("time", &since)]);
        let line = format!("{} · {since}", state_text(alarm.state, texts));
        ui.label(RichText::new(line).small().color(faint()));
        if let Some(text) = hidden_text(alarm, input) {
            ui.label(RichText::new(text).small().color(faint()));
        }
        let is_drafting = view.acknowledging.as_ref().is_some_and(|draft| draft.alarm == alarm.id);
        if is_drafting && let Some(draft) = view.acknowledging.as_mut() {
            let hint = texts.t("alarm-comment");
            let field = ui.add(
                TextEdit::singleline(&mut draft.comment)
                    .hint_text(hint)
                    .char_limit(120)
                    .desired_width(f32::INFINITY),
            );
            // What is typed is meant for it: elsewhere letters are keys.
            if !std::mem::replace(&mut draft.is_focused, true) {
                field.request_focus();
            }
        }
        ui.horizontal(|ui| {
            if ui.small_button(texts.t("alarm-go")).clicked() {
                actions.push(Action::FlyTo(alarm.entity.as_str().to_owned()));
            }
            if alarm.state.needs_acknowledgement()
                && acting_button_ui(ui, input, &texts.t("alarm-acknowledge")).clicked()
            {
                // The first press asks for a word, the second sends.
                match view.acknowledging.take_if(|draft| draft.alarm == alarm.id) {
                    Some(draft) => {
                        actions.push(Action::Acknowledge { alarm: draft.alarm, comment: draft.comment });
                    }
                    None => {
                        view.acknowledging = Some(AckDraft {
                            alarm: alarm.id.clone(),
                            comment: String::new(),
                            is_focused: false,
                        })
                    }
                }
            }
            // What is hidden needs a reason: the word that was asked for.
            if is_drafting
                && view.acknowledging.as_ref().is_some_and(|draft| !draft.comment.trim().is_empty())
                && ui
                    .small_button(texts.t("alarm-shelve"))
                    .on_hover_text(texts.t("alarm-shelve-hint"))
                    .clicked()
                && let Some(draft) = view.acknowledging.take()
            {
                actions.push(Action::Shelve { alarm: draft.alarm, reason: draft.comment });
            }
            if alarm.state == AlarmState::Shelved
                && acting_button_ui(ui, input, &texts.t("alarm-unshelve")).clicked()
            {
                actions.push(Action::Unshelve { alarm: alarm.id.clone() });
            }
        });
    });
}

/// The plugin that raised an alarm: the id of such an alarm is `plugin/PLUGIN#ALARM@ENTITY`.
fn plugin_of(alarm: &AlarmInfo) -> Option<&str> {
    Some(alarm.id.strip_prefix("plugin/")?.split_once('#')?.0)
}

/// By whom or what, until when and why an alarm is hidden.
fn hidden_text(alarm: &AlarmInfo, input: &Input<'_>) -> Option<String> {
    let mut parts: Vec<String> = alarm.hidden_by.iter().cloned().collect();
    if let Some(until) = alarm.hidden_until_us {
        let time = time_text(until, input.timezone(), "%m-%d %H:%M");
        parts.push(input.texts.with("alarm-until", &[("time", &time)]));
    }
    parts.extend(alarm.hidden_reason.iter().cloned());
    (!parts.is_empty()).then(|| parts.join(" · "))
}
