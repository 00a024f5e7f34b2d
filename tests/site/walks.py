"""Five of the six stories, walked as an investigator would: from the case's page by what a person sees to who did it.

A step says what is seen on the page and which link is followed: its words, and the part of the page in which they stand.
The sixth story, the compliance review, has nobody to blame. `docs/walks.md` tells the walks, with a picture of each page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "docs"
MOST_CLICKS = 6


@dataclass(frozen=True)
class Step:
    """What a person sees, and the link that leads on: `link` begins its words, `under` is the heading above it."""

    seen: str
    link: str
    under: str | None = None


@dataclass(frozen=True)
class Walk:
    """A story, its steps, and its end: what the last page is of, what stands there, and what that means."""

    story: str  # as in tests/analyses/stories.py
    title: str
    begins: str
    steps: tuple[Step, ...]
    culprit: str
    facts: tuple[str, ...]
    ends: str

    @property
    def name(self) -> str:
        """For files."""
        return self.story.replace(" ", "-")


WALKS = (
    Walk("web shell", "A web shell, and the program that it dropped",
         "A web server behaves oddly. The export of one week lies before you, and nobody knows what to look for.",
         (Step("Four grave findings, all on `web-1`, all within seven minutes. One says that a file which a server program wrote "
               "ran two minutes later.", "web-1: w3wp.exe (IIS APPPOOL\\OWA) wrote C:\\Windows\\Temp\\t.exe"),
          Step("The finding names all that took part, and shows the events on which it stands: the file is written, and "
               "what came "
               "of it makes a driver and a service.", "t.exe", "What it names"),
          Step("The process that the file became: what it changed has two findings of its own. Above that stands where its image "
               "came from.", "w3wp.exe", "Where its image came from")),
         "w3wp.exe", ("What it wrote then ran", "C:\\Windows\\Temp\\t.exe", "error.aspx", "IIS APPPOOL\\OWA"),
         "The server process under `IIS APPPOOL\\OWA` is where it began: it wrote a script that the server itself serves, three "
         "minutes later the program, and the program did the rest."),
    Walk("ransomware", "A burst that renames everything",
         "Users cannot open their documents. The file server's changes were watched.",
         (Step("One grave finding: 28 files in 6 folders within 3 minutes, 22 of them with a new ending, and a note in "
               "each folder.",
               "files-1: 28 files in 6 folders within 3 minutes"),
          Step("All 28 events by one process; the note's content came into six folders.", "evil.exe", "What it names"),
          Step("The process was started a minute before, out of a folder of downloads; it renamed and created, and did nothing "
               "else.", "CONTOSO\\bob")),
         "CONTOSO\\bob", ("evil.exe", "renamed", "files-1", "\\downloads\\evil.exe"),
         "It ran as `CONTOSO\\bob`, on this host only, from his downloads. The shares that he could write in are the damage."),
    Walk("run key", "Code that starts at every sign-in",
         "A desk computer opens connections at night. Only its registry and system files were watched.",
         (Step("A Run value was set, to an interpreter with hidden, encoded code.",
         "On desk-1 powershell.exe as CONTOSO\\bob set"),
          Step("The finding says what a Run key is for, and who may set one without harm. The value has a page of its own.",
               "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater", "What it names"),
          Step("The value never was there before. What happened on the host within two minutes shows another value, set "
               "one second "
               "earlier.", "powershell.exe")),
         "powershell.exe", ("pid 5150", "CONTOSO\\bob", "CurrentVersion\\Debug", "CurrentVersion\\Run\\Updater"),
         "One process of `powershell.exe`, under `CONTOSO\\bob`, at ten past two in the night: it left the code in one value and "
         "what starts it in the other."),
    Walk("trojan", "A program replaced on several hosts, and once put back",
         "An integrity check found a wrong `passwd` on one host. How far did it come, and by whom?",
         (Step("Findings on three hosts. One says that a content came from host to host within half an hour.",
               "/usr/bin/passwd"),
          Step("It came one host after another, and no deployment tool brought it. Its content is the same everywhere.",
               "7aca6784", "What it names"),
          Step("Stairs, no straight line: somebody went from host to host. The patch of the second day came otherwise. "
               "On `app-1` "
               "the bar is short: there it did not stay.", "/usr/bin/passwd", "Hosts, in order of arrival, and what brought it"),
          Step("The lanes of the file: patched, replaced, and six minutes later the patched content again, by hand.", "mallory")),
         "mallory", ("4 processes on 3 hosts", "/usr/bin/scp", "app-3"),
         "`mallory` copied it by hand onto three hosts and took it back on the first, which is why the check there found nothing "
         "wrong."),
    Walk("insider", "A rule for oneself, and logs that are gone",
         "The log of a database server ends in the middle of an evening.",
         (Step("Two findings, ten minutes apart: a rule was made that decides who may act as root, and a log was deleted by a "
               "program that does not rotate logs.", "On db-1 rm, which neither rotates logs nor owns them"),
          Step("The two events, both by `rm`. The account is named.", "rm", "What it names"),
          Step("The process did nothing but delete. Who ran it, and what else did they do?", "carol")),
         "carol", ("/etc/sudoers.d/carol", "/var/log/auth.log", "/home/carol/.bash_history", "2 processes on 1 host"),
         "`carol` gave herself a rule that decides who may act as root, and ten minutes later removed what would have told."),
)


def walked(tab: Any, address: str, walk: Walk, picture: Callable[[Any, int, Any], None] | None = None) -> Iterator[str]:
    """Walks it, and gives the address of each page on the way; `picture` is shown each page and the link that is followed."""
    tab.goto(address)
    yield tab.url
    for number, step in enumerate(walk.steps, 1):
        link = _link(tab, step)
        if picture:
            picture(tab, number, link)
        link.click()
        tab.wait_for_load_state()
        yield tab.url
    if picture:
        picture(tab, len(walk.steps) + 1, None)


def _link(tab: Any, step: Step) -> Any:
    """The first link a person sees in the page's text (else its menu) whose words begin so, in the part that is named."""
    words = re.compile(r"^\s*" + re.escape(step.link).replace("/", r"\/"))
    inside = tab.locator("main") if step.under is None else tab.get_by_role("region", name=step.under, exact=True)
    found = inside.get_by_role("link", name=words).filter(visible=True)
    if not found.count():
        found = tab.get_by_role("navigation").get_by_role("link", name=words).filter(visible=True)
    assert found.count(), f"no link {step.link!r} on {tab.url}"
    return found.first


def told() -> str:
    """`docs/walks.md`."""
    lines = ["# Five walks", "", "From the page of a case to who did it, by what a person sees, in at most "
             f"{MOST_CLICKS} clicks. The cases are small and made up (`tests/analyses/stories.py`). The tests walk these very "
             "ways; `make pictures` does so too, and takes the pictures. A frame stands round the link that is followed.", ""]
    for walk in WALKS:
        lines += [f"## {walk.title}", "", walk.begins, ""]
        for number, step in enumerate(walk.steps, 1):
            lines += [f"{number}. {step.seen}", "", f"   ![Step {number}: {step.seen.split('.')[0].replace('`', '')}]"
                      f"(walks/{walk.name}-{number}.png)", ""]
        last = len(walk.steps) + 1
        lines += [walk.ends, "", f"![The end: {walk.culprit}](walks/{walk.name}-{last}.png)", ""]
    return "\n".join(lines)
