//! The editor of a plugin's script: lines with numbers, the place of an error marked, tried and applied by the hub, and
//! never lost without a question.

use bevy_egui::egui::text::LayoutJob;
use bevy_egui::egui::{
    Align2, Button, Color32, Context, FontFamily, FontId, Galley, Id, Key, KeyboardShortcut, Margin,
    Modifiers, Pos2, Rect, RichText, ScrollArea, Stroke, TextBuffer, TextEdit, TextFormat, TextStyle, Ui,
    Window, pos2, vec2,
};
use campanile_protocol::plugins::{ChangeScript, PluginScript, ScriptError};

use crate::locale::Texts;
use crate::plugins::{Came, Errand, Order};
use crate::state::State;
use crate::theme::{accent, bad, faint, good, ink, letter, marked, warn};
use crate::ui::{Action, Input, View};

/// The longest script that the hub takes, bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The longest reason that the hub takes, bytes.
const MOST_REASON: usize = 500;
const MARGIN: i8 = 6;

/// A script being written.
#[derive(Clone, Debug, Default)]
pub struct Editor {
    /// The id of the plugin.
    pub plugin: String,
    /// Whose it is: another person does not get to see it.
    actor: Option<String>,
    /// The text; `None` until the hub has sent it.
    text: Option<String>,
    /// The text of the hub that it began with.
    base: String,
    /// Why it is changed.
    reason: String,
    /// What would lose the changes, until the person says that it may.
    leaving: Option<Leaving>,
    /// Whether it has come to lie above the page that it was opened from.
    is_raised: bool,
}

/// What would lose changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// The editor is closed.
    Close,
    /// The script of another plugin is opened.
    Other(String),
    /// The text of the hub is taken.
    Theirs,
    /// The person signs out.
    SignOut,
    /// The program ends.
    Quit,
}

impl Editor {
    /// Begins to write the script of a plugin.
    fn of(plugin: &str, actor: Option<String>) -> Self {
        Self { plugin: plugin.to_owned(), actor, ..Self::default() }
    }

    /// Whether there are changes that the hub does not have.
    pub fn is_changed(&self) -> bool {
        self.text.as_ref().is_some_and(|text| *text != self.base)
    }

    /// Takes what the hub has where nothing of one's own would be lost.
    fn meet(&mut self, script: &PluginScript) {
        if !self.is_changed() || self.text.as_ref() == Some(&script.text) {
            self.text.get_or_insert_default().clone_from(&script.text);
            self.base.clone_from(&script.text);
        }
    }
}

/// Opens the script of a plugin; where changes of another would be lost it is asked first.
pub fn open_script(view: &mut View, state: &State, plugin: &str) {
    match &mut view.plugins.editor {
        Some(editor) if editor.plugin == plugin => (editor.leaving, editor.is_raised) = (None, false),
        Some(editor) if editor.is_changed() => editor.leaving = Some(Leaving::Other(plugin.to_owned())),
        other => *other = Some(Editor::of(plugin, actor_of(state))),
    }
}

fn actor_of(state: &State) -> Option<String> {
    state.me.as_ref().map(|me| me.actor.clone())
}

/// Whether something may be done that would lose changes; if not, the editor asks.
pub fn may_leave(view: &mut View, leaving: Leaving) -> bool {
    match view.plugins.editor.as_mut().filter(|editor| editor.is_changed()) {
        Some(editor) => {
            editor.leaving = Some(leaving);
            false
        }
        None => true,
    }
}

