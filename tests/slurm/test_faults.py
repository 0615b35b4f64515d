"""Whatever fails, a campaign goes on, and ends with the bits of an undisturbed one."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from cluster_campaign import ClusterCampaign, run_locally
from small_disk import disk_of
from testbed import SlurmBed
from testbed.network import cut

pytestmark = pytest.mark.timeout(1200)

MD, WORKER, ALLOCATION = "glasscreep.tasks.md", "multiprocessing.spawn", "slurm.allocation"
FRAMES, LONG = 10, 4000
"""Frames of most campaigns; steps of those that outlast a walltime."""
EARLY, LATE = 4, 15
"""Frames after which faults strike, of 40."""


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], dict[str, bytes]]:
    """Give `undisturbed(steps)`: the store of the small campaign, run on this machine."""
    known: dict[int, dict[str, bytes]] = {}

    def run(steps: int) -> dict[str, bytes]:
        if steps not in known:
            folder = tmp_path_factory.mktemp("undisturbed")
            file = ClusterCampaign(folder, None).write(steps=steps)
            known[steps] = run_locally(folder, file)
        return known[steps]

    return run


@pytest.fixture
def check(undisturbed) -> Callable[..., None]:
    """Give `check(campaign, steps)`: wait for the end, and compare."""

    def checked(campaign: ClusterCampaign, steps: int = FRAMES * 50) -> None:
        campaign.until_finished()
        assert campaign.status()["failures"] == [], campaign.logs()
        ours, theirs = campaign.contents(), undisturbed(steps)
        assert sorted(ours) == sorted(theirs)
        assert [name for name in ours if ours[name] != theirs[name]] == []
        assert campaign.processes(MD) == []

    return checked


@pytest.fixture
def campaign(tmp_path: Path, slurm: SlurmBed) -> ClusterCampaign:
    """Give a campaign on the shared SLURM, submitted when the test says so."""
    return ClusterCampaign(tmp_path, slurm)


@pytest.fixture
def fragile(tmp_path: Path, start_slurm: Callable[..., SlurmBed]) -> ClusterCampaign:
    """Give one on a SLURM of its own; its `md` allocations fill nodes that the controller is not on."""
    campaign = ClusterCampaign(tmp_path, start_slurm(nodes=3, cores=2))
    campaign.write(cores=2)
    return campaign


def node_of(campaign: ClusterCampaign, kind: str) -> str:
    (job,) = campaign.active(kind)
    return campaign.bed.job(job).nodes


def allocations_of(campaign: ClusterCampaign, pool: str) -> list[psutil.Process]:
    return [one for one in campaign.processes(ALLOCATION) if pool in one.cmdline()]


def kill(campaign: ClusterCampaign, found: Callable[[], list[psutil.Process]]) -> None:
    """Kill what is found; at the moment there may be none, between two segments."""
    killed = []

    def one_is_killed() -> bool:
        for process in found():
            with suppress(psutil.NoSuchProcess):
                process.kill()
                killed.append(process)
        return bool(killed)

    campaign.until(one_is_killed, "a process is there to be killed")


def is_md(process: psutil.Process) -> bool:
    try:
        return MD in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def freeze(campaign: ClusterCampaign, node: str) -> list[psutil.Process]:
    """Stop all processes of a node while MD is at work there, as when its machine hangs."""
    frozen: list[psutil.Process] = []

    def holds_md() -> bool:
        frozen[:] = campaign.bed.processes(node)
        if not any(map(is_md, frozen)):
            return False
        for process in frozen:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        frozen[:] = [process for process in frozen if process.is_running()]
        if any(map(is_md, frozen)):
            return True
        for process in frozen:  # it ended just before
            process.resume()
        return False

    campaign.until(holds_md, f"MD is frozen on {node}")
    return frozen


@pytest.mark.slow
def test_nothing_disturbed(campaign, check):
    campaign.write()
    campaign.submit()
    check(campaign)


@pytest.mark.long
def test_a_run_over_two_nodes(campaign):
    """Two ranks are not bit for bit one rank: compared with the same run on one node."""
    campaign.write(steps=50, ranks=2, nodes=2, cores=1)
    campaign.submit()
    campaign.until(lambda: campaign.processes(MD), "MD runs")
    assert node_of(campaign, "md") == "node[1-2]"
    campaign.until_finished()
    over_two = campaign.contents()
    alone = campaign.folder / "alone"
    alone.mkdir()
    assert run_locally(alone, campaign.folder / "small.toml") == over_two


@pytest.mark.slow
def test_an_allocation_is_cancelled(campaign, check):
    campaign.write()
    campaign.submit()
    campaign.until_frames(EARLY)
    campaign.bed.command("scancel", *campaign.active("md"))
    check(campaign)


@pytest.mark.long
def test_walltimes_are_short(campaign, check):
    """Allocations of a minute are left in time: no segment is killed, none begun in vain."""
    steps = LONG
    campaign.write(steps=steps, cores=1, walltime_s=60)
    campaign.submit()
    check(campaign, steps)
    said = "".join(path.read_text() for path in campaign.directory.glob("slurm/md-*.log"))
    assert "DUE TO TIME LIMIT" not in said
    assert said.count("leaving on") >= 2


@pytest.mark.long
def test_an_allocation_meets_an_unforeseen_walltime(campaign, check):
    steps = LONG
    campaign.write(steps=steps, cores=1)
    campaign.submit()
    campaign.until_frames(EARLY)
    (job,) = campaign.active("md")
    campaign.bed.command("scontrol", "update", f"jobid={job}", "timelimit=1")
    check(campaign, steps)
    assert campaign.bed.job(job).state == "TIMEOUT"


@pytest.mark.long
def test_the_processes_of_a_node_are_killed(fragile, check):
    fragile.submit()
    fragile.until_frames(EARLY)
    node = node_of(fragile, "md")
    fragile.bed.kill_node(node)
    fragile.until_frames(LATE)
    fragile.bed.start_node(node)
    check(fragile)


@pytest.mark.long
def test_a_node_is_set_down(fragile, check):
    fragile.submit()
    fragile.until_frames(EARLY)
    node = node_of(fragile, "md")
    fragile.bed.set_node(node, "down")
    fragile.until_frames(LATE)
    check(fragile)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [MD, WORKER, ALLOCATION])
def test_a_process_is_killed(campaign, check, victim):
    campaign.write()
    campaign.submit()
    campaign.until_frames(EARLY)
    if victim == ALLOCATION:
        kill(campaign, lambda: allocations_of(campaign, "md"))
    else:
        kill(campaign, lambda: campaign.processes(victim))
    check(campaign)


@pytest.mark.slow
def test_the_controller_is_killed_and_resumed(campaign, check):
    campaign.write()
    campaign.submit()
    campaign.until_frames(EARLY)
    os.kill(campaign.contact().pid, signal.SIGKILL)
    campaign.until(lambda: not campaign.active("controller"), "SLURM has noticed")
    assert "glasscreep resume" in campaign("status", campaign.directory)
    before = campaign.active("md")
    campaign("resume", campaign.directory)
    check(campaign)
    assert before, "the allocation waits for the next controller"


@pytest.mark.long
def test_the_node_of_the_controller_dies_and_slurm_requeues_it(fragile, check):
    fragile.submit()
    fragile.until_frames(EARLY)
    before = fragile.contact()
    node = node_of(fragile, "controller")
    fragile.bed.kill_node(node)
    fragile.until(lambda: fragile.contact() != before, "the controller runs again")
    fragile.bed.start_node(node)
    check(fragile)


@pytest.mark.long
def test_the_walltime_of_the_controller_ends(campaign, check):
    steps = LONG
    campaign.write(steps=steps, cores=1, controller_walltime_s=180)
    campaign.submit()
    campaign.until(lambda: campaign.active("md"), "an allocation is asked for")
    (controller,), (md,) = campaign.active("controller"), campaign.active("md")
    check(campaign, steps)
    logs = list(campaign.directory.glob("slurm/controller-*.log"))
    assert [log.name for log in logs] == [f"controller-{controller}.log"], "it requeued itself"
    assert "this job requeues itself" in logs[0].read_text()
    assert [log.name for log in campaign.directory.glob("slurm/md-*.log")] == [f"md-{md}.log"]


@pytest.mark.long
def test_the_network_to_the_scheduler_is_cut_for_30_s(campaign, check, require):
    require(shutil.which("nft"), "nft missing (apt-get install nftables)")
    campaign.write()
    campaign.submit()
    campaign.until_frames(EARLY)
    ends = time.monotonic() + 30
    with cut(int(campaign.contact().scheduler.rpartition(":")[2])):
        campaign.until(lambda: time.monotonic() > ends, "30 s have passed")
    check(campaign)


@pytest.mark.long
def test_slurmctld_is_restarted(fragile, check):
    fragile.submit()
    fragile.until_frames(EARLY)
    fragile.bed.stop_controller()  # srun can begin no step now
    fragile.until(lambda: "nothing is known" in fragile.status()["trouble"], "it is noticed")
    fragile.bed.start_controller()
    check(fragile)


@pytest.fixture
def small_disk(tmp_path: Path, require) -> Iterator[Path]:
    """Give a file system of 64 MB."""
    with disk_of(64, tmp_path / "disk", require) as disk:
        yield disk


@pytest.mark.slow
def test_the_directory_is_full_for_a_while(small_disk, slurm, check):
    campaign = ClusterCampaign(small_disk, slurm)
    campaign.write()
    campaign.submit()
    campaign.until_frames(EARLY)
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass
    before, snapshot = campaign.status()["frames_done"], campaign.directory / "status.json"
    campaign.until(
        lambda: time.time() - snapshot.stat().st_mtime > 15, "the controller can't write either"
    )
    assert campaign.status()["frames_done"] <= before + 8
    assert campaign.active("controller")
    filler.unlink()
    check(campaign)


@pytest.mark.long
def test_a_frozen_node_that_wakes_up_later_changes_nothing(fragile, check):
    """Its MD processes were in the middle of a segment that others have done meanwhile."""
    fragile.submit()
    fragile.until_frames(EARLY)
    node = node_of(fragile, "md")
    frozen = freeze(fragile, node)
    writers = list(filter(is_md, frozen))
    fragile.bed.set_node(node, "down")
    fragile.until(lambda: fragile.status().get("phase") == "finished", "the campaign is finished")
    assert all(writer.status() == psutil.STATUS_STOPPED for writer in writers)
    for process in frozen:
        process.resume()
    fragile.until(lambda: not any(map(psutil.Process.is_running, writers)), "the old writers end")
    check(fragile)
