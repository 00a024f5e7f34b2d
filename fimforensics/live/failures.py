"""What failures of the service mean: what may pass, what may pass with less asked for, and what is one line for a person."""

from __future__ import annotations

from fimforensics.errors import Problem
from fimforensics.live.clouds import CLOUDS, Cloud

GO_ON = "Nothing is lost: the same command again goes on where it stopped"


class Later(Exception):
    """429: the gate is shut for a while."""


class Expired(Exception):
    """401: the token is not taken."""


class Slow(Exception):
    """504, or no byte for longer than a query may run."""


class Broken(Exception):
    """The connection broke."""


class Nobody(Broken):
    """There was none to begin with."""


def of_transport(error: Exception, endpoint: str, ca: bool) -> Exception:
    """What an error of the SDK means that is no answer of the service."""
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseTimeoutError

    text, lower = str(error), str(error).lower()
    if isinstance(error, ServiceResponseTimeoutError):
        return Slow("no answer in time")
    if isinstance(error, ClientAuthenticationError):
        return Problem(f"sign-in failed: {_first(text)}", hint="Sign in again, then run the same command")
    if "certificate" in lower or ("sslerror" in lower and "eof" not in lower):
        hint = "Name the right CA with --ca FILE" if ca else "If a proxy stands between, name its CA with --ca FILE"
        return Problem(f"its certificate is not trusted ({_verdict(text)})", where=endpoint, hint=hint)
    if "to proxy" in lower or "proxyerror" in lower:
        return Problem("the proxy does not let it through", where=endpoint,
                       hint="See HTTPS_PROXY and NO_PROXY, and whether the proxy allows this address")
    if isinstance(error, ServiceRequestError) and ("name or service not known" in lower or "failed to resolve" in lower):
        return Nobody("connection: the address is not known")
    if isinstance(error, ServiceRequestError) and "refused" in lower:
        return Nobody("connection: refused")
    return Broken(f"connection: {type(error).__name__}")


def of_status(status: int, told: str, endpoint: str, cloud: Cloud) -> Problem:
    """The one line on a refusal that will not pass."""
    hint, told = "", told.rstrip(". ")
    if status in (401, 403) and "audience" in told.lower():
        hint = f"The token is for another cloud: say --cloud {'|'.join(CLOUDS)} (now {cloud.name}), or az cloud set and az login"
    elif status == 401:
        hint = f"Sign in again (az login). If that is no help, the account may be of another cloud: --cloud {'|'.join(CLOUDS)}"
    elif status == 403:
        hint = "Ask for the role Log Analytics Reader on the workspace (or on the resource, with --resource)"
    elif status == 404:
        hint = f"See the workspace's id (a GUID on its overview page) and the cloud (now {cloud.name}, --cloud)"
    elif status == 400 and ("basic" in told.lower() or "auxiliary" in told.lower()):
        hint = "The table is on another plan: say --table-plan basic or auxiliary (its queries are billed by what they scan)"
    elif status == 400:
        hint = "See the table's name (--table) and that this workspace has it"
    return Problem(f"the service refused ({status}): {told}", where=endpoint, hint=hint)


def _verdict(text: str) -> str:
    """Why a certificate was not taken, without the rest of what OpenSSL says."""
    for mark in ("certificate verify failed: ", "CERTIFICATE_VERIFY_FAILED] "):
        if mark in text:
            return text.split(mark, 1)[1].split("(_ssl")[0].strip(" ()'\"")[:120]
    return _first(text)[:120]


def _first(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[0] if lines else "no reason given")[:300].rstrip(". ")