/// Draws the editor if a script is open.
pub fn script_ui(ctx: &Context, screen: Rect, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let Some(mut editor) = view.plugins.editor.take() else { return };
    // Who has signed in since is not who wrote it.
    if editor.actor.is_some() && input.state.me.is_some() && editor.actor != actor_of(input.state) {
        return;
    }
    let texts = input.texts;
    let script = input.state.plugins.script(&editor.plugin);
    if let Some(Ok(script)) = script {
        editor.meet(script);
    }
    let file = script.and_then(|script| script.as_ref().ok()).map_or("", |script| script.file.as_str());
    let mark = if editor.is_changed() { "  ●" } else { "" };
    let mut is_open = true;
    let was_raised = std::mem::replace(&mut editor.is_raised, true);
    let size = vec2((screen.width() - 90.0).min(760.0), (screen.height() - 190.0).min(560.0));
    let drawn = Window::new(RichText::new(format!("{} · {file}{mark}", editor.plugin)).strong().color(ink()))
        .id(Id::new("script"))
        .open(&mut is_open)
        .collapsible(false)
        .default_size(size)
        .min_size(vec2(360.0, 240.0))
        .default_pos(pos2(screen.center().x - size.x * 0.5, screen.top() + 80.0))
        .constrain_to(screen)
        .show(ctx, |ui| match script {
            None => {
                ui.spinner();
            }
            Some(Err(why)) => {
                ui.label(RichText::new(why).color(bad()));
            }
            Some(Ok(script)) => contents_ui(ui, input, script, &mut editor, actions),
        });
    if let Some(drawn) = drawn.filter(|_| !was_raised) {
        ctx.move_to_top(drawn.response.layer_id);
    }
    if !is_open {
        if editor.is_changed() {
            editor.leaving = Some(Leaving::Close);
        } else {
            return;
        }
    }
    let left = leaving_ui(ctx, texts, &mut editor);
    view.plugins.editor = match left {
        None => Some(editor),
        Some(Leaving::Close) => None,
        Some(Leaving::Other(plugin)) => Some(Editor::of(&plugin, editor.actor)),
        Some(Leaving::Theirs) => {
            editor.text = None;
            Some(editor)
        }
        Some(Leaving::SignOut) => {
            actions.push(Action::SignOut);
            None
        }
        Some(Leaving::Quit) => {
            actions.push(Action::Quit);
            None
        }
    };
}

/// Asks whether changes may be lost. Gives back what is to be done once they may.
fn leaving_ui(ctx: &Context, texts: &Texts, editor: &mut Editor) -> Option<Leaving> {
    let leaving = editor.leaving.clone()?;
    let mut may = false;
    let drawn = Window::new(RichText::new(texts.t("script-unsaved")).strong().color(ink()))
        .id(Id::new("script-leaving"))
        .order(bevy_egui::egui::Order::Foreground)
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ctx, |ui| {
            ui.set_width(320.0);
            ui.label(texts.with("script-unsaved-why", &[("plugin", &editor.plugin)]));
            ui.horizontal(|ui| {
                if ui.button(texts.t("script-keep")).clicked() {
                    editor.leaving = None;
                }
                let lose = RichText::new(texts.t("script-lose")).color(Color32::WHITE);
                may = ui.add(Button::new(lose).fill(bad())).clicked();
            });
        });
    if let Some(drawn) = drawn {
        ctx.move_to_top(drawn.response.layer_id);
    }
    may.then(|| {
        editor.leaving = None;
        leaving
    })
}

/// The error that is known of a script, and whether it is of just this text.
fn error_of<'a>(
    input: &'a Input<'_>,
    script: &'a PluginScript,
    editor: &Editor,
) -> Option<(&'a ScriptError, bool)> {
    let text = editor.text.as_ref();
    match input.state.plugins.tried(&editor.plugin) {
        Some(tried) => tried.error.as_ref().map(|error| (error, text == Some(&tried.text))),
        // What it ended with while it worked.
        None => script.error.as_ref().map(|error| (error, text == Some(&script.text))),
    }
}

