//! Alarms as clients see them.

use campanile_model::{AlarmPriority, Names, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::JsonValue;

/// The states of ANSI/ISA-18.2 (clause 5.4) that an alarm can be in.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// The condition holds and nobody has acknowledged it.
    Unacknowledged,
    /// The condition holds and somebody has acknowledged it.
    Acknowledged,
    /// The condition is gone, but nobody has acknowledged it.
    ReturnedUnacknowledged,
    /// The condition is gone and it was acknowledged.
    Normal,
    /// Hidden by a person for a time.
    Shelved,
    /// Hidden by logic of the campus.
    Suppressed,
    /// Hidden for maintenance.
    OutOfService,
}

impl AlarmState {
    /// Whether somebody should still look at it.
    pub fn needs_acknowledgement(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::ReturnedUnacknowledged)
    }

    /// Whether it belongs in a list of alarms in force.
    pub fn is_in_force(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::Acknowledged | Self::ReturnedUnacknowledged)
    }
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct AlarmInfo {
    /// Names the alarm for good: the point's path, `#` and the id of the rule; of a plugin `plugin/PLUGIN#ALARM@ENTITY`.
    pub id: String,
    /// The point that raised it; of a plugin `plugin/PLUGIN/ALARM`, which is no point.
    #[schema(value_type = String)]
    pub point: Path,
    /// The entity of that point: where to go.
    #[schema(value_type = String)]
    pub entity: Path,
    /// The id of the rule among the point's.
    pub rule: String,
    /// The names of the rule.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub names: Names,
    /// What a plugin says of its alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub detail: Option<Names>,
    /// How urgent it is.
    #[schema(value_type = String)]
    pub priority: AlarmPriority,
    /// Where it stands.
    pub state: AlarmState,
    /// When the condition was raised, microseconds UTC.
    pub raised_us: i64,
    /// When the state changed last, microseconds UTC.
    pub changed_us: i64,
    /// The value that raised it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<JsonValue>,
    /// The limit that it crossed, in the point's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Who acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When it comes back from the shelf, or when its suppression ends where that is known, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_until_us: Option<i64>,
    /// Who shelved it or took it out of service; of a suppressed one the path of the point, or the id of the alarm,
    /// that suppresses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_by: Option<String>,
    /// Why it was shelved or taken out of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_reason: Option<String>,
}
