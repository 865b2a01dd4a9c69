#!/usr/bin/python3
"""The manual pages are whole: what the programs and the site file's reader know stands in them,
and a terminal of 80 columns shows them as they are meant.

    /usr/bin/python3 tests/packaging/man_test.py --bin build/release
"""
import argparse
import functools
import glob
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGES = {
    'l4ward.8': ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'SIGNALS', 'EXIT STATUS', 'FILES',
                 'SEE ALSO'],
    'l4wardctl.1': ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'COMMANDS', 'EXIT STATUS',
                    'FILES', 'SEE ALSO'],
    'site.yaml.5': ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'TOP LEVEL', 'CHECKS', 'POOLS', 'SERVICES',
                    'FILES', 'SEE ALSO'],
}
COLUMNS = 80
OPTION = re.compile(r'(?<![\w-])--?[a-z][a-z-]*')
programs = ''


def output(*command: str, **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True,
                          env={**os.environ, **environment})
    return done.stdout


def program(name: str, *arguments: str) -> str:
    return output(os.path.join(programs, name), *arguments)


@functools.cache
def shown(page: str) -> str:
    """As `man` shows it, without bold and underline."""
    return output('man', '-l', os.path.join(programs, 'man', page), MANWIDTH=str(COLUMNS),
                  LC_ALL='C.UTF-8', MAN_KEEP_FORMATTING='', MANROFFOPT='-c -rHY=0')


def words(text: str) -> set[str]:
    return set(re.findall(r'[A-Za-z0-9_-]+', text))


def keys_of_the_reader() -> set[str]:
    """Every key that config/load*.cc asks a Record for."""
    keys = set()
    for path in glob.glob(os.path.join(ROOT, 'config/load*.cc')):
        with open(path, encoding='utf-8') as file:
            source = file.read()
        for known in re.findall(r'Record \w+\([^{;]*\{([^}]*)\}', source):
            keys |= set(re.findall(r'"([a-z0-9_]+)"', known))
        keys |= set(re.findall(
            r'(?:\.|->)(?:find|require|number|duration|boolean|choice)\(\s*"([a-z0-9_]+)"', source))
    return keys


class ManTest(unittest.TestCase):
    def test_pages_have_the_usual_sections_in_order(self):
        for page, sections in PAGES.items():
            found = [line for line in shown(page).splitlines() if re.match(r'[A-Z][A-Z _]+$', line)]
            self.assertEqual([one for one in found if one in sections], sections, page)

    def test_no_line_is_wider_than_the_terminal(self):
        for page in PAGES:
            for line in shown(page).splitlines():
                self.assertLessEqual(len(line), COLUMNS, f'{page}: {line}')

    def test_groff_and_the_whatis_database_find_nothing_wrong(self):
        for page in PAGES:
            path = os.path.join(programs, 'man', page)
            done = subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', path],
                                  capture_output=True, text=True, check=True,
                                  env={**os.environ, 'MANROFFSEQ': '', 'LC_ALL': 'C.UTF-8'})
            self.assertEqual(done.stderr, '', page)
            self.assertIn(page.rsplit('.', 1)[0] + ' - ', output('lexgrog', path))

    def test_nothing_of_the_sources_shines_through(self):
        for page in PAGES:
            for sign in ('@include', '](', '|---', '**', '```', '.SH', '.SS'):
                self.assertNotIn(sign, shown(page), page)

    def test_every_option_of_the_agent(self):
        asked = set(OPTION.findall(program('l4ward', '--help'))) - {'-exabgp', '--run-exabgp'}
        self.assertGreater(len(asked), 8)
        self.assertLessEqual(asked, set(OPTION.findall(shown('l4ward.8'))))

    def test_every_command_and_option_of_l4wardctl(self):
        page = shown('l4wardctl.1')
        commands = re.findall(r'^  ([a-z]+)', program('l4wardctl', 'help').split('Options of')[0],
                              re.MULTILINE)
        self.assertGreater(len(commands), 15)
        self.assertLessEqual(set(commands), words(page))
        for command in commands:
            options = re.findall(r'^  (--[a-z-]+)', program('l4wardctl', 'help', command),
                                 re.MULTILINE)
            self.assertLessEqual(set(options), set(OPTION.findall(page)), command)

    def test_every_key_of_the_site_file(self):
        keys = keys_of_the_reader()
        self.assertGreater(len(keys), 100)
        self.assertLessEqual(keys, words(shown('site.yaml.5')))


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--bin', required=True, help='where the programs are, and man/')
    options, rest = parser.parse_known_args()
    programs = options.bin
    unittest.main(argv=[sys.argv[0], *rest])
