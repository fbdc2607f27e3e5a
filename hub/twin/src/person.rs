//! A person before the panels, for tests: sees texts and where they are, clicks and types.

use bevy_egui::egui::epaint::{ClippedShape, TextShape};
use bevy_egui::egui::{
    Context, Event, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2, RawInput, Rect, Shape, TouchPhase,
    pos2, vec2,
};

use crate::lens::Shown;
use crate::locale::{Language, Texts};
use crate::rooms::RoomPoints;
use crate::state::{State, World};
use crate::storeys::Storeys;
use crate::theme;
use crate::ui::{Action, Input, View, twin_ui};
use crate::views::Label;

/// A text that is seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it says.
    pub text: String,
    /// Where.
    pub rect: Rect,
    /// What of the screen it may be drawn in.
    pub clip: Rect,
}

/// A person before the panels.
pub struct Person {
    ctx: Context,
    screen: Rect,
    /// What the twin knows.
    pub state: State,
    /// What they look at.
    pub view: View,
    /// Their language.
    pub texts: Texts,
    /// What floats over places.
    pub labels: Vec<Label>,
    /// What the layer shows.
    pub lens: Shown,
    /// The world that is followed.
    pub world: World,
    /// The app's clock, s.
    pub now_s: f64,
    /// What they see.
    pub seen: Vec<Seen>,
    /// What they have wished.
    pub wishes: Vec<Action>,
}

impl Person {
    /// A person before a small screen.
    pub fn before(state: State, language: Language) -> Self {
        Self::at(state, View::default(), language, [800.0, 600.0])
    }

    /// A person before a screen of a size.
    pub fn at(state: State, view: View, language: Language, [width, height]: [f32; 2]) -> Self {
        let ctx = Context::default();
        theme::dress(&ctx);
        let mut person = Self {
            ctx,
            screen: Rect::from_min_size(pos2(0.0, 0.0), vec2(width, height)),
            state,
            view,
            texts: Texts::new(language),
            labels: Vec::new(),
            lens: Shown::default(),
            world: World::Live,
            now_s: 1.0,
            seen: Vec::new(),
            wishes: Vec::new(),
        };
        person.look();
        person
    }

    /// Looks until nothing moves: areas are sized in a first pass and shown in the next.
    pub fn look(&mut self) {
        (0..4).for_each(|_| self.pass(Vec::new()));
    }

    /// One pass over the panels.
    pub fn pass(&mut self, events: Vec<Event>) {
        let rooms = self.state.index.as_deref().map(RoomPoints::find).unwrap_or_default();
        let input = Input {
            state: &self.state,
            rooms: &rooms,
            storeys: &Storeys::default(),
            texts: &self.texts,
            labels: &self.labels,
            lens: &self.lens,
            scene_problem: None,
            is_scene_here: true,
            now_s: self.now_s,
            world: &self.world,
        };
        let raw = RawInput { screen_rect: Some(self.screen), events, ..RawInput::default() };
        let (view, wishes) = (&mut self.view, &mut self.wishes);
        let mut output = self.ctx.run_ui(raw, |ui| wishes.extend(twin_ui(ui, &input, view).0));
        output.textures_delta.clear();
        self.seen.clear();
        output.shapes.iter().for_each(|shape| see(shape, &mut self.seen));
    }

    /// Where a text stands, the lowest of several.
    pub fn place(&self, text: &str) -> Rect {
        let found = self.seen.iter().filter(|seen| seen.text == text).map(|seen| seen.rect);
        let lowest = found.max_by(|a, b| a.top().total_cmp(&b.top()));
        lowest.unwrap_or_else(|| panic!("{text} is not among {:?}", self.all()))
    }

    /// Whether a text is seen, or one that it is a part of.
    pub fn sees(&self, text: &str) -> bool {
        self.seen.iter().any(|seen| seen.text.contains(text))
    }

    /// All texts that are seen.
    pub fn all(&self) -> Vec<&str> {
        self.seen.iter().map(|seen| seen.text.as_str()).collect()
    }

    /// What stands off the screen to the side, or is cut off there by what it is in.
    pub fn cut_off(&self) -> Vec<&Seen> {
        let is_cut = |seen: &&Seen| {
            // What is scrolled out of sight is not cut.
            let is_visible = seen.clip.intersects(seen.rect);
            let room = seen.clip.intersect(self.screen).expand(1.0);
            is_visible && (seen.rect.right() > room.right() || seen.rect.left() < room.left())
        };
        self.seen.iter().filter(is_cut).collect()
    }

    /// Scrolls down what the pointer is put on.
    pub fn scroll(&mut self, at: Pos2, points: f32) {
        self.pass(vec![
            Event::PointerMoved(at),
            Event::MouseWheel {
                unit: MouseWheelUnit::Point,
                delta: vec2(0.0, -points),
                phase: TouchPhase::Move,
                modifiers: Modifiers::default(),
            },
        ]);
        self.look();
    }

    /// Clicks.
    pub fn click(&mut self, at: Pos2) {
        let button = |pressed| {
            let (button, modifiers) = (PointerButton::Primary, Modifiers::default());
            Event::PointerButton { pos: at, button, pressed, modifiers }
        };
        self.pass(vec![Event::PointerMoved(at), button(true)]);
        self.pass(vec![button(false)]);
        self.pass(Vec::new());
    }

    /// Clicks on a text, the lowest of several.
    pub fn click_on(&mut self, text: &str) {
        let at = self.place(text).center();
        self.click(at);
    }

    /// Types where the cursor is.
    pub fn types(&mut self, text: &str) {
        self.pass(vec![Event::Text(text.to_owned())]);
    }

    /// Types behind what stands in a field that is right of its label.
    pub fn type_into(&mut self, field: &str, text: &str) {
        let label = self.place(field);
        self.click(pos2(label.right() + 40.0, label.center().y));
        self.pass(vec![key(Key::End)]);
        self.types(text);
    }

    /// Presses a key.
    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.pass(vec![Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }]);
    }

    /// Presses Enter.
    pub fn enter(&mut self) {
        self.pass(vec![key(Key::Enter)]);
    }
}

fn key(key: Key) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::default() }
}

fn see(clipped: &ClippedShape, into: &mut Vec<Seen>) {
    fn within(shape: &Shape, clip: Rect, into: &mut Vec<Seen>) {
        match shape {
            Shape::Text(text) => into.push(seen(text, clip)),
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| within(shape, clip, into)),
            _ => {}
        }
    }
    within(&clipped.shape, clipped.clip_rect, into);
}

fn seen(text: &TextShape, clip: Rect) -> Seen {
    Seen { text: text.galley.job.text.clone(), rect: text.visual_bounding_rect(), clip }
}
