-- By these entities are looked up by what they are; a first ingest that remembers all it saw makes them at its end.
CREATE INDEX IF NOT EXISTS paths_path ON paths(path);
CREATE UNIQUE INDEX IF NOT EXISTS files_key ON files(host_id, key);
CREATE INDEX IF NOT EXISTS contents_sha256 ON contents(sha256);
CREATE INDEX IF NOT EXISTS contents_sha1 ON contents(sha1);
CREATE INDEX IF NOT EXISTS contents_md5 ON contents(md5);
CREATE INDEX IF NOT EXISTS processes_instance ON processes(host_id, pid, created, image_key);
CREATE INDEX IF NOT EXISTS process_reports_process ON process_reports(process_id, account_id, image_id);
CREATE INDEX IF NOT EXISTS process_reports_image ON process_reports(image_id);
CREATE UNIQUE INDEX IF NOT EXISTS registry_values_key ON registry_values(host_id, key, name);
CREATE INDEX IF NOT EXISTS registry_reports_key ON registry_reports(key, new_name);
