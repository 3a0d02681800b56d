"""Checks what promtool cannot see: metrics and labels that the gateway has, tests, texts, layout.

`check.py FILE` also writes every expression of dashboards and rules into FILE as recording rules, for promtool.
"""

import json
import pathlib
import re
import sys

import yaml

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
MANUAL = ROOT / "docs/operate/monitoring.md"

# What Prometheus itself adds.
OWN = {"up", "ALERTS"}
TARGET_LABELS = {"centre", "job", "instance"}

# What stands for Grafana's variables while promtool parses.
VARIABLES = {"$__rate_interval": "5m", "$__range": "6h"}

CHINESE = re.compile(r"[\u4e00-\u9fff]")
NAME = re.compile(r"(?<![\w:])(linli_\w+|up|ALERTS)(?![\w(:])")
SELECTOR = re.compile(r"(linli_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


class Problems(list):
    """What is wrong, each a line."""

    def unless(self, holds, text):
        if not holds:
            self.append(text)


def load(path):
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def gateway_metrics():
    """Metrics that the gateway answers, with their labels and the values of each: the golden answer of the tests,
    and names without a series there from the source."""
    golden = json.loads((ROOT / "tests/golden/http/metrics.json").read_text(encoding="utf-8"))
    metrics = {}
    for line in golden["anyone"]["body"]:
        if line.startswith("#"):
            continue
        name, _, labels = line.partition("{")
        known = metrics.setdefault(name, {})
        for label, _, value in MATCHER.findall(labels):
            known.setdefault(label, set()).add(value)
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "gateway/web/src/metrics").glob("*.rs")
    )
    for name in re.findall(r'"(linli_[a-z_]+)"', source):
        metrics.setdefault(name, None)
    return metrics


def stages():
    """Names of the stages of a room."""
    source = (ROOT / "gateway/mode/src/state.rs").read_text(encoding="utf-8")
    return set(re.findall(r'Self::\w+ => "(\w+)"', source.split("impl Stage {")[1].split("\n}\n")[0]))


def rules():
    """Alerting rules: (file, rule)."""
    for path in sorted((HERE / "prometheus/rules").glob("*.yml")):
        for group in load(path)["groups"]:
            for rule in group["rules"]:
                yield path, rule


def boards():
    """Dashboards: (file, JSON)."""
    for path in sorted((HERE / "grafana/dashboards").glob("*.json")):
        yield path, json.loads(path.read_text(encoding="utf-8"))


def expressions():
    """Every expression: (where, expression)."""
    for path, rule in rules():
        yield f"{path.name} {rule['alert']}", rule["expr"]
    for path, board in boards():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield f"{path.name} {panel['title']}", target["expr"]
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
                yield f"{path.name} ${variable['name']}", f"group by ({asked[2]}) ({asked[1]})"


def check_expression(problems, where, expression, metrics):
    """Metrics, labels and values of an expression exist."""
    for name in NAME.findall(re.sub(r'"[^"]*"', '""', expression)):
        problems.unless(name in OWN or name in metrics, f"{where}: the gateway has no metric {name}")
    closed = {"result", "why", "kind", "class", "priority", "listener"}
    for name, matchers in SELECTOR.findall(expression):
        known = metrics.get(name)
        for label, sign, value in MATCHER.findall(matchers):
            if known is None or label in TARGET_LABELS:
                continue
            problems.unless(label in known, f"{where}: {name} has no label {label}")
            values = stages() if label == "stage" else known.get(label, set()) if label in closed else None
            for word in value.split("|") if values is not None else []:
                problems.unless(word in values, f"{where}: {name} has no {label} {word!r}")


def check_rules(problems):
    """Each rule has its texts, its test that it fires and does not fire, and its row in the manual."""
    manual = MANUAL.read_text(encoding="utf-8")
    headings = {line.lstrip("# ") for line in manual.splitlines() if line.startswith("#")}
    tested = {}
    for path in sorted((HERE / "prometheus/tests").glob("*.yml")):
        for test in load(path)["tests"]:
            for expected in test["promql_expr_test"]:
                is_own = f'alertname="{test["name"]}"' in expected["expr"]
                fires = any(test["name"] in sample["labels"] for sample in expected["exp_samples"])
                tested.setdefault(test["name"], set()).add(
                    ("fires" if fires else "is silent") if is_own else "?"
                )
            for centre in ("bad", "good"):
                if any(f'centre="{centre}"' in series["series"] for series in test["input_series"]):
                    tested[test["name"]].add(centre)
    names = [rule["alert"] for _, rule in rules()]
    problems.extend(f"two rules are named {name}" for name in set(names) if names.count(name) > 1)
    for path, rule in rules():
        name, severity, texts = rule["alert"], rule["labels"]["severity"], rule["annotations"]
        where = f"{path.name} {name}"
        problems.unless(
            {"fires", "good"} <= tested.get(name, set()), f"{where}: no test that it fires, and when not"
        )
        problems.unless(severity in ("critical", "warning", "info"), f"{where}: severity {severity}")
        for text in (texts["summary"], texts["runbook"]):
            chinese, _, english = text.removesuffix(texts["runbook"].rsplit(" ", 1)[-1]).rpartition("。")
            is_both = (
                CHINESE.search(chinese) and not CHINESE.search(english) and re.search("[A-Za-z]{2} ", english)
            )
            problems.unless(is_both, f"{where}: Chinese first, then English: {text}")
        page, _, heading = texts["runbook"].rsplit(" ", 1)[-1].partition("#")
        problems.unless(ROOT / page == MANUAL and heading in headings, f"{where}: no page {page}#{heading}")
        problems.unless(
            f"| `{name}` | {severity} |" in manual, f"{where}: no row `{name}` | {severity} in {MANUAL.name}"
        )
    for name in re.findall(r"^\| `(Linli\w+)` \|", manual, re.M):
        problems.unless(name in names, f"{MANUAL.name}: no rule {name}")


