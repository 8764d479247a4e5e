"""Texts that would do harm wherever one was not escaped; harmless ones of their kind."""

from __future__ import annotations

from html.parser import HTMLParser

# What a shell would run makes this file; a page that ran one of the scripts would say so.
TOUCHED = "touched-by-injection"
SAID = "said-by-injection"

INJECTIONS = (
    f"<script>alert('{SAID}')</script>",
    f"\"><img src=x onerror=alert('{SAID}')>",
    f"' onmouseover='alert(`{SAID}`)' x='",
    f"</title></style></svg></script><svg onload=alert('{SAID}')>",
    f"]]><script>alert('{SAID}')</script>",
    "<!-- --!> <![CDATA[ &lt; &amp;amp; &#x3c;b&#x3e;",
    "<base href='https://example.invalid/'><link rel=stylesheet href=//example.invalid/a.css>",
    f"javascript:alert('{SAID}')",
    "{{7*7}} {% raw %} ${7*7} #{7*7} {7*7}",
    "url(https://example.invalid/b.png) } * { display: none } \\3c",
    f"$(touch {TOUCHED}) `touch {TOUCHED}`",
    f"'; touch {TOUCHED}; '",
    f'"; touch {TOUCHED} & "',
    f"x\n touch {TOUCHED}\n",
    f"| touch {TOUCHED} > {TOUCHED} ; # \\",
    "--help -rf * ~ !! %s %n {0} {wildcards.data}",
    "../../../etc/passwd",
    "$x^2$ \\frac{1}{0} $\\undefined$ _ ^",
    "\u202eright to left\u202c \u2066isolated\u2069 \u200b\ufeff",
    "\U0001f4a9 \U0001f469\u200d\U0001f4bb e\u0301 \u00df \u0130 \ufffd",
)


def _is_handler(attribute: str) -> bool:
    return attribute.startswith("on")


class _InjectionFinder(HTMLParser):
    """Collect the tags of a page that one of the texts has made."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get("href") or values.get("src") or ""
        is_ours = tag != "base" and address != "x" and "example.invalid" not in address
        has_code = address.startswith("javascript:") or any(map(_is_handler, values))
        if has_code or not is_ours:
            self.found.append(self.get_starttag_text() or tag)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and "alert(" in data:
            self.found.append(data)


def find_injections(page: str) -> list[str]:
    """Return the tags and scripts that texts of ``INJECTIONS`` have made in a page."""
    reader = _InjectionFinder()
    reader.feed(page)
    reader.close()
    return reader.found
