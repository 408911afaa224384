"""Pictures of dashboards by a headless Chromium, as a person who logs in sees them.

Run by Superset's Python, whose environment has Selenium.

Reads from standard input one JSON object: url, username, password, theme (default, dark), standalone, width, pages [[slug, file]],
chromium, chromedriver.
Writes one JSON line for each page: file, seconds, and the texts of what is wrong on it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LOAD_S = 90
# A chart is done when it shows neither a spinner nor an empty frame.
STATE = """
const busy = '.loading, [data-test="loading-indicator"], .ant-spin-spinning, .ant-skeleton';
const pending = document.querySelectorAll(busy).length;
const holders = [...document.querySelectorAll('.dashboard-chart-id-0, [data-test="dashboard-component-chart-holder"]')];
const alerts = '[data-test="chart-container"] .ant-alert, .error-toast, .ant-alert-error';
const wrong = [...document.querySelectorAll(alerts)].map(e => e.innerText)
  .concat(holders.filter(h => h.innerText.includes('No results')).map(h => h.innerText.replace(/\\s+/g, ' ')));
const drawn = ['canvas', 'table', '.header-line', 'svg'].map(what => '.slice_container ' + what).join(', ');
return {pending, wrong, charts: holders.length, drawn: document.querySelectorAll(drawn).length,
        height: Math.ceil(Math.max(0, ...holders.map(h => h.getBoundingClientRect().bottom + window.scrollY)))
                + window.outerHeight - window.innerHeight};
"""


def main() -> None:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    asked = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = asked["chromium"]
        for argument in (
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
            *(f"--user-data-dir={profile}", f"--window-size={asked['width']},2600", "--force-device-scale-factor=1"),
        ):
            options.add_argument(argument)
        os.environ["SE_AVOID_STATS"] = "true"
        driver = webdriver.Chrome(options=options, service=Service(asked["chromedriver"]))
        try:
            driver.set_page_load_timeout(LOAD_S)
            driver.set_script_timeout(LOAD_S)
            driver.get(f"{asked['url']}/login/")
            wait = WebDriverWait(driver, LOAD_S)
            name = wait.until(lambda d: d.find_element(By.CSS_SELECTOR, "input#username, input[name=username]"))
            name.send_keys(asked["username"])
            driver.find_element(By.CSS_SELECTOR, "input#password, input[name=password]").send_keys(asked["password"])
            driver.find_element(By.CSS_SELECTOR, "button[type=submit], input[type=submit]").click()
            wait.until(lambda d: "/login" not in d.current_url)
            driver.execute_script("localStorage.setItem('superset-theme-mode', arguments[0])", asked["theme"])
            for slug, file in asked["pages"]:
                sys.stdout.write(json.dumps(_picture(driver, asked, slug, Path(file))) + "\n")
                sys.stdout.flush()
        finally:
            driver.quit()


def _picture(driver: Any, asked: dict[str, Any], slug: str, file: Path) -> dict[str, Any]:
    began = time.monotonic()
    driver.set_window_size(asked["width"], 2600)
    driver.get(f"{asked['url']}/superset/dashboard/{slug}/?standalone={asked['standalone']}")
    still, state = 0, {}
    while time.monotonic() - began < LOAD_S:
        state = driver.execute_script(STATE)
        still = still + 1 if state["charts"] and state["drawn"] and not state["pending"] else 0
        if still >= 3:
            break
        time.sleep(1)
    driver.set_window_size(asked["width"], max(600, state.get("height", 0)) + 24)
    time.sleep(2.0)  # the charts draw themselves anew, with an animation of a second
    state = driver.execute_script(STATE)
    file.parent.mkdir(parents=True, exist_ok=True)
    driver.save_screenshot(str(file))
    wrong = list(state["wrong"])
    if not still:
        wrong.append(f"not drawn after {LOAD_S} s: {state['pending']} of {state['charts']} charts are not done")
    return {"slug": slug, "file": str(file), "seconds": round(time.monotonic() - began, 1), "charts": state["charts"], "wrong": wrong}


if __name__ == "__main__":
    main()
