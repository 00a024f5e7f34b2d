"""What a user can meet, told in one line: what, where, and what to do. Everything else is a bug and shows itself.

`Problem` ends a command with exit code 1, `Misuse` with 2. Both carry plain text only; the command line makes it visible and
inert.
"""

from __future__ import annotations


class Problem(Exception):
    """Bad input or a case that cannot be used: `what`, then `where` it is (file, record), then `hint`: what to do."""

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(self.line())

    def line(self) -> str:
        """The whole message on one line."""
        told = f"{self.where}: {self.what}" if self.where else self.what
        return f"{told}. {self.hint}" if self.hint else told


class Refused(Problem):
    """A source that is recognised, or plainly is none, and is not taken; the others of the same command are."""


class Misuse(Problem):
    """The command was called wrongly."""
