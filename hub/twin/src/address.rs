//! A view as text: what a link behind `#`, a saved view and `--at` say.
//!
//! `#place=monitor&at=teaching-a/2f/201&eye=12.0,3.5,-40.1,66.0,-0.50,0.60&layer=air&colour=co2&cut=teaching-a:1&see=xray` — all
//! parts may be missing, in any order. It stands behind `#`, so that a browser keeps it to itself.

use bevy::math::Vec3;

use crate::lens::Lens;
use crate::orbit::Orbit;
use crate::place::WorkPlace;
use crate::sight::Sight;
use crate::storeys::Slice;

/// What is looked at, and from where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Address {
    /// The work place.
    pub place: Option<WorkPlace>,
    /// The path of the entity that is chosen.
    pub at: Option<String>,
    /// Where the eye is.
    pub eye: Option<Orbit>,
    /// The layer that is shown.
    pub lens: Option<Lens>,
    /// The quantity that colours the rooms.
    pub colour: Option<String>,
    /// What is cut open.
    pub slice: Slice,
    /// What is done to see into buildings.
    pub sight: Sight,
    /// The moment of the past, microseconds UTC.
    pub when_us: Option<i64>,
}

/// Why a text is no address of a view.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the link's part '{part}' is not understood")]
pub struct AddressError {
    /// The part, such as `eye=1,2`.
    pub part: String,
}

/// Longer than this no link is read.
const LONGEST: usize = 2000;

impl Address {
    /// The text behind `#`.
    pub fn text(&self) -> String {
        let mut parts = Vec::new();
        let mut say = |key: &str, value: String| parts.push(format!("{key}={value}"));
        if let Some(place) = self.place {
            say("place", place.id().into());
        }
        if let Some(at) = &self.at {
            say("at", escape(at));
        }
        if let Some(eye) = &self.eye {
            let Orbit { target: t, distance, yaw, pitch } = eye;
            say("eye", format!("{:.1},{:.1},{:.1},{distance:.1},{yaw:.2},{pitch:.2}", t.x, t.y, t.z));
        }
        if let Some(lens) = self.lens {
            say("layer", lens.id().into());
        }
        if let Some(colour) = &self.colour {
            say("colour", escape(colour));
        }
        if self.slice != Slice::default() {
            let building = self.slice.building.as_deref().map(escape).unwrap_or_default();
            let level = self.slice.level.map(|level| format!(":{level}")).unwrap_or_default();
            say("cut", format!("{building}{level}"));
        }
        if self.sight != Sight::default() {
            say("see", self.sight.id().into());
        }
        if let Some(when) = self.when_us {
            let moment = jiff::Timestamp::from_microsecond(when).unwrap_or_default();
            say("when", moment.to_string());
        }
        parts.join("&")
    }

    /// Reads one, with or without `#`, or behind the address of a hub.
    ///
    /// # Errors
    /// [`AddressError`] names the part that is not understood.
    pub fn read(text: &str) -> Result<Self, AddressError> {
        let text = text.split_once('#').map_or(text, |(_, behind)| behind);
        let mut address = Self::default();
        if text.len() > LONGEST {
            return Err(AddressError { part: text.chars().take(40).collect() });
        }
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let wrong = || AddressError { part: part.chars().take(80).collect() };
            let (key, value) = part.split_once('=').ok_or_else(wrong)?;
            match key {
                "place" => address.place = Some(WorkPlace::of(value).ok_or_else(wrong)?),
                "at" => address.at = Some(unescape(value).ok_or_else(wrong)?),
                "eye" => address.eye = Some(eye(value).ok_or_else(wrong)?),
                "layer" => address.lens = Some(Lens::of(value).ok_or_else(wrong)?),
                "colour" => address.colour = Some(unescape(value).ok_or_else(wrong)?),
                "cut" => address.slice = slice(value).ok_or_else(wrong)?,
                "see" => address.sight = Sight::of(value).ok_or_else(wrong)?,
                "when" => {
                    let moment: jiff::Timestamp =
                        unescape(value).and_then(|v| v.parse().ok()).ok_or_else(wrong)?;
                    address.when_us = Some(moment.as_microsecond());
                }
                // What a newer twin adds is left out.
                _ => {}
            }
        }
        Ok(address)
    }
}

fn eye(text: &str) -> Option<Orbit> {
    let numbers: Vec<f32> = text.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [x, y, z, distance, yaw, pitch] = numbers.try_into().ok()?;
    let orbit = Orbit { target: Vec3::new(x, y, z), distance, yaw, pitch };
    let is_sane = orbit.target.abs().max_element() < 1e5 && yaw.is_finite();
    (is_sane && [distance, pitch].into_iter().all(f32::is_finite)).then(|| orbit.clamped())
}

fn slice(text: &str) -> Option<Slice> {
    let (building, level) = match text.split_once(':') {
        Some((building, level)) => (building, Some(level.parse().ok()?)),
        None => (text, None),
    };
    let building = unescape(building)?;
    Some(Slice { building: (!building.is_empty()).then_some(building), level })
}

/// Percent-encodes what would end a part, and what is not ASCII.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let eye = Orbit { target: Vec3::new(12.5, -3.0, 0.5), distance: 66.5, yaw: -0.5, pitch: 0.6 };
        let full = Address {
            lens: Some(Lens::Air),
            place: Some(WorkPlace::Learn),
            at: Some("teaching-a/2f/201".into()),
            eye: Some(eye),
            colour: Some("co2".into()),
            slice: Slice { building: Some("teaching-a".into()), level: Some(-1) },
            sight: Sight::XRay,
            when_us: Some(1_796_000_000_000_000),
        };
        for address in [
            Address::default(),
            full.clone(),
            Address { slice: Slice { building: None, level: Some(0) }, ..Address::default() },
            Address { at: Some("教室 & 50%".into()), ..Address::default() },
        ] {
            let text = address.text();
            assert!(text.is_ascii(), "{text}");
            assert_eq!(Address::read(&text), Ok(address.clone()), "{text}");
            assert_eq!(Address::read(&format!("https://hub.example/#{text}")), Ok(address));
        }
        assert_eq!(
            full.text(),
            "place=learn&at=teaching-a/2f/201&eye=12.5,-3.0,0.5,66.5,-0.50,0.60&layer=air&colour=co2&cut=teaching-a:-1&see=xray&\
             when=2026-11-30T00:53:20Z"
        );
    }

    #[test]
    fn what_is_not_understood_is_named_and_nothing_of_it_is_believed() {
        for part in [
            "nonsense",
            "place=cellar",
            "eye=1,2,3",
            "eye=1,2,3,nan,0,0",
            "eye=1e9,2,3,50,0,0.5",
            "at=%zz",
            "at=%ff",
            "cut=a:high",
            "see=through",
            "when=tomorrow",
        ] {
            assert_eq!(Address::read(&format!("at=a&{part}")), Err(AddressError { part: part.into() }));
        }
        assert!(Address::read(&"x".repeat(3000)).is_err());
        assert_eq!(Address::read("at=a&newer=1").unwrap().at.as_deref(), Some("a"));
        let near = Address::read("eye=0,0,0,0.001,0,9").unwrap().eye.unwrap();
        assert!(near.distance >= 2.0 && near.pitch < 1.6, "kept within the camera's limits");
    }
}
