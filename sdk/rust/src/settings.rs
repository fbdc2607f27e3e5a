use std::{fmt::Display, str::FromStr};

use crate::{Failure, Result};

/// The settings of a plugin, by name: those of its manifest, as the administrator has changed them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(Vec<(String, String)>);

impl Settings {
    /// A setting's text, where there is one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_str())
    }

    /// All of them, as name and text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// A setting as a number, a `bool`, or whatever else can be read from text; `default` where it is not set. A text
    /// that can't be read is an error that names the setting.
    ///
    /// ```
    /// use campanile_plugin::Settings;
    ///
    /// let settings = Settings::from(vec![("limit_ppm".to_owned(), "1200".to_owned())]);
    /// assert_eq!(settings.parse("limit_ppm", 1_000.0), Ok(1_200.0));
    /// assert_eq!(settings.parse("ticks", 3), Ok(3));
    /// assert!(settings.parse("limit_ppm", true).is_err());
    /// ```
    pub fn parse<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> Result<T> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text
                .trim()
                .parse()
                .map_err(|error| Failure::from(format!("setting {name} = \"{text}\": {error}"))),
        }
    }
}

impl From<Vec<(String, String)>> for Settings {
    fn from(settings: Vec<(String, String)>) -> Self {
        Self(settings)
    }
}
