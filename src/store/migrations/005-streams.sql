-- How the output is streamed (flags of the version's schema). 0 takes no room in a row.
ALTER TABLE predictions ADD COLUMN stream BIGINT NOT NULL DEFAULT 0;
