//! The Drill page: choose, look ahead, begin, pace, act, branch, report.

use bevy::color::ColorToComponents as _;
use bevy_egui::egui::{
    Align2, Color32, Context, Rect, RichText, ScrollArea, Sense, Shape, Slider, Stroke, Ui, pos2, vec2,
};
use campanile_protocol::AgentState;
use campanile_protocol::people::Role;
use campanile_protocol::rehearsal::{
    ActRequest, BegunAction, BranchRequest, DecideRequest, DrillAction, DrillInfo, DrillQuestion,
    RehearsalInfo, RehearsalOrigin, RehearsalState, SetPace, StartRehearsal,
};

use crate::layers3d::{DEPTH_COLOURS, figure_colour};
use crate::locale::Texts;
use crate::net::Ask;
use crate::place::WorkPlace;
use crate::sign_in_ui::role_text;
use crate::state::World;
use crate::theme::{self, accent, bad, faint, good, warn};
use crate::ui::{Action, Input, View, card_ui, heading_ui};

/// The paces that have a button; the last is as fast as the machine can.
const PACES: [(f64, &str); 6] =
    [(1.0, "1×"), (10.0, "10×"), (60.0, "60×"), (300.0, "300×"), (3600.0, "3600×"), (1e9, "max")];

/// Draws the pane.
pub fn drill_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    ScrollArea::vertical().id_salt("drill").auto_shrink([false, false]).show(ui, |ui| {
        match (&input.state.rehearsal, rehearsal_followed(input)) {
            (Some(state), Some(_)) => running_ui(ui, input, state, actions),
            (None, Some(id)) => {
                ui.label(RichText::new(id).small().color(faint()));
                ui.spinner();
            }
            _ => choose_ui(ui, input, view, actions),
        }
    });
}

/// Whether the role of who looks lets them begin and end rehearsals; the hub decides.
fn may_rehearse(input: &Input<'_>) -> bool {
    input.state.me.as_ref().is_none_or(|me| !matches!(me.role, Role::Student | Role::Viewer | Role::Vendor))
}

/// The id of the rehearsal that is followed.
pub fn rehearsal_followed<'a>(input: &Input<'a>) -> Option<&'a str> {
    match input.world {
        World::Rehearsal(id) => Some(id),
        _ => None,
    }
}

fn choose_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    heading_ui(ui, &texts.t("drill-rehearsals"));
    if input.state.rehearsals.is_empty() {
        ui.label(RichText::new(texts.t("drill-none-running")).color(faint()));
    }
    for info in &input.state.rehearsals {
        rehearsal_row_ui(ui, input, info, actions);
    }
    ui.separator();
    heading_ui(ui, &texts.t("drill-choose"));
    let Some(drills) = &input.state.drills else {
        ui.spinner();
        return;
    };
    if drills.is_empty() {
        ui.label(RichText::new(texts.t("drill-none")).color(faint()));
    }
    for drill in drills {
        let open = view.drill.as_deref() == Some(&drill.id);
        if ui.selectable_label(open, RichText::new(texts.name(&drill.names)).strong()).clicked() {
            view.drill = (!open).then(|| drill.id.clone());
        }
        if open {
            preview_ui(ui, input, drill, actions);
        }
    }
}

fn rehearsal_row_ui(ui: &mut Ui, input: &Input<'_>, info: &RehearsalInfo, actions: &mut Vec<Action>) {
    let texts = input.texts;
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&info.id).strong());
        match (&info.busy, &info.failed) {
            (_, Some(why)) => {
                theme::badge_ui(ui, &texts.t("drill-failed"), bad());
                ui.label(RichText::new(why).small().color(bad()));
            }
            (Some(busy), _) => {
                let text =
                    texts.t(if busy.what == "branching" { "drill-branching" } else { "drill-opening" });
                theme::badge_ui(ui, &format!("{text} {:.0} %", busy.share * 100.0), warn());
            }
            _ => {
                ui.label(RichText::new(clock_text(info.now_s)).color(faint()));
                if ui.button(texts.t("drill-follow")).clicked() {
                    actions.push(Action::Follow(World::Rehearsal(info.id.clone())));
                }
            }
        }
        if let Some(of) = &info.branch_of {
            let text = texts.with("drill-branch-of", &[("id", &of.id), ("at", &clock_text(of.at_s))]);
            ui.label(RichText::new(text).small().color(faint()));
        }
        let end = bevy_egui::egui::Button::new("×").small();
        if theme::named(ui.add_enabled(may_rehearse(input), end), &texts.t("drill-end")).clicked() {
            actions.push(Action::Drill(Ask::End(info.id.clone())));
        }
    });
}

