//! The code tables that come as data: UCUM units, Brick classes, sub-metering codes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The names of the Brick classes that are known, in order.
static BRICK: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| lines(include_str!("../data/brick-1.4.txt")).collect());

static UCUM: LazyLock<Ucum> = LazyLock::new(|| {
    let mut ucum = Ucum { prefixes: Vec::new(), metric: BTreeSet::new(), plain: BTreeSet::new() };
    for line in lines(include_str!("../data/ucum-2.1.txt")) {
        match line.split_once(' ') {
            Some(("prefix", symbol)) => ucum.prefixes.push(symbol),
            Some(("metric", symbol)) => drop(ucum.metric.insert(symbol)),
            Some(("plain", symbol)) => drop(ucum.plain.insert(symbol)),
            _ => {}
        }
    }
    ucum
});

static SUBMETER: LazyLock<Submeter> = LazyLock::new(|| {
    let mut table = Submeter { kinds: Vec::new(), items: Vec::new() };
    for line in lines(include_str!("../data/submeter-jgjt285.txt")) {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("kind"), Some(code)) => table.kinds.push(code),
            (Some("item"), Some(code)) => table.items.push(code),
            _ => {}
        }
    }
    table
});

struct Ucum {
    prefixes: Vec<&'static str>,
    metric: BTreeSet<&'static str>,
    plain: BTreeSet<&'static str>,
}

struct Submeter {
    kinds: Vec<&'static str>,
    items: Vec<&'static str>,
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("# "))
}

/// Whether `class` is a class of the Brick table, without prefix.
pub(crate) fn is_brick_class(class: &str) -> bool {
    BRICK.binary_search(&class).is_ok()
}

/// The Brick classes.
pub(crate) fn brick_classes() -> &'static [&'static str] {
    &BRICK
}

/// Whether `unit` is a unit in the case-sensitive code of UCUM, as far as the table goes.
pub fn is_ucum_unit(unit: &str) -> bool {
    unit.len() <= 64 && unit.is_ascii() && Term { rest: unit, depth: 0 }.whole()
}

/// What people often write for a UCUM unit.
pub(crate) fn ucum_for(wrong: &str) -> Option<&'static str> {
    Some(match wrong {
        "°C" | "℃" | "C" | "degC" | "celsius" => "Cel",
        "K/h" => "K/h",
        "kWh" => "kW.h",
        "Wh" => "W.h",
        "MWh" => "MW.h",
        "ppm" => "[ppm]",
        "ppb" => "[ppb]",
        "µg/m³" | "ug/m³" | "μg/m³" => "ug/m3",
        "m³" => "m3",
        "m³/h" => "m3/h",
        "m²" => "m2",
        "W/m²" => "W/m2",
        "lux" => "lx",
        "pH" => "[pH]",
        "dB" | "dBA" | "dB(A)" => "dB[SPL]",
        "°" => "deg",
        "kVA" => "kV.A",
        "VA" => "V.A",
        "var" => "V.A{reactive}",
        "kvar" => "kV.A{reactive}",
        "rpm" => "{rev}/min",
        "NTU" => "{NTU}",
        "sec" => "s",
        "hour" | "hr" => "h",
        "" | "none" | "-" => "1",
        _ => return None,
    })
}

/// A term of UCUM's grammar: components joined by `.` and `/`.
struct Term<'a> {
    rest: &'a str,
    depth: u32,
}

impl Term<'_> {
    fn whole(mut self) -> bool {
        self.term() && self.rest.is_empty()
    }

    fn eat(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn term(&mut self) -> bool {
        self.depth += 1;
        if self.depth > 8 {
            return false;
        }
        self.eat('/');
        loop {
            if !self.component() {
                return false;
            }
            if !self.eat('.') && !self.eat('/') {
                self.depth -= 1;
                return true;
            }
        }
    }

    fn component(&mut self) -> bool {
        if self.eat('(') {
            return self.term() && self.eat(')');
        }
        if self.rest.starts_with('{') {
            return self.annotation();
        }
        let end = self.end_of_symbol();
        let (symbol, rest) = self.rest.split_at(end);
        self.rest = rest;
        let ok = (!symbol.is_empty() && symbol.bytes().all(|b| b.is_ascii_digit())) || is_annotatable(symbol);
        ok && (!self.rest.starts_with('{') || self.annotation())
    }

    /// A symbol ends at an operator, a bracket or an annotation outside of square brackets.
    fn end_of_symbol(&self) -> usize {
        let mut square = false;
        for (i, c) in self.rest.char_indices() {
            match c {
                '[' => square = true,
                ']' => square = false,
                '.' | '/' | '(' | ')' | '{' if !square => return i,
                _ => {}
            }
        }
        self.rest.len()
    }

    fn annotation(&mut self) -> bool {
        match self.rest.find('}') {
            Some(close) if close > 1 && !self.rest[1..close].contains('{') => {
                self.rest = &self.rest[close + 1..];
                true
            }
            _ => false,
        }
    }
}

