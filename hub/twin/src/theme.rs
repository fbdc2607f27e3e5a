//! How the panels look: light cards over the scene, one accent, and the font.

use std::cell::Cell;

use bevy_egui::egui::{
    Align2, Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Frame, Id, Margin,
    Response, Shadow, Stroke, TextStyle, Theme, Visuals, vec2,
};
use campanile_protocol::plugins::Tone;
use campanile_protocol::{AlarmPriority, Quality};

/// The colours of panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Palette {
    ink: Color32,
    faint: Color32,
    accent: Color32,
    rule: Color32,
    stripe: Color32,
    track: Color32,
    marked: Color32,
    letter: Color32,
    good: Color32,
    warn: Color32,
    bad: Color32,
    ground: Color32,
    field: Color32,
    button: Color32,
    chosen: Color32,
}

const LIGHT: Palette = Palette {
    ink: Color32::from_rgb(31, 41, 55),
    faint: Color32::from_rgb(107, 114, 128),
    accent: Color32::from_rgb(15, 98, 160),
    rule: Color32::from_rgb(222, 226, 232),
    stripe: Color32::from_rgb(244, 247, 250),
    track: Color32::from_rgb(226, 231, 237),
    marked: Color32::from_rgba_premultiplied(40, 9, 9, 40),
    letter: Color32::from_rgb(22, 112, 74),
    good: Color32::from_rgb(22, 128, 84),
    warn: Color32::from_rgb(190, 110, 10),
    bad: Color32::from_rgb(196, 43, 43),
    ground: Color32::from_rgb(252, 253, 254),
    field: Color32::from_rgb(240, 243, 247),
    button: Color32::from_rgb(229, 234, 240),
    chosen: Color32::from_rgb(214, 231, 245),
};

const DARK: Palette = Palette {
    ink: Color32::from_rgb(226, 231, 238),
    faint: Color32::from_rgb(148, 158, 172),
    accent: Color32::from_rgb(102, 178, 236),
    rule: Color32::from_rgb(58, 67, 80),
    stripe: Color32::from_rgb(33, 40, 51),
    track: Color32::from_rgb(56, 65, 79),
    marked: Color32::from_rgba_premultiplied(70, 16, 16, 70),
    letter: Color32::from_rgb(110, 200, 150),
    good: Color32::from_rgb(86, 196, 142),
    warn: Color32::from_rgb(236, 170, 70),
    bad: Color32::from_rgb(242, 110, 104),
    ground: Color32::from_rgb(27, 33, 43),
    field: Color32::from_rgb(38, 46, 58),
    button: Color32::from_rgb(48, 57, 71),
    chosen: Color32::from_rgb(35, 62, 88),
};

thread_local! {
    /// Whether the panels that this thread draws are dark. All panels of a pass are drawn by one thread, which begins by
    /// saying so.
    static IS_DARK: Cell<bool> = const { Cell::new(false) };
}

fn palette() -> &'static Palette {
    if IS_DARK.get() { &DARK } else { &LIGHT }
}

/// Text.
pub fn ink() -> Color32 {
    palette().ink
}
/// Less important text.
pub fn faint() -> Color32 {
    palette().faint
}
/// What can be acted on and what is chosen.
pub fn accent() -> Color32 {
    palette().accent
}
/// Lines between things.
pub fn rule() -> Color32 {
    palette().rule
}
/// Every other row of a table.
pub fn stripe() -> Color32 {
    palette().stripe
}
/// The part of a bar that is not filled.
pub fn track() -> Color32 {
    palette().track
}
/// What lies behind a wrong line.
pub fn marked() -> Color32 {
    palette().marked
}
/// Texts within a script.
pub fn letter() -> Color32 {
    palette().letter
}
/// All is well.
pub fn good() -> Color32 {
    palette().good
}
/// Care.
pub fn warn() -> Color32 {
    palette().warn
}
/// Wrong.
pub fn bad() -> Color32 {
    palette().bad
}
/// The ground of cards.
pub fn ground() -> Color32 {
    palette().ground
}
/// What lies behind words over the scene.
pub fn veil() -> Color32 {
    palette().ground.gamma_multiply(0.8)
}
/// A small chart's ground, and where the pointer is over it.
pub fn field(is_hovered: bool) -> Color32 {
    if is_hovered { palette().chosen } else { palette().field }
}
/// How far the head of a pin is above its place, points.
pub const PIN_HEIGHT: f32 = 22.0;

