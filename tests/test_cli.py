"""The command line: every stage has its module, its rule and its options; errors end well."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from normreport.cli import COMMANDS, STAGES, main
from normreport.commands import conditions
from normreport.errors import StorageError

EVERY = [*COMMANDS, *STAGES]


def _python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "normreport", *arguments],
        capture_output="stdout" not in options,
        text=True,
        check=False,
        **options,
    )


def _module(name: str) -> Any:
    return importlib.import_module(
        f"normreport.{'stages' if name in STAGES else 'commands'}.{name}"
    )


def _parameters(name: str) -> list[str]:
    options = (STAGES if name in STAGES else COMMANDS)[name][1]
    return [option.removeprefix("--").replace("-", "_") for option in options]


# Names agree


@pytest.mark.parametrize("name", EVERY)
def test_a_command_runs_its_module_with_exactly_its_options(name: str) -> None:
    parameters = inspect.signature(_module(name).run).parameters
    assert sorted(parameters) == sorted(_parameters(name))
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in parameters.values())


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_a_rule_that_calls_it_with_all_its_options(root: Path, name: str) -> None:
    rules = root / "workflow" / "rules"
    text = (rules / f"{name}.smk").read_text(encoding="utf-8")
    assert re.search(rf"^(rule|checkpoint) {name}:", text, re.M)
    assert re.findall(r"normreport ([a-z_]+)", text.split("shell:")[1]) == [name]
    # The plan fills in options that a job may lack.
    text += (root / "normreport/plan/workflow.py").read_text(encoding="utf-8")
    for option in STAGES[name][1]:
        assert re.search(rf"--{option.replace('_', '-')}\b", text), option


@pytest.mark.parametrize("name", STAGES)
def test_a_rule_passes_options_that_grow_with_the_runs_on_standard_input(
    root: Path, name: str
) -> None:
    """The kernel limits the length of a command line, but not that of a pipe."""
    rule = (root / "workflow" / "rules" / f"{name}.smk").read_text(encoding="utf-8")
    grows = [option for option, how in STAGES[name][1].items() if how.get("nargs") in ("+", "*")]
    # These settings list runs, too.
    grows += [name] * (name in ("judge_claims", "record_failures", "record_provenance"))
    assert (f"| normreport {name} - 2>" in rule) == bool(grows)
    assert ("\"printf '%s\\\\0' --" in rule) == bool(grows)


def test_a_stage_takes_more_options_from_standard_input_than_a_command_line_has_room_for(
    tmp_path: Path,
) -> None:
    """The shell writes them, which starts no program: Snakemake runs such a line as a script."""
    names = [f"results/runs/{'x' * 100}/{number}/it's a {{file}}" for number in range(25_000)]
    options = ("--files", *names, "--report", "results", "--site", str(tmp_path / "site"))
    line = f"printf '%s\\0' {shlex.join(options)} | {sys.executable} -m normreport publish_site -"
    assert len(line) > os.sysconf("SC_ARG_MAX")
    (tmp_path / "script.sh").write_text(f"set -euo pipefail; {line}")
    done = subprocess.run(
        ["bash", str(tmp_path / "script.sh")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("normreport publish_site: ")
    assert "could not be written (No such file or directory)" in done.stderr


def test_every_module_of_a_stage_or_command_is_on_the_command_line(root: Path) -> None:
    for folder, known in (("stages", STAGES), ("commands", COMMANDS)):
        modules = {path.stem for path in (root / "normreport" / folder).glob("*.py")}
        assert modules - {"__init__"} == set(known)


def test_every_rule_of_the_workflow_is_a_stage(root: Path) -> None:
    rules = {path.stem for path in (root / "workflow" / "rules").glob("*.smk")}
    assert rules - {"common", "require_all_runs"} == set(STAGES)


# Help


@pytest.mark.parametrize("name", EVERY)
def test_the_help_of_a_command_names_its_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: normreport {name} ")
    for option in STAGES.get(name, ("", {}))[1]:
        assert f"--{option.replace('_', '-')} " in text
    for option in COMMANDS.get(name, ("", {}))[1]:
        assert option in text


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for name in EVERY:
        assert re.search(rf"^    {name}\b", text, re.MULTILINE), name


@pytest.mark.parametrize(
    "arguments", [[], ["trian_run"], ["layers"], ["schema", "a"], ["prepare_data"]]
)
def test_a_wrong_call_is_answered_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: normreport")


# Errors


def test_a_mistake_of_the_user_is_one_message_and_status_2(tmp_path: Path) -> None:
    path = tmp_path / "missing.yaml"
    ended = _python("conditions", str(path))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"normreport conditions: {path}: could not be read (")
    assert ended.stderr.count("\n") == 1


def test_a_stage_that_succeeds_ends_its_log_with_its_memory_and_processor_time(
    tmp_path: Path,
) -> None:
    settings = '{"source": "digits", "train_images": 10, "heldout_images": 10}'
    names = ("images", "manifest", "checkpoints")
    options = [word for name in names for word in (f"--{name}", str(tmp_path / name))]
    ended = _python("prepare_data", "--settings", settings, "--threads", "1", *options)
    assert ended.returncode == 0, ended.stderr
    last = ended.stderr.splitlines()[-1]
    found = re.fullmatch(r"peak memory (\d+) MB, processor time (\d+\.\d) s", last)
    assert found
    assert 20 < int(found[1]) < 2000
    assert 0.1 < float(found[2]) < 60


def test_wrong_settings_of_a_stage_are_one_message_and_status_2(tmp_path: Path) -> None:
    names = ("images", "manifest", "checkpoints")
    options = [word for name in names for word in (f"--{name}", str(tmp_path / name))]
    ended = _python("prepare_data", "--settings", '{"source": "digit"}', *options)
    assert ended.returncode == 2
    head, *lines = ended.stderr.splitlines()
    assert head == (
        "normreport prepare_data: prepare_data --settings: 3 invalid values; "
        "correct them and run again"
    )
    assert [line.split(":")[0].strip() for line in lines] == [
        "source",
        "train_images",
        "heldout_images",
    ]
    assert list(tmp_path.iterdir()) == []


def test_every_kind_of_a_users_error_ends_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(**_: Any) -> NoReturn:
        raise StorageError("a.json: could not be written (No space left on device).")

    monkeypatch.setattr(conditions, "run", full)
    assert main(["conditions", "config.yaml"]) == 2
    expected = "normreport conditions: a.json: could not be written (No space left on device).\n"
    assert capsys.readouterr() == ("", expected)


def test_a_bug_shows_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(**_: Any) -> NoReturn:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(conditions, "run", bug)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        main(["conditions", "config.yaml"])


def test_a_command_that_succeeds_ends_with_status_0(root: Path) -> None:
    ended = _python("conditions", str(root / "config.yaml"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 61


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_stops_reading_is_no_reason_to_complain(root: Path, unbuffered: str) -> None:
    # normreport conditions config.yaml | head -0
    reading, writing = os.pipe()
    os.close(reading)
    ended = _python(
        "conditions",
        str(root / "config.yaml"),
        stdout=writing,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    os.close(writing)
    assert ended.stderr == ""
    assert ended.returncode == 1


THREADS = """
from normreport.cli import main
main(["schema"])
import numpy as np
values = np.random.default_rng(0).standard_normal(3_000_000)
print((values @ values).hex(), flush=True)
"""


def test_the_bits_of_numpy_do_not_depend_on_the_number_of_threads() -> None:
    def last_line(threads: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-c", THREADS],
            env=os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads),
            check=True,
            capture_output=True,
            text=True,
        )
        return ended.stdout.splitlines()[-1]

    assert last_line("1") == last_line("2")
    assert last_line("1").startswith("0x1.")


def test_stages_that_tests_call_have_the_bits_of_the_command_line() -> None:
    import numpy as np  # noqa: F401 - loads its BLAS
    from threadpoolctl import threadpool_info

    threads = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert threads
    assert set(threads) == {1}


# Clones


@pytest.fixture
def other_clone(tmp_path: Path) -> Path:
    """Give a folder that looks like another clone."""
    for name in ("Snakefile", "normreport/cli.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_command_in_another_clone_than_the_installed_one_is_refused(
    other_clone: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.delenv("NORMREPORT_CLONE", raising=False)
    monkeypatch.chdir(other_clone)
    assert main(["claims"]) == 2
    message = capsys.readouterr().err
    assert f"expected the code of {other_clone}, found that of {root}" in message
    assert "python -m normreport" in message
    monkeypatch.chdir(root)
    assert main(["claims"]) == 0


def test_a_job_of_another_clone_is_refused_wherever_it_runs(
    other_clone: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A module or an activation script may have replaced PYTHONPATH."""
    monkeypatch.setenv("NORMREPORT_CLONE", str(other_clone))
    assert main(["claims"]) == 2
    assert f"expected the code of {other_clone}, found that of" in capsys.readouterr().err
    # `snakemake --directory` may name another clone as the working directory.
    monkeypatch.setenv("NORMREPORT_CLONE", str(root))
    monkeypatch.chdir(other_clone)
    assert main(["claims"]) == 0
