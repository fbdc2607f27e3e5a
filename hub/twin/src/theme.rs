//! How the panels look: light cards over the scene, one accent, and the font.

use bevy_egui::egui::{
    Align2, Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Frame, Margin,
    Shadow, Stroke, TextStyle, Theme, Visuals, vec2,
};
use campanile_protocol::plugins::Tone;
use campanile_protocol::{AlarmPriority, Quality};

/// Text.
pub const INK: Color32 = Color32::from_rgb(31, 41, 55);
/// Less important text.
pub const FAINT: Color32 = Color32::from_rgb(107, 114, 128);
/// What can be acted on and what is chosen.
pub const ACCENT: Color32 = Color32::from_rgb(15, 98, 160);
/// Lines between things.
pub const LINE: Color32 = Color32::from_rgb(222, 226, 232);
/// Every other row of a table.
pub const STRIPE: Color32 = Color32::from_rgb(244, 247, 250);
/// The part of a bar that is not filled.
pub const TRACK: Color32 = Color32::from_rgb(226, 231, 237);
/// What lies behind a wrong line.
pub const MARKED: Color32 = Color32::from_rgba_premultiplied(40, 9, 9, 40);
/// Texts within a script.
pub const LETTER: Color32 = Color32::from_rgb(22, 112, 74);
/// How far the head of a pin is above its place, points.
pub const PIN_HEIGHT: f32 = 22.0;
/// All is well.
pub const GOOD: Color32 = Color32::from_rgb(22, 128, 84);
/// Care.
pub const WARN: Color32 = Color32::from_rgb(190, 110, 10);
/// Wrong.
pub const BAD: Color32 = Color32::from_rgb(196, 43, 43);
/// The ground of cards.
pub const CARD: Color32 = Color32::from_rgb(252, 253, 254);

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
    ctx.set_theme(Theme::Light);
    let mut visuals = Visuals::light();
    visuals.override_text_color = Some(INK);
    visuals.panel_fill = CARD;
    visuals.window_fill = CARD;
    visuals.window_corner_radius = CornerRadius::same(10);
    visuals.window_shadow = shadow();
    visuals.window_stroke = Stroke::new(1.0, LINE);
    visuals.popup_shadow = shadow();
    visuals.selection.bg_fill = Color32::from_rgb(214, 231, 245);
    visuals.selection.stroke = Stroke::new(1.0, ACCENT);
    visuals.hyperlink_color = ACCENT;
    // A field to type into would be white on white.
    visuals.text_edit_bg_color = Some(Color32::from_rgb(240, 243, 247));
    visuals.widgets.open.weak_bg_fill = CARD;
    for widget in [
        &mut visuals.widgets.inactive,
        &mut visuals.widgets.hovered,
        &mut visuals.widgets.active,
        &mut visuals.widgets.open,
    ] {
        widget.corner_radius = CornerRadius::same(6);
    }
    visuals.widgets.inactive.weak_bg_fill = Color32::from_rgb(229, 234, 240);
    visuals.widgets.inactive.bg_fill = Color32::from_rgb(226, 231, 237);
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, LINE);
    ctx.set_visuals(visuals);
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

fn shadow() -> Shadow {
    Shadow { offset: [0, 3], blur: 14, spread: 0, color: Color32::from_black_alpha(38) }
}

/// The frame of a card.
pub fn card() -> Frame {
    Frame::new()
        .fill(Color32::from_rgba_unmultiplied(252, 253, 254, 250))
        .stroke(Stroke::new(1.0, Color32::from_rgba_unmultiplied(255, 255, 255, 200)))
        .corner_radius(CornerRadius::same(10))
        .inner_margin(Margin::symmetric(14, 11))
        .shadow(shadow())
}

/// The colour of a quality; each badge says it in words too.
pub fn quality_colour(quality: Quality) -> Color32 {
    match quality {
        Quality::Good => GOOD,
        Quality::Uncertain => WARN,
        Quality::Bad => BAD,
        Quality::Stale => FAINT,
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
        Tone::Plain => INK,
        Tone::Accent => ACCENT,
        Tone::Good => GOOD,
        Tone::Caution => WARN,
        Tone::Danger => BAD,
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
