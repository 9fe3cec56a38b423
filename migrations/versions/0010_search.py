"""Search: the grams of what the public may read of an issue, and of the rest, each with an index."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The rule of geoapp.domain.bigrams. It may use only what PostgreSQL itself brings: a dump is restored with an
# empty search path. The high cost keeps the planner from reading row after row where the index can tell.
# array_to_tsvector sorts and stores; no dictionary is asked. Why not text[]? Only a tsvector finds beginnings,
# and without them single signs and parts of words need grams of their own: twice as many in all.
GRAMS = """
CREATE FUNCTION search_grams(words text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000
AS $$
DECLARE
    folded text := lower(normalize(words, NFKC) COLLATE "C");
    gaps text := U&'[\\0001-\\00bf\\2000-\\206f\\3000-\\3004\\3008-\\303f\\30fb\\fe00-\\fe0f]+';
    signs text[] := string_to_array(regexp_replace(folded, gaps, ' ', 'g'), NULL);
BEGIN
    IF length(folded) > 200 THEN
        folded := regexp_replace(folded, '([0-9a-z]{200})', '\\1 ', 'g');
    END IF;
    RETURN array_to_tsvector(
        array_remove(string_to_array(regexp_replace(folded, '[^0-9a-z]+', ' ', 'g'), ' '), '')
        || ARRAY(SELECT CASE WHEN second <> ' ' THEN first || second ELSE first END
                 FROM unnest(signs, signs[2:]) AS pair (first, second) WHERE first <> ' ')
    );
END $$
"""
FOLD = """
CREATE FUNCTION search_fold(words text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(normalize(words, NFKC) COLLATE "C")
"""
# Lines keep the parts apart: no term has a line break, so none is found across two of them. A number is also
# found by its last part without zeros, as people tell it.
GIVEN = "number varchar, title varchar, text text, address text, released boolean, privacy varchar"
NUMBER = "number || chr(10) || ltrim(split_part(number, '-', 3), '0')"
PUBLIC = f"""
CREATE FUNCTION issue_public_words({GIVEN}) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN privacy = 'private' THEN '' WHEN NOT released THEN {NUMBER}
            WHEN privacy = 'public' THEN {NUMBER} || chr(10) || title || chr(10) || text || chr(10) || address
            ELSE {NUMBER} || chr(10) || title || chr(10) || text END
"""
HIDDEN = f"""
CREATE FUNCTION issue_hidden_words({GIVEN}) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN privacy = 'private' THEN {NUMBER} || chr(10) || title || chr(10) || text || chr(10) || address
            WHEN NOT released THEN title || chr(10) || text || chr(10) || address
            WHEN privacy = 'public' THEN '' ELSE address END
"""
TYPES = "varchar, varchar, text, text, boolean, varchar"
COLUMNS = "number, title, text, address, text_released, privacy"


def upgrade() -> None:
    for function in (GRAMS, FOLD, PUBLIC, HIDDEN):
        op.execute(function)
    # Both at once: each would rewrite the table.
    both = ", ".join(
        f"ADD COLUMN {part}_grams tsvector NOT NULL "
        f"GENERATED ALWAYS AS (search_grams(issue_{part}_words({COLUMNS}))) STORED"
        for part in ("public", "hidden")
    )
    op.execute(f"ALTER TABLE issue {both}")
    for part in ("public", "hidden"):
        op.create_index(f"ix_issue_{part}_grams", "issue", [f"{part}_grams"], postgresql_using="gin")


def downgrade() -> None:
    for part in ("hidden", "public"):
        op.drop_index(f"ix_issue_{part}_grams", table_name="issue", postgresql_using="gin")
        op.drop_column("issue", f"{part}_grams")
        op.execute(f"DROP FUNCTION issue_{part}_words({TYPES})")
    op.execute("DROP FUNCTION search_fold(text)")
    op.execute("DROP FUNCTION search_grams(text)")
