"""Uplink and store of one centre: what waits, what is delivered, what is lost."""

from .parts import CENTRE, CONNECTED, HIGH, MEDIUM, UP, WRONG, board, lines, states, steps, value

C = 'centre="$centre"'


def rate(metric):
    """The rate of a counter of the centre."""
    return f"rate({metric}{{{C}}}[$__rate_interval])"


def of_uplink():
    """The connection to the broker."""
    return [
        states("连接 connection", [(f"linli_uplink_connected{{{C}}}", "MQTT")], CONNECTED, span=24, height=4),
        lines(
            "消息 messages",
            [
                (rate("linli_uplink_sent_total"), "发送 sent"),
                (rate("linli_uplink_acknowledged_total"), "确认 acknowledged"),
            ],
            "ops",
        ),
        lines("流量 payload", [(rate("linli_uplink_bytes_total"), "字节 bytes")], "Bps"),
        lines("积压 behind", [(f"linli_uplink_behind{{{C}}}", "序号 sequence numbers")]),
        lines(
            "待发记录 waiting records",
            [(f"linli_store_waiting_records{{{C}}}", "{{class}}")],
            colors={"urgent": HIGH},
            stacked=True,
        ),
        lines(
            "最早未确认 oldest in flight",
            [(f"linli_uplink_oldest_in_flight_seconds{{{C}}}", "等待 age")],
            "s",
            steps((120, MEDIUM)),
        ),
        lines("未确认消息 in flight", [(f"linli_uplink_in_flight{{{C}}}", "条 messages")]),
        lines(
            "死信、重连 dead letters, connects",
            [
                (f"increase(linli_uplink_dead_letters_total{{{C}}}[1h])", "死信 dead letters"),
                (f"increase(linli_uplink_connects_total{{{C}}}[1h])", "连接次数 connects"),
            ],
            about="每小时 per hour",
            colors={"死信 dead letters": HIGH},
        ),
        lines(
            "下行 commands and orders",
            [
                (f"increase(linli_uplink_commands_total{{{C}}}[1h])", "收到 received"),
                (f"increase(linli_uplink_commands_dropped_total{{{C}}}[1h])", "丢弃 dropped"),
            ],
            about="每小时 per hour",
            colors={"丢弃 dropped": HIGH},
        ),
    ]


def of_store():
    """The database."""
    flags = [
        ("linli_store_hung", "写库停滞 hung"),
        ("linli_store_disk_full", "磁盘满 disk full"),
        ("linli_store_device_failed", "磁盘出错 disk fails"),
        ("linli_store_over", "整库已满 store full"),
    ]
    used = f"linli_store_used_bytes{{{C}}}"
    lost = steps((1, HIGH))
    return [
        states("可写 writable", [(f"linli_store_writable{{{C}}}", "store")], UP, height=6),
        states("故障 faults", [(f"{metric}{{{C}}}", name) for metric, name in flags], WRONG, height=6),
        states("拒收的资料 refused kinds", [(f"linli_store_full{{{C}}}", "{{kind}}")], WRONG, height=8),
        lines(
            "大小 size",
            [(used, "已用 used"), (f"linli_store_max_bytes{{{C}}}", "上限 limit")],
            "bytes",
            colors={"上限 limit": MEDIUM},
        ),
        lines(
            "写库时间 commit",
            [(f"linli_store_commit_seconds{{{C}}}", "最近一次 latest")],
            "s",
            steps((2, MEDIUM)),
        ),
        lines(
            "写库 transactions",
            [
                (rate("linli_store_transactions_total"), "事务 transactions"),
                (rate("linli_store_committed_total"), "写入 committed"),
                (rate("linli_store_acknowledged_total"), "送达删除 acknowledged"),
            ],
            "ops",
        ),
        lines("写入量 written", [(rate("linli_store_body_bytes_total"), "记录 record bodies")], "Bps"),
        lines(
            "丢失、拒收 lost, refused",
            [
                (f"increase(linli_store_given_up_total{{{C}}}[1h])", "让位 evicted"),
                (f"increase(linli_store_refused_total{{{C}}}[1h])", "拒收 refused"),
                (f"increase(linli_records_refused_total{{{C}}}[1h])", "队列满 queue full"),
                (f"increase(linli_store_full_refusals_total{{{C}}}[1h])", "{{kind}} 份额满 share used up"),
                (f"increase(linli_store_device_failures_total{{{C}}}[1h])", "读写出错 I/O errors"),
            ],
            limits=lost,
            about="每小时 per hour",
        ),
        value(
            "无法解码 undecodable rows",
            f"linli_store_undecodable_rows{{{C}}}",
            limits=steps((1, MEDIUM)),
            span=12,
        ),
        value("停用的坏库 set aside", f"linli_store_set_aside_total{{{C}}}", limits=lost, span=12),
    ]


def make():
    """Makes the dashboard."""
    return board(
        "linli-uplink",
        "上行与数据库 Uplink and store",
        "什么在等，什么送达了，什么丢了。What waits, what was delivered, what was lost.",
        [CENTRE],
        [("上行 Uplink", of_uplink()), ("数据库 Store", of_store())],
    )
