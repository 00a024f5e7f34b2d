"""What a service's answer says of its own failure: the code, the message, and the cause that lies deepest."""

from __future__ import annotations


def told(error: object) -> str | None:
    """The `error` of an answer in one line, its innermost reasons included; None where there is none."""
    if not error:
        return None
    if not isinstance(error, dict):
        return str(error)[:500]
    reasons: list[str] = []
    _collect(error, reasons, 0)
    code = str(error.get("code") or error.get("Code") or "error")[:100]
    told_once = [reason for number, reason in enumerate(reasons) if reason not in reasons[:number]]
    return f"{code}: {' / '.join(told_once)}"[:2000] if told_once else code


def _collect(error: object, reasons: list[str], depth: int) -> None:
    """Every message of the error and of what it holds, outermost first."""
    if depth > 20:
        return
    if isinstance(error, list):
        for item in error[:20]:
            _collect(item, reasons, depth + 1)
    elif isinstance(error, dict):
        lower = {str(key).lower(): value for key, value in error.items()}
        message = lower.get("message")
        if isinstance(message, str) and message:
            reasons.append(message[:500])
        for key in ("details", "innererror"):
            _collect(lower.get(key), reasons, depth + 1)
