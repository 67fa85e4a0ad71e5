-- As in the file beside; no database of this kind was there before.
CREATE TABLE prediction_inputs (
  prediction TEXT NOT NULL,
  sha256     TEXT NOT NULL,
  PRIMARY KEY (prediction, sha256)
);
CREATE INDEX prediction_inputs_by_content ON prediction_inputs (sha256);
