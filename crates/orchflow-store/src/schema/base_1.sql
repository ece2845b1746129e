CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The event log. seq is the cursor clients keep.
CREATE TABLE events (
  seq   INTEGER PRIMARY KEY,
  at    INTEGER NOT NULL,
  type  TEXT NOT NULL,
  about TEXT NOT NULL,
  data  TEXT NOT NULL
) STRICT;

-- Each event under its own id and every id above it. An id of ours is its 16
-- bytes, any other name its text.
CREATE TABLE event_about (
  id  ANY NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (id, seq)
) STRICT, WITHOUT ROWID;