fn preview_ui(ui: &mut Ui, input: &Input<'_>, drill: &DrillInfo, actions: &mut Vec<Action>) {
    let texts = input.texts;
    for problem in &drill.problems {
        ui.label(RichText::new(problem).small().color(bad()));
    }
    if !drill.problems.is_empty() {
        return;
    }
    ui.label(texts.name(&drill.summary));
    let minutes = format!("{:.0}", drill.duration_s / 60.0);
    let people = drill.people.to_string();
    let text = texts.with("drill-extent", &[("minutes", &minutes), ("people", &people)]);
    ui.label(RichText::new(text).color(faint()));
    curve_ui(ui, &texts.t("drill-rain"), &drill.rain_mm_h, drill.duration_s, Color32::from_rgb(31, 120, 180));
    curve_ui(ui, &texts.t("drill-river"), &drill.river_m, drill.duration_s, Color32::from_rgb(27, 120, 110));
    heading_ui(ui, &texts.t("drill-levels"));
    for level in &drill.levels {
        ui.horizontal_wrapped(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            ui.painter().rect_filled(rect, 3.0, colour_of(&level.colour));
            ui.label(texts.name(&level.names));
            let measures: Vec<&str> = level.measures.iter().map(|m| texts.name(m)).collect();
            ui.label(RichText::new(measures.join(" · ")).small().color(faint()));
        });
    }
    heading_ui(ui, &texts.t("drill-objectives"));
    for objective in &drill.objectives {
        ui.label(
            RichText::new(format!("{} ({:.0})", texts.name(&objective.names), objective.points)).small(),
        );
    }
    ui.horizontal_wrapped(|ui| {
        let begin = |from, at_us| {
            Action::Drill(Ask::Begin(StartRehearsal {
                drill: drill.id.clone(),
                seed: None,
                from,
                at_us,
                rate: 0.0,
                decline: Vec::new(),
            }))
        };
        let text = RichText::new(texts.t("drill-begin")).color(Color32::WHITE);
        let may = may_rehearse(input);
        if ui.add_enabled(may, bevy_egui::egui::Button::new(text).fill(accent())).clicked() {
            actions.push(begin(RehearsalOrigin::Scene, None));
        }
        let live = ui.add_enabled(may, bevy_egui::egui::Button::new(texts.t("drill-begin-live")));
        if live.on_hover_text(texts.t("drill-begin-live-hint")).clicked() {
            actions.push(begin(RehearsalOrigin::Live, None));
        }
        if let (World::Past { .. }, Some(at_us)) = (input.world, input.state.time_us(input.now_s)) {
            let time = crate::units::time_text(at_us, input.timezone(), "%m-%d %H:%M:%S");
            let text = texts.with("drill-begin-past", &[("time", &time)]);
            let past = ui.add_enabled(may, bevy_egui::egui::Button::new(text));
            if past.on_hover_text(texts.t("drill-begin-past-hint")).clicked() {
                actions.push(begin(RehearsalOrigin::Past, Some(at_us)));
            }
        }
        if let (false, Some(me)) = (may, &input.state.me) {
            let role = role_text(me.role, texts);
            ui.label(RichText::new(texts.with("role-may-not", &[("role", &role)])).small().color(faint()));
        }
    });
}

/// A small curve with its greatest value.
fn curve_ui(ui: &mut Ui, name: &str, curve: &[[f64; 2]], until_s: f64, colour: Color32) {
    if curve.is_empty() {
        return;
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 44.0), Sense::hover());
    let (low, high) =
        curve.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p[1]), h.max(p[1])));
    let span = (high - low).max(1e-9);
    let point = |p: &[f64; 2]| {
        pos2(
            rect.left() + (p[0] / until_s.max(1.0)).clamp(0.0, 1.0) as f32 * rect.width(),
            rect.bottom() - ((p[1] - low) / span) as f32 * (rect.height() - 14.0),
        )
    };
    ui.painter().add(Shape::line(curve.iter().map(point).collect(), Stroke::new(1.6, colour)));
    let font = bevy_egui::egui::FontId::proportional(11.5);
    let text = format!("{name}  {low:.1} – {high:.1}");
    ui.painter().text(rect.left_top(), Align2::LEFT_TOP, text, font, faint());
}

