"""`DeviceRegistryEvents`: registry events of Microsoft Defender XDR, in Log Analytics or from advanced hunting."""

from __future__ import annotations

from fimforensics.tables.xdr import LONG, registry_table

TABLE = registry_table("DeviceRegistryEvents", LONG, ())
