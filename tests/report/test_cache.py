"""What a report keeps is not recalled once any code has changed that may have made it."""

import shutil

import pytest

from glasscreep.campaign import report_cache
from glasscreep.campaign.report_cache import Cache


@pytest.mark.parametrize(
    "module", ["campaign/result_table.py", "tasks/strain_results.py", "analysis/temporal.py"]
)
def test_of_other_code_nothing_is_recalled(tmp_path, monkeypatch, module):
    copy = shutil.copytree(report_cache.PACKAGE, tmp_path / "glasscreep")
    monkeypatch.setattr(report_cache, "PACKAGE", copy)
    key = Cache(tmp_path).key({})
    assert Cache(tmp_path).key({}) == key
    changed = copy / module
    changed.write_text(changed.read_text() + "\n# other\n")
    assert Cache(tmp_path).key({}) != key


def test_of_links_to_folders_the_code_counts_too(tmp_path, monkeypatch):
    package, elsewhere = tmp_path / "glasscreep", tmp_path / "campaign"
    package.mkdir()
    elsewhere.mkdir()
    (package / "campaign").symlink_to(elsewhere)
    monkeypatch.setattr(report_cache, "PACKAGE", package)
    key = Cache(tmp_path).key({})
    (elsewhere / "query.py").write_text("x = 1\n")
    assert Cache(tmp_path).key({}) != key