fn colour_of(hex: &str) -> Color32 {
    let number = hex.strip_prefix('#').and_then(|h| u32::from_str_radix(h, 16).ok()).unwrap_or(0x808080);
    Color32::from_rgb((number >> 16) as u8, (number >> 8) as u8, number as u8)
}

fn clock_text(seconds: f64) -> String {
    let s = seconds.max(0.0) as u64;
    format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

fn running_ui(ui: &mut Ui, input: &Input<'_>, state: &RehearsalState, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let drill = input.state.drills.as_ref().and_then(|d| d.iter().find(|d| d.id == state.info.drill));
    ui.label(RichText::new(texts.name(&state.info.names)).strong().size(15.0));
    ui.horizontal_wrapped(|ui| {
        let level = drill.and_then(|d| d.levels.iter().find(|l| Some(&l.id) == state.level.as_ref()));
        match level {
            Some(level) => theme::badge_ui(ui, texts.name(&level.names), colour_of(&level.colour)),
            None => theme::badge_ui(ui, &texts.t("drill-no-warning"), faint()),
        }
        ui.label(format!("{} {:.0} mm", texts.t("drill-rain-hour"), state.rain_1h_mm));
        if let Some(river) = state.river_m {
            ui.label(format!("{} {river:.2} m", texts.t("drill-river")));
        }
    });
    legend_ui(ui, input);
    if let Some(row) = state.rows.last() {
        let counts = [
            ("walking", row.walking.to_string()),
            ("arrived", row.arrived.to_string()),
            ("water", row.in_water.to_string()),
            ("danger", row.endangered.to_string()),
        ];
        let args: Vec<(&str, &str)> = counts.iter().map(|(k, v)| (*k, v.as_str())).collect();
        ui.label(RichText::new(texts.with("drill-people", &args)).color(if row.endangered > 0 {
            bad()
        } else {
            faint()
        }));
        let rooms = format!("{:.0}", row.rooms_m3);
        let area = format!("{:.0}", row.flooded_m2);
        ui.label(
            RichText::new(texts.with("drill-water", &[("rooms", &rooms), ("area", &area)])).color(faint()),
        );
    }
    let curve = |of: &dyn Fn(&campanile_protocol::rehearsal::DrillRow) -> f64| -> Vec<[f64; 2]> {
        state.rows.iter().map(|row| [row.at_s, of(row)]).collect()
    };
    let until = state.info.duration_s;
    curve_ui(ui, &texts.t("drill-rooms"), &curve(&|r| r.rooms_m3), until, Color32::from_rgb(31, 120, 180));
    curve_ui(ui, &texts.t("drill-in-water"), &curve(&|r| f64::from(r.in_water)), until, bad());
    questions_ui(ui, input, state, actions);
    if let Some(drill) = drill {
        heading_ui(ui, &texts.t("drill-actions"));
        for (role, free) in drill.roles.iter().zip(&state.free) {
            let text = format!("{}  {free} / {}", texts.name(&role.names), role.people);
            ui.label(RichText::new(text).small().color(faint()));
            for action in drill.actions.iter().filter(|a| a.role == role.id) {
                action_ui(ui, input, state, action, actions);
            }
        }
    }
    heading_ui(ui, &texts.t("drill-messages"));
    for message in state.messages.iter().rev().take(8) {
        let from = message.from.as_ref().map_or("", |names| texts.name(names));
        let text = format!("{}  {from}  {}", clock_text(message.at_s), texts.name(&message.text));
        ui.label(RichText::new(text).small());
    }
    heading_ui(
        ui,
        &format!("{}  {:.0} / {:.0}", texts.t("drill-score"), state.info.points[0], state.info.points[1]),
    );
    for scored in &state.score {
        let text = format!("{:.1} / {:.0}  {}", scored.points, scored.of, texts.name(&scored.names));
        let colour = if scored.points >= scored.of - 1e-9 { good() } else { warn() };
        ui.label(RichText::new(text).small().color(colour)).on_hover_text(texts.name(&scored.reason));
    }
    ui.horizontal_wrapped(|ui| {
        if ui.button(texts.t("drill-report")).clicked() {
            actions.push(Action::Report(state.info.id.clone()));
        }
        if ui.button(texts.t("drill-leave")).clicked() {
            actions.push(Action::Follow(World::Live));
        }
    });
}

/// What the drill's director asks: first what is open, then what was decided and by whom.
fn questions_ui(ui: &mut Ui, input: &Input<'_>, state: &RehearsalState, actions: &mut Vec<Action>) {
    if state.questions.is_empty() {
        return;
    }
    let texts = input.texts;
    heading_ui(ui, &texts.t("drill-questions"));
    let (open, decided): (Vec<_>, Vec<_>) = state.questions.iter().partition(|asked| asked.answer.is_none());
    for asked in open {
        ui.label(RichText::new(texts.name(&asked.question)).strong());
        ui.horizontal_wrapped(|ui| {
            for (answer, index) in asked.answers.iter().zip(0..) {
                // Its id is of the question, so that a press means the same when another is asked meanwhile.
                ui.push_id((&asked.id, index), |ui| {
                    let button = bevy_egui::egui::Button::new(texts.name(answer)).wrap();
                    if ui.add_enabled(input.state.can_operate && !state.info.over, button).clicked() {
                        let (id, question) = (state.info.id.clone(), asked.id.clone());
                        let request = DecideRequest { id, question, answer: index };
                        actions.push(Action::Drill(Ask::Decide(request)));
                    }
                });
            }
        });
    }
    for asked in decided.into_iter().rev() {
        ui.label(RichText::new(decided_text(asked, input)).small().color(faint()));
    }
}

fn decided_text(asked: &DrillQuestion, input: &Input<'_>) -> String {
    let texts = input.texts;
    let answer = asked.answer.and_then(|answer| asked.answers.get(answer as usize));
    let (question, answer) = (texts.name(&asked.question), answer.map_or("", |answer| texts.name(answer)));
    let by = asked.by.strip_prefix("person:").unwrap_or(&asked.by);
    format!("{}  {question}  √ {answer}  {by}", clock_text(asked.at_s))
}

/// What the colours of water and people say.
fn legend_ui(ui: &mut Ui, input: &Input<'_>) {
    let texts = input.texts;
    let of = |[r, g, b, a]: [f32; 4]| {
        let byte = |x: f32| (x * 255.0) as u8;
        Color32::from_rgba_unmultiplied(byte(r), byte(g), byte(b), byte(a))
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(RichText::new(texts.t("drill-depth")).small().color(faint()));
        for (depth_m, colour) in DEPTH_COLOURS {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 10.0), Sense::hover());
            ui.painter().rect_filled(rect, 2.0, of(colour));
            ui.label(RichText::new(format!("{depth_m}")).small().color(faint()));
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for state in [AgentState::Waiting, AgentState::Walking, AgentState::Arrived, AgentState::Endangered] {
            let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
            ui.painter().circle_filled(
                rect.center(),
                4.5,
                of(figure_colour(state).to_srgba().to_f32_array()),
            );
            let key = match state {
                AgentState::Walking => "drill-state-walking",
                AgentState::Arrived => "drill-state-arrived",
                AgentState::Endangered => "drill-state-endangered",
                _ => "drill-state-waiting",
            };
            ui.label(RichText::new(texts.t(key)).small().color(faint()));
        }
    });
}

