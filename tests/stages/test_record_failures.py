from __future__ import annotations

from normreport.io.files import canonical_json
from normreport.stages import record_failures
from tests.stages.conftest import read


def test_each_failed_run_is_recorded_with_the_end_of_its_log(tmp_path):
    log = tmp_path / "killed.log"
    log.write_bytes(b"epoch 1\nMemoryError: full \xff\n")
    condition = {"model": "vgg16", "start": "scratch", "normalization": "raw"}
    runs = [
        condition | {"seed": 0, "stage": "train_run", "log": str(log)},
        condition | {"seed": 1, "stage": "train_run", "log": None},
    ]
    failures = tmp_path / "failures.json"
    record_failures.run(settings=canonical_json({"runs": runs}), failures=failures)
    first, second = read(failures)["runs"]
    assert first["log"] == "epoch 1\nMemoryError: full \N{REPLACEMENT CHARACTER}"
    assert second == condition | {"seed": 1, "stage": "train_run", "log": None}