fn contents_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    script: &PluginScript,
    editor: &mut Editor,
    actions: &mut Vec<Action>,
) {
    let texts = input.texts;
    let errand = Errand::Script(editor.plugin.clone());
    let came = input.state.plugins.came(&errand);
    let error = error_of(input, script, editor);
    let is_changed = editor.is_changed();
    if is_changed && script.text != editor.base {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(texts.t("script-theirs")).color(warn()));
            if ui.small_button(texts.t("script-take-theirs")).clicked() {
                editor.leaving = Some(Leaving::Theirs);
            }
        });
    }
    let length = editor.text.as_ref().map_or(0, String::len);
    let is_free = came != Some(&Came::Waits) && length <= MOST_BYTES;
    let mut send = None;
    let saves = KeyboardShortcut::new(Modifiers::COMMAND, Key::S);
    if is_free && ui.input_mut(|i| i.consume_shortcut(&saves)) {
        send = Some(false);
    }
    ui.horizontal_wrapped(|ui| {
        let check = ui.add_enabled(is_free, Button::new(texts.t("script-check")));
        if check.on_hover_text(texts.t("script-check-hint")).clicked() {
            send = Some(true);
        }
        let apply = RichText::new(texts.t("script-apply")).color(Color32::WHITE);
        let apply = ui.add_enabled(is_free && is_changed, Button::new(apply).fill(accent()));
        if apply.on_hover_text(texts.t("script-apply-hint")).clicked() {
            send = Some(false);
        }
        let reason = TextEdit::singleline(&mut editor.reason).hint_text(texts.t("plugin-reason"));
        ui.add(reason.char_limit(MOST_REASON / 4).desired_width(ui.available_width().clamp(120.0, 260.0)));
    });
    status_ui(ui, input, editor, (came, error));
    let height = (ui.available_height() - 4.0).max(120.0);
    if let Some(text) = &mut editor.text {
        code_ui(ui, Id::new(("script", &editor.plugin)), text, error, height);
    }
    if let (Some(check_only), Some(text)) = (send, &editor.text) {
        let (plugin, reason) = (editor.plugin.clone(), editor.reason.trim().to_owned());
        let change = ChangeScript { plugin, text: text.clone(), check_only, reason };
        actions.push(Action::Plugin(Order::Script(change)));
    }
}

/// One line: what became of the last try, or what is wrong and where.
fn status_ui(
    ui: &mut Ui,
    input: &Input<'_>,
    editor: &Editor,
    (came, error): (Option<&Came>, Option<(&ScriptError, bool)>),
) {
    let texts = input.texts;
    let length = editor.text.as_ref().map_or(0, String::len);
    let tried = input.state.plugins.tried(&editor.plugin);
    let (text, colour) = match (came, error, tried) {
        _ if length > MOST_BYTES => {
            (texts.with("script-too-long", &[("kib", &(MOST_BYTES / 1024).to_string())]), bad())
        }
        (Some(Came::Waits), ..) => (texts.t("panel-waits"), faint()),
        (Some(Came::Refused(why)), ..) => (texts.with("notice-rejected", &[("why", why)]), bad()),
        (_, Some((error, is_of_this)), _) => {
            (error_text(error, texts), if is_of_this { bad() } else { faint() })
        }
        (_, None, Some(tried)) if tried.check_only => (texts.t("script-starts"), good()),
        (_, None, Some(_)) => (texts.t("script-applied"), good()),
        (_, None, None) => (texts.t("script-hint"), faint()),
    };
    ui.label(RichText::new(text).small().color(colour));
}

/// An error with its place.
fn error_text(error: &ScriptError, texts: &Texts) -> String {
    match (error.line, error.column) {
        (Some(line), Some(column)) => {
            let (line, column) = (line.to_string(), column.to_string());
            texts.with("script-error-at", &[("line", &line), ("column", &column), ("why", &error.message)])
        }
        (Some(line), None) => {
            texts.with("script-error-in", &[("line", &line.to_string()), ("why", &error.message)])
        }
        _ => error.message.clone(),
    }
}

