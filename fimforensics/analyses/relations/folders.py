"""Folders by who may write to them, what a web server serves, what belongs to the system; and servers by their programs' names.

All look at comparison keys (`files.key`: Windows in lower case with `\\`, Linux as it is). They say where a thing lies and what
it is called, no more: a name proves nothing.
"""

from __future__ import annotations

import re

from fimforensics import paths

_WRITABLE = re.compile(
    r"^(?:[a-z]:)?\\(?:users|documents and settings|programdata|perflogs|inetpub|recycler|\$recycle\.bin|windows\\temp"
    r"|windows\\tasks|windows\\system32\\spool\\drivers\\color)\\|\\te?mp\\|\\frontend\\httpproxy\\|\\wwwroot\\"
    r"|^/(?:tmp|var/tmp|dev/shm|run/user|home|var/www|srv/www|root)/").search
_INSTALLED = re.compile(r"\\programdata\\[^\\]+\\|\\appdata\\local\\(?:programs|microsoft|google)\\").search
_SERVED = re.compile(
    r"\\(?:inetpub|wwwroot|htdocs|webapps|web server extensions)\\|\\frontend\\httpproxy\\|\\clientaccess\\"
    r"|^/(?:var/www|srv/www|srv/http|usr/share/nginx)/|/(?:htdocs|public_html|webapps|wwwroot)/").search
_NOT_SERVED = re.compile(r"\\inetpub\\(?:temp|logs|history|mailroot)\\").search
_SCRIPTS = frozenset("aspx asp ashx asmx ascx cshtml vbhtml soap cer php php3 php4 php5 php7 php8 phtml phps phar inc jsp jspx "
                     "jspf jsw cfm cfc cgi pl py rb sh ps1 psm1 vbs bat cmd war".split())
_SYSTEM = re.compile(
    r"^(?:[a-z]:)?\\windows\\(?:system32|syswow64|sysnative)\\(?!config\\systemprofile\\|logfiles\\|winevt\\|wbem\\(?:repository|logs)\\"
    r"|sleepstudy\\|sru\\)|^/(?:bin|sbin|lib|lib32|lib64|usr|boot|etc)/").search
# Where a program lays down what starts it again.
_STARTS = re.compile(
    r"\\start menu\\programs\\startup\\|^(?:[a-z]:)?\\windows\\tasks\\|^/var/spool/(?:cron|at)/|/\.ssh/"
    r"|/\.config/(?:systemd/user|autostart)/|/\.(?:bashrc|bash_profile|bash_login|profile|zshrc|zprofile)$").search
_STARTING_KEYS = re.compile(
    r"\\currentversion\\(?:run|runonce|runonceex|runservices|policies\\explorer\\run|image file execution options|winlogon"
    r"|shellserviceobjectdelayload|schedule\\taskcache)(?:\\|$)|\\currentversion\\windows$"
    r"|^hklm\\system\\(?:currentcontrolset|controlset\d+)\\(?:services\\|control\\(?:session manager|lsa)(?:\\|$))"
    r"|\\active setup\\installed components\\").search
_SERVERS = re.compile(
    r"(?:w3wp|httpd|apache\d?|nginx|php-fpm|php-cgi|lighttpd|caddy|tomcat|catalina|sqlservr|umworkerprocess|umservice|mysqld|"
    r"mariadbd|postgres|gunicorn|uwsgi|coldfusion|jrun|beasvc|oracle|inetinfo|iisexpress)[-_]?[0-9.]*[a-z]?(?:-v[0-9.]+)?(?:\.exe)?").fullmatch
_WEB_JAVA = re.compile(r"tomcat|jetty|jboss|wildfly|weblogic|websphere|glassfish|confluence|jira|manageengine|coldfusion").search


def writable(key: str) -> bool:
    """Does the file lie where users or server programs may write, in a web folder or a temporary one?"""
    return _WRITABLE(key) is not None


def loose(key: str) -> bool:
    """Is it such a folder, but none that programs are installed in (as ProgramData and a user's own programs are)?"""
    return writable(key) and _INSTALLED(key) is None


def web_script(key: str) -> bool:
    """Is it a script in a folder that a web server serves?"""
    return paths.extension(key) in _SCRIPTS and _SERVED(key) is not None and _NOT_SERVED(key) is None


def lasting(key: str) -> bool:
    """Does the file lie in a folder of the system, or where something lies that starts programs?"""
    return _SYSTEM(key) is not None or _STARTS(key) is not None


def lasting_value(key: str) -> bool:
    """Is the registry key one by which programs are started?"""
    return _STARTING_KEYS(key) is not None


def server(name: str, image_key: str) -> bool:
    """Is a process of this name and image key a server's: of a web, application or database server?"""
    low = paths.lower(name)
    return _SERVERS(low) is not None or (low in ("java", "java.exe") and _WEB_JAVA(paths.lower(image_key)) is not None)


def kernel(name: str, image_key: str) -> bool:
    """Is it the kernel of Windows, which writes files for those who come over the network?"""
    low = paths.lower(image_key)
    return (paths.lower(name) == "system" and low in ("system", "ntoskrnl.exe")) or low.endswith("\\ntoskrnl.exe")
