-- Input files that came inside of a create lie beside the output files of the prediction, and go with these.
ALTER TABLE outputs ADD COLUMN is_input BIGINT NOT NULL DEFAULT 0;
