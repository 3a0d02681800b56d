"""Peace and emergency switch of one centre: rooms, steps, orders."""

from .parts import (
    CENTRE,
    HIGH,
    LOW,
    MEDIUM,
    NORMAL,
    NOTABLE,
    board,
    colored,
    lines,
    rows,
    states,
    steps,
    value,
    variable,
)

C = 'centre="$centre"'
R = C + ',room=~"$room"'

# The stages of a room, as the gateway names them.
STAGES = [
    ("peace", "平时", NORMAL),
    ("preview", "预览", LOW),
    ("notice", "通知", LOW),
    ("clearing", "清场", LOW),
    ("acting", "动作", LOW),
    ("checking", "核对", LOW),
    ("ready", "就绪", LOW),
    ("degraded", "有缺项", MEDIUM),
    ("proving", "复核", MEDIUM),
    ("held", "已停止", HIGH),
]
STEPS = {"failed": HIGH, "stuck": HIGH, "waived": MEDIUM, "simulated": LOW}


def stage_number():
    """The stage of each room as its number in the table."""
    parts = [f'{nth} * linli_mode_stage{{{R},stage="{stage}"}}' for nth, (stage, _, _) in enumerate(STAGES)]
    return "sum by (room) (" + " or ".join(parts) + ")"


def of_rooms():
    """The rooms."""
    stage_words = {nth: (f"{chinese} {stage}", color) for nth, (stage, chinese, color) in enumerate(STAGES)}
    return [
        states("阶段 stage", [(stage_number(), "{{room}}")], stage_words, span=24, height=9),
        states("演练 drill", [(f"linli_mode_exercise{{{R}}}", "{{room}}")], NOTABLE),
        states("检修 service state", [(f"linli_mode_service{{{R}}}", "{{room}}")], NOTABLE),
        lines("在本阶段 time in the stage", [(f"linli_mode_stage_seconds{{{R}}}", "{{room}}")], "s"),
        lines(
            "步骤 steps",
            [(f"sum by (result) (linli_mode_steps{{{R}}})", "{{result}}")],
            colors=STEPS,
            stacked=True,
        ),
    ]


def of_people():
    """What waits for people, and orders."""
    hour = "increase({}{{" + R + "}}[1h])"
    return [
        lines("等人的步骤 steps that wait", [(f"linli_mode_outstanding_steps{{{C}}}", "{{role}}")]),
        lines(
            "最久的等待 longest wait",
            [(f"linli_mode_outstanding_oldest_seconds{{{C}}}", "{{role}}")],
            "s",
            steps((900, MEDIUM)),
        ),
        lines(
            "指令 orders",
            [(f"increase(linli_mode_orders_total{{{C}}}[1h])", "{{result}}")],
            about="每小时 per hour",
            colors={"quarantined": HIGH, "refused": MEDIUM, "dropped": MEDIUM},
        ),
        lines(
            "经过 events",
            [
                (hour.format("linli_mode_retries_total"), "{{room}} 重试 retries"),
                (hour.format("linli_mode_guard_refusals_total"), "{{room}} 守卫拒绝 guard refusals"),
                (hour.format("linli_mode_escalations_total"), "{{room}} 升级 escalations"),
                (hour.format("linli_mode_resumes_total"), "{{room}} 继续 resumes"),
            ],
            about="每小时 per hour",
        ),
        lines("停止次数 holds", [(f"linli_mode_holds_total{{{R}}}", "{{room}} {{cause}}")]),
        lines("停止时间 time held", [(f"linli_mode_held_seconds_total{{{R}}}", "{{room}} {{cause}}")], "s"),
    ]


def of_switches():
    """How long switches took, and how the service does."""
    took = f"max by (room, direction, class) (linli_mode_last_switch_seconds{{{R}}})"
    planned = f"max by (room, direction, class) (linli_mode_ready_within_seconds{{{R}}})"
    return [
        rows(
            "上一次转换 last switch",
            [
                ("用时 took", took, colored("s")),
                ("计划 planned", planned, {"unit": "s"}),
                ("用时/计划 took/planned", f"{took} / {planned}", colored("percentunit", steps((1, MEDIUM)))),
            ],
            "room",
            height=8,
        ),
        value(
            "决定 decisions",
            f"increase(linli_mode_decisions_total{{{C}}}[1h])",
            about="1 h",
            decimals=0,
            span=6,
        ),
        value(
            "最慢的决定 slowest",
            f"linli_mode_slowest_decision_seconds{{{C}}}",
            "s",
            steps((1, MEDIUM)),
            span=6,
        ),
        value("记录行数 record", f"linli_mode_record_lines{{{C}}}", span=6),
        value(
            "漏看的批 dropped batches",
            f"increase(linli_mode_batches_dropped_total{{{C}}}[1d])",
            limits=steps((1, HIGH)),
            about="24 h",
            decimals=0,
            span=6,
        ),
        lines(
            "提级的批 raised batches",
            [(f"increase(linli_raised_batches_total{{{C}}}[1h])", "{{result}}")],
            about="每小时 per hour",
            span=24,
        ),
    ]


def make():
    """Makes the dashboard."""
    return board(
        "linli-rooms",
        "房间 Rooms",
        "平急转换：阶段、步骤、指令。Peace and emergency switch: stages, steps, orders.",
        [CENTRE, variable("room", "房间 room", f"linli_mode_stage{{{C}}}", many=True)],
        [
            ("房间 Rooms", of_rooms()),
            ("人与指令 People and orders", of_people()),
            ("转换 Switches", of_switches()),
        ],
    )
