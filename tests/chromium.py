"""A real browser: Chromium as the machine has it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FLAT = ("--disable-gpu",)
IN_THREE_DIMENSIONS = (
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)


@contextmanager
def chromium(
    require: Callable[[object, str], None], graphics: tuple[str, ...] = FLAT
) -> Iterator["Browser"]:
    """Start a browser that asks nothing of the network by itself, and end it."""
    found = shutil.which("chromium")
    require(found, "needs Chromium (apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*QUIET, *graphics])
        yield browser
        browser.close()
