"""Read and write the JSON files that stages hand each other, through their models."""

from __future__ import annotations

from pathlib import Path

from normreport.config.base import Model, Settings, validate
from normreport.errors import ConfigError, StorageError
from normreport.io import files


def read_model(model: type[Model], path: Path) -> Model:
    """Read a JSON file as a model.

    Raises
    ------
    StorageError
        If the file is missing, is damaged or does not fit the model.
    """
    try:
        return validate(model, files.read_json(path), where=str(path))
    except ConfigError as error:
        _, _, details = str(error).partition("\n")
        raise StorageError(
            f"{path}: is not a file of this version of normreport. Delete it and run snakemake "
            f"again: only this file is made anew.\n{details}"
        ) from error


def write_model(path: Path, value: Settings) -> None:
    """Write a model as canonical, indented JSON."""
    files.write_json(path, value.model_dump(mode="json"))
