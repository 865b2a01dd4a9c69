#!/usr/bin/python3
"""The site file that the package ships does nothing, and the first site in its comments works.

    /usr/bin/python3 tests/packaging/site_file_test.py --bin build/release
"""
import argparse
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SHIPPED = os.path.join(os.path.dirname(os.path.dirname(HERE)),
                       'packaging/debian/files.d/site.yaml')
programs = ''


def check(path: str) -> subprocess.CompletedProcess:
    return subprocess.run([os.path.join(programs, 'l4ward'), '--check', '--config', path],
                          capture_output=True, text=True, check=False)


def first_site(text: str) -> str:
    """What a person gets who does what the comments say."""
    lines = text.splitlines()
    start = lines.index('# bgp:')
    return '\n'.join(line.removeprefix('#').removeprefix(' ') for line in lines[start:]) + '\n'


class SiteFileTest(unittest.TestCase):
    def test_shipped_it_is_valid_and_does_nothing(self):
        done = check(SHIPPED)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('0 IPVS services on 0 virtual IPs', done.stdout)
        self.assertIn('0 BGP neighbors', done.stdout)

    def test_the_first_site_in_its_comments_is_valid(self):
        with open(SHIPPED, encoding='utf-8') as file:
            site = first_site(file.read())
        with tempfile.NamedTemporaryFile('w', suffix='.yaml') as file:
            file.write(site)
            file.flush()
            done = check(file.name)
        self.assertEqual(done.returncode, 0, site + done.stderr)
        self.assertIn('2 IPVS services on 1 virtual IP,', done.stdout)
        self.assertIn('1 BGP neighbor', done.stdout)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--bin', required=True, help='where l4ward is')
    options, rest = parser.parse_known_args()
    programs = options.bin
    unittest.main(argv=[sys.argv[0], *rest])
