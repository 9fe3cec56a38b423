import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from geoapp import words
from geoapp.cli import ground, main
from geoapp.config import Settings
from geoapp.domain.values import ImportPhase
from geoapp.services import doctor
from geoapp.store import counts, session
from tests.builders import a_category, an_issue, store

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    "audit verify",
    "boundaries contact",
    "boundaries import",
    *(f"counts {name}" for name in ("check", "rebuild")),
    "demo",
    "doctor",
    "init",
    "issues import",
    "issues judge",
    "issues reckon",
    "layers check",
    "roads import",
    "roads remove",
    *(f"notices {name}" for name in ("list", "retry")),
    *(f"people {name}" for name in ("add", "disable", "email", "enable", "grant", "list", "password", "revoke")),
    "serve",
    "status",
    "stop",
    "version",
    "work",
)


def geoapp(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "geoapp", *words],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def environment(settings: dict[str, str]) -> dict[str, str]:
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("GEOAPP_")}
    return quiet | {f"GEOAPP_{name.upper()}": value for name, value in settings.items()}


@pytest.fixture
def installed(settings: Settings, clean: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:  # noqa: ARG001
    """The command line inside this process, with a migrated database."""
    for name in [name for name in os.environ if name.startswith("GEOAPP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GEOAPP_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("GEOAPP_DATA_DIR", str(settings.data_dir))
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    yield CliRunner()
    for number, former in zip((signal.SIGTERM, signal.SIGHUP), before, strict=True):
        signal.signal(number, former)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command):
    done = geoapp(*command.split(), "--help")

    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_a_bad_setting_is_one_line_and_no_traceback():
    done = geoapp("status", port="eighty")

    assert done.returncode == 1
    assert done.stderr == "geoapp: GEOAPP_PORT: must be a whole number, not 'eighty'\n"
    assert done.stdout == ""


def test_an_unknown_setting_is_named_with_the_known_ones():
    done = geoapp("status", colour="red")

    assert done.returncode == 1
    assert "GEOAPP_COLOUR" in done.stderr
    assert "GEOAPP_PORT" in done.stderr


def test_wrong_usage_exits_with_2():
    assert geoapp("issues", "import").returncode == 2
    assert geoapp("fly").returncode == 2


def test_a_database_that_is_not_there_is_one_line(tmp_path):
    done = geoapp("issues", "judge", database_url=f"postgresql://nobody@/none?host={tmp_path}", data_dir=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.startswith("geoapp: the database does not answer")
    assert done.stderr.count("\n") == 1


def test_a_database_of_another_version_says_which_command_helps(empty_database, tmp_path):
    done = geoapp("serve", "--port", "0", database_url=empty_database("bare"), data_dir=str(tmp_path))

    assert done.returncode == 1
    assert "run `geoapp init`" in done.stderr


def test_init_makes_the_tables_and_a_second_one_finds_them(empty_database, tmp_path):
    settings = {"database_url": empty_database("init"), "data_dir": str(tmp_path)}

    first, second = geoapp("init", **settings), geoapp("init", **settings)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "brought to this version" in first.stdout
    assert "up to date" in second.stdout


def test_judging_again_what_stands_changes_nothing(installed):
    done = installed.invoke(main, ["issues", "judge"])

    assert (done.exit_code, done.output) == (0, "0 verdicts changed.\n")


def test_layers_check_lists_the_layers(installed):
    done = installed.invoke(main, ["layers", "check"])

    assert done.exit_code == 0
    assert "issues: Issues" in done.output


def test_a_wrong_layer_file_is_named_with_its_key(installed, tmp_path, monkeypatch):
    (tmp_path / "bad.toml").write_text("titel = {}\n")
    monkeypatch.setenv("GEOAPP_LAYERS_DIR", str(tmp_path))

    done = installed.invoke(main, ["layers", "check"])

    assert done.exit_code == 1
    assert done.stderr.startswith("geoapp: bad.toml: titel: ")


def test_the_doctor_finds_nothing_wrong_with_a_migrated_database(installed):
    done = installed.invoke(main, ["doctor"], env={"GEOAPP_PORT": "0"})

    assert "✗" not in done.output
    assert done.exit_code == 0


def test_roads_come_in_are_seen_by_the_doctor_and_go_again(installed, tmp_path):
    file = tmp_path / "roads.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"art": "Gasse"},
         "geometry": {"type": "LineString", "coordinates": [[106.65, 29.02], [106.66, 29.02], [106.66, 29.03]]}},
        {"type": "Feature", "properties": {"art": "Kanal"},
         "geometry": {"type": "LineString", "coordinates": [[106.65, 29.02], [106.66, 29.03]]}},
    ]}))  # fmt: skip
    before = installed.invoke(main, ["doctor"], env={"GEOAPP_PORT": "0"})
    bring = ["roads", "import", str(file), "--class", "art", "--as", "Gasse=street"]

    tried = installed.invoke(main, [*bring, "--dry-run", "--json"])
    done = installed.invoke(main, bring)
    seen = installed.invoke(main, ["doctor"], env={"GEOAPP_PORT": "0"})
    gone = installed.invoke(main, ["roads", "remove"])
    nothing = installed.invoke(main, ["roads", "remove"])

    assert "estimates" in before.stdout
    assert json.loads(tried.stdout)["edges"] == 1
    assert "rejected: row 2 : class 'Kanal' is not known" in done.stdout
    assert "2 km in 1 edges" in seen.stdout
    assert gone.stdout == "1 edges removed.\n"
    assert nothing.stdout == "There was no road network.\n"


