#!/usr/bin/python3
"""The three-tier site on a real kernel, told as a story; also the test lab.demo.

    tests/lab/vm -- /usr/bin/python3 tests/lab/demo.py

Exit status 0 only if everything was as expected.
"""
from __future__ import annotations

import sys

from hosts import LabError
from network import Network
from plan import Plan, Sizes
from story import Story
from story_chapters import Chapters
from story_site import Site


def draw(story: Story, plan: Plan) -> None:
    tiers = [("client", ""), (" ".join(plan.routers), "BIRD, ECMP"),
             (" ".join(plan.nodes), "IPVS, l4ward"), (" ".join(plan.l7), "HAProxy"),
             (" ".join(plan.apps), "applications")]
    widths = [max(map(len, tier)) for tier in tiers]
    story.say("l4ward: a load balancer in three tiers", "bold")
    story.say()
    story.say("  " + " ──▶ ".join(f"{name:<{w}}" for (name, _), w in zip(tiers, widths)).rstrip())
    story.say("  " + "     ".join(f"{what:<{w}}" for (_, what), w in zip(tiers, widths)).rstrip(),
              "dim")


def tell(story: Story, site: Site) -> None:
    chapters = Chapters(story, site)
    chapters.start()
    if story.failed:
        return              # nothing to be seen without it
    for chapter in (chapters.spread, chapters.server_fails, chapters.node_stops,
                    chapters.node_returns, chapters.server_returns,
                    chapters.one_node_sees_a_failure, chapters.crash, chapters.same_table):
        chapter()


def end(story: Story, site: Site) -> int:
    sent, answered, failed = site.sent, site.answered, site.sent - site.answered
    if site.steady:
        report = site.steady.stop()
        story.say()
        story.expect("the steady client, from its start to its end",
                     f"{report.answered} answered, {report.failed} failed, slowest "
                     f"{report.slowest * 1000:.0f} ms",
                     report.failed == 0 and report.answered == report.sent)
        sent, answered = sent + report.sent, answered + report.answered
        failed += report.failed
    return story.end(f"{sent} requests, {answered} answered, {failed} failed")


def main() -> int:
    lab = Network(Sizes(routers=2, nodes=2, l7=3, apps=2))
    story = Story(lab.nodes)
    draw(story, lab.plan)
    try:
        with lab:
            site = Site(lab)
            try:
                tell(story, site)
                return end(story, site)
            finally:
                for _ in range(2):      # the second signal: do not wait for traffic to leave
                    for keeper in site.keepers:
                        keeper.ask_to_end()
    except LabError as error:
        print(f"FAILED: the lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
