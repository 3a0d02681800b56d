"""Parts of every dashboard: queries, panels, variables, links.

Normal is grey; colours are for what needs a person (ISA-101): red as severity critical and priority high, yellow as
warning and medium, blue as info and low. A colour never stands alone, a word says the same.
"""

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

NORMAL, HIGH, MEDIUM, LOW, UNKNOWN = "#8e8e8e", "red", "yellow", "blue", "transparent"
SOURCE = model.DataSourceRef(type_val="prometheus", uid="${ds}")
WIDTH = 24

# Words of a flag: what is shown for 0 and for 1.
UP = {0: ("断开 down", HIGH), 1: ("正常 up", NORMAL)}
ANSWERS = {0: ("无应答 silent", MEDIUM), 1: ("正常 online", NORMAL)}
CONNECTED = {-1: ("未配置 not configured", NORMAL), 0: ("断开 cut", MEDIUM), 1: ("已连接 connected", NORMAL)}
SYNCHRONISED = {0: ("未校准 not synchronised", MEDIUM), 1: ("已校准 synchronised", NORMAL)}
READY = {0: ("未就绪 not ready", HIGH), 1: ("就绪 ready", NORMAL)}
WRONG = {0: ("否 no", NORMAL), 1: ("是 yes", HIGH)}
NOTABLE = {0: ("否 no", NORMAL), 1: ("是 yes", LOW)}


def query(expr, legend="", ref="A", instant=False):
    """A query; an instant one makes a table."""
    made = prometheus.Dataquery().expr(expr).ref_id(ref).datasource(SOURCE)
    if instant:
        return made.instant().format(PromQueryFormat.TABLE)
    return made.range().legend_format(legend)


def steps(*limits):
    """Thresholds: normal, then colours from each value on."""
    listed = [model.Threshold(value=None, color=NORMAL)]
    listed += [model.Threshold(value=value, color=color) for value, color in limits]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(listed)


def below(high, medium):
    """Thresholds of what must not become small."""
    listed = [(None, HIGH), (high, MEDIUM), (medium, NORMAL)]
    made = [model.Threshold(value=value, color=color) for value, color in listed]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(made)


def words(table_of_words):
    """Value mappings: each value as a word with its colour."""
    results = {
        str(value): model.ValueMappingResult(text=text, color=color, index=value)
        for value, (text, color) in table_of_words.items()
    }
    return [model.ValueMap(options=results)]


def _queries(expressions):
    return [query(expr, legend, chr(ord("A") + nth)) for nth, (expr, legend) in enumerate(expressions)]


def _common(panel, title, about, span, height):
    panel.title(title).datasource(SOURCE).span(span).height(height).no_value("无数据 no data")
    return panel.description(about) if about else panel


def states(title, expressions, table_of_words, about="", span=12, height=7):
    """Bars over time: which state held when. Where there is no data there is no bar."""
    panel = _common(statetimeline.Panel(), title, about, span, height)
    return (
        panel.targets(_queries(expressions))
        .mappings(words(table_of_words))
        .thresholds(steps())
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .merge_values(True)
        .show_value(common.VisibilityMode.AUTO)
        .fill_opacity(80)
    )


def value(title, expr, unit="short", limits=None, mapped=None, about="", span=4, decimals=None, legend=""):
    """One number of now, or a word for it."""
    panel = _common(stat.Panel(), title, about, span, 4)
    panel.targets([query(expr, legend)]).unit(unit).thresholds(limits or steps())
    panel.color_mode(common.BigValueColorMode.BACKGROUND if mapped else common.BigValueColorMode.VALUE)
    panel.graph_mode(common.BigValueGraphMode.NONE)
    panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
    if mapped:
        panel.mappings(words(mapped))
    if decimals is not None:
        panel.decimals(decimals)
    return panel


def label(title, expr, name, about="", span=4):
    """One label of now, such as a version."""
    panel = _common(stat.Panel(), title, about, span, 4)
    panel.targets([query(expr, "{{" + name + "}}")]).thresholds(steps())
    panel.text_mode(common.BigValueTextMode.NAME).graph_mode(common.BigValueGraphMode.NONE)
    return panel


