"""Vendor files: those that come with Meterhouse load; a wrong one is refused with file, line, field and remedy."""

from __future__ import annotations

import pytest
import yaml

from ingestion.vendor import FOLDER, VendorError, load_vendor, names

GOOD = """\
vendor: mine
description: a vendor
transport: {kind: file, files: {block: ["a_*.csv"]}}
payload: {format: csv_long, serial: METER}
time: {zone: Asia/Kolkata, stamp: end, formats: ["%d-%m-%Y %H:%M"]}
profiles:
  block:
    kind: block
    interval_min: 30
    stamp: END
    values:
      - {from: KWH, to: import_wh, unit: kWh}
"""


def write(tmp_path, text, name="mine.yml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("*.yml")))
def test_every_vendor_file_loads(name):
    v = load_vendor(name)
    assert v.name == name
    assert v.profiles
    assert name in names()


def test_the_vendors_of_the_wire_formats_are_there():
    assert {"hpl", "vendor_b", "vendor_c", "edrp_scotland", "ceew_bareilly", "ceew_mathura", "london_mac000002", "ies_meterdata"} <= set(
        names()
    )


def test_a_path_loads_and_files_choose_the_profile(tmp_path):
    v = load_vendor(write(tmp_path, GOOD))
    assert v.profile_of_file("drop/a_1.csv") is v.profile("block")
    assert v.profile_of_file("b_1.csv") is None
    with pytest.raises(KeyError, match="has no profile daily: it has block"):
        v.profile("daily")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: block\n", "kind: blok\n", r"mine\.yml:8: profiles\.block\.kind: 'blok' is not allowed. Allowed: block, daily, event"),
        ("    stamp: END\n", "    stamps: END\n", r"mine\.yml:10: profiles\.block\.stamps: unknown field. Known here: .*stamp"),
        ("    stamp: END\n", "", r"mine\.yml:7: profiles\.block: no stamp: name the column"),
        ("    interval_min: 30\n", "", r"mine\.yml:7: profiles\.block: stamps name the end of the interval: interval_min"),
        (", serial: METER", "", r"no serial: name the column or path"),
        ("unit: kWh", "unit: kVAh", r"mine\.yml:12: profiles\.block\.values\.0: unit kVAh does not fit import_wh, which takes Wh"),
        (", unit: kWh", "", r"no unit is stated for import_wh"),
        ("to: import_wh", "to: md_import_w", r"md_import_w does not belong in a block profile"),
        ("Asia/Kolkata", "IST5", r"mine\.yml:5: time\.zone: IST5 is no IANA time zone: write Asia/Kolkata"),
        ("vendor: mine", "vendor: other", r"mine\.yml:1: vendor: other is in a file called mine\.yml"),
        ("{block: [", "{daily: [", r"transport\.files\.daily: no such profile. Profiles: block"),
        ("csv_long", "csv_wide", r"csv_wide needs slots(.|\n)*write the column's pattern with \{slot\}"),
        ("csv_long", "json", r"no rows: name the path of the rows"),
        ("description: a vendor\n", "", r"'description' is a required property: add it"),
        ("description: a vendor", "description: [", r"mine\.yml:\d+: not YAML"),
        ("time: {", "received_at: {from: filename}\ntime: {", r"received_at: 'pattern' is a required property"),
        ("time: {", "received_at: {from: filename, pattern: 'a', format: '%Y'}\ntime: {", r"has 0 groups: put \( \) round"),
        ("time: {", "received_at: {from: filename, pattern: '(', format: '%Y'}\ntime: {", r"no regular expression"),
    ],
)
def test_a_wrong_file_says_what_where_and_how_to_mend_it(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(VendorError, match=message):
        load_vendor(write(tmp_path, GOOD.replace(old, new)))


def test_every_fault_is_told_at_once(tmp_path):
    with pytest.raises(VendorError) as e:
        load_vendor(write(tmp_path, GOOD.replace("kind: block\n", "kind: blok\n").replace("stamp: end", "stamp: middle")))
    assert len(str(e.value).splitlines()) == 2


def test_a_two_part_code_is_only_mapped_as_text(tmp_path):
    raw = yaml.safe_load((FOLDER / "hpl.yml").read_text(encoding="utf-8"))
    raw["profiles"]["block"]["values"][1]["from"] = "73.25"
    with pytest.raises(VendorError, match=r"hpl\.yml:\d+: profiles\.block\.values\.1\.from: '73\.25' is no OBIS code"):
        load_vendor(write(tmp_path, yaml.safe_dump(raw), "hpl.yml"))


def test_a_vendor_that_is_not_there_and_a_file_that_is_no_mapping(tmp_path):
    with pytest.raises(VendorError, match="Known vendors: ceew_bareilly"):
        load_vendor("nobody")
    with pytest.raises(VendorError, match="is not of type 'object'"):
        load_vendor(write(tmp_path, "- a\n"))
    (tmp_path / "latin.yml").write_bytes(b"vendor: \xff")
    with pytest.raises(VendorError, match="cannot be read"):
        load_vendor(tmp_path / "latin.yml")
