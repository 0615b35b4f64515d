"""What a campaign file, and its user for all files, says of a cluster."""

import re
from pathlib import Path

import pytest

from glasscreep.campaign.compatible import demand_compatible
from glasscreep.campaign.directory import prepare, read_campaign
from glasscreep.campaign.file import Campaign, site_file
from glasscreep.campaign.problems import CampaignFileError

REFERENCE = Path(__file__).parents[2] / "docs/campaign-file.md"
EVERYTHING = """
[cluster]
partition = "long"
account = "glass"
qos = "high"
constraint = "[rack1|rack2]&ib"
interface = "ib0"
prologue = ["module load gcc", 'echo "$HOME"']
launcher = ["mpirun", "-np", "{ranks}"]
mpi = "pmix"
[cluster.controller]
partition = "login"
memory_gb = 1
walltime_s = 180
[cluster.md]
nodes = 2
cores = 64
memory_gb = 100.5
walltime_s = 60
max_allocations = 7
[cluster.analysis]
constraint = "big"
cores = 3
max_allocations = 2
"""


@pytest.fixture
def site(no_site_file):
    file = no_site_file / "glasscreep/cluster.toml"
    file.parent.mkdir()
    yield file
    file.unlink(missing_ok=True)
    file.parent.rmdir()


def test_there_is_none_unless_someone_says_so(read):
    assert read("").cluster is None


def test_defaults(read):
    cluster = read("[cluster]").cluster
    assert (cluster.launcher, cluster.mpi, cluster.prologue) == (("srun",), "pmi2", ())
    assert (cluster.md.nodes, cluster.md.cores, cluster.analysis.cores) == (1, 8, 1)


def test_every_key_is_read(read):
    cluster = read(EVERYTHING).cluster
    assert cluster.constraint == "[rack1|rack2]&ib"
    assert cluster.prologue == ("module load gcc", 'echo "$HOME"')
    assert cluster.launcher == ("mpirun", "-np", "{ranks}")
    assert (cluster.md.cores, cluster.md.memory_gb, cluster.md.max_allocations) == (64, 100.5, 7)
    assert (cluster.controller.partition, cluster.analysis.constraint) == ("login", "big")
    assert read('[cluster]\nprologue = "one line"').cluster.prologue == ("one line",)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('[cluster]\npartition = "a b"', "cluster.partition"),
        ('[cluster]\npartition = ""', "cluster.partition"),
        ('[cluster]\npartition = "-x"', "cluster.partition"),
        ("[cluster]\npartition = 3", "cluster.partition"),
        ('[cluster]\naccount = "a\\nb"', "cluster.account"),
        ('[cluster]\nqos = "$(id)"', "cluster.qos"),
        ("[cluster]\nconstraint = \"'a'\"", "cluster.constraint"),
        ('[cluster]\nmpi = "pmi2;id"', "cluster.mpi"),
        ('[cluster]\ninterface = "a`b`"', "cluster.interface"),
        ('[cluster]\nprologue = "a\\nb"', "cluster.prologue"),
        ('[cluster]\nprologue = ["a", "b\\nc"]', "cluster.prologue[1]"),
        ('[cluster]\nprologue = "  #SBATCH --time=1"', "cluster.prologue"),
        ('[cluster]\nlauncher = "mpirun"', "cluster.launcher"),
        ('[cluster]\nlauncher = ["mpirun", "{ranks}", "{foo}"]', "cluster.launcher"),
        ("[cluster]\nlauncher = []", "cluster.launcher"),
        ("[cluster.md]\nnodes = 0", "cluster.md.nodes"),
        ("[cluster.md]\nmemory_gb = 0", "cluster.md.memory_gb"),
        ("[cluster.md]\nwalltime_s = 59", "cluster.md.walltime_s"),
        ("[cluster.controller]\nwalltime_s = 179", "cluster.controller.walltime_s"),
        ("[cluster.controller]\ncores = 2", "cluster.controller.cores"),
        ("[cluster.analysis]\nnodes = 2", "cluster.analysis.nodes"),
        ("cluster = 3", "cluster"),
    ],
)
def test_what_can_not_be_is_refused(problems, text, path):
    assert list(problems(text)) == [path]


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        ("[cluster.md]\nmemory = 3", "cluster.md.memory", "did you mean cluster.md.memory_gb?"),
        ("[cluster]\nnodes = 3", "cluster.nodes", "nodes goes into [cluster.md]"),
        ('[resources]\npartition = "a"', "resources.partition", "partition goes into [cluster]"),
    ],
)
def test_keys_in_the_wrong_place_are_shown_the_right_one(problems, text, path, hint):
    assert problems(text)[path].hint == hint


