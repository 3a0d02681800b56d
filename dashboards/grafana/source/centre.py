"""One centre: is it well, and what its people must act on."""

from .parts import (
    CENTRE,
    CONNECTED,
    HIGH,
    LOW,
    MEDIUM,
    READY,
    SYNCHRONISED,
    UP,
    WRONG,
    below,
    board,
    firing,
    label,
    lines,
    states,
    steps,
    value,
)

C = 'centre="$centre"'


def now():
    """What holds now."""
    used = f"linli_store_used_bytes{{{C}}} / linli_store_max_bytes{{{C}}}"
    end = f"linli_tls_certificate_end_seconds{{{C}}} - time()"
    district = f"linli_uplink_certificate_end_seconds{{{C}}} - time()"
    return [
        value("网关 gateway", f'up{{{C},job=~"linli(/.+)?"}}', mapped=UP),
        value("就绪 ready", f"linli_ready{{{C}}}", mapped=READY),
        value("备用配置 fallback configuration", f"linli_configuration_fallback{{{C}}}", mapped=WRONG),
        value(
            "上行 uplink",
            f"linli_uplink_connected{{{C}}} + linli_uplink_configured{{{C}}} - 1",
            mapped=CONNECTED,
        ),
        value("时钟 clock", f"linli_clock_synchronised{{{C}}}", mapped=SYNCHRONISED),
        value(
            "无应答设备 silent devices",
            f"sum(1 - linli_device_online{{{C}}}) or vector(0)",
            limits=steps((1, MEDIUM)),
        ),
        value("未确认报警 unacknowledged", f"linli_alarms_unacknowledged{{{C}}}", limits=steps((1, HIGH))),
        value("库占用 store", used, "percentunit", steps((0.85, MEDIUM), (0.95, HIGH)), decimals=0),
        value("证书剩余 certificate ends in", end, "s", below(2 * 86400, 21 * 86400)),
        value(
            "区级平台证书剩余 district certificate ends in", district, "s", below(14 * 86400, 45 * 86400)
        ),
        value("运行时间 uptime", f"linli_uptime_seconds{{{C}}}", "s"),
        label("版本 version", f"linli_info{{{C}}}", "version"),
        value("开放就诊 open visits", f"linli_visits_open{{{C}}}"),
        value("未加密连接 unencrypted", f"sum(linli_insecure{{{C}}}) or vector(0)", limits=steps((1, LOW))),
    ]


def alarms():
    """Alarms of the centre and who heard of them."""
    colors = {"high": HIGH, "medium": MEDIUM, "low": LOW}
    return [
        lines(
            "报警 alarms", [(f"linli_alarms_standing{{{C}}}", "{{priority}}")], colors=colors, stacked=True
        ),
        lines(
            "未确认、静默 unacknowledged, silent",
            [
                (f"linli_alarms_unacknowledged{{{C}}}", "未确认 unacknowledged"),
                (f"linli_alarms_silent{{{C}}}", "静默 silent"),
                (f"linli_alarms_chattering{{{C}}}", "反复 chattering"),
            ],
        ),
        lines(
            "通知 notifications",
            [(f"increase(linli_notifications_total{{{C}}}[1h])", "{{result}}")],
            about="每小时 per hour",
            colors={"given_up": HIGH, "failed": MEDIUM},
        ),
        lines(
            "公布与漏看 announced, dropped",
            [
                (f"increase(linli_alarms_announced_total{{{C}}}[1h])", "公布 announced"),
                (f"increase(linli_alarm_batches_dropped_total{{{C}}}[1h])", "漏看的批 dropped batches"),
            ],
            about="每小时 per hour",
        ),
        states("报警洪水 flood", [(f"linli_alarms_flood{{{C}}}", "flood")], WRONG, span=24, height=4),
    ]


def work():
    """What the gateway does."""
    return [
        lines(
            "读数 values",
            [
                (f"rate(linli_values_read_total{{{C}}}[$__rate_interval])", "读取 read"),
                (f"rate(linli_values_reported_total{{{C}}}[$__rate_interval])", "上报 reported"),
            ],
            "ops",
        ),
        lines(
            "命令 commands",
            [(f"increase(linli_commands_total{{{C}}}[1h])", "{{result}}")],
            about="每小时 per hour",
            colors={"failed": HIGH, "unknown": HIGH, "unanswered": MEDIUM},
        ),
        lines(
            "小屋测量 measurements",
            [
                (f"increase(linli_measurements_total{{{C}}}[1h])", "{{result}}"),
                (f"increase(linli_measurements_unassigned_total{{{C}}}[1h])", "待认领 unassigned"),
            ],
            about="每小时的数量，没有数值 counts per hour, no values",
            colors={"failed": HIGH},
        ),
        lines("连接 connections", [(f"linli_http_connections{{{C}}}", "{{listener}}")]),
        lines(
            "被拒的连接 connections turned away",
            [(f"increase(linli_http_connections_turned_away_total{{{C}}}[1h])", "{{listener}} {{why}}")],
            about="每小时 per hour",
            span=24,
        ),
    ]


def make():
    """Makes the dashboard."""
    return board(
        "linli-centre",
        "中心 Centre",
        "一个中心的总览。One centre at a glance.",
        [CENTRE],
        [
            ("现在 Now", now()),
            ("告警 Alerts", [firing("告警 Alerts", f",{C}")]),
            ("报警 Alarms", alarms()),
            ("运行 Work", work()),
        ],
    )
