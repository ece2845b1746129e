CREATE TABLE panes (
  pane_id         BLOB PRIMARY KEY,
  state           TEXT NOT NULL,
  view            TEXT NOT NULL,
  log             BLOB NOT NULL,
  idempotency_key TEXT UNIQUE
) STRICT, WITHOUT ROWID;
CREATE INDEX panes_by_state ON panes (state, pane_id);

CREATE TABLE trust (
  dir          TEXT PRIMARY KEY,
  content_hash TEXT NOT NULL,
  granted_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
