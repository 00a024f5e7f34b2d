"""`DeviceCustomRegistryEvents`: registry events Defender for Endpoint collects by rules of one's own, named in each row."""

from __future__ import annotations

from fimforensics.tables.table import words
from fimforensics.tables.xdr import CUSTOM, SHORT, registry_table

_MARKS = CUSTOM | words("InitProcessId InitProcessFileName InitProcessFolderPath InitProcessAccountName InitProcessCreationTime")

TABLE = registry_table("DeviceCustomRegistryEvents", SHORT, (_MARKS,), CUSTOM)
