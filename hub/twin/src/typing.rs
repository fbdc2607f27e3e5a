//! Typing in a page: an input of the page lies over the field that is typed into, so that the browser's own way of writing
//! Chinese works there. A canvas alone gets no compositions (winit's `set_ime_allowed` does nothing on the web).
//!
//! Keys that compose nothing are handed on to the canvas, where they go the way of all keys.

use std::sync::{Arc, Mutex, PoisonError};

use bevy::prelude::*;
use bevy_egui::egui::{Event, ImeEvent};
use bevy_egui::input::EguiInputEvent;
use bevy_egui::{EguiContext, EguiOutput, PrimaryEguiContext};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{
    CompositionEvent, Event as DomEvent, HtmlElement, HtmlInputElement, InputEvent, KeyboardEvent,
    KeyboardEventInit,
};

/// The input of the page.
const INPUT: &str = "typing";
/// What a key says while a composition has it.
const COMPOSING: u32 = 229;

/// What was typed and waits for the next frame.
#[derive(Resource, Clone, Default)]
pub struct Typed(Arc<Mutex<Vec<Event>>>);

impl Typed {
    fn push(&self, event: Event) {
        const MOST: usize = 1000;
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() < MOST {
            events.push(event);
        }
    }

    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn input() -> Option<HtmlInputElement> {
    web_sys::window()?.document()?.get_element_by_id(INPUT)?.dyn_into().ok()
}

/// Listens to the page's input for as long as the page lives.
pub fn listen(canvas: &str) -> Typed {
    let typed = Typed::default();
    let (Some(input), Some(page)) = (input(), web_sys::window().and_then(|window| window.document())) else {
        return typed;
    };
    let listener = |name: &str, act: Box<dyn FnMut(DomEvent)>| {
        let closure = Closure::wrap(act);
        // A page without it types as before.
        let _ = input.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        closure.forget();
    };
    let to = typed.clone();
    listener(
        "compositionupdate",
        Box::new(move |event| {
            if let Ok(event) = event.dyn_into::<CompositionEvent>() {
                let text = event.data().unwrap_or_default();
                to.push(Event::Ime(ImeEvent::Preedit { text, active_range_chars: None }));
            }
        }),
    );
    let (to, field) = (typed.clone(), input.clone());
    listener(
        "compositionend",
        Box::new(move |event| {
            if let Ok(event) = event.dyn_into::<CompositionEvent>() {
                to.push(Event::Ime(ImeEvent::Commit(event.data().unwrap_or_default())));
                field.set_value("");
            }
        }),
    );
    let (to, field) = (typed.clone(), input.clone());
    listener(
        "input",
        Box::new(move |event| {
            let Ok(event) = event.dyn_into::<InputEvent>() else { return };
            if event.is_composing() {
                return;
            }
            // What is pasted comes by the page's own event.
            if event.input_type() == "insertText"
                && let Some(text) = event.data()
            {
                to.push(Event::Text(text));
            }
            field.set_value("");
        }),
    );
    let target = page.query_selector(canvas).ok().flatten();
    for name in ["keydown", "keyup"] {
        let target = target.clone();
        listener(
            name,
            Box::new(move |event| {
                let Ok(event) = event.dyn_into::<KeyboardEvent>() else { return };
                if event.is_composing() || event.key_code() == COMPOSING {
                    return;
                }
                let shortcut = event.ctrl_key() || event.meta_key();
                if !shortcut {
                    // The canvas has it, and the input would have it again.
                    event.prevent_default();
                }
                let init = KeyboardEventInit::new();
                init.set_key(&event.key());
                init.set_code(&event.code());
                init.set_location(event.location());
                init.set_repeat(event.repeat());
                init.set_ctrl_key(event.ctrl_key());
                init.set_shift_key(event.shift_key());
                init.set_alt_key(event.alt_key());
                init.set_meta_key(event.meta_key());
                init.set_cancelable(true);
                let copy = KeyboardEvent::new_with_keyboard_event_init_dict(&event.type_(), &init);
                if let (Some(target), Ok(copy)) = (&target, copy) {
                    let _ = target.dispatch_event(&copy);
                }
            }),
        );
    }
    typed
}

/// Hands what was typed to the panels.
pub fn type_system(
    typed: Res<'_, Typed>,
    context: Single<'_, '_, Entity, With<PrimaryEguiContext>>,
    mut events: MessageWriter<'_, EguiInputEvent>,
) {
    for event in typed.take() {
        events.write(EguiInputEvent { context: *context, event });
    }
}

/// Lays the input over the field that is typed into, or puts it away.
pub fn place_system(
    output: Single<'_, '_, (&EguiOutput, &mut EguiContext), With<PrimaryEguiContext>>,
    mut is_open: Local<'_, bool>,
) {
    let (output, mut context) = output.into_inner();
    let Some(input) = input() else { return };
    let Some(ime) = output.platform_output.ime else {
        if std::mem::replace(&mut *is_open, false) {
            let canvas =
                web_sys::window().and_then(|window| window.document()?.query_selector("canvas").ok()?);
            if let Some(canvas) = canvas.and_then(|canvas| canvas.dyn_into::<HtmlElement>().ok()) {
                let _ = canvas.focus();
            }
        }
        return;
    };
    let zoom = context.get_mut().zoom_factor();
    let style = input.style();
    for (name, value) in [
        ("left", ime.cursor_rect.left() * zoom),
        ("top", ime.rect.top() * zoom),
        ("height", ime.rect.height().max(12.0) * zoom),
    ] {
        let _ = style.set_property(name, &format!("{value}px"));
    }
    if !std::mem::replace(&mut *is_open, true) || !has_focus(&input) {
        let _ = input.focus();
    }
}

fn has_focus(input: &HtmlInputElement) -> bool {
    let active = web_sys::window().and_then(|window| window.document()?.active_element());
    active.is_some_and(|active| active.is_same_node(Some(input)))
}
