CREATE TABLE tasks (
  id          BLOB PRIMARY KEY,
  parent_id   BLOB REFERENCES tasks (id),
  position    INTEGER NOT NULL,
  title       TEXT NOT NULL,
  description TEXT NOT NULL,
  status      TEXT NOT NULL,
  mode        TEXT NOT NULL,
  spec        TEXT NOT NULL,
  metadata    TEXT NOT NULL,
  run_id      BLOB,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_by_parent ON tasks (parent_id, position, id);
CREATE INDEX tasks_by_status ON tasks (status, parent_id, id);
CREATE INDEX tasks_roots ON tasks (id) WHERE parent_id IS NULL;

-- With a rowid: a view holds the whole plan, and looking a key up in a table without one
-- reads every row it compares with to its end, overflow pages and all.
CREATE TABLE runs (
  run_id      BLOB NOT NULL PRIMARY KEY,
  task_id     BLOB NOT NULL,
  project     TEXT NOT NULL,
  goal        TEXT NOT NULL,
  status      TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  finished_at INTEGER,
  epoch       INTEGER NOT NULL DEFAULT 0,
  view        TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_status ON runs (status, run_id);
CREATE INDEX runs_by_task ON runs (task_id, run_id);
CREATE INDEX runs_unfinished ON runs (run_id) WHERE finished_at IS NULL;

CREATE TABLE run_leaves (
  run_id   BLOB NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  task_id  BLOB NOT NULL,
  position INTEGER NOT NULL,
  status   TEXT NOT NULL,
  phase    TEXT NOT NULL,
  view     TEXT NOT NULL,
  PRIMARY KEY (run_id, task_id)
) STRICT, WITHOUT ROWID;

-- With a rowid, as runs: a command may hold a plan.
CREATE TABLE journal (
  run_id  BLOB NOT NULL,
  seq     INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  command TEXT NOT NULL,
  PRIMARY KEY (run_id, seq)
) STRICT;

CREATE TABLE actions (
  key     TEXT PRIMARY KEY,
  run_id  BLOB NOT NULL,
  epoch   INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  state   TEXT NOT NULL,
  payload TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX actions_pending ON actions (run_id, ordinal) WHERE state = 'pending';

CREATE TABLE attention (
  attention_id BLOB PRIMARY KEY,
  kind         TEXT NOT NULL,
  run_id       BLOB,
  task_id      BLOB,
  question     TEXT NOT NULL,
  options      TEXT NOT NULL,
  raised_at    INTEGER NOT NULL,
  answer       TEXT,
  answered_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX attention_open ON attention (attention_id) WHERE answer IS NULL;
CREATE INDEX attention_by_run ON attention (run_id, attention_id);

CREATE TABLE policy_grants (
  agent      TEXT NOT NULL,
  pattern    TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  PRIMARY KEY (agent, pattern)
) STRICT, WITHOUT ROWID;
