"""Quicker words: the grams of an issue in half the time, and the same as before."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# As in 0010, but nothing is asked of an empty text, and no signs are looked for where all is ASCII.
GRAMS = """
CREATE OR REPLACE FUNCTION search_grams(words text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
DECLARE
    folded text;
    gaps text := U&'[\\0001-\\00bf\\2000-\\206f\\3000-\\3004\\3008-\\303f\\30fb\\fe00-\\fe0f]+';
    signs text[];
BEGIN
    IF words = '' THEN
        RETURN '';
    END IF;
    IF octet_length(words) = length(words) THEN
        folded := lower(words COLLATE "C");
        IF length(folded) > 200 THEN
            folded := regexp_replace(folded, '([0-9a-z]{200})', '\\1 ', 'g');
        END IF;
        RETURN array_to_tsvector(array_remove(regexp_split_to_array(folded, '[^0-9a-z]+'), ''));
    END IF;
    folded := lower(normalize(words, NFKC) COLLATE "C");
    signs := string_to_array(regexp_replace(folded, gaps, ' ', 'g'), NULL);
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


def upgrade() -> None:
    op.execute(GRAMS)


def downgrade() -> None:
    """Nothing: the words that it finds are those of before, only sooner."""
