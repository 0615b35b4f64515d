"""Without the campaign's certificates no process gets a word out of its scheduler or workers."""

import asyncio
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from distributed.core import connect

from glasscreep.slurm.credentials import (
    CERTIFICATE_FILE,
    KEY_FILE,
    Credentials,
    ensure_credentials,
)

POOLS = Path(__file__).with_name("pools_process.py")
ROLES = ("scheduler", "worker", "nanny")
# What a user may have in a configuration of Dask, and what must not count.
CARELESS = {
    "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "False",
    "DASK_DISTRIBUTED__COMM__TLS__MAX_VERSION": "1.2",
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "['distributed.http.scheduler.api']",
    "DASK_DISTRIBUTED__SCHEDULER__DASHBOARD__BOKEH_APPLICATION__ALLOW_WEBSOCKET_ORIGIN": "['*']",
}


CLIENT = """
import sys
from pathlib import Path
from distributed import Client
from glasscreep.slurm.credentials import load_credentials
security = load_credentials(Path(sys.argv[2])).security() if sys.argv[2:] else None
try:
    client = Client(sys.argv[1], security=security, timeout=3)
except OSError:
    print("refused")
else:
    print(client.submit(sum, [1, 2], resources={"analysis": 1}).result(30))
    client.close()
"""


@dataclass(frozen=True)
class Pools:
    """Pools that are at work in another process."""

    kind: str
    folder: Path
    process: psutil.Process
    addresses: dict[str, list[str]]
    http: str

    @property
    def own(self) -> Credentials:
        return ensure_credentials(self.folder / "slurm" / "tls")

    @property
    def others(self) -> Credentials:
        return ensure_credentials(self.folder / "other" / "tls")

    def listening(self) -> set[tuple[str, int]]:
        """Every address that a process of the pools listens on."""
        family = [self.process, *self.process.children(recursive=True)]
        return {
            tuple(connection.laddr)
            for process in family
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }


@pytest.fixture(scope="module", params=["local", "cluster"])
def pools(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pools]:
    folder = tmp_path_factory.mktemp("campaign")
    command = [sys.executable, str(POOLS), str(folder), request.param]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | CARELESS,
    ) as process:
        said = json.loads(process.stdout.readline())
        yield Pools(request.param, folder, psutil.Process(process.pid), **said)
        process.stdin.close()
        assert process.wait(60) == 0


def context(credentials: Credentials | None) -> ssl.SSLContext:
    """Talk to anyone, as one who attacks does, showing a certificate or none."""
    chosen = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    chosen.check_hostname, chosen.verify_mode = False, ssl.CERT_NONE
    if credentials:
        folder = credentials.folder
        chosen.load_cert_chain(folder / CERTIFICATE_FILE, folder / KEY_FILE)
    return chosen


def encrypted(credentials: Credentials | None) -> dict[str, Any]:
    return {"ssl_context": context(credentials), "require_encryption": True}


async def said_to(address: str, **how: Any) -> Any:
    """Ask a server of Dask who it is."""
    comm = await connect(address, timeout=3, **how)
    try:
        await comm.write({"op": "identity", "reply": True})
        async with asyncio.timeout(3):
            return await comm.read()
    finally:
        comm.abort()


def refusal(address: str, **how: Any) -> BaseException | None:
    async def attempt() -> BaseException | None:
        try:
            await said_to(address, **how)
        except (OSError, RuntimeError) as error:
            return error
        return None

    return asyncio.run(attempt())


@pytest.mark.parametrize("role", ROLES)
def test_with_the_certificates_of_the_campaign_all_of_them_answer(pools, role):
    how = pools.own.security().get_connection_args("client")
    for address in pools.addresses[role]:
        assert asyncio.run(said_to(address, **how))


@pytest.mark.parametrize("role", ROLES)
def test_plain_connections_are_refused(pools, role):
    for address in pools.addresses[role]:
        assert refusal(address.replace("tls://", "tcp://"))


@pytest.mark.parametrize("role", ROLES)
def test_encrypted_connections_without_a_certificate_are_refused(pools, role):
    for address in pools.addresses[role]:
        assert refusal(address, **encrypted(None))


