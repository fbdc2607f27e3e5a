//! Believable models of every kind of point on a campus, without I/O.
//!
//! [`Devices`] stands in for all the sensors, meters and machines of a [`campanile_model::Campus`]: each
//! [`Devices::step`] gives the samples that are due, [`Devices::command`] tells a device what to do. It knows a
//! point by its Brick class, kind, unit and place, so any campus works; what the campus wants to say about its
//! simulation stands in the table `[simulation]` of `campus.toml`:
//!
//! | key | what | if left out |
//! |---|---|---|
//! | `seed` | mixed into the seed | 0 |
//! | `leak` | `{ node, flow_l_s }` or `flow_m3_h`: water lost below a node's meter, seen by no other point | none |
//! | `term` | pairs of `"MM-DD"` | 1 September to 16 January, 17 February to 30 June |
//! | `holidays`, `make_up_days` | `"MM-DD"` or `"YYYY-MM-DD"` | public holidays of fixed date; none |
//! | `occupancy` | persons a space by use | by area |
//! | `curfew` | `{ off = "22:00", on = "06:00" }` of the dormitory's circuits | 21:30 to 6:15 |
//! | `cooling_from_c`, `heating_below_c` | when people switch the air-conditioner on | 28, 13 |
//! | `cooling_to_c` | what people set cooling to: a list, of which each room has one | 26 |
//! | `left_on` | the share of rooms whose people leave air-conditioner and lamps on when they go, until somebody goes round at 18:30 and 22:00 | 0 |
//! | `river` | `{ tide_m, rise_m_per_mm }` | 0.35, 0.006 |
//!
//! The models are simple and honest, each with its source where it is written: rooms with two heat nodes and one
//! box of air, a timetable, loads summed through the networks so that meters balance, tides and storage of rain.
//! Chance is a hash of the seed, the thing and the moment, so a run can start at any time, and the same seed,
//! start and commands give the same samples however the steps are cut.
//!
//! A rehearsal runs its own devices: a clone of them or [`Devices::restore`] of what [`Devices::save`] gave goes on
//! exactly as they do. What a drill is about is laid over the models ([`Devices::set_weather`],
//! [`Devices::set_people`], [`Devices::set_supply`], [`Devices::set_truth`]) and is part of that state.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod calendar;
mod devices;
mod equip;
mod flows;
mod machine;
mod models;
mod noise;
mod occupancy;
mod overrides;
mod role;
mod room;
mod settings;
mod site;
mod sky;
mod state;
mod supply;
#[cfg(test)]
mod tests;
mod values;

pub use devices::{Devices, DevicesError};
pub use overrides::WeatherOverride;
