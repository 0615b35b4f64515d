"""A campaign file is understood as it is meant, or refused with everything wrong in it."""

import re
from pathlib import Path

import pytest

from glasscreep.campaign.file import Campaign, load
from glasscreep.campaign.problems import CampaignFileError, Problem, toml_text

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_an_empty_file_is_the_campaign_of_the_paper(read):
    campaign = read("")
    paper = load(EXAMPLES / "paper.toml")
    assert campaign.points() == paper.points()
    assert (campaign.model, campaign.glass, campaign.creep) == (
        paper.model,
        paper.glass,
        paper.creep,
    )
    assert campaign.frames == 1000
    assert campaign.name == "demo"
    assert len(paper.runs()) == 130


def test_the_demo_is_as_large_as_promised():
    demo = load(EXAMPLES / "demo.toml")
    assert len(demo.runs()) == 8
    assert demo.frames == 20
    assert demo.model.particles == 1000


def test_every_section_is_read(read):
    campaign = read("""
        name = "of-all.kinds_1"
        seed = 3
        replicas = 2e0
        [model]
        particles = 2e3
        density = 1
        epsilon = { AB = 1.25 }
        [glass]
        melt_steps = 1e4
        [creep]
        steps = 2e6
        axis = "x"
        [[grid]]
        temperature = 0.2
        stress = [1, -0.0]
        [analysis]
        d2min_intervals = [1e6, 1e4, 10_000]
        [resources]
        ranks = 2
    """)
    assert campaign.name == "of-all.kinds_1"
    run = campaign.runs()[-1].physics
    assert (run.glass.seed, run.glass.replica) == (3, 1)
    assert run.glass.model.particles == 2000
    assert run.glass.model.interaction.epsilon == (1.0, 1.25, 0.5)
    assert run.glass.protocol.melt_steps == 10_000
    assert (run.temperature, run.stress) == (0.2, 1.0)
    assert run.load().pressure == (1.0, 0.0, 0.0, None, None, None)
    assert campaign.frames == 200
    assert campaign.d2min_intervals == (10_000, 1_000_000)
    assert campaign.resources.slots_on(5) == 2
    assert campaign.resources.slots_on(1) == 1


def test_slots_that_are_given_count(read):
    assert read("[resources]\nslots = 7").resources.slots_on(2) == 7


def test_d2min_is_measured_over_one_frame_unless_said_otherwise(read):
    assert read("").d2min_intervals == (10_000,)
    assert read("[creep]\nsteps = 1e4").d2min_intervals == ()
    assert read("[analysis]\nd2min_intervals = []").d2min_intervals == ()


