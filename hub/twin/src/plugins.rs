//! What the twin knows of plugins: which there are, the panels that they show to this person, their logs, icons and
//! scripts, and what became of what a person told the hub.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bevy_egui::egui::ColorImage;
use campanile_protocol::plugins::{
    ApprovePlugin, ChangeScript, PanelShown, PluginInfo, PluginLogLine, PluginRequest, PluginScript,
    PluginSettings, PluginWork, ScriptError, UsePanel,
};

/// The lines of a plugin's log that are kept.
const MOST_LINES: usize = 500;
/// How often the list is asked for while somebody looks at it, s: its figures move.
const LIST_EVERY_S: f64 = 3.0;
/// How often new lines of a log are asked for while somebody looks at it, s.
const LOG_EVERY_S: f64 = 1.0;
/// After how long an answer is no longer waited for, s.
const PATIENCE_S: f64 = 20.0;
/// The largest side of an icon, pixels.
const MOST_ICON_SIDE: u32 = 256;

/// Names a panel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PanelKey {
    /// The id of the plugin.
    pub plugin: String,
    /// The id of the panel.
    pub panel: String,
}

/// What is asked of plugins.
#[derive(Clone, Debug, PartialEq)]
pub enum PluginAsk {
    /// Which there are.
    List,
    /// The icon of one.
    Icon(String),
    /// The lines of its log behind a number; `None`: the newest.
    Log(String, Option<u64>),
    /// Its script.
    Script(String),
    /// Something is told.
    Tell(Order),
}

/// What a person tells the hub of plugins.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Use a panel.
    Use(UsePanel),
    /// Approve a version.
    Approve(ApprovePlugin),
    /// Stop a plugin.
    Stop(PluginRequest),
    /// Let it work again.
    Start(PluginRequest),
    /// Change its settings.
    Settings(PluginSettings),
    /// Try or change its script.
    Script(ChangeScript),
}

/// Names what a person has told, so that they see beside it what became of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Errand {
    /// A node of a panel was used.
    Use(PanelKey, String),
    /// A version of a plugin is approved.
    Approve(String),
    /// A plugin is stopped or let work again.
    Switch(String),
    /// Its settings are changed.
    Settings(String),
    /// Its script is tried or changed.
    Script(String),
}

impl Order {
    /// Its name.
    pub fn errand(&self) -> Errand {
        match self {
            Self::Use(used) => {
                let key = PanelKey { plugin: used.plugin.clone(), panel: used.panel.clone() };
                Errand::Use(key, used.node.clone())
            }
            Self::Approve(approval) => Errand::Approve(approval.plugin.clone()),
            Self::Stop(request) | Self::Start(request) => Errand::Switch(request.plugin.clone()),
            Self::Settings(settings) => Errand::Settings(settings.plugin.clone()),
            Self::Script(change) => Errand::Script(change.plugin.clone()),
        }
    }
}

/// What became of an errand.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// The hub has not answered yet.
    Waits,
    /// It is done, since a moment of the app's seconds.
    Done(f64),
    /// It is not done, and why, in the hub's words.
    Refused(String),
}

/// What the hub says of plugins.
#[derive(Clone, Debug)]
pub enum PluginNews {
    /// Which there are; or why it does not say.
    List(Result<Vec<PluginInfo>, String>),
    /// An icon as a PNG; `None`: there is none.
    Icon(String, Option<Vec<u8>>),
    /// Lines of a log; or why there are none.
    Log(String, Result<Vec<PluginLogLine>, String>),
    /// A script; or why it can't be read.
    Script(String, Result<PluginScript, String>),
    /// What became of an errand: `None`, it is done.
    Came(Errand, Option<String>),
    /// What a text of a script came to.
    Tried(Tried),
}

/// What a text of a script came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The id of the plugin.
    pub plugin: String,
    /// The text.
    pub text: String,
    /// Whether it was only tried.
    pub check_only: bool,
    /// Why it would not start.
    pub error: Option<ScriptError>,
}

/// The log of a plugin as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct PluginLog {
    /// Its lines, the oldest first.
    pub lines: VecDeque<PluginLogLine>,
    /// Why there are none.
    pub why: Option<String>,
    asked: Asked,
}

/// When something was asked for, and whether the answer has come.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    at_s: Option<f64>,
    waits: bool,
}

