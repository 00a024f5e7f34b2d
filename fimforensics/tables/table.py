"""What every table of the shelf is: its documented columns, which of them tell events apart, and its way to Microsoft's 65.

A mapping never drops a value: a column is renamed to its place among the 65, or stays under its own name and becomes one
of the event's extras. It never changes a value either, except where a table says the same thing in another type or word.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

Values = dict[str, object]

# What Log Analytics adds to the rows of any table, in an export or when a query names it.
SYSTEM_COLUMNS = frozenset(
    ("_ItemId", "_ResourceId", "_SubscriptionId", "_Internal_WorkspaceResourceId", "_TimeReceived", "_BilledSize", "_IsBillable")
)


@dataclass(frozen=True)
class Table:
    """One table of Microsoft's; `columns` are its documented ones, `key_columns` those that feed the match key.

    `marks`: the table is known by its columns when each group has at least one of them and none of `never` is there.
    `times`: its datetime columns and their names after `to_mdc` (extras keep their own).
    `also`: other names of a column, as other products write them. `to_mdc` is None where nothing needs a mapping;
    else it gives a new dict, or raises ValueError for a record that is no change of a file or registry value.
    """

    name: str
    columns: frozenset[str]
    key_columns: frozenset[str]
    to_mdc: Callable[[Values], Values] | None = None
    marks: tuple[frozenset[str], ...] = ()
    never: frozenset[str] = frozenset()
    times: Mapping[str, str] = field(default_factory=dict, hash=False)
    also: Mapping[str, str] = field(default_factory=dict, hash=False)

    def lacking(self, columns: Collection[str]) -> tuple[str, ...]:
        """The key columns (in canonical spelling) that a source with these columns does not have, sorted."""
        present = set(columns) | {self.also[name] for name in columns if name in self.also}
        return tuple(sorted(self.key_columns - present))


def words(text: str) -> frozenset[str]:
    """A set of column names from a text with spaces between them."""
    return frozenset(text.split())


def carry(values: Values, names: Mapping[str, str], table: str, entity: str) -> Values:
    """A new dict with columns renamed by `names`, the others as they are, the kind of entity, and `Type` where it lacks.

    A column that is in the way of a renamed one (none is documented) stays as `TABLE.Column`.
    """
    out: Values = {}
    taken = {names[column] for column in values if column in names} | {"MonitoredEntityType"}
    for column, value in values.items():
        if column in names:
            out[names[column]] = value
        else:
            out[f"{table}.{column}" if column in taken else column] = value
    out["MonitoredEntityType"] = entity
    if not out.get("Type"):
        out["Type"] = table
    return out


def text_of(value: object) -> str:
    """A value as text for a decision: '' for null."""
    return "" if value is None else str(value)
