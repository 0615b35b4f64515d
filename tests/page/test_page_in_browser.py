"""A real campaign, looked at with a real browser."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from chromium import chromium
from playwright.sync_api import Browser, expect
from tests.page.browsing import CURVES, DONE, MAP, WAIT_S, page_at, poll
from tests.tiny_campaign import TINY

pytestmark = pytest.mark.slow

RUN = "from glasscreep.campaign.main import app; app()"
CAMPAIGN = f"""
name = "seen"
{TINY.format(steps="1_000_000", stress="[0.4, 0.6]")}
[resources]
segment_frames = 2
"""
SELECT = f"indices => {{ {MAP}.renderers[0].data_source.selected.indices = indices; }}"


@dataclass
class Seen:
    """A campaign that runs, and where its dashboard is."""

    process: subprocess.Popen
    address: str
    directory: Path

    def json(self) -> dict:
        with urllib.request.urlopen(f"{self.address}/json/campaign.json", timeout=30) as answer:
            return json.load(answer)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=WAIT_S)


def started(folder: Path) -> Seen:
    (folder / "seen.toml").write_text(CAMPAIGN)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "run", "seen.toml", "--dir", "seen"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    while not (found := re.search(r"(http://127\.0\.0\.1:\d+)/", said)):
        line = process.stdout.readline()
        assert line, f"the campaign ended at once: {said}"
        said += line
    return Seen(process, found[1], folder / "seen")


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> Iterator[Seen]:
    campaign = started(tmp_path_factory.mktemp("browser"))
    yield campaign
    campaign.end()


@pytest.fixture(scope="module")
def browser(require) -> Iterator[Browser]:
    with chromium(require) as browser:
        yield browser


@pytest.mark.parametrize("path", ["status", "campaign", "workers"])
def test_every_page_has_the_tab(browser, seen, path):
    with page_at(browser, f"{seen.address}/{path}") as (page, _):
        tab = page.locator("#myTopnav a[href='campaign']")
        expect(tab).to_have_text("Campaign")
        tab.click()
        expect(page).to_have_url(f"{seen.address}/campaign")


def test_the_map_shows_the_points_and_moves_on(browser, seen):
    with page_at(browser, f"{seen.address}/campaign") as (page, heard):
        poll(lambda: sum(page.evaluate(DONE)) > 0)
        before = page.evaluate(DONE)
        assert len(before) == 4
        poll(lambda: sum(page.evaluate(DONE)) > sum(before))
        expect(page.get_by_text("running", exact=True)).to_be_visible()
        assert not heard.complaints
        hosts = {re.match(r"\w+://([^/]+)/", url)[1] for url in heard.asked if ":" in url[:6]}
        assert hosts == {seen.address.removeprefix("http://")}


def test_a_tap_on_a_point_shows_its_strain(browser, seen):
    poll(lambda: all(frames for *_, frames, _, _ in seen.json()["points"]))
    with page_at(browser, f"{seen.address}/campaign") as (page, heard):
        poll(lambda: len(page.evaluate(CURVES)) == 1)
        selected = page.evaluate(f"() => {MAP}.renderers[0].data_source.selected.indices")[0]
        other = next(at for at in range(4) if at != selected)
        x, y = page.evaluate(
            f"""at => {{ const view = Bokeh.index.find_one_by_id({MAP}.id);
            const data = {MAP}.renderers[0].data_source.data, frame = view.frame;
            const box = view.el.getBoundingClientRect();
            return [box.x + frame.x_scale.compute(data.x[at]) , box.y + frame.y_scale.compute(data.y[at])]; }}""",
            other,
        )
        page.mouse.click(x, y + 20)  # beside the text
        poll(lambda: len(page.evaluate(CURVES)) == 2)
        (time_, strain), before = page.evaluate(CURVES)[1], len(page.evaluate(CURVES)[1][0])
        assert time_ == sorted(time_)
        assert all(abs(value) < 1 for value in strain)
        poll(lambda: len(page.evaluate(CURVES)[1][0]) > before)  # goes on by itself
        page.evaluate(SELECT, [])
        expect(page.get_by_text("Tap points of the map to see their strain.")).to_be_visible()
        page.evaluate(SELECT, [99, -1, 0])  # what the browser says is not trusted
        poll(lambda: len(page.evaluate(CURVES)) == 1)
        assert not heard.complaints


def test_json_beside_the_page_is_the_snapshot(seen):
    answer = seen.json()
    assert (answer["campaign"], answer["phase"]) == ("seen", "running")
    assert set(json.loads((seen.directory / "status.json").read_bytes())) < set(answer)
    assert answer["frames_per_s"] >= 0
    request = urllib.request.Request(
        f"{seen.address}/json/campaign.json", headers={"Host": "elsewhere.example"}
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=30)


@pytest.mark.parametrize(
    ("origin", "expected"), [("http://localhost:8787", 101), ("http://elsewhere.example", 403)]
)
def test_the_page_talks_to_no_page_from_elsewhere(seen, origin, expected):
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
        "Sec-WebSocket-Version": "13",
        "Origin": origin,
    }
    connection = http.client.HTTPConnection(seen.address.removeprefix("http://"), timeout=30)
    connection.request("GET", "/campaign/ws", headers=upgrade)
    assert connection.getresponse().status == expected
    connection.close()


def test_the_last_word_is_that_it_stopped(browser, tmp_path):
    campaign = started(tmp_path)
    try:
        with page_at(browser, f"{campaign.address}/campaign") as (page, _):
            expect(
                page.get_by_text("no frame yet").or_(page.get_by_text("Tap points"))
            ).to_be_visible()
            os.kill(campaign.process.pid, signal.SIGINT)
            expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=1000 * WAIT_S)
            lost = page.get_by_text("Nothing is heard of the campaign any more")
            expect(lost).to_be_visible(timeout=1000 * WAIT_S)
    finally:
        campaign.end()