/// The text with the numbers of its lines, and the place of an error.
fn code_ui(ui: &mut Ui, id: Id, text: &mut String, error: Option<(&ScriptError, bool)>, height: f32) {
    let font = TextStyle::Monospace.resolve(ui.style());
    let lines = text.bytes().filter(|b| *b == b'\n').count() + 1;
    let digit = ui.painter().layout_no_wrap("0".to_owned(), font.clone(), faint()).size().x;
    let gutter = (lines.to_string().len().max(2) as f32) * digit + 14.0;
    let galley = ui.painter().layout_job(painted(text, &font));
    let scroll =
        ScrollArea::both().id_salt(id.with(("panel", "scroll"))).auto_shrink(false).max_height(height);
    scroll.show(ui, |ui| {
        let room = ui.available_size();
        // Lines are not broken: what is longer scrolls.
        let wide = (galley.size().x + f32::from(MARGIN) * 2.0 + 24.0).max(room.x - gutter);
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.horizontal_top(|ui| {
            ui.add_space(gutter);
            let mut layouter = |ui: &Ui, buffer: &dyn TextBuffer, _: f32| {
                ui.painter().layout_job(painted(buffer.as_str(), &font))
            };
            let edit = TextEdit::multiline(text)
                .id(id)
                .font(font.clone())
                .lock_focus(true)
                .margin(Margin::same(MARGIN))
                .min_size(vec2(wide, room.y))
                .layouter(&mut layouter)
                .show(ui);
            numbers(ui, &edit.galley, edit.galley_pos, (gutter, &font), error);
            if let Some((error, true)) = error {
                error_mark(ui, &edit.galley, edit.galley_pos, error);
            }
        });
    });
}

/// The rectangle of a line, from 1.
fn line_rect(galley: &Galley, at: Pos2, line: u32) -> Option<Rect> {
    let row = galley.rows.get(line.checked_sub(1)? as usize)?;
    Some(row.rect().translate(at.to_vec2()))
}

fn numbers(
    ui: &Ui,
    galley: &Galley,
    at: Pos2,
    (gutter, font): (f32, &FontId),
    error: Option<(&ScriptError, bool)>,
) {
    let wrong = error.filter(|(_, is_of_this)| *is_of_this).and_then(|(error, _)| error.line);
    let right = at.x - f32::from(MARGIN) - 6.0;
    for line in 1..=galley.rows.len() as u32 {
        let Some(rect) = line_rect(galley, at, line) else { continue };
        let spot = Rect::from_min_max(pos2(right - gutter, rect.top()), pos2(right, rect.bottom()));
        if ui.is_rect_visible(spot) {
            let colour = if wrong == Some(line) { bad() } else { faint() };
            let at = pos2(right, rect.center().y);
            ui.painter().text(at, Align2::RIGHT_CENTER, line.to_string(), font.clone(), colour);
        }
    }
}

/// Marks the line and the column of an error, and says beside the line what it is.
fn error_mark(ui: &Ui, galley: &Galley, at: Pos2, error: &ScriptError) {
    let Some((line, rect)) = error.line.and_then(|line| Some((line, line_rect(galley, at, line)?))) else {
        return;
    };
    let row = galley.rows.get(line as usize - 1);
    let end = row.map_or(rect.right(), |row| rect.left() + row.size.x);
    ui.painter().rect_filled(
        Rect::from_min_max(pos2(rect.left() - 2.0, rect.top()), pos2(end + 2.0, rect.bottom())),
        2.0,
        marked(),
    );
    if let (Some(column), Some(row)) = (error.column, row) {
        let glyph = row.glyphs.get(column.saturating_sub(1) as usize);
        let from = glyph.map_or(end, |glyph| rect.left() + glyph.pos.x);
        let to = glyph.map_or(end + 7.0, |glyph| from + glyph.advance_width);
        ui.painter().hline(from..=to, rect.bottom(), Stroke::new(2.0, bad()));
    }
    let font = FontId::new(11.5, FontFamily::Proportional);
    let first = error.message.lines().next().unwrap_or_default().to_owned();
    ui.painter().text(pos2(end + 18.0, rect.center().y), Align2::LEFT_CENTER, first, font, bad());
}

