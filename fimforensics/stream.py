"""A reading in a process of its own: two cores work, and a source that crashes a parser cannot take the case with it.

The messages of `fimforensics.pipeline` cross by `marshal`; a thread holds a few of them ready for the writer. What crosses costs
more than it saves for a small source, and for lines of JSON that the compiled module reads: those are read in process.
"""

from __future__ import annotations

import contextlib
import gc
import marshal
import multiprocessing
import queue
import signal
import threading
import traceback
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import orjson

from fimforensics.errors import Problem, Refused
from fimforensics.model import COLUMNS
from fimforensics.native import native
from fimforensics.pipeline import Task, messages
from fimforensics.shapes import HEAD, jsonl

ALONE = 8 << 20  # bytes of a source below which a second process costs more than it saves
_READY = 3


def stream(task: Task, size: int) -> Iterator[tuple]:
    """The messages of `task`, made in process or, for a source of many bytes, beside.

    Lines of JSON, which the compiled module reads quicker than they would cross, are read in process.
    """
    if size < ALONE:
        yield from messages(task)
        return
    if native is not None and _lines(task.path):
        with _uncollected():
            yield from messages(task)
        return
    with _uncollected():
        yield from _beside(task)


def _lines(path: str) -> bool:
    """Does the file look like lines of JSON with Microsoft's columns alone, not compressed? Those the compiled module reads."""
    try:
        with open(path, "rb") as source:
            head = source.read(HEAD)
        values = orjson.loads(head.partition(b"\n")[0]) if jsonl.recognise(head) else None
    except (OSError, ValueError):
        return False  # who reads it will say why
    return isinstance(values, dict) and values.keys() <= COLUMNS.keys()


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for cycles: what passes holds none."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _beside(task: Task) -> Iterator[tuple]:
    """The messages of `task`, made in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(task, there), daemon=True)
    _start(child)
    there.close()
    held: queue.Queue[bytes | None] = queue.Queue(_READY)
    stopped = threading.Event()
    threading.Thread(target=_receive, args=(here, held, stopped), daemon=True).start()
    try:
        while (data := held.get()) is not None:
            message = marshal.loads(data)
            if message[0] == "problem":
                raise (Refused if message[1] else Problem)(message[2], where=message[3], hint=message[4])
            if message[0] == "bug":
                raise RuntimeError(f"the reading process failed:\n{message[1]}")
            yield message
            if message[0] == "end":
                return
        raise Problem("the reading process ended before its time (out of memory?)", where=task.label,
                      hint="Run the same command again")
    finally:
        stopped.set()
        child.terminate()
        child.join()
        here.close()


def _start(child: BaseProcess) -> None:
    """Starts the child deaf to Ctrl-C from its first moment: that is the writer's to answer."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        child.start()
        return
    resource_tracker.ensure_running()  # else it would be started deaf too
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _receive(here: Connection, held: queue.Queue[bytes | None], stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            data = here.recv_bytes()
        except (EOFError, OSError):
            data = None
        while not stopped.is_set():
            try:
                held.put(data, timeout=0.2)
                break
            except queue.Full:
                continue
        if data is None:
            return


def _child(task: Task, there: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the writer's to answer
    gc.freeze()
    gc.disable()  # records hold no cycles, and walking the caches over and over costs more than all of it
    try:
        for message in messages(task):
            there.send_bytes(marshal.dumps(message))
    except Problem as problem:
        there.send_bytes(marshal.dumps(("problem", isinstance(problem, Refused), problem.what, problem.where, problem.hint)))
    except BrokenPipeError:
        return
    except BaseException:
        there.send_bytes(marshal.dumps(("bug", traceback.format_exc())))