@pytest.mark.parametrize("role", ROLES)
def test_certificates_of_another_campaign_are_refused(pools, role):
    for address in pools.addresses[role]:
        assert refusal(address, **encrypted(pools.others))


@pytest.mark.parametrize("role", ROLES)
def test_this_attack_works_with_the_certificates_of_the_campaign(pools, role):
    """Or else the tests above would show nothing."""
    for address in pools.addresses[role]:
        assert refusal(address, **encrypted(pools.own)) is None


@pytest.mark.parametrize(
    ("certificates", "expected"), [("own", "3"), ("others", "refused"), ("none", "refused")]
)
def test_a_client_of_dask_needs_the_certificates(pools, certificates, expected):
    [address] = pools.addresses["scheduler"]
    if certificates == "none":
        command = [CLIENT, address.replace("tls://", "tcp://")]
    else:
        command = [CLIENT, address, str(getattr(pools, certificates).folder)]
    said = subprocess.check_output([sys.executable, "-c", *command], text=True, timeout=60)
    assert said.strip() == expected


def test_we_talk_to_no_impostor(pools):
    """One who listens where the scheduler was gets nothing, whatever name its certificate has."""

    async def attempt() -> None:
        folder, heard = pools.others.folder, []
        impostor = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        impostor.load_cert_chain(folder / CERTIFICATE_FILE, folder / KEY_FILE)

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(1))
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=impostor)
        port = server.sockets[0].getsockname()[1]
        how = pools.own.security().get_connection_args("worker")
        with pytest.raises(OSError, match="certificate does not match"):
            await connect(f"tls://127.0.0.1:{port}", timeout=2, **how)
        server.close()
        assert not any(heard)

    asyncio.run(attempt())


def answer(address: tuple[str, int], data: bytes, secure: ssl.SSLContext | None = None) -> bytes:
    """Give what a port says first: nothing if it closes the connection."""
    try:
        with (
            socket.create_connection(address, timeout=10) as plain,
            secure.wrap_socket(plain) if secure else plain as connection,
        ):
            connection.sendall(data)
            return connection.recv(64)
    except (ssl.SSLError, ConnectionError):
        return b""


def test_every_port_demands_a_certificate_or_is_http_on_loopback(pools):
    request = b"GET /health HTTP/1.0\r\n\r\n"
    kinds = {}
    for address in pools.listening():
        on_loopback = address[0] == "127.0.0.1"
        assert on_loopback or pools.kind == "cluster", address
        if answer(address, request).startswith(b"HTTP/"):
            assert on_loopback, address
            kinds[address[1]] = "http"
            continue
        old = context(pools.own)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        for refused in (context(None), context(pools.others), old):
            assert answer(address, b"\0", refused) == b"", address
        assert answer(address, b"\0", context(pools.own)), address
        kinds[address[1]] = "tls"
    # A scheduler and two workers, each with HTTP, and two nannies, which have none.
    assert sorted(kinds.values()) == ["http"] * 3 + ["tls"] * 5


def status(pools: Pools, path: str, method: str = "GET", **headers: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(pools.http).netloc, timeout=10)
    connection.request(method, path, headers=headers)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/status", "/health", "/info/main/workers.html"])
def test_what_is_for_looking_is_served(pools, path):
    assert status(pools, path) == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/retire_workers"),
        ("GET", "/api/v1/get_workers"),
        ("GET", "/api/v1"),
        ("GET", "/proxy/80/127.0.0.1/"),
        ("GET", "/json/identity.json"),
    ],
)
def test_what_changes_things_or_leads_elsewhere_is_not_served(pools, method, path):
    assert status(pools, path, method) == 404


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:8787", 101),  # a tunnel may begin at another port
        ("http://127.0.0.1:8787", 101),
        ("http://elsewhere.example", 403),
        ("http://localhost.elsewhere.example:8787", 403),
    ],
)
def test_the_dashboard_talks_to_no_page_from_elsewhere(pools, origin, expected):
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
        "Sec-WebSocket-Version": "13",
        "Origin": origin,
    }
    assert status(pools, "/status/ws", **upgrade) == expected