def test_ranks_fit_into_an_allocation(read, problems):
    table = (
        "[resources]\nranks = {}\n[cluster.md]\nnodes = 2\ncores = 4\n[cluster]\nlauncher = '{}'"
    )
    assert read(table.format(8, "srun"))
    found = problems(table.format(9, "srun"))["resources.ranks"]
    assert "cluster.md.nodes x cluster.md.cores = 8" in found.allowed
    assert "srun" in problems(table.format(2, "mpiexec"))["cluster.md.nodes"].hint
    assert read(table.replace("nodes = 2", "nodes = 1").format(4, "mpiexec"))
    assert list(problems(table.format(9, "srun").replace("cores = 4", "cores = 0"))) == [
        "cluster.md.cores"
    ]


def test_a_cluster_is_no_physics(read, tmp_path):
    alone, with_cluster = read(""), read(EVERYTHING)
    assert [run.id for run in alone.runs()] == [run.id for run in with_cluster.runs()]
    prepare(alone, tmp_path / "demo")
    demand_compatible(with_cluster, tmp_path / "demo")
    prepare(with_cluster, tmp_path / "demo")
    assert read_campaign(tmp_path / "demo") == with_cluster
    prepare(alone, tmp_path / "demo")
    assert read_campaign(tmp_path / "demo").cluster is None


def test_a_campaign_of_before_there_were_clusters_is_read():
    content = Campaign().model_dump(mode="json")
    del content["cluster"]
    assert Campaign.model_validate(content) == Campaign()


def test_a_site_is_described_once(read, site):
    site.write_text('partition = "a"\nprologue = "x"\n[md]\ncores = 64\nmemory_gb = 100\n')
    alone = read("").cluster
    assert (alone.partition, alone.md.cores, alone.md.nodes) == ("a", 64, 1)
    both = read('[cluster]\npartition = "b"\nprologue = []\n[cluster.md]\ncores = 2').cluster
    assert (both.partition, both.prologue) == ("b", ())
    assert (both.md.cores, both.md.memory_gb) == (2, 100.0)


def test_the_site_of_the_reference_is_valid(read, site):
    (text,) = re.findall(
        r"```\n(.*?)```", REFERENCE.read_text().split("### A cluster for all")[1], re.DOTALL
    )
    site.write_text(text)
    assert read("").cluster.md.cores == 64


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('partition = "a b"', "partition"),
        ("[md]\nnods = 3", "md.nods"),
        ("[cluster]\n[cluster.md]\nnodes = 3", "cluster"),
        ('[md]\nnodes = 2\n["b"', "end of the file"),
        ('launcher = "mpiexec"\n[md]\nnodes = 2', "md.nodes"),
    ],
)
def test_what_is_wrong_in_it_is_told_of_it(problems, read, site, text, path):
    site.write_text(text)
    with pytest.raises(CampaignFileError) as error:
        read("replicas = 0")
    assert error.value.file == str(site)
    (problem,) = error.value.problems
    assert problem.path == path
    assert "cluster." not in str(problem)


def test_one_that_cant_be_read_is_told(read, site):
    site.mkdir()
    with pytest.raises(CampaignFileError, match=r"cluster\.toml"):
        read("")
    site.rmdir()


def test_where_it_is(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert site_file() == Path("/home/someone/.config/glasscreep/cluster.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere")
    assert site_file() == Path("/elsewhere/glasscreep/cluster.toml")
