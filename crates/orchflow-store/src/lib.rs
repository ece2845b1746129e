//! Floor 2: SQLite: rows, migrations, journal, actions, the event log; the only SQL.
