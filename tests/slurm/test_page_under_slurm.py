"""The campaign's page on a controller that is a job: reached through what `dashboard` prints."""

import json
import re
import urllib.request
from pathlib import Path

import pytest
from chromium import chromium
from cluster_campaign import ClusterCampaign
from playwright.sync_api import expect
from testbed import SlurmBed
from tests.page.browsing import CURVES, DONE, page_at, poll
from waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def campaign(tmp_path: Path, slurm: SlurmBed) -> ClusterCampaign:
    campaign = ClusterCampaign(tmp_path, slurm)
    campaign.write(steps=1_000_000, segment_frames=2)
    campaign.submit()
    return campaign


def test_map_strain_and_allocations_are_shown_until_it_is_cancelled(campaign, require):
    campaign.until_frames(4)
    said = campaign("dashboard", "small")
    address = re.search(r"^dashboard: (http://127\.0\.0\.1:\d+)/status$", said, re.MULTILINE)[1]

    def shown():
        with urllib.request.urlopen(f"{address}/json/campaign.json", timeout=30) as answer:
            snapshot = json.load(answer)
        jobs = {one["job_id"] for one in snapshot["allocations"]}
        is_all = jobs == set(campaign.active("md") + campaign.active("analysis"))
        busy = sum(one["busy"] for one in snapshot["allocations"] if one["pool"] == "md")
        return snapshot if is_all and len(snapshot["active"]) == busy > 0 else None

    snapshot = wait_until(shown, "the page knows all allocations and slots", found=campaign.logs)
    assert snapshot["phase"] == "running"
    assert snapshot["frames_done"] >= 4
    with chromium(require) as browser, page_at(browser, f"{address}/status") as (page, heard):
        page.locator("#myTopnav a[href='campaign']").click()
        expect(page).to_have_url(f"{address}/campaign")
        expect(page.locator(".allocations")).to_contain_text("RUNNING")
        poll(lambda: sum(page.evaluate(DONE)) > 4)
        poll(lambda: len(page.evaluate(CURVES)) == 1)
        before = len(page.evaluate(CURVES)[0][0])
        poll(lambda: len(page.evaluate(CURVES)[0][0]) > before)
        assert not heard.complaints
        campaign("cancel", "small", "--all")
        expect(page.get_by_text("Nothing is heard of the campaign any more")).to_be_visible()
