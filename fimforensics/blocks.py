"""The cells of a record come in blocks that repeat: a machine, an account, an image, a process, a file, a registry value.

Each block is made canonical once, remembered, and numbered; a record then costs a few look-ups. Numbers are local to one
reading: `Entities` hands out the new ones with every batch, and the case gives them ids of its own.
Caches are bounded: when one is full it is emptied, and what comes again is numbered again.
"""

from __future__ import annotations

from typing import NamedTuple

from fimforensics import paths, times
from fimforensics.cells import Cells
from fimforensics.schema import ABSENT, EMPTY_BIT, FOLDER, FOLDER_SEPARATOR, FULL, ORIGINAL_FORM_SHIFT, PATH_FORM_SHIFT
from fimforensics.tables import synonyms
from fimforensics.text import storable

MACHINE = ("TenantId", "AzureResourceId", "AADTenantID", "Computer", "CloudProvider", "CloudIdentifier", "CloudResourceType",
           "SourceSystem", "Type", "_IsBillable")
CHANGE = ("MonitoredEntityType", "ChangeType")
FILE = ("FileName", "FilePath", "OriginalFileName", "OriginalFilePath", "FileType")
REQUEST = ("RequestAccountName", "RequestAccountDomain", "RequestAccountSid", "RequestSourceIP", "RequestSourcePort",
           "RequestSource")
REGISTRY = ("RegistryKey", "RegistryHive", "OldValueType", "OldValueName", "OldValueFullRegistryKey", "NewValueType",
            "NewValueName")
PROCESS = ("InitiatingProcessId", "InitiatingProcessName", "InitiatingProcessCreationTime", "InitiatingProcessSessionId",
           "InitiatingProcessFirstSeen", "InitiatingProcessSource")
ACCOUNT = ("InitiatingProcessAccountSid", "InitiatingProcessAccountDomainName", "InitiatingProcessAccountName")
IMAGE = ("InitiatingProcessImageFileName", "InitiatingProcessImageFilePath", "InitiatingProcessImageFileType",
         "InitProcImageFileSizeInBytes", "InitProcImageCreationTimeUtc", "InitProcImagePeTimestampUtc",
         "InitProcImageLastWriteTimeUtc", "InitProcImageLsHash", "InitProcImageMd5", "InitProcImageSha256", "InitProcImageSha1",
         "InitProcVersionInfoCompanyName", "InitProcVersionInfoProductName", "InitProcVersionInfoProductVersion",
         "InitProcVersionInfoInternalFileName", "InitProcVersionInfoOriginalFileName", "InitProcVersionInfoFileDescription")

# In this order entities go into a case: each refers only to kinds before it.
KINDS = ("hosts", "machine_reports", "changes", "accounts", "images", "processes", "process_reports", "paths", "files",
         "contents", "requests", "registry_values", "registry_reports")
CACHE = 1 << 17
_WORDS = frozenset((str, type(None)))


class Block(NamedTuple):
    """One block made canonical: its cells, which of them are proven empty, the numbers of its entities, and its flags."""

    cells: tuple
    forms: int
    ids: tuple
    flags: int
    extra: dict[str, object] | None = None  # what the record spelled otherwise than its cells


class Entities:
    """Numbers entities as they come and keeps the new ones of each kind until they are taken."""

    def __init__(self, less: int = 0) -> None:
        """`less`: whoever asks remembers only an eighth (3), a quarter (2), … of what it would remember."""
        self.less = less
        self.count = dict.fromkeys(KINDS, 0)
        self.new: dict[str, list[tuple]] = {kind: [] for kind in KINDS}

    def add(self, kind: str, row: tuple) -> int:
        """The local number of a new entity of `kind`."""
        number = self.count[kind]
        self.count[kind] = number + 1
        self.new[kind].append(row)
        return number

    def take(self) -> list[list[tuple]]:
        """The entities since the last call, kind by kind in the order of KINDS."""
        taken = [self.new[kind] for kind in KINDS]
        self.new = {kind: [] for kind in KINDS}
        return taken


def _recorded(value: object, cell: str | None) -> str | None:
    """A text as the record has it; of what is no text, its cell."""
    return value if type(value) is str else cell


def _bits(columns: tuple[str, ...], cells: tuple | list) -> int:
    found = 0
    for column, cell in zip(columns, cells, strict=True):
        if cell == "":
            found |= EMPTY_BIT.get(column, 0)
    return found


