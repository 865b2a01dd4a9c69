#!/usr/bin/python3
"""Metrics, alert rules, dashboard and docs/metrics.md fit together, and promtool likes them.

    /usr/bin/python3 tests/control/rules_test.py --sample build/release/write_sample
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RULES = os.path.join(ROOT, 'packaging/prometheus/l4ward.rules.yml')
DASHBOARD = os.path.join(ROOT, 'packaging/grafana/l4ward.json')
PAGE = os.path.join(ROOT, 'docs/metrics.md')
NAME = re.compile(r'\bl4ward_[a-z0-9_]+')
sample_program = None


def read(path: str) -> str:
    with open(path, encoding='utf-8') as file:
        return file.read()


def promtool(*arguments: str, text: str = '') -> str:
    """Its complaints; empty if there are none."""
    done = subprocess.run(['promtool', *arguments], input=text, capture_output=True, text=True,
                          check=False)
    return '' if done.returncode == 0 else done.stdout + done.stderr


def sample() -> str:
    return subprocess.run([sample_program, 'metrics'], check=True, capture_output=True,
                          text=True).stdout


def families(text: str) -> dict[str, str]:
    """Name -> type."""
    return dict(re.findall(r'^# TYPE (\S+) (\S+)$', text, re.MULTILINE))


def series_names(text: str) -> set[str]:
    return {re.match(r'[a-z0-9_]+', line).group() for line in text.splitlines()
            if not line.startswith('#')}


def panels(dashboard: dict) -> list[dict]:
    return [panel for panel in dashboard['panels'] if panel['type'] != 'row']


def expressions(dashboard: dict) -> list[str]:
    return [target['expr'] for panel in panels(dashboard) for target in panel['targets']]


class MetricsTest(unittest.TestCase):
    def test_promtool_finds_nothing_in_the_metrics(self):
        self.assertEqual(promtool('check', 'metrics', text=sample()), '')

    def test_the_page_lists_each_metric_and_its_type(self):
        listed = re.findall(r'^\| `(l4ward_\w+)` \| (\w+) \|', read(PAGE), re.MULTILINE)
        self.assertEqual(len(listed), len(dict(listed)), 'listed twice')
        self.assertEqual(dict(listed), families(sample()))

    def test_the_page_lists_each_label(self):
        listed = {name: set(re.findall(r'`(\w+)`', labels)) for name, labels in re.findall(
            r'^\| `(l4ward_\w+)` \| \w+ \| ([^|]*)\|', read(PAGE), re.MULTILINE)}
        for name, kind in families(sample()).items():
            series = name + '_count' if kind == 'histogram' else name
            line = re.search(rf'^{series}(\{{.*\}})? ', sample(), re.MULTILINE).group()
            self.assertEqual(set(re.findall(r'[{,](\w+)="', line)), listed[name], name)


class RulesTest(unittest.TestCase):
    def test_promtool_accepts_the_rules(self):
        self.assertEqual(promtool('check', 'rules', RULES), '')

    def test_alerts_fire_when_they_should_and_only_then(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'test.yml')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(read(os.path.join(HERE, 'rules_test.yml')).replace('RULES', RULES))
            self.assertEqual(promtool('test', 'rules', path), '')

    def test_each_alert_is_tried(self):
        tried = set(re.findall(r'L4ward\w+', read(os.path.join(HERE, 'rules_test.yml'))))
        self.assertEqual(set(re.findall(r'- alert: (\w+)', read(RULES))), tried)

    def test_every_metric_that_they_use_exists(self):
        used = {name for line in read(RULES).splitlines() if 'expr:' in line
                for name in NAME.findall(line)}
        self.assertGreater(len(used), 15)
        self.assertEqual(used - series_names(sample()), set())

    def test_each_says_what_happened_and_what_to_do(self):
        for alert in read(RULES).split('- alert: ')[1:]:
            with self.subTest(alert=alert.split('\n', maxsplit=1)[0]):
                self.assertRegex(alert, r'severity: (page|ticket)')
                for text in ('summary', 'description', 'runbook'):
                    self.assertRegex(alert, rf'\n          {text}: "[^"]{{10,}}"')


class DashboardTest(unittest.TestCase):
    def setUp(self):
        self.dashboard = json.loads(read(DASHBOARD))

    def test_every_metric_that_it_uses_exists(self):
        used = {name for expression in expressions(self.dashboard)
                for name in NAME.findall(expression)}
        self.assertGreater(len(used), 15)
        self.assertEqual(used - series_names(sample()), set())

    def test_its_expressions_are_promql(self):
        text = 'groups:\n- name: dashboard\n  rules:\n'
        for i, expression in enumerate(expressions(self.dashboard)):
            for variable, value in (('$__rate_interval', '5m'), ('$__range', '1h')):
                expression = expression.replace(variable, value)
            text += f'  - record: panel:{i}\n    expr: {json.dumps(expression)}\n'
        with tempfile.NamedTemporaryFile('w', suffix='.yml') as file:
            file.write(text)
            file.flush()
            self.assertEqual(promtool('check', 'rules', file.name), '')

    def test_panels_have_names_units_and_places_of_their_own(self):
        places = set()
        for panel in panels(self.dashboard):
            with self.subTest(panel=panel['title']):
                self.assertTrue(panel['fieldConfig']['defaults'].get('unit')
                                or panel['type'] in ('table', 'state-timeline'))
                place = panel['gridPos']
                cells = {(x, y) for x in range(place['x'], place['x'] + place['w'])
                         for y in range(place['y'], place['y'] + place['h'])}
                self.assertFalse(cells & places)
                self.assertLessEqual(place['x'] + place['w'], 24)
                places |= cells
        ids = [panel['id'] for panel in self.dashboard['panels']]
        self.assertEqual(len(ids), len(set(ids)))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sample', required=True, help='the program write_sample')
    arguments, rest = parser.parse_known_args()
    sample_program = arguments.sample
    unittest.main(argv=[sys.argv[0], *rest])