fn action_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    state: &RehearsalState,
    action: &DrillAction,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let begun: Option<&BegunAction> = state.begun.iter().rev().find(|b| b.action == action.id);
    let under_way = begun.is_some_and(|b| b.done_s.is_none());
    let act = |decline| {
        let request = ActRequest { id: state.info.id.clone(), action: action.id.clone(), decline };
        Action::Drill(Ask::Act(request))
    };
    ui.horizontal_wrapped(|ui| {
        let may = input.state.can_operate && !under_way && !state.info.over;
        let extent = if action.minutes > 0.0 || action.people > 0 {
            let (people, minutes) = (action.people.to_string(), format!("{:.0}", action.minutes));
            texts.with("drill-takes", &[("people", &people), ("minutes", &minutes)])
        } else {
            String::new()
        };
        let button = ui.add_enabled(may, bevy_egui::egui::Button::new(texts.name(&action.names)));
        if button.on_hover_text(extent).clicked() {
            actions.push(act(false));
        }
        let declined = state.declined.contains(&action.id);
        if begun.is_none() && may {
            let hand = bevy_egui::egui::Button::new(texts.t("drill-take")).small();
            let hint = texts.t(if declined { "drill-yours-hint" } else { "drill-take-hint" });
            if ui.add_enabled(!declined, hand).on_hover_text(&hint).on_disabled_hover_text(&hint).clicked() {
                actions.push(act(true));
            }
        }
        match begun {
            Some(BegunAction { done_s: Some(at), .. }) => {
                ui.label(RichText::new(format!("√ {}", clock_text(*at))).small().color(good()));
            }
            Some(BegunAction { from_s: Some(from), .. }) => {
                let left = (from + action.minutes * 60.0 - state.info.now_s).max(0.0);
                ui.label(RichText::new(format!("… {}", clock_text(left))).small().color(warn()));
            }
            Some(_) => {
                ui.label(RichText::new(texts.t("drill-waits")).small().color(warn()));
            }
            None => {}
        }
    });
}

