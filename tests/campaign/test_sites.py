"""Sample descriptions of clusters are read as they are, and become what SLURM is asked for."""

from pathlib import Path

import pytest

from glasscreep.campaign.cluster_jobs import launcher_of, shape_of
from glasscreep.campaign.file import load, site_file
from glasscreep.campaign.plan import make_plan
from glasscreep.slurm.launch import SrunLauncher, TemplateLauncher

ROOT = Path(__file__).parents[2]
SITES = sorted((ROOT / "examples/sites").glob("*.toml"))


@pytest.fixture
def at_site(tmp_path, monkeypatch):
    """Read a campaign file without a section [cluster] at one of the sites."""

    def read(site):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        site_file().parent.mkdir(exist_ok=True)
        site_file().write_text(site.read_text())
        file = tmp_path / "mine.toml"
        file.write_text("[resources]\nranks = 4\n")
        return load(file)

    return read


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.stem)
def test_a_campaign_gets_a_plan_at_each_site(at_site, site, tmp_path):
    campaign = at_site(site)
    assert campaign.cluster is not None
    assert shape_of(campaign).slots == campaign.cluster.md.nodes * campaign.cluster.md.cores // 4
    plan = make_plan(campaign, tmp_path / "mine")
    assert plan.cluster is not None


def test_each_shows_something_else(at_site):
    sites = {site.stem: site for site in SITES}
    assert set(sites) == {"accounts", "partitions", "scratch"}
    partitions = at_site(sites["partitions"]).cluster
    assert (partitions.controller.partition, partitions.md.partition) == ("long", None)
    accounts = at_site(sites["accounts"])
    assert isinstance(launcher_of(accounts), SrunLauncher)
    assert accounts.cluster.interface == "ib0"
    scratch = at_site(sites["scratch"])
    assert isinstance(launcher_of(scratch), TemplateLauncher)
    assert launcher_of(scratch).prefix(4) == ("mpirun", "-n", "4", "-ppn", "4")


def test_the_documents_name_every_site():
    page = (ROOT / "docs/cluster.md").read_text()
    for site in SITES:
        assert f"examples/sites/{site.name}" in page
