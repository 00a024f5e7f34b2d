"""`DeviceFileEvents`: file events of Microsoft Defender XDR, in Log Analytics or from advanced hunting."""

from __future__ import annotations

from fimforensics.tables.xdr import LONG, file_table

TABLE = file_table("DeviceFileEvents", LONG, ())
