//! The two ways to run: in a window, and into a picture.

use std::path::PathBuf;
use std::time::Duration;

use bevy::app::{AppExit, ScheduleRunnerPlugin};
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::render_resource::{TextureFormat, TextureUsages};
use bevy::window::{ExitCondition, WindowResolution};
use bevy::winit::WinitPlugin;
use campanile_client::{Client, ClientError, keep_secrets_from_log};

use crate::app::{Rig, Target, Twin, add_twin, log};
use crate::locale::Language;
use crate::net::{NativeHub, NetError};
use crate::period::Compare;
use crate::place::{Dock, Pane, WorkPlace};
use crate::prefs::{InFile, Nowhere, Store};
use crate::shot::{EXIT_NO_PICTURE, PluginsShot, Progress, Shot, shot_system};
use crate::state::World;

/// What a window begins with.
#[derive(Clone, Debug, Default)]
pub struct WindowOptions {
    /// The language, where it is said; else the one that was chosen last, else `usual`.
    pub language: Option<Language>,
    /// The language of the system.
    pub usual: Language,
    /// A link to the view that is gone to.
    pub link: Option<String>,
}

/// What a picture shows.
#[derive(Clone, Debug)]
pub struct SnapshotOptions {
    /// Where the PNG goes.
    pub out: PathBuf,
    /// A named view or the path of an entity.
    pub view: String,
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// The language of the panels.
    pub language: Language,
    /// The quantity that colours the rooms.
    pub quantity: Option<String>,
    /// The storey to cut at, by path.
    pub storey: Option<String>,
    /// The entity whose panel is open, by path.
    pub select: Option<String>,
    /// Whether to follow the most urgent alarm.
    pub alarm: bool,
    /// The world that is shown.
    pub world: World,
    /// Whether the Drill page is open.
    pub drill: bool,
    /// What is open of plugins; instead of the Drill page.
    pub plugins: Option<PluginsShot>,
    /// A link to the view, as the twin copies it.
    pub link: Option<String>,
    /// A pane that is open, by its name.
    pub pane: Option<Pane>,
    /// The points that are charted today, by path.
    pub charts: Vec<String>,
    /// Beside what they are charted.
    pub compare: Compare,
    /// The points on the strip, by path.
    pub pins: Vec<String>,
    /// Whether panels are dark.
    pub is_dark: bool,
    /// After how many seconds to give up waiting for the hub.
    pub patience_s: f64,
}

/// Why the twin ended other than by a person's wish.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TwinError {
    /// The hub can't be asked, or refuses.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The link to the hub can't even begin.
    #[error(transparent)]
    Net(#[from] NetError),
    /// There is no picture.
    #[error("{what}")]
    NoPicture {
        /// The exit code: 3 no hub, 4 not drawn or written, 5 a name is unknown.
        code: u8,
        /// What went wrong.
        what: String,
    },
    /// The window's program ended with an error.
    #[error("the window ended with code {0}")]
    Window(u8),
}

/// Exit code: an option is wrong, or the hub does not take the token.
const EXIT_ARGUMENTS: u8 = 2;

impl TwinError {
    /// How to mend it, for who uses the command line.
    pub fn mend(&self) -> Option<String> {
        match self {
            TwinError::Client(why) | TwinError::Net(NetError::Client(why)) => why.mend(),
            _ => None,
        }
    }

    /// The exit code of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            TwinError::Client(ClientError::Unreachable { .. } | ClientError::Untrusted { .. })
            | TwinError::Net(_) => crate::shot::EXIT_NO_HUB,
            TwinError::Client(_) => EXIT_ARGUMENTS,
            TwinError::NoPicture { code, .. } | TwinError::Window(code) => *code,
        }
    }
}

/// The renderer and the window system below it panic where there is no display, no driver or a lost device. A person
/// gets a sentence and the program an exit code; the place is for whoever mends the program.
fn say_panics_plainly() {
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown");
        let missing = ["DISPLAY", "XOpenDisplayFailed", "XNotSupported", "event loop"];
        if missing.iter().any(|word| text.contains(word)) {
            eprintln!(
                "campanile-twin: there is no display to open a window on; start it in a desktop session, or set DISPLAY; \
                 `campanile snapshot` draws into a file without one"
            );
        } else {
            let name = |l: &std::panic::Location<'_>| {
                l.file().rsplit('/').take(3).map(str::to_owned).collect::<Vec<_>>()
            };
            let place = info.location().map(|l| {
                let mut parts = name(l);
                parts.reverse();
                format!(" ({}:{})", parts.join("/"), l.line())
            });
            eprintln!("campanile-twin: the renderer has failed: {text}{}", place.unwrap_or_default());
        }
        std::process::exit(i32::from(EXIT_NO_PICTURE));
    }));
}

