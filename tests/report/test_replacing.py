"""A report takes the place of a report, and of nothing else without being told to."""

import pytest
from typer.testing import CliRunner

from glasscreep.campaign.figures.style import panel_grid, save
from glasscreep.campaign.main import app
from glasscreep.tasks.errors import StorageError


def ask(bare, *more):
    return CliRunner().invoke(app, ["report", str(bare.directory), *map(str, more)])


def test_what_is_no_report_is_replaced_only_if_told_to(bare, tmp_path):
    bare.write(0, 1)
    mine = tmp_path / "mine.html"
    mine.write_text("<!doctype html>\n<p>a year's work</p>\n")
    done = ask(bare, "--output", mine)
    assert done.exit_code == 2
    assert "--overwrite" in done.stderr
    assert "a year's work" in mine.read_text()
    assert ask(bare, "--output", mine, "--overwrite").exit_code == 0
    assert "a year's work" not in mine.read_text()


def test_a_report_is_replaced(bare, tmp_path):
    page = tmp_path / "page.html"
    bare.write(0, 2)
    assert ask(bare, "--output", page).exit_code == 0
    old = page.read_text()
    bare.write(0, 3)
    assert ask(bare, "--output", page).exit_code == 0
    assert page.read_text() != old


def test_figures_are_replaced_only_if_told_to(bare, tmp_path):
    bare.write(0, 3)
    page, more = tmp_path / "page.html", ("--figures", "svg")
    assert ask(bare, "--output", page, *more).exit_code == 0
    figure = next((tmp_path / "page-figures").glob("*.svg"))
    figure.write_text("edited by hand")
    done = ask(bare, "--output", page, *more)
    assert done.exit_code == 2
    assert f"{figure.parent}/figure-" in done.stderr
    assert "is there already. Give another --output, or --overwrite" in done.stderr
    assert figure.read_text() == "edited by hand"
    assert ask(bare, "--output", page).exit_code == 0, "no figures are asked for"
    assert ask(bare, "--output", page, *more, "--overwrite").exit_code == 0
    assert figure.read_text() != "edited by hand"


def test_a_page_of_its_own_is_not_replaced_by_a_report_either(bare):
    (bare.directory / "report.html").write_text("mine")
    assert ask(bare).exit_code == 2
    assert (bare.directory / "report.html").read_text() == "mine"


def test_a_report_is_called_after_its_format(bare, tmp_path):
    done = ask(bare, "--output", tmp_path / "page.pdf")
    assert done.exit_code == 2
    assert "a report must end in .html, as" in " ".join(done.stderr.split())
    assert not list(tmp_path.glob("*.pdf"))


def test_a_folder_that_is_not_there_is_refused(bare, tmp_path):
    done = ask(bare, "--output", tmp_path / "none" / "page.html")
    assert done.exit_code == 2
    assert f"there is no folder {tmp_path}/none. Make it first" in done.stderr
    assert not (tmp_path / "none").exists()


def test_figures_that_the_new_report_has_not_go_with_the_old_ones(bare, tmp_path):
    bare.write(0, 3)
    page, folder = tmp_path / "page.html", tmp_path / "page-figures"
    folder.mkdir()
    for name in ("figure-2.svg", "figure-9.svg", "figure-9.pdf", "mine.svg"):
        (folder / name).write_text("of another report")
    done = ask(bare, "--output", page, "--figures", "svg", "--overwrite")
    assert done.exit_code == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {"figure-2.svg", "figure-7.svg", "figure-9.pdf", "mine.svg"}
    assert "of another report" not in (folder / "figure-2.svg").read_text()


def test_a_name_that_no_file_can_have_is_told_as_such(bare, tmp_path):
    bare.write(0, 1)
    done = ask(bare, "--output", tmp_path / f"{'long' * 80}.html")
    assert done.exit_code == 1
    assert "File name too long" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_can_not_be_read_is_told_as_such(bare, tmp_path):
    page = tmp_path / "page.html"
    page.symlink_to("/proc/self/mem")  # which refuses whoever reads it from its beginning
    done = ask(bare, "--output", page)
    assert done.exit_code == 1
    assert f"could not read {page}" in done.stderr


def test_a_folder_is_never_replaced(bare, tmp_path):
    done = ask(bare, "--output", tmp_path)
    assert done.exit_code == 2
    assert "is a folder" in done.stderr


def test_who_reads_a_figure_goes_on_with_the_one_before(tmp_path):
    path = tmp_path / "figure.svg"
    figure, (axes,) = panel_grid(1)
    save(figure, path)
    old = path.read_bytes()
    with path.open("rb") as reading:
        axes.set_title("other")
        save(figure, path)
        assert reading.read() == old
    assert path.read_bytes() != old
    with pytest.raises(StorageError, match="no-folder"):
        save(figure, tmp_path / "no-folder" / "figure.svg")
