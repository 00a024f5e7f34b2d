"""The analyses by name, in their order, and the rules by which they say "look here": one source for analyses, commands, pages.

It stands below the analyses, so that pages, which may not know them, have the same words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A rule; `version` goes up when it says so of other events than before.

    `meaning` tells what it looks for, and `innocent` what may cause it without any harm, each in one sentence.
    """

    analysis: str
    name: str
    version: int
    severity: str  # high, medium, low or info, unless the finding says otherwise
    technique: str | None  # of ATT&CK, as T1547.001
    meaning: str
    innocent: str


ANALYSES = ("versions", "reversions", "relations", "spread", "rarity", "bursts", "coverage", "persistence", "actors")
RULES: tuple[Rule, ...] = (
    Rule("reversions", "reversion", 1, "medium", "T1070",
         "A file or registry value was changed and later had its earlier content again, by hand or by another "
         "program.",
         "Somebody tried a change and took it back, or mended what was broken."),
    Rule("reversions", "short-lived content", 1, "medium", "T1036.005",
         "A program's first known change brought a content no other host has, and within an hour it had another, "
         "which stayed.",
         "Somebody built or copied a program by hand and corrected it at once."),
    Rule("reversions", "rollback", 1, "low", "T1565.001",
         "Many files, or the same file on many hosts, had an earlier content again at about the same time by the "
         "same program.",
         "An update or deployment was taken back."),
    Rule("reversions", "restored", 1, "info", None,
         "Files had an earlier content again after they were deleted, or through a package, backup or repair tool.",
         "A backup or a package manager did what it is for."),
    Rule("reversions", "flapping", 1, "low", None,
         "Files or registry values return to the same content again and again.",
         "Counters, states and lists of recent things are kept so."),
    Rule("relations", "became process", 1, "medium", "T1204.002",
         "A file was written where users or server programs may write, or by a server process or a program from "
         "such a folder, and then ran as a process that changed something.",
         "Programs that update themselves in a user's profile or ProgramData, and installers unpacked to a "
         "temporary folder."),
    Rule("relations", "web script written", 1, "high", "T1505.003",
         "A server process, or Windows on behalf of someone in the network, wrote a script where a web server "
         "serves it.",
         "A web application that updates itself or compiles its templates, and a deployment that copies over the "
         "network."),
    Rule("spread", "spread in a chain", 1, "medium", "T1570",
         "A program, script or file that starts by itself came to a few hosts one after another, and no deployment "
         "tool brought it.",
         "An administrator who installs something by hand on one host after another does the same."),
    Rule("rarity", "rare actor in a system folder", 1, "medium", None,
         "A program that writes in this system folder on one host only, or an account that uses this program on one"
         " host only, and that was not seen in the first fifth of the case.",
         "Each host has work of its own: an administrator's edit, a program that only this host runs."),
    Rule("bursts", "burst", 1, "medium", "T1486",
         "Within minutes far more files of a host were changed than its history knows.",
         "Installations, deployments, unpacking an archive or restoring a backup change many files at once."),
    Rule("coverage", "change under silence", 1, "medium", "T1562.001",
         "Something was changed while its host was silent, or in its first minutes after a silence.",
         "A machine that was switched off, or whose sensor was updated, changes files when it starts again."),
    Rule("persistence", "persistence place", 1, "medium", "T1547",
         "Something was set in a place from which programs start, or which decides who may sign in, act as root or "
         "be trusted.",
         "Software that is installed, updated or configured by hand sets up the same places."),
    Rule("persistence", "persistence removed", 1, "medium", "T1070.009",
         "Something was taken out of such a place, though not by a package manager.",
         "Software that is removed by hand takes its entries along, and some programs clear their own."),
    Rule("persistence", "content unlike the other hosts", 1, "medium", "T1554",
         "One program wrote the same file on many hosts within days, and on one host a content that no other has.",
         "The host has settings, a release or a role of its own."),
    Rule("actors", "actor is the collector itself", 1, "info", None,
         "Changes were made by the software that watches the machine and reports these events.",
         "It keeps its own files and settings; such changes can mostly be left aside."),
    Rule("actors", "host with two names", 1, "info", None,
         "One machine reports under two names, or two hosts of the case may be one machine.",
         "A machine was renamed, or sources spell its name short and in full."),
    Rule("actors", "reused pid", 1, "info", None,
         "One process id stood for several processes of a host, so that a pid alone does not name one.",
         "Systems give the ids of ended processes to new ones; this is always so."),
    Rule("actors", "content does not fit the extension", 1, "medium", "T1036.008",
         "The sensor says that a file is a program or script though its name ends like a document's, or the other "
         "way round.",
         "Some software keeps programs under names of its own, and sensors tell types by the first bytes."),
    Rule("actors", "log or history removed", 1, "medium", "T1070",
         "A log or command history was deleted or emptied, though not by what rotates logs or by its own service.",
         "Somebody made room on a full disk, or removed a program with its logs."),
)
BY_NAME = {rule.name: rule for rule in RULES}
WITH_RULES = tuple(name for name in ANALYSES if any(rule.analysis == name for rule in RULES))


def rules_of(analysis: str) -> tuple[Rule, ...]:
    """The rules of one analysis, in order."""
    return tuple(rule for rule in RULES if rule.analysis == analysis)
