"""Each rule of check.py finds what breaks it."""

import unittest

import check

METRICS = {
    "linli_ready": {},
    "linli_commands_total": {"result": {"done", "failed"}},
    "linli_mode_stage": {"room": {"hall"}, "stage": {"peace"}},
    "linli_mode_holds_total": None,
}


def found(expression):
    """The problems of an expression."""
    problems = check.Problems()
    check.check_expression(problems, "here", expression, METRICS)
    return problems


def panel(**changes):
    """A panel that keeps every convention, but for these changes."""
    defaults = {"unit": "s", "custom": {"spanNulls": False}}
    made = {"title": "名 name", "id": 1, "type": "timeseries", "datasource": {"uid": "${ds}"}}
    made |= {"gridPos": {"x": 0, "y": 0, "w": 12, "h": 4}, "fieldConfig": {"defaults": defaults}}
    return made | changes


def found_in(*panels):
    """The problems of a dashboard with these panels."""
    problems = check.Problems()
    board = {"uid": "linli-test", "panels": list(panels)}
    check.check_board(problems, check.pathlib.Path("linli-test.json"), board, {"linli-test"})
    return problems


class Expressions(unittest.TestCase):
    def test_what_the_gateway_has_is_no_problem(self):
        for expression in (
            "linli_ready == 0",
            'sum by (result) (rate(linli_commands_total{centre="$centre",result=~"done|failed"}[$__rate_interval]))',
            'linli_mode_stage{stage!="held"}',
            'linli_mode_holds_total{cause="stop"}',
            'up{job=~"linli_x"} == 0 or ALERTS',
        ):
            self.assertEqual(found(expression), [], expression)

    def test_metrics_labels_and_values_that_it_has_not_are_found(self):
        for expression, part in (
            ("rate(linli_nothing[5m])", "no metric linli_nothing"),
            ('linli_ready{line="x"}', "no label line"),
            ('linli_commands_total{result="nothing"}', "no result 'nothing'"),
            ('linli_commands_total{result=~"done|lost"}', "no result 'lost'"),
            ('linli_mode_stage{stage="stopped"}', "no stage 'stopped'"),
        ):
            self.assertEqual([part in problem for problem in found(expression)], [True], expression)

    def test_the_metrics_of_the_gateway_are_read(self):
        metrics = check.gateway_metrics()
        self.assertIn("failed", metrics["linli_commands_total"]["result"])
        self.assertIn("linli_insecure", metrics)
        self.assertIn("held", check.stages())


class Boards(unittest.TestCase):
    def test_a_panel_that_keeps_the_conventions_is_no_problem(self):
        self.assertEqual(found_in(panel()), [])

    def test_each_convention_is_looked_at(self):
        gaps = {"defaults": {"unit": "s", "custom": {"spanNulls": True}}}
        for broken, part in (
            (panel(title="name 名"), "Chinese first"),
            (panel(datasource={"uid": "x"}), "data source"),
            (panel(fieldConfig=gaps), "gaps"),
            (panel(fieldConfig={"defaults": {"custom": {"spanNulls": False}}}), "no unit"),
            (panel(gridPos={"x": 16, "y": 0, "w": 12, "h": 4}), "too wide"),
            (panel(type="state-timeline"), "states without words"),
            (panel(description='"/d/linli-nothing'), "no dashboard"),
        ):
            self.assertEqual([part in problem for problem in found_in(broken)], [True], part)
        self.assertEqual(len(found_in(panel(), panel())), 2, "the id twice, and one covers the other")


if __name__ == "__main__":
    unittest.main()