/// Noto Sans SC, subset by `assets/fonts/make.sh` (OFL, see `assets/fonts/OFL.txt`).
const FONT: &[u8] = include_bytes!("../../../assets/fonts/NotoSansSC-subset.otf");
/// Subscripts, which that font lacks: Noto Sans, from the same script and under the same licence.
const SIGNS: &[u8] = include_bytes!("../../../assets/fonts/NotoSans-signs.ttf");
/// Letters of one width for scripts: Noto Sans Mono, likewise.
const MONO: &[u8] = include_bytes!("../../../assets/fonts/NotoSansMono-subset.ttf");

/// Lines of a chart beside each other, told apart by any colour vision: the palette of M. Okabe and K. Ito (2008),
/// its yellow left out, which can't be seen on light ground.
pub const LINES: [Color32; 7] = [
    Color32::from_rgb(0, 114, 178),
    Color32::from_rgb(213, 94, 0),
    Color32::from_rgb(0, 158, 115),
    Color32::from_rgb(204, 121, 167),
    Color32::from_rgb(230, 159, 0),
    Color32::from_rgb(86, 180, 233),
    Color32::from_rgb(75, 75, 75),
];

/// Puts font and style into a context.
pub fn dress(ctx: &Context) {
    let mut fonts = FontDefinitions::default();
    fonts.font_data.insert("noto-sans-sc".into(), FontData::from_static(FONT).into());
    fonts.font_data.insert("noto-signs".into(), FontData::from_static(SIGNS).into());
    fonts.font_data.insert("noto-mono".into(), FontData::from_static(MONO).into());
    for family in [FontFamily::Proportional, FontFamily::Monospace] {
        let list = fonts.families.entry(family).or_default();
        list.insert(0, "noto-sans-sc".into());
        list.insert(1, "noto-signs".into());
        // It has the letters of other languages too.
        list.insert(2, "noto-mono".into());
    }
    fonts.families.entry(FontFamily::Monospace).or_default().insert(0, "noto-mono".into());
    ctx.set_fonts(fonts);
    // The twin does it, and keeps it.
    ctx.options_mut(|options| {
        options.zoom_with_keyboard = false;
        // Where pictures take long a press lasts from one to the next: it is a click all the same.
        options.input_options.max_click_duration = 8.0;
    });
    wear(ctx, false);
    ctx.all_styles_mut(|style| {
        for (text_style, size) in [
            (TextStyle::Heading, 18.0),
            (TextStyle::Body, 14.0),
            (TextStyle::Button, 14.0),
            (TextStyle::Small, 11.5),
        ] {
            style.text_styles.insert(text_style, FontId::new(size, FontFamily::Proportional));
        }
        style.text_styles.insert(TextStyle::Monospace, FontId::new(13.0, FontFamily::Monospace));
        style.spacing.item_spacing = vec2(8.0, 6.0);
        style.spacing.button_padding = vec2(10.0, 4.0);
        style.spacing.window_margin = Margin::same(14);
        style.spacing.interact_size.y = 24.0;
        style.spacing.scroll.fade.strength = 0.0;
        style.interaction.selectable_labels = false;
    });
}

/// Puts light or dark on, where it is not on already.
pub fn wear(ctx: &Context, is_dark: bool) {
    IS_DARK.set(is_dark);
    let theme = if is_dark { Theme::Dark } else { Theme::Light };
    let key = Id::new("worn");
    if ctx.data(|data| data.get_temp::<bool>(key)) == Some(is_dark) {
        return;
    }
    ctx.data_mut(|data| data.insert_temp(key, is_dark));
    ctx.set_theme(theme);
    let p = palette();
    let mut visuals = if is_dark { Visuals::dark() } else { Visuals::light() };
    visuals.override_text_color = Some(p.ink);
    visuals.panel_fill = p.ground;
    visuals.window_fill = p.ground;
    visuals.window_corner_radius = CornerRadius::same(10);
    visuals.window_shadow = shadow();
    visuals.window_stroke = Stroke::new(1.0, p.rule);
    visuals.popup_shadow = shadow();
    visuals.selection.bg_fill = p.chosen;
    visuals.selection.stroke = Stroke::new(1.0, p.accent);
    visuals.hyperlink_color = p.accent;
    // A field to type into would be white on white.
    visuals.text_edit_bg_color = Some(p.field);
    visuals.widgets.open.weak_bg_fill = p.ground;
    for widget in [
        &mut visuals.widgets.inactive,
        &mut visuals.widgets.hovered,
        &mut visuals.widgets.active,
        &mut visuals.widgets.open,
    ] {
        widget.corner_radius = CornerRadius::same(6);
    }
    visuals.widgets.inactive.weak_bg_fill = p.button;
    visuals.widgets.inactive.bg_fill = p.track;
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, p.rule);
    ctx.set_visuals_of(theme, visuals);
}

