"""The tables of a made-up workspace in DuckDB, and answers to KQL over them, cell by cell as Log Analytics writes them.

A row has, besides its visible columns, what Log Analytics keeps apart: `_ItemId` and the billing columns (hidden unless named),
when it was ingested, and here also from which query on it can be seen, so that late rows are a matter of one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import duckdb
import pyarrow

from fimforensics.model import COLUMNS, MDC
from tests.live.kql import HIDDEN, Moment, Refused, to_sql

TYPES = {"string": "VARCHAR", "datetime": "TIMESTAMP_NS", "long": "BIGINT", "int": "INTEGER", "real": "DOUBLE", "bool": "BOOLEAN"}
KINDS = {"VARCHAR": "string", "TIMESTAMP_NS": "datetime", "TIMESTAMP": "datetime", "BIGINT": "long", "HUGEINT": "long",
         "INTEGER": "int", "DOUBLE": "real", "BOOLEAN": "bool"}
NAMED_ONLY = {"_ItemId": "string", "_BilledSize": "real", "_IsBillable": "string"}
ALONGSIDE = {"_ingestion": "TIMESTAMP_NS", "_visible": "BIGINT", "_hash": "BIGINT", "_size": "BIGINT"}
KEPT_APART = {HIDDEN + name for name in [*NAMED_ONLY, *ALONGSIDE]}
ARROW = {"string": pyarrow.string(), "datetime": pyarrow.string(), "long": pyarrow.int64(), "int": pyarrow.int32(),
         "real": pyarrow.float64(), "bool": pyarrow.bool_()}
MDC_VISIBLE = {name: kind for name, kind in COLUMNS.items() if name not in NAMED_ONLY}


@dataclass(frozen=True)
class Answer:
    """What a query gives: (name, Kusto type) of the columns, and each row as a JSON array."""

    columns: list[tuple[str, str]]
    rows: list[str]


def item_id(seed: int, number: int) -> str:
    """An id in the shape of Log Analytics' `_ItemId`, a UUID."""
    text = blake2b(f"{seed}/{number}".encode(), digest_size=16).hexdigest()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def hash_of(item: str) -> int:
    """A number that is spread evenly, as Kusto's hash() is; not the same numbers."""
    return int.from_bytes(blake2b(item.encode(), digest_size=8).digest()) >> 2


@dataclass
class Store:
    """Some tables. Each query runs on a cursor of its own, so that several can run at once."""

    path: Path | str = ":memory:"
    seed: int = 0
    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    _numbered: int = 0

    def __post_init__(self) -> None:
        self.connection = duckdb.connect(str(self.path), config={"threads": 1})

    def create(self, table: str = MDC, columns: dict[str, str] | None = None) -> None:
        """An empty table; without columns it has those of the main table."""
        self.tables[table] = dict(columns or MDC_VISIBLE)
        lines = [f'"{name}" {TYPES[kind]}' for name, kind in self.tables[table].items()]
        lines += [f"{HIDDEN}{name} {TYPES[kind]}" for name, kind in NAMED_ONLY.items()]
        lines += [f"{HIDDEN}{name} {kind}" for name, kind in ALONGSIDE.items()]
        self.connection.execute(f'CREATE TABLE "{table}" ({", ".join(lines)})')

    def add(self, rows: Iterable[Mapping[str, object]], table: str = MDC, *, ingested: str | None = None,
            visible: int = 0) -> int:
        """Rows, each some columns and their values, hidden ones too; they get an `_ItemId` where they have none. Gives how many.

        They were ingested a minute after their time unless said otherwise. `visible` is how many answers must have been given
        before they can be seen.
        """
        cells: dict[str, list[object]] = {name: [] for name in [*self.tables[table], *NAMED_ONLY, "_hash", "_size"]}
        for row in rows:
            self._numbered += 1
            item = str(row.get("_ItemId") or item_id(self.seed, self._numbered))
            said = [row.get(name, "" if kind == "string" else None) for name, kind in self.tables[table].items()]
            size = sum(len(cell.encode()) if isinstance(cell, str) else 8 for cell in said if cell is not None)
            alongside = [item, row.get("_BilledSize"), row.get("_IsBillable"), hash_of(item), size]
            for column, cell in zip(cells.values(), [*said, *alongside], strict=True):
                column.append(cell)
        made = pyarrow.table({name: pyarrow.array(column, ARROW[self._kind(table, name)]) for name, column in cells.items()})
        at = f"CAST('{ingested}' AS TIMESTAMP_NS)" if ingested else \
            'make_timestamp_ns(epoch_ns(CAST("TimeGenerated" AS TIMESTAMP_NS)) + 60000000000)'
        names = ", ".join(f'CAST("{name}" AS {TYPES[self._kind(table, name)]})' for name in [*self.tables[table], *NAMED_ONLY])
        cursor = self.connection.cursor()
        cursor.register("made", made)
        cursor.execute(f'INSERT INTO "{table}" SELECT {names}, {at}, {visible}, _hash, _size FROM made')
        return made.num_rows

    def _kind(self, table: str, name: str) -> str:
        return (self.tables[table] | NAMED_ONLY | {"_hash": "long", "_size": "long"})[name]

    def answer(self, query: str, moment: Moment) -> Answer:
        """What the query gives at that moment; `Refused` with the reason where it cannot be run."""
        sql = to_sql(query, self.tables, NAMED_ONLY, moment)
        cursor = self.connection.cursor()
        try:
            described = cursor.execute(f"DESCRIBE {sql}").fetchall()
        except duckdb.Error as error:
            raise Refused(str(error).splitlines()[0]) from error
        shown = [(name, kind) for name, kind, *_ in described if name not in KEPT_APART]
        cells = ", ".join(_cell(name, kind) for name, kind in shown)
        rows = [row for row, in cursor.execute(f"SELECT json_array({cells}) FROM ({sql})").fetchall()]
        return Answer([(name.replace(HIDDEN + "_size", ""), KINDS[kind]) for name, kind in shown], rows)


def _cell(name: str, kind: str) -> str:
    """A column as Log Analytics writes it: times with seven digits and a Z."""
    return f"left(strftime(\"{name}\", '%Y-%m-%dT%H:%M:%S.%n'), 27) || 'Z'" if kind.startswith("TIMESTAMP") else f'"{name}"'
