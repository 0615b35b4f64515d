"""What tells the runs apart: of some of its columns others tell what was in them, also for a report."""

import pytest
import zarr
from damaging import flip
from filled_campaign import analysed_campaign
from report_page import Page
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.directory import prepare
from glasscreep.campaign.main import app
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.reader import FrameReader
from glasscreep.tasks.run_columns import read_run_columns, read_run_table

MENDABLE, OTHERS = ("replica", "seed", "glass_row"), ("run_id", "temperature", "stress")
LEAN = {"results": ["strain", "creep_fit", "d2min"], "d2min_intervals": [20]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    directory = tmp_path_factory.mktemp("columns") / "whole"
    with analysed_campaign(directory, 200, rows=4, analysis=LEAN) as filled:
        yield filled


@pytest.fixture(scope="module")
def sound(whole):
    """Give the page as it is without damage, its pictures in the cache."""
    return report(whole)[1]


@pytest.fixture
def own(whole, sound, tmp_path):
    return whole.copied(f"own-{tmp_path.name}")


def report(campaign):
    done = CliRunner().invoke(app, ["report", str(campaign.directory)])
    page = campaign.directory / "report.html"
    return done, Page(page) if page.is_file() else None


def lose(file):
    file.unlink()


def file_of(campaign, name):
    return campaign.prepared.store / name / "c.0"


@pytest.mark.parametrize("spoil", [flip, lose])
@pytest.mark.parametrize("name", MENDABLE)
def test_a_report_has_it_from_others_and_names_it(own, sound, name, spoil):
    file = file_of(own, name)
    before = FrameReader(own.prepared.store).column(name)
    spoil(file)
    mended = read_run_columns(FrameReader(own.prepared.store), mend=True)
    assert (mended[name] == before).all()
    done, page = report(own)
    assert done.exit_code == 1
    assert f"array {name} of {own.prepared.store} is damaged: " in done.stdout
    assert str(file) in page.words.split("Damaged")[1]
    assert "Bring that file back from a copy of the directory; until then" in done.stdout
    assert page.panels == sound.panels
    for panel in page.panels:
        assert page.table(panel).equals(sound.table(panel))
    with pytest.raises(DamagedError, match=f"array {name} of "):
        glasscreep.open(own.directory).table("creep_fit")


@pytest.mark.parametrize("spoil", [flip, lose])
@pytest.mark.parametrize("names", [*((name,) for name in OTHERS), ("replica", "glass_row")])
def test_where_nothing_tells_it_the_file_is_named_and_what_to_do(own, names, spoil):
    for name in names:
        spoil(file_of(own, name))
    (own.directory / "report.html").unlink()
    done, page = report(own)
    assert done.exit_code == 1
    assert page is None
    assert any(str(file_of(own, name)) in done.stderr for name in names)
    assert "Bring that file back from a copy of the directory" in done.stderr


@pytest.mark.parametrize("name", [*MENDABLE, *OTHERS])
def test_rows_are_not_given_anew_where_a_column_is_lost(own, name):
    lose(file_of(own, name))
    with pytest.raises(DamagedError, match=f"array {name} of .* its file .* is lost"):
        prepare(own.prepared.campaign, own.directory)


def test_rows_that_a_crash_left_unassigned_are_no_damage(own):
    glasses = FrameReader(own.prepared.store).column("glass_row")
    own.place(3).rename(own.directory / "elsewhere")
    zarr.open_array(own.prepared.store / "glass_row", mode="r+")[3] = -1
    assert read_run_table(own.prepared.store).glass_row.tolist() == [*glasses[:3].tolist(), -1]
