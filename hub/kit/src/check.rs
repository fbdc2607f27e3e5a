//! All that can be told of a plugin before it runs anywhere, at once: its manifest, its component or script, its files.

use std::path::Path as FsPath;
use std::sync::Arc;

use campanile_model::{Campus, Glob, Names, Place, Problems, Severity, read_toml_checked};
use campanile_plugins::{Kind, MANIFEST_FILE, Manifest};

use crate::finding::Finding;
use crate::plugin::{Plugin, Workshop, in_english, not_built};
use crate::source::Source;

/// The largest icon, bytes.
const MOST_ICON: usize = 64 * 1024;
/// The sizes that an icon may have, pixels.
const ICON_PIXELS: std::ops::RangeInclusive<u32> = 32..=256;

/// What a check has found.
#[derive(Debug)]
pub struct Checked {
    /// The manifest, where it can be read.
    pub manifest: Option<Arc<Manifest>>,
    /// Everything that is wrong or likely not as meant, errors first.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// How many findings are errors.
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|f| f.severity == Severity::Error).count()
    }
}

/// Where values of the manifest stand.
type PlaceOf<'a> = &'a dyn Fn(&str) -> Place;

/// Checks a plugin against a campus.
pub fn check(source: &Source, campus: &Arc<Campus>, workshop: &Workshop) -> Checked {
    let file = source.file(MANIFEST_FILE);
    let text = match source.text(MANIFEST_FILE) {
        Ok(text) => text,
        Err(finding) => return Checked { manifest: None, findings: vec![*finding] },
    };
    let mut findings: Vec<Finding> = Vec::new();
    let read = Manifest::read(&file, &text);
    if let Err(Problems(problems)) = &read {
        findings.extend(problems.iter().cloned().map(Finding::from));
    }
    let manifest = read.ok().map(Arc::new);
    // Once more with the campus: what can't be read has been told.
    let _ = read_toml_checked(&file, &text, |spec: &Manifest, places| {
        let place = |pointer: &str| places.place(pointer);
        let check = Check { file: &file, spec, place: &place };
        findings.extend(check.names());
        findings.extend(check.globs(campus));
        let icon = check.icon(source);
        // What can't be packed can't be started; that has been told by then.
        let packs = icon.is_empty();
        findings.extend(icon);
        findings.extend(check.files(source));
        let Some(manifest) = &manifest else { return };
        match check.body(source, manifest) {
            Ok(imports) => {
                findings.extend(imports);
                match packs.then(|| Plugin::open(source, workshop)) {
                    Some(Ok(plugin)) => findings.extend(plugin.starts(source, campus)),
                    Some(Err(finding)) => findings.push(*finding),
                    None => {}
                }
            }
            Err(finding) => findings.push(*finding),
        }
    });
    findings.sort_by(|a, b| (a.severity, &a.file, &a.place).cmp(&(b.severity, &b.file, &b.place)));
    Checked { manifest, findings }
}

struct Check<'a> {
    file: &'a FsPath,
    spec: &'a Manifest,
    place: PlaceOf<'a>,
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