@pytest.fixture
def a_table(tmp_path, monkeypatch):
    """The words of a command that brings in one issue."""
    a_category()
    monkeypatch.chdir(tmp_path)
    Path("one.csv").write_text("id,opened,type,lon,lat\n1,2026-03-01,road,106.65,29.03\n")
    Path("one.toml").write_text(
        '[source]\nname = "city"\n[columns]\nid = "id"\nreported_at = "opened"\ncategory = "type"\n'
        '[coordinates]\nlon = "lon"\nlat = "lat"\n[categories.values]\nroad = "road"\n'
    )
    return ["issues", "import", "one.csv", "--mapping", "one.toml"]


def test_an_import_tells_each_phase_in_a_line_and_its_report_apart_from_them(installed, a_table):
    done = installed.invoke(main, a_table)

    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines() == [
        "Reading rows …",
        "Judging whose the issues are …",
        "Storing issues …",
        "Counting issues …",
    ]
    assert done.stdout.startswith("read 1 rows")


def test_on_a_terminal_an_import_keeps_one_line(installed, a_table, monkeypatch):
    monkeypatch.setattr(ground, "is_a_terminal", lambda: True)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")

    done = installed.invoke(main, a_table)

    assert done.exit_code == 0, done.output
    assert "Counting issues" in done.stderr
    assert "1 rows" in done.stderr


def test_every_phase_of_an_import_has_its_words():
    assert words.branch("en", "importing").keys() == set(ImportPhase)


@pytest.mark.parametrize("wrong", ["Gasse", "=street", "Gasse=lane"])
def test_a_word_that_is_explained_by_no_class_is_wrong_usage(installed, wrong):
    done = installed.invoke(main, ["roads", "import", __file__, "--as", wrong])

    assert done.exit_code == 2
    assert "WORD=CLASS" in done.output


