"""A manifest reads back as it was written, or not at all."""

import json
import random

import pytest

from glasscreep.tasks.errors import DamagedError
from glasscreep.tasks.manifest import MANIFEST, FileStamp, Manifest, encode_manifest, read_manifest

FULL = Manifest(
    kind="run",
    id="0123456789abcdef",
    attempt=3,
    step=120_000,
    frames=12,
    flushed=0,
    checkpoint=FileStamp("checkpoint-3-120000.restart", 880_000, 123),
    journals=(
        FileStamp("journal-3-0-0.bin", 3_240_000, 4_000_000_000),
        FileStamp("journal-3-0-1.bin", 240_000, 0),
    ),
    unrelaxed=(1, 7),
)


@pytest.mark.parametrize("manifest", [FULL, Manifest("glass", "ab", done=True)])
def test_round_trip(tmp_path, manifest):
    (tmp_path / MANIFEST).write_bytes(encode_manifest(manifest))
    assert read_manifest(tmp_path) == manifest


def test_none_where_there_is_none(tmp_path):
    assert read_manifest(tmp_path) is None
    assert read_manifest(tmp_path / "absent") is None


def test_any_flipped_bit_is_found(memory):
    data = encode_manifest(FULL)
    path = memory / MANIFEST
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(DamagedError, match=f"{memory.name} is damaged"):
            read_manifest(memory)


def test_any_lost_end_is_found(memory):
    data = encode_manifest(FULL)
    for length in random.Random(1).sample(range(len(data)), 60):
        (memory / MANIFEST).write_bytes(data[:length])
        with pytest.raises(DamagedError):
            read_manifest(memory)


def test_json_that_is_no_manifest_is_damaged(tmp_path):
    for text in ("[]", "3", "{}", '{"crc32c": 1}'):
        (tmp_path / MANIFEST).write_text(text)
        with pytest.raises(DamagedError):
            read_manifest(tmp_path)


def test_it_is_json_that_a_person_can_read():
    assert json.loads(encode_manifest(FULL))["frames"] == 12
