"""The library in the page is the one that is documented, and all that the page is made of is installed."""

import hashlib
from pathlib import Path

ASSETS = Path(__file__).parents[2] / "campaign" / "report_assets"
OGL = "9f1cbba7bd268211afb931e106f49cf2732e5e26eacb95f8814bc1e0f2832233"


def test_the_library_is_the_one_that_is_documented():
    library = (ASSETS / "ogl.min.js").read_bytes()
    assert hashlib.sha256(library).hexdigest() == OGL
    assert b"ogl 1.0.11" in library.partition(b"\n")[0]
    assert b"</script" not in library


def test_every_file_is_described():
    described = (ASSETS / "README.md").read_text()
    files = [path.name for path in ASSETS.iterdir() if path.suffix in (".html", ".css", ".js")]
    assert len(files) == 4
    assert all(f"`{name}`" in described for name in files)