class Blocks:
    """The caches of one reading, block by block, over one `Entities`."""

    def __init__(self, cells: Cells, entities: Entities, keep: bool = True) -> None:
        """`keep` false: who asks remembers the blocks, and asks only once for each."""
        self.cells, self.entities, self._keep = cells, entities, keep
        self._caches: dict[str, dict] = {}
        self._hosts: dict[str, int] = {}

    def _remember(self, name: str, key: tuple, block: Block) -> Block:
        if self._keep:
            cache = self._caches.setdefault(name, {})
            if len(cache) >= CACHE >> self.entities.less:
                cache.clear()
            cache[key] = block
        return block

    def cache(self, name: str) -> dict:
        """The look-up table of one kind of block, for the hot loop."""
        return self._caches.setdefault(name, {})

    def _texts(self, raw: tuple) -> tuple[list, int]:
        if _WORDS.issuperset(map(type, raw)):
            joined = "".join(filter(None, raw))
            if joined.isascii() and "\0" not in joined:
                return list(raw), 0
        found, flags = [], 0
        for value in raw:
            cell, flag = self.cells.text(value)
            found.append(cell)
            flags |= flag
        return found, flags

    def machine(self, raw: tuple) -> Block:
        """host and machine report; host = resource id, else cloud id, else computer name, whatever their case."""
        cells, flags = self._texts(raw)
        values = [cell or None for cell in cells]
        resource, computer, cloud = values[1], values[3], values[5]
        key = (f"azure:{resource.lower()}" if resource else f"cloud:{cloud.lower()}" if cloud
               else f"name:{computer.lower()}" if computer else "unknown")
        name = computer or (paths.last_segment(resource or cloud or "") or "(unknown machine)")
        host = self._hosts.get(key + "\0" + name)
        if host is None:
            host = self._hosts[key + "\0" + name] = self.entities.add("hosts", (key, name))
        report = self.entities.add("machine_reports", (host, *values))
        return self._remember("machine", raw, Block(tuple(cells), _bits(MACHINE, cells), (host, report), flags))

    def change(self, raw: tuple) -> Block:
        """What changed and how; synonyms are unified, and the record's own word is kept beside."""
        cells, flags = self._texts(raw)
        entity = synonyms.entity_type(cells[0]) if cells[0] else synonyms.entity_of(cells[1] or "") or cells[0]
        change = synonyms.change_type(cells[1], entity or "") if cells[1] else cells[1]
        told = zip(CHANGE, cells, (entity, change), strict=True)
        spelled: dict[str, object] = {column: cell for column, cell, unified in told if cell != unified}
        number = self.entities.add("changes", ((entity or "unknown").lower(), change or "", entity or None))
        block = Block((entity, change), _bits(CHANGE, (entity, change)), (number,), flags, spelled or None)
        return self._remember("change", raw, block)

    def _path(self, path: str | None, name: str | None) -> tuple[str | None, int]:
        joined = paths.join(path or None, name or None)
        form = FULL
        if not path:
            form = ABSENT if joined else FULL
        elif joined != path:
            form = FOLDER_SEPARATOR if joined == path + (name or "") else FOLDER
        return (storable(joined)[0] if joined else joined), form

    def file(self, raw: tuple) -> Block:
        """raw = (host, *FILE): the joined paths, the file, and in which form the paths were recorded."""
        host = raw[0]
        (name, path, old_name, old_path, kind), flags = self._texts(raw[1:])
        # joined as they were recorded: an escape has a backslash, which would count as a separator
        joined, form = self._path(*(_recorded(raw[at], cell) for at, cell in ((2, path), (1, name))))
        old_joined, old_form = self._path(*(_recorded(raw[at], cell) for at, cell in ((4, old_path), (3, old_name))))
        forms = form << PATH_FORM_SHIFT | old_form << ORIGINAL_FORM_SHIFT
        number = self.entities.add("files", (host, joined, paths.file_key(joined))) if joined else None
        spelled = self.entities.add("paths", (joined, name or None)) if joined else None
        old = self.entities.add("paths", (old_joined, old_name or None)) if old_joined else None
        cells = (name, kind, joined or path, old_name, old_joined or old_path)
        forms |= _bits(("FileName", "FileType", "FilePath", "OriginalFileName", "OriginalFilePath"), cells)
        return self._remember("file", raw, Block(cells, forms, (number, spelled, old, joined, old_joined), flags))

    def account(self, sid: str | None, domain: str | None, name: str | None) -> int | None:
        """The number of an account, None where nothing is known of it."""
        if not (sid or domain or name):
            return None
        label = f"{domain}\\{name}" if domain and name else name or sid or f"{domain}\\"
        return self.entities.add("accounts", (label, sid or None, domain or None, name or None))

    def request(self, raw: tuple) -> Block:
        """On whose behalf, and from where, a change came over the network."""
        cells, flags = self._texts(raw)
        name, domain, sid, address, port, source = (cell or None for cell in cells)
        number = None
        if name or domain or sid or address or port or source:
            number = self.entities.add("requests", (self.account(sid, domain, name), address, port, source))
        return self._remember("request", raw, Block(tuple(cells), _bits(REQUEST, cells), (number,), flags))

    def registry(self, raw: tuple) -> Block:
        """raw = (host, *REGISTRY): the key and value, and how the record spelled them."""
        host = raw[0]
        cells, flags = self._texts(raw[1:])
        key, hive, old_type, old_name, old_key, new_type, new_name = (cell or None for cell in cells)
        value = report = None
        where, name = key or old_key, new_name if new_name is not None else old_name
        if where or name:
            folded = paths.registry_key(where or "", hive)
            label = f"{where or ''}\\{name}" if name else where or ""
            value = self.entities.add("registry_values", (host, label, folded, name.lower() if name else None))
        if any(cell for cell in cells):
            report = self.entities.add("registry_reports", (key, hive, old_type, old_name, old_key, new_type, new_name))
        folded_keys = (paths.hive_name(key) if key else None, paths.hive_name(old_key) if old_key else None)
        return self._remember("registry", raw, Block(tuple(cells), _bits(REGISTRY, cells), (value, report, *folded_keys), flags))

    def image(self, raw: tuple) -> Block:
        """The executable of the initiating process."""
        cells: list = []
        flags = 0
        for at, (column, value) in enumerate(zip(IMAGE, raw, strict=True)):
            if at == 3:
                cells.append(self.cells.number(column, value))
                continue
            read = self.cells.time(column, value) if at in (4, 5, 6) else (
                self.cells.hash(value) if at in (8, 9, 10) else self.cells.text(value))
            cells.append(read[0])
            flags |= read[1]
        known = tuple(cell if cell != "" else None for cell in cells)
        number = self.entities.add("images", known) if any(cell is not None for cell in known) else None
        return self._remember("image", raw, Block(tuple(cells), _bits(IMAGE, cells), (number,), flags))

    def actor(self, raw: tuple) -> Block:
        """The account that ran the initiating process."""
        cells, flags = self._texts(raw)
        return self._remember("actor", raw, Block(tuple(cells), _bits(ACCOUNT, cells), (self.account(*cells),), flags))

    def process(self, raw: tuple, image: Block, actor: Block) -> Block:
        """raw = (host, image, account, *PROCESS): the instance (host, pid, start cut to ms, image) and its report."""
        host, image_id, account_id, pid, name, created, session, seen, source = raw
        pid, session = self.cells.number(PROCESS[0], pid), self.cells.number(PROCESS[3], session)
        (name, source), flags = self._texts((name, source))
        created, flag = self.cells.time(PROCESS[2], created)
        seen, other = (created, flag) if seen == raw[5] else self.cells.time(PROCESS[4], seen)
        cells = (pid, name, created, session, seen, source)
        image_name, image_path = image.cells[0] or None, image.cells[1] or None
        instance = report = None
        if pid is not None or name or image_name or image_path:
            key = paths.file_key(image_path) if image_path else (image_name or name or "").lower()
            if pid is None and account_id is not None:
                key += "|" + "|".join(cell or "" for cell in actor.cells)
            label = image_name or name or paths.last_segment(image_path or "") or f"pid {pid}"
            weak = 2 if pid is None else 1 if created is None else 0
            instance = self.entities.add("processes", (host, pid, times.cut_ms(created) if created else None, key, label, weak))
        if instance is not None or image_id is not None or account_id is not None or any(cell is not None for cell in cells):
            report = self.entities.add("process_reports", (
                instance, account_id, image_id, pid, name or None, created, session, seen, source or None))
        ids = (instance, report, times.cut_ms(created) if created else None)
        return self._remember("process", raw, Block(cells, _bits(PROCESS, cells), ids, flags | flag | other))
