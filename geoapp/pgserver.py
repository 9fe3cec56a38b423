"""The private PostgreSQL: made, started, looked at and stopped. It knows nothing about tables.

The files lie in ``<data_dir>/pg``, the only way in is a unix socket in ``<data_dir>/socket``, and both
folders are closed (0700), which is why the socket asks for no password. Whether a server lives is
read from ``/proc`` and never from its pid file: after ``kill -9`` that file names a zombie or a stranger.
"""

import errno
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from geoapp.config import Settings
from geoapp.errors import ServerTrouble
from geoapp.pgprograms import OLDEST, Programs, find_programs

NAME = "geoapp"
PORT = 5432
SOCKET_PATH_BYTES = 107
ROOM_TO_MAKE = 200 * 2**20
ROOM_TO_START = 64 * 2**20
"""Free bytes without which we do not even try: an empty database takes 40 MB, each WAL segment 16 MB."""
START_S = 120
"""Recovery after a crash replays at most ``max_wal_size``; on a slow disk that is still below two minutes."""
RESERVED = 3
"""Connections that PostgreSQL keeps for a superuser."""
LOG_BYTES = 10 * 2**20
PROCESS_NAMES = {"postgres\n", "postmaster\n"}


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What is there now. ``version`` is that of the files; ``private`` is False with GEOAPP_DATABASE_URL."""

    private: bool
    running: bool
    pid: int | None
    data_dir: Path
    version: int | None
    url: str


def start(settings: Settings, *, fast: bool = False, search: Sequence[Path] | None = None) -> str:
    """The address of a running server, made and started when needed; raises ServerTrouble in one sentence.

    ``fast`` gives up durability for tests. ``search`` names folders of programs instead of the machine's.
    """
    if not settings.private:
        return settings.database_url
    home = _Home(settings.data_dir)
    home.check_socket_path()
    programs = _programs_for(home, find_programs(search))
    home.open()
    with _lock(home.root / "start.lock"):
        if _postmaster(home.pg) is None:
            _check_room(home)
            if not home.version_file.is_file():
                _make(home, programs, fast=fast)
            _clear_wreck(home)
            _launch(home, programs, _configuration(settings, home, fast=fast))
        _make_database(home, programs)
    return home.url


def stop(settings: Settings) -> bool:
    """Stop the private server; False when none was running."""
    if not settings.private or not settings.data_dir.is_dir():
        return False
    home = _Home(settings.data_dir)
    with _lock(home.root / "start.lock"):
        pid = _postmaster(home.pg)
        if pid is not None:
            # SIGINT is the "fast" shutdown: it ends what is open and writes a checkpoint.
            os.kill(pid, signal.SIGINT)
            _wait(lambda: not _living(home.pg), 30)
        _end_orphans(home.pg)
    return pid is not None


def status(settings: Settings) -> ServerStatus:
    home = _Home(settings.data_dir)
    if not settings.private:
        return ServerStatus(False, False, None, home.root, None, settings.database_url)  # noqa: FBT003 - a record
    pid = _postmaster(home.pg)
    return ServerStatus(True, pid is not None, pid, home.root, home.version(), home.url)  # noqa: FBT003


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """The address of a server that runs as long as somebody is in here; the last one out stops it.

    The commands of one clone share it by a lock that the system gives back even after ``kill -9``.
    """
    if not settings.private:
        yield settings.database_url
        return
    _Home(settings.data_dir).open()
    with (settings.data_dir / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield start(settings)
        finally:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                stop(settings)


def _programs_for(home: "_Home", found: list[Programs]) -> Programs:
    if not found:
        raise ServerTrouble(
            f"PostgreSQL {OLDEST} or newer is not installed: install postgresql and its PostGIS package"
        )
    made_by = home.version()
    fitting = [programs for programs in found if made_by in (None, programs.version)]
    if not fitting:
        have = ", ".join(str(programs.version) for programs in found)
        raise ServerTrouble(
            f"the database in {home.pg} was made by PostgreSQL {made_by}, but this machine has {have}: "
            f"install postgresql-{made_by}, or choose another GEOAPP_DATA_DIR"
        )
    best = fitting[0]
    if not best.postgis:
        raise ServerTrouble(f"PostGIS is missing: install postgresql-{best.version}-postgis-3")
    return best


class _Home:
    """The folders of one server, and the user who owns them: ours, or ``postgres`` when we are root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pg = root / "pg"
        self.socket = root / "socket"
        self.log = root / "postgres.log"
        self.version_file = self.pg / "PG_VERSION"
        self.url = f"postgresql://{NAME}@/{NAME}?host={quote(str(self.socket), safe='/')}"

    def version(self) -> int | None:
        try:
            return int(self.version_file.read_text().split(".")[0])
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise ServerTrouble(f"{self.version_file} cannot be read: {error}") from None

    def check_socket_path(self) -> None:
        """The system takes no longer path, and the server's own complaint would blame something else."""
        length = len(os.fsencode(self.socket / f".s.PGSQL.{PORT}"))
        if length > SOCKET_PATH_BYTES:
            raise ServerTrouble(
                f"the path of the socket in {self.socket} has {length} bytes, more than {SOCKET_PATH_BYTES}: "
                "set GEOAPP_DATA_DIR to a shorter path"
            )

    def open(self) -> None:
        """Make the folders that are missing, each with the rights that it needs whatever the umask is."""
        owner = self.owner()
        try:
            there = next(folder for folder in (self.root, *self.root.parents) if folder.is_dir())
            if owner and subprocess.run(["/usr/bin/test", "-x", there], check=False, **self.as_owner()).returncode:
                raise ServerTrouble(
                    f"user {owner.pw_name} cannot enter {there}: set GEOAPP_DATA_DIR to a folder "
                    "that is not below a closed one"
                )
            for folder in (*reversed(self.root.parents), self.root):
                if not folder.is_dir():
                    # Another start may make it between the look and the deed.
                    folder.mkdir(exist_ok=True)
                    folder.chmod(0o755 if owner else 0o700)
            self.socket.mkdir(exist_ok=True)
            self.log.touch()
            if owner:
                os.chown(self.socket, owner.pw_uid, owner.pw_gid)
                os.chown(self.log, owner.pw_uid, owner.pw_gid)
            self.socket.chmod(0o700)
            self.log.chmod(0o600)
        except OSError as error:
            why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
            raise ServerTrouble(f"GEOAPP_DATA_DIR {self.root} cannot be used: {why} ({error.filename})") from None

    @staticmethod
    def owner() -> pwd.struct_passwd | None:
        """PostgreSQL refuses to run as root, so root hands everything to the user of Debian's package."""
        if os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam("postgres")
        except KeyError:
            raise ServerTrouble("as root, the server needs a user named postgres: install PostgreSQL") from None

    def as_owner(self) -> dict[str, Any]:
        owner = self.owner()
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}


