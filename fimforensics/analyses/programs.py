"""Programs by name and place: who installs, who interprets scripts, who serves, who collects, who rotates logs.

A name proves nothing, so it counts as what it says only where the image does not lie in a folder that users can write to. All
lists are of file names in lower case without `.exe`; `image` is a path or a bare name, in any case.
"""

from __future__ import annotations

import re
from functools import lru_cache

INSTALLERS = frozenset("""
    dpkg dpkg-deb dpkg-divert dpkg-trigger dpkg-split apt apt-get aptitude unattended-upgr unattended-upgrade rpm yum dnf dnf5
    microdnf packagekitd zypper pacman apk snapd snap flatpak update-alternatives update-rc.d deb-systemd-helper ldconfig
    update-initramfs dracut grub-mkconfig
    msiexec trustedinstaller tiworker wuauclt usoclient mousocoreworker dism dismhost poqexec windowsupdatebox wusa setuphost
    ccmexec mpsigstub mpcmdrun intunemanagementextension
""".split())
RESTORERS = frozenset("""
    restic borg borgmatic rdiff-backup duplicity bacula-fd bareos-fd veeamagent veeamguesthelper wbengine wbadmin sfc rstrui
    debsums etckeeper timeshift snapper tripwire aide puppet chef-client cfagent cf-agent salt-minion
    commvault cvd nbtar bpbkar32 azurebackup cbengine vssvc
""".split())
INTERPRETERS = frozenset("""
    powershell pwsh powershell_ise wscript cscript mshta rundll32 regsvr32 installutil php lua node osascript
""".split())
SERVERS = frozenset("""
    w3wp php-fpm php-cgi nginx apache2 httpd tomcat java lighttpd caddy sqlservr mysqld mariadbd postgres redis-server
    oracle store umworkerprocess winword excel powerpnt outlook acrord32 iexplore msedge chrome firefox
""".split())
COLLECTORS = frozenset("""
    msmpeng mssense sensecncproxy senseir sensendr sensece sensecm sensesampleuploader mpdefendercoreservice nissrv
    mdatp wdavdaemon wdavdaemonclient telemetryd_v2 crashpad_handler mdatp_audisp_plugin
    auoms auomscollect omsagent omsconfig omiserver omiengine omiagent healthservice monitoringhost
    azuremonitoragent monagentcore monagenthost monagentlauncher monagentmanager amaextension azuremonitorwindowsagent
    mdsd agentlauncher amacoreagent amaextension-linux fluent-bit gc_worker gc_service gc_arc_service azuremonitoragentextension
    himds arcproxy azcmagent change_tracking_agent change_tracking_agent_windows_amd64 change_tracking_agent_linux_amd64
    sysmon sysmon64 splunkd osqueryd
""".split())
ROTATORS = frozenset("""
    logrotate savelog newsyslog systemd-journal systemd-journald journalctl rsyslogd syslog-ng syslogd systemd-tmpfiles
    systemd-tmpfile gzip xz bzip2 zstd anacron tmpreaper tmpwatch auditd svchost
""".split())
_USERS_FOLDER = re.compile(
    r"^(?:[a-z]:)?\\(?:users|documents and settings|programdata(?!\\microsoft\\))\\|^/(?:home|run/user|mnt|media)/",
    re.IGNORECASE).search
_DROP_FOLDER = re.compile(
    r"\\appdata\\(?:local|locallow)\\temp\\|\\users\\(?:public|default)\\|\\downloads\\|\\inetpub\\(?!temp\\)|\\wwwroot\\"
    r"|\\recycler\\|\\\$recycle\.bin\\|^(?:[a-z]:)?\\(?:windows\\temp|temp|tmp|perflogs)\\|^(?:[a-z]:)?\\programdata\\[^\\]+$"
    r"|^/(?:tmp|var/tmp|dev/shm|var/www|srv/www)/", re.IGNORECASE).search
_VERSION = re.compile(r"[-_]?\d+(?:\.\d+)*$").sub


@lru_cache(maxsize=1 << 12)
def stem(image: str) -> str:
    """The bare name of a program: `C:\\Windows\\System32\\cmd.exe` gives `cmd`, `/usr/bin/python3.11` gives `python3.11`."""
    return re.split(r"[\\/]", image)[-1].lower().removesuffix(".exe")


@lru_cache(maxsize=1 << 12)
def drop_folder(path: str) -> bool:
    """Does the path lie where anybody or a server program can leave files (temporary and public folders, web roots)?"""
    return _DROP_FOLDER(path) is not None


@lru_cache(maxsize=1 << 12)
def users_folder(path: str) -> bool:
    """Does the path lie where users or server programs can write, in profiles and drop folders?"""
    return drop_folder(path) or _USERS_FOLDER(path) is not None


def _one_of(image: str | None, names: frozenset[str]) -> bool:
    if not image or users_folder(image):
        return False
    name = stem(image)
    return name in names or _VERSION("", name) in names


@lru_cache(maxsize=1 << 12)
def installer(image: str | None) -> bool:
    """Is it a package manager or an installer of the system?"""
    return _one_of(image, INSTALLERS)


@lru_cache(maxsize=1 << 12)
def restorer(image: str | None) -> bool:
    """Does it bring back what was: a package, backup, repair or configuration tool?"""
    return _one_of(image, INSTALLERS) or _one_of(image, RESTORERS)


@lru_cache(maxsize=1 << 12)
def rotator(image: str | None) -> bool:
    """Does it remove logs by trade?"""
    return _one_of(image, ROTATORS) or _one_of(image, INSTALLERS)


@lru_cache(maxsize=1 << 12)
def collector(image: str | None) -> bool:
    """Is it a part of the software that watches the machine and reports these very events?"""
    return _one_of(image, COLLECTORS)


@lru_cache(maxsize=1 << 12)
def unusual(image: str | None) -> str | None:
    """Why it is unusual that this program sets up what starts programs, as `a server program`; None where it is not."""
    if not image:
        return None
    if drop_folder(image):
        return "a program in a folder where anybody can leave files"
    if stem(image) in INTERPRETERS or _VERSION("", stem(image)) in INTERPRETERS:
        return "an interpreter of scripts"
    return "a server or document program" if _one_of(image, SERVERS) else None
