-- The lease of the server that may write. Each group of writes moves its end.
ALTER TABLE control_planes ADD COLUMN until_us BIGINT NOT NULL DEFAULT 0;    -- by the clock of the database; 0: nobody has it
ALTER TABLE control_planes ADD COLUMN holder TEXT NOT NULL DEFAULT '';       -- mark of the process that has it
ALTER TABLE control_planes ADD COLUMN address TEXT NOT NULL DEFAULT '';      -- where that process answers calls
ALTER TABLE control_planes ADD COLUMN writer_pid BIGINT NOT NULL DEFAULT 0;  -- of the session that writes