/// The time bar at the bottom: of a rehearsal its pace and its past, of the campus the last day.
pub fn time_ui(ctx: &Context, screen: Rect, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    // Beside the alarms, below the page at the right.
    let left = screen.left() + 288.0;
    let room = screen.right() - 12.0 - left;
    let wide = (room - 30.0).min(760.0);
    let at = pos2(left + room * 0.5, screen.bottom() - 40.0);
    match input.world {
        World::Rehearsal(_) => {
            let Some(state) = &input.state.rehearsal else { return };
            card_ui(ctx, "time", Align2::CENTER_BOTTOM, at, wide, |ui| {
                pace_ui(ui, input, state, view, actions)
            });
        }
        World::Past { .. } | World::Live if view.past_open => {
            card_ui(ctx, "time", Align2::CENTER_BOTTOM, at, wide, |ui| past_ui(ui, input, view, actions));
        }
        _ => {}
    }
}

fn pace_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    state: &RehearsalState,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let info = &state.info;
    let set = |rate: f64| Action::Drill(Ask::Pace(SetPace { id: info.id.clone(), rate, until_s: None }));
    ui.horizontal_wrapped(|ui| {
        let paused = info.wanted_rate == 0.0;
        let pause = bevy_egui::egui::Button::selectable(paused, "‖");
        if theme::named(ui.add_enabled(input.state.can_operate, pause), &texts.t("pace-pause")).clicked() {
            actions.push(set(0.0));
        }
        for (rate, text) in PACES {
            let chosen = info.wanted_rate == rate || (rate > 3600.0 && info.wanted_rate < 0.0);
            let button = bevy_egui::egui::Button::selectable(chosen, text);
            if ui.add_enabled(input.state.can_operate && !info.over, button).clicked() {
                actions.push(set(rate));
            }
        }
        if !paused {
            ui.label(RichText::new(format!("{:.0}×", info.rate)).color(faint()));
        }
        if info.slowed {
            theme::badge_ui(ui, &texts.t("drill-slowed"), warn());
        }
        if info.over {
            theme::badge_ui(ui, &texts.t("drill-over"), accent());
        }
    });
    ui.horizontal(|ui| {
        let mut at_s = input.state.looked_back.as_ref().map_or(info.now_s, |(at, _)| *at);
        if let Some(dragged) = view.scrub_s {
            at_s = dragged;
        }
        ui.spacing_mut().slider_width = (ui.available_width() - 240.0).max(120.0);
        let slider = Slider::new(&mut at_s, 0.0..=info.now_s.max(1.0))
            .custom_formatter(|s, _| clock_text(s))
            .handle_shape(bevy_egui::egui::style::HandleShape::Circle);
        let response = ui.add(slider);
        theme::said(&response, &texts.t("past-title"));
        if response.changed() {
            view.scrub_s = Some(at_s);
            actions.push(Action::LookBack(Some(at_s)));
        }
        if response.drag_stopped() {
            view.scrub_s = None;
        }
        let back = input.state.looked_back.is_some();
        if ui.add_enabled(back, bevy_egui::egui::Button::new(texts.t("drill-now"))).clicked() {
            view.scrub_s = None;
            actions.push(Action::LookBack(None));
        }
        let branch =
            ui.add_enabled(input.state.can_operate, bevy_egui::egui::Button::new(texts.t("drill-branch")));
        if branch.on_hover_text(texts.t("drill-branch-hint")).clicked() {
            let request = BranchRequest { id: info.id.clone(), at_s: back.then_some(at_s) };
            actions.push(Action::Drill(Ask::Branch(request)));
        }
    });
}

