"""A table, or a coordinate, of which a file is lost: told so, and not taken for what fills it."""

import json

import pytest
from typer.testing import CliRunner

import glasscreep
from glasscreep.campaign.index import write_index
from glasscreep.campaign.main import app
from glasscreep.campaign.plan import progress_found
from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.layout import INDEX, WRITTEN_WHOLE, StoreShape, frame_specs
from glasscreep.tasks.reader import FrameReader

FRAMES = 12
ALWAYS = [
    spec.name for spec in frame_specs(StoreShape(1, 1, 1, 1)) if spec.dims[:2] != ("run", "frame")
]
"""All arrays that any store has, but those of frames."""
COORDINATES = ["fit_parameter", "species_name", "degree", "d2min_bin"]
FEW = ["run_id", "state", "step", "species", "component", "glass_stress", "degree"]
RUNS = ["run_id", "temperature", "stress", "replica", "seed", "glass_row"]
LABELS = ["step", "time"]
RESULTS = ["strain", "creep_fit", "d2min", "d2min_histogram", "bond_order"]


def fast(names):
    """Leave few of them to those who have no time."""
    return [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.fixture(scope="module")
def filled(tmp_path_factory, make, corner, shrink):
    """Give a campaign with two runs that are analysed. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        analysis = {"results": RESULTS, "d2min_intervals": [20]}
        campaign = make(tmp_path_factory.mktemp("tables") / "filled", corner, analysis=analysis)
        for row in (0, 1):
            campaign.write(row, FRAMES)
            campaign.analyse(row)
        write_index(campaign.prepared.store, progress_found(campaign.prepared))
        yield campaign


@pytest.fixture
def campaign(filled, tmp_path):
    return filled.copied(f"copy-{tmp_path.name}")


def lose(campaign, name):
    """Remove all files of an array but its description; return the first."""
    files = sorted((campaign.prepared.store / name).glob("c*"))
    assert files, f"{name} has no file to lose"
    for file in files:
        file.unlink()
    return files[0]


def command(campaign, *words):
    first, *rest = words
    given = [first, str(campaign.directory), *rest]
    return CliRunner().invoke(app, given, catch_exceptions=False)


def is_told(done, name, file):
    said = " ".join((done.stdout + done.stderr).split())
    assert done.exit_code == 1, said
    assert f"array {name} of {file.parents[1]} is damaged: its file {file} is lost. " in said


@pytest.mark.parametrize("name", fast([*ALWAYS, *COORDINATES]))
def test_of_an_opened_campaign_the_file_is_named(campaign, name):
    assert glasscreep.open(campaign.directory).dataset[name].notnull().any()
    file = lose(campaign, name)
    opened = glasscreep.open(campaign.directory)
    with pytest.raises(DamagedError, match=f"array {name} of .*its file {file} is lost"):
        opened.dataset[name].compute()


@pytest.mark.parametrize("name", fast([*RUNS, *INDEX]))
def test_what_tells_the_runs_apart_is_asked_for_by_all(campaign, name):
    file = lose(campaign, name)
    is_told(command(campaign, "query"), name, file)
    is_told(command(campaign, "query", "strain"), name, file)
    to = str(campaign.directory.parent)
    is_told(command(campaign, "export", "--format", "dump", "--output", to), name, file)


@pytest.mark.parametrize("name", fast(["species", "particle_id", *LABELS]))
def test_no_file_for_other_programs_has_what_fills_it(campaign, name, tmp_path):
    file = lose(campaign, name)
    for form in ("extxyz", "dump"):
        words = ("--format", form, "--output", str(tmp_path))
        is_told(command(campaign, "export", *words), name, file)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("result", "names"),
    [
        ("strain", LABELS),
        ("creep_fit", []),
        ("d2min_20", ["species", *LABELS]),
        ("dynamic_stress", ["component"]),
        ("box_edges", ["dim"]),
        ("box_tilt", ["tilt"]),
        ("bond_order", ["degree"]),
        ("d2min_histogram_20", ["d2min_bin"]),
    ],
)
def test_a_query_that_needs_it_is_told_so(campaign, result, names):
    assert command(campaign, "query", result).exit_code == 0
    for name in names:
        file = lose(campaign, name)
        is_told(command(campaign, "query", result), name, file)
        with pytest.raises(DamagedError, match=f"array {name} of .* is lost"):
            glasscreep.open(campaign.directory).table(result)
        file.write_bytes(
            (
                campaign.directory.with_name("filled") / file.relative_to(campaign.directory)
            ).read_bytes()
        )


@pytest.mark.parametrize("name", ["species", "step", "state"])
def test_a_report_is_told_so(campaign, name):
    file = lose(campaign, name)
    is_told(command(campaign, "report"), name, file)


def test_the_driver_writes_a_lost_index_anew(campaign):
    store, ledger = campaign.prepared.store, progress_found(campaign.prepared)
    for name in INDEX:
        before = campaign.array(name)
        file = lose(campaign, name)
        with pytest.raises(DamagedError, match="The same `glasscreep run` again writes it anew"):
            FrameReader(store).column(name)
        write_index(store, ledger)
        assert file.is_file()
        assert (campaign.array(name) == before).all()
        file.write_bytes(b"garbage")
        write_index(store, ledger)
        assert (FrameReader(store).column(name) == before).all()


def test_an_index_of_nothing_has_its_files_also_once_it_has_grown(
    make, corner, tmp_path, monkeypatch
):
    monkeypatch.setattr("glasscreep.tasks.layout.TABLE_CHUNK", 4)
    campaign = make(tmp_path / "filled", corner)
    store = campaign.prepared.store
    assert FrameReader(store).column("state").tolist() == [0] * 4
    write_index(store, progress_found(campaign.prepared))
    grown = campaign.extended(replicas=6)
    assert FrameReader(store).column("state").tolist() == [0] * 12
    write_index(store, progress_found(grown.prepared))
    (store / "state" / "c.2").unlink()
    with pytest.raises(DamagedError, match=r"state/c\.2 is lost"):
        FrameReader(store).column("state")


def test_of_an_earlier_version_an_index_without_files_is_of_nothing(campaign):
    """It wrote none before anything was committed."""
    root = campaign.prepared.store / "zarr.json"
    content = json.loads(root.read_bytes())
    for name in INDEX:
        del content["consolidated_metadata"]["metadata"][name]["attributes"][WRITTEN_WHOLE]
        lose(campaign, name)
    root.write_text(json.dumps(content))
    assert command(campaign, "query", "strain").exit_code == 0
    assert not glasscreep.open(campaign.directory).dataset["state"].any()
