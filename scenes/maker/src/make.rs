//! The whole making: description in, files out.

use std::path::Path;

use campanile_formats::geotiff;
use campanile_model::{Plan, Site};

use crate::campus;
use crate::description::School;
use crate::drains::{self, Drains};
use crate::error::MakeError;
use crate::layout::mm;
use crate::terrain::{Land, Pad};
use crate::{building, site};

/// What a campus consists of, ready to be written.
#[derive(Clone, Debug)]
pub struct Files {
    /// `plan.json`.
    pub plan_json: String,
    /// `campus.toml`.
    pub campus_toml: String,
    /// `terrain.tif`.
    pub terrain_tif: Vec<u8>,
}

impl Files {
    /// Writes the three files into a folder.
    ///
    /// # Errors
    /// [`MakeError::File`] where one can't be written.
    pub fn write(&self, folder: &Path) -> Result<(), MakeError> {
        let files: [(&str, &[u8]); 3] = [
            ("plan.json", self.plan_json.as_bytes()),
            ("campus.toml", self.campus_toml.as_bytes()),
            ("terrain.tif", &self.terrain_tif),
        ];
        for (name, bytes) in files {
            let path = folder.join(name);
            std::fs::write(&path, bytes).map_err(|source| MakeError::File { path, source })?;
        }
        Ok(())
    }
}

/// Reads a description and the file of systems that it names.
///
/// # Errors
/// [`MakeError`] where one can't be read or isn't TOML of the right shape.
pub fn read(path: &Path) -> Result<(School, String), MakeError> {
    let text = read_text(path)?;
    let school: School = toml::from_str(&text)
        .map_err(|source| MakeError::Syntax { path: path.to_owned(), source: Box::new(source) })?;
    let systems = read_text(&path.with_file_name(&school.systems))?;
    Ok((school, systems))
}

fn read_text(path: &Path) -> Result<String, MakeError> {
    std::fs::read_to_string(path).map_err(|source| MakeError::File { path: path.to_owned(), source })
}

/// Makes the files of a campus; the same description gives the same bytes.
///
/// # Errors
/// [`MakeError::Description`] where rooms don't fill their rows, a room can't be reached, stairs don't
/// fit or pipes lie too high.
pub fn make(school: &School, systems: &str) -> Result<Files, MakeError> {
    let mut plan = Plan {
        format: Plan::FORMAT.to_owned(),
        site: Site {
            latitude_deg: school.site.latitude_deg,
            longitude_deg: school.site.longitude_deg,
            bearing_deg: school.site.bearing_deg,
            datum: school.site.datum.clone(),
            boundary: school.site.boundary.iter().map(|p| p.map(mm)).collect(),
        },
        terrain: Some("terrain.tif".to_owned()),
        constructions: school.construction.clone(),
        ..Plan::default()
    };
    let mut names = Vec::new();
    let mut pads = Vec::new();
    for spec in &school.building {
        let made = building::make(school, spec)?;
        pads.push(Pad::new(&made.footprint, spec.floor_m));
        names.extend(made.names);
        plan.buildings.push(made.building);
    }
    let outside = site::make(&school.outside);
    plan.outside = outside.outside;
    names.extend(outside.names);
    let land = Land::new(school, pads);
    let networks =
        school.drains.iter().map(|d| drains::make(d, &land)).collect::<Result<Vec<Drains>, _>>()?;
    if let Some(storm) = networks.first() {
        drains::downpipes(&mut plan, storm);
    }
    Ok(Files {
        plan_json: serde_json::to_string(&plan)? + "\n",
        campus_toml: campus::text(school, &plan, &names, systems, &networks),
        terrain_tif: geotiff::write(&land.grid())?,
    })
}