/// How far back the bar of the past reaches, by the key of its text, seconds.
const SPANS: [(&str, f64); 4] =
    [("past-hour", 3600.0), ("past-day", 86_400.0), ("past-week", 604_800.0), ("past-month", 2_592_000.0)];

/// Which stretch of the past.
pub fn spans_ui(ui: &mut Ui, view: &mut View, texts: &Texts) {
    for (span, (key, _)) in SPANS.iter().enumerate() {
        ui.selectable_value(&mut view.past_span, span, texts.t(key));
    }
}

/// How far back the bar of the past reaches, s.
pub fn span_s(view: &View) -> f64 {
    SPANS.get(view.past_span).map_or(86_400.0, |(_, span_s)| *span_s)
}

/// Alarms where they were raised, over the bar; a click leads to the moment.
fn marks_of_alarms_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    newest_us: i64,
    span_s: f64,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let width = (ui.available_width() - 190.0).max(120.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 12.0), Sense::click());
    ui.painter().hline(rect.x_range(), rect.bottom() - 1.0, Stroke::new(1.0, theme::rule()));
    let raised = input.state.journal.iter().filter(|turn| turn.alarm.raised_us == turn.time_us);
    let x_of = |us: i64| rect.right() + ((us - newest_us) as f64 / (span_s * 1e6)) as f32 * rect.width();
    let mut pointed = None;
    for turn in raised {
        let x = x_of(turn.time_us);
        if x < rect.left() || x > rect.right() {
            continue;
        }
        let colour = theme::priority_colour(turn.alarm.priority);
        let tip = pos2(x, rect.bottom() - 1.0);
        let sign = vec![tip, tip + vec2(-4.0, -9.0), tip + vec2(4.0, -9.0)];
        ui.painter().add(Shape::convex_polygon(sign, colour, Stroke::NONE));
        if response.hover_pos().is_some_and(|at| (at.x - x).abs() < 5.0) {
            pointed = Some(turn);
        }
    }
    let Some(turn) = pointed else { return };
    let place = input
        .index()
        .and_then(|index| index.catalogue.entities.get(index.nearest(turn.alarm.entity.as_str())? as usize));
    let place = place.map_or("", |place| texts.name(&place.names));
    let clock = crate::units::time_text(turn.time_us, input.timezone(), "%m-%d %H:%M");
    let is_gone_to = response.clicked();
    response.on_hover_text(format!("{clock}  {} · {place}", texts.name(&turn.alarm.names)));
    if is_gone_to {
        actions.push(Action::Follow(World::Past { at_us: turn.time_us, rate: 0.0 }));
        actions.push(Action::FlyTo(turn.alarm.entity.as_str().to_owned()));
    }
}

fn past_ui(ui: &mut Ui, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let texts = input.texts;
    let newest_us = view.newest_us.max(input.state.time_us(input.now_s).unwrap_or(0));
    if *input.world == World::Live {
        view.newest_us = newest_us;
    }
    let (at_us, rate) = match input.world {
        World::Past { at_us, rate } => (input.state.time_us(input.now_s).unwrap_or(*at_us), *rate),
        _ => (newest_us, 1.0),
    };
    ui.horizontal_wrapped(|ui| {
        let live = *input.world == World::Live;
        if ui.add(bevy_egui::egui::Button::selectable(live, texts.t("past-live"))).clicked() {
            actions.push(Action::Follow(World::Live));
        }
        for (pace, text) in [(0.0, "‖"), (1.0, "1×"), (60.0, "60×"), (600.0, "600×"), (3600.0, "3600×")]
        {
            let chosen = !live && rate == pace;
            let button = ui.add(bevy_egui::egui::Button::selectable(chosen, text));
            let button = if pace == 0.0 { theme::named(button, &texts.t("pace-pause")) } else { button };
            if button.clicked() {
                actions.push(Action::Follow(World::Past { at_us, rate: pace }));
            }
        }
        ui.separator();
        spans_ui(ui, view, texts);
        if !live && may_rehearse(input) {
            let rehearse = ui.button(texts.t("past-rehearse"));
            if rehearse.on_hover_text(texts.t("past-rehearse-hint")).clicked() {
                view.dock.go(WorkPlace::Drill);
            }
        }
    });
    let span_s = span_s(view);
    marks_of_alarms_ui(ui, input, newest_us, span_s, actions);
    let mut before_s = (at_us - newest_us) as f64 / 1e6;
    let moment = |before_s: f64| newest_us + (before_s * 1e6) as i64;
    let zone = input.timezone();
    ui.spacing_mut().slider_width = (ui.available_width() - 190.0).max(120.0);
    // A moment may be typed that lies before what the bar reaches.
    let slider = Slider::new(&mut before_s, -span_s..=0.0)
        .clamping(bevy_egui::egui::SliderClamping::Never)
        .custom_formatter(|s, _| crate::units::time_text(moment(s), zone, "%Y-%m-%d %H:%M:%S"))
        .custom_parser(|text| {
            let typed_us = crate::units::moment_of(text, zone, at_us)?.min(newest_us);
            Some((typed_us - newest_us) as f64 / 1e6)
        })
        .handle_shape(bevy_egui::egui::style::HandleShape::Circle);
    let slider = ui.add(slider);
    theme::said(&slider, &texts.t("past-title"));
    if slider.changed() {
        let at_us = moment(before_s);
        let rate = if *input.world == World::Live { 0.0 } else { rate };
        actions.push(Action::Follow(World::Past { at_us, rate }));
    }
}

