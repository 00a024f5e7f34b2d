"""Files that became processes, and what is said of them; beside each a twin of which nothing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from building import change, digest, made, rows, value
from hypothesis import given
from hypothesis import strategies as st

from fimforensics.analyses.relations.became import COPIES, side_by_side

BECAME = """SELECT f.path, p.name, p.pid, r.basis, r.events, substr(r.first, 12, 12) FROM relations r
    JOIN files f ON f.id = r.subject_id JOIN processes p ON p.id = r.object_id WHERE r.relation = 'became' ORDER BY 1, 2, 3"""
SAID = "SELECT rule, severity, sentence, events FROM findings WHERE analysis = 'relations' ORDER BY id"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def ran(host: str, time: str, image: str, started: str, content: str | None = None, path: str = "/d/out", **more: Any) -> dict:
    """A change by a process whose image has this path and content."""
    return change(host, time, path, by=image, started=started, pid=more.pop("pid", 9),
                  InitProcImageSha256=digest(content), **more)


def became(folder: Path, *events: dict) -> list[tuple]:
    """What became what."""
    return rows(made(folder, list(events)), BECAME)


def said(folder: Path, *events: dict) -> list[tuple]:
    """The findings."""
    return rows(made(folder, list(events)), SAID)


def test_a_content_is_known_by_its_hash_where_it_lay_when_the_process_started(tmp_path: Path) -> None:
    assert became(
        tmp_path, change("srv-1", "08:00", "/x/a", "Created", "one"), change("srv-1", "08:01", "/x/gone", "Created", "one"),
        change("srv-1", "08:02", "/x/gone", "Deleted"), change("srv-1", "08:20", "/x/late", "Created", "one"),
        change("srv-2", "08:00", "/x/elsewhere", "Created", "one"), change("srv-1", "08:00", "/x/other", "Created", "two"),
        change("srv-1", "08:03", "/x/copy", "Created", "one"), ran("srv-1", "08:11", "/x/a", "08:10", "one")) == [
        ("/x/a", "a", 9, "hash and path", 1, "08:10:00.000"), ("/x/copy", "a", 9, "hash", 1, "08:10:00.000")]


def test_by_path_alone_only_if_no_hash_differs(tmp_path: Path) -> None:
    assert became(
        tmp_path, change("srv-1", "08:00", "C:\\x\\A.exe", "Created"), change("srv-1", "08:00", "C:\\x\\b.exe", "Created", "one"),
        change("srv-1", "08:00", "C:\\x\\c.exe", "Created", "one"), change("srv-1", "08:00", "C:\\x\\d.exe", "Created"),
        change("srv-1", "08:05", "C:\\x\\d.exe", "Deleted"), change("srv-1", "08:30", "C:\\x\\e.exe", "Created"),
        ran("srv-1", "08:11", "c:\\X\\a.exe", "08:10", "one", "C:\\o"),
        ran("srv-1", "08:11", "C:\\x\\b.exe", "08:10", None, "C:\\o"),
        ran("srv-1", "08:11", "C:\\x\\c.exe", "08:10", "two", "C:\\o"),
        ran("srv-1", "08:11", "C:\\x\\d.exe", "08:10", None, "C:\\o"),
        ran("srv-1", "08:40", "C:\\x\\e.exe", "08:10", None, "C:\\o")) == [
        ("C:\\x\\A.exe", "a.exe", 9, "path", 1, "08:10:00.000"),
        # the content that lies in b.exe and c.exe ran as a.exe
        ("C:\\x\\b.exe", "a.exe", 9, "hash", 1, "08:10:00.000"), ("C:\\x\\b.exe", "b.exe", 9, "path", 1, "08:10:00.000"),
        ("C:\\x\\c.exe", "a.exe", 9, "hash", 1, "08:10:00.000")]


def test_a_process_runs_the_version_of_its_time(tmp_path: Path) -> None:
    case = made(tmp_path, [
        change("srv-1", "08:00", "/x/a", content="one"), change("srv-1", "08:10", "/x/a", content="two"),
        ran("srv-1", "08:30", "/x/a", "08:05", "one", pid=1), ran("srv-1", "08:30", "/x/a", "08:15", "two", pid=2),
        ran("srv-1", "08:30", "/x/a", "08:20", "one", pid=3), ran("srv-1", "08:30", "/x/a", "07:00", "one", pid=4)])
    assert rows(case, BECAME) == [("/x/a", "a", 1, "hash and path", 1, "08:05:00.000"),
                                  ("/x/a", "a", 2, "hash and path", 1, "08:15:00.000")]


def test_other_algorithms_and_other_names_of_a_content_count(tmp_path: Path) -> None:
    assert became(
        tmp_path, change("srv-1", "08:00", "/x/a", FileSha1="a" * 40, FileMd5="b" * 32),
        change("srv-1", "08:10", "/d/o", by="/y/z", started="08:05", InitProcImageSha1="a" * 40),
        change("srv-1", "08:10", "/d/o", by="/y/w", started="08:05", InitProcImageSha1="a" * 40, InitProcImageMd5="c" * 32)) == [
        ("/x/a", "z", 7, "hash", 1, "08:05:00.000")]


def test_the_empty_file_links_nothing(tmp_path: Path) -> None:
    assert became(tmp_path, change("srv-1", "08:00", "/x/a", FileSha256=EMPTY), change("srv-1", "08:00", "/x/b", FileSize=0),
                  change("srv-1", "08:10", "/d/o", by="/x/a", started="08:05", InitProcImageSha256=EMPTY),
                  ran("srv-1", "08:10", "/x/b", "08:05")) == []


def test_of_many_copies_the_oldest_five_that_are_still_there_are_told(tmp_path: Path) -> None:
    copies = [change("srv-1", f"08:{number:02}", f"/x/{number:02}", "Created", "one") for number in range(12)]
    gone = [change("srv-1", "08:20", f"/x/{number:02}", "Deleted") for number in (0, 2)]
    told = became(tmp_path, *copies, *gone, ran("srv-1", "09:00", "/x/11", "08:30", "one"),
                  ran("srv-1", "09:00", "/y/a", "08:10", "one"))
    assert [(file, name, basis) for file, name, _, basis, *_ in told] == [
        ("/x/00", "a", "hash"), ("/x/01", "11", "hash"), ("/x/01", "a", "hash"), ("/x/02", "a", "hash"), ("/x/03", "11", "hash"),
        ("/x/03", "a", "hash"), ("/x/04", "11", "hash"), ("/x/04", "a", "hash"), ("/x/05", "11", "hash"), ("/x/06", "11", "hash"),
        ("/x/11", "11", "hash and path")]


def test_an_effect_never_precedes_its_cause(tmp_path: Path) -> None:
    assert became(
        tmp_path, change("srv-1", "08:00:00.0305", "/x/a", "Created", "one"),
        ran("srv-1", "08:10", "/x/a", "08:00:00.030", "one", pid=1), ran("srv-1", "08:10", "/x/a", "08:00:00.029", "one", pid=2),
        change("srv-1", "07:59", "/d/o", by="/x/a", started=None, pid=3, InitProcImageSha256=digest("one")),
        change("srv-1", "08:10", "/d/o", by="/x/a", started=None, pid=4, InitProcImageSha256=digest("one"))) == [
        ("/x/a", "a", 1, "hash and path", 1, "08:00:00.030"), ("/x/a", "a", 4, "hash and path", 1, "08:10:00.000")]
    assert rows(tmp_path / "case.db", "SELECT count(*) FROM relations r JOIN file_versions v ON v.file_id = r.subject_id "
                                      "WHERE r.relation = 'became' AND r.first < v.since") == [(0,)]


def test_said_of_a_program_that_a_web_server_wrote_and_of_what_it_wrote_itself(tmp_path: Path) -> None:
    shell = "C:\\inetpub\\x.exe"
    assert said(
        tmp_path, change("srv-1", "08:00:05", shell, "Created", "one", by="C:\\Windows\\System32\\inetsrv\\w3wp.exe",
                         account="CONTOSO\\iis"),
        ran("srv-1", "08:04", shell, "08:03:10", "one", "C:\\Windows\\System32\\d.dll", account="CONTOSO\\iis"),
        ran("srv-1", "08:05", shell, "08:03:10", "one", "C:\\Tools\\e.exe", account="CONTOSO\\iis", FileSha256=digest("two")),
        ran("srv-1", "08:20", "C:\\Tools\\e.exe", "08:10", "two", "C:\\Users\\ann\\f.txt", pid=10),
        change("srv-2", "09:00", "C:\\Tools\\e.exe", "Created", "two", by="C:\\Windows\\explorer.exe"),
        ran("srv-2", "09:20", "C:\\Tools\\e.exe", "09:10", "two", "C:\\a.txt", pid=11)) == [
        ("became process", "high", "srv-1: w3wp.exe (CONTOSO\\iis) wrote C:\\inetpub\\x.exe at 2026-10-12 08:00:05; 3 minutes "
         "later it ran as process 9 and changed 2 files, among them C:\\Windows\\System32\\d.dll.", 3),
        ("became process", "high", "srv-1: x.exe (CONTOSO\\iis) wrote C:\\Tools\\e.exe at 2026-10-12 08:05:00; 5 minutes later "
         "it ran as process 10 and changed 1 file.", 2),
        ("became process", "high", "srv-2: explorer.exe (CONTOSO\\ann) wrote C:\\Tools\\e.exe at 2026-10-12 09:00:00 (the same "
         "content as on srv-1); 10 minutes later it ran as process 11 and changed 1 file.", 2)]


def test_the_twin_an_administrators_program_in_its_place_is_passed_over(tmp_path: Path) -> None:
    installer = "C:\\Windows\\System32\\msiexec.exe"
    assert said(
        tmp_path, change("srv-1", "08:00", "C:\\Program Files\\App\\x.exe", "Created", "one", by=installer),
        change("srv-1", "07:59", "C:\\Windows\\Temp\\unpacked.tmp", "Created", "one", by=installer),
        ran("srv-1", "08:04", "C:\\Program Files\\App\\x.exe", "08:03", "one", "C:\\Windows\\System32\\d.dll"),
        change("srv-1", "08:00", "/usr/bin/x", "Created", "two", by="/usr/bin/dpkg"),
        ran("srv-1", "08:04", "/usr/bin/x", "08:03", "two", "/etc/x.conf")) == []


def test_said_of_a_user_and_with_more_weight_where_it_stays(tmp_path: Path) -> None:
    tool = "C:\\Users\\ann\\Downloads\\tool.exe"
    run = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
    assert said(
        tmp_path, change("srv-1", "08:00", tool, "Renamed", by="C:\\Apps\\browser.exe", was=tool + ".part"),
        ran("srv-1", "08:01", tool, "08:00:00.5", None, "C:\\Users\\ann\\note.txt", pid=21),
        ran("srv-1", "09:01", tool, "09:00", None, "C:\\Users\\ann\\note.txt", pid=22),
        change("srv-1", "10:00", "C:\\Users\\ann\\b.exe", "Created", by="C:\\Apps\\browser.exe"),
        value("srv-1", "12:01", run, "b", "b.exe", by="C:\\Users\\ann\\b.exe", started="12:00", pid=23)) == [
        ("became process", "medium", f"srv-1: browser.exe (CONTOSO\\ann) put {tool} there by renaming at 2026-10-12 08:00:00; at "
         "once process 21 ran from this path (no hash tells whether it was this content) and changed 1 file; 1 more process ran "
         "from it later.", 3),
        ("became process", "high", "srv-1: browser.exe (CONTOSO\\ann) wrote C:\\Users\\ann\\b.exe at 2026-10-12 10:00:00; 2 "
         "hours later process 23 ran from this path (no hash tells whether it was this content) and changed 1 registry value, "
         f"{run}\\b.", 2)]


def test_what_most_hosts_have_weighs_little(tmp_path: Path) -> None:
    app = "C:\\ProgramData\\App\\app.exe"
    told = said(tmp_path, *[row for number in range(6) for row in (
        change(f"srv-{number}", f"08:0{number}", app, "Created", "one", by="C:\\App\\update.exe"),
        ran(f"srv-{number}", f"09:0{number}", app, f"08:3{number}", "one", "C:\\App\\log.txt"))])
    assert [row[1] for row in told] == ["low"] * 6
    assert told[0][2].endswith("; 30 minutes later it ran as process 9 and changed 1 file; 6 of 6 hosts had the same.")


def test_said_of_a_script_that_a_web_server_or_someone_in_the_network_wrote(tmp_path: Path) -> None:
    system = {"by": "System", "pid": 4, "account": "NT AUTHORITY\\SYSTEM"}
    root, owa = "C:\\inetpub\\wwwroot\\", "C:\\Program Files\\Exchange\\FrontEnd\\HttpProxy\\owa\\auth\\"
    assert said(
        tmp_path, change("srv-1", "08:00", root + "a.aspx", "Created", by="C:\\Windows\\w3wp.exe"),
        change("srv-1", "08:00", root + "a.aspx", by="C:\\Windows\\w3wp.exe"),
        change("srv-1", "08:10", root + "b.ashx", "Created", by="C:\\Windows\\w3wp.exe"),
        change("srv-1", "12:00", root + "c.aspx", "Created", by="C:\\Windows\\w3wp.exe"),
        change("srv-2", "08:01", owa + "d.aspx", "Created", **system),
        change("srv-3", "08:02", root + "e.aspx", "Created", RequestAccountName="dee", RequestAccountDomain="CONTOSO",
               RequestSourceIP="10.0.0.5", **system),
        change("srv-4", "08:03", "/var/www/html/up/f.php", by="/usr/sbin/php-fpm8.3", account="www-data")) == [
        ("web script written", "high", "srv-1: w3wp.exe (CONTOSO\\ann) wrote the script C:\\inetpub\\wwwroot\\a.aspx, which a "
         "web server serves, at 2026-10-12 08:00:00, and 1 more script until 2026-10-12 08:10:00.", 2),
        ("web script written", "high", "srv-1: w3wp.exe (CONTOSO\\ann) wrote the script C:\\inetpub\\wwwroot\\c.aspx, which a "
         "web server serves, at 2026-10-12 12:00:00.", 1),
        ("web script written", "high", "srv-2: System (NT AUTHORITY\\SYSTEM), which writes for those who come over the network "
         f"(here unknown), wrote the script {owa}d.aspx, which a web server serves, at 2026-10-12 08:01:00.", 1),
        ("web script written", "medium", "srv-3: System (NT AUTHORITY\\SYSTEM), which writes for those who come over the network "
         "(here for CONTOSO\\dee from 10.0.0.5), wrote the script C:\\inetpub\\wwwroot\\e.aspx, which a web server serves, at "
         "2026-10-12 08:02:00.", 1),
        ("web script written", "high", "srv-4: php-fpm8.3 (www-data) wrote the script /var/www/html/up/f.php, which a web server "
         "serves, at 2026-10-12 08:03:00.", 1)]


def test_the_twin_a_deployment_and_what_a_server_writes_beside_its_pages_are_passed_over(tmp_path: Path) -> None:
    assert said(
        tmp_path, change("srv-1", "08:00", "C:\\inetpub\\wwwroot\\a.aspx", "Created", by="C:\\Program Files\\IIS\\msdeploy.exe"),
        change("srv-1", "08:00", "/var/www/html/a.php", by="/usr/bin/rsync"),
        change("srv-1", "08:01", "C:\\inetpub\\logs\\a.log", by="C:\\Windows\\w3wp.exe"),
        change("srv-1", "08:01", "C:\\inetpub\\temp\\a.aspx", by="C:\\Windows\\w3wp.exe"),
        change("srv-1", "08:01", "C:\\inetpub\\wwwroot\\upload\\photo.jpg", by="C:\\Windows\\w3wp.exe"),
        change("srv-1", "08:02", "C:\\inetpub\\wwwroot\\a.aspx", "Deleted", by="C:\\Windows\\w3wp.exe"),
        change("srv-1", "08:03", "/srv/app/cache.php", by="/usr/sbin/php-fpm8.3")) == []


TIMES = st.integers(0, 9).map(str)
COPY = st.tuples(TIMES, st.one_of(st.none(), TIMES)).filter(lambda one: one[1] is None or one[0] <= one[1])
RUN = st.tuples(TIMES, st.one_of(st.none(), st.integers(0, 14)))


@given(st.lists(COPY, max_size=15), st.lists(RUN, max_size=10))
def test_side_by_side_finds_what_a_search_of_all_copies_finds(copies: list[tuple], runs: list[tuple]) -> None:
    copies = [(1, 1, since, until, file, 100 + file)
              for file, (since, until) in enumerate(sorted(copies, key=lambda one: one[0]))]
    runs = [(1, 1, time, time, time, process, own) for process, (time, own) in enumerate(sorted(runs, key=lambda one: one[0]))]
    expected = []
    for *_, start, process, own in runs:
        alive = [(file, version) for _, _, since, until, file, version in copies
                 if since <= start and (until is None or until > start) and file != own]
        expected += [(file, process, "hash", start, version) for file, version in alive[:COPIES]]
    assert list(side_by_side(iter(runs), iter(copies))) == expected


def test_what_a_process_did_before_its_start_shows_that_it_ran_before(tmp_path: Path) -> None:
    """It was at work before the file was written, so the file was not what it ran; in the twin only an odd time says so."""
    written = change("srv-1", "08:00", "C:\\Users\\ann\\a.exe", "Created", "one")
    act = ran("srv-1", "08:20", "C:\\Users\\ann\\a.exe", "08:10", "one", "C:\\Windows\\System32\\x.dll")
    (one := tmp_path / "one").mkdir()
    assert became(one, written, act, act | {"TimeGenerated": "2026-10-12T07:00:00Z"}) == []
    (two := tmp_path / "two").mkdir()
    assert became(two, written, act, act | {"TimeGenerated": "1601-01-01T00:00:00Z"}) == [
        ("C:\\Users\\ann\\a.exe", "a.exe", 9, "hash and path", 1, "08:10:00.000")]
    assert rows(two / "case.db", "SELECT first, last, events FROM findings WHERE rule = 'became process'") == [
        ("2026-10-12T08:00:00.0000000Z", "2026-10-12T08:20:00.0000000Z", 2)]


def test_who_asked_over_the_network_is_named(tmp_path: Path) -> None:
    asked = {"RequestAccountName": "carol", "RequestAccountDomain": "CONTOSO", "RequestSourceIP": "198.51.100.7"}
    case = made(tmp_path, [
        change("srv-1", "08:00", "C:\\Windows\\Temp\\t.exe", "Created", "tool", by="C:\\Windows\\System32\\ntoskrnl.exe",
               account="NT AUTHORITY\\SYSTEM", pid=4, **asked),
        change("srv-1", "08:10", "C:\\Windows\\System32\\x.dll", "Created", "x", by="C:\\Windows\\Temp\\t.exe", pid=9,
               started="08:05", InitProcImageSha256=digest("tool"))], analyses=("relations",))
    assert rows(case, "SELECT sentence FROM findings WHERE rule = 'became process'") == [(
        "srv-1: ntoskrnl.exe (NT AUTHORITY\\SYSTEM) for CONTOSO\\carol from 198.51.100.7 wrote C:\\Windows\\Temp\\t.exe at "
        "2026-10-12 08:00:00; 5 minutes later it ran as process 9 and changed 1 file, C:\\Windows\\System32\\x.dll.",)]
