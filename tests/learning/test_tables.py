"""A table is whole, or it is not there."""

import numpy as np
import pytest
from damaging import flip

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.tables import Joined, Table, is_made_from, write_table

COLUMNS = {"features": np.arange(12.0).reshape(4, 3), "loose": np.array([True, False, True, True])}


def test_columns_come_back(tmp_path):
    write_table(tmp_path / "table.npz", "abc", COLUMNS)
    found = Table(tmp_path / "table.npz")
    assert found.keys() == COLUMNS.keys()
    for name, values in COLUMNS.items():
        np.testing.assert_array_equal(found[name], values)


def test_what_it_was_made_from_tells_it(tmp_path):
    path = tmp_path / "table.npz"
    assert not is_made_from(path, "abc")
    write_table(path, "abc", COLUMNS)
    assert is_made_from(path, "abc")
    assert not is_made_from(path, "abd")


def test_one_that_does_not_name_its_columns_is_of_an_earlier_version(tmp_path):
    path = tmp_path / "table.npz"
    np.savez(path, key=np.array("abc"), **COLUMNS)
    assert not is_made_from(path, "abc")
    with pytest.raises(DamagedError, match="remove it, and give the same command again"):
        Table(path)


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: b"", lambda data: b"x"])
def test_damage_is_told(tmp_path, damage):
    path = tmp_path / "table.npz"
    write_table(path, "abc", COLUMNS)
    path.write_bytes(damage(path.read_bytes()))
    assert not is_made_from(path, "abc")
    with pytest.raises(DamagedError, match="remove it, and give the same command again"):
        dict(Table(path))


def test_a_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "table.npz"
    write_table(path, "abc", COLUMNS)
    flip(path, at=path.read_bytes().index(np.float64(5.0).tobytes()))
    with pytest.raises(DamagedError):
        dict(Table(path))


def test_whatever_bit_is_changed_columns_are_right_or_refused(tmp_path):
    path = tmp_path / "table.npz"
    write_table(path, "abc", COLUMNS)
    sound, refused = path.read_bytes(), 0
    for bit in range(8 * len(sound)):
        data = bytearray(sound)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        sound_key = is_made_from(path, "abc")
        try:
            found = dict(Table(path))
        except DamagedError:
            refused += 1
            continue
        assert sound_key
        assert list(found) == list(COLUMNS)
        for name, values in found.items():
            np.testing.assert_array_equal(values, COLUMNS[name])
    assert refused > 2 * len(sound)


def test_objects_are_not_read(tmp_path):
    path = tmp_path / "table.npz"
    np.savez(path, key=np.array("abc"), bad=np.array([{}], dtype=object))
    with pytest.raises(DamagedError):
        dict(Table(path))


def test_a_column_is_read_without_the_others(tmp_path):
    path = tmp_path / "table.npz"
    write_table(path, "abc", COLUMNS)
    flip(path, at=path.read_bytes().index(np.float64(5.0).tobytes()))
    table = Table(path)
    assert set(table) == set(COLUMNS)
    assert "features" in table
    assert "key" not in table
    np.testing.assert_array_equal(table["loose"], COLUMNS["loose"])
    with pytest.raises(DamagedError):
        table["features"]
    with pytest.raises(KeyError):
        table["tight"]


def test_tables_are_joined_row_after_row_one_column_at_a_time(tmp_path):
    paths = [tmp_path / f"{number}.npz" for number in range(3)]
    for number, path in enumerate(paths):
        write_table(
            path, "abc", {"rows": np.full((number + 1, 2), number), "one": np.arange(number)}
        )
    joined = Joined([Table(path) for path in paths], {"glass": np.arange(6)})
    assert list(joined) == ["rows", "one", "glass"]
    assert len(joined) == 3
    np.testing.assert_array_equal(joined["glass"], np.arange(6))
    np.testing.assert_array_equal(joined["rows"], [[0, 0], *[[1, 1]] * 2, *[[2, 2]] * 3])
    write_table(tmp_path / "all.npz", "all", joined)
    np.testing.assert_array_equal(Table(tmp_path / "all.npz")["one"], [0, 0, 1])


def test_numpy_reads_it(tmp_path):
    write_table(tmp_path / "table.npz", "abc", COLUMNS)
    with np.load(tmp_path / "table.npz") as found:
        assert found["key"].tolist() == ["abc", *COLUMNS]
        np.testing.assert_array_equal(found["features"], COLUMNS["features"])


def test_what_can_not_be_written_leaves_what_is_there(tmp_path):
    path = tmp_path / "table.npz"
    write_table(path, "abc", COLUMNS)
    with pytest.raises(ValueError, match="Object arrays"):
        write_table(path, "abd", {**COLUMNS, "bad": np.array([{}], dtype=object)})
    assert is_made_from(path, "abc")
    assert list(tmp_path.iterdir()) == [path]
