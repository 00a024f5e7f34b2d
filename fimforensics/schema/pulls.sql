-- Format 3. What a live pull proved of its snapshot, and the answers of the service that are its original.

CREATE TABLE pulls (
  snapshot_id INTEGER PRIMARY KEY REFERENCES snapshots(id),
  ledger TEXT NOT NULL,
  window INTEGER NOT NULL,
  scope TEXT NOT NULL,
  cloud TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  ingested_from TEXT,
  ingested_before TEXT NOT NULL,
  since TEXT,
  until TEXT,
  filters TEXT NOT NULL,
  expected INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
  reason TEXT,
  recounted TEXT,
  requests INTEGER NOT NULL,
  faults TEXT NOT NULL,
  started TEXT NOT NULL,
  finished TEXT NOT NULL
);

CREATE TABLE slices (
  snapshot_id INTEGER NOT NULL REFERENCES snapshots(id),
  number INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  query TEXT NOT NULL,
  rows INTEGER NOT NULL,
  expected INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  cuts INTEGER NOT NULL,
  faults TEXT NOT NULL,
  reason TEXT,
  PRIMARY KEY (snapshot_id, number)
);
