"""Compiles the native module with the C compiler that the system has; who has none gets the same results from Python alone.

Used by the build hook when the project is installed or packed, and by nobody at run time.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).parent
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-fno-strict-aliasing", "-fvisibility=hidden", "-Wall", "-Wextra",
         "-Wno-missing-field-initializers")


def sources() -> list[Path]:
    """The C files, in order."""
    return sorted(HERE.glob("*.c"))


def stamp() -> str:
    """What the sources are, in 32 hexadecimal figures: a module made from others is not used."""
    found = hashlib.sha256()
    for path in sorted([*HERE.glob("*.c"), *HERE.glob("*.h")]):
        found.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return found.hexdigest()[:32]


def file_name() -> str:
    """How this Python wants the module to be named."""
    return "_native" + str(sysconfig.get_config_var("EXT_SUFFIX") or ".so")


def command(target: Path, *more: str) -> list[str] | None:
    """The compiler's command; None where there is no compiler that would understand it, or no headers of Python."""
    compiler = shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc"))
    compiler = compiler if shutil.which(compiler[0]) else ["cc"]
    headers = sysconfig.get_path("include")
    if os.name != "posix" or shutil.which(compiler[0]) is None or not Path(headers, "Python.h").is_file():
        return None
    linking = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
    return [*compiler, *FLAGS, *more, f'-DSOURCES="{stamp()}"', "-I", headers, *linking, "-o", str(target), *map(str, sources())]


def compile_into(folder: Path, *more: str) -> Path | None:
    """The compiled module in `folder`, or None where it cannot be made or does not load."""
    target = folder / file_name()
    half = target.with_name(f"half-{os.getpid()}-{target.name}")
    called = command(half, *more)
    try:
        if called is None or subprocess.run(called, capture_output=True, timeout=300).returncode:
            return None
        os.replace(half, target)  # never half a file where another process may be loading it
    except (OSError, subprocess.SubprocessError):
        return None
    finally:
        half.unlink(missing_ok=True)
    return target
