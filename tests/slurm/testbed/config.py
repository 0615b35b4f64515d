"""The configuration of the test bed's SLURM."""

import getpass
import random
import socket
from dataclasses import dataclass
from pathlib import Path

# Below the range from which the kernel takes ports for outgoing connections, so that a port
# that is free now stays free until the daemon binds it.
PORTS = range(20_000, 32_000)
# MPICH names its shared memory after job and step. What killed ranks left of it under such a
# name, or ranks of another bed, would break the next that get it.
FIRST_JOBS = range(1_000_000, 60_000_000)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the test bed pretends to be, and how soon it notices things."""

    nodes: int = 2
    """Number of nodes, called node1, node2, ..."""
    cores: int = 8
    """Cores of each node; how many this machine really has does not matter."""
    memory_mb: int = 16_000
    """Memory of each node; how much this machine really has does not matter."""
    node_timeout_s: int = 15
    """How long a node may be silent before the controller takes it for down."""
    requeue_delay_s: int = 5
    """How long a requeued job waits (SLURM's cred_expire; 120 s where nobody changed it)."""

    def names(self) -> list[str]:
        """Give the names of the nodes."""
        return [f"node{number + 1}" for number in range(self.nodes)]


def free_port() -> int:
    """Find a port that nobody listens on."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
    msg = f"no free port among {PORTS.start}-{PORTS.stop - 1}"
    raise OSError(msg)


def configuration(shape: Shape, directory: Path) -> str:
    """Write slurm.conf for daemons that keep everything under a directory."""
    host, user = socket.gethostname().partition(".")[0], getpass.getuser()
    nodes = "\n".join(
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={free_port()} "
        f"CPUs={shape.cores} RealMemory={shape.memory_mb} State=UNKNOWN"
        for name in shape.names()
    )
    return f"""\
ClusterName=testbed
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={free_port()}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={directory}/munge/socket,cred_expire={shape.requeue_delay_s}
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool/%n
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/%n.pid
SlurmctldLogFile={directory}/slurmctld.log
SlurmdLogFile={directory}/%n.log
# Cores and memory are made up, tasks are not bound, and processes are found by their parents.
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
PropagateResourceLimits=NONE
# Soon rather than sparingly.
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
KillWait=5
SlurmdTimeout={shape.node_timeout_s}
SlurmctldTimeout=30
InactiveLimit=0
MinJobAge=300
ReturnToService=2
JobRequeue=1
FirstJobId={random.choice(FIRST_JOBS)}
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=second Nodes=ALL MaxTime=INFINITE State=UP
"""
