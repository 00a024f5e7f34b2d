-- The case, format 3 (what format 3 added stands in parts.sql). docs/case-format.md tells what each table and column means and how its values are made.

CREATE TABLE case_info (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  case_id TEXT NOT NULL,
  format INTEGER NOT NULL,
  tool TEXT NOT NULL,
  created TEXT NOT NULL,
  case_number TEXT,
  examiner TEXT,
  note TEXT,
  events_end INTEGER NOT NULL,
  evidence_digest TEXT,
  key_check TEXT NOT NULL
);

-- evidence: where it came from
CREATE TABLE snapshots (
  id INTEGER PRIMARY KEY,
  set_id INTEGER NOT NULL,
  source TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('unfinished', 'finished')),
  acquired TEXT NOT NULL,
  finished TEXT,
  duration_ms INTEGER,
  size INTEGER,
  sha256 TEXT,
  sha1 TEXT,
  md5 TEXT,
  modified TEXT,
  shape TEXT,
  source_table TEXT,
  reading TEXT NOT NULL,
  columns_found TEXT,
  columns_missing TEXT,
  columns_unknown TEXT,
  partial_columns INTEGER NOT NULL DEFAULT 0,
  first_time TEXT,
  last_time TEXT,
  records INTEGER NOT NULL DEFAULT 0,
  new_events INTEGER NOT NULL DEFAULT 0,
  known_events INTEGER NOT NULL DEFAULT 0,
  rejects INTEGER NOT NULL DEFAULT 0,
  truncated TEXT,
  case_number TEXT,
  examiner TEXT,
  note TEXT,
  tool TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  resume TEXT
);

CREATE TABLE members (
  id INTEGER PRIMARY KEY,
  snapshot_id INTEGER NOT NULL REFERENCES snapshots(id),
  name TEXT NOT NULL,
  shape TEXT NOT NULL,
  source_table TEXT NOT NULL,
  cached INTEGER NOT NULL,
  header TEXT NOT NULL
);

CREATE TABLE preambles (
  id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES members(id),
  kind TEXT NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL
);

-- the source's bytes: `originals` are the file as it lay on disk, `member_cache` can be made again from them
CREATE TABLE originals (
  snapshot_id INTEGER NOT NULL REFERENCES snapshots(id),
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  codec TEXT NOT NULL CHECK (codec IN ('zstd', 'raw')),
  data BLOB NOT NULL,
  PRIMARY KEY (snapshot_id, offset)
);

CREATE TABLE member_cache (
  member_id INTEGER NOT NULL REFERENCES members(id),
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (member_id, offset)
);

CREATE TABLE rejects (
  seq INTEGER PRIMARY KEY,
  snapshot_id INTEGER NOT NULL REFERENCES snapshots(id),
  member_id INTEGER NOT NULL REFERENCES members(id),
  record INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  reason TEXT NOT NULL,
  replayed_as INTEGER
);

CREATE TABLE leaves (
  first_seq INTEGER PRIMARY KEY,
  hashes BLOB NOT NULL
);

CREATE TABLE custody_log (
  id INTEGER PRIMARY KEY,
  time TEXT NOT NULL,
  local_offset TEXT NOT NULL,
  actor TEXT NOT NULL,
  machine TEXT NOT NULL,
  action TEXT NOT NULL,
  arguments TEXT NOT NULL,
  purpose TEXT,
  object TEXT,
  result TEXT NOT NULL,
  tool TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
);

-- entities
CREATE TABLE hosts (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  name TEXT NOT NULL
);

CREATE TABLE machine_reports (
  id INTEGER PRIMARY KEY,
  host_id INTEGER NOT NULL REFERENCES hosts(id),
  tenant_id TEXT,
  azure_resource_id TEXT,
  aad_tenant_id TEXT,
  computer TEXT,
  cloud_provider TEXT,
  cloud_identifier TEXT,
  cloud_resource_type TEXT,
  source_system TEXT,
  type TEXT,
  is_billable TEXT
);

CREATE TABLE changes (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  change TEXT NOT NULL,
  entity TEXT
);

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  sid TEXT,
  domain TEXT,
  account TEXT
);

CREATE TABLE paths (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  file_name TEXT
);

CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  host_id INTEGER NOT NULL REFERENCES hosts(id),
  path TEXT NOT NULL,
  key TEXT NOT NULL
);

CREATE TABLE contents (
  id INTEGER PRIMARY KEY,
  sha256 TEXT,
  sha1 TEXT,
  md5 TEXT,
  size INTEGER
);

