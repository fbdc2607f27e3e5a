//! The third way to run: in a page that the hub serves.

use bevy::prelude::*;
use web_sys::{Document, UrlSearchParams};

use crate::app::{Target, Twin, add_twin, log};
use crate::locale::Language;
use crate::net::BrowserHub;

/// The canvas that the page has for it, and the paragraph for what a person has to know where it fails.
const CANVAS: &str = "#campus";
const FAULT: &str = "fault";

/// Opens the campus on the page's canvas, from the hub that has served the page; in the language of `?lang=`, else in the
/// browser's.
pub fn run_page() {
    let Some(window) = web_sys::window() else { return };
    let location = window.location();
    let asked = location.search().ok().and_then(|query| UrlSearchParams::new_with_str(&query).ok());
    let tag = asked.and_then(|query| query.get("lang")).or_else(|| window.navigator().language());
    let language = Language::from_tag(&tag.unwrap_or_default());
    let origin = location.origin().unwrap_or_default();
    let hub = BrowserHub::connect(origin, language.tag());
    let mut app = App::new();
    let canvas = Window {
        title: "Campanile".into(),
        canvas: Some(CANVAS.into()),
        fit_canvas_to_parent: true,
        // Copy and paste come by events of the page, which would not happen.
        prevent_default_event_handling: false,
        ..default()
    };
    let windows = WindowPlugin { primary_window: Some(canvas), close_when_requested: false, ..default() };
    app.add_plugins(DefaultPlugins.set(windows).set(log()));
    add_twin(&mut app, Twin::new(Box::new(hub), language), Target::Window);
    // After the plugins: they set one of their own.
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        web_sys::console::error_1(&text.as_str().into());
        if let Some(page) = web_sys::window().and_then(|window| window.document()) {
            say(&page, &text);
        }
    }));
    app.run();
}

/// Shows what has failed where the page has a place for it.
fn say(page: &Document, text: &str) {
    if let Some(place) = page.get_element_by_id(FAULT) {
        place.set_text_content(Some(text));
        // A page without the attribute shows it already.
        let _ = place.remove_attribute("hidden");
    }
}
