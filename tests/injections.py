"""Texts that would do harm wherever one was not escaped; harmless ones of their kind."""

from __future__ import annotations

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
