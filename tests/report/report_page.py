"""Taking a report's page apart."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd


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