CREATE TABLE images (
  id INTEGER PRIMARY KEY,
  file_name TEXT,
  path TEXT,
  file_type TEXT,
  size INTEGER,
  created TEXT,
  pe_timestamp TEXT,
  last_write TEXT,
  ls_hash TEXT,
  md5 TEXT,
  sha256 TEXT,
  sha1 TEXT,
  company TEXT,
  product TEXT,
  product_version TEXT,
  internal_name TEXT,
  original_name TEXT,
  description TEXT
);

CREATE TABLE processes (
  id INTEGER PRIMARY KEY,
  host_id INTEGER NOT NULL REFERENCES hosts(id),
  pid INTEGER,
  created TEXT,
  image_key TEXT,
  name TEXT NOT NULL,
  weak INTEGER NOT NULL
);

CREATE TABLE process_reports (
  id INTEGER PRIMARY KEY,
  process_id INTEGER REFERENCES processes(id),
  account_id INTEGER REFERENCES accounts(id),
  image_id INTEGER REFERENCES images(id),
  pid INTEGER,
  name TEXT,
  created TEXT,
  session_id INTEGER,
  first_seen TEXT,
  source TEXT
);

CREATE TABLE requests (
  id INTEGER PRIMARY KEY,
  account_id INTEGER REFERENCES accounts(id),
  ip TEXT,
  port TEXT,
  source TEXT
);

CREATE TABLE registry_values (
  id INTEGER PRIMARY KEY,
  host_id INTEGER NOT NULL REFERENCES hosts(id),
  path TEXT NOT NULL,
  key TEXT NOT NULL,
  name TEXT
);

CREATE TABLE registry_reports (
  id INTEGER PRIMARY KEY,
  key TEXT,
  hive TEXT,
  old_type TEXT,
  old_name TEXT,
  old_key TEXT,
  new_type TEXT,
  new_name TEXT
);

-- evidence: what happened
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  time TEXT NOT NULL,
  host_id INTEGER NOT NULL REFERENCES hosts(id),
  change_id INTEGER NOT NULL REFERENCES changes(id),
  file_id INTEGER REFERENCES files(id),
  registry_value_id INTEGER REFERENCES registry_values(id),
  content_id INTEGER REFERENCES contents(id),
  process_id INTEGER REFERENCES processes(id),
  account_id INTEGER REFERENCES accounts(id),
  path_id INTEGER REFERENCES paths(id),
  original_path_id INTEGER REFERENCES paths(id),
  request_id INTEGER REFERENCES requests(id),
  machine_report_id INTEGER NOT NULL REFERENCES machine_reports(id),
  process_report_id INTEGER REFERENCES process_reports(id),
  registry_report_id INTEGER REFERENCES registry_reports(id),
  file_type TEXT,
  file_size INTEGER,
  old_data TEXT,
  new_data TEXT,
  image_last_access TEXT,
  billed_size TEXT,
  forms INTEGER NOT NULL,
  extra TEXT,
  flags TEXT,
  match_key BLOB NOT NULL,
  ordinal INTEGER NOT NULL
);

CREATE TABLE event_keys (
  prefix INTEGER NOT NULL,
  event_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  row_check INTEGER NOT NULL,
  PRIMARY KEY (prefix, event_id)
) WITHOUT ROWID;

CREATE TABLE occurrences (
  seq INTEGER PRIMARY KEY,
  event_id INTEGER NOT NULL REFERENCES events(id),
  snapshot_id INTEGER NOT NULL REFERENCES snapshots(id),
  member_id INTEGER NOT NULL REFERENCES members(id),
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  item_id TEXT
);

-- work to do when the unfinished snapshot ends: keys whose records differ
CREATE TABLE unsettled (
  prefix INTEGER PRIMARY KEY
);

-- labels that the unfinished snapshot changed, so that it can be taken back
CREATE TABLE relabelled (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  entity INTEGER NOT NULL,
  old TEXT NOT NULL
);

-- interpretation: rebuilt from evidence at will
CREATE TABLE event_counts (
  host_id INTEGER NOT NULL REFERENCES hosts(id),
  change_id INTEGER NOT NULL REFERENCES changes(id),
  day TEXT NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (host_id, change_id, day)
) WITHOUT ROWID;

CREATE TABLE analyses (
  name TEXT PRIMARY KEY,
  evidence_digest TEXT NOT NULL,
  finished TEXT NOT NULL,
  tool TEXT NOT NULL
);
