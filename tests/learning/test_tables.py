"""A table is whole, or it is not there."""

import numpy as np
import pytest

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.tables import is_made_from, read_table, write_table

COLUMNS = {"features": np.arange(12.0).reshape(4, 3), "loose": np.array([True, False, True, True])}


def test_columns_come_back(tmp_path):
    write_table(tmp_path / "table.npz", "abc", COLUMNS)
    found = read_table(tmp_path / "table.npz")
    assert found.keys() == COLUMNS.keys()
    for name, values in COLUMNS.items():
        np.testing.assert_array_equal(found[name], values)


def test_what_it_was_made_from_tells_it(tmp_path):
    path = tmp_path / "table.npz"
    assert not is_made_from(path, "abc")
    write_table(path, "abc", COLUMNS)
    assert is_made_from(path, "abc")
    assert not is_made_from(path, "abd")


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: b"", lambda data: b"x"])
def test_damage_is_told(tmp_path, damage):
    path = tmp_path / "table.npz"
    write_table(path, "abc", COLUMNS)
    path.write_bytes(damage(path.read_bytes()))
    assert not is_made_from(path, "abc")
    with pytest.raises(DamagedError, match="remove it, and give the same command again"):
        read_table(path)


def test_a_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "table.npz"
    write_table(path, "abc", COLUMNS)
    data = bytearray(path.read_bytes())
    data[data.index(np.float64(5.0).tobytes())] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError):
        read_table(path)


def test_objects_are_not_read(tmp_path):
    path = tmp_path / "table.npz"
    np.savez(path, key=np.array("abc"), bad=np.array([{}], dtype=object))
    with pytest.raises(DamagedError):
        read_table(path)
