//! The example centre's plans, embedded: what `linli init` writes, and what the demonstration runs.

/// Each plan's file and its text.
pub const PLANS: [(&str, &str); 6] = [
    (
        "plans/reading-room.sampling@1.toml",
        include_str!("../../../deploy/example/plans/reading-room.sampling@1.toml"),
    ),
    (
        "plans/reading-room.from-sampling@1.toml",
        include_str!("../../../deploy/example/plans/reading-room.from-sampling@1.toml"),
    ),
    ("plans/hall.command@1.toml", include_str!("../../../deploy/example/plans/hall.command@1.toml")),
    (
        "plans/hall.from-command@1.toml",
        include_str!("../../../deploy/example/plans/hall.from-command@1.toml"),
    ),
    (
        "plans/kitchen.warehouse@1.toml",
        include_str!("../../../deploy/example/plans/kitchen.warehouse@1.toml"),
    ),
    (
        "plans/kitchen.from-warehouse@1.toml",
        include_str!("../../../deploy/example/plans/kitchen.from-warehouse@1.toml"),
    ),
];
