//! What a plugin may do, in plain words: for who approves it, who looks at a package, and who asks a hub.

use campanile_model::{Campus, Names};

use crate::manifest::{Capabilities, Kind, Manifest};

/// Names that are listed before the rest is only counted.
const LISTED: usize = 4;

/// What a plugin may do, a sentence each: what it asks for, or of that what was approved; what was not is said. With a
/// campus it is said how many points that are.
pub fn what_it_may_do(
    manifest: &Manifest,
    approved: Option<&Capabilities>,
    campus: Option<&Campus>,
) -> Vec<Names> {
    let asked = &manifest.capability;
    let given = approved.unwrap_or(asked);
    let mut lines = Vec::new();
    let mut say = |granted: bool, zh: String, en: String| {
        if granted {
            lines.push(Names::new(zh, en));
        } else {
            lines.push(Names::new(format!("未获批准：{zh}"), format!("not approved: {en}")));
        }
    };
    let kept = |asked: &[String], given: &[String]| -> (Vec<String>, Vec<String>) {
        asked.iter().cloned().partition(|glob| given.contains(glob))
    };
    let (read, refused) = kept(&asked.read, &given.read);
    for (granted, globs) in [(true, read), (false, refused)] {
        if !globs.is_empty() {
            let (zh, en) = points(campus, &globs, "");
            say(granted, format!("读取{zh}"), format!("reads {en}"));
        }
    }
    if let Some(command) = &asked.command {
        let allowed = given.command.as_ref();
        let (globs, refused) = kept(&command.points, allowed.map_or(&[][..], |c| &c.points));
        let [strongest, weakest] = allowed.map_or(command.priority, |c| {
            [c.priority[0].max(command.priority[0]), c.priority[1].min(command.priority[1])]
        });
        for (granted, globs) in [(true, globs), (false, refused)] {
            if !globs.is_empty() {
                let (zh, en) = points(campus, &globs, " that can be commanded");
                let (slots_zh, slots_en) = if strongest == weakest {
                    (format!("{strongest}"), format!("slot {strongest}"))
                } else {
                    (format!("{strongest} 至 {weakest}"), format!("slots {strongest} to {weakest}"))
                };
                say(
                    granted,
                    format!("控制{zh}（优先级 {slots_zh}；人员与生命安全的 1 至 8 级始终优先）"),
                    format!("commands {en} in {slots_en}; people and life safety, 1 to 8, are stronger"),
                );
            }
        }
    }
    for (asks, granted, zh, en) in [
        (asked.history, given.history, "读取这些测点的历史", "reads the history of these points"),
        (
            asked.activities,
            given.activities,
            "发布任务、计分并提出试验方案（试验只在演练中进行）",
            "offers missions, gives points and proposes trials, which run in rehearsals only",
        ),
        (
            asked.drill,
            given.drill,
            "主持演练：发布消息、启动行动、征求决定（只在演练中）",
            "directs drills: tells, begins actions, asks for decisions; in rehearsals only",
        ),
    ] {
        if asks {
            say(granted, zh.to_owned(), en.to_owned());
        }
    }
    declared(manifest, &mut lines);
    called(manifest, &mut lines);
    lines
}

/// What it declares of its own: it comes with the plugin.
fn declared(manifest: &Manifest, lines: &mut Vec<Names>) {
    let m = manifest;
    for (zh, en, names) in [
        ("计算新的测点", "derives points", m.derived.iter().map(|x| (&x.zh, &x.en)).collect::<Vec<_>>()),
        ("发出报警", "raises alarms", m.alarm.iter().map(|x| (&x.zh, &x.en)).collect()),
        ("保存记录", "keeps records", m.record.iter().map(|x| (&x.zh, &x.en)).collect()),
        ("显示面板", "shows panels", m.panel.iter().map(|x| (&x.zh, &x.en)).collect()),
    ] {
        if !names.is_empty() {
            let list = |of: &dyn Fn(&(&String, &String)) -> String, and: &str, more: &str| {
                let mut said = names.iter().take(LISTED).map(of).collect::<Vec<_>>().join(and);
                if names.len() > LISTED {
                    said += &more.replace('#', &(names.len() - LISTED).to_string());
                }
                said
            };
            lines.push(Names::new(
                format!("{zh}：{}", list(&|n| n.0.clone(), "、", "等（另有 # 个）")),
                format!("{en}: {}", list(&|n| n.1.clone(), ", ", " and # more")),
            ));
        }
    }
}

