-- Small ones from the start: entities are looked up by what they are.
CREATE UNIQUE INDEX hosts_key ON hosts(key);
CREATE INDEX machine_reports_host ON machine_reports(host_id);
CREATE UNIQUE INDEX changes_change ON changes(kind, change, entity);
CREATE INDEX accounts_sid ON accounts(sid, account, domain);
CREATE INDEX paths_path ON paths(path);
CREATE UNIQUE INDEX files_key ON files(host_id, key);
CREATE INDEX contents_sha256 ON contents(sha256);
CREATE INDEX contents_sha1 ON contents(sha1);
CREATE INDEX contents_md5 ON contents(md5);
CREATE INDEX images_path ON images(path, sha256);
CREATE INDEX processes_instance ON processes(host_id, pid, created, image_key);
CREATE INDEX process_reports_process ON process_reports(process_id, account_id, image_id);
CREATE INDEX process_reports_image ON process_reports(image_id);
CREATE INDEX requests_account ON requests(account_id, ip, port);
CREATE UNIQUE INDEX registry_values_key ON registry_values(host_id, key, name);
CREATE INDEX registry_reports_key ON registry_reports(key, new_name);
CREATE INDEX preambles_member ON preambles(member_id);
CREATE INDEX members_snapshot ON members(snapshot_id);
CREATE INDEX rejects_snapshot ON rejects(snapshot_id);

CREATE VIRTUAL TABLE paths_fts USING fts5(path, file_name, content=[paths], content_rowid=[id]);
CREATE VIRTUAL TABLE registry_values_fts USING fts5(path, name, content=[registry_values], content_rowid=[id]);
CREATE VIRTUAL TABLE accounts_fts USING fts5(name, content=[accounts], content_rowid=[id]);
CREATE VIRTUAL TABLE images_fts USING fts5(path, file_name, content=[images], content_rowid=[id]);
CREATE VIRTUAL TABLE hosts_fts USING fts5(name, key, content=[hosts], content_rowid=[id]);