impl Check<'_> {
    fn error(&self, code: &'static str, pointer: &str, what: Names, mend: Names) -> Finding {
        Finding::error(code, self.file, what, mend).at((self.place)(pointer))
    }

    fn warning(&self, code: &'static str, pointer: &str, what: Names, mend: Names) -> Finding {
        Finding::warning(code, self.file, what, mend).at((self.place)(pointer))
    }

    /// Whether every name is there in both languages.
    fn names(&self) -> Vec<Finding> {
        let m = self.spec;
        let mut all =
            vec![(String::new(), &m.zh, &m.en), ("/summary".to_owned(), &m.summary.zh, &m.summary.en)];
        let lists: [(&str, Vec<(&String, &String)>); 5] = [
            ("derived", m.derived.iter().map(|x| (&x.zh, &x.en)).collect()),
            ("alarm", m.alarm.iter().map(|x| (&x.zh, &x.en)).collect()),
            ("record", m.record.iter().map(|x| (&x.zh, &x.en)).collect()),
            ("panel", m.panel.iter().map(|x| (&x.zh, &x.en)).collect()),
            ("setting", m.setting.iter().map(|x| (&x.zh, &x.en)).collect()),
        ];
        for (name, of) in lists {
            all.extend(of.into_iter().enumerate().map(|(i, (zh, en))| (format!("/{name}/{i}"), zh, en)));
        }
        let mut findings = Vec::new();
        for (at, zh, en) in all {
            for (key, text, language) in
                [("zh-CN", zh, Names::new("中文", "Chinese")), ("en", en, Names::new("英文", "English"))]
            {
                if text.trim().is_empty() {
                    findings.push(self.error(
                        "no-name",
                        &format!("{at}/{key}"),
                        Names::new(
                            format!("没有{}名称", language.zh),
                            format!("there is no name in {}", language.en),
                        ),
                        Names::new("两种语言的名称都要写。", "Write it in both languages."),
                    ));
                }
            }
            if !zh.trim().is_empty() && !zh.chars().any(is_chinese) {
                findings.push(self.warning(
                    "not-chinese",
                    &format!("{at}/zh-CN"),
                    Names::new(format!("“{zh}”里没有汉字"), format!("'{zh}' has no Chinese in it")),
                    Names::new("写上中文名称。", "Write the name in Simplified Chinese."),
                ));
            }
            if en.chars().any(is_chinese) {
                findings.push(self.warning(
                    "not-english",
                    &format!("{at}/en"),
                    Names::new(format!("“{en}”里有汉字"), format!("'{en}' has Chinese in it")),
                    Names::new("写上英文名称。", "Write the name in English."),
                ));
            }
        }
        findings
    }

    /// Globs that match nothing, and points that are wanted but may not be seen.
    fn globs(&self, campus: &Campus) -> Vec<Finding> {
        let m = self.spec;
        let command = m.capability.command.as_ref().map_or(&[][..], |c| &c.points);
        let mut findings = Vec::new();
        for (at, globs, commands) in [
            ("/subscribe/points", &m.subscribe.points[..], false),
            ("/capability/read", &m.capability.read, false),
            ("/capability/command/points", command, true),
        ] {
            for (i, glob) in globs.iter().enumerate() {
                let found = campus.points_matching(glob);
                let usable = |p: &&campanile_model::PointId| !commands || campus.point(**p).command.is_some();
                if Glob::new(glob).is_ok() && !found.iter().any(|p| usable(&p)) {
                    let (zh, en) = if commands && !found.is_empty() {
                        ("匹配的测点都不能控制", "matches no point that can be commanded")
                    } else {
                        ("没有匹配任何测点", "matches no point")
                    };
                    findings.push(self.warning(
                        "matches-nothing",
                        &format!("{at}/{i}"),
                        Names::new(
                            format!("在校园 {} 中，“{glob}”{zh}", campus.id),
                            format!("'{glob}' {en} of the campus {}", campus.id),
                        ),
                        Names::new(
                            "用 `campanile points GLOB` 查看有哪些测点；给其他校园用的可以保留。",
                            "`campanile points GLOB` lists what there is; keep it if it is for other campuses.",
                        ),
                    ));
                }
            }
        }
        let matching = |glob: &str| {
            let glob = Glob::new(glob).ok();
            campus.entities.iter().any(|e| glob.as_ref().is_none_or(|g| g.matches(e.path.as_str())))
        };
        let each = m.derived.iter().enumerate().flat_map(|(k, derived)| {
            derived.each.iter().enumerate().map(move |(i, glob)| (format!("/derived/{k}/each/{i}"), glob))
        });
        let alarms =
            m.subscribe.alarms.iter().enumerate().map(|(i, glob)| (format!("/subscribe/alarms/{i}"), glob));
        for (at, glob) in alarms.chain(each).filter(|(_, glob)| !matching(glob)) {
            findings.push(self.warning(
                "matches-nothing",
                &at,
                Names::new(
                    format!("在校园 {} 中，“{glob}”没有匹配任何对象", campus.id),
                    format!("'{glob}' matches no entity of the campus {}", campus.id),
                ),
                Names::new(
                    "写对象的路径，如 teaching-a/2f/*。",
                    "Write paths of entities, such as teaching-a/2f/*.",
                ),
            ));
        }
        for (i, glob) in m.subscribe.points.iter().enumerate() {
            let seen: Vec<_> = m
                .capability
                .read
                .iter()
                .chain(command)
                .flat_map(|glob| campus.points_matching(glob))
                .collect();
            let missing = campus.points_matching(glob).into_iter().find(|point| !seen.contains(point));
            if let Some(point) = missing {
                let path = campus.point(point).path.as_str();
                findings.push(self.warning(
                    "not-readable",
                    &format!("/subscribe/points/{i}"),
                    Names::new(
                        format!("订阅了 {path}，但没有申请读取，收不到它的数值"),
                        format!("{path} is subscribed to but not asked for, so its values won't come"),
                    ),
                    Names::new("把它加入 [capability] read。", "Add it to `read` of [capability]."),
                ));
            }
        }
        findings
    }

    fn icon(&self, source: &Source) -> Vec<Finding> {
        let Some(name) = &self.spec.icon else { return Vec::new() };
        let wrong = |zh: String, en: String| {
            vec![self.error(
                "bad-icon",
                "/icon",
                Names::new(zh, en),
                Names::new(
                    "图标是 32 到 256 像素的正方形 PNG，最大 64 KiB。",
                    "An icon is a square PNG of 32 to 256 pixels, at most 64 KiB.",
                ),
            )]
        };
        let bytes = match source.read(name) {
            Some(bytes) => bytes,
            None => return wrong(format!("没有文件 {name}"), format!("there is no file {name}")),
        };
        if bytes.len() > MOST_ICON {
            return wrong(
                format!("{name} 有 {} 字节", bytes.len()),
                format!("{name} has {} bytes", bytes.len()),
            );
        }
        match png_size(&bytes) {
            None => wrong(format!("{name} 不是 PNG"), format!("{name} is no PNG")),
            Some((width, height)) if width != height || !ICON_PIXELS.contains(&width) => {
                wrong(format!("{name} 是 {width} × {height}"), format!("{name} is {width} × {height}"))
            }
            Some(_) => Vec::new(),
        }
    }

    /// What belongs beside the code.
    fn files(&self, source: &Source) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.spec.license.is_empty() {
            findings.push(self.warning(
                "no-licence",
                "",
                Names::new("没有写许可证", "there is no licence"),
                Names::new(
                    "写上 SPDX 标识，如 license = \"MIT\"。",
                    "Write its SPDX name, such as license = \"MIT\".",
                ),
            ));
        }
        if source.is_folder() && source.scenarios().is_empty() {
            findings.push(Finding::warning(
                "no-tests",
                &source.file("tests"),
                Names::new("没有测试场景", "there are no scenarios"),
                Names::new(
                    "在 tests/ 里写场景，见 docs/plugins/testing.md。",
                    "Write some in tests/; docs/plugins/testing.md says how.",
                ),
            ));
        }
        findings
    }

    /// The component: whether it is there, and what it imports. What a script imports is its interpreter's.
    fn body(&self, source: &Source, manifest: &Manifest) -> Result<Vec<Finding>, Box<Finding>> {
        let Some(name) = manifest.component_file() else { return Ok(Vec::new()) };
        let file = source.file(name);
        let bytes = source.read(name).ok_or_else(|| Box::new(not_built(&file, name)))?;
        let imports = campanile_plugin_build::imports(&bytes);
        let imports = imports.map_err(|why| Box::new(in_english("bad-component", &file, &why)))?;
        Ok(self.imports(&imports))
    }

    /// Imports against what the manifest asks for.
    fn imports(&self, imports: &[String]) -> Vec<Finding> {
        let m = self.spec;
        let interface = |import: &str| {
            import.rsplit('/').next().and_then(|rest| rest.split('@').next()).unwrap_or_default().to_owned()
        };
        let imported: Vec<String> = imports.iter().map(|import| interface(import)).collect();
        let asked: [(&str, bool, &str, &str); 7] = [
            ("history", m.capability.history, "/capability/history", "history = true"),
            ("commands", m.capability.command.is_some(), "/capability/command", "command = { … }"),
            ("alarms", !m.alarm.is_empty(), "/alarm", "[[alarm]]"),
            ("records", !m.record.is_empty(), "/record", "[[record]]"),
            ("panels", !m.panel.is_empty(), "/panel", "[[panel]]"),
            ("activities", m.capability.activities, "/capability/activities", "activities = true"),
            ("drills", m.capability.drill, "/capability/drill", "drill = true"),
        ];
        // Some languages import the whole world of a kind: then imports say nothing of what is used.
        let whole: &[&str] = match m.kind {
            Kind::Rule => &["history", "commands", "alarms", "records", "panels"],
            Kind::Activity => &["history", "records", "panels", "activities"],
            Kind::Drill => &["panels", "drills"],
        };
        if whole.iter().all(|name| imported.iter().any(|i| i == name)) {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for (name, is_asked, at, words) in asked {
            let is_imported = imported.iter().any(|i| i == name);
            if is_imported && !is_asked {
                findings.push(self.error(
                    "not-asked",
                    if at.starts_with("/capability") { "/capability" } else { "" },
                    Names::new(
                        format!("组件导入了 {name}，但清单没有申请，每次调用都会被拒绝"),
                        format!("the component imports {name}, which the manifest does not ask for: every call will be denied"),
                    ),
                    Names::new(
                        format!("在清单里写上 {words}，或从代码里去掉它。"),
                        format!("Write {words} into the manifest, or take it out of the code."),
                    ),
                ));
            }
            if is_asked && !is_imported {
                findings.push(self.warning(
                    "unused-capability",
                    at,
                    Names::new(
                        format!("清单申请了 {name}，但组件没有用到"),
                        format!("the manifest asks for {name}, which the component does not import"),
                    ),
                    Names::new(
                        "去掉它：申请得越少，越容易获批。",
                        "Take it out: what asks for less is approved sooner.",
                    ),
                ));
            }
        }
        findings
    }
}

/// Width and height of a PNG, pixels.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let head = rest.get(4..)?.strip_prefix(b"IHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?));
    Some((number(0)?, number(4)?))
}
