-- Interpretation: what the analyses say. Thrown away and made again at will; every row leads back to its events.

CREATE TABLE file_versions (
  id INTEGER PRIMARY KEY,
  chain_id INTEGER NOT NULL,
  file_id INTEGER NOT NULL REFERENCES files(id),
  state TEXT NOT NULL CHECK (state IN ('present', 'absent')),
  basis TEXT NOT NULL,
  content_id INTEGER REFERENCES contents(id),
  size INTEGER,
  since TEXT NOT NULL,
  until TEXT,
  begun_by INTEGER NOT NULL REFERENCES events(id),
  last_event_id INTEGER NOT NULL REFERENCES events(id),
  ended_by INTEGER REFERENCES events(id),
  process_id INTEGER REFERENCES processes(id),
  account_id INTEGER REFERENCES accounts(id),
  previous_id INTEGER REFERENCES file_versions(id),
  differs TEXT CHECK (differs IN ('yes', 'no', 'unknown')),
  before TEXT CHECK (before IN ('unknown', 'absent')),
  events INTEGER NOT NULL
);
CREATE INDEX file_versions_file ON file_versions(file_id, since);
CREATE INDEX file_versions_content ON file_versions(content_id) WHERE content_id IS NOT NULL;
CREATE INDEX file_versions_begun ON file_versions(begun_by);
CREATE INDEX file_versions_chain ON file_versions(chain_id);

CREATE TABLE registry_versions (
  id INTEGER PRIMARY KEY,
  chain_id INTEGER NOT NULL,
  registry_value_id INTEGER NOT NULL REFERENCES registry_values(id),
  state TEXT NOT NULL CHECK (state IN ('present', 'absent')),
  basis TEXT NOT NULL,
  data_event_id INTEGER REFERENCES events(id),
  since TEXT,
  until TEXT,
  begun_by INTEGER REFERENCES events(id),
  last_event_id INTEGER REFERENCES events(id),
  ended_by INTEGER REFERENCES events(id),
  process_id INTEGER REFERENCES processes(id),
  account_id INTEGER REFERENCES accounts(id),
  previous_id INTEGER REFERENCES registry_versions(id),
  differs TEXT CHECK (differs IN ('yes', 'no', 'unknown')),
  before TEXT CHECK (before IN ('unknown', 'absent')),
  events INTEGER NOT NULL
);
CREATE INDEX registry_versions_value ON registry_versions(registry_value_id, since);
CREATE INDEX registry_versions_begun ON registry_versions(begun_by) WHERE begun_by IS NOT NULL;
CREATE INDEX registry_versions_chain ON registry_versions(chain_id);

CREATE TABLE reversions (
  id INTEGER PRIMARY KEY,
  class TEXT NOT NULL,
  file_id INTEGER REFERENCES files(id),
  registry_value_id INTEGER REFERENCES registry_values(id),
  content_id INTEGER REFERENCES contents(id),
  away_by INTEGER NOT NULL REFERENCES events(id),
  back_by INTEGER NOT NULL REFERENCES events(id),
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  dwell_seconds REAL NOT NULL,
  returns INTEGER NOT NULL,
  hosts INTEGER NOT NULL,
  files INTEGER NOT NULL,
  away_process_id INTEGER REFERENCES processes(id),
  away_account_id INTEGER REFERENCES accounts(id),
  process_id INTEGER REFERENCES processes(id),
  account_id INTEGER REFERENCES accounts(id),
  sentence TEXT NOT NULL
);
CREATE INDEX reversions_file ON reversions(file_id) WHERE file_id IS NOT NULL;
CREATE INDEX reversions_registry_value ON reversions(registry_value_id) WHERE registry_value_id IS NOT NULL;

CREATE TABLE relations (
  id INTEGER PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id INTEGER NOT NULL,
  relation TEXT NOT NULL,
  object_kind TEXT NOT NULL,
  object_id INTEGER NOT NULL,
  basis TEXT,
  events INTEGER NOT NULL,
  first TEXT NOT NULL,
  last TEXT NOT NULL
);
CREATE INDEX relations_subject ON relations(subject_kind, subject_id, relation, first);
CREATE INDEX relations_object ON relations(object_kind, object_id, relation, first);

