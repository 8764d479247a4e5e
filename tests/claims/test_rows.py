"""The rows that a judgement reads give the results of the whole tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from normreport.claims.claim import Claim
from normreport.claims.judging import judge_all
from normreport.claims.rows import rows_of_layers, rows_of_products
from normreport.claims.study import IndexedTable, Study
from normreport.config.claims import ClaimSettings, ClaimsSettings
from normreport.io.tables import Filters, read_tables, write_table
from normreport.report.chosen_claims import chosen_claims
from normreport.report.effects import contrast_effects
from normreport.report.summary import headline
from tests.claims import studies
from tests.claims.studies import LAYERS, study

OWN = ClaimSettings(
    id="O1",
    statement="The weights are narrower after three epochs than at the end.",
    statistic="std",
    contrast="unit / unit@3",
    expect="below",
    margin="-5%",
)


@pytest.fixture(scope="module")
def whole() -> Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studies, "EPOCHS", 5)
        sgd = {f"{model}_sgd": model for model in LAYERS}
        made: Study = study(
            layers=LAYERS | {name: LAYERS[model] for name, model in sgd.items()},
            architectures={model: model for model in LAYERS},
            built_as={model: model for model in LAYERS} | sgd,
            variants=tuple(sgd),
            optimizers={name: {"name": "sgd"} for name in sgd},
        )
    return made


@pytest.fixture(scope="module")
def claims() -> tuple[Claim, ...]:
    return chosen_claims(ClaimsSettings(own=(OWN,)))


def test_the_rows_that_are_read_give_the_results_of_the_whole_tables(
    whole: Study, claims: tuple[Claim, ...], tmp_path: Path
) -> None:
    def select(table: IndexedTable, filters: Filters) -> IndexedTable:
        write_table(tmp_path / "table.parquet", table.rows)
        chosen = IndexedTable(read_tables([tmp_path / "table.parquet"], filters=filters))
        assert 0 < len(chosen.rows) < len(table.rows)
        return chosen

    of_layers = rows_of_layers(whole.settings, claims)
    part = replace(
        whole,
        layers=select(whole.layers, of_layers),
        measures=select(whole.measures, of_layers),
        products=select(whole.products, rows_of_products(whole.settings)),
    )
    judged = list(judge_all(claims, part))
    assert judged == list(judge_all(claims, whole))
    assert all(each.judgement.cases for each in judged if each.claim.id in ("O1", "P3"))
    assert headline(part) == headline(whole)
    epochs = range(whole.settings.epochs + 1)
    assert contrast_effects(part, epochs) == contrast_effects(whole, epochs)