def _make(home: _Home, programs: Programs, *, fast: bool) -> None:
    """Make an empty database beside the place and move it there, so that a broken attempt leaves none."""
    making = home.root / "pg.making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    if owner := home.owner():
        os.chown(making, owner.pw_uid, owner.pw_gid)
    words = [
        "--username",
        NAME,
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--no-instructions",
    ]
    words += ["--auth-local=trust", "--auth-host=reject", *(["--no-sync"] if fast else [])]
    try:
        _run(home, programs, "initdb", "--pgdata", str(making), *words)
        with (making / "postgresql.conf").open("a") as conf:
            conf.write("\n# Written anew at each start; lines below this one win over it.\ninclude = 'geoapp.conf'\n")
    except ServerTrouble:
        shutil.rmtree(making, ignore_errors=True)
        raise
    shutil.rmtree(home.pg, ignore_errors=True)
    making.rename(home.pg)


def _configuration(settings: Settings, home: _Home, *, fast: bool) -> str:
    """Settings of the server for this machine; a commit is on the disk before anybody is told of it."""
    megabytes = _memory_bytes() // 2**20
    values = {
        "listen_addresses": "''",
        "unix_socket_directories": f"'{_quoted(home.socket)}'",
        "unix_socket_permissions": "0700",
        "port": PORT,
        "max_connections": max(40, settings.connections + RESERVED),
        "shared_buffers": f"{min(megabytes // 4, 2048)}MB",
        "effective_cache_size": f"{megabytes // 2}MB",
        "maintenance_work_mem": f"{min(max(megabytes // 16, 16), 512)}MB",
        "random_page_cost": "1.1",
        "synchronous_commit": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "max_wal_size": "1GB",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "log_line_prefix": "'%m [%p] '",
    }
    if fast:
        off = dict.fromkeys(("synchronous_commit", "fsync", "full_page_writes"), "off")
        values |= off | {"shared_buffers": f"{min(megabytes // 8, 256)}MB"}
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace("'", "''")


