"""Operations that read keep what the OpenAPI says: see contract.py. In files of their own, so that two workers share them."""

from __future__ import annotations

import pytest
import schemathesis

from tests.contract.contract import CHECKS, LEFT_OUT, keeps_its_contract, lets_nobody_in, many, one, schema

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

operations = schema.include(method="GET")


def test_no_check_is_forgotten() -> None:
    made = {check.__name__ for check in CHECKS}
    known = {check.__name__ for check in schemathesis.checks.CHECKS.get_all()}
    assert known - made == set(LEFT_OUT), "a check of schemathesis is neither made nor left out with a reason"


@operations.parametrize()
@many
def test_every_operation_keeps_its_contract(case: schemathesis.Case, keys: dict[str, str]) -> None:
    keeps_its_contract(case, keys)


@operations.parametrize()
@one
def test_nothing_answers_without_a_key(case: schemathesis.Case, keys: dict[str, str]) -> None:
    lets_nobody_in(case)