/// An atom with or without prefix and exponent.
fn is_annotatable(symbol: &str) -> bool {
    let bare = symbol.trim_end_matches(|c: char| c.is_ascii_digit());
    let bare = if bare.len() < symbol.len() { bare.strip_suffix(['+', '-']).unwrap_or(bare) } else { bare };
    let is_unit = |s: &str| {
        UCUM.metric.contains(s)
            || UCUM.plain.contains(s)
            || UCUM.prefixes.iter().any(|p| s.strip_prefix(p).is_some_and(|rest| UCUM.metric.contains(rest)))
    };
    is_unit(symbol) || is_unit(bare)
}

/// Why a sub-metering code is malformed, if it is: `01A1`, or with the ten characters of area,
/// building kind and building before it. Further levels are digits.
pub(crate) fn submeter_fault(code: &str) -> Option<String> {
    let example = "such as '01A1' (electricity, lighting and sockets) or '02' (water)";
    if !code.is_ascii() || code.len() > 20 {
        return Some(format!("it has to be at most 20 ASCII characters, {example}"));
    }
    // Only the long form starts with six digits of the area.
    let long = code.len() >= 12 && code.as_bytes()[..6].iter().all(u8::is_ascii_digit);
    let short = if long { &code[10..] } else { code };
    let Some(kind) = short.get(..2).filter(|kind| SUBMETER.kinds.contains(kind)) else {
        return Some(format!("the kind of energy has to be one of {}, {example}", SUBMETER.kinds.join(", ")));
    };
    let item = &short[2..];
    if item.is_empty() {
        return None;
    }
    if kind != "01" && kind != "13" {
        return item
            .bytes()
            .any(|b| !b.is_ascii_digit())
            .then(|| format!("only electricity has items by letter, {example}"));
    }
    let known = |item: &str| SUBMETER.items.contains(&item);
    let (head, tail) = item.split_at(item.len().min(2));
    let ok = known(head) && tail.bytes().all(|b| b.is_ascii_digit());
    (!ok).then(|| format!("the item has to be one of {}, {example}", SUBMETER.items.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ucum_units_are_told_from_others() {
        for good in [
            "1",
            "Cel",
            "%",
            "[ppm]",
            "kW.h",
            "m3/h",
            "W/m2",
            "ug/m3",
            "dB[SPL]",
            "[pH]",
            "uS/cm",
            "kg.m-2",
            "10*3/uL",
            "{people}",
            "{rev}/min",
            "V.A{reactive}",
            "kPa",
            "m2.K/W",
            "/h",
            "mm/(h.m)",
            "MJ",
            "lx",
            "daPa",
            "l/s",
            "mm[H2O]",
            "KiBy",
            "h",
            "deg",
        ] {
            assert!(is_ucum_unit(good), "{good}");
        }
        for bad in [
            "", "kWh", "°C", "ppm", "C elsius", "m3/", "W//m2", "(m", "m)", "{", "{}", "khour", "k%", "lux",
            "m^2",
        ] {
            assert!(!is_ucum_unit(bad), "{bad}");
        }
    }

    #[test]
    fn what_people_write_leads_to_real_units() {
        for wrong in ["°C", "kWh", "ppm", "dB(A)", "kvar", "rpm", "NTU", "m³/h"] {
            let unit = ucum_for(wrong).unwrap();
            assert!(is_ucum_unit(unit), "{wrong} leads to {unit}");
        }
    }

    #[test]
    fn brick_classes_are_sorted_and_known() {
        assert!(brick_classes().is_sorted());
        assert!(brick_classes().len() > 1000);
        assert!(is_brick_class("CO2_Sensor"));
        assert!(!is_brick_class("Co2_Sensor"));
    }

    #[test]
    fn submeter_codes_are_checked() {
        for good in ["01", "01A", "01A1", "01D6", "02", "0201", "03", "13", "310104A00101A1", "01A101"] {
            assert_eq!(submeter_fault(good), None, "{good}");
        }
        for bad in ["", "1", "A1", "99", "01E1", "01A9", "02A1", "01a1", "01A1x", "01A1电"] {
            assert!(submeter_fault(bad).is_some(), "{bad}");
        }
    }
}