/// When it is called, and what it can't do whatever is approved.
fn called(manifest: &Manifest, lines: &mut Vec<Names>) {
    let subscribe = &manifest.subscribe;
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    if !subscribe.points.is_empty() {
        zh.push("有新数值时".to_owned());
        en.push("when there are new values".to_owned());
    }
    if let Some(tick_s) = subscribe.tick_s {
        zh.push(format!("每 {tick_s} 秒"));
        en.push(format!("every {tick_s} s"));
    }
    if !subscribe.alarms.is_empty() {
        zh.push("报警变化时".to_owned());
        en.push("when alarms change".to_owned());
    }
    if !zh.is_empty() {
        lines.push(Names::new(format!("运行时机：{}", zh.join("、")), format!("runs {}", en.join(", "))));
    }
    let (zh, en) = match manifest.kind {
        Kind::Rule => {
            ("不能访问文件、网络或其他插件", "has no files, no network and no way to other plugins")
        }
        Kind::Activity => (
            "不能控制任何设备，也不能访问文件、网络或其他插件",
            "commands nothing; has no files, no network and no way to other plugins",
        ),
        Kind::Drill => (
            "只在演练中运行，接触不到真实设备；不能访问文件、网络或其他插件",
            "runs in rehearsals, away from real devices; has no files, no network and no way to other plugins",
        ),
    };
    lines.push(Names::new(zh, en));
}

/// Points that globs name, in both languages.
fn points(campus: Option<&Campus>, globs: &[String], which: &str) -> (String, String) {
    let mut listed = globs.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if globs.len() > LISTED {
        listed += ", …";
    }
    let Some(campus) = campus else { return (format!("测点 {listed}"), format!("points {listed}")) };
    let mut found: Vec<_> = globs.iter().flat_map(|glob| campus.points_matching(glob)).collect();
    found.retain(|point| which.is_empty() || campus.point(*point).command.is_some());
    found.sort_unstable();
    found.dedup();
    let plural = if found.len() == 1 { "" } else { "s" };
    (format!(" {} 个测点（{listed}）", found.len()), format!("{} point{plural} ({listed})", found.len()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const MANIFEST: &str = r#"
format = "campanile-plugin/1"
id = "fresh-air"
version = "1.0.0"
api = "0.1.0"
kind = "rule"
zh-CN = "新风"
en = "Fresh air"
summary = { zh-CN = "提醒开窗。", en = "Says when to open a window." }
vendor = "Tinglan"
[subscribe]
points = ["*/*/*/co2"]
tick_s = 60
[capability]
read = ["*/*/*/co2", "*/*/*/temperature"]
history = true
command = { points = ["*/*/*/ac/setpoint"], priority = [10, 14] }
[[alarm]]
id = "stuffy"
zh-CN = "空气不新鲜"
en = "Stuffy"
priority = "low"
"#;

    fn said(approved: Option<&Capabilities>) -> Vec<String> {
        let manifest = Manifest::read(Path::new("plugin.toml"), MANIFEST).unwrap();
        what_it_may_do(&manifest, approved, None).into_iter().map(|names| names.en).collect()
    }

    #[test]
    fn what_a_plugin_may_do_is_said_in_sentences() {
        assert_eq!(
            said(None),
            [
                "reads points */*/*/co2, */*/*/temperature",
                "commands points */*/*/ac/setpoint in slots 10 to 14; people and life safety, 1 to 8, are stronger",
                "reads the history of these points",
                "raises alarms: Stuffy",
                "runs when there are new values, every 60 s",
                "has no files, no network and no way to other plugins",
            ]
        );
    }

    #[test]
    fn what_was_not_approved_is_said() {
        let approved = Capabilities { read: vec!["*/*/*/co2".to_owned()], ..Capabilities::default() };
        let said = said(Some(&approved));
        assert_eq!(said[0], "reads points */*/*/co2");
        assert_eq!(said[1], "not approved: reads points */*/*/temperature");
        assert!(said[2].starts_with("not approved: commands"), "{said:?}");
        assert_eq!(said[3], "not approved: reads the history of these points");
    }
}
