"""`run` keeps its certificates to itself, and stops when they are open to others."""

import shutil
import stat

import pytest

pytestmark = pytest.mark.slow

STEPS = 200


@pytest.mark.parametrize("name", [".", "key.pem", "certificate.pem"])
def test_certificates_open_to_others_stop_a_run_with_a_plain_message(glasscreep, undisturbed, name):
    tls = shutil.copytree(undisturbed, glasscreep.folder / "small") / "slurm" / "tls"
    opened = tls / name
    opened.chmod(stat.S_IMODE(opened.stat().st_mode) | 0o040)
    file = glasscreep.write(steps=STEPS + 50)  # so that there is something to do
    result = glasscreep("run", file)
    assert result.returncode == 1, result.stdout
    said = " ".join((result.stdout + result.stderr).split())
    assert "others may read or write" in said
    assert f"chmod go-rwx {opened}" in said
    assert "Traceback" not in said


def test_a_run_leaves_private_certificates(undisturbed):
    tls = undisturbed / "slurm" / "tls"
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tls.iterdir()}
    assert found == {"key.pem": 0o600, "certificate.pem": 0o600}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tls, tls.parent)] == [0o700] * 2