/// What a piece of a script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Plain,
    Word,
    Number,
    Letters,
    Comment,
}

const WORDS: [&str; 22] = [
    "let", "const", "fn", "if", "else", "switch", "for", "in", "while", "loop", "do", "until", "break",
    "continue", "return", "throw", "try", "catch", "true", "false", "this", "private",
];

/// Parts a script of Rhai into pieces, with their lengths in bytes: enough to colour it.
fn pieces(text: &str) -> Vec<(Piece, usize)> {
    let mut found: Vec<(Piece, usize)> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length_while = |is: &dyn Fn(char) -> bool| rest.find(|c: char| !is(c)).unwrap_or(rest.len());
        let (piece, length) = if rest.starts_with("//") {
            (Piece::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (Piece::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2))
        } else if let '"' | '`' | '\'' = first {
            (Piece::Letters, quoted(rest, first))
        } else if first.is_ascii_digit() {
            (Piece::Number, length_while(&|c| c.is_ascii_alphanumeric() || c == '.' || c == '_'))
        } else if first.is_alphabetic() || first == '_' {
            let length = length_while(&|c| c.is_alphanumeric() || c == '_');
            (if WORDS.contains(&&rest[..length]) { Piece::Word } else { Piece::Plain }, length)
        } else {
            (Piece::Plain, first.len_utf8())
        };
        match found.last_mut() {
            Some((last, long)) if *last == piece => *long += length,
            _ => found.push((piece, length)),
        }
        rest = &rest[length..];
    }
    found
}

/// The length of a text in quotes: to the same quote, without those behind a backslash; only one in backquotes goes on
/// over the end of a line.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            '\n' if quote != '`' => return i,
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return i + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A script in colours.
fn painted(text: &str, font: &FontId) -> LayoutJob {
    let mut job = LayoutJob { keep_trailing_whitespace: true, ..LayoutJob::default() };
    let mut rest = text;
    for (piece, length) in pieces(text) {
        let colour = match piece {
            Piece::Plain => ink(),
            Piece::Word => accent(),
            Piece::Number => warn(),
            Piece::Letters => letter(),
            Piece::Comment => faint(),
        };
        let (now, later) = rest.split_at(length);
        job.append(now, 0.0, TextFormat::simple(font.clone(), colour));
        rest = later;
    }
    if text.is_empty() {
        job.append("", 0.0, TextFormat::simple(font.clone(), ink()));
    }
    job
}

#[cfg(test)]
mod tests {
    use campanile_protocol::people::Me;
    use campanile_protocol::plugins::PluginInfo;

    use super::*;
    use crate::locale::Language;
    use crate::person::Person;
    use crate::place::{Dock, WorkPlace};
    use crate::plugins::tests::plugin;
    use crate::plugins::{PluginNews, Tried};
    use crate::state::Event;
    use crate::state::tests::live_state;

