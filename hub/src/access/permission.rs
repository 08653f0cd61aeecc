//! What may be done, and which role may do it. `docs/ACCESS.md` shows the same as a table.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Alarms and events, without pictures.
    SeeAlerts,
    /// Pictures and clips, people in them pixelated, and originals that were released; each for a purpose that is written down.
    SeeEvidence,
    /// Boxes, cameras and sensors, and how they are.
    SeeDevices,
    /// Plans of sites: where cameras, zones and sensors are.
    SeePlans,
    /// Change them.
    DrawPlans,
    /// Who ordered what.
    SeeCommands,
    /// Arm and disarm areas, put them into maintenance.
    SetMode,
    /// Have a box hand out an original, in which people are not pixelated: one asks, another approves.
    ReleaseOriginal,
    /// Incidents that are or were one's own.
    SeeIncidents,
    /// Those of others too.
    SeeAllIncidents,
    /// Look at incidents, give them to somebody, put them aside, close them.
    WorkIncidents,
    /// Be given incidents and handle them.
    HandleIncidents,
    /// See that others have handled them; say whether they get more time; look back.
    VerifyIncidents,
    /// Who looked at which pictures, and what for.
    SeeRegister,
    /// Take whole lists away as files, each line of which they may see.
    Export,
    /// Keep evidence although its time is over, and let it go: one proposes, another agrees.
    HoldEvidence,
    /// What was deleted.
    SeeDeletions,
    /// Accounts and sites.
    ManagePeople,
    /// How telling other programs fares, and have them told again.
    ManageWebhooks,
    /// Who signed in, and what was done to accounts.
    SeeAccessLog,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::SeeAlerts,
        Self::SeeEvidence,
        Self::SeeDevices,
        Self::SeePlans,
        Self::DrawPlans,
        Self::SeeCommands,
        Self::SetMode,
        Self::ReleaseOriginal,
        Self::SeeIncidents,
        Self::SeeAllIncidents,
        Self::WorkIncidents,
        Self::HandleIncidents,
        Self::VerifyIncidents,
        Self::SeeRegister,
        Self::Export,
        Self::HoldEvidence,
        Self::SeeDeletions,
        Self::ManagePeople,
        Self::ManageWebhooks,
        Self::SeeAccessLog,
    ];

    /// It has no place, so who has it must not be limited to some sites.
    pub const fn needs_all_sites(self) -> bool {
        matches!(self, Self::ManagePeople | Self::ManageWebhooks | Self::SeeAccessLog)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SeeAlerts => "see_alerts",
            Self::SeeEvidence => "see_evidence",
            Self::SeeDevices => "see_devices",
            Self::SeePlans => "see_plans",
            Self::DrawPlans => "draw_plans",
            Self::SeeCommands => "see_commands",
            Self::SetMode => "set_mode",
            Self::ReleaseOriginal => "release_original",
            Self::SeeIncidents => "see_incidents",
            Self::SeeAllIncidents => "see_all_incidents",
            Self::WorkIncidents => "work_incidents",
            Self::HandleIncidents => "handle_incidents",
            Self::VerifyIncidents => "verify_incidents",
            Self::SeeRegister => "see_register",
            Self::Export => "export",
            Self::HoldEvidence => "hold_evidence",
            Self::SeeDeletions => "see_deletions",
            Self::ManagePeople => "manage_people",
            Self::ManageWebhooks => "manage_webhooks",
            Self::SeeAccessLog => "see_access_log",
        }
    }
}

/// What somebody works as. A person has one or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Watches alerts.
    Operator,
    /// Goes and looks: a guard, a grid worker.
    Handler,
    /// Answers for operators and handlers.
    Supervisor,
    /// Keeps boxes, cameras and sensors well.
    Maintainer,
    /// Puts them up.
    Technician,
    /// Reads what was done, and changes nothing.
    Auditor,
    /// Gives others their accounts.
    Administrator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Operator,
        Self::Handler,
        Self::Supervisor,
        Self::Maintainer,
        Self::Technician,
        Self::Auditor,
        Self::Administrator,
    ];

    /// What it may do. No more than its work takes: who gives accounts sees no pictures.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{
            DrawPlans, Export, HandleIncidents, HoldEvidence, ManagePeople, ManageWebhooks, ReleaseOriginal,
            SeeAccessLog, SeeAlerts, SeeAllIncidents, SeeCommands, SeeDeletions, SeeDevices, SeeEvidence,
            SeeIncidents, SeePlans, SeeRegister, SetMode, VerifyIncidents, WorkIncidents,
        };
        match self {
            Self::Operator => &[
                SeeAlerts,
                SeeEvidence,
                SeeDevices,
                SeePlans,
                SeeCommands,
                SetMode,
                SeeIncidents,
                SeeAllIncidents,
                WorkIncidents,
            ],
            Self::Handler => &[SeeAlerts, SeeEvidence, SeePlans, SeeIncidents, HandleIncidents],
            Self::Supervisor => &[
                SeeAlerts,
                SeeEvidence,
                SeeDevices,
                SeePlans,
                SeeCommands,
                SetMode,
                ReleaseOriginal,
                SeeIncidents,
                SeeAllIncidents,
                WorkIncidents,
                HandleIncidents,
                VerifyIncidents,
                SeeRegister,
                Export,
                HoldEvidence,
                SeeDeletions,
            ],
            Self::Maintainer => &[SeeDevices, SeePlans, SeeCommands, SetMode],
            Self::Technician => &[SeeDevices, SeePlans, DrawPlans],
            Self::Auditor => &[
                SeeAlerts,
                SeeDevices,
                SeePlans,
                SeeCommands,
                SeeIncidents,
                SeeAllIncidents,
                SeeRegister,
                Export,
                HoldEvidence,
                SeeDeletions,
                SeeAccessLog,
            ],
            Self::Administrator => {
                &[SeeDevices, SeePlans, DrawPlans, ManagePeople, ManageWebhooks, SeeAccessLog]
            }
        }
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Handler => "handler",
            Self::Supervisor => "supervisor",
            Self::Maintainer => "maintainer",
            Self::Technician => "technician",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text names no role.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is no role: there are operator, handler, supervisor, maintainer, technician, auditor and administrator"
)]
pub struct RoleError(String);

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| RoleError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_wire() {
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.name());
        }
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
            assert_eq!(role.name().parse::<Role>().unwrap(), role);
        }
        assert!("root".parse::<Role>().unwrap_err().to_string().contains("operator"));
    }

    /// Nobody both gives accounts and sees pictures by one role, and every permission is somebody's.
    #[test]
    fn work_is_divided() {
        for role in Role::ALL {
            let may = role.permissions();
            assert!(
                !(may.contains(&Permission::ManagePeople) && may.contains(&Permission::SeeEvidence)),
                "{role}"
            );
        }
        for permission in Permission::ALL {
            assert!(Role::ALL.iter().any(|role| role.permissions().contains(&permission)), "{permission:?}");
        }
    }
}
