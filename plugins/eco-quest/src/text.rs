//! Text in both languages.

use campanile_plugin::Words;

/// A text that is known beforehand: Chinese, English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text(pub &'static str, pub &'static str);

impl Text {
    /// As the contract has it.
    pub fn words(self) -> Words {
        Words::new(self.0, self.1)
    }
}

/// The same in both languages, for numbers and names.
pub fn same(text: impl Into<String>) -> Words {
    let text = text.into();
    Words::new(text.clone(), text)
}

/// A number as people read it: whole from a hundred on, else with one decimal.
pub fn number(x: f64) -> String {
    // Adding 0 makes a negative zero positive.
    if x.abs() >= 99.95 {
        format!("{:.0}", x + 0.0)
    } else {
        format!("{:.1}", (x * 10.0).round() / 10.0 + 0.0)
    }
}
