"""Taking a report's page apart."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd

from glasscreep.campaign.report import Written, write_report
from glasscreep.campaign.report_source import Source

FROM_RESULTS = {
    "2A", "2B", "2C", "3A", "3B", "3C", "3D", "3E", "6A", "6B", "6C", "7A", "7B", "8A", "8B",
    "9A", "9B", "9C", "9D",
}  # fmt: skip
"""Panels that need nothing learnt."""


class Page(HTMLParser):
    """What a page has: images by their alternative text, links, sections, and its words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.images: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.words = ""
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids += [told["id"]] if "id" in told else []
        if tag == "img":
            self.images[told["alt"]] = told["src"]
        if tag == "a" and "download" in told:
            self.links[told["download"]] = told["href"]

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def panels(self) -> list[str]:
        return [name.removeprefix("panel-") for name in self.ids if name.startswith("panel-")]

    def table(self, panel: str) -> pd.DataFrame:
        (href,) = (href for name, href in self.links.items() if name.endswith(f"-{panel}.csv"))
        text = base64.b64decode(href.removeprefix("data:text/csv;base64,")).decode()
        return pd.read_csv(io.StringIO(text))

    @property
    def captions(self) -> dict[str, str]:
        """What is said of each panel, as the alternative text of its image."""
        return {alt.split(" ")[1].rstrip(":"): alt for alt in self.images}

    def why_absent(self, panel: str) -> str:
        section = self.source.split('id="absent"')[1]
        found = re.search(rf"<b>{panel}</b>, (.*?)</li>", section, re.DOTALL)
        assert found, f"{panel} is not named among what is not there"
        return found[1]


def report_of(directory: Path, page: Path | None = None, **more) -> tuple[Written, Page]:
    """Write the report of a campaign, and take its page apart."""
    path = page or directory / "report.html"
    path.parent.mkdir(exist_ok=True)
    return write_report(Source.of(directory), path, **more), Page(path)
