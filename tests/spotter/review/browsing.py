"""A real browser and a real server for the tests: Debian's Chromium, which plays H.264, driven by Playwright."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ...conftest import REPOSITORY

__all__ = ["Server", "chromium", "holds", "opened_browser", "ready", "until"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """The browser's program; skips the test where there is none."""
    given = os.environ.get("SPOTTER_CHROMIUM")
    found = given or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(
            "NO BROWSER: the review page is not tested. Install Chromium (apt-get install -y chromium), "
            "or name one with SPOTTER_CHROMIUM=/path"
        )
    return found


@contextmanager
def opened_browser() -> Iterator[Any]:
    """A browser without a window."""
    program = chromium()
    playwright = pytest.importorskip("playwright.sync_api", reason="NO BROWSER DRIVER: pip install playwright")
    with playwright.sync_playwright() as driver:
        arguments = [
            "--no-sandbox",
            "--disable-gpu",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
        ]
        try:
            browser = driver.chromium.launch(executable_path=program, args=arguments, timeout=120_000)
        except playwright.Error as error:
            pytest.skip(f"NO BROWSER: the review page is not tested, {program} does not start ({error.message[:300]})")
        yield browser
        browser.close()


class Server:
    """`spotter review` or `serve` as a process of its own."""

    def __init__(self, *words: str | Path) -> None:
        self.words = [str(word) for word in words]
        self.url = ""
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "spotter", *self.words, "--no-browser"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True,
        )  # fmt: skip
        said = []
        for line in self.process.stdout or ():
            said.append(line)
            found = re.search(r"http://\S+token=[\w-]+", line)
            if found:
                self.url = found.group(0)
                break
        assert self.url, "".join(said)
        # what else it says must not fill the pipe
        threading.Thread(target=lambda: [None for _ in self.process.stdout or ()], daemon=True).start()

    @property
    def port(self) -> int:
        return int(re.search(r":(\d+)/", self.url).group(1))  # type: ignore[union-attr]

    def kill(self) -> None:
        """No time to say good-bye; its helper process goes with it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


def ready(page: Any, url: str) -> Any:
    """The page, opened and filled; whatever goes wrong in it fails the test."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None
    )
    page.wrong = wrong
    page.goto(url)
    page.wait_for_selector("html[data-ready=yes]", timeout=120_000)
    return page


def until(condition: Any, seconds: float = 120.0) -> None:
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def holds(page: Any, expression: str, seconds: float = 120.0) -> None:
    """Waits for an expression to be true in the page. (The driver's own way needs `eval`, which our policy forbids.)"""
    until(lambda: page.evaluate(expression), seconds)
