"""How large a report's page is, part by part, and how soon a browser shows it.

python -m tests.benchmarks.page [results/report/index.html]
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
from pathlib import Path

from normreport.plan import paths
from normreport.source_code import ROOT
from tests.benchmarks.tables import Results, table

REPORT = ROOT / paths.HTML
WIDTHS = (1440, 360)
LOADS = 7

# Everything is counted once, by the first that takes it; what is left is text. Data is what was
# computed: the record, every table, what each claim's verdict rests on, and the BibTeX entries.
PARTS = {
    "colours of the drawings, light and dark": r"@supports \(color: light-dark.*?(?=</style>)",
    "style sheets": r"<style>.*?</style>",
    "data": r'<script type="application/json".*?</script>',
    "script": r"<script>.*?</script>",
    "drawings": r"<svg.*?</svg>",
    "captions, with what a figure was made from": r"<figure.*?</figure>",
    "tables": r"<table.*?</table>",
    "claims": r'<article class="claim".*?</article>',
    "BibTeX": r"<details>.*?</details>",
}
OVERHEAD = ("style sheets", "script", "text")
"""What is neither a figure nor data."""

TIMES = {
    "first paint": """new Promise((resolve) => {
      const watch = new PerformanceObserver((list) => resolve(list.getEntries()[0].startTime));
      watch.observe({ type: "paint", buffered: true });
    })""",
    "DOMContentLoaded": "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd",
    "interactive": "window.idle",
}
# The script has run, and the browser has nothing left to do before it can answer a reader.
WATCH = """window.idle = new Promise((resolve) => {
  addEventListener("DOMContentLoaded", () => {
    requestIdleCallback(() => resolve(performance.now()));
  });
});"""


def measure(html: Path = REPORT) -> Results | None:
    """Measure a page; None if it is not there."""
    if not html.is_file():
        return None
    times = {str(width): load_times(html, width) for width in WIDTHS}
    return {"bytes": parts(html.read_text(encoding="utf-8")), "milliseconds": times}


def parts(page: str) -> dict[str, int]:
    """Return the bytes of each part of a page; they add up to all of it."""
    sizes = {}
    for name, pattern in PARTS.items():
        taken = re.findall(pattern, page, re.S)
        sizes[name] = sum(len(piece.encode()) for piece in taken)
        page = re.sub(pattern, "", page, flags=re.S)
    return {**sizes, "text": len(page.encode())}


def load_times(html: Path, width: int) -> dict[str, float]:
    """Return the medians of a few loads in headless Chromium, in ms after the navigation began."""
    from playwright.sync_api import sync_playwright

    loads = []
    with sync_playwright() as playwright:
        # No sandbox: containers have no user namespaces, and the page is our own.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for _ in range(LOADS):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.add_init_script(WATCH)
            page.goto(html.absolute().as_uri())
            loads.append({name: page.evaluate(script) for name, script in TIMES.items()})
            page.close()
        browser.close()
    return {name: statistics.median(load[name] for load in loads) for name in TIMES}


def describe(results: Results | None) -> str:
    """Describe the results in Markdown."""
    if results is None:
        return "Left out: there was no finished default report in `results/`.\n"
    sizes = results["bytes"]
    rows = [*sizes.items(), ("all", sum(sizes.values()))]
    besides = sum(sizes[name] for name in OVERHEAD)
    return (
        "The page of the default report is a single file. A page is interactive once its script "
        "has run and the browser is idle, in headless Chromium.\n\n"
        + table(
            [f"width, px; median of {LOADS} loads, ms", *TIMES],
            [
                (width, *(f"{time:.0f}" for time in times.values()))
                for width, times in results["milliseconds"].items()
            ],
        )
        + f"\nIts largest part is: {max(sizes, key=lambda name: sizes[name])}. Besides figures and "
        f"data, it has {besides:,} bytes.\n\n"
        + table(["part", "bytes"], [(name, f"{size:,}") for name, size in rows])
    )


if __name__ == "__main__":
    print(describe(measure(Path(sys.argv[1]) if sys.argv[1:] else REPORT)))
