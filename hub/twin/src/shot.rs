//! Pictures without a window: scene and panels into an image, the image into a PNG.

use std::path::PathBuf;

use bevy::app::AppExit;
use bevy::prelude::*;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};

use crate::address::Address;
use crate::app::{Rig, SceneCamera, Twin};
use crate::approve_ui::Approval;
use crate::period::Compare;
use crate::place::{Dock, Pane, WorkPlace};
use crate::plugins::PanelKey;
use crate::scene3d::Scene3d;
use crate::script_ui::open_script;
use crate::state::{Link, World};
use crate::ui::Action;
use crate::views;

/// What is to be in the picture.
#[derive(Resource, Clone, Debug)]
pub struct Shot {
    /// Where the PNG goes.
    pub out: PathBuf,
    /// A named view or the path of an entity; empty: the one that `select` or `alarm` leads to.
    pub view: String,
    /// The quantity that colours the rooms.
    pub quantity: Option<String>,
    /// The storey to cut at, by path.
    pub storey: Option<String>,
    /// The entity whose panel is open, by path.
    pub select: Option<String>,
    /// Whether to follow the most urgent alarm.
    pub alarm: bool,
    /// What is open of plugins.
    pub plugins: Option<PluginsShot>,
    /// A link to the view.
    pub link: Option<String>,
    /// A pane that is open.
    pub pane: Option<Pane>,
    /// The points that are charted, by path.
    pub charts: Vec<String>,
    /// Beside what they are charted.
    pub compare: Compare,
    /// The points on the strip, by path.
    pub pins: Vec<String>,
    /// The image that is drawn into.
    pub image: Handle<Image>,
    /// After how many seconds to give up waiting for the hub.
    pub patience_s: f64,
}

/// What is open of plugins in a picture.
#[derive(Clone, Debug)]
pub struct PluginsShot {
    /// Which part.
    pub page: PluginsPage,
    /// The plugin that is open, by id.
    pub plugin: Option<String>,
    /// Its panel that is drawn, by id.
    pub panel: Option<String>,
}

/// The parts of what can be open of plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginsPage {
    /// What activities show.
    Learn,
    /// All plugins, or one.
    Plugins,
    /// The dialog that approves the newest version of one.
    Approve,
    /// The script of one.
    Script,
}