    #[test]
    fn a_script_is_parted_into_what_its_pieces_are() {
        let of = |text: &str| {
            let mut rest = text.to_owned();
            let mut found = Vec::new();
            for (piece, length) in pieces(text) {
                let later = rest.split_off(length);
                if piece != Piece::Plain {
                    found.push((piece, rest));
                }
                rest = later;
            }
            assert!(rest.is_empty(), "all of {text} is in a piece");
            found
        };
        let expect = |pairs: &[(Piece, &str)]| -> Vec<(Piece, String)> {
            pairs.iter().map(|(piece, text)| (*piece, (*text).to_owned())).collect()
        };
        for (text, expected) in [
            (
                "let x = 26.5; // 夏季",
                &[(Piece::Word, "let"), (Piece::Number, "26.5"), (Piece::Comment, "// 夏季")][..],
            ),
            (r#"say("a \" b", 2)"#, &[(Piece::Letters, r#""a \" b""#), (Piece::Number, "2")]),
            ("x = \"open\nif", &[(Piece::Letters, "\"open"), (Piece::Word, "if")]),
            ("`a\nb` letter", &[(Piece::Letters, "`a\nb`")]),
            ("/* a\nb", &[(Piece::Comment, "/* a\nb")]),
            ("如果", &[]),
            ("", &[]),
        ] {
            assert_eq!(of(text), expect(expected), "{text}");
        }
    }

    #[test]
    fn what_the_hub_has_is_taken_where_nothing_is_lost() {
        let script = |text: &str| PluginScript {
            plugin: "night".into(),
            file: "main.rhai".into(),
            text: text.into(),
            error: None,
        };
        let mut editor = Editor::of("night", None);
        assert!(!editor.is_changed());
        editor.meet(&script("one"));
        assert_eq!((editor.text.as_deref(), editor.is_changed()), (Some("one"), false));
        editor.meet(&script("two"));
        assert_eq!(editor.text.as_deref(), Some("two"), "it was changed on disk");
        editor.text = Some("mine".into());
        editor.meet(&script("three"));
        assert_eq!((editor.text.as_deref(), editor.is_changed()), (Some("mine"), true), "mine is kept");
        editor.meet(&script("mine"));
        assert!(!editor.is_changed(), "it was applied");
    }

    #[test]
    fn changes_are_not_lost_without_a_question() {
        let mut view = View::default();
        assert!(may_leave(&mut view, Leaving::Quit), "nothing is open");
        let mut editor = Editor::of("night", None);
        (editor.text, editor.base) = (Some("mine".into()), "theirs".into());
        view.plugins.editor = Some(editor);
        assert!(!may_leave(&mut view, Leaving::Quit));
        let editor = view.plugins.editor.as_ref().unwrap();
        assert_eq!(editor.leaving, Some(Leaving::Quit));
    }

    /// What stands behind the name of a file that is changed.
    const MARK: &str = "main.rhai  ●";
    const SCRIPT: &str = "fn tick() {\n    let lights = read(\"lights\");\n    lights.of()\n}\n";

    /// A person before the script of `night`.
    fn writing(language: Language, size: [f32; 2]) -> Person {
        let mut state = live_state();
        let night = PluginInfo { script: Some("main.rhai".into()), ..plugin("night", "rule") };
        state.apply(Event::Plugin(PluginNews::List(Ok(vec![night, plugin("water", "rule")]))), 0.0);
        let mut view = View { dock: Dock::at(WorkPlace::Build), ..View::default() };
        open_script(&mut view, &state, "night");
        state.plugins.next_asks(view.looks(), 0.0);
        let script = PluginScript {
            plugin: "night".into(),
            file: "main.rhai".into(),
            text: SCRIPT.into(),
            error: None,
        };
        state.apply(Event::Plugin(PluginNews::Script("night".into(), Ok(script))), 0.0);
        Person::at(state, view, language, size)
    }

    fn change(person: &mut Person) -> Option<ChangeScript> {
        std::mem::take(&mut person.wishes).into_iter().find_map(|wish| match wish {
            Action::Plugin(Order::Script(change)) => Some(change),
            _ => None,
        })
    }

    fn tried(person: &mut Person, change: ChangeScript, error: Option<ScriptError>) {
        let ChangeScript { plugin, text, check_only, .. } = change;
        person.state.plugins.send(Errand::Script(plugin.clone()), None);
        let tried = Tried { plugin, text, check_only, error };
        person.state.apply(Event::Plugin(PluginNews::Tried(tried)), 1.0);
        person.look();
    }

    #[test]
    fn a_script_is_written_tried_and_applied() {
        for (language, [check, apply, starts, applied, at, waits]) in [
            (
                Language::English,
                [
                    "Check",
                    "Apply",
                    "It would start.",
                    "It is in place",
                    "Line 3, column 12: no such function",
                    "Asking",
                ],
            ),
            (
                Language::Chinese,
                ["检查", "应用", "可以启动。", "已生效", "第 3 行，第 12 列：no such function", "正在询问"],
            ),
        ] {
            for size in [[1024.0, 640.0], [800.0, 600.0]] {
                let mut person = writing(language, size);
                assert!(person.sees("night · main.rhai") && !person.sees(MARK), "{:?}", person.all());
                assert!(person.all().contains(&"5"), "lines have numbers: {:?}", person.all());
                assert!(person.cut_off().is_empty(), "{:?}", person.cut_off());
                person.click_on(apply);
                assert_eq!(change(&mut person), None, "nothing was changed");
                let code = person.seen.iter().find(|seen| seen.text == SCRIPT).unwrap().rect;
                person.click(pos2(code.right() - 2.0, code.bottom() - 4.0));
                person.types(" // spät");
                person.look();
                assert!(person.sees(MARK), "{:?}", person.all());
                let text = format!("{} // spät\n", SCRIPT.trim_end());
                person.click_on(check);
                let sent = change(&mut person).unwrap();
                assert_eq!((sent.text.as_str(), sent.check_only), (text.as_str(), true));
                person.state.plugins.send(Errand::Script("night".into()), None);
                person.look();
                assert!(person.sees(waits));
                let why = ScriptError {
                    line: Some(3),
                    column: Some(12),
                    message: "no such function\nwith more".into(),
                };
                tried(&mut person, sent.clone(), Some(why));
                assert!(person.sees(at), "{:?}", person.all());
                let beside = person.place("no such function");
                let code = person.place(&text);
                let line = code.top() + 2.5 * (code.height() / 4.0);
                assert!(
                    (beside.center().y - line).abs() < 9.0,
                    "{beside:?} is beside the third line of {code:?}"
                );
                tried(&mut person, sent, None);
                assert!(person.sees(starts) && person.sees(MARK), "a trial changes nothing");
                person.click_on(apply);
                let sent = change(&mut person).unwrap();
                assert!(!sent.check_only);
                tried(&mut person, sent, None);
                assert!(person.sees(applied) && !person.sees(MARK), "{:?}", person.all());
            }
        }
    }

    #[test]
    fn who_leaves_changes_is_asked() {
        let mut person = writing(Language::English, [800.0, 600.0]);
        let code = person.seen.iter().find(|seen| seen.text == SCRIPT).unwrap().rect;
        person.click(code.center());
        person.types("x");
        person.look();
        open_script(&mut person.view, &person.state, "water");
        person.look();
        assert!(person.sees("would be lost") && person.sees("night · main.rhai"));
        person.click_on("Keep editing");
        person.look();
        assert!(!person.sees("would be lost") && person.sees(MARK));
        assert!(!may_leave(&mut person.view, Leaving::SignOut));
        person.look();
        person.click_on("Lose them");
        person.look();
        assert_eq!(std::mem::take(&mut person.wishes), [Action::SignOut]);
        assert!(person.view.plugins.editor.is_none());
    }

    #[test]
    fn another_person_does_not_get_what_was_written() {
        let mut person = writing(Language::English, [800.0, 600.0]);
        person.view.plugins.editor.as_mut().unwrap().actor = Some("person:anna".into());
        let me = |actor: &str| {
            let role = campanile_protocol::people::Role::Admin;
            Me { actor: actor.into(), role, nickname: None, must_change_password: false }
        };
        person.state.apply(Event::Known(Box::new(me("person:anna"))), 1.0);
        person.look();
        assert!(person.sees("main.rhai"));
        person.state.apply(Event::Known(Box::new(me("person:ben"))), 1.0);
        person.look();
        assert!(!person.sees("main.rhai") && person.view.plugins.editor.is_none());
    }
}
