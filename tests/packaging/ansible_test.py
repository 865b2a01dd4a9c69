"""The roles and playbooks of packaging/ansible, as far as no second machine is needed.

Needs ansible-core, ansible-lint, yamllint and a built l4ward (L4WARD_BIN: its directory). Starting
Ansible is what takes time here, so hosts and plays of one run stand for different cases.
"""
from __future__ import annotations

import copy
import os
import pathlib
import re
import subprocess
import unittest

import yaml
from ansible_case import ANSIBLE, PROGRAM, SITE, Case, Ended

EXAMPLES = sorted((ANSIBLE / "examples/inventory").iterdir())


def broken() -> dict:
    site = copy.deepcopy(SITE)
    site["pools"]["edge"]["servres"] = site["pools"]["edge"].pop("servers")
    return site


class Form(Case):
    def run_here(self, *command: str) -> None:
        # Bytecode caches and collections go to a place that is thrown away.
        env = dict(os.environ) | {"HOME": str(self.dir), "XDG_CACHE_HOME": str(self.dir),
                                  "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg")}
        done = subprocess.run(command, cwd=ANSIBLE, env=env, text=True, capture_output=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_yamllint(self) -> None:
        self.run_here("yamllint", "--strict", ".")

    def test_ansible_lint(self) -> None:
        """Its production profile; it checks the syntax of the playbooks as well"""
        self.run_here("ansible-lint", "--offline", "--strict", "--profile", "production",
                      "--project-dir", str(ANSIBLE))

    def test_defaults_are_specified(self) -> None:
        """argument_specs.yml names every default with its value, and nothing else"""
        for role in ("l4ward", "l4ward_backend"):
            directory = ANSIBLE / "roles" / role
            defaults = yaml.safe_load((directory / "defaults/main.yml").read_text())
            specs = yaml.safe_load((directory / "meta/argument_specs.yml").read_text())
            readme = (directory / "README.md").read_text()
            options = specs["argument_specs"]["main"]["options"]
            self.assertEqual(options.keys(), defaults.keys())
            for name, value in defaults.items():
                with self.subTest(role=role, name=name):
                    if not options[name].get("required"):
                        self.assertEqual(options[name].get("default"), value)
                    self.assertIn(f"`{name}`", readme)


class Node(Case):
    """Role l4ward, on paths of a directory for each host."""

    def hosts(self, **variables: dict[str, object]) -> pathlib.Path:
        return self.write("hosts.json", {"all": {"hosts": variables}})

    def paths(self) -> dict[str, str]:
        names = {"site_file": "site.yaml", "modules_file": "modules.conf",
                 "sysctl_file": "sysctl.conf", "package_directory": "cache"}
        return {f"l4ward_{key}": f"{self.dir}/{{{{ inventory_hostname }}}}/{name}"
                for key, name in names.items()}

    def apply(self, hosts: pathlib.Path, *arguments: str, times: int = 1,
              **more: object) -> Ended:
        return self.play(self.playbook("l4ward", times=times), hosts, *arguments,
                         **self.owner("l4ward"), **self.paths(), **more)

    def test_good_and_bad(self) -> None:
        """Check mode shows a difference and writes nothing; once it is applied there is none; a
        site file that is not valid is refused, and the old one stays"""
        good, bad = self.dir / "good", self.dir / "bad"
        old = self.write("bad/site.yaml", "old")
        good.mkdir()
        key = good / "r1.key"
        more = {"l4ward_sysctls": {"net.core.somaxconn": 4096}}
        hosts = self.hosts(
            good={"l4ward_site": SITE, "l4ward_password_files": {str(key): "secret"},
                  "l4ward_site_host": {"node": "other", "bgp": {"router_id": "192.0.2.12"}}},
            bad={"l4ward_site": broken()})

        checked = self.apply(hosts, "--check", "--diff", **more)
        self.assert_fails_at("bad", checked, "servres", "servers")
        self.assertTrue(checked.well("good"), checked.text)
        self.assertIn("+node: other", checked.text)
        self.assertNotIn("secret", checked.text.replace("no_log", ""))
        self.assertEqual(list(good.iterdir()), [])

        applied = self.apply(hosts, times=2, **more)
        self.assert_fails_at("bad", applied, "servres", "servers")
        self.assertTrue(applied.well("good"), applied.text)
        self.assertGreater(len(applied.changes("good", play=0)), 3)
        self.assertEqual(applied.changes("good", play=1), [])
        self.assertEqual((good / "modules.conf").read_text(), "ip_vs\nip_vs_mh\n")
        self.assertIn("net.core.somaxconn = 4096", (good / "sysctl.conf").read_text())
        self.assertEqual((key.read_text(), key.stat().st_mode & 0o777), ("secret", 0o640))
        wanted = copy.deepcopy(SITE) | {"node": "other"}
        wanted["bgp"]["router_id"] = "192.0.2.12"
        self.assertEqual(yaml.safe_load((good / "site.yaml").read_text()), wanted)
        self.assertEqual(old.read_text(), "old")
        self.assertEqual(list(bad.glob("site.yaml*")), [old])

    def test_arguments_are_validated(self) -> None:
        wrong = {"l4ward_site": "text", "l4ward_rolling_wait": "soon",
                 "l4ward_services": {"a": 1}, "l4ward_rolling_drain": "perhaps"}
        ended = self.apply(self.hosts(**{name: {"l4ward_site": SITE, name: value}
                                         for name, value in wrong.items()}))
        for name in wrong:
            self.assert_fails_at(name, ended, f"Validation of arguments failed.*{name}")
        self.assertEqual(list(self.dir.glob("*/site.yaml")), [])

    def test_new_package_validates(self) -> None:
        """Before a rolling change, the program of the new package reads the new site file"""
        program = self.write("package/usr/sbin/l4ward",
                             f'#!/bin/sh\necho "$@" >>{self.dir}/asked\nexec {PROGRAM} "$@"\n')
        program.chmod(0o755)
        self.write("package/DEBIAN/control",
                   "Package: l4ward\nVersion: 9999\nArchitecture: all\n"
                   "Maintainer: test <test@example.org>\nDescription: test\n")
        deb = self.dir / "l4ward_9999_all.deb"
        subprocess.run(["dpkg-deb", "--build", self.dir / "package", deb], check=True,
                       capture_output=True)
        hosts = self.hosts(good={"l4ward_site": SITE}, bad={"l4ward_site": broken()})
        ended = self.play(self.playbook("l4ward", tasks_from="preflight"), hosts,
                          l4ward_manage_package=True, l4ward_package_file=str(deb),
                          **(self.paths() | {"l4ward_program": "/usr/sbin/l4ward"}),
                          **self.owner("l4ward"))
        self.assertTrue(ended.well("good"), ended.text)
        self.assert_fails_at("bad", ended, "servres")
        self.assertEqual((self.dir / "asked").read_text().count("--check --config"), 2)
        self.assertEqual(list(self.dir.glob("*/site.yaml")), [])


class Backend(Case):
    """Role l4ward_backend, on paths of a directory."""

    def variables(self) -> dict[str, object]:
        paths = {"program": "program", "config": "json", "unit": "service",
                 "haproxy_health": "cfg"}
        return self.owner("l4ward_backend") | {
            f"l4ward_backend_{key}": f"{self.dir}/{{{{ inventory_hostname }}}}.{suffix}"
            for key, suffix in paths.items()}

    def test_examples(self) -> None:
        """The example inventories: each node's site file and each server's configuration is valid,
        HAProxy takes its page, check mode writes nothing, and again is no change"""
        validate = {"hosts": "l4ward", "gather_facts": False, "tasks": [
            {"ansible.builtin.include_role": {"name": "l4ward", "tasks_from": "validate"}}]}
        backends = self.plays("l4ward_backend", hosts="l4ward_backends")
        for inventory in EXAMPLES:
            with self.subTest(inventory=inventory.name):
                given = self.variables() | {"l4ward_validator": str(PROGRAM)}
                self.assert_ok(self.play(self.write("check.yml", backends), inventory, "--check",
                                         **given))
                self.assertEqual(list(self.dir.glob("lb7-*")), [])
                ended = self.play(self.write("play.yml", [validate, *backends, *backends]),
                                  inventory, **given)
                self.assert_ok(ended)
                self.assertEqual(len(set(re.findall(r"lb4-\w+(?= +: ok=)", ended.text))), 2)
                pages = sorted(self.dir.glob("lb7-*.cfg"))
                self.assertEqual(len(pages), 2)
                for page in pages:
                    subprocess.run(["/usr/sbin/haproxy", "-c", "-q", "-f", str(page)], check=True)
                    self.assertGreater(len(ended.changes(page.stem, play=1)), 3)
                    self.assertEqual(ended.changes(page.stem, play=2), [])
                for file in self.dir.glob("lb7-*"):
                    file.unlink()

    def test_bad_ones_are_refused(self) -> None:
        cases = {"no-address": ("need the address", {"tunnels": [{"type": "ipip"}]}),
                 "no-port": ("port of gue", {"tunnels": [{"type": "gue"}],
                                             "addresses": ["192.0.2.1"]}),
                 "no-such": ("value of type must be one of", {"tunnels": [{"type": "vxlan"}]}),
                 "no-vip": ("not-an-address", {"vips": ["not-an-address"]})}
        hosts = {name: {f"l4ward_backend_{key}": value
                        for key, value in ({"vips": ["198.51.100.1"]} | given).items()}
                 for name, (_, given) in cases.items()}
        ended = self.play(self.playbook("l4ward_backend"),
                          self.write("hosts.json", {"all": {"hosts": hosts}}), **self.variables())
        for name, (pattern, _) in cases.items():
            self.assert_fails_at(name, ended, pattern)


if __name__ == "__main__":
    unittest.main()
