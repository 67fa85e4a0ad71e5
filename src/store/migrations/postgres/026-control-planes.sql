-- The server of this database. Each start raises `epoch`; each group of writes raises `group_no` first, which fails when
-- another server has begun since, and tells after a lost connection whether the group was stored.
CREATE TABLE control_planes (
  id           BIGINT PRIMARY KEY,
  epoch        BIGINT NOT NULL,
  group_no     BIGINT NOT NULL,
  installation BIGINT NOT NULL  -- number of the data directory that has the files; 0: not known yet
);
INSERT INTO control_planes (id, epoch, group_no, installation) VALUES (1, 0, 0, 0);
