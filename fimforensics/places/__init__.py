"""What a place on a disk or in a registry is: the one door to all lists of places.

`kinds` says what a folder is to a system and who may write there (kinds.toml); `watched` knows the places from which programs
start and others whose change is worth a look (watched.toml); `chance` folds names that are only chance. All are pure functions
over comparison keys (`files.key`: Windows in lower case with `\\`, Linux as it is). They say where a thing lies, no more.
"""

from __future__ import annotations

from fimforensics.places.chance import ending, folded, image, parent, person, short, split
from fimforensics.places.kinds import (
    PROGRAM_ENDINGS,
    drop,
    installed_program,
    is_system,
    lasting,
    lasting_value,
    log,
    loose,
    runs,
    unvouched,
    web_script,
    writable,
)
from fimforensics.places.watched import (
    PLACES,
    Place,
    bare,
    file_place,
    one_spelling,
    registry_place,
    starts,
)

__all__ = [
    "PLACES", "PROGRAM_ENDINGS", "Place", "bare", "drop", "ending", "file_place", "folded", "image", "installed_program",
    "is_system", "lasting", "lasting_value", "log", "loose", "one_spelling", "parent", "person", "registry_place", "runs",
    "short", "split", "starts", "unvouched", "web_script", "writable",
]
