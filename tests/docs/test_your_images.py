"""The page on one's own images does what it says, up to the training."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from normreport.cli import main


def test_its_images_checkpoint_and_overlay_pass_the_check(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (root / "docs/your-images.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", page, re.S)
    assert [name for name, _ in blocks] == ["make_images.py", "make_checkpoint.py", "mine.yaml"]
    for name, text in blocks:
        Path(name).write_text(text.replace("range(150)", "range(1)"), encoding="utf-8")
    for name in ("make_images.py", "make_checkpoint.py"):
        subprocess.run([sys.executable, name], check=True, stdout=subprocess.DEVNULL)
    assert len([path for path in Path("images").rglob("*") if path.is_file()]) == 6 * 60
    assert main(["check", "--quick", str(root / "config.yaml"), "mine.yaml"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("mobilenet_v2: surfaces.pth: uses the entry state_dict\n12 runs of 8 ")
    assert "6 classes (training + held-out images): astronaut (40 + 10), " in said
    assert said in page
    Path("surfaces.pth").unlink()
    assert main(["check", "--quick", str(root / "config.yaml"), "mine.yaml"]) == 2
    refused = capsys.readouterr().err.replace("surfaces.pth", "surface.pth")
    assert refused in page
