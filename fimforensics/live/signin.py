"""Signing in: one credential for all workers, one token held for them, and every failure as one line with what to run.

Secrets come from the environment or from where Azure's own tools keep them, never from an argument. The token is for the
cloud's audience, whatever endpoint the queries go to.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fimforensics.errors import Problem
from fimforensics.live.clouds import CLOUDS, Cloud

WAYS = ("cli", "device", "browser", "managed", "workload", "env", "default")
_LEFT = 120  # seconds before its end in which a token is not used any more
_DO = {
    "cli": "Run: az login", "device": "Run the same command again and enter the code in time",
    "browser": "Run the same command again and sign in in the browser that opens",
    "managed": "Run it on an Azure machine with a managed identity (AZURE_CLIENT_ID for a user-assigned one), or say --auth cli",
    "workload": "See that AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE are set, or say --auth cli",
    "env": "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH, or say --auth cli",
    "default": "Set AZURE_TOKEN_CREDENTIALS to dev, prod or a credential's name, or say --auth cli",
}


class SignIn:
    """A credential whose token is shared by all workers; a credential itself, in the way the SDK asks for one."""

    def __init__(self, way: str, cloud: Cloud, ca: Path | None, prompt: Callable[[str, str], None]) -> None:
        """`prompt` shows a person an address and the code to enter there."""
        self.way, self.cloud = way, cloud
        self._lock = threading.Lock()
        self._token: Any = None
        self._made = _credential(way, cloud, ca, prompt)

    def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> Any:
        """A token that is still good for a while; anew where the service wants more claims in it."""
        with self._lock:
            if claims is not None or self._token is None or self._token.expires_on - time.time() < _LEFT:
                self._token = self._ask(scopes, claims)
            return self._token

    def forget(self, token: str | None) -> None:
        """This token was refused: the next one is asked for anew, unless another worker did so already."""
        with self._lock:
            if self._token is not None and token in (None, self._token.token):
                self._token = None

    @property
    def secret(self) -> str | None:
        """The token itself, for what must never show it."""
        return self._token.token if self._token is not None else None

    def _ask(self, scopes: tuple[str, ...], claims: str | None) -> Any:
        from azure.core.exceptions import AzureError

        try:
            return self._made.get_token(*scopes, claims=claims) if claims else self._made.get_token(*scopes)
        except AzureError as error:
            raise self._problem(str(getattr(error, "message", "") or error)) from None
        except ValueError as error:  # what lies in the environment is no tenant, no certificate
            raise Problem(f"sign-in ({self.way}) cannot be set up: {_line(str(error))}", hint=_DO[self.way]) from None

    def _problem(self, text: str) -> Problem:
        """The one line on a sign-in that failed."""
        lower, told = text.lower(), _line(text)
        if "certificate verify failed" in lower:
            return Problem(f"sign-in ({self.way}) failed: the certificate of {self.cloud.authority} is not trusted",
                           hint="A proxy may stand between: name its CA with --ca FILE")
        if "proxy" in lower and ("refused" in lower or "cannot connect" in lower or "unable to connect" in lower):
            return Problem(f"sign-in ({self.way}) failed: the proxy does not let it through", hint="See HTTPS_PROXY and NO_PROXY")
        if any(code in text for code in ("AADSTS500011", "AADSTS650057", "AADSTS90002", "AADSTS900382", "AADSTS900439")):
            other = next(cloud for cloud in CLOUDS if cloud != self.cloud.name)
            return Problem(f"sign-in ({self.way}) failed, the account seems to be of another cloud: {told}",
                           hint=f"Say --cloud {other} or another, or run: az cloud set --name {self.cloud.az}, then az login")
        if self.way == "cli" and "not found" in lower and "path" in lower:
            return Problem("sign-in (cli) failed: the Azure CLI (az) is not there", hint="Install it, or say another --auth")
        hint = f"{_DO[self.way]} --scope {self.cloud.scope}" if self.way == "cli" and "AADSTS" in text else _DO[self.way]
        return Problem(f"sign-in ({self.way}) failed: {told}", hint=hint)


def _line(text: str) -> str:
    """The part of an SDK's message that says what happened, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = next((line for line in lines if "AADSTS" in line), lines[0] if lines else "no reason given")
    return told.split(" Trace ID:")[0].removeprefix("ERROR: ")[:400].rstrip(". ")


def _credential(way: str, cloud: Cloud, ca: Path | None, prompt: Callable[[str, str], None]) -> Any:
    """The SDK's credential for this way; nothing is asked of anybody yet."""
    from azure import identity

    authority = os.environ.get("AZURE_AUTHORITY_HOST") or cloud.authority
    more: dict[str, Any] = {"authority": authority}
    if authority.removeprefix("https://").rstrip("/") not in {known.authority for known in CLOUDS.values()}:
        more["disable_instance_discovery"] = True  # Microsoft does not know that host
    if ca is not None:
        more["connection_verify"] = str(ca)
    made: dict[str, Callable[[], Any]] = {
        "cli": lambda: identity.AzureCliCredential(process_timeout=60),
        "device": lambda: identity.DeviceCodeCredential(prompt_callback=lambda url, code, _: prompt(url, code), **more),
        "browser": lambda: identity.InteractiveBrowserCredential(**more),
        "managed": lambda: identity.ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID")),
        "workload": lambda: identity.WorkloadIdentityCredential(**more),
        "env": lambda: identity.EnvironmentCredential(**more),
        "default": lambda: identity.DefaultAzureCredential(require_envvar=True, **more),
    }
    try:
        return made[way]()
    except ValueError as error:
        raise Problem(f"sign-in ({way}) cannot be set up: {_line(str(error))}", hint=_DO[way]) from None
