"""Checkpoints of the dynamics: claimed by one attempt, committed through the manifest."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from glasscreep.tasks.errors import DamagedError, FencedError
from glasscreep.tasks.files import checksum_of_file, storing, sync_directory
from glasscreep.tasks.manifest import MANIFEST, FileStamp, Manifest, encode_manifest, read_manifest
from glasscreep.tasks.scratch import Scratch

COMMITTED_FILES = ("checkpoint-*", "journal-*", "*.partial")


class Checkpoints:
    """Manifest and checkpoint files of one run or glass, held by one attempt.

    Opening claims the directory, fences off earlier attempts and drops the files that they
    left without committing them.

    Parameters
    ----------
    directory : Path
        Directory of the run or glass; made if absent.
    kind : str
        `run` or `glass`.
    physics_id : str
        Identity of the run or glass.
    attempt : int
        Must exceed that of the manifest, else FencedError.
    """

    def __init__(self, directory: Path, kind: str, physics_id: str, attempt: int) -> None:
        self.directory = directory
        self._manifest = Manifest(kind=kind, id=physics_id, attempt=attempt)
        self._make_directory()
        self._refuse_if_newer(read_manifest(directory))
        self.scratch = Scratch(directory, attempt)
        try:
            self._claim()
        except BaseException:
            self.scratch.remove()
            raise

    def close(self) -> None:
        """Give the directory up; nothing can be committed any more."""
        self.scratch.remove()

    @property
    def manifest(self) -> Manifest:
        """What is committed."""
        return self._manifest

    def replace_manifest(self, **changes: Any) -> None:
        """Commit: replace the manifest, unless another attempt has claimed it."""
        on_disk = read_manifest(self.directory)
        if on_disk is None or on_disk.attempt != self._manifest.attempt:
            found = "no manifest" if on_disk is None else f"attempt {on_disk.attempt}"
            msg = (
                f"attempt {self._manifest.attempt} of {self._manifest.kind} {self._manifest.id} "
                f"found {found} in {self.directory}; it was taken over and stops here"
            )
            raise FencedError(msg)
        self._write(replace(self._manifest, **changes))

    def new_checkpoint(self, step: int) -> Path:
        """Path for the MD engine to write the checkpoint of `step` to."""
        return self.scratch.path / f"checkpoint-{self._manifest.attempt}-{step}.restart.partial"

    def commit_checkpoint(self, step: int, written: Path, *, done: bool = False) -> None:
        """Make a checkpoint the one to go on from, and delete the one before.

        Parameters
        ----------
        step : int
            MD step of the checkpoint.
        written : Path
            The path from `new_checkpoint`, complete.
        done : bool
            Whether nothing is left to do in this directory.
        """
        before = self._manifest.checkpoint
        path = self._free_name(step)
        with self.scratch.guarding(written):
            size, crc = checksum_of_file(written)
        self.scratch.adopt(written, path)
        self.replace_manifest(step=step, checkpoint=FileStamp(path.name, size, crc), done=done)
        if before is not None:
            self.drop(before)

    def verified_checkpoint(self) -> Path:
        """Path of the committed checkpoint, its checksum verified."""
        with self.scratch.unless_fenced():
            return self._verified(self._manifest.checkpoint)

    def drop(self, stamp: FileStamp) -> None:
        """Delete a file that the manifest no longer names."""
        with storing(self.directory / stamp.name):
            (self.directory / stamp.name).unlink(missing_ok=True)

    def _make_directory(self) -> None:
        with storing(self.directory):
            if not self.directory.is_dir():
                self.directory.mkdir(parents=True, exist_ok=True)
                sync_directory(self.directory.parent)

    def _refuse_if_newer(self, known: Manifest | None) -> None:
        if known is None:
            return
        own = self._manifest
        if (known.kind, known.id) != (own.kind, own.id):
            msg = f"{self.directory} holds {known.kind} {known.id}, not {own.kind} {own.id}"
            raise DamagedError(msg)
        if known.attempt >= own.attempt:
            msg = (
                f"{own.kind} {own.id} was claimed by attempt {known.attempt}; "
                f"attempt {own.attempt} comes too late and stops here"
            )
            raise FencedError(msg)

    def _claim(self) -> None:
        # Read again: until its folder was taken away, an earlier attempt could still commit.
        known = read_manifest(self.directory)
        self._refuse_if_newer(known)
        self._write(replace(known or self._manifest, attempt=self._manifest.attempt))
        stamps = (self._manifest.checkpoint, *self._manifest.journals)
        named = {stamp.name for stamp in stamps if stamp is not None}
        with storing(self.directory):
            for pattern in COMMITTED_FILES:
                for path in self.directory.glob(pattern):
                    if path.name not in named:
                        path.unlink(missing_ok=True)

    def _verified(self, stamp: FileStamp | None) -> Path:
        where = f"{self._manifest.kind} {self._manifest.id} in {self.directory}"
        if stamp is None:
            msg = f"{where} has no checkpoint yet"
            raise DamagedError(msg)
        path = self.directory / stamp.name
        if not path.is_file():
            msg = f"{where} has lost its checkpoint {path.name}: the file is not there"
            raise DamagedError(msg)
        if checksum_of_file(path) != (stamp.bytes, stamp.crc32c):
            msg = f"{where}: checkpoint {path.name} is damaged, it does not match its checksum"
            raise DamagedError(msg)
        return path

    def _write(self, manifest: Manifest) -> None:
        self.scratch.write(self.directory / MANIFEST, encode_manifest(manifest))
        self._manifest = manifest

    def _free_name(self, step: int) -> Path:
        """Name of a new checkpoint, never that of the one still committed."""
        stem = f"checkpoint-{self._manifest.attempt}-{step}"
        path = self.directory / f"{stem}.restart"
        committed = self._manifest.checkpoint
        if committed is not None and committed.name == path.name:
            path = self.directory / f"{stem}-next.restart"
        return path
