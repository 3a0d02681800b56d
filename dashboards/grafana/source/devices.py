"""Lines and devices of one centre: what answers, how well, at what cost."""

from .parts import ANSWERS, CENTRE, HIGH, MEDIUM, UP, board, lines, states, steps, variable

L = 'centre="$centre",line=~"$line"'
D = L + ',device=~"$device"'
COLORS = {"timeout": MEDIUM, "garbled": HIGH, "refused": MEDIUM}


def of_lines():
    """The lines."""
    rate = "rate({}{{" + L + "}}[$__rate_interval])"
    name = "{{line}}"
    return [
        states("总线 lines", [(f"linli_line_up{{{L}}}", name)], UP, span=24),
        lines(
            "占用 use",
            [(rate.format("linli_line_busy_seconds_total"), name)],
            "percentunit",
            steps((0.9, MEDIUM)),
        ),
        lines("跳过的轮询 skipped polls", [(rate.format("linli_line_overruns_total"), name)], "ops"),
        lines(
            "干扰 noise",
            [
                (rate.format("linli_line_resync_bytes_total"), "{{line}} 丢弃字节 bytes discarded"),
                (rate.format("linli_line_late_replies_total"), "{{line}} 迟到 late"),
                (rate.format("linli_line_echoes_total"), "{{line}} 回声 echoes"),
            ],
            "ops",
        ),
        lines(
            "打开次数 opens",
            [(f"increase(linli_line_opens_total{{{L}}}[1h])", name)],
            about="每小时 per hour",
        ),
        lines("请求 requests", [(rate.format("linli_line_requests_total"), name)], "reqps"),
        lines(
            "维护与续写 upkeep, refreshed outputs",
            [
                (rate.format("linli_line_upkeep_seconds_total"), "{{line}} 维护占用 upkeep"),
                (rate.format("linli_line_upkeep_total"), "{{line}} 维护次数 exchanges"),
                (rate.format("linli_line_refreshed_total"), "{{line}} 续写 refreshed"),
            ],
        ),
    ]


def of_devices():
    """The devices."""
    exchanges = f"linli_device_exchanges_total{{{D}}}"
    good = f'linli_device_exchanges_total{{{D},result="ok"}}'
    bad = f'linli_device_exchanges_total{{{D},result!="ok"}}'
    share = f"sum by (device) (rate({good}[$__rate_interval])) / sum by (device) (rate({exchanges}[$__rate_interval]))"
    return [
        states("设备 devices", [(f"linli_device_online{{{D}}}", "{{device}}")], ANSWERS, span=24, height=12),
        lines("成功率 success", [(share, "{{device}}")], "percentunit"),
        lines("应答时间 latency", [(f"linli_device_latency_seconds{{{D}}}", "{{device}}")], "s"),
        lines(
            "结果 results",
            [(f"sum by (result) (rate({exchanges}[$__rate_interval]))", "{{result}}")],
            "ops",
            colors=COLORS,
            stacked=True,
        ),
        lines("失败 failures", [(f"rate({bad}[$__rate_interval])", "{{device}} {{result}}")], "ops"),
    ]


def make():
    """Makes the dashboard."""
    line = variable("line", "总线 line", 'linli_line_up{centre="$centre"}', many=True)
    device = variable("device", "设备 device", f"linli_device_online{{{L}}}", many=True)
    return board(
        "linli-devices",
        "总线和设备 Lines and devices",
        "哪条总线、哪台设备不应答。Which line or device does not answer.",
        [CENTRE, line, device],
        [("总线 Lines", of_lines()), ("设备 Devices", of_devices())],
    )
