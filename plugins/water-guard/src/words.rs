//! What people read, in both languages.

use campanile_plugin::{Words, panels::Tone};

use crate::guard::{Branch, Leak, Night, Where};

/// A number as people read it: whole from a hundred on, else with one decimal.
pub fn number(x: f64) -> String {
    // Adding 0 makes a negative zero positive.
    if x.abs() >= 99.95 {
        format!("{:.0}", x + 0.0)
    } else {
        format!("{:.1}", (x * 10.0).round() / 10.0 + 0.0)
    }
}

/// The same words in both languages, for numbers.
pub fn same(text: impl Into<String>) -> Words {
    let text = text.into();
    Words::new(text.clone(), text)
}

/// Cubic metres of litres.
pub fn m3(litres: f64) -> String {
    number(litres / 1_000.0)
}

/// Where a leak is, behind the meter with these names.
fn place(place: Where, meter: &Words) -> Words {
    let Words { zh_cn: zh, en } = meter;
    match place {
        Where::Fixtures => Words::new(
            format!("在“{zh}”之后的用水器具或末端管道"),
            format!("in the fixtures or the last pipe behind “{en}”"),
        ),
        Where::Pipe => Words::new(
            format!("在“{zh}”与其下级水表之间的管道"),
            format!("in the pipe between “{en}” and the meters below it"),
        ),
        Where::Taps => Words::new(
            format!("在“{zh}”与其下级水表之间，管道或未装表的用水点"),
            format!("between “{en}” and the meters below it, in the pipe or at taps without a meter"),
        ),
    }
}

/// What the alarm of a leak says.
pub fn leak(meter: &Words, leak: &Leak, night: &Night) -> Words {
    let at = place(leak.place, meter);
    let (l_h, limit) = (number(night.l_h), number(night.limit_l_h));
    let (daily, spread) = (m3(24.0 * leak.l_h), number(2.0 * night.spread_l_h));
    Words::new(
        format!(
            "疑似漏水：{}。夜间流量 {l_h} ± {spread} L/h，允许 {limit} L/h；每天最多损失 {daily} \
                m³。",
            at.zh_cn
        ),
        format!(
            "Probably a leak {}. It takes {l_h} ± {spread} L/h at night, {limit} L/h are \
                allowed: up to {daily} m³ a day are lost.",
            at.en
        ),
    )
}

/// What the alarm of a meter that stands still says.
pub fn stuck(meter: &Words, litres: f64) -> Words {
    let (zh, en, litres) = (&meter.zh_cn, &meter.en, number(litres));
    Words::new(
        format!("“{zh}”读数不动，而实际约有 {litres} L 水流过：水表卡滞或信号中断，请检查。"),
        format!(
            "“{en}” does not count, while some {litres} L have passed: it is stuck or its signal \
                is lost. Look at it."
        ),
    )
}

/// What the alarm of a meter that runs back says.
pub fn back(meter: &Words, litres: f64) -> Words {
    let (zh, en, litres) = (&meter.zh_cn, &meter.en, number(litres));
    Words::new(
        format!("“{zh}”倒走 {litres} L：可能止回阀失效或水表装反，有回流污染的风险，请检查。"),
        format!(
            "“{en}” has run back by {litres} L: a check valve may have failed, or the meter is \
                the wrong way round. Water that flows back may foul the supply. Look at it."
        ),
    )
}

/// How a branch is, in a word or two.
pub fn state(branch: &Branch) -> (Words, Tone) {
    let of = |zh: &str, en: &str, tone| (Words::new(zh, en), tone);
    let night = branch.nights.back();
    match branch.leak {
        _ if branch.stuck_s.is_some() => of("卡滞", "stuck", Tone::Danger),
        _ if branch.back_day.is_some() => of("倒走", "runs back", Tone::Danger),
        Some(_) => of("疑似漏水", "leak", Tone::Danger),
        None if branch.unbalanced => of("不平衡", "doesn't balance", Tone::Caution),
        None if night.is_some_and(|night| night.l_h > night.limit_l_h) => {
            of("待观察", "watched", Tone::Caution)
        }
        None if night.is_some() => of("正常", "good", Tone::Good),
        None => of("积累数据", "learning", Tone::Plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (x, text) in
            [(0.0, "0.0"), (-0.01, "0.0"), (5.18, "5.2"), (99.96, "100"), (216.4, "216"), (-3.24, "-3.2")]
        {
            assert_eq!(number(x), text);
        }
    }

    /// The alarm has to name the branch and say how much, in each language.
    #[test]
    fn an_alarm_names_the_branch_and_the_loss() {
        let meter = Words::new("宿舍二层支管水表", "Branch Meter, Dormitory, floor 2");
        let night = Night { day: 0, l_h: 216.0, spread_l_h: 0.5, limit_l_h: 42.0 };
        let said =
            leak(&meter, &Leak { place: Where::Fixtures, since: 0, l_h: 216.0, limit_l_h: 42.0 }, &night);
        assert_eq!(
            said.en,
            "Probably a leak in the fixtures or the last pipe behind “Branch Meter, Dormitory, \
                floor 2”. It takes 216 ± 1.0 L/h at night, 42.0 L/h are allowed: up to 5.2 m³ a day \
                are lost."
        );
        for part in ["宿舍二层支管水表", "216", "5.2 m³"] {
            assert!(said.zh_cn.contains(part), "{part}: {}", said.zh_cn);
        }
        // The host takes at most 1,000 bytes of each.
        assert!(said.zh_cn.len() < 1_000 && said.en.len() < 1_000);
    }
}
