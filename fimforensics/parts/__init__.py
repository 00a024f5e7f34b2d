"""Parts of a case, for those who may see some of it: chosen events with their records, proven against the whole.

`derive` makes one, `check` proves one, `alter` says how cells are redacted or get pseudonyms. docs/evidence.md, Parts.
"""
