"""Takes the pictures of the README from a case: `python docs/make_pictures.py CASE`; needs Chromium on the machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURES = {"case-page": "/case", "events-page": "/case/events?_facet=change_id",
            "trace-page": "/case/-/trace?of=web01:/usr/sbin/sshd&limit=14",
            "explore-page": "/case/-/explore?begin=finding%2330000001&on=process%2394", "findings-page": "/case/-/findings"}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
PORT = 8765


def main() -> None:
    """Serves the case on loopback and writes a PNG beside this file for each of PICTURES."""
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser_path is None:
        sys.exit("there is no Chromium on this machine")
    server = subprocess.Popen([sys.executable, "-m", "fimforensics", "serve", sys.argv[1], "--port", str(PORT)])
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/").close()
                break
            except OSError:
                time.sleep(0.1)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            page.add_init_script("localStorage.setItem('fimforensics-tour', 'seen')")
            for name, path in PICTURES.items():
                page.goto(f"http://127.0.0.1:{PORT}{path}")
                page.wait_for_timeout(300)
                page.screenshot(path=str(Path(__file__).parent / f"{name}.png"))
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
