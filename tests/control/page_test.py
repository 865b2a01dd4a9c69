#!/usr/bin/python3
"""The status page in a real browser, headless Chromium.

    /usr/bin/python3 tests/control/page_test.py --sample build/release/write_sample
    /usr/bin/python3 tests/control/page_test.py --url http://127.0.0.1:9119/     a node that runs
    ... --screenshots docs/images                                                and pictures
"""
import argparse
import copy
import json
import subprocess
import sys
import unittest

from selenium.webdriver.common.keys import Keys

from page_answers import ANSWER, EVENTS, SCRIPT, UNKNOWN, traffic
from page_browser import Browser, PageCase, contrast
from page_server import PageServer

sample_program = ''


def sample(what: str) -> dict:
    return json.loads(subprocess.run([sample_program, what], check=True,
                                     capture_output=True).stdout)


class AnyNode(PageCase):
    """What holds for every node, with --url also for one that really runs."""

    def test_the_title_names_the_node(self):
        self.assertIn(self.text('node'), self.driver.title)

    def test_a_phone_needs_no_sideways_scrolling(self):
        self.open_all()
        for width in (320, 390, 800):
            self.size(width, 800)
            self.assertLessEqual(self.widest(), width)

    def test_it_follows_the_system_until_somebody_chooses(self):
        light = self.colour('body', 'background-color')
        self.system_theme('dark')
        dark = self.colour('body', 'background-color')
        self.assertLess(max(dark), min(light))
        self.one('#theme').click()
        self.assertEqual(self.colour('body', 'background-color'), light)
        self.open()
        self.assertEqual(self.text('theme'), 'Theme: light')
        self.one('#theme').click()
        self.system_theme('light')
        self.assertEqual(self.colour('body', 'background-color'), dark)
        self.one('#theme').click()
        self.assertEqual(self.colour('body', 'background-color'), light)

    def test_text_has_enough_contrast_in_both_themes(self):
        for theme in ('light', 'dark'):
            self.system_theme(theme)
            for level in ('--ok', '--warn', '--bad', '--will', '--off', '--dim', '--text',
                          '--accent'):
                for ground in ('--surface', '--raised', '--ground', '--bad-ground',
                               '--warn-ground'):
                    colours = self.run_js(
                        'const style = document.body.style;'
                        'const shown = arguments[0].map((name) => {'
                        '  style.setProperty("color", `var(${name})`);'
                        '  return getComputedStyle(document.body).color; });'
                        'style.removeProperty("color"); return shown', [level, ground])
                    one, other = [[int(p) for p in c[4:-1].split(',')] for c in colours]
                    with self.subTest(theme=theme, level=level, ground=ground):
                        self.assertGreaterEqual(contrast(one, other), 4.5)

    def test_every_control_can_be_reached_by_keyboard_and_shows_it(self):
        body = self.one('body')
        body.send_keys(Keys.TAB)
        self.assertEqual(self.driver.switch_to.active_element.get_attribute('class'), 'skip')
        wanted = self.run_js('return [...document.querySelectorAll("a, button, input, select")]'
                             '.filter((n) => n.checkVisibility()).length')
        seen = set()
        for _ in range(wanted):
            active = self.driver.switch_to.active_element
            seen.add(active.id)
            self.assertNotEqual(active.value_of_css_property('outline-style'), 'none')
            active.send_keys(Keys.TAB)
        self.assertEqual(len(seen), wanted)

    def test_a_wrong_look_up_is_explained(self):
        self.one('[name=client]').send_keys('nonsense')
        self.one('[name=vip]').send_keys('nonsense' + Keys.ENTER)
        self.until(lambda: self.one('#lookup-answer .bad').text)