def lines(
    title, expressions, unit="short", limits=None, about="", span=12, height=8, colors=None, stacked=False
):
    """Lines over time. A gap in the data is a gap in the line."""
    panel = _common(timeseries.Panel(), title, about, span, height)
    panel.targets(_queries(expressions)).unit(unit).min(0).span_nulls(False).show_points(
        common.VisibilityMode.AUTO
    )
    panel.line_width(1).fill_opacity(40 if stacked else 0)
    panel.legend(
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull", "max"])
    )
    panel.tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    if limits:
        panel.thresholds(limits)
        panel.thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.LINE)
        )
    for name, color in (colors or {}).items():
        fixed = {"mode": "fixed", "fixedColor": color}
        panel.override_by_name(name, [model.DynamicConfigValue(id_val="color", value=fixed)])
    return panel


def rows(title, columns, key, about="", span=24, height=10, links=None):
    """A table: one row for each value of the label `key`, one query a column: (title, expression, settings)."""
    panel = _common(table.Panel(), title, about, span, height)
    refs = [chr(ord("A") + nth) for nth in range(len(columns))]
    panel.targets([query(expr, ref=ref, instant=True) for ref, (_, expr, _) in zip(refs, columns)])
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    only = len(columns) == 1
    names = {("Value" if only else f"Value #{ref}"): title for ref, (title, _, _) in zip(refs, columns)}
    order = {name: nth + 1 for nth, name in enumerate(names)} | {key: 0}
    organized = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names}
    panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=organized))
    for title, _, settings in columns:
        properties = [model.DynamicConfigValue(id_val=name, value=what) for name, what in settings.items()]
        if properties:
            panel.override_by_name(title, properties)
    if links:
        panel.override_by_name(key, [model.DynamicConfigValue(id_val="links", value=links)])
    return panel


def colored(unit="short", limits=None, mapped=None):
    """Settings of a column whose text has a colour."""
    settings = {"unit": unit, "custom.cellOptions": {"type": "color-text"}}
    settings["thresholds"] = (limits or steps()).build()
    if mapped:
        settings["mappings"] = words(mapped)
    return settings


def firing(title, selector, span=24, height=8):
    """The alerts that fire now."""
    panel = _common(table.Panel(), title, "来自告警规则 from dashboards/prometheus/rules", span, height)
    wanted = "centre, severity, alertname, line, device, room, kind, role"
    expr = f'count by ({wanted}) (ALERTS{{alertname=~"Linli.+",alertstate="firing"{selector}}})'
    panel.targets([query(expr, instant=True)]).no_value("没有告警 no alert")
    names = {"centre": "中心 centre", "severity": "级别 severity", "alertname": "告警 alert"}
    names |= {"line": "总线 line", "device": "设备 device", "room": "房间 room"}
    order = {name: nth for nth, name in enumerate(wanted.split(", "))}
    organized = {"excludeByName": {"Time": True, "Value": True}, "indexByName": order, "renameByName": names}
    panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=organized))
    results = {
        word: model.ValueMappingResult(text=text, color=color, index=nth)
        for nth, (word, text, color) in enumerate(
            [
                ("critical", "严重 critical", HIGH),
                ("warning", "警告 warning", MEDIUM),
                ("info", "知悉 info", LOW),
            ]
        )
    }
    mapping = model.DynamicConfigValue(id_val="mappings", value=[model.ValueMap(options=results)])
    cell = model.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-background"})
    return panel.override_by_name("级别 severity", [mapping, cell])


def variable(name, title, metric, many=False):
    """A variable with the values that a label of a metric has."""
    asked = {"qryType": 1, "query": f"label_values({metric}, {name})", "refId": "variable"}
    made = dashboard.QueryVariable(name).label(title).datasource(SOURCE).query(asked)
    made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.ALPHABETICAL_ASC)
    if many:
        made.multi(True).include_all(True).all_value(".*")
        made.current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))
    return made


def board(uid, title, about, variables, groups):
    """A dashboard: groups of panels, each below a title."""
    links = dashboard.DashboardLink("linli").type(model.DashboardLinkType.DASHBOARDS).tags(["linli"])
    links.as_dropdown(False).include_vars(True).keep_time(True).target_blank(False).icon("external link")
    made = dashboard.Dashboard(title).uid(uid).description(about).tags(["linli"]).link(links)
    made.time("now-6h", "now").refresh("30s").timezone("browser").readonly()
    made.tooltip(model.DashboardCursorSync.CROSSHAIR)
    made.with_variable(dashboard.DatasourceVariable("ds").label("数据源 data source").type("prometheus"))
    for one in variables:
        made.with_variable(one)
    number = 0
    for heading, panels in groups:
        number += 1
        made.with_row(dashboard.Row(heading).id(number))
        for panel in panels:
            number += 1
            made.with_panel(panel.id(number))
    return made.build()


CENTRE = variable("centre", "中心 centre", "linli_info")
