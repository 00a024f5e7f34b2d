"""Which pages there are: those of a row, by its table, and those of a whole case, by the name in their address."""

from __future__ import annotations

from fimforensics.site import (
    account_page,
    case_page,
    compare_page,
    content_page,
    coverage_page,
    evidence_page,
    explore_file,
    explore_page,
    findings_page,
    help_page,
    host_page,
    life_page,
    process_page,
    search_page,
    trace_page,
)
from fimforensics.site.twins import Page

CASE = Page("_case.html", case_page.ask, "Case")  # at the address of the case itself
ROWS: dict[str, Page] = {
    "hosts": Page("_host.html", host_page.ask),
    "files": Page("_life.html", life_page.ask_file), "registry_values": Page("_life.html", life_page.ask_value),
    "contents": Page("_content.html", content_page.ask),
    "processes": Page("_process.html", process_page.ask), "accounts": Page("_account.html", account_page.ask),
    "findings": Page("_finding.html", findings_page.ask_one),
}
OWN: dict[str, Page] = {
    "coverage": Page("coverage.html", coverage_page.ask, "Coverage"),
    "findings": Page("findings.html", findings_page.ask, "Findings"),
    "evidence": Page("evidence.html", evidence_page.ask, "Evidence"),
    "compare": Page("compare.html", compare_page.ask, "Compare"),
    "search": Page("search.html", search_page.ask, "Search"),
    "explore": Page("explore.html", explore_page.ask, "Explore", explore_file.cytoscape),
    "help": Page("help.html", help_page.ask, "Help"),
    "trace": Page("trace.html", trace_page.ask, "Trace"),
}