impl Asked {
    fn is_due(&self, every_s: f64, now_s: f64) -> bool {
        self.at_s.is_none_or(|at| now_s - at >= if self.waits { PATIENCE_S } else { every_s })
    }

    fn now(now_s: f64) -> Self {
        Self { at_s: Some(now_s), waits: true }
    }
}

/// A panel for all, and what this person is shown in its place.
#[derive(Clone, Debug, Default)]
struct Views {
    shared: Option<Arc<PanelShown>>,
    own: Option<Arc<PanelShown>>,
}

/// The icon of a version of a plugin.
#[derive(Clone, Debug)]
struct Icon {
    version: Option<String>,
    image: Option<Arc<ColorImage>>,
    waits: bool,
}

/// A script as the hub has it.
#[derive(Clone, Debug)]
struct Script {
    asked: Asked,
    answer: Option<Result<PluginScript, String>>,
}

/// What a person looks at of plugins, as far as it decides what is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looks<'a> {
    /// Whether the page is open.
    pub page: bool,
    /// The plugin whose log is open.
    pub log: Option<&'a str>,
    /// The plugin whose script is open.
    pub script: Option<&'a str>,
}

/// What is known of plugins.
#[derive(Clone, Debug, Default)]
pub struct Plugins {
    /// Which there are, by id; `None` until the hub has said.
    pub list: Option<Vec<PluginInfo>>,
    /// Why the hub does not say which there are.
    pub why_no_list: Option<String>,
    panels: BTreeMap<PanelKey, Views>,
    icons: BTreeMap<String, Icon>,
    logs: BTreeMap<String, PluginLog>,
    scripts: BTreeMap<String, Script>,
    tried: BTreeMap<String, Tried>,
    came: BTreeMap<Errand, Came>,
    /// Of each plugin the share of the time that it worked lately.
    busy: BTreeMap<String, f64>,
    asked: Asked,
    /// Whether something of the list has changed since it was asked for.
    is_outdated: bool,
    listed_s: f64,
    /// Counts changes of panels.
    pub count: u64,
}

impl Plugins {
    /// The link is up, or was made anew: what was known may have changed.
    pub fn link(&mut self) {
        self.is_outdated = true;
        self.asked.waits = false;
        self.came.retain(|_, came| *came != Came::Waits);
    }

    /// Something of the list has changed.
    pub fn outdate(&mut self) {
        self.is_outdated = true;
        self.scripts.values_mut().for_each(|script| script.asked = Asked::default());
    }

    /// Replaces all panels.
    pub fn show_all(&mut self, panels: Vec<PanelShown>) {
        self.panels.clear();
        self.count += 1;
        // What is shown to all would take away what is shown to this person alone, so it comes first.
        let (own, shared): (Vec<_>, Vec<_>) = panels.into_iter().partition(|panel| panel.person.is_some());
        shared.into_iter().chain(own).for_each(|panel| self.show(panel));
    }

    /// A panel is shown anew, or no longer.
    pub fn show(&mut self, shown: PanelShown) {
        self.count += 1;
        let key = PanelKey { plugin: shown.plugin.clone(), panel: shown.panel.clone() };
        let is_own = shown.person.is_some();
        let view = (!shown.nodes.is_empty()).then(|| Arc::new(shown));
        let views = self.panels.entry(key.clone()).or_default();
        if is_own {
            views.own = view;
        } else {
            // What is shown to all ends what single persons were shown.
            *views = Views { shared: view, own: None };
        }
        if views.own.is_none() && views.shared.is_none() {
            self.panels.remove(&key);
        }
    }

    /// The panel of a key, as this person is shown it.
    pub fn panel(&self, key: &PanelKey) -> Option<&Arc<PanelShown>> {
        let views = self.panels.get(key)?;
        views.own.as_ref().or(views.shared.as_ref())
    }

    /// The panels that there are, by plugin and panel.
    pub fn panels(&self) -> impl Iterator<Item = &PanelKey> {
        self.panels.keys()
    }

    /// A plugin by id.
    pub fn plugin(&self, id: &str) -> Option<&PluginInfo> {
        self.list.as_ref()?.iter().find(|plugin| plugin.id == id)
    }

    /// The icon of a plugin, with its version.
    pub fn icon(&self, id: &str) -> Option<(Option<&str>, &Arc<ColorImage>)> {
        let icon = self.icons.get(id)?;
        Some((icon.version.as_deref(), icon.image.as_ref()?))
    }

