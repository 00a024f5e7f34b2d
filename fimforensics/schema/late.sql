-- Made when the first snapshot is whole: sorting once is cheaper than keeping order all the way.
CREATE INDEX IF NOT EXISTS occurrences_event ON occurrences(event_id);
CREATE INDEX IF NOT EXISTS events_time ON events(time);
CREATE INDEX IF NOT EXISTS events_host ON events(host_id, time);
CREATE INDEX IF NOT EXISTS events_change ON events(change_id, time);
CREATE INDEX IF NOT EXISTS events_file ON events(file_id) WHERE file_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_registry_value ON events(registry_value_id) WHERE registry_value_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_content ON events(content_id) WHERE content_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_process ON events(process_id) WHERE process_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_account ON events(account_id, time) WHERE account_id IS NOT NULL;
