"""Pictures of dashboards by a headless Chromium, as a person who logs in sees them.

Run by Superset's Python, whose environment has Selenium.

Reads from standard input one JSON object: url, user (number), secret_key, cookie (its name), theme (default, dark), standalone, width,
pages [[slug, file]], chromium, chromedriver.
Writes one JSON line for each page: file, seconds, the texts of errors on it and of panels without data.
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
const errors = [...document.querySelectorAll(alerts)].map(e => e.innerText);
const empty = holders.filter(h => h.innerText.includes('No results')).map(h => h.innerText.replace(/\\s+/g, ' '));
const drawn = ['canvas', 'table', '.header-line', 'svg'].map(what => '.slice_container ' + what).join(', ');
return {pending, errors, empty, charts: holders.length, drawn: document.querySelectorAll(drawn).length,
        height: Math.ceil(Math.max(0, ...holders.map(h => h.getBoundingClientRect().bottom + window.scrollY)))
                + window.outerHeight - window.innerHeight};
"""


def main() -> None:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

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
            driver.get(f"{asked['url']}/health")  # a cookie is set on a page of its site; that of the log-in may lead to another
            driver.add_cookie({"name": asked["cookie"], "value": _session(asked["secret_key"], asked["user"])})
            driver.execute_script("localStorage.setItem('superset-theme-mode', arguments[0])", asked["theme"])
            for slug, file in asked["pages"]:
                sys.stdout.write(json.dumps(_picture(driver, asked, slug, Path(file))) + "\n")
                sys.stdout.flush()
        finally:
            driver.quit()


def _session(secret_key: str, user: int) -> str:
    """What Superset gives to who logs in, signed as it signs. Where people come from a provider there is no form to fill in."""
    from flask import Flask
    from flask.sessions import SecureCookieSessionInterface

    app = Flask("session")
    app.secret_key = secret_key
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    return str(signer.dumps({"_user_id": str(user), "_fresh": True}))


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
    errors = list(state["errors"])
    if not still:
        errors.append(f"not drawn after {LOAD_S} s: {state['pending']} of {state['charts']} charts are not done")
    seconds = round(time.monotonic() - began, 1)
    return {"slug": slug, "file": str(file), "seconds": seconds, "charts": state["charts"], "errors": errors, "empty": state["empty"]}


if __name__ == "__main__":
    main()
