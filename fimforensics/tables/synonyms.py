"""One word for one thing: what other tables, documents and portals call a kind of entity or a kind of change.

What is not known is kept as it is, to be counted and shown: a new word of Microsoft's is news, not an error.
"""

from __future__ import annotations

_ENTITIES = {"file": "File", "files": "File", "registry": "Registry", "registries": "Registry"}
_CHANGES = {
    "created": "Created", "create": "Created", "added": "Created", "add": "Created", "filecreated": "Created",
    "modified": "Modified", "modify": "Modified", "filemodified": "Modified",
    "deleted": "Deleted", "delete": "Deleted", "removed": "Deleted", "remove": "Deleted", "filedeleted": "Deleted",
    "renamed": "Renamed", "rename": "Renamed", "filerenamed": "Renamed",
}
_REGISTRY = {
    word.lower(): word
    for word in (
        "RegistryKeyCreated", "RegistryKeyDeleted", "RegistryKeyRenamed", "RegistryValueSet", "RegistryValueDeleted"
    )
}


def entity_type(text: str) -> str:
    """"File" or "Registry" for every known spelling of them; anything else as it is."""
    return _ENTITIES.get(text.strip().lower(), text)


def change_type(text: str, entity: str) -> str:
    """The kind of change in the words of `MDCFileIntegrityMonitoringEvents`; anything unknown as it is.

    `entity` is "File" or "Registry". Of a registry entity a bare "Added" becomes "Created" and no more: whether a key or
    a value was added is not in the word.
    """
    word = text.strip().lower()
    if entity == "Registry" and word.startswith("file"):
        return text
    return _REGISTRY.get(word) or _CHANGES.get(word) or text


def entity_of(change: str) -> str | None:
    """The kind of entity that a kind of change itself proves ("RegistryValueSet", "FileCreated"); None for "Modified"."""
    word = change.strip().lower()
    if word.startswith(("registrykey", "registryvalue")):
        return "Registry"
    return "File" if word.startswith("file") and word in _CHANGES else None
