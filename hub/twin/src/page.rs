//! The third way to run: in a page that the hub serves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use bevy::prelude::*;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, UrlSearchParams};

use crate::app::{Inbox, Rig, Target, Twin, add_twin, log};
use crate::locale::Language;
use crate::net::BrowserHub;
use crate::prefs::InPage;
use crate::spoken::spoken;
use crate::typing;

/// The canvas that the page has for it, and the places for what a person has to know where it fails, for what screen
/// readers read, and for the twin to say that it draws.
const CANVAS: &str = "#campus";
const FAULT: &str = "fault";
const SPOKEN: &str = "spoken";

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

/// Opens the campus on the page's canvas, from the hub that has served the page; in the language of `?lang=`, else in the
/// one that was chosen last, else in the browser's. What stands behind `#` is the view.
pub fn run_page() {
    let Some(window) = web_sys::window() else { return };
    let location = window.location();
    let asked = location.search().ok().and_then(|query| UrlSearchParams::new_with_str(&query).ok());
    let asked = asked.and_then(|query| query.get("lang"));
    let language =
        Language::from_tag(&asked.clone().or_else(|| window.navigator().language()).unwrap_or_default());
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
    let mut twin = Twin::keeping(Box::new(hub), language, Box::new(InPage));
    if asked.is_some() {
        twin.speak(language);
    }
    follow_links(&twin.inbox);
    app.insert_resource(ask_before_leaving());
    add_twin(&mut app, twin, Target::Window);
    app.insert_resource(typing::listen(CANVAS)).add_systems(First, typing::type_system).add_systems(
        Last,
        (typing::place_system, address_system, spoken_system, unsaved_system, count_system),
    );
    // After the plugins: they set one of their own.
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        web_sys::console::error_1(&text.as_str().into());
        if let Some(page) = document() {
            say(&page, &text);
        }
    }));
    app.run();
}

/// Puts what stands behind `#` where the twin takes it from: now, and when it changes.
fn follow_links(inbox: &Inbox) {
    let Some(window) = web_sys::window() else { return };
    let take = |inbox: &Inbox| {
        let link = web_sys::window().and_then(|window| window.location().hash().ok());
        if let Some(link) = link.filter(|link| link.len() > 1) {
            *inbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
        }
    };
    take(inbox);
    let inbox = inbox.clone();
    let closure = Closure::<dyn FnMut()>::new(move || take(&inbox));
    // Without it a link that is pasted into a page that is open does nothing.
    let _ = window.add_event_listener_with_callback("hashchange", closure.as_ref().unchecked_ref());
    closure.forget();
}

/// Whether somebody has written what is not applied yet.
#[derive(Resource, Clone, Default)]
struct Unsaved(Arc<AtomicBool>);

/// The browser asks before a page is closed or loaded anew that would lose what somebody has written.
fn ask_before_leaving() -> Unsaved {
    let unsaved = Unsaved::default();
    let is_unsaved = unsaved.0.clone();
    let closure = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
        if is_unsaved.load(Ordering::Relaxed) {
            event.prevent_default();
        }
    });
    if let Some(window) = web_sys::window() {
        // Without it nothing is asked; what was written is lost then, as in any page.
        let _ = window.add_event_listener_with_callback("beforeunload", closure.as_ref().unchecked_ref());
    }
    closure.forget();
    unsaved
}

fn unsaved_system(twin: Res<'_, Twin>, unsaved: Res<'_, Unsaved>) {
    let editor = twin.view.plugins.editor.as_ref();
    unsaved.0.store(editor.is_some_and(|editor| editor.is_changed()), Ordering::Relaxed);
}

/// Keeps the link to what is seen in the address bar.
fn address_system(
    twin: Res<'_, Twin>,
    rig: Res<'_, Rig>,
    time: Res<'_, Time<Real>>,
    mut last: Local<'_, (f64, String)>,
) {
    const EVERY_S: f64 = 1.0;
    let now_s = time.elapsed_secs_f64();
    let waits = twin.inbox.lock().is_ok_and(|inbox| inbox.is_some());
    if now_s - last.0 < EVERY_S || waits || rig.framed == 0 {
        return;
    }
    last.0 = now_s;
    let link = format!("#{}", twin.address_of_view(&rig, now_s).text());
    if last.1 == link {
        return;
    }
    if let Some(history) = web_sys::window().and_then(|window| window.history().ok()) {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&link));
    }
    last.1 = link;
}

/// Says in the page what is seen, for screen readers and for whoever tries the page by program.
fn spoken_system(
    twin: Res<'_, Twin>,
    rig: Res<'_, Rig>,
    time: Res<'_, Time<Real>>,
    mut last: Local<'_, (f64, String)>,
) {
    const EVERY_S: f64 = 0.5;
    let now_s = time.elapsed_secs_f64();
    if now_s - last.0 < EVERY_S {
        return;
    }
    last.0 = now_s;
    let is_drawn = rig.framed > 0 && twin.state.has_snapshot;
    let text = spoken(&twin.state, &twin.view, &twin.texts);
    let key = format!("{is_drawn}{text}");
    if last.1 == key {
        return;
    }
    if let Some(place) = document().and_then(|page| page.get_element_by_id(SPOKEN)) {
        place.set_text_content(Some(&text));
        let _ = place.set_attribute("lang", twin.texts.language().tag());
        let _ = place.set_attribute("data-drawn", if is_drawn { "yes" } else { "no" });
    }
    last.1 = key;
}

/// Counts the pictures, for whoever tries the page by program.
fn count_system(mut count: Local<'_, u32>) {
    *count = count.wrapping_add(1);
    if let Some(window) = web_sys::window() {
        // It is only looked at.
        let _ = js_sys::Reflect::set(&window, &"campanilePictures".into(), &JsValue::from(*count));
    }
}

/// Shows what has failed where the page has a place for it.
fn say(page: &Document, text: &str) {
    if let Some(place) = page.get_element_by_id(FAULT) {
        place.set_text_content(Some(text));
        // A page without the attribute shows it already.
        let _ = place.remove_attribute("hidden");
    }
}
