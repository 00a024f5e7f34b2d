"""Synonyms: every known word becomes Microsoft's, every unknown one stays."""

from __future__ import annotations

from fimforensics.tables.synonyms import change_type, entity_of, entity_type


def test_entity_type() -> None:
    words = ["File", "Files", "file", " FILES ", "Registry", "registry", "Daemons", ""]
    assert [entity_type(word) for word in words] == ["File", "File", "File", "File", "Registry", "Registry", "Daemons", ""]


def test_change_type_of_files() -> None:
    words = ["Created", "Added", "Add", "FileCreated", "created", "Modify", "Removed", "FileDeleted", "FileRenamed", "Touched"]
    assert [change_type(word, "File") for word in words] == [
        "Created", "Created", "Created", "Created", "Created", "Modified", "Deleted", "Deleted", "Renamed", "Touched",
    ]  # fmt: skip


def test_change_type_of_the_registry() -> None:
    words = ["registryvalueset", "RegistryKeyCreated", "RegistryKeyRenamed", "Added", "Removed", "FileCreated", "RegistryX"]
    assert [change_type(word, "Registry") for word in words] == [
        "RegistryValueSet", "RegistryKeyCreated", "RegistryKeyRenamed", "Created", "Deleted", "FileCreated", "RegistryX",
    ]  # fmt: skip


def test_a_change_that_proves_the_kind_of_entity() -> None:
    words = ["RegistryValueSet", "registrykeydeleted", " RegistryKeySetSecurity ", "FileCreated", "Created", "Modified", "Filed"]
    assert [entity_of(word) for word in words] == ["Registry", "Registry", "Registry", "File", None, None, None]