class Sample(AnyNode):
    """With answers that are made up: tests/control/sample_status.cc."""
    status: dict
    server: PageServer

    def setUp(self):
        self.server.silent = False
        self.server.lookup = UNKNOWN
        self.server.events = copy.deepcopy(EVENTS)
        self.server.show(copy.deepcopy(self.status))
        super().setUp()

    def change(self, edit) -> None:
        """The node answers otherwise from now on; returns when the page shows it."""
        status = copy.deepcopy(self.server.status)
        edit(status)
        self.server.show(status)
        served = self.server.served
        self.until(lambda: self.ask() and self.server.served > served + 1)  # the first is shown

    def ask(self) -> bool:
        """The page asks now, as if one came back to its tab."""
        self.run_js('document.dispatchEvent(new Event("visibilitychange"))')
        return True

    def cells(self, server: str) -> dict[str, str]:
        """Of the first row of a server, by column."""
        return self.run_js(
            'const row = [...document.querySelectorAll(".detail tbody tr")].find((r) =>'
            '  r.querySelector("th").textContent === arguments[0]);'
            'return Object.fromEntries([...row.children].map((c) =>'
            '  [c.dataset.name, c.innerText.replace(/\\s+/g, " ").trim()]))', server)

    def test_what_is_wrong_comes_first(self):
        alarms = self.texts('#alarms li')
        self.assertEqual(len(alarms), 3)
        self.assertRegex(alarms[0], 'critical.*pool resolvers.*no server is up.*for 12 min')
        self.assertIn('(3) lb4-1', self.driver.title)
        tops = self.run_js('return ["#alarms", "#chain", "#neighbors", "#vips", "#services"].map('
                           '(s) => document.querySelector(s).getBoundingClientRect().top)')
        self.assertEqual(tops, sorted(tops))

    def test_when_nothing_is_wrong_it_says_so(self):
        self.change(lambda status: status.update(alarms=[]))
        self.assertEqual(self.texts('#no-alarms'), ['Nothing is wrong.'])
        self.assertEqual(self.texts('#alarms li'), [])

    def test_the_next_command_can_be_copied(self):
        self.driver.execute_cdp_cmd('Browser.grantPermissions', {
            'origin': self.url, 'permissions': ['clipboardReadWrite']})
        self.one('#alarms button').click()
        self.until(lambda: self.one('#alarms button').text == 'Copied')
        copied = self.driver.execute_async_script(
            'navigator.clipboard.readText().then(arguments[0], (e) => arguments[0](`${e}`))')
        self.assertEqual(copied, 'l4wardctl servers --pool resolvers')

    def test_the_chain_sums_up_each_step(self):
        self.assertEqual(self.texts('#chain li'), [
            'Neighbors1 down1 of 2 up', 'Virtual IPs1 withdrawn2 of 3 announced',
            'Services1 failed2 of 3 serve', 'Servers3 down2 of 6 up'])

    def test_states_are_words_too(self):
        self.assertEqual(self.texts('#neighbor-rows .badge'), ['up', 'down'])
        self.assertEqual(self.texts('#vip-rows .badge'), ['announced', 'withdrawn', 'draining'])
        self.assertEqual(self.texts('#service-table > tbody > tr > td:first-child .badge'),
                         ['degraded', 'degraded', 'no quorum'])

    def test_a_service_opens_to_its_servers(self):
        self.assertEqual(self.texts('.detail'), [])
        opener = self.opener('tcp 198.51.100.1:80')
        opener.send_keys(Keys.ENTER)
        self.assertEqual(opener.get_attribute('aria-expanded'), 'true')
        self.assertEqual(self.cells('lb7-2')['State'], 'down')
        self.assertRegex(self.cells('lb7-2')['Last check'],
                         '^fail healthz bad-status: status 503, expected 200, 2 s ago$')
        self.assertRegex(self.cells('lb7-1')['Last check'], '1 of 3 toward down')
        self.assertRegex(self.cells('lb7-3')['Last check'], 'drained by anna: kernel update')
        self.assertEqual(self.cells('lb7-3')['Weight'], '0 (of 1)')
        self.assertEqual(self.cells('lb7-0')['State'], 'leaving')
        opener.send_keys(Keys.SPACE)
        self.assertEqual(self.texts('.detail'), [])

    def test_bars_show_shares_of_the_table(self):
        self.opener('tcp 198.51.100.1:80').click()
        widths = self.run_js('return [...document.querySelectorAll(".fill")].map((n) => '
                             'n.getBoundingClientRect().width / n.parentNode.clientWidth)')
        largest = 0.2522
        for width, share in zip(widths, (0.2522, 0.25, 0.25, 0.2478, 0), strict=True):
            self.assertAlmostEqual(width, share / largest, delta=0.01)
        self.assertEqual(self.cells('lb7-1')['Share of the table'], '25 %')

    def test_a_name_is_never_a_tag(self):
        self.open_all()
        self.assertIn(SCRIPT, self.texts('.detail th'))
        self.assertTrue(any(SCRIPT in text for text in self.texts('#events li')))
        self.assertEqual(self.run_js('return document.scripts.length'), 1)

    def test_overrides_show_age_and_end(self):
        first, second = self.texts('#override-rows tr')
        self.assertRegex(first, 'drain.*server edge/lb7-3.*anna.*kernel update.*20 min.*in 10 min')
        self.assertRegex(second, 'vip 2001:db8::c633:6401.*file /etc/.*with its file')

    def test_events_come_newest_first_and_once(self):
        self.assertEqual(self.texts('#events strong'),
                         ['vip.withdrawn', 'server.down', 'agent.ready'])
        self.server.events.append({'number': 4, 'at': 1767225600, 'level': 'error',
                                   'id': 'reload.failed', 'fields': [['reason', 'line 3']]})
        self.until(lambda: self.ask() and len(self.texts('#events li')) == 4)
        self.assertRegex(self.texts('#events li')[0], '0 s ago.*error.*reload.failed.*line 3')

    def test_events_of_a_new_agent_replace_the_old_ones(self):
        self.server.events = EVENTS[:1]
        self.change(lambda status: status['node'].update(pid=4712, started_at=1767225599))
        self.until(lambda: self.texts('#events strong') == ['agent.ready'])

    def test_a_refresh_leaves_focus_selection_and_what_is_open(self):
        self.opener('tcp 198.51.100.1:443').click()
        field = self.one('#filter-text')
        field.send_keys('web')
        self.run_js('const field = arguments[0]; field.setSelectionRange(1, 2);'
                    'document.querySelector(".detail table").marked = true', field)

        def edit(status):
            status['services'].insert(0, status['services'].pop())
            status['servers'][0]['state'] = 'down'
            status['alarms'].reverse()
        self.change(edit)
        self.assertEqual(self.driver.switch_to.active_element.get_attribute('id'), 'filter-text')
        self.assertEqual(self.run_js('return [arguments[0].selectionStart, '
                                     'arguments[0].selectionEnd, arguments[0].value, '
                                     'document.querySelector(".detail table").marked]', field),
                         [1, 2, 'web', True])
        self.assertEqual(self.cells('lb7-1')['State'], 'down')

    def test_focus_stays_on_a_row_that_moves(self):
        opener = self.opener('udp 198.51.100.53:53')
        opener.send_keys(Keys.ENTER)
        self.change(lambda status: status['services'].reverse())
        self.assertEqual(self.driver.switch_to.active_element, opener)
        self.assertEqual(self.texts('.opener .name'), ['dns', 'web', 'web'])

    def test_without_news_no_node_is_touched(self):
        self.open_all()
        self.run_js('window.changes = []; new MutationObserver((list) => changes.push('
                    '...list.map((m) => m.target.id || m.target.textContent)))'
                    '.observe(document.body, {childList: true, subtree: true, attributes: true,'
                    ' characterData: true})')
        self.change(lambda status: None)
        self.assertEqual(self.run_js('return window.changes'), [])

    def test_the_filter_finds_services_servers_and_what_is_wrong(self):
        field = self.one('#filter-text')
        field.send_keys('dns')
        self.assertEqual(self.texts('.opener .name'), ['dns'])
        self.assertEqual(self.texts('#vip-rows th'), ['198.51.100.53/32'])
        field.clear()
        field.send_keys('192.0.2.103')
        self.open_all()
        self.assertEqual(self.texts('.opener .name'), ['web', 'web'])
        self.assertEqual(self.texts('.detail tbody th'), ['lb7-3', 'lb7-3'])
        field.clear()
        self.one('#filter-wrong').click()
        self.assertEqual(self.texts('#vip-rows th'), ['198.51.100.53/32'])
        self.assertEqual(self.texts('.detail tbody th'), ['lb7-2', 'lb7-2'])

    def test_a_flow_is_looked_up(self):
        self.server.lookup = (200, ANSWER)
        self.one('[name=client]').send_keys('203.0.113.9:40000')
        self.one('[name=vip]').send_keys('198.51.100.1:80' + Keys.ENTER)
        self.until(lambda: self.texts('#lookup-answer .answer') == [ANSWER['text']])
        self.assertEqual(self.server.looked_up[-1], {
            'client': '203.0.113.9:40000', 'vip': '198.51.100.1:80', 'protocol': 'tcp'})
        facts = dict(zip(self.texts('#lookup-answer dt'), self.texts('#lookup-answer dd')))
        self.assertEqual(facts['A new flow goes to'], 'lb7-1 (192.0.2.101:80)')
        self.assertEqual(facts['By fallback'], 'yes: the owner takes no new connections')
        self.assertEqual(facts['The kernel holds it'], 'lb7-2 (192.0.2.102:80), ESTABLISHED')

    def test_an_agent_that_is_gone_is_said_to_be_and_comes_back(self):
        self.opener('tcp 198.51.100.1:80').click()
        self.server.silent = True
        self.until(lambda: self.one('#gone').is_displayed())
        self.until(lambda: self.one('#gone').text.startswith('No answer from the agent for 4 s.'))
        self.assertEqual(self.text('fresh'), 'old')
        self.assertEqual(self.cells('lb7-2')['State'], 'down')
        self.assertLess(float(self.one('#services').value_of_css_property('opacity')), 1)
        self.picture('status-page-gone')
        self.complaints()               # the browser's about requests without an answer
        self.server.silent = False
        self.until(lambda: not self.one('#gone').is_displayed())
        self.complaints()
        self.assertEqual(self.text('fresh'), 'live')
        self.assertEqual(self.cells('lb7-2')['State'], 'down')

    def test_a_hidden_page_asks_nothing(self):
        self.run_js('Object.defineProperty(document, "hidden", {configurable: true, value: true})')
        self.until(lambda: self.run_js(
            'const calls = performance.getEntriesByType("resource").length;'
            'const same = window.calls === calls; window.calls = calls;'
            'window.same = same ? (window.same ?? 0) + 1 : 0; return window.same > 60'))
        served = self.server.served
        self.run_js('delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))')
        self.until(lambda: self.server.served > served)

    def test_without_bgp_there_is_nothing_to_announce(self):
        def edit(status):
            status['relay'].update(configured=False, connected=False)
            status['neighbors'] = []
            for vip in status['vips']:
                vip['state'] = 'not-announced'
        self.change(edit)
        self.assertEqual(self.texts('#vip-rows .badge'), ['on interface'] * 3)
        self.assertEqual(len(self.texts('#chain li')), 3)
        self.assertIn('no bgp section', self.text('relay'))

    def test_a_large_site_is_quick(self):
        self.server.show(sample('large'))
        self.open()
        self.assertEqual(len(self.texts('.opener')), 100)
        for opener in self.all('.opener')[:3]:
            opener.click()
        self.assertEqual(len(self.texts('.detail tbody tr')), 300)
        self.run_js('performance.clearMeasures("show")')
        times = self.until(lambda: self.run_js(
            'const all = performance.getEntriesByName("show").map((m) => m.duration);'
            'return all.length >= 3 && all'), seconds=60)
        print(f'100 x 100, 3 services open: a refresh takes {min(times):.0f} ms', file=sys.stderr)
        self.assertLess(min(times), 250)

    def test_rates_come_from_two_looks_at_the_counters(self):
        self.assertEqual(self.texts('#service-table [data-name="New/s"]'), ['–', '–', '–'])
        self.change(traffic)
        self.assertEqual(self.texts('#service-table [data-name="New/s"]'), ['120', '120', '0'])
        self.assertEqual(self.texts('#service-table [data-name="In"]'),
                         ['1.4 Mbit/s', '1.4 Mbit/s', '0 bit/s'])

    @unittest.skipUnless('--screenshots' in sys.argv, 'only for --screenshots')
    def test_pictures(self):
        self.server.lookup = (200, ANSWER)
        for name, theme, width, height in (('light', 'light', 1280, 1500),
                                           ('dark', 'dark', 1280, 1160),
                                           ('phone', 'light', 360, 1400)):
            self.system_theme(theme)
            self.size(width, height)
            self.open()
            self.change(traffic)
            self.opener('tcp 198.51.100.1:80').send_keys(Keys.ENTER)
            self.one('[name=client]').send_keys(ANSWER['client'])
            self.one('[name=vip]').send_keys(ANSWER['vip'] + Keys.ENTER)
            self.until(lambda: self.texts('#lookup-answer .answer'))
            if name == 'light':
                self.size(width, self.run_js('return document.documentElement.scrollHeight'))
            self.run_js('document.activeElement.blur(); scrollTo(0, 0)')
            self.picture(f'status-page-{name}')


def suite(options) -> unittest.TestSuite:
    PageCase.browser = Browser()
    PageCase.pictures = options.screenshots
    case = AnyNode
    if options.url:
        PageCase.url = options.url
    else:
        Sample.status = sample('status')
        Sample.server = PageServer(Sample.status)
        PageCase.url = Sample.server.url
        case = Sample
    return unittest.TestSuite(
        test for test in unittest.defaultTestLoader.loadTestsFromTestCase(case)
        if not options.only or any(word in test.id() for word in options.only))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sample', help='the program write_sample')
    parser.add_argument('--url', help='of a node that runs')
    parser.add_argument('--screenshots', metavar='FOLDER')
    parser.add_argument('only', nargs='*', help='parts of tests\' names')
    arguments = parser.parse_args()
    if not arguments.sample and not arguments.url:
        parser.error('--sample or --url')
    sample_program = arguments.sample
    tests = suite(arguments)
    try:
        result = unittest.TextTestRunner().run(tests)
    finally:
        PageCase.browser.close()
    sys.exit(not result.wasSuccessful())
