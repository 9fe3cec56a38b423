"""Rendered tiles, kept under the tag of the data that they were made from.

A tag names its data, so an entry is never wrong, only of no use any more. Each process keeps the ones asked for last
in its memory; files below the data folder are shared by all workers and outlive them. Only what the public sees is
ever kept. A file that cannot be written or read is a tile that is made again.
"""

import os
import secrets
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock

MEMORY_BYTES = 4 * 2**20
"""Of a process: what all ask for again and again. Other files the system keeps in its own memory."""
FOLDER_BYTES = 2 * 2**20
"""Room of one of the 256 folders: half a gigabyte in all."""
SWEEP_EVERY = 32


class TileCache:
    """``folder`` None: in memory alone."""

    def __init__(self, folder: Path | None = None, *, memory: int = MEMORY_BYTES, room: int = FOLDER_BYTES) -> None:
        self._folder = folder
        self._memory = memory
        self._room = room
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, tag: str) -> bytes | None:
        with self._lock:
            if tag in self._held:
                self._held.move_to_end(tag)
                return self._held[tag]
        try:
            body = None if self._folder is None else self._file(self._folder, tag).read_bytes()
        except OSError:
            return None
        if body is not None:
            self._remember(tag, body)
        return body

    def put(self, tag: str, body: bytes) -> None:
        self._remember(tag, body)
        if self._folder is None:
            return
        file = self._file(self._folder, tag)
        making = file.with_name(f".{secrets.token_hex(8)}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # Complete or not at all: others read it as soon as it has its name.
            making.write_bytes(body)
            making.rename(file)
            if not secrets.randbelow(SWEEP_EVERY):
                self.sweep(file.parent)
        except OSError:
            with suppress(OSError):
                making.unlink(missing_ok=True)

    def sweep(self, folder: Path) -> None:
        """Keep the newest files of a folder that there is room for."""
        found = []
        with os.scandir(folder) as entries:
            for entry in entries:
                seen = entry.stat()
                found.append((seen.st_mtime_ns, seen.st_size, entry.path))
        size = 0
        for _, bytes_, path in sorted(found, reverse=True):
            size += bytes_
            if size > self._room:
                Path(path).unlink(missing_ok=True)

    def _remember(self, tag: str, body: bytes) -> None:
        with self._lock:
            if tag in self._held:
                return
            self._held[tag] = body
            self._size += len(body)
            while self._size > self._memory:
                self._size -= len(self._held.popitem(last=False)[1])

    @staticmethod
    def _file(folder: Path, tag: str) -> Path:
        return folder / tag[:2] / tag[2:]
