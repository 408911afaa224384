"""OBIS codes: every notation reads back, and what is no code is refused with a hint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.obis import Obis

GROUP = st.integers(0, 255)
OBIS = st.builds(Obis, GROUP, GROUP, GROUP, GROUP, GROUP, GROUP)


@given(OBIS)
def test_every_notation_reads_back(code):
    for text in (str(code), code.edis, code.hex(), code.hex("_"), code.hex(" "), code.hex(":"), code.hex().lower()):
        assert Obis.parse(text) == code, f"{text} must read as {code}"
    assert Obis.from_base64(code.base64) == code, "base64 must read back"


@given(st.builds(Obis, GROUP, GROUP, GROUP, GROUP, GROUP))
def test_a_left_out_f_is_255(code):
    assert Obis.parse(f"{code.a}.{code.b}.{code.c}.{code.d}.{code.e}") == code
    assert Obis.parse(f"{code.a}-{code.b}:{code.c}.{code.d}.{code.e}") == code


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("1.0.1.8.0.255", "1.0.1.8.0.255"),
        ("1.0.1.8.0", "1.0.1.8.0.255"),
        ("1-0:1.8.0*255", "1.0.1.8.0.255"),
        ("1-0:1.8.0", "1.0.1.8.0.255"),
        ("1.8.0", "1.0.1.8.0.255"),
        ("81.7.00", "1.0.81.7.0.255"),
        ("1.8.0*01", "1.0.1.8.0.1"),
        ("96.1.0", "0.0.96.1.0.255"),
        ("01_00_63_01_00_FF", "1.0.99.1.0.255"),
        ("0100630100FF", "1.0.99.1.0.255"),
        (" 01:00:63:01:00:ff ", "1.0.99.1.0.255"),
    ],
)
def test_notations_of_the_trade(text, want):
    assert str(Obis.parse(text)) == want


@pytest.mark.parametrize("text", ["", "73.25", "1.0.1.8.0.256", "1.0.1.8.0.255.1", "kWh", "0100630100", "01_00 63_01_00_FF", "1.-1.0"])
def test_what_is_no_code_is_refused(text):
    with pytest.raises(ValueError, match="is no OBIS code"):
        Obis.parse(text)


def test_base64_of_another_length_is_refused():
    assert str(Obis.from_base64("AQBjAQD/")) == "1.0.99.1.0.255"
    with pytest.raises(ValueError, match="5 octets"):
        Obis.from_base64("AQBjAQA=")
    with pytest.raises(ValueError, match="not base64"):
        Obis.from_base64("AQBj*QD/")


def test_a_group_out_of_range_is_refused():
    with pytest.raises(ValueError, match="group C is 300"):
        Obis(1, 0, 300, 8, 0)
