"""Bodies of Log Analytics' answers, form by form: what succeeds, what is partial, what is refused.

Forms as Microsoft documents them (articles on the API's errors and response format) and as users have shown them in public
issues; where no public source shows a form (504, the text of a 429) it says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

TOO_LARGE = "-2133196797"  # E_QUERY_RESULT_SET_TOO_LARGE
OUT_OF_MEMORY = "-2133196796"  # E_RUNAWAY_QUERY
Error = tuple[int, dict]


def answer(columns: Sequence[tuple[str, str]], rows: Sequence[str], error: dict | None = None) -> bytes:
    """A body with one table; rows are JSON already."""
    named = json.dumps([{"name": name, "type": kind} for name, kind in columns], separators=(",", ":"))
    table = '{"tables":[{"name":"PrimaryResult","columns":' + named + ',"rows":[' + ",".join(rows) + "]}]"
    return (table + (',"error":' + json.dumps(error, separators=(",", ":")) if error else "") + "}").encode()


def partial(code: str, message: str) -> dict:
    """The error beside a partial result: what happened stands in the innermost error, nothing of it in the outer message."""
    return {"code": "PartialError", "message": "There were some errors when processing your query.",
            "details": [{"code": "EngineError", "message": "Something went wrong processing your query on the server.",
                         "innererror": {"code": code, "message": message, "severity": 2, "severityName": "Error"}}]}


def too_many_bytes(limit: int = 64_000_000) -> dict:
    """More bytes than one answer may have."""
    return partial(TOO_LARGE, f"The results of this query exceed the set limit of {limit} bytes, so not all records were "
                   "returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003). See https://aka.ms/kustoquerylimits for more details "
                   "and possible solutions.")


def too_many_rows(limit: int = 500_000) -> dict:
    """More rows than one answer may have."""
    return partial(TOO_LARGE, f"The results of this query exceed the set limit of {limit} records, so not all records were "
                   "returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003). See https://aka.ms/kustoquerylimits for more details "
                   "and possible solutions.")


def runaway() -> dict:
    """The query itself needed too much memory."""
    return partial(OUT_OF_MEMORY, "Query execution has exceeded the allowed limits (80DA0001): the query consumed too much "
                   "memory. (E_RUNAWAY_QUERY)")


def shard_lost() -> dict:
    """A part of the data could not be read: some rows are there, some are not, and nothing is too large."""
    return partial("-2133196794", "Partial query failure: an extent could not be accessed (0x80DA0006).")


def _refusal(status: int, code: str, message: str, **more: object) -> Error:
    return status, {"error": {"message": message, "code": code, "correlationId": "00000000-0000-0000-0000-000000000000", **more}}


def bad_query(message: str, kind: str = "SemanticError", code: str = "SEM0100") -> Error:
    """The query cannot be parsed, or names what does not exist."""
    return _refusal(400, "BadArgumentError", "The request had some invalid properties", innererror={
        "code": kind, "message": "A semantic error occurred." if kind == "SemanticError" else "A recognition error occurred in "
        "the query.", "innererror": {"code": code, "message": message}})


def no_token() -> Error:
    """No Authorization header."""
    return _refusal(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")


def expired_token() -> Error:
    """A token whose time is over."""
    return _refusal(401, "InvalidTokenError", "The provided authentication is not valid for this resource", innererror={
        "code": "SignatureVerificationFailed", "message": "Could not validate the request",
        "innererror": {"code": "TokenExpired", "message": "The token is expired"}})


def bad_token() -> Error:
    """A token that this service did not issue."""
    return _refusal(403, "InvalidAuthenticationToken", "The access token is invalid.")


def wrong_audience(audience: str, allowed: str) -> Error:
    """A token for another service or cloud."""
    return _refusal(403, "InvalidAuthenticationTokenAudience", "The access token has been obtained from wrong audience or "
                    f"resource '{audience}'. It should exactly match (including forward slash) with one of the allowed "
                    f"audiences '{allowed}'.")


def no_role() -> Error:
    """Signed in, but without the right to read this workspace."""
    return _refusal(403, "InsufficientAccessError",
                    "The provided credentials have insufficient access to perform the requested operation")


def no_workspace() -> Error:
    """No such workspace."""
    return _refusal(404, "WorkspaceNotFoundError", "The workspace could not be found")


def no_path() -> Error:
    """No such address."""
    return _refusal(404, "PathNotFoundError", "The requested path does not exist")


def throttled() -> Error:
    """Too many requests; no public source shows the body."""
    return _refusal(429, "ThrottledError", "You have reached the limit of requests. Please try again later.")


def gateway_timeout() -> Error:
    """The query took too long; no public source shows the body."""
    return _refusal(504, "GatewayTimeout", "The request timed out", innererror={
        "code": "QueryTimeout", "message": "The query exceeded the time that the service allows"})


def unavailable(status: int) -> Error:
    """The service or something before it fails."""
    return _refusal(status, {500: "InternalServerError", 502: "BadGateway", 503: "ServiceUnavailable"}[status],
                    "Something went wrong processing your request")
