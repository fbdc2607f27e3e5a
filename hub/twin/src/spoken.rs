//! What is seen, in a sentence: for people who have it read to them.

use crate::locale::Texts;
use crate::state::{Link, State};
use crate::ui::View;
use crate::units::value_text;

/// Campus, link, alarms, and what is chosen with its values.
pub fn spoken(state: &State, view: &View, texts: &Texts) -> String {
    const MOST: usize = 8;
    let mut parts = vec![texts.t("app-name")];
    parts.push(match &state.link {
        Link::Connecting => texts.t("link-connecting"),
        Link::Live => texts.t(match state.world.as_str() {
            "live" => "world-live",
            "simulated" => "world-simulated",
            "past" => "world-past",
            _ => "world-rehearsal",
        }),
        Link::Door { .. } => texts.t("link-door"),
        Link::Cut { why, .. } => texts.with("link-cut", &[("why", why)]),
    });
    let Some(index) = state.index.as_deref().filter(|_| !matches!(state.link, Link::Door { .. })) else {
        return parts.join(" · ");
    };
    parts.push(texts.name(&index.catalogue.names).to_owned());
    parts.push(match state.alarms.len() {
        0 => texts.t("alarms-none"),
        count => format!("{}: {count}", texts.t("alarms")),
    });
    parts.push(view.dock.place.text(texts));
    let chosen = view.selected.as_deref().and_then(|path| index.nearest(path));
    if let Some((entity, info)) = chosen.and_then(|i| Some((i, index.catalogue.entities.get(i as usize)?))) {
        parts.push(texts.name(&info.names).to_owned());
        for &point in index.points_of(entity).iter().take(MOST) {
            let (Some(value), Some(info)) = (state.value(point), index.point(point)) else { continue };
            parts.push(format!("{}: {}", texts.name(&info.names), value_text(&value.value, info, texts)));
        }
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Language;
    use crate::state::tests::live_state;
    use crate::state::{Asked, Event, Why};

    #[test]
    fn what_is_chosen_is_read_with_its_values_and_nothing_at_the_door() {
        let mut view = View::default();
        view.select(Some("a/1f/101".into()));
        let mut state = live_state();
        let said = |state: &State, language| spoken(state, &view, &Texts::new(language));
        let english = said(&state, Language::English);
        assert!(english.contains("Test School") && english.ends_with("a/1f/101 · CO₂: 800 ppm"), "{english}");
        assert!(said(&state, Language::Chinese).ends_with("a/1f/101 中 · 二氧化碳: 800 ppm"));
        state.apply(Event::Asked { what: Asked::Person, why: Why::First }, 0.0);
        assert_eq!(said(&state, Language::English), "Campanile · Sign-in");
    }
}