def check_board(problems, path, board, uids):
    """A dashboard keeps its conventions, and no panel covers another."""
    ids, cells = set(), set()
    problems.unless(path.stem == board["uid"] and board.get("id") is None, f"{path.name}: uid, id")
    links = re.findall(r'"/d/([\w-]+)', json.dumps(board))
    problems.extend(
        f"{path.name}: a link to {uid}, which is no dashboard" for uid in links if uid not in uids
    )
    for panel in board["panels"]:
        where, place = f"{path.name} {panel['title']}", panel["gridPos"]
        problems.unless(CHINESE.match(panel["title"]) or panel["title"].isascii(), f"{where}: Chinese first")
        problems.unless(panel["id"] not in ids, f"{where}: id {panel['id']} twice")
        ids.add(panel["id"])
        area = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        problems.unless(
            place["x"] + place["w"] <= 24 and not area & cells, f"{where}: covers another, or is too wide"
        )
        cells |= area
        if panel["type"] == "row":
            continue
        problems.unless(panel["datasource"]["uid"] == "${ds}", f"{where}: a data source of its own")
        defaults = panel["fieldConfig"]["defaults"]
        if panel["type"] == "timeseries":
            problems.unless(defaults["custom"]["spanNulls"] is False, f"{where}: gaps must be gaps")
            problems.unless("unit" in defaults, f"{where}: no unit")
        if panel["type"] == "state-timeline":
            problems.unless(defaults.get("mappings"), f"{where}: states without words")


def check_provisioning(problems):
    """The examples name what exists here."""
    config = load(HERE / "prometheus/prometheus.yml")
    for job in config["scrape_configs"]:
        name, target = job["job_name"], job["static_configs"][0]
        problems.unless(
            name == f"linli/{target['labels']['centre']}", f"prometheus.yml: job {name} and its centre"
        )
        is_safe = job["scheme"] == "https" and job["tls_config"]["ca_file"]
        problems.unless(
            is_safe and not job["tls_config"].get("insecure_skip_verify"), f"prometheus.yml: {name}: TLS"
        )
    source = load(HERE / "grafana/provisioning/datasources/linli.yml")["datasources"][0]
    interval = config["global"]["scrape_interval"]
    problems.unless(
        source["jsonData"]["timeInterval"] == interval, f"datasources/linli.yml: timeInterval is {interval}"
    )
    provider = load(HERE / "grafana/provisioning/dashboards/linli.yml")["providers"][0]
    problems.unless(
        provider["type"] == "file" and provider["options"]["path"], "dashboards/linli.yml: type, path"
    )


def recording_rules():
    """Every expression as a recording rule that promtool can parse."""
    recorded = []
    for number, (where, expression) in enumerate(expressions()):
        for variable, instead in VARIABLES.items():
            expression = expression.replace(variable, instead)
        expression = re.sub(r"\$(\w+)", r"\1", expression)
        recorded.append({"record": f"expression:{number}", "expr": expression, "labels": {"where": where}})
    return {"groups": [{"name": "expressions", "rules": recorded}]}


def main():
    """Prints what is wrong."""
    problems, metrics = Problems(), gateway_metrics()
    for where, expression in expressions():
        check_expression(problems, where, expression, metrics)
    check_rules(problems)
    uids = {board["uid"] for _, board in boards()}
    for path, board in boards():
        check_board(problems, path, board, uids)
    check_provisioning(problems)
    written = recording_rules()
    file = pathlib.Path(sys.argv[1])
    file.write_text(yaml.safe_dump(written, allow_unicode=True, sort_keys=False), encoding="utf-8")
    for problem in problems:
        print(problem)
    if not problems:
        print(
            f"{len(written['groups'][0]['rules'])} expressions in {len(uids)} dashboards and {len(list(rules()))} rules"
        )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