/// A link to a hub; to be made when the log has begun.
fn hub_of(client: Client, language: Language) -> Result<Box<NativeHub>, TwinError> {
    keep_secrets_from_log();
    client.set_language(language.tag());
    Ok(Box::new(NativeHub::connect(client)?))
}

/// Opens a window on a hub and returns when it is closed.
///
/// # Errors
/// [`TwinError`] where the window ends with an error.
pub fn run_window(client: Client, options: WindowOptions) -> Result<(), TwinError> {
    say_panics_plainly();
    let mut app = App::new();
    let window =
        Window { title: "Campanile".into(), resolution: WindowResolution::new(1280, 720), ..default() };
    // It is closed by the twin itself, which may have to ask first.
    let windows = WindowPlugin { primary_window: Some(window), close_when_requested: false, ..default() };
    app.add_plugins(DefaultPlugins.set(windows).set(log()));
    let hub = hub_of(client, options.language.unwrap_or(options.usual))?;
    let store: Box<dyn Store> =
        InFile::usual().map_or_else(|| Box::new(Nowhere) as Box<dyn Store>, |file| Box::new(file));
    let mut twin = Twin::keeping(hub, options.usual, store);
    if let Some(language) = options.language {
        twin.speak(language);
    }
    *twin.inbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = options.link;
    add_twin(&mut app, twin, Target::Window);
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(TwinError::Window(code.get())),
    }
}

/// Draws scene and panels into a PNG, without a window.
///
/// # Errors
/// [`TwinError`] where there is no hub or it lets nobody in, a name is unknown, or nothing can be drawn or written.
pub fn run_snapshot(client: Client, options: SnapshotOptions) -> Result<(), TwinError> {
    match client.me() {
        // It may be about to start.
        Ok(_) | Err(ClientError::Unreachable { .. }) => {}
        Err(why) => return Err(why.into()),
    }
    say_panics_plainly();
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            // A picture must not be taken while a pipeline is still being made.
            .set(RenderPlugin { synchronous_pipeline_compilation: true, ..default() })
            .set(log())
            .disable::<WinitPlugin>(),
    );
    app.add_plugins(ScheduleRunnerPlugin::run_loop(Duration::from_millis(5)));
    let [width, height] = options.size;
    let mut image = Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
    image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    let image = app.world_mut().resource_mut::<Assets<Image>>().add(image);
    let mut twin = Twin::new(hub_of(client, options.language)?, options.language);
    twin.view.is_dark = options.is_dark;
    if options.world != World::Live {
        twin.follow(options.world);
    }
    if options.drill {
        twin.view.dock = Dock::at(WorkPlace::Drill);
    }
    add_twin(&mut app, twin, Target::Image(image.clone()));
    let screen = Vec2::new(width as f32, height as f32);
    app.insert_resource(Rig { screen, aspect: screen.x / screen.y, ..Rig::default() });
    app.insert_resource(Shot {
        out: options.out,
        view: options.view,
        quantity: options.quantity,
        storey: options.storey,
        select: options.select,
        alarm: options.alarm,
        plugins: options.plugins,
        link: options.link,
        pane: options.pane,
        charts: options.charts,
        compare: options.compare,
        pins: options.pins,
        image,
        patience_s: options.patience_s,
    })
    .init_resource::<Progress>()
    .add_systems(First, shot_system);
    // What went wrong is in a resource, which is gone once the app has run: a last system keeps it.
    let kept = std::sync::Arc::new(std::sync::Mutex::new(None));
    let keep = kept.clone();
    app.add_systems(Last, move |progress: Res<'_, Progress>| {
        if let (Some(failure), Ok(mut slot)) = (&progress.failure, keep.lock()) {
            *slot = Some(failure.clone());
        }
    });
    let exit = app.run();
    let failure = kept.lock().ok().and_then(|mut slot| slot.take());
    match (exit, failure) {
        (_, Some((code, what))) => Err(TwinError::NoPicture { code, what }),
        (AppExit::Success, None) => Ok(()),
        (AppExit::Error(_), None) => Err(TwinError::NoPicture {
            code: EXIT_NO_PICTURE,
            what: "the renderer ended with an error".into(),
        }),
    }
}