def test_the_doctor_says_what_to_do_and_exits_with_1(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = geoapp("doctor", data_dir=str(tmp_path / "none"), port=str(taken.getsockname()[1]))

    assert done.returncode == 1
    assert "run `geoapp init`" in done.stdout
    assert "set GEOAPP_PORT to a free port" in done.stdout
    assert not (tmp_path / "none").exists()


def test_counts_are_checked_and_made_anew(installed, settings):
    a_category()
    store(an_issue("1"), an_issue("2"))
    fine = installed.invoke(main, ["counts", "check"])
    session.connect(settings.database_url)
    with session.transaction() as db:
        db.execute(text("UPDATE count_change SET n = 2"))
    wrong = installed.invoke(main, ["counts", "check"])
    session.connect(settings.database_url)
    with session.transaction() as db:
        db.execute(text("UPDATE count_change SET n = 1"))
        counts.fold(db)
        db.execute(text("DELETE FROM count_block WHERE zoom = 9"))
    missing = installed.invoke(main, ["counts", "check"])
    rebuilt = installed.invoke(main, ["counts", "rebuild"])

    assert (fine.exit_code, fine.output) == (0, "All counts are what a recount says.\n")
    assert wrong.exit_code == missing.exit_code == 1
    assert "zoom 9, cell" in missing.output
    assert "Counted 2 issues" in rebuilt.output
    assert installed.invoke(main, ["counts", "check"]).exit_code == 0


def test_a_server_that_could_run_out_of_connections_does_not_begin_and_the_doctor_says_why(installed):
    many = {"GEOAPP_WORKERS": "64", "GEOAPP_THREADS": "64", "GEOAPP_PORT": "0"}
    begun = installed.invoke(main, ["serve"], env=many)
    told = installed.invoke(main, ["doctor"], env=many)

    assert begun.exit_code == 1
    assert "GEOAPP_WORKERS: 64 workers of 64 threads" in begun.output
    assert "✗ Connections" in told.output


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("layers_dir", "nowhere", "Layer files"),
        ("categories_file", "nowhere.toml", "Categories"),
        ("basemap", "not-a-map.pmtiles", "Base map"),
        ("basemap", "absent.mbtiles", "Base map"),
    ],
)
def test_the_doctor_names_each_file_that_is_wrong(settings, tmp_path, name, value, finding):
    (tmp_path / "not-a-map.pmtiles").write_bytes(b"something else")
    broken = type(settings)(
        **{field: getattr(settings, field) for field in settings.__slots__}
        | {name: str(tmp_path / value) if name == "basemap" else tmp_path / value, "port": 0}
    )

    found = doctor.examine(broken, doctor.Server(((15, True),), settings.database_url, running=False))

    assert [one.name for one in found if not one.ok] == [finding]
    assert all(one.advice for one in found if not one.ok)


def test_the_doctor_knocks_at_the_mail_server(settings):
    away = replace(
        settings, port=0, smtp_url="smtp://127.0.0.1:1", mail_from="a@example.org", public_url="https://example.org"
    )

    found = doctor.examine(away, doctor.Server(((15, True),), settings.database_url, running=False))

    assert [one.name for one in found if not one.ok] == ["Mail"]
    assert "127.0.0.1:1" in next(one.saw for one in found if one.name == "Mail")


def test_the_doctor_says_which_package_is_missing(settings):
    private = type(settings)(
        **{field: getattr(settings, field) for field in settings.__slots__} | {"database_url": "", "port": 0}
    )

    found = doctor.examine(private, doctor.Server(((16, False),), None, running=False, trouble="it would not start"))

    advice = {one.name: one.advice for one in found if not one.ok}
    assert "postgresql-16-postgis-3" in advice["PostGIS"]
    assert set(advice) == {"PostGIS", "Database"}


