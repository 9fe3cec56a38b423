from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from geoapp.config import shipped
from geoapp.errors import ServerTrouble, Unavailable
from geoapp.store import schema, session

FILL = """
INSERT INTO category (code, path, kind) VALUES ('C01', '{C01}', 'component');
INSERT INTO place (kind, code) VALUES ('community', 'one');
INSERT INTO unit (code) VALUES ('U1');
INSERT INTO issue (id, number, category_code, title, severity, privacy, source, geom, public_geom, placed_by, state,
                   level, reported_at, updated_at, community_verdict, verdict, judged_on)
VALUES (gen_random_uuid(), 'QJ-2026-000001', 'C01', 'a lamp', 2, 'public', 'import',
        ST_SetSRID(ST_MakePoint(106.6, 29.0), 4326), ST_SetSRID(ST_MakePoint(106.6, 29.0), 4326), 'import', 'reported',
        'community', now(), now(), 'clear', 'orphan', '2026-11-24');
INSERT INTO history (issue_id, seq, at, action) SELECT id, 1, now(), 'report' FROM issue;
"""


@pytest.fixture
def fresh(empty_database):
    engine = session.connect(empty_database(f"fresh_{uuid4().hex[:8]}"))
    yield engine
    session.disconnect()


def test_the_tables_are_what_the_models_say(database):
    assert schema.at_head(database)
    assert schema.differences(database) == []


def test_a_missing_column_is_noticed(fresh):
    schema.migrate(fresh)
    with fresh.begin() as connection:
        connection.execute(text("ALTER TABLE unit DROP COLUMN phone"))

    assert any("phone" in line for line in schema.differences(fresh))


def test_up_down_and_up_again_works_on_a_filled_database(fresh):
    went_up = schema.migrate(fresh)
    with fresh.begin() as connection:
        connection.execute(text(FILL))
    schema.downgrade(fresh, "base")
    empty = schema.at_head(fresh)
    again = schema.migrate(fresh)

    assert (went_up, empty, again) == (True, False, True)
    assert schema.differences(fresh) == []


def test_a_database_that_is_up_to_date_is_left_alone(fresh):
    schema.migrate(fresh)

    assert not schema.migrate(fresh)


def test_a_database_of_a_newer_app_is_refused(fresh):
    schema.migrate(fresh)
    with fresh.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ServerTrouble, match="newer version"):
        schema.migrate(fresh)


def test_the_versions_of_server_and_postgis_are_told(database):
    server, postgis = schema.versions(database)

    assert int(server.split(".")[0]) >= 15
    assert postgis.startswith("3.")


def test_a_database_that_does_not_answer_is_unavailable(tmp_path):
    nobody = session.connect(f"postgresql://geoapp@/geoapp?host={tmp_path}")

    with pytest.raises(Unavailable, match="does not answer"):
        schema.at_head(nobody)
    session.disconnect()


@pytest.mark.parametrize("file", sorted((shipped("migrations") / "versions").glob("*.py")), ids=lambda file: file.stem)
def test_a_migration_is_named_by_its_number_and_what_it_does(file: Path):
    number, _, words = file.stem.partition("_")

    assert len(number) == 4
    assert number.isdigit()
    assert words
    assert f"revision = '{number}'" in file.read_text().replace('"', "'")
