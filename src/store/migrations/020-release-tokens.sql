-- Who made a release: the id of the token. NULL: not known, as before this was kept.
ALTER TABLE releases ADD COLUMN token TEXT;
