-- Small ones from the start.
CREATE UNIQUE INDEX hosts_key ON hosts(key);
CREATE INDEX machine_reports_host ON machine_reports(host_id);
CREATE UNIQUE INDEX changes_change ON changes(kind, change, entity);
CREATE INDEX accounts_sid ON accounts(sid, account, domain);
CREATE INDEX images_path ON images(path, sha256);
CREATE INDEX requests_account ON requests(account_id, ip, port);
CREATE INDEX preambles_member ON preambles(member_id);
CREATE INDEX members_snapshot ON members(snapshot_id);
CREATE INDEX rejects_snapshot ON rejects(snapshot_id);

CREATE VIRTUAL TABLE paths_fts USING fts5(path, file_name, content=[paths], content_rowid=[id]);
CREATE VIRTUAL TABLE registry_values_fts USING fts5(path, name, content=[registry_values], content_rowid=[id]);
CREATE VIRTUAL TABLE accounts_fts USING fts5(name, content=[accounts], content_rowid=[id]);
CREATE VIRTUAL TABLE images_fts USING fts5(path, file_name, content=[images], content_rowid=[id]);
CREATE VIRTUAL TABLE hosts_fts USING fts5(name, key, content=[hosts], content_rowid=[id]);
