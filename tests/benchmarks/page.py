"""How much a report's page weighs, part by part, and how soon a browser shows it.

    python -m tests.benchmarks.page [results/report/index.html]

Prints tables in Markdown and writes them to benchmarks/page.md.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
from pathlib import Path

REPORT = Path("results/report/index.html")
TABLES = Path("benchmarks/page.md")
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
"""What a page weighs besides figures and data."""

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


def parts(page: str) -> dict[str, int]:
    """Give the bytes of each part of a page; they add up to all of it."""
    sizes = {}
    for name, pattern in PARTS.items():
        taken = re.findall(pattern, page, re.S)
        sizes[name] = sum(len(piece.encode()) for piece in taken)
        page = re.sub(pattern, "", page, flags=re.S)
    return {**sizes, "text": len(page.encode())}


def load_times(html: Path, width: int) -> dict[str, float]:
    """Give the medians of a few loads in headless Chromium, in ms after the navigation began."""
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


def main(html: Path) -> None:
    """Print the tables and write them to a file."""
    sizes = parts(html.read_text(encoding="utf-8"))
    lines = ["| part | bytes |", "|---|---:|"]
    lines += [f"| {name} | {size:,} |" for name, size in sizes.items()]
    lines += [f"| besides figures and data | {sum(sizes[name] for name in OVERHEAD):,} |"]
    lines += [f"| all | {sum(sizes.values()):,} |", ""]
    lines += [f"| ms, median of {LOADS} | {' | '.join(TIMES)} |", "|---|---:|---:|---:|"]
    for width in WIDTHS:
        times = load_times(html, width).values()
        lines += [f"| {width} px | {' | '.join(f'{time:.0f}' for time in times)} |"]
    text = "\n".join(lines) + "\n"
    TABLES.parent.mkdir(exist_ok=True)
    TABLES.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if sys.argv[1:] else REPORT
    if not chosen.is_file():
        sys.exit(f"{chosen}: is not there. Expected a report's page: build one by make report.")
    main(chosen)
