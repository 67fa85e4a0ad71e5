-- Words in their English stem, without stop words: a search for "the" finds it. The words of a row are a column of it.
CREATE TEXT SEARCH DICTIONARY vend_stem (TEMPLATE = snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION vend (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION vend ALTER MAPPING FOR asciiword, word, numword WITH vend_stem;

-- Without accents.
CREATE FUNCTION vend_unmarked (text TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT regexp_replace(normalize(text, NFKD), '[\u0300-\u036f]', '', 'g') $$;
-- Runs of letters and digits: the parser of text search would see paths, hosts and words with hyphens as one word. A
-- list of words has less than 1 MB; the limit keeps the longest readme below it.
CREATE FUNCTION vend_words (text TEXT) RETURNS TSVECTOR LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT to_tsvector('vend', translate(lower(vend_unmarked(left(COALESCE(text, ''), 150000))),
                                        '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))) $$;

ALTER TABLE models ADD COLUMN words TSVECTOR GENERATED ALWAYS AS (
  setweight(vend_words(name), 'A') || setweight(vend_words(owner), 'B')
  || setweight(vend_words(description), 'C') || setweight(vend_words(readme), 'D')) STORED;
CREATE INDEX models_by_words ON models USING gin (words);

ALTER TABLE collections ADD COLUMN words TSVECTOR GENERATED ALWAYS AS (
  setweight(vend_words(slug), 'A') || setweight(vend_words(name), 'A')
  || setweight(vend_words(description), 'C') || setweight(vend_words(full_description), 'D')) STORED;
CREATE INDEX collections_by_words ON collections USING gin (words);
