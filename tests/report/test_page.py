"""The page in a browser: all of it is there, nothing is asked for elsewhere, and the frame turns."""

from collections.abc import Iterator

import pytest
from chromium import IN_THREE_DIMENSIONS, chromium

DEADLINE_MS = 60_000

pytestmark = pytest.mark.slow


class Told:
    """What a page in a browser said and asked for."""

    def __init__(self, page, path):
        self.page = page
        self.messages: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.set_default_timeout(DEADLINE_MS)
        page.goto(path.as_uri())


@pytest.fixture(scope="module")
def browser(require) -> Iterator:
    with chromium(require, IN_THREE_DIMENSIONS) as browser:
        yield browser


@pytest.fixture
def told(browser, reported) -> Iterator[Told]:
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    yield Told(page, reported.page)
    page.close()


def test_nothing_is_wrong_and_nothing_is_asked_for(told, reported):
    told.page.wait_for_load_state("networkidle")
    assert told.messages == []
    assert [url for url in told.requests if not url.startswith("data:")] == [reported.page.as_uri()]
    images = told.page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert len(images) == reported.panels
    assert min(images) > 200


def test_nothing_can_be_asked_for(told):
    asked = told.page.evaluate(
        "fetch('http://127.0.0.1:9/').then(() => 'answered', (error) => error.message)"
    )
    assert asked == "Failed to fetch"
    assert any("Content Security Policy" in message for message in told.messages)


def screenshot(told):
    told.page.locator("#view").scroll_into_view_if_needed()
    told.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    return told.page.locator("#view").screenshot()


def until(told, differs_from):
    """Give a picture of the frame as soon as it is another."""
    for _ in range(200):
        picture = screenshot(told)
        if picture != differs_from:
            return picture
    pytest.fail("the view stays as it was")


def colours_in(picture: bytes) -> int:
    from io import BytesIO

    from PIL import Image

    found = Image.open(BytesIO(picture)).convert("RGB").getcolors(1 << 24)
    assert found is not None
    return len(found)


def test_the_frame_is_drawn_turns_and_changes_colour(told):
    first = screenshot(told)
    assert colours_in(first) > 500, "shaded spheres have many colours"
    told.page.locator("#view").focus()
    told.page.keyboard.press("ArrowLeft")
    turned = until(told, first)
    told.page.select_option("#colouring", label="species (A dark, B light)")
    recoloured = until(told, turned)
    box = told.page.locator("#view").bounding_box()
    told.page.mouse.move(box["x"] + 300, box["y"] + 200)
    told.page.mouse.down()
    told.page.mouse.move(box["x"] + 420, box["y"] + 240, steps=4)
    told.page.mouse.up()
    assert colours_in(until(told, recoloured)) > 500
    assert told.messages == []


def slide(told, level):
    told.page.evaluate(
        "(level) => { const least = document.getElementById('least'); least.value = level;"
        "least.dispatchEvent(new Event('input')); }",
        level,
    )


def test_what_is_below_a_value_is_hidden(told):
    first = screenshot(told)
    slide(told, 254)
    assert colours_in(until(told, first)) < colours_in(first) / 2


def test_the_value_that_hides_is_told_with_its_unit(told):
    shown = told.page.locator("#least-value")
    assert shown.text_content() == "nothing is hidden"
    slide(told, 127)
    assert shown.text_content() == "looseness = 0.50"
    told.page.select_option("#colouring", label="D²min over the last 20 steps")
    low, high = told.page.evaluate(
        "JSON.parse(document.getElementById('frame-data').textContent).quantities"
        ".find((one) => one.name == 'D²min over the last 20 steps').range"
    )
    assert shown.text_content().startswith("D²min over the last 20 steps = ")
    words = shown.text_content().removeprefix("D²min over the last 20 steps = ").split(" ", 1)
    assert float(words[0]) == pytest.approx(10 ** (low + (high - low) * 126.5 / 254), rel=0.05)
    assert words[1] == "LJ length²"
    assert told.page.locator("#scale-to").text_content().endswith(" LJ length²")
    assert told.page.locator("#least").get_attribute("aria-valuetext") == shown.text_content()
    told.page.select_option("#colouring", label="species (A dark, B light)")
    assert shown.text_content() == ""


def test_it_fits_a_phone(browser, reported):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    Told(page, reported.page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()


def test_without_webgl_it_says_so(require, reported, browser):
    context = browser.new_context()
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = context.new_page()
    told = Told(page, reported.page)
    assert page.locator("#view-trouble").is_visible()
    assert told.messages == []
    context.close()