#[cfg(test)]
mod tests {
    use campanile_protocol::Names;

    use super::*;
    use crate::locale::Language;
    use crate::person::Person;
    use crate::place::Dock;
    use crate::state::tests::live_state;

    fn question(id: &str, en: &str, zh: &str) -> DrillQuestion {
        DrillQuestion {
            id: id.into(),
            at_s: 600.0,
            question: Names::new(zh, en),
            answers: vec![Names::new("停课", "Close the school"), Names::new("照常上课", "Go on teaching")],
            answer: None,
            by: String::new(),
        }
    }

    /// A rehearsal in its eleventh minute whose director has asked something.
    fn asked(questions: Vec<DrillQuestion>) -> RehearsalState {
        let info = RehearsalInfo {
            id: "rainstorm-1".into(),
            drill: "rainstorm".into(),
            names: Names::new("暴雨", "Rainstorm"),
            seed: 1,
            branch_of: None,
            now_s: 660.0,
            duration_s: 7200.0,
            time_us: 0,
            wanted_rate: 0.0,
            rate: 0.0,
            slowed: false,
            over: false,
            busy: None,
            failed: None,
            points: [0.0, 10.0],
        };
        RehearsalState {
            info,
            level: None,
            begun: Vec::new(),
            declined: Vec::new(),
            free: Vec::new(),
            messages: Vec::new(),
            questions,
            rain_1h_mm: 0.0,
            river_m: None,
            rows: Vec::new(),
            score: Vec::new(),
        }
    }

    #[test]
    fn what_a_director_asks_is_decided_and_then_read() {
        for (language, [what, close, teach, open]) in [
            (Language::English, ["Stop lessons?", "Close the school", "Go on teaching", "To be decided"]),
            (Language::Chinese, ["要停课吗？", "停课", "照常上课", "需要决定"]),
        ] {
            let mut state = live_state();
            state.can_operate = true;
            let stop = question("stop", "Stop lessons?", "要停课吗？");
            state.rehearsal = Some(Box::new(asked(vec![stop.clone()])));
            let view = View { dock: Dock::at(WorkPlace::Drill), ..View::default() };
            let mut person = Person::at(state, view, language, [1024.0, 900.0]);
            person.world = World::Rehearsal("rainstorm-1".into());
            person.look();
            assert!(person.sees(what) && person.sees(open), "{:?}", person.all());
            assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
            person.click_on(teach);
            let request = DecideRequest { id: "rainstorm-1".into(), question: "stop".into(), answer: 1 };
            assert_eq!(std::mem::take(&mut person.wishes), [Action::Drill(Ask::Decide(request))]);
            let decided = DrillQuestion { answer: Some(0), by: "person:anna".into(), ..stop };
            person.state.rehearsal = Some(Box::new(asked(vec![decided])));
            person.look();
            assert!(person.sees(&format!("0:10:00  {what}  √ {close}  anna")), "{:?}", person.all());
            assert!(!person.all().contains(&teach), "it can't be decided again");
        }
    }
}
