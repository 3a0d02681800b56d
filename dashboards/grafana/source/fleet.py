"""All centres: which one needs somebody."""

from .parts import (
    CONNECTED,
    HIGH,
    LOW,
    MEDIUM,
    READY,
    UP,
    board,
    colored,
    firing,
    lines,
    rows,
    states,
    steps,
    value,
)

GATEWAYS = 'up{job=~"linli(/.+)?"}'

TO_CENTRE = [
    {
        "title": "打开中心 open the centre",
        "url": "/d/linli-centre?var-centre=${__value.raw}&${ds:queryparam}&${__url_time_range}",
    }
]


def make():
    """Makes the dashboard."""
    alerts = 'count(ALERTS{alertname=~"Linli.+",alertstate="firing",severity="%s"}) or vector(0)'
    summary = [
        value("中心 centres", f"count({GATEWAYS})"),
        value("不在线 unreachable", f"count({GATEWAYS} == 0) or vector(0)", limits=steps((1, HIGH))),
        value(
            "上行断开 uplink cut",
            "count(linli_uplink_connected == 0 unless linli_uplink_configured == 0) or vector(0)",
            limits=steps((1, MEDIUM)),
        ),
        value("严重 critical", alerts % "critical", limits=steps((1, HIGH))),
        value("警告 warning", alerts % "warning", limits=steps((1, MEDIUM))),
        value("知悉 info", alerts % "info", limits=steps((1, LOW))),
    ]
    columns = [
        ("在线 up", f"min by (centre) ({GATEWAYS})", colored(mapped=UP)),
        ("就绪 ready", "min by (centre) (linli_ready)", colored(mapped=READY)),
        ("上行 uplink", "min by (centre) (linli_uplink_connected + linli_uplink_configured - 1)", colored(mapped=CONNECTED)),
        (
            "高级报警 high alarms",
            'sum by (centre) (linli_alarms_standing{priority="high"})',
            colored(limits=steps((1, HIGH))),
        ),
        (
            "未确认 unacknowledged",
            "sum by (centre) (linli_alarms_unacknowledged)",
            colored(limits=steps((1, MEDIUM))),
        ),
        (
            "无应答设备 silent devices",
            "sum by (centre) (1 - linli_device_online)",
            colored(limits=steps((1, MEDIUM))),
        ),
        (
            "库占用 store",
            "max by (centre) (linli_store_used_bytes / linli_store_max_bytes)",
            colored("percentunit", steps((0.85, MEDIUM), (0.95, HIGH))),
        ),
        ("待发 waiting", "sum by (centre) (linli_store_waiting_records)", {"unit": "short"}),
        (
            "非平时房间 rooms not in peace",
            'sum by (centre) (linli_mode_stage{stage!="peace"}) or 0 * sum by (centre) (linli_mode_stage)',
            colored(limits=steps((1, LOW))),
        ),
    ]
    return board(
        "linli-fleet",
        "全部中心 Fleet",
        "每个中心一行；点中心编号打开它。One row a centre; its id opens it.",
        [],
        [
            ("现在 Now", summary),
            ("中心 Centres", [rows("中心 Centres", columns, "centre", links=TO_CENTRE)]),
            ("告警 Alerts", [firing("告警 Alerts", "")]),
            (
                "经过 History",
                [
                    states("在线 up", [(GATEWAYS, "{{centre}}")], UP),
                    states("上行 uplink", [("linli_uplink_connected", "{{centre}}")], CONNECTED),
                    lines(
                        "待发记录 waiting records",
                        [("sum by (centre) (linli_store_waiting_records)", "{{centre}}")],
                    ),
                    lines(
                        "高级报警 high-priority alarms",
                        [('linli_alarms_standing{priority="high"}', "{{centre}}")],
                        limits=steps((1, HIGH)),
                    ),
                ],
            ),
        ],
    )