    /// The log of a plugin, once it was asked for.
    pub fn log(&self, id: &str) -> Option<&PluginLog> {
        self.logs.get(id)
    }

    /// The script of a plugin, or why it can't be read; `None` until the hub has said.
    pub fn script(&self, id: &str) -> Option<&Result<PluginScript, String>> {
        self.scripts.get(id)?.answer.as_ref()
    }

    /// What the last text of a script came to.
    pub fn tried(&self, id: &str) -> Option<&Tried> {
        self.tried.get(id)
    }

    /// What became of an errand.
    pub fn came(&self, errand: &Errand) -> Option<&Came> {
        self.came.get(errand)
    }

    /// The share of the time that a plugin worked lately, 0 to 1.
    pub fn busy(&self, id: &str) -> Option<f64> {
        self.busy.get(id).copied()
    }

    /// An errand is on its way, or can't be sent and why.
    pub fn send(&mut self, errand: Errand, why_not: Option<String>) {
        if let Errand::Script(plugin) = &errand {
            self.tried.remove(plugin);
        }
        self.came.insert(errand, why_not.map_or(Came::Waits, Came::Refused));
    }

    /// Takes in what the hub says, at a moment of the app's seconds.
    pub fn apply(&mut self, news: PluginNews, now_s: f64) {
        match news {
            PluginNews::List(answer) => {
                self.asked.waits = false;
                match answer {
                    Ok(list) => self.apply_list(list, now_s),
                    Err(why) => self.why_no_list = Some(why),
                }
            }
            PluginNews::Icon(plugin, png) => {
                if let Some(icon) = self.icons.get_mut(&plugin) {
                    icon.image = png.and_then(|png| read_icon(&png)).map(Arc::new);
                    icon.waits = false;
                }
            }
            PluginNews::Log(plugin, answer) => self.apply_log(&plugin, answer),
            PluginNews::Script(plugin, answer) => {
                if let Some(script) = self.scripts.get_mut(&plugin) {
                    script.asked.waits = false;
                    script.answer = Some(answer);
                }
            }
            PluginNews::Came(errand, None) => {
                self.is_outdated |= !matches!(errand, Errand::Use(..));
                self.came.insert(errand, Came::Done(now_s));
            }
            PluginNews::Came(errand, Some(why)) => {
                self.came.insert(errand, Came::Refused(why));
            }
            PluginNews::Tried(tried) => {
                self.came.insert(Errand::Script(tried.plugin.clone()), Came::Done(now_s));
                let known = self.scripts.get_mut(&tried.plugin).and_then(|script| script.answer.as_mut());
                if let (false, None, Some(Ok(script))) = (tried.check_only, &tried.error, known) {
                    (script.text, script.error) = (tried.text.clone(), None);
                    self.is_outdated = true;
                }
                self.tried.insert(tried.plugin.clone(), tried);
            }
        }
    }

    fn apply_list(&mut self, list: Vec<PluginInfo>, now_s: f64) {
        let before: BTreeMap<&str, PluginWork> =
            self.list.iter().flatten().map(|plugin| (plugin.id.as_str(), plugin.work)).collect();
        let apart_s = now_s - self.listed_s;
        let share = |plugin: &PluginInfo| {
            let was = before.get(plugin.id.as_str())?;
            // A hub that began anew counts from nothing.
            let worked_s = plugin.work.busy_s - was.busy_s;
            (apart_s > 0.5 && worked_s >= 0.0).then(|| (plugin.id.clone(), (worked_s / apart_s).min(1.0)))
        };
        let busy: Vec<(String, f64)> = list.iter().filter_map(share).collect();
        self.busy.extend(busy);
        self.listed_s = now_s;
        let is_there = |id: &String| list.iter().any(|plugin| plugin.id == *id);
        self.busy.retain(|id, _| is_there(id));
        self.logs.retain(|id, _| is_there(id));
        self.icons.retain(|id, _| is_there(id));
        self.list = Some(list);
        self.why_no_list = None;
    }

    fn apply_log(&mut self, plugin: &str, answer: Result<Vec<PluginLogLine>, String>) {
        let Some(log) = self.logs.get_mut(plugin) else { return };
        log.asked.waits = false;
        match answer {
            Ok(lines) => {
                log.why = None;
                let last = log.lines.back().map(|line| line.number);
                log.lines.extend(lines.into_iter().filter(|line| last.is_none_or(|last| line.number > last)));
                let surplus = log.lines.len().saturating_sub(MOST_LINES);
                log.lines.drain(..surplus);
            }
            Err(why) => log.why = Some(why),
        }
    }

