-- Full text search in SQLite's own words; another database brings another file of this number.
-- Triggers keep the index in the transaction of whatever changes the rows.
CREATE VIRTUAL TABLE model_search USING fts5 (owner, name, description, readme,
  content = 'models', content_rowid = 'id',
  tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3');
CREATE TRIGGER model_search_insert AFTER INSERT ON models BEGIN
  INSERT INTO model_search (rowid, owner, name, description, readme)
  VALUES (new.id, new.owner, new.name, new.description, new.readme);
END;
CREATE TRIGGER model_search_delete AFTER DELETE ON models BEGIN
  INSERT INTO model_search (model_search, rowid, owner, name, description, readme)
  VALUES ('delete', old.id, old.owner, old.name, old.description, old.readme);
END;
CREATE TRIGGER model_search_update AFTER UPDATE OF owner, name, description, readme ON models BEGIN
  INSERT INTO model_search (model_search, rowid, owner, name, description, readme)
  VALUES ('delete', old.id, old.owner, old.name, old.description, old.readme);
  INSERT INTO model_search (rowid, owner, name, description, readme)
  VALUES (new.id, new.owner, new.name, new.description, new.readme);
END;
INSERT INTO model_search (model_search) VALUES ('rebuild');

CREATE VIRTUAL TABLE collection_search USING fts5 (slug, name, description, full_description,
  content = 'collections', content_rowid = 'id',
  tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3');
CREATE TRIGGER collection_search_insert AFTER INSERT ON collections BEGIN
  INSERT INTO collection_search (rowid, slug, name, description, full_description)
  VALUES (new.id, new.slug, new.name, new.description, new.full_description);
END;
CREATE TRIGGER collection_search_delete AFTER DELETE ON collections BEGIN
  INSERT INTO collection_search (collection_search, rowid, slug, name, description,
    full_description)
  VALUES ('delete', old.id, old.slug, old.name, old.description, old.full_description);
END;
CREATE TRIGGER collection_search_update AFTER UPDATE ON collections BEGIN
  INSERT INTO collection_search (collection_search, rowid, slug, name, description,
    full_description)
  VALUES ('delete', old.id, old.slug, old.name, old.description, old.full_description);
  INSERT INTO collection_search (rowid, slug, name, description, full_description)
  VALUES (new.id, new.slug, new.name, new.description, new.full_description);
END;
INSERT INTO collection_search (collection_search) VALUES ('rebuild');