@contextmanager
def serving(settings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A real web server with one worker: its process and address."""
    geoapp("init", **settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "geoapp", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment(settings | {"workers": "1"}),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, process.stdout.readline().split()[4]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def answers(address: str) -> bool:
    with urllib.request.urlopen(f"{address}readyz", timeout=20) as answer:  # noqa: S310 - our own address
        return answer.status == 200


def a_child_of(process: subprocess.Popen[str], *, beside: bool, other_than: int = 0) -> int:
    """A process of the web server itself, or the worker beside it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for pid in {int(pid) for pid in children.read_text().split()} - {other_than}:
            with suppress(OSError):
                if (b"--beside" in Path(f"/proc/{pid}/cmdline").read_bytes()) is beside:
                    return pid
        time.sleep(0.1)
    raise TimeoutError


def is_gone(pid: int) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.server
def test_serve_answers_tells_its_address_and_ends_with_its_server(empty_database, tmp_path):
    settings = {"database_url": empty_database("served"), "data_dir": str(tmp_path)}
    with serving(settings) as (process, address):
        answered = answers(address)
        told = geoapp("status", **settings).stdout
        stopped = geoapp("stop", **settings)
        process.wait(timeout=20)

    assert answered
    assert address in told
    assert address in stopped.stdout
    assert "Web server" not in geoapp("status", **settings).stdout


@pytest.mark.server
@pytest.mark.parametrize("request_", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("beside", [False, True])
def test_a_worker_that_ends_is_replaced_and_takes_nothing_with_it(place, request_, beside):
    # The private server, because a worker that leaves like its parent would stop it.
    settings = {"data_dir": str(place.data_dir)}
    with serving(settings) as (process, address):
        former = a_child_of(process, beside=beside)
        os.kill(former, request_)
        a_child_of(process, beside=beside, other_than=former)
        told = geoapp("status", **settings).stdout
        answered = answers(address)
        geoapp("stop", **settings)

    assert answered
    assert "running, process" in told
    assert address in told


@pytest.mark.server
@pytest.mark.parametrize("end", ["stop", signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_worker_beside_the_web_server_ends_with_it_however_that_ends(place, end):
    settings = {"data_dir": str(place.data_dir)}
    with serving(settings) as (process, _):
        worker = a_child_of(process, beside=True)
        end_of_wait = time.monotonic() + 20
        while "Worker" not in (told := geoapp("status", **settings).stdout) and time.monotonic() < end_of_wait:
            pass
        if end == "stop":
            geoapp("stop", **settings)
        else:
            process.send_signal(end)
        process.wait(timeout=40)

        assert f"Worker:      process {worker}" in told
        assert is_gone(worker)
        # Of a web server that was killed the web workers need a moment to notice, and nobody is the last.
        end_of_wait = time.monotonic() + 20
        while "Web server" in (after := geoapp("status", **settings).stdout) and time.monotonic() < end_of_wait:
            pass
    assert "Worker" not in after
    assert "Web server" not in after
    assert end == signal.SIGKILL or "private server, stopped" in after


@pytest.mark.server
def test_a_worker_apart_is_stopped_too(empty_database, tmp_path):
    settings = {"database_url": empty_database("apart"), "data_dir": str(tmp_path)}
    geoapp("init", **settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "geoapp", "work"], cwd=ROOT, env=environment(settings), stdout=subprocess.PIPE, text=True
    )
    try:
        said = process.stdout.readline()
        stopped = geoapp("stop", **settings)
        code = process.wait(timeout=20)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()

    assert said == "The worker is at work (Ctrl-C stops it)\n"
    assert f"the worker (process {process.pid})" in stopped.stdout
    assert code in {0, 128 + signal.SIGTERM}


def test_what_became_of_the_mail_is_told_and_tried_again(installed, settings):
    listed = installed.invoke(main, ["notices", "list"])
    retried = installed.invoke(main, ["notices", "retry"])

    assert listed.output == "0 wait; 0 failed.\n"
    assert retried.output == "0 will be tried again.\n"
    assert settings.smtp_url == ""


def test_an_address_is_given_and_taken_away(installed):
    installed.invoke(main, ["people", "add", "li"])
    given = installed.invoke(main, ["people", "email", "li", "li@example.org"])
    wrong = installed.invoke(main, ["people", "email", "li", "nobody"])
    taken = installed.invoke(main, ["people", "email", "li"])
    nobody = installed.invoke(main, ["people", "email", "wang", "w@example.org"])

    assert given.output == "li is written to at li@example.org.\n"
    assert wrong.stderr == "geoapp: email: must be an e-mail address such as name@example.org\n"
    assert taken.output == "li is not written to.\n"
    assert nobody.exit_code == 1


@pytest.mark.server
def test_a_port_in_use_is_one_line(empty_database, tmp_path):
    settings = {"database_url": empty_database("port"), "data_dir": str(tmp_path)}
    geoapp("init", **settings)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = geoapp("serve", "--port", port, **settings)

    assert done.returncode == 1
    assert done.stderr == f"geoapp: GEOAPP_PORT: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_web_server_that_died_leaves_no_trace(installed, settings):
    settings.data_dir.mkdir(exist_ok=True)
    (settings.data_dir / "web-1.lock").write_text("1 http://127.0.0.1:1/")

    done = installed.invoke(main, ["status"])

    assert "Web server" not in done.output
    assert list(settings.data_dir.glob("web-*.lock")) == []
