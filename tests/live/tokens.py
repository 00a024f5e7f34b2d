"""Sign-in without Azure: tokens that say for whom and until when, a fake `az` and the answers of a fake Entra endpoint.

A token is what Entra's look like (a JWT), signed with a key that the server shares. Real credentials of azure-identity take both:
`AzureCliCredential` runs the `az` written here, `ClientSecretCredential` asks the endpoint.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import stat
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs

TENANT, CLIENT, SECRET = "5e2d1c7a-90b4-4c38-b6a7-1d0f3e8a9c25", "b7f1b0de-6a0c-45b1-9a35-0c8a52a3c9d1", "a secret of the tests"
AUDIENCE = "https://api.loganalytics.io"
LIFE = 3_600  # seconds


def _packed(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpacked(text: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def mint(key: bytes, audience: str = AUDIENCE, life: float = LIFE, user: str = "ann") -> str:
    """A token for the audience, good for `life` seconds from now."""
    now = time.time()
    claims = {"aud": audience, "iat": int(now), "exp": now + life, "oid": user, "tid": TENANT, "jti": os.urandom(8).hex()}
    body = _packed({"typ": "JWT", "alg": "HS256"}) + "." + _packed(claims)
    return body + "." + _packed(hmac.digest(key, body.encode(), "sha256"))


def claims(key: bytes, token: str) -> dict | None:
    """What a token says, or None where it is not ours."""
    body, _, signature = token.rpartition(".")
    if body.count(".") != 1 or not hmac.compare_digest(signature, _packed(hmac.digest(key, body.encode(), "sha256"))):
        return None
    return _unpacked(body.split(".")[1])


def entra(key: bytes, base: str, path: str, form: bytes, expires_in: int = LIFE) -> tuple[int, dict]:
    """(status, body) of the sign-in endpoint: the OpenID configuration, and tokens for the one client it knows."""
    if path.endswith("/.well-known/openid-configuration"):
        tenant = path.split("/")[1]
        return 200, {"issuer": f"{base}/{tenant}/v2.0", "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
                     "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
                     "device_authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/devicecode"}
    said = {name: values[0] for name, values in parse_qs(form.decode()).items()}
    if said.get("client_id") != CLIENT:
        return 400, _denied("unauthorized_client", 700016, "Application with identifier was not found in the directory.")
    if said.get("client_secret") != SECRET:
        return 401, _denied("invalid_client", 7000215, "Invalid client secret provided.")
    audience = said.get("scope", "").split()[0].removesuffix("/.default")
    return 200, {"token_type": "Bearer", "expires_in": expires_in, "ext_expires_in": expires_in,
                 "access_token": mint(key, audience, expires_in, CLIENT)}


def _denied(error: str, number: int, text: str) -> dict:
    return {"error": error, "error_description": f"AADSTS{number}: {text} Trace ID: 0 Correlation ID: 0",
            "error_codes": [number], "trace_id": "0", "correlation_id": "0"}


AZ = '''#!{python}
import json, os, sys, time
sys.path.insert(0, {root!r})
from tests.live.tokens import mint
words = sys.argv[1:]
state = os.environ.get("FAKE_AZ", "")
if words == ["version"] or words == ["--version"]:
    print(json.dumps({{"azure-cli": "2.80.0"}}))
elif words[:2] != ["account", "get-access-token"]:
    sys.exit("this az only gives tokens")
elif state == "signed out":
    sys.exit("ERROR: Please run 'az login' to setup account.")
elif state == "expired":
    sys.exit("ERROR: AADSTS700082: The refresh token has expired due to inactivity. Please run 'az login'.")
else:
    life = float(os.environ.get("FAKE_AZ_LIFE", "3600"))
    resource = os.environ.get("FAKE_AZ_AUDIENCE") or words[words.index("--resource") + 1]
    token = mint(bytes.fromhex({key!r}), resource.rstrip("/"), life)
    print(json.dumps({{"accessToken": token, "expires_on": int(time.time() + life), "subscription": "s", "tenant": {tenant!r},
                       "expiresOn": time.strftime("%Y-%m-%d %H:%M:%S.000000", time.localtime(time.time() + life)),
                       "tokenType": "Bearer"}}))
'''


def write_az(folder: Path, key: bytes) -> Path:
    """An `az` in the folder, which is to stand first on the PATH. FAKE_AZ="signed out" and "expired" make it refuse."""
    folder.mkdir(parents=True, exist_ok=True)
    az = folder / "az"
    root = str(Path(__file__).parents[2])
    az.write_text(AZ.format(python=sys.executable, root=root, key=key.hex(), tenant=TENANT), encoding="utf-8")
    az.chmod(az.stat().st_mode | stat.S_IXUSR)
    return folder


def new_key(word: str = "") -> bytes:
    """A signing key: random, or always the same for a word."""
    return hashlib.sha256(word.encode()).digest() if word else os.urandom(32)
