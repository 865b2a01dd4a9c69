#!/usr/bin/python3
"""What the documents name exists: pages, pictures, headings, commands, options, runbooks.

    /usr/bin/python3 tests/docs/docs_test.py --l4ward build/release/l4ward
"""
from __future__ import annotations

import argparse
import functools
import pathlib
import re
import subprocess
import sys
import unittest
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOT_OURS = {"build", ".git", "node_modules"}
LINK = re.compile(r"\]\(<?([^)<>\s]+)>?(?:\s+\"[^\"]*\")?\)")
# Shown on purpose: what happens to a mistake.
MISTAKES = {"stauts"}
l4ward_program = ""


@functools.cache
def pages() -> tuple[pathlib.Path, ...]:
    return tuple(sorted(path for path in ROOT.rglob("*.md")
                        if not NOT_OURS & set(path.relative_to(ROOT).parts)))


@functools.cache
def text_of(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


def split(text: str) -> tuple[str, list[str]]:
    """The prose, with inline code, and the lines of code blocks."""
    prose, code, fenced = [], [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            code.append(line.strip())
        else:
            prose.append(line)
    return "\n".join(prose), code


def code_of(path: pathlib.Path) -> list[str]:
    """Everything in the page that is typed: lines of blocks, and inline code."""
    prose, code = split(text_of(path))
    return code + re.findall(r"`([^`]+)`", prose.replace("\n", " "))


def slug(heading: str) -> str:
    """The anchor that GitHub and others make of a heading."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def sections(path: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Anchor and text of each heading; a heading that stands twice gets a number."""
    seen: dict[str, int] = {}
    # Comments in code blocks look like headings.
    parts = re.split(r"^#+ (.+)$", split(text_of(path))[0], flags=re.MULTILINE)
    for heading, body in zip(parts[1::2], parts[2::2]):
        anchor = slug(heading)
        again = seen.get(anchor, 0)
        seen[anchor] = again + 1
        yield (f"{anchor}-{again}" if again else anchor), body


def links(path: pathlib.Path) -> Iterator[tuple[pathlib.Path, str, str]]:
    """Of links within the tree: where to, the anchor, and as they are written."""
    prose, _ = split(text_of(path))
    for target in LINK.findall(re.sub(r"`[^`]*`", "", prose)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        yield ((path.parent / file).resolve() if file else path), anchor, target


class LinksTest(unittest.TestCase):
    def test_every_page_picture_and_heading_exists(self):
        dead = []
        for page in pages():
            for target, anchor, written in links(page):
                if not target.exists():
                    dead.append(f"{name_of(page)}: {written}")
                elif anchor and target.suffix == ".md" and anchor not in dict(sections(target)):
                    dead.append(f"{name_of(page)}: {written}: no such heading")
        self.assertEqual(dead, [])

    def test_every_page_is_found_from_the_readme(self):
        found, to_read = set(), [ROOT / "README.md"]
        while to_read:
            page = to_read.pop()
            if page in found or page.suffix != ".md" or not page.exists():
                continue
            found.add(page)
            to_read += [target for target, _, _ in links(page)]
        docs = [page for page in pages() if "docs" in page.relative_to(ROOT).parts]
        self.assertGreater(len(docs), 10)
        self.assertEqual([name_of(page) for page in docs if page not in found], [])

    def test_every_picture_is_used(self):
        used = {target for page in pages() for target, _, _ in links(page)}
        pictures = [path for path in (ROOT / "docs/images").iterdir() if path.is_file()]
        self.assertEqual([name_of(path) for path in pictures if path.resolve() not in used], [])


class CommandsTest(unittest.TestCase):
    def unknown(self, pattern: str, known: set[str]) -> list[str]:
        """Pages with words that `pattern` finds in what is typed, and that nobody knows."""
        self.assertGreater(len(known), 5)
        found = [(name_of(page), word) for page in pages() for line in code_of(page)
                 for match in re.findall(pattern, line)
                 for word in re.findall(r"[a-z][a-z-]*", match) if word not in known]
        return [f"{page}: {word}" for page, word in found if word not in MISTAKES]

    def test_every_target_of_make_exists(self):
        targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
        self.assertEqual(self.unknown(r"^(?:\$ )?make ([a-z]+)", targets), [])

    def test_every_command_of_l4wardctl_exists(self):
        table = text_of(ROOT / "control/ctl/command_table.cc")
        commands = set(re.findall(r'^ {6}\{"([a-z]+)",', table, re.MULTILINE))
        self.assertEqual(
            self.unknown(r"\bl4wardctl (?:--[a-z]+(?: [A-Z]\S*)? )*([a-z]+)", commands), [])

    def test_every_option_of_l4wardctl_exists(self):
        table = text_of(ROOT / "control/ctl/command_table.cc")
        options = set(re.findall(r'\{"([a-z]+)", "', table))
        self.assertEqual(self.unknown(r"\bl4wardctl [^|;#]*?--([a-z]+)", options), [])

    def test_every_option_of_l4ward_exists(self):
        options = set(re.findall(r'^ *add\("([a-z-]+)', text_of(ROOT / "agent/options.cc"),
                                 re.MULTILINE))
        self.assertEqual(self.unknown(r"(?<![\w-])l4ward (?:[^-|;#]\S* )*--([a-z-]+)", options), [])


class SiteFilesTest(unittest.TestCase):
    def test_every_whole_site_file_is_valid(self):
        files = [(name_of(page), block) for page in pages()
                 for block in re.findall(r"^```yaml\n(.*?)^```$", text_of(page), re.DOTALL | re.M)
                 if re.search(r"^services:", block, re.MULTILINE)]
        self.assertGreaterEqual(len(files), 2)
        for page, text in files:
            with self.subTest(page=page):
                done = subprocess.run([l4ward_program, "--check", "--config", "/dev/stdin"],
                                      input=text, capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))


class RunbooksTest(unittest.TestCase):
    def setUp(self):
        self.runbooks = dict(sections(ROOT / "docs/operate.md"))

    def test_each_alert_leads_to_a_runbook_that_names_it(self):
        rules = text_of(ROOT / "packaging/prometheus/l4ward.rules.yml").split("- alert: ")[1:]
        self.assertGreater(len(rules), 10)
        for rule in rules:
            alert = rule.split("\n", maxsplit=1)[0]
            with self.subTest(alert=alert):
                where = re.search(r'runbook_url: "docs/operate\.md#([\w-]+)"', rule)
                self.assertIsNotNone(where)
                self.assertIn(f"`{alert}`", self.runbooks.get(where.group(1), ""))

    def test_no_runbook_names_an_alert_that_is_gone(self):
        rules = text_of(ROOT / "packaging/prometheus/l4ward.rules.yml")
        for page in pages():
            for alert in re.findall(r"`(L4ward[A-Z]\w+)`", text_of(page)):
                self.assertIn(f"- alert: {alert}\n", rules, name_of(page))

    def test_each_alarm_of_the_status_has_a_runbook(self):
        alarms = set(re.findall(r'"([a-z]+\.[a-z_]+)"', text_of(ROOT / "agent/alarms.cc")))
        self.assertGreater(len(alarms), 10)
        operate = text_of(ROOT / "docs/operate.md")
        self.assertEqual([alarm for alarm in sorted(alarms) if f"`{alarm}`" not in operate], [])

    def test_each_event_that_a_runbook_names_is_documented(self):
        events = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", text_of(ROOT / "docs/events.md")))
        alarms = text_of(ROOT / "agent/alarms.cc")
        areas = "|".join({event.partition(".")[0] for event in events})
        named = set(re.findall(rf"(?<![\w/.])((?:{areas})\.[a-z_]+)(?![\w.])",
                               "\n".join(code_of(ROOT / "docs/operate.md"))))
        self.assertGreater(len(named), 20)
        keys = {"bgp.hold", "bgp.draining", "bgp.damping", "ipvs.timeouts", "ipvs.drift_period",
                "ipvs.sync"}
        self.assertEqual([name for name in sorted(named - events - keys)
                          if f'"{name}"' not in alarms], [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--l4ward", required=True, help="the program")
    arguments, rest = parser.parse_known_args()
    l4ward_program = arguments.l4ward
    unittest.main(argv=[sys.argv[0], *rest])