    /// What is to be asked for now. Marks it as asked.
    pub fn next_asks(&mut self, looks: Looks<'_>, now_s: f64) -> Vec<PluginAsk> {
        const MOST_ICONS: usize = 4;
        let mut asks = Vec::new();
        let every_s = if self.is_outdated {
            0.5
        } else if looks.page && self.why_no_list.is_none() {
            LIST_EVERY_S
        } else {
            f64::INFINITY
        };
        if self.asked.is_due(every_s, now_s) && (self.is_outdated || looks.page) {
            (self.asked, self.is_outdated) = (Asked::now(now_s), false);
            asks.push(PluginAsk::List);
        }
        if looks.page {
            let icons = &mut self.icons;
            let lacks = self.list.iter().flatten().filter(|plugin| {
                plugin.icon && icons.get(&plugin.id).is_none_or(|icon| icon.version != plugin.version)
            });
            let lacks: Vec<&PluginInfo> = lacks.take(MOST_ICONS).collect();
            for plugin in lacks {
                let icon = Icon { version: plugin.version.clone(), image: None, waits: true };
                icons.insert(plugin.id.clone(), icon);
                asks.push(PluginAsk::Icon(plugin.id.clone()));
            }
        }
        if let Some(id) = looks.log {
            let log = self.logs.entry(id.to_owned()).or_default();
            let every_s = if log.why.is_some() { PATIENCE_S } else { LOG_EVERY_S };
            if log.asked.is_due(every_s, now_s) {
                log.asked = Asked::now(now_s);
                asks.push(PluginAsk::Log(id.to_owned(), log.lines.back().map(|line| line.number)));
            }
        }
        if let Some(id) = looks.script {
            let unasked = || Script { asked: Asked::default(), answer: None };
            let script = self.scripts.entry(id.to_owned()).or_insert_with(unasked);
            if script.asked.is_due(f64::INFINITY, now_s) {
                script.asked = Asked::now(now_s);
                asks.push(PluginAsk::Script(id.to_owned()));
            }
        }
        asks
    }

    /// Whether nothing that was asked for is still to come.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    pub fn is_settled(&self) -> bool {
        !self.asked.waits
            && self.icons.values().all(|icon| !icon.waits)
            && self.logs.values().all(|log| !log.asked.waits)
            && self.scripts.values().all(|script| !script.asked.waits)
    }
}