@pytest.mark.parametrize(
    ("text", "path", "got"),
    [
        ("replicas = 1.5", "replicas", "1.5"),
        ("replicas = true", "replicas", "true"),
        ("replicas = 0", "replicas", "0"),
        ("replicas = inf", "replicas", "inf"),
        ('seed = "1"', "seed", '"1"'),
        ("seed = -1", "seed", "-1"),
        ("seed = 9223372036854775808", "seed", "9223372036854775808"),
        (f"seed = {'1' * 4000}", "seed", "a whole number of more than 60 digits"),
        ("seed = 1979-05-27", "seed", "1979-05-27"),
        ('name = "a/b"', "name", '"a/b"'),
        ('name = ".."', "name", '".."'),
        ('name = ""', "name", '""'),
        ("model = 3", "model", "3"),
        ("[model]\ndensity = true", "model.density", "true"),
        ("[model]\ndensity = nan", "model.density", "nan"),
        ("[model]\ndensity = 0", "model.density", "0"),
        (f"[model]\ndensity = 1{'0' * 400}", "model.density", "a whole number of more"),
        ("[model]\nparticles = 3e9", "model.particles", "3000000000"),
        ("[model]\nfraction_a = 1", "model.fraction_a", "1"),
        ("[model]\nfraction_a = nan", "model.fraction_a", "nan"),
        ("[model]\nepsilon = [1, 2, 3]", "model.epsilon", "[1, 2, 3]"),
        ("[model]\nsigma = { BB = -1 }", "model.sigma.BB", "-1"),
        ("[creep]\naxis = 'w'", "creep.axis", '"w"'),
        ("[creep]\nsteps = 1e300", "creep.steps", "1e+300"),
        ("[[grid]]\nstress = 0", "grid[0].temperature", "nothing"),
        ("[[grid]]\ntemperature = []\nstress = 0", "grid[0].temperature", "[]"),
        ("[[grid]]\ntemperature = 0\nstress = 0", "grid[0].temperature", "0"),
        ("[[grid]]\ntemperature = [1, -1]\nstress = 0", "grid[0].temperature[1]", "-1"),
        ("[[grid]]\ntemperature = 1\nstress = inf", "grid[0].stress", "inf"),
        ("[[grid]]\ntemperature = 1\nstress = [[1]]", "grid[0].stress[0]", "[1]"),
        ("[[grid]]\ntemperature = { a = 1 }\nstress = 1", "grid[0].temperature", "{ a = 1 }"),
        ("grid = []", "grid", "[]"),
        ("grid = [1]", "grid[0]", "1"),
        ("[analysis]\nd2min_intervals = [1e4, 0]", "analysis.d2min_intervals[1]", "0"),
        ('[analysis]\nresults = ["strain", "D2min"]', "analysis.results[1]", '"D2min"'),
        ("[analysis]\nresults = 3", "analysis.results", "3"),
        ('[analysis.features]\npreset = "amorphous"', "analysis.features.preset", '"amorphous"'),
        ("[analysis.features]\nradii = [0.5, 0]", "analysis.features.radii[1]", "0"),
        ("[analysis.sacf]\nbins = 1001", "analysis.sacf.bins", "1001"),
        ("[resources]\nranks = 0", "resources.ranks", "0"),
    ],
)
def test_a_wrong_value_is_shown_with_its_place_and_what_is_allowed(problems, text, path, got):
    (found,) = problems(text).values()
    assert found.path == path
    assert found.got.startswith(got)
    assert found.allowed


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        ("replica = 3", "replica", "did you mean replicas?"),
        ("[Model]", "Model", "did you mean model?"),
        ("[creep]\nframe_intervall = 7", "creep.frame_intervall", "did you mean creep.frame_int"),
        ("[[grid]]\ntemprature = 1\nstress = 1", "grid[0].temprature", "did you mean grid[0].t"),
        ("[model]\nepsilon = { aa = 1 }", "model.epsilon.aa", "did you mean model.epsilon.AA?"),
        ("[creep]\nseed = 3", "creep.seed", "seed goes to the top of the file"),
        ("temperature = 3", "temperature", "temperature goes into [[grid]]"),
        ("checkpoint_interval = 3", "checkpoint_interval", "into [glass] or into [creep]"),
        ("zebra = 3", "zebra", ""),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_valid_one(problems, text, path, hint):
    (found,) = problems(text).values()
    assert found.path == path
    assert found.got == "a key that does not exist"
    assert hint in found.hint
    assert bool(hint) == bool(found.hint)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('[creep]\nloading = "Shaer"', "did you mean shear?"),
        ('[model]\nunits = "metl"', "did you mean metal?"),
        ('[analysis.features]\npreset = "wu2032"', "did you mean wu2023?"),
        ('[analysis]\nresults = "strian"', "did you mean strain?"),
        ('[creep]\nloading = "none"', ""),
    ],
)
def test_a_word_that_is_none_of_a_list_is_refused_with_the_nearest(problems, text, hint):
    (found,) = problems(text).values()
    assert found.hint == hint


