"""Every read of a case: one question, one function(connection, …) → values. Commands, pages and exports ask the same ones."""

# Of occurrences `o`: those of an unfinished snapshot are in no answer, and they are the last.
FINISHED = "o.seq < (SELECT coalesce(min(first_seq), 9223372036854775807) FROM snapshots WHERE state = 'unfinished')"