/// Reads a PNG of at most 256 pixels a side. `None`: it is none.
fn read_icon(png: &[u8]) -> Option<ColorImage> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = (reader.info().width, reader.info().height);
    if width > MOST_ICON_SIDE || height > MOST_ICON_SIDE {
        return None;
    }
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut bytes).ok()?;
    let bytes = bytes.get(..frame.buffer_size())?;
    let size = [width as usize, height as usize];
    match frame.color_type {
        png::ColorType::Rgba => Some(ColorImage::from_rgba_unmultiplied(size, bytes)),
        png::ColorType::GrayscaleAlpha => {
            let rgba: Vec<u8> = bytes.chunks_exact(2).flat_map(|ga| [ga[0], ga[0], ga[0], ga[1]]).collect();
            Some(ColorImage::from_rgba_unmultiplied(size, &rgba))
        }
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use campanile_protocol::Names;
    use campanile_protocol::plugins::{PanelContent, PanelNode, PluginState, Tone};

    use super::*;

    /// A plugin that works.
    pub(crate) fn plugin(id: &str, kind: &str) -> PluginInfo {
        PluginInfo {
            id: id.into(),
            names: Names::new(format!("{id} 中"), format!("The {id}")),
            summary: Names::new("它做什么。", "What it does."),
            vendor: "Tinglan".into(),
            kind: kind.into(),
            version: Some("1.0.0".into()),
            versions: Vec::new(),
            state: PluginState::Working,
            may: Vec::new(),
            asks: Vec::new(),
            settings: Vec::new(),
            panels: Vec::new(),
            script: None,
            icon: false,
            work: PluginWork::default(),
        }
    }

    /// A panel of one text.
    pub(crate) fn panel(panel: &str, person: Option<&str>, says: &str) -> PanelShown {
        let words = Names::new(format!("{says} 中"), says);
        let content = PanelContent::Text { words, tone: Tone::Plain };
        let node = PanelNode { id: "text".into(), parent: None, content };
        PanelShown {
            plugin: "quest".into(),
            panel: panel.into(),
            names: Names::new("标题", "Title"),
            person: person.map(str::to_owned),
            time_us: 0,
            nodes: if says.is_empty() { Vec::new() } else { vec![node] },
        }
    }

    fn says(plugins: &Plugins, panel: &str) -> Option<String> {
        let key = PanelKey { plugin: "quest".into(), panel: panel.into() };
        match &plugins.panel(&key)?.nodes.first()?.content {
            PanelContent::Text { words, .. } => Some(words.en.clone()),
            _ => None,
        }
    }

    #[test]
    fn ones_own_view_of_a_panel_stands_in_front_of_that_for_all() {
        let mut plugins = Plugins::default();
        let mine = |says| panel("quiz", Some("7-2/Swift"), says);
        let all = |says| panel("quiz", None, says);
        for (shown, expected) in [
            (all("Question 1"), Some("Question 1")),
            (mine("Right!"), Some("Right!")),
            (mine(""), Some("Question 1")),
            (mine("Wrong"), Some("Wrong")),
            (all("Question 2"), Some("Question 2")),
            (mine("Right!"), Some("Right!")),
            (all(""), None),
            (mine("Alone"), Some("Alone")),
            (mine(""), None),
        ] {
            let what = format!("{:?} {:?}", shown.person, shown.nodes);
            plugins.show(shown);
            assert_eq!(says(&plugins, "quiz").as_deref(), expected, "after {what}");
        }
        assert_eq!(plugins.panels().count(), 0, "a panel without a view is none");
        // The list may name them in any order.
        plugins.show_all(vec![mine("Right!"), all("Question 3"), panel("league", None, "7-2 leads")]);
        assert_eq!(says(&plugins, "quiz").as_deref(), Some("Right!"));
        assert_eq!(says(&plugins, "league").as_deref(), Some("7-2 leads"));
        plugins.show(mine(""));
        assert_eq!(says(&plugins, "quiz").as_deref(), Some("Question 3"));
        plugins.show_all(vec![panel("league", None, "7-1 leads")]);
        assert_eq!(says(&plugins, "quiz"), None, "a list replaces what was known");
    }

    #[test]
    fn only_what_somebody_looks_at_is_asked_for() {
        let mut plugins = Plugins::default();
        let (away, page) = (Looks::default(), Looks { page: true, ..Looks::default() });
        assert_eq!(plugins.next_asks(away, 0.0), Vec::<PluginAsk>::new(), "there is no link yet");
        plugins.link();
        assert_eq!(plugins.next_asks(away, 1.0), [PluginAsk::List], "alarms need the names");
        assert_eq!(plugins.next_asks(page, 5.0), Vec::<PluginAsk>::new(), "the answer is still to come");
        let with_icon = PluginInfo { icon: true, ..plugin("water", "rule") };
        plugins.apply(PluginNews::List(Ok(vec![with_icon.clone(), plugin("quest", "activity")])), 5.0);
        assert_eq!(plugins.next_asks(away, 60.0), Vec::<PluginAsk>::new());
        assert_eq!(plugins.next_asks(page, 60.0), [PluginAsk::List, PluginAsk::Icon("water".into())]);
        plugins.apply(PluginNews::List(Ok(vec![with_icon])), 60.0);
        assert_eq!(plugins.next_asks(page, 61.0), Vec::<PluginAsk>::new(), "an icon is asked for once");
        let log = Looks { log: Some("water"), ..page };
        assert_eq!(plugins.next_asks(log, 61.0), [PluginAsk::Log("water".into(), None)]);
        let line = |number, text: &str| PluginLogLine {
            number,
            time_us: 0,
            level: "info".into(),
            text: text.into(),
        };
        plugins.apply(PluginNews::Log("water".into(), Ok(vec![line(7, "a"), line(8, "b")])), 61.5);
        assert_eq!(plugins.next_asks(log, 62.1), [PluginAsk::Log("water".into(), Some(8))]);
        plugins.apply(PluginNews::Log("water".into(), Ok(vec![line(8, "b"), line(9, "c")])), 62.2);
        let numbers: Vec<u64> = plugins.log("water").unwrap().lines.iter().map(|l| l.number).collect();
        assert_eq!(numbers, [7, 8, 9], "no line twice");
        let script = Looks { script: Some("water"), ..away };
        assert_eq!(plugins.next_asks(script, 63.0), [PluginAsk::Script("water".into())]);
        assert_eq!(plugins.next_asks(script, 64.0), Vec::<PluginAsk>::new());
    }

    #[test]
    fn a_hub_that_does_not_say_is_not_asked_again_and_again() {
        let mut plugins = Plugins::default();
        let page = Looks { page: true, ..Looks::default() };
        plugins.link();
        assert_eq!(plugins.next_asks(page, 0.0), [PluginAsk::List]);
        plugins.apply(PluginNews::List(Err("your role may not".into())), 0.1);
        assert_eq!(plugins.next_asks(page, 100.0), Vec::<PluginAsk>::new());
        plugins.outdate();
        assert_eq!(plugins.next_asks(page, 100.0), [PluginAsk::List], "something has changed");
    }

    #[test]
    fn the_share_of_its_time_that_a_plugin_works_is_that_between_two_lists() {
        let mut plugins = Plugins::default();
        let worked = |busy_s| {
            let work = PluginWork { busy_s, ..PluginWork::default() };
            PluginNews::List(Ok(vec![PluginInfo { work, ..plugin("water", "rule") }]))
        };
        plugins.apply(worked(100.0), 10.0);
        assert_eq!(plugins.busy("water"), None, "one list says nothing of now");
        plugins.apply(worked(100.03), 13.0);
        assert!((plugins.busy("water").unwrap() - 0.01).abs() < 1e-9);
        plugins.apply(worked(0.0), 16.0);
        assert!((plugins.busy("water").unwrap() - 0.01).abs() < 1e-9, "the hub began anew");
    }

    #[test]
    fn a_script_that_was_applied_is_that_of_the_hub() {
        let mut plugins = Plugins::default();
        let looks = Looks { script: Some("night"), ..Looks::default() };
        plugins.next_asks(looks, 0.0);
        let script = |text: &str| PluginScript {
            plugin: "night".into(),
            file: "main.rhai".into(),
            text: text.into(),
            error: None,
        };
        plugins.apply(PluginNews::Script("night".into(), Ok(script("old"))), 0.0);
        let text_of = |plugins: &Plugins| plugins.script("night").unwrap().as_ref().unwrap().text.clone();
        let wrong = ScriptError { line: Some(2), column: Some(5), message: "no such thing".into() };
        for (check_only, error, expected) in
            [(true, None, "old"), (false, Some(wrong), "old"), (false, None, "new")]
        {
            let change = ChangeScript {
                plugin: "night".into(),
                text: "new".into(),
                check_only,
                reason: String::new(),
            };
            let errand = Order::Script(change).errand();
            plugins.send(errand.clone(), None);
            assert_eq!(plugins.came(&errand), Some(&Came::Waits));
            let tried = Tried { plugin: "night".into(), text: "new".into(), check_only, error };
            plugins.apply(PluginNews::Tried(tried.clone()), 1.0);
            assert_eq!(
                (plugins.came(&errand), plugins.tried("night")),
                (Some(&Came::Done(1.0)), Some(&tried))
            );
            assert_eq!(text_of(&plugins), expected);
        }
    }

    #[test]
    fn an_icon_is_read_and_what_is_none_is_left_out() {
        let png = |side: u32, colour: png::ColorType, pixel: &[u8]| {
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, side, side);
            encoder.set_color(colour);
            encoder.set_depth(png::BitDepth::Eight);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&pixel.repeat((side * side) as usize)).unwrap();
            writer.finish().unwrap();
            bytes
        };
        for (colour, pixel, expected) in [
            (png::ColorType::Rgba, &[9, 8, 7, 255][..], [9, 8, 7, 255]),
            (png::ColorType::Rgb, &[9, 8, 7], [9, 8, 7, 255]),
            (png::ColorType::Grayscale, &[9], [9, 9, 9, 255]),
        ] {
            let image = read_icon(&png(32, colour, pixel)).unwrap();
            assert_eq!((image.size, image.pixels[5].to_array()), ([32, 32], expected), "{colour:?}");
        }
        assert!(read_icon(&png(300, png::ColorType::Grayscale, &[0])).is_none(), "too large");
        assert!(read_icon(b"no picture").is_none());
    }
}
