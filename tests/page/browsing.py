"""Looking at the campaign's page with a real browser."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page

WAIT_S = 120
MAP = "Bokeh.documents[0].get_model_by_name('map')"
DONE = f"() => {{ const all = {MAP}.renderers[0].data_source.data; return [...all.done]; }}"
CURVES = """() => Bokeh.documents[0].get_model_by_name('strain').children[0].renderers
    .filter(one => one.glyph.type == 'Line').map(one => one.data_source.data)
    .filter(data => data.time.length).map(data => [[...data.time], [...data.mean]])"""


@dataclass
class Heard:
    """What a page complained of, and whom it asked."""

    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def page_at(browser: Browser, url: str) -> Iterator[tuple[Page, Heard]]:
    page, heard = browser.new_page(viewport={"width": 1280, "height": 900}), Heard()
    page.on(
        "console", lambda said: heard.complaints.append(said.text) if said.type == "error" else None
    )
    page.on("pageerror", lambda error: heard.complaints.append(str(error)))
    page.on("request", lambda request: heard.asked.append(request.url))
    page.on("websocket", lambda socket: heard.asked.append(socket.url))
    page.set_default_timeout(1000 * WAIT_S)
    page.goto(url)
    page.wait_for_function(
        "() => window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"
    )
    yield page, heard
    page.close()


def poll(look: Callable[[], object]) -> object:
    deadline = time.monotonic() + WAIT_S
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found
