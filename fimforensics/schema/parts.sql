-- Format 3. A part of another case: where it comes from and what proves its records. All but `digest_salt` is empty in a case
-- that is no part.

CREATE TABLE digest_salt (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  salt TEXT NOT NULL
);

CREATE TABLE part (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  derived TEXT NOT NULL,
  parent_case_id TEXT NOT NULL,
  parent_root TEXT NOT NULL,
  parent_records INTEGER NOT NULL,
  parent_file_sha256 TEXT NOT NULL,
  statement_sha256 TEXT,
  signature TEXT,
  chosen TEXT NOT NULL,
  kept_events INTEGER NOT NULL,
  withheld_events INTEGER NOT NULL,
  kept_records INTEGER NOT NULL,
  withheld_records INTEGER NOT NULL,
  altered_records INTEGER NOT NULL
);

CREATE TABLE part_statement (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL
);

CREATE TABLE part_proof (
  id INTEGER PRIMARY KEY,
  hashes BLOB NOT NULL
);

CREATE TABLE part_records (
  seq INTEGER PRIMARY KEY,
  member INTEGER NOT NULL,
  salt BLOB,
  altered TEXT
);

CREATE TABLE part_snapshots (
  snapshot_id INTEGER PRIMARY KEY REFERENCES snapshots(id),
  records INTEGER NOT NULL,
  rejects INTEGER NOT NULL,
  kept INTEGER NOT NULL,
  altered INTEGER NOT NULL
);

CREATE TABLE redactions (
  id INTEGER PRIMARY KEY,
  column_name TEXT NOT NULL,
  how TEXT NOT NULL CHECK (how IN ('redacted', 'pseudonym')),
  code TEXT,
  basis TEXT,
  records INTEGER NOT NULL,
  actor TEXT NOT NULL,
  time TEXT NOT NULL
);