/// How far the picture is.
#[derive(Resource, Default)]
pub struct Progress {
    stage: Stage,
    /// Why there is no picture, with the exit code.
    pub failure: Option<(u8, String)>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Stage {
    #[default]
    Waiting,
    /// Everything is set; the panels lay themselves out and histories come.
    Settling {
        since_s: f64,
    },
    /// The renderer takes in the scene.
    Warming {
        frames: u32,
    },
    Shooting,
    Done,
}

/// Exit code: no hub, or it sends nothing.
pub const EXIT_NO_HUB: u8 = 3;
/// Exit code: it could not be drawn or written.
pub const EXIT_NO_PICTURE: u8 = 4;
/// Exit code: a view, quantity, storey or entity is unknown.
pub const EXIT_UNKNOWN: u8 = 5;

/// Panels need passes to size themselves, and histories are asked for in them.
const LEAST_SETTLING_S: f64 = 0.6;
/// How long to wait for histories that are asked for.
const HISTORY_PATIENCE_S: f64 = 8.0;
/// Meshes and textures reach the renderer a frame or two after they are first seen.
const WARMING_FRAMES: u32 = 2;

/// Waits for the data, sets the view, takes the picture, ends the app.
pub fn shot_system(
    mut commands: Commands<'_, '_>,
    mut twin: ResMut<'_, Twin>,
    mut rig: ResMut<'_, Rig>,
    scene: Res<'_, Scene3d>,
    shot: Res<'_, Shot>,
    mut progress: ResMut<'_, Progress>,
    time: Res<'_, Time<Real>>,
    mut exit: MessageWriter<'_, AppExit>,
    mut camera: Single<'_, '_, &mut Camera, With<SceneCamera>>,
) {
    let now_s = time.elapsed_secs_f64();
    // Frames that nobody sees cost a software renderer seconds.
    let is_seen = !matches!(progress.stage, Stage::Waiting | Stage::Settling { .. });
    if camera.is_active != is_seen {
        camera.is_active = is_seen;
    }
    if let Some((code, _)) = &progress.failure {
        exit.write(AppExit::from_code(*code));
        return;
    }
    match progress.stage {
        Stage::Waiting => {
            if let Some(why) = &twin.scene_problem {
                progress.failure = Some((EXIT_NO_PICTURE, why.clone()));
            } else if scene.generation > 0
                && twin.state.has_snapshot
                && twin.state.has_alarms
                && is_world_here(&twin)
                && are_plugins_here(&twin, &shot)
                && rig.aspect > 0.0
            {
                match set_view(&mut twin, &mut rig, &scene, &shot, now_s) {
                    Ok(()) => {
                        twin.view.frozen_s = Some(now_s);
                        progress.stage = Stage::Settling { since_s: now_s };
                    }
                    Err(unknown) => progress.failure = Some((EXIT_UNKNOWN, unknown)),
                }
            } else if now_s > shot.patience_s {
                progress.failure = Some((EXIT_NO_HUB, what_is_missing(&twin, &scene, &shot)));
            }
        }
        Stage::Settling { since_s } => {
            rig.now = rig.goal;
            let waited_s = now_s - since_s;
            let is_history_here =
                twin.state.histories.values().all(|h| h.settled) && twin.state.plugins.is_settled();
            if (waited_s > LEAST_SETTLING_S && is_history_here) || waited_s > HISTORY_PATIENCE_S {
                // A text that changes now would have signs that the renderer has not seen.
                twin.view.holds_still = true;
                progress.stage = Stage::Warming { frames: 0 };
            }
        }
        Stage::Warming { frames } => {
            rig.now = rig.goal;
            if frames < WARMING_FRAMES {
                progress.stage = Stage::Warming { frames: frames + 1 };
            } else {
                commands.spawn(Screenshot::image(shot.image.clone())).observe(write_system);
                progress.stage = Stage::Shooting;
            }
        }
        Stage::Shooting => {}
        Stage::Done => {
            exit.write(AppExit::Success);
        }
    }
}

/// Whether what is drawn of another world than the present has come.
fn is_world_here(twin: &Twin) -> bool {
    let is_page_here = !twin.view.dock.shows(Pane::Drill) || twin.state.drills.is_some();
    is_page_here
        && match &twin.world {
            World::Live => true,
            World::Past { .. } => twin.state.world == "past",
            World::Rehearsal(id) => {
                &twin.state.world == id
                    && twin.state.rehearsal.is_some()
                    && !twin.state.layer_infos.is_empty()
                    && twin.state.layers.len() == twin.state.layer_infos.len()
            }
        }
}

/// Whether what is drawn of plugins has come: who they are, and the panel.
fn are_plugins_here(twin: &Twin, shot: &Shot) -> bool {
    let Some(wanted) = &shot.plugins else { return true };
    let plugins = &twin.state.plugins;
    let is_list_here = plugins.list.is_some() || plugins.why_no_list.is_some();
    let is_panel_here = match (&wanted.plugin, &wanted.panel) {
        (Some(plugin), Some(panel)) => {
            let key = PanelKey { plugin: plugin.clone(), panel: panel.clone() };
            // A plugin that is not there never shows it; that is said where it is opened.
            plugins.panel(&key).is_some() || plugins.list.is_some() && plugins.plugin(plugin).is_none()
        }
        _ => true,
    };
    is_list_here && is_panel_here
}

fn what_is_missing(twin: &Twin, scene: &Scene3d, shot: &Shot) -> String {
    match &twin.state.link {
        Link::Cut { why, .. } => format!("no picture: {why}"),
        Link::Door { .. } => "no picture: the hub asks for sign-in".into(),
        _ if scene.generation == 0 => "no picture: the hub has sent no scene".into(),
        _ if twin.world != World::Live && !is_world_here(twin) => {
            "no picture: the hub has not sent that world".into()
        }
        _ if !are_plugins_here(twin, shot) => {
            "no picture: the hub has not said which plugins there are, or the plugin does not show that panel"
                .into()
        }
        _ if !twin.state.has_snapshot => "no picture: the hub has sent no values".into(),
        _ => "no picture: the hub has sent no list of alarms".into(),
    }
}

fn set_view(twin: &mut Twin, rig: &mut Rig, scene: &Scene3d, shot: &Shot, now_s: f64) -> Result<(), String> {
    let index = twin.state.index.clone();
    let mut follow = None;
    if shot.alarm {
        let alarms = twin.state.alarms_by_urgency();
        let first = alarms.first().ok_or("there is no alarm to follow")?;
        follow = Some(first.entity.as_str().to_owned());
    }
    if let Some(path) = &shot.select {
        let known = index.as_ref().and_then(|i| i.entity(path));
        known.ok_or_else(|| format!("there is no entity '{path}' to select"))?;
        twin.act(Action::Select(Some(path.clone())), rig, scene, now_s);
    }
    if let Some(path) = follow {
        twin.act(Action::FlyTo(path), rig, scene, now_s);
    } else if !shot.view.is_empty() {
        let goal = views::named_view(&shot.view, index.as_deref(), scene, rig).ok_or_else(|| {
            format!("there is no view '{}': overview, gate, river, or the path of an entity", shot.view)
        })?;
        rig.goal = goal;
    }
    if let Some(quantity) = &shot.quantity {
        if twin.rooms.of(quantity).is_none() {
            let known: Vec<String> = twin.rooms.quantities().into_iter().map(|q| q.id).collect();
            return Err(format!("no rooms have the quantity '{quantity}'; there are: {}", known.join(", ")));
        }
        twin.set_quantity(Some(quantity.clone()));
    }
    if let Some(storey) = &shot.storey
        && !twin.slice_at(storey, scene)
    {
        return Err(format!("there is no storey '{storey}'"));
    }
    if let Some(link) = &shot.link {
        let address = Address::read(link).map_err(|why| why.to_string())?;
        twin.act(Action::Open(address.text()), rig, scene, now_s);
    }
    for path in shot.charts.iter().chain(&shot.pins) {
        let known = index.as_ref().and_then(|i| i.point_at(path));
        known.ok_or_else(|| format!("there is no point '{path}'"))?;
    }
    shot.charts.iter().for_each(|path| twin.view.charts.toggle(path));
    twin.view.charts.compare = shot.compare;
    shot.pins.iter().for_each(|path| twin.view.toggle_pin(path));
    if let Some(pane) = shot.pane {
        twin.view.dock.open(pane);
    }
    shot.plugins.as_ref().map_or(Ok(()), |wanted| set_plugins(twin, wanted))
}

/// Opens what is to be seen of plugins.
fn set_plugins(twin: &mut Twin, wanted: &PluginsShot) -> Result<(), String> {
    let (state, view) = (&twin.state, &mut twin.view);
    view.dock = Dock::at(if wanted.page == PluginsPage::Learn { WorkPlace::Learn } else { WorkPlace::Build });
    let Some(id) = &wanted.plugin else {
        return match wanted.page {
            PluginsPage::Learn | PluginsPage::Plugins => Ok(()),
            PluginsPage::Approve | PluginsPage::Script => Err("name the plugin with --plugin".into()),
        };
    };
    let plugin = state.plugins.plugin(id).ok_or_else(|| {
        let list = state.plugins.list.iter().flatten();
        let known = list.map(|plugin| plugin.id.as_str()).collect::<Vec<_>>().join(", ");
        format!("there is no plugin '{id}'; there are: {known}")
    })?;
    view.plugins.open = Some(id.clone());
    view.plugins.activity = Some(id.clone());
    if let Some(panel) = &wanted.panel {
        view.plugins.chosen.insert(id.clone(), panel.clone());
    }
    match wanted.page {
        PluginsPage::Learn | PluginsPage::Plugins => {}
        PluginsPage::Approve => {
            let version =
                plugin.versions.first().ok_or_else(|| format!("'{id}' has no version to approve"))?;
            view.plugins.approval = Some(Approval::of(id, &version.version));
        }
        PluginsPage::Script => {
            plugin.script.as_ref().ok_or_else(|| format!("'{id}' is no script"))?;
            open_script(view, state, id);
        }
    }
    Ok(())
}

/// Writes the picture when it has come back from the renderer.
fn write_system(
    captured: On<'_, '_, ScreenshotCaptured>,
    shot: Res<'_, Shot>,
    mut progress: ResMut<'_, Progress>,
) {
    let written =
        captured.image.clone().try_into_dynamic().map_err(|why| why.to_string()).and_then(|image| {
            let rgb = image.to_rgb8();
            write_png(&shot.out, rgb.width(), rgb.height(), rgb.as_raw())
        });
    match written {
        Ok(()) => progress.stage = Stage::Done,
        Err(why) => {
            let what = format!("{} can't be written: {why}", shot.out.display());
            progress.failure = Some((EXIT_NO_PICTURE, what));
        }
    }
}

fn write_png(out: &std::path::Path, width: u32, height: u32, rgb: &[u8]) -> Result<(), String> {
    let file = std::fs::File::create(out).map_err(|why| why.to_string())?;
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|why| why.to_string())?;
    writer.write_image_data(rgb).map_err(|why| why.to_string())?;
    writer.finish().map_err(|why| why.to_string())
}