def test_common_slips_get_a_hint(problems):
    assert "[[grid]]" in problems("[grid]\ntemperature = 1\nstress = 1")["grid"].hint
    assert "without quotes: 1e7" in problems('[creep]\nsteps = "1e7"')["creep.steps"].hint
    assert "mean d2min?" in problems('[analysis]\nresults = "d2m"')["analysis.results"].hint
    assert "its own name" in problems("", "my campaign.toml")["name"].hint


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("[model]\nparticles = 304", "model.particles", "at least 305"),
        ("[model]\nparticles = 9_000\ndensity = 40", "model.particles", "at least 10162"),
        (
            "[model]\nparticles = 289\n[resources]\nneighbor_skin = 0.3",
            "model.particles",
            "at least 290",
        ),
        ("[analysis]\nd2min_cutoff = 10", "model.particles", "twice analysis.d2min_cutoff"),
        ("[model]\ncutoff = 9.8", "model.particles", "twice model.cutoff with a neighbour skin"),
        ("[model]\nfraction_a = 1e-9", "model.fraction_a", "one particle of each species"),
        ("[creep]\nframe_interval = 3000", "creep.frame_interval", "divides creep.steps"),
        ("[creep]\ncheckpoint_interval = 3", "creep.checkpoint_interval", "creep.frame_interval"),
        ("[glass]\nmelt_steps = 1500", "glass.checkpoint_interval", "glass.melt_steps = 1500"),
        ("[glass]\nquench_steps = 999", "glass.checkpoint_interval", "glass.quench_steps = 999"),
        ("[analysis]\nd2min_intervals = 15_000", "analysis.d2min_intervals[0]", "a multiple of"),
        ("[analysis]\nd2min_intervals = 1e7", "analysis.d2min_intervals[0]", "less than"),
        ('[analysis]\nresults = "sacf"', "analysis.results[0]", "sacf together with d2min"),
        (
            '[model]\nparticles = 1000\n[analysis]\nresults = ["d2min", "sacf"]',
            "model.particles",
            "twice analysis.sacf.reach",
        ),
        (
            '[analysis]\nresults = "rdf"\nrdf.reach = 19',
            "model.particles",
            "twice half of analysis.rdf.reach",
        ),
        ("[analysis]\nd2min_histogram.lowest = 1e3", "analysis.d2min_histogram.lowest", "below"),
        ("replicas = 1e5", "replicas", "at most 1000000 runs"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(problems, text, path, words):
    (found,) = problems(text).values()
    assert found.path == path
    assert words in found.allowed


def test_the_least_number_of_particles_named_is_enough(read, problems):
    text = "[model]\nparticles = {}\ndensity = 0.8\n[analysis]\nd2min_cutoff = 3.1"
    needed = int(
        re.search(r"at least (\d+)", problems(text.format(10))["model.particles"].allowed)[1]
    )
    assert read(text.format(needed)).model.particles == needed
    assert problems(text.format(needed - 1))


def test_suggested_steps_divide(read, problems):
    found = problems("[creep]\nsteps = 25_000\nframe_interval = 10_000")["creep.frame_interval"]
    lower, upper = map(int, re.search(r"steps = (\d+) or (\d+)", found.hint).groups())
    assert (lower, upper) == (20_000, 30_000)


def test_everything_wrong_is_told_at_once(problems):
    found = problems("""
        replicas = 1.5
        sed = 1
        [model]
        particles = 100
        fraction_a = true
        [glass]
        melt_steps = 1500
        [creep]
        frame_intervall = 7
        checkpoint_interval = 3
        [[grid]]
        temperature = [0.1, -1, nan]
        stress = inf
    """)
    assert set(found) == {
        "replicas",
        "sed",
        "model.particles",
        "model.fraction_a",
        "glass.checkpoint_interval",
        # What was meant for frame_interval is unknown, so checkpoint_interval is not judged.
        "creep.frame_intervall",
        "grid[0].temperature[1]",
        "grid[0].temperature[2]",
        "grid[0].stress",
    }


@pytest.mark.parametrize("creep", ["creep = 3", "[creap]\nframe_interval = 500"])
def test_what_depends_on_a_wrong_section_is_not_judged(problems, creep):
    assert len(problems(f"{creep}\n[analysis]\nd2min_intervals = [500]")) == 1


@pytest.mark.parametrize(
    ("text", "path", "got"),
    [
        ("seed = 3\n[model\n", "line 2, column 7", 'in "[model"'),
        ("seed = 3\nseed = 4\n", "line 2, column 9", "Cannot overwrite"),
        ("seed =", "end of the file", "Invalid value"),
        (b"seed = 3\n# \xff", "line 2", "not UTF-8"),
        (f"seed = {'1' * 5000}", "the file", "Exceeds the limit"),
    ],
)
def test_text_that_is_not_toml_is_located(problems, text, path, got):
    (found,) = problems(text).values()
    assert found.path == path
    assert got in found.got


def test_a_byte_order_mark_is_no_matter(read):
    assert read(b"\xef\xbb\xbfseed = 3").seed == 3


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(CampaignFileError, match=r"none.toml: 1 problem\n\n.*\n.*No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(CampaignFileError, match="Is a directory"):
        load(tmp_path)


def test_the_message_is_for_people():
    error = CampaignFileError(
        "a.toml", [Problem("x", "1", "2"), Problem("y[0]", "true", "a number", "no")]
    )
    assert str(error) == (
        "a.toml: 2 problems\n\n"
        "  x\n    got      1\n    allowed  2\n\n"
        "  y[0]\n    got      true\n    allowed  a number\n    hint     no\n\n"
        "Nothing was made. Correct the file, then give the same command again."
    )


def test_values_are_shown_as_the_file_spells_them():
    assert toml_text([True, "a", 1.5, {"b": []}]) == '[true, "a", 1.5, { b = [] }]'
    assert len(toml_text("a" * 1000)) == 60


def test_a_campaign_survives_being_written_down(read):
    campaign = read("[analysis]\nd2min_intervals = [1e4]\n[resources]\nslots = 2")
    assert Campaign.model_validate_json(campaign.model_dump_json()) == campaign
