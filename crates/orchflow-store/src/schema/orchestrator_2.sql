-- A grant says for which folder it holds. Those from before do not: they are asked for anew.
DROP TABLE policy_grants;
CREATE TABLE policy_grants (
  agent      TEXT NOT NULL,
  folder     TEXT NOT NULL,
  pattern    TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  PRIMARY KEY (agent, folder, pattern)
) STRICT, WITHOUT ROWID;
