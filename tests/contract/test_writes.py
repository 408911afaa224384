"""Operations that act keep what the OpenAPI says: see contract.py. In files of their own, so that two workers share them."""

from __future__ import annotations

import pytest
import schemathesis

from tests.contract.contract import keeps_its_contract, lets_nobody_in, many, one, schema

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

operations = schema.exclude(method="GET")


@operations.parametrize()
@many
def test_every_operation_keeps_its_contract(case: schemathesis.Case, keys: dict[str, str]) -> None:
    keeps_its_contract(case, keys)


@operations.parametrize()
@one
def test_nothing_answers_without_a_key(case: schemathesis.Case, keys: dict[str, str]) -> None:
    lets_nobody_in(case)