fn shadow() -> Shadow {
    Shadow { offset: [0, 3], blur: 14, spread: 0, color: Color32::from_black_alpha(38) }
}

/// The frame of a card.
pub fn card() -> Frame {
    Frame::new()
        .fill(palette().ground.gamma_multiply(0.98))
        .stroke(Stroke::new(1.0, palette().rule))
        .corner_radius(CornerRadius::same(10))
        .inner_margin(Margin::symmetric(14, 11))
        .shadow(shadow())
}

/// The colour of a quality; each badge says it in words too.
pub fn quality_colour(quality: Quality) -> Color32 {
    match quality {
        Quality::Good => good(),
        Quality::Uncertain => warn(),
        Quality::Bad => bad(),
        Quality::Stale => faint(),
    }
}

/// The colour of a priority; each alarm says it in words too.
pub fn priority_colour(priority: AlarmPriority) -> Color32 {
    match priority {
        AlarmPriority::Critical => Color32::from_rgb(176, 16, 48),
        AlarmPriority::High => Color32::from_rgb(214, 76, 20),
        AlarmPriority::Medium => Color32::from_rgb(202, 138, 4),
        AlarmPriority::Low => Color32::from_rgb(37, 99, 170),
    }
}

/// The colour of a tone that a plugin gives to words and buttons.
pub fn tone_colour(tone: Tone) -> Color32 {
    match tone {
        Tone::Plain => ink(),
        Tone::Accent => accent(),
        Tone::Good => good(),
        Tone::Caution => warn(),
        Tone::Danger => bad(),
    }
}

/// The colour of a place on the map that a plugin gives a tone: lighter, as floors are.
pub fn mark_colour(tone: Tone) -> Color32 {
    match tone {
        Tone::Plain => Color32::from_rgb(158, 166, 178),
        Tone::Accent => Color32::from_rgb(62, 142, 204),
        Tone::Good => Color32::from_rgb(64, 172, 120),
        Tone::Caution => Color32::from_rgb(240, 168, 56),
        Tone::Danger => Color32::from_rgb(220, 68, 60),
    }
}

/// Says to assistive programs what a control is whose face is a sign, and to the pointer too.
pub fn named(response: Response, text: &str) -> Response {
    said(&response, text);
    response.on_hover_text(text)
}

/// Says to assistive programs what a control is.
pub fn said(response: &Response, text: &str) {
    response.ctx.accesskit_node_builder(response.id, |node| node.set_label(text));
}

/// A small coloured word.
pub fn badge_ui(ui: &mut bevy_egui::egui::Ui, text: &str, colour: Color32) {
    let font = FontId::new(11.5, FontFamily::Proportional);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, colour);
    let (rect, _) = ui.allocate_exact_size(galley.size() + vec2(12.0, 4.0), bevy_egui::egui::Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(8), colour.gamma_multiply(0.14));
    let at = Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect).min;
    ui.painter().galley(at, galley, colour);
}

#[cfg(test)]
mod tests {
    use skrifa::{FontRef, MetadataProvider as _};

    use super::*;

    /// What is between quotes, roughly: signs of comments do no harm.
    fn signs(text: &str) -> impl Iterator<Item = char> + '_ {
        text.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(str::chars)
            .filter(|c| !c.is_ascii() && !c.is_whitespace())
    }

    #[test]
    fn the_font_has_every_sign_that_the_panels_show() {
        let mut shown: String =
            crate::locale::tests::source_files().iter().flat_map(|(_, text)| signs(text)).collect();
        for dir in ["../../assets/locales/en", "../../assets/locales/zh-CN"] {
            let dir = format!("{}/{dir}", std::env::var("CARGO_MANIFEST_DIR").unwrap());
            for entry in std::fs::read_dir(dir).unwrap() {
                shown.extend(signs(&std::fs::read_to_string(entry.unwrap().path()).unwrap()));
            }
        }
        let fonts = [FONT, SIGNS, MONO].map(|bytes| FontRef::new(bytes).unwrap());
        let has = |c: char| fonts.iter().any(|font| font.charmap().map(c).is_some());
        let missing: std::collections::BTreeSet<char> = shown.chars().filter(|c| !has(*c)).collect();
        assert!(missing.is_empty(), "the font lacks {missing:?}");
        assert!(has('‖') && !has('\u{23f8}'));
    }
}
