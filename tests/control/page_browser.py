"""A headless Chromium, and what tests ask of a page in it."""
import os
import tempfile
import unittest

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


class Browser:
    """One Chromium for all tests: starting it takes a second or two."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix='l4ward-page-')
        chosen = webdriver.ChromeOptions()
        chosen.binary_location = '/usr/bin/chromium'
        for argument in ('--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
                         '--disable-background-networking', '--disable-component-update',
                         '--disable-sync', '--disable-dev-shm-usage',
                         f'--user-data-dir={self.profile.name}'):
            chosen.add_argument(argument)
        chosen.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
        self.driver = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=chosen)

    def close(self):
        self.driver.quit()
        self.profile.cleanup()


class PageCase(unittest.TestCase):
    browser: Browser
    url: str
    pictures: str | None = None     # the folder for them

    def setUp(self):
        self.driver = self.browser.driver
        self.size(1280, 900)
        self.system_theme('light')
        self.open()

    def tearDown(self):
        self.assertEqual(self.complaints(), [])

    def open(self):
        self.driver.get(self.url)
        self.until(lambda: self.text('fresh') == 'live')

    def complaints(self) -> list[str]:
        """Errors in scripts, and what the security policy forbade, since the last call. That a
        look-up was refused is none."""
        return [entry['message'] for entry in self.driver.get_log('browser')
                if entry['level'] in ('SEVERE', 'WARNING')
                and '/api/lookup' not in entry['message']]

    def until(self, condition, seconds=20):
        return WebDriverWait(self.driver, seconds, 0.05).until(lambda _: condition())

    def run_js(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    def one(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, ident: str) -> str:
        return self.run_js('return document.getElementById(arguments[0]).textContent', ident)

    def texts(self, selector: str) -> list[str]:
        return self.run_js('return [...document.querySelectorAll(arguments[0])]'
                           '.filter((n) => n.checkVisibility()).map((n) => n.textContent)',
                           selector)

    def size(self, width: int, height: int):
        """Of the page, also narrower than a window can be."""
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 500})

    def system_theme(self, theme: str):
        self.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {
            'features': [{'name': 'prefers-color-scheme', 'value': theme}]})

    def colour(self, of: str, property_name='color') -> list[int]:
        value = self.run_js('return getComputedStyle(document.querySelector(arguments[0]))'
                            '.getPropertyValue(arguments[1])', of, property_name)
        return [int(float(part)) for part in value[value.index('(') + 1:-1].split(',')[:3]]

    def opener(self, key: str):
        return self.one(f'button.opener[data-key="{key}"]')

    def open_all(self):
        self.run_js('document.querySelectorAll(".opener[aria-expanded=false]")'
                    '.forEach((b) => b.click())')

    def widest(self) -> int:
        return self.run_js('return document.documentElement.scrollWidth')

    def picture(self, name: str):
        if self.pictures:
            os.makedirs(self.pictures, exist_ok=True)
            self.driver.save_screenshot(os.path.join(self.pictures, name + '.png'))


def contrast(one: list[int], other: list[int]) -> float:
    """WCAG 2.1, 1 to 21."""
    def luminance(colour: list[int]) -> float:
        parts = [c / 255 for c in colour]
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