CREATE TABLE content_spread (
  content_id INTEGER PRIMARY KEY REFERENCES contents(id),
  hosts INTEGER NOT NULL,
  files INTEGER NOT NULL,
  mode TEXT CHECK (mode IN ('at once', 'in a chain')),
  median_gap_seconds REAL,
  first_host_id INTEGER NOT NULL REFERENCES hosts(id),
  first_event_id INTEGER NOT NULL REFERENCES events(id),
  first TEXT NOT NULL,
  last TEXT NOT NULL
);
CREATE INDEX content_spread_hosts ON content_spread(hosts);

CREATE TABLE rarity (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  object TEXT NOT NULL,
  hosts INTEGER NOT NULL,
  events INTEGER NOT NULL,
  first_event_id INTEGER NOT NULL REFERENCES events(id),
  first TEXT NOT NULL,
  last TEXT NOT NULL
);
CREATE INDEX rarity_kind ON rarity(kind, hosts, events);
CREATE INDEX rarity_subject ON rarity(kind, subject, object);

CREATE TABLE bursts (
  id INTEGER PRIMARY KEY,
  host_id INTEGER NOT NULL REFERENCES hosts(id),
  kind TEXT NOT NULL,
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  events INTEGER NOT NULL,
  paths INTEGER NOT NULL,
  folders INTEGER NOT NULL,
  renames INTEGER NOT NULL,
  new_extensions INTEGER NOT NULL,
  new_contents INTEGER NOT NULL,
  usual REAL NOT NULL,
  content_id INTEGER REFERENCES contents(id),
  process_id INTEGER REFERENCES processes(id),
  account_id INTEGER REFERENCES accounts(id),
  first_event_id INTEGER NOT NULL REFERENCES events(id),
  last_event_id INTEGER NOT NULL REFERENCES events(id),
  sentence TEXT NOT NULL
);
CREATE INDEX bursts_host ON bursts(host_id, since);

CREATE TABLE coverage (
  host_id INTEGER NOT NULL REFERENCES hosts(id),
  day TEXT NOT NULL,
  events INTEGER NOT NULL,
  first TEXT NOT NULL,
  last TEXT NOT NULL,
  longest_gap_seconds REAL NOT NULL,
  observations INTEGER NOT NULL,
  PRIMARY KEY (host_id, day)
) WITHOUT ROWID;

CREATE TABLE silences (
  id INTEGER PRIMARY KEY,
  host_id INTEGER NOT NULL REFERENCES hosts(id),
  kind TEXT NOT NULL,
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  usual_gap_seconds REAL,
  fleet_events INTEGER NOT NULL,
  last_event_id INTEGER REFERENCES events(id),
  next_event_id INTEGER REFERENCES events(id),
  sentence TEXT NOT NULL
);
CREATE INDEX silences_host ON silences(host_id, since);

CREATE TABLE findings (
  id INTEGER PRIMARY KEY,
  analysis TEXT NOT NULL,
  rule TEXT NOT NULL,
  version INTEGER NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('high', 'medium', 'low', 'info')),
  sentence TEXT NOT NULL,
  technique TEXT,
  host_id INTEGER REFERENCES hosts(id),
  file_id INTEGER REFERENCES files(id),
  registry_value_id INTEGER REFERENCES registry_values(id),
  process_id INTEGER REFERENCES processes(id),
  account_id INTEGER REFERENCES accounts(id),
  content_id INTEGER REFERENCES contents(id),
  first TEXT NOT NULL,
  last TEXT NOT NULL,
  events INTEGER NOT NULL
);
CREATE INDEX findings_rule ON findings(rule, severity, first);
CREATE INDEX findings_severity ON findings(severity, first);
CREATE INDEX findings_host ON findings(host_id, severity, rule, first);
CREATE INDEX findings_account ON findings(account_id) WHERE account_id IS NOT NULL;
CREATE INDEX findings_content ON findings(content_id) WHERE content_id IS NOT NULL;
CREATE INDEX findings_file ON findings(file_id) WHERE file_id IS NOT NULL;
CREATE INDEX findings_registry_value ON findings(registry_value_id) WHERE registry_value_id IS NOT NULL;
CREATE INDEX findings_process ON findings(process_id) WHERE process_id IS NOT NULL;

CREATE TABLE finding_events (
  finding_id INTEGER NOT NULL REFERENCES findings(id),
  event_id INTEGER NOT NULL REFERENCES events(id),
  PRIMARY KEY (finding_id, event_id)
) WITHOUT ROWID;
CREATE INDEX finding_events_event ON finding_events(event_id);
