"""Canteen of one centre. Temperatures are in no metric: they are on the screens and in the signed record."""

from .parts import ANSWERS, CENTRE, HIGH, MEDIUM, WRONG, board, lines, states, steps, value, variable

C = 'centre="$centre"'
D = C + ',device=~"$device"'


def make():
    """Makes the dashboard."""
    silent = f"sum(1 - linli_device_online{{{D}}}) or vector(0)"
    dropped = f"increase(linli_unaccounted_batches_total{{{C}}}[1d])"
    failures = f'sum by (device) (rate(linli_device_exchanges_total{{{D},result!="ok"}}[$__rate_interval]))'
    now = [
        value("无应答 silent", silent, limits=steps((1, MEDIUM)), span=6),
        value("今天漏记的批 unaccounted", dropped, limits=steps((1, HIGH)), span=6, decimals=0, about="24 h"),
        value(
            "高级报警 high alarms",
            f'linli_alarms_standing{{{C},priority="high"}}',
            limits=steps((1, HIGH)),
            span=6,
            about="食品安全报警是高级报警；也有别的 food-safety alarms are of high priority, others too",
        ),
        value("台账已满 account full", f'linli_store_full{{{C},kind="canteen"}}', mapped=WRONG, span=6),
    ]
    return board(
        "linli-canteen",
        "食堂 Canteen",
        "温度在屏幕和日记录里，不在指标里；这里看是否在监测。选食堂的设备。"
        "Temperatures are on the screens and in the daily record; this shows whether they are monitored. "
        "Choose the devices of the canteen.",
        [CENTRE, variable("device", "设备 device", f"linli_device_online{{{C}}}", many=True)],
        [
            ("现在 Now", now),
            (
                "监测 Monitoring",
                [
                    states(
                        "设备 devices",
                        [(f"linli_device_online{{{D}}}", "{{device}}")],
                        ANSWERS,
                        span=24,
                        height=9,
                    ),
                    lines(
                        "漏记的批 unaccounted batches",
                        [
                            (
                                f"increase(linli_unaccounted_batches_total{{{C}}}[1h])",
                                "食堂和终端 canteen, kiosks",
                            )
                        ],
                        limits=steps((1, HIGH)),
                        about="每小时；这段时间算未监测 per hour; that time counts as not monitored",
                    ),
                    lines("失败 failures", [(failures, "{{device}}")], "ops"),
                    lines(
                        "待发的食品记录 food records that wait",
                        [(f'linli_store_waiting_records{{{C},class="food_safety"}}', "food_safety")],
                    ),
                    lines(
                        "被拒的台账 refused documents",
                        [(f'increase(linli_store_full_refusals_total{{{C},kind="canteen"}}[1h])', "canteen")],
                        limits=steps((1, HIGH)),
                        about="每小时 per hour",
                    ),
                ],
            ),
        ],
    )