def _memory_bytes() -> int:
    """The machine's memory, or the container's if that is less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(whole, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        return whole


def _launch(home: _Home, programs: Programs, configuration: str) -> None:
    if home.log.stat().st_size > LOG_BYTES:
        home.log.write_bytes(home.log.read_bytes()[-LOG_BYTES // 10 :])
    before = home.log.stat().st_size
    try:
        (home.pg / "geoapp.conf").write_text(configuration)
        wait = ("--silent", "--wait", "--timeout", str(START_S))
        _run(home, programs, "pg_ctl", "start", *wait, "--pgdata", str(home.pg), "--log", str(home.log))
    except OSError as error:
        raise ServerTrouble(f"{error.filename} cannot be written: {error.strerror}") from None
    except ServerTrouble as trouble:
        with home.log.open(errors="replace") as log:
            log.seek(before)
            raise ServerTrouble(_reason(log.read(), str(trouble))) from None


def _make_database(home: _Home, programs: Programs) -> None:
    ask = ("--no-psqlrc", "--tuples-only", "--no-align", "--host", str(home.socket), "--username", NAME)
    known = _run(home, programs, "psql", *ask, "--dbname=postgres", "--command", "SELECT datname FROM pg_database")
    if NAME not in known.split():
        _run(home, programs, "psql", *ask, "--dbname=postgres", "--command", f"CREATE DATABASE {NAME}")


def _run(home: _Home, programs: Programs, name: str, *words: str) -> str:
    """The output of a program of PostgreSQL; what it complains about becomes one sentence."""
    # PGHOST, PGOPTIONS and their kin in the caller's environment would send us to somebody else's server.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    env |= {"LC_ALL": "C.UTF-8", "HOME": str(home.root)}
    done = subprocess.run(
        [programs.bin / name, *words],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        env=env,
        **home.as_owner(),
    )
    if done.returncode:
        raise ServerTrouble(_reason(done.stderr, f"{name} failed"))
    return str(done.stdout)


def _reason(told: str, otherwise: str) -> str:
    if "No space left on device" in told:
        return "the disk is full: PostgreSQL could not write"
    for mark in ("PANIC:", "FATAL:", "error:"):
        lines = [line.partition(mark)[2].strip() for line in told.splitlines() if mark in line]
        if lines:
            return f"PostgreSQL says: {lines[-1]}"
    return otherwise


def _check_room(home: _Home) -> None:
    made = home.version_file.is_file()
    free, needed = shutil.disk_usage(home.root).free, ROOM_TO_START if made else ROOM_TO_MAKE
    if free < needed:
        raise ServerTrouble(
            f"the disk is full: {home.root} has {free // 2**20} MB left, "
            f"the database needs at least {needed // 2**20} MB to start"
        )


def _clear_wreck(home: _Home) -> None:
    """Take away what a killed server left: its last children, then the files that say it still runs.

    PostgreSQL trusts those files as long as any process has that number, even a zombie or a stranger
    after a restart of the machine. We know better: nothing lives in the data folder.
    """
    _wait(lambda: not _living(home.pg), 5)
    _end_orphans(home.pg)
    for left in (home.pg / "postmaster.pid", home.socket / f".s.PGSQL.{PORT}.lock"):
        left.unlink(missing_ok=True)


def _end_orphans(pg: Path) -> None:
    """End the server's processes, politely first: a child that outlives its server still holds its memory."""
    for request in (signal.SIGQUIT, signal.SIGKILL):
        for pid in _living(pg):
            with suppress(ProcessLookupError):
                os.kill(pid, request)
        _wait(lambda: not _living(pg), 5)


def _postmaster(pg: Path) -> int | None:
    """The number of the running server's first process, if it really runs in this folder."""
    try:
        pid = int((pg / "postmaster.pid").read_text().split("\n")[0])
    except (OSError, ValueError):
        return None
    return pid if pid in _living(pg) else None


def _living(pg: Path) -> list[int]:
    """PostgreSQL's processes that work in this folder; a zombie has no working folder any more."""
    place, found = pg.resolve(), []
    for entry in Path("/proc").glob("[0-9]*"):
        # A process may end while we look at it, and those of other users are closed to us.
        with suppress(OSError):
            if (entry / "cwd").readlink() == place and (entry / "comm").read_text() in PROCESS_NAMES:
                found.append(int(entry.name))
    return found


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """One at a time: the second of two simultaneous starts finds the server running."""
    try:
        with file.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield
    except PermissionError:
        raise ServerTrouble(f"{file} cannot be written: it belongs to another user") from None
