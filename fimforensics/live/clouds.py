"""The clouds in which Log Analytics stands: where queries go, for whom a token must be, and who gives it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    """One of Azure's clouds."""

    name: str
    audience: str  # whom the token is for, and where queries go unless --endpoint says otherwise
    authority: str  # the host that gives tokens
    az: str  # its name in `az cloud set`

    @property
    def scope(self) -> str:
        """What a token is asked for."""
        return f"{self.audience}/.default"


CLOUDS = {cloud.name: cloud for cloud in (
    Cloud("public", "https://api.loganalytics.io", "login.microsoftonline.com", "AzureCloud"),
    Cloud("gov", "https://api.loganalytics.us", "login.microsoftonline.us", "AzureUSGovernment"),
    Cloud("china", "https://api.loganalytics.azure.cn", "login.chinacloudapi.cn", "AzureChinaCloud"),
)}
