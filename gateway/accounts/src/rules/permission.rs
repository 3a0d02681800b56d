//! What each role may do. Who may do what is decided here and in the table of routes (`linli-web`), nowhere else.
// tidy: table

use serde::Serialize;

use super::role::Role;

/// Something that a role allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Sees the building: devices, values, trends, alarms, kiosks, the mode of rooms, the event stream.
    View,
    /// Acknowledges, resets, shelves alarms.
    Alarms,
    /// Sees and changes visits and measurements, with names.
    Visits,
    /// Exports measurements.
    Export,
    /// Records samples, cooling and notes of the canteen, signs its day.
    Food,
    /// Carries out the tasks of a plan and decides on its steps.
    Tasks,
    /// Sends orders and their confirmations, records findings.
    Orders,
    /// Sets outputs of devices that belong to no plan.
    Commands,
    /// Begins and ends the service state of a room.
    Service,
    /// Maintains nodes: updates, logs, settings.
    Nodes,
    /// Applies a changed configuration.
    Configure,
    /// Reads records: who did what.
    Records,
    /// Manages accounts, screens, break-glass codes.
    Accounts,
    /// Stops a room, which only makes safe.
    Stop,
    /// Sees and ends its own log-in.
    Own,
}

// === impl Permission ===

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 15] = [
        Self::View,
        Self::Alarms,
        Self::Visits,
        Self::Export,
        Self::Food,
        Self::Tasks,
        Self::Orders,
        Self::Commands,
        Self::Service,
        Self::Nodes,
        Self::Configure,
        Self::Records,
        Self::Accounts,
        Self::Stop,
        Self::Own,
    ];

    /// What it is, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::View => "查看 to look at the building",
            Self::Alarms => "处理报警 to handle alarms",
            Self::Visits => "健康数据 to see and change visits and measurements",
            Self::Export => "导出 to export measurements",
            Self::Food => "食堂记录 to keep the canteen's record",
            Self::Tasks => "执行任务 to carry out tasks of a plan",
            Self::Orders => "发送指令 to send orders",
            Self::Commands => "下发命令 to set outputs of devices",
            Self::Service => "检修 to begin the service state of a room",
            Self::Nodes => "节点维护 to maintain nodes",
            Self::Configure => "重新加载配置 to apply a configuration",
            Self::Records => "查看记录 to read records",
            Self::Accounts => "管理账号 to manage accounts",
            Self::Stop => "停止 to stop a room",
            Self::Own => "本人登录 to see one's own log-in",
        }
    }

    /// The roles that allow it.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        use Role::{Admin, Auditor, Canteen, Command, HealthWorker, Operator, Screen, Technician};
        match self {
            Self::View => &[Screen, HealthWorker, Canteen, Operator, Technician, Command],
            Self::Alarms => &[HealthWorker, Canteen, Operator, Technician],
            Self::Visits | Self::Export => &[HealthWorker],
            Self::Food => &[Canteen],
            Self::Tasks => &[Operator],
            Self::Orders => &[Command, Operator],
            Self::Commands => &[Operator, Technician],
            Self::Service => &[Technician, Operator],
            Self::Nodes | Self::Configure => &[Technician],
            Self::Records => &[Auditor],
            Self::Accounts => &[Admin],
            Self::Stop => &Role::ALL,
            Self::Own => &Role::ALL,
        }
    }

    /// Whether one of these roles allows it.
    #[must_use]
    pub fn is_allowed(self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles().contains(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(role: Role) -> Vec<Permission> {
        Permission::ALL.into_iter().filter(|permission| permission.is_allowed(&[role])).collect()
    }

    /// What the specification says of each role in words.
    #[test]
    fn roles_are_those_of_the_specification() {
        use Permission::{Accounts, Own, Records, Stop, View};
        assert_eq!(of(Role::Screen), [View, Stop, Own], "only shows, and stops without a person");
        assert_eq!(of(Role::Auditor), [Records, Stop, Own], "reads records, nothing else");
        assert_eq!(of(Role::Admin), [Accounts, Stop, Own], "accounts, never personal data");
        for role in Role::ALL {
            assert!(Stop.is_allowed(&[role]), "{role}: any account stops");
        }
        for personal in [Permission::Visits, Permission::Export] {
            assert_eq!(personal.roles(), [Role::HealthWorker]);
        }
        assert!(Permission::ALL.into_iter().all(|permission| !permission.is_allowed(&[])), "default deny");
    }

    #[test]
    fn roles_add_up() {
        let both = [Role::Canteen, Role::Operator];
        for permission in Permission::ALL {
            let either = both.iter().any(|role| permission.is_allowed(&[*role]));
            assert_eq!(permission.is_allowed(&both), either, "{permission:?}");
        }
    }
}
