import os
import shutil
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from geoapp import pgprograms, pgserver
from geoapp.config import Settings
from geoapp.errors import ServerTrouble

pytestmark = pytest.mark.server


def ask(url: str, question: str) -> str:
    with psycopg.connect(url) as connection:
        return str(connection.execute(question).fetchone()[0])


def sleep_for_a_minute(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error):
        connection.execute("SELECT pg_sleep(60)")


def trouble(settings: Settings, **more: object) -> str:
    began = time.monotonic()
    with pytest.raises(ServerTrouble) as caught:
        pgserver.start(settings, **more)
    assert time.monotonic() - began < 5
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_server_is_made_started_found_and_stopped(place):
    before = pgserver.status(place)

    url = pgserver.start(place)
    again = pgserver.start(place)
    during = pgserver.status(place)
    stopped = pgserver.stop(place)

    assert (before.running, during.running, pgserver.status(place).running) == (False, True, False)
    assert url == again == during.url
    assert stopped
    assert not pgserver.stop(place)


def test_what_was_committed_is_on_the_disk_and_only_a_closed_socket_leads_in(place):
    url = pgserver.start(place)

    shown = {
        name: ask(url, f"SHOW {name}")
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums", "listen_addresses")
    }
    encoding = ask(url, "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate FROM pg_database LIMIT 1")

    assert shown == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "",
    }
    assert encoding == "UTF8 C.UTF-8"
    assert (place.data_dir / "socket").stat().st_mode & 0o777 == 0o700
    assert (place.data_dir / "pg").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_as_root_the_server_runs_as_user_postgres(place):
    pgserver.start(place, fast=True)

    process = Path("/proc", str(pgserver.status(place).pid))

    assert process.owner() == "postgres"


@pytest.mark.skipif(os.geteuid() != 0, reason="root's home is closed to others")
def test_a_folder_that_user_postgres_cannot_enter_is_refused_by_name(place):
    place.data_dir.mkdir(mode=0o700)

    said = trouble(replace(place, data_dir=place.data_dir / "below"))

    assert f"cannot enter {place.data_dir}" in said


def test_after_kill_9_the_next_start_recovers_and_nothing_committed_is_lost(place):
    url = pgserver.start(place)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    os.kill(pgserver.status(place).pid, signal.SIGKILL)
    pgserver.start(place)

    assert ask(url, "SELECT answer FROM kept") == "42"


def test_a_busy_child_of_a_killed_server_is_ended_before_the_next_start(place):
    url = pgserver.start(place, fast=True)
    sleeper = psycopg.connect(url)
    threading.Thread(target=sleep_for_a_minute, args=(sleeper,)).start()
    time.sleep(0.2)

    os.kill(pgserver.status(place).pid, signal.SIGKILL)
    pgserver.start(place, fast=True)

    assert ask(url, "SELECT 1") == "1"
    sleeper.close()


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(place):
    pgserver.start(place, fast=True)
    pid_file = place.data_dir / "pg" / "postmaster.pid"
    told = pid_file.read_text()
    pgserver.stop(place)
    pid_file.write_text("\n".join([str(os.getpid()), *told.split("\n")[1:]]))

    url = pgserver.start(place, fast=True)

    assert ask(url, "SELECT 1") == "1"


def test_two_folders_hold_two_servers(place):
    other = replace(place, data_dir=place.data_dir.parent / "other")

    first, second = pgserver.start(place, fast=True), pgserver.start(other, fast=True)

    assert ask(first, "SHOW data_directory") != ask(second, "SHOW data_directory")
    pgserver.stop(other)
    assert ask(first, "SELECT 1") == "1"


def test_simultaneous_starts_make_one_server(place):
    urls = []
    threads = [threading.Thread(target=lambda: urls.append(pgserver.start(place, fast=True))) for _ in range(3)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert urls == [pgserver.status(place).url] * 3


def test_the_last_user_of_a_server_stops_it(place):
    with pgserver.running(place):
        with pgserver.running(place):
            pass
        between = pgserver.status(place).running

    assert between
    assert not pgserver.status(place).running


def test_a_database_of_another_version_is_refused_with_both_versions(place):
    folder = place.data_dir / "pg"
    folder.mkdir(parents=True)
    place.data_dir.chmod(0o755)
    (folder / "PG_VERSION").write_text("9.6\n")

    said = trouble(place)

    assert "made by PostgreSQL 9" in said
    assert str(pgprograms.find_programs()[0].version) in said


def test_a_socket_path_that_is_too_long_is_refused_with_what_to_set(place):
    said = trouble(replace(place, data_dir=place.data_dir / ("x" * 80)))

    assert "more than 107" in said
    assert "GEOAPP_DATA_DIR" in said


def test_a_full_disk_is_told_before_anything_is_made(place, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 2**20, 2**20))

    said = trouble(place)

    assert "the disk is full" in said
    assert not (place.data_dir / "pg").exists()


def test_a_disk_that_fills_up_later_is_recognised_in_the_servers_words():
    said = pgserver._reason('FATAL:  could not write lock file "postmaster.pid": No space left on device\n', "failed")

    assert said.startswith("the disk is full")


def test_missing_postgresql_is_told(place):
    assert "is not installed" in trouble(place, search=[])


def test_missing_postgis_names_the_package(place, tmp_path):
    real = pgprograms.find_programs()[0]
    folder = tmp_path / "lib" / "postgresql" / str(real.version) / "bin"
    shutil.copytree(real.bin, folder, symlinks=False)
    (tmp_path / "share" / "postgresql" / str(real.version) / "extension").mkdir(parents=True)

    said = trouble(place, search=[folder])

    assert f"postgresql-{real.version}-postgis-3" in said


def test_with_a_database_of_ones_own_no_private_server_is_touched(place):
    theirs = replace(place, database_url="postgresql://they@example.invalid/theirs")

    with pgserver.running(theirs) as url:
        assert url == theirs.database_url
    assert pgserver.start(theirs) == theirs.database_url
    assert not pgserver.stop(theirs)
    assert not pgserver.status(theirs).private
    assert not place.data_dir.exists()


def test_a_broken_attempt_to_make_a_database_leaves_nothing_in_its_place(place):
    real = pgprograms.find_programs()[0]
    folder = place.data_dir.parent / "bin"
    folder.mkdir(mode=0o755)
    for name in ("postgres", "pg_ctl", "psql", "pg_config"):
        (folder / name).symlink_to(real.bin / name)
    (folder / "initdb").write_text("#!/bin/sh\necho 'initdb: error: it broke' >&2\nexit 1\n")
    (folder / "initdb").chmod(0o755)

    said = trouble(place, search=[folder])

    assert said == "PostgreSQL says: it broke"
    assert sorted(file.name for file in place.data_dir.iterdir()) == ["postgres.log", "socket", "start.lock"]
