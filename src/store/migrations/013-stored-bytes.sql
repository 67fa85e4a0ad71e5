-- What the files of each account take: uploaded ones, outputs, and inputs that came inside of a create. Triggers keep
-- it in the transaction of whatever changes the rows, as with the indexes of words.
CREATE TABLE stored_bytes (
  account_id BIGINT PRIMARY KEY,
  bytes      BIGINT NOT NULL
);
INSERT INTO stored_bytes (account_id, bytes)
SELECT account_id, SUM(size)
FROM (SELECT account_id, size FROM files
      UNION ALL
      SELECT p.account_id, o.size FROM outputs AS o JOIN predictions AS p ON p.id = o.prediction) AS f
GROUP BY account_id;

CREATE TRIGGER files_come AFTER INSERT ON files BEGIN
  INSERT INTO stored_bytes (account_id, bytes) VALUES (new.account_id, new.size)
  ON CONFLICT (account_id) DO UPDATE SET bytes = stored_bytes.bytes + excluded.bytes;
END;
CREATE TRIGGER files_go AFTER DELETE ON files BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.size WHERE account_id = old.account_id;
END;
CREATE TRIGGER outputs_come AFTER INSERT ON outputs BEGIN
  INSERT INTO stored_bytes (account_id, bytes)
  SELECT account_id, new.size FROM predictions WHERE id = new.prediction
  ON CONFLICT (account_id) DO UPDATE SET bytes = stored_bytes.bytes + excluded.bytes;
END;
CREATE TRIGGER outputs_go AFTER DELETE ON outputs BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.size
  WHERE account_id = (SELECT account_id FROM predictions WHERE id = old.prediction);
END;
