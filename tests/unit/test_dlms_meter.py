"""Our client against simulated meters in a process of their own: every association and framing, exact values, and every way to go wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingestion.dlms import axdr
from ingestion.dlms.apdu import Entries, Range
from ingestion.dlms.axdr import date_time
from ingestion.dlms.errors import DlmsRefused, DlmsTransient, DlmsUnknownOutcome
from ingestion.dlms.meter import DlmsMeter, Endpoint, ScalerCache
from ingestion.dlms.profiles import Column as CapturedColumn
from ingestion.dlms.profiles import Profile
from ingestion.dlms.security import Keys
from simulation.dlms import DlmsServer, SimulatedMeter
from simulation.dlms.meter import Column, columns
from simulation.dlms.server import Park

IST = ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 10, 8, 10, 7)
BLOCK, DAILY, BILLING = "1.0.99.1.0.255", "1.0.99.2.0.255", "1.0.98.1.0.255"


def ist(day: int, hour: int = 0, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=IST)


@pytest.fixture(scope="module")
def park() -> Iterator[DlmsServer]:
    with DlmsServer(meters=3, categories="D1,D2,D3", clock=NOW) as running:
        yield running


@pytest.fixture
def server(park: DlmsServer) -> Iterator[DlmsServer]:
    """Without faults before and after."""
    yield park
    for n in (1, 2, 3):
        park.order("clear", meter=n)


def endpoint(server: DlmsServer, number: int = 1, authentication: str = "hls_gmac", framing: str = "wrapper") -> Endpoint:
    return Endpoint(server.meter(number).serial, server.host, server.port, framing, 48, number, authentication)


def keys(server: DlmsServer, number: int = 1, ciphering: str = "service") -> Keys:
    k = server.meter(number).keys
    return Keys(k.encryption, k.authentication, k.password, ciphering=ciphering)


def opened(server: DlmsServer, number: int = 1, timeout_s: float = 5, scalers: ScalerCache | None = None, **how: Any) -> DlmsMeter:
    return DlmsMeter.open(endpoint(server, number, **how), keys(server, number), timeout_s, scalers=scalers)


def raw(meter: SimulatedMeter, column: Column, at: datetime) -> Any:
    """What the meter must say in a column at a time."""
    value = meter.value(column.quantity, at, column.zone)
    return value // 10**column.scaler if column.scaler and column.quantity.endswith(("wh", "vah", "varh")) else value


def table(profile: Profile) -> list[list[Any]]:
    return [[v.value for v in row] for row in profile.rows]


# --- reading ---


@pytest.mark.parametrize("framing", ["wrapper", "hdlc"])
@pytest.mark.parametrize(("authentication", "ciphering"), [("none", ""), ("lls", ""), ("hls_gmac", "service"), ("hls_gmac", "general")])
def test_every_association_over_every_framing_reads_the_same(server: DlmsServer, authentication: str, ciphering: str, framing: str) -> None:
    how = keys(server, ciphering=ciphering or "service")
    with DlmsMeter.open(endpoint(server, 1, authentication, framing), how, 5) as meter:
        profile = meter.read_profile(BLOCK, ist(1), ist(4))
        assert abs(meter.clock() - ist(8, 10, 7)) < timedelta(minutes=5)
    sim = server.meter(1)
    wanted = columns("block", "D1", 0)
    stamps = [datetime(2026, 10, 1) + timedelta(minutes=30 * n) for n in range(1, 145)]
    assert [(c.class_id, c.obis, c.attribute, c.unit, c.scaler) for c in profile.columns] == [
        (c.class_id, c.obis, c.attribute, c.unit, c.scaler) for c in wanted
    ]
    shown = [(v[:4], v[5:8]) for v in (row[0] for row in table(profile))]
    assert shown == [(o[:4], o[5:8]) for o in map(date_time, stamps)], "all but the day of the week, which we do not state"
    assert [r[1:] for r in table(profile)] == [[raw(sim, c, s) for c in wanted[1:]] for s in stamps], "144 rows came in blocks, in order"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_billing_rows_have_every_zone_and_demand_with_its_time(server: DlmsServer, number: int) -> None:
    sim = server.meter(number)
    with opened(server, number) as meter:
        profile = meter.read_profile(BILLING, ist(1, month=8), ist(5))
    wanted = columns("billing", sim.category, sim.register_scaler)
    stamps = [datetime(2026, 9, 1), datetime(2026, 10, 1)]
    rows = table(profile)
    assert len(rows) == 2
    if sim.newest_first:
        rows.reverse()
    for row, stamp in zip(rows, stamps, strict=True):
        for column, got, value in zip(profile.columns, wanted, row, strict=True):
            expected = raw(sim, got, stamp)
            if got.kind == "time":
                shown = "no date" if expected is None else date_time(expected)[:4]
                assert value[:4] == shown, f"{column} at {stamp}"
            else:
                assert (value, column.scaler) == (expected, got.scaler), f"{column} at {stamp}"
    md = [c for c in profile.columns if c.obis == "1.0.1.6.0.255"]
    assert [c.attribute for c in md] == [2, 5]
    assert md[1].scaler is None, "the time of a demand has no scaler"


def test_scalers_follow_the_firmware_and_are_read_once(server: DlmsServer) -> None:
    by_firmware = {}
    for number in (1, 2):
        with opened(server, number) as meter:
            by_firmware[meter.firmware()] = {c.obis: c.scaler for c in meter.columns(DAILY)}["1.0.1.8.0.255"]
    assert by_firmware == {"D1-1.00": 0, "D2-2.00": 1}
    cache, asked = ScalerCache(), []
    for _ in range(2):
        before = server.order("state")["requests"]
        with opened(server, scalers=cache) as meter:
            assert {c.obis: c.scaler for c in meter.columns(DAILY)}["1.0.1.8.0.255"] == 0
        asked.append(server.order("state")["requests"] - before)
    assert asked[0] - asked[1] == 2, "columns and row of the scaler profile are read once"


def test_scalers_that_a_meter_does_not_tell_are_borrowed_or_the_profile_is_refused() -> None:
    known = {"1.0.1.8.0.255": (0, 30), "1.0.12.7.0.255": (-2, 35)}
    asked: list[str] = []

    class Silent(DlmsMeter):
        def __init__(self) -> None:
            self.endpoint = Endpoint("M1", "", 0)

        def get(self, class_id: int, obis: str, attribute: int, selection: Any = None) -> Any:
            asked.append(obis)
            if obis not in known:
                raise DlmsRefused("no", 4)
            scaler, unit = known[obis]
            return axdr.read(axdr.structure(axdr.i8(scaler), b"\x16" + bytes([unit])))

    meter = Silent()
    assert meter._scaler_of(CapturedColumn(3, "1.0.1.29.0.255", 2)) == (0, 30)
    assert meter._scaler_of(CapturedColumn(3, "1.0.12.27.0.255", 2)) == (-2, 35)
    assert asked == ["1.0.1.29.0.255", "1.0.1.8.0.255", "1.0.12.27.0.255", "1.0.12.7.0.255"]
    with pytest.raises(DlmsRefused, match=r"neither of 1\.0\.9\.29\.0\.255 nor of 1\.0\.9\.8\.0\.255"):
        meter._scaler_of(CapturedColumn(3, "1.0.9.29.0.255", 2))


def test_instantaneous_nameplate_and_events(server: DlmsServer) -> None:
    sim = server.meter(2)
    with opened(server, 2) as meter:
        instant, nameplate = meter.read_instant(), meter.read_nameplate()
        logs = {log.obis: log for log in meter.read_events(ist(1, month=8), ist(8))}
    values = {(c.obis, c.attribute): (v.value, c.scaler, c.unit) for c, v in zip(instant.columns, instant.rows[0], strict=True)}
    assert values["1.0.1.8.0.255", 2] == (sim.register("import_wh", NOW) // 10, 1, 30)
    assert values["0.0.96.3.10.255", 2] == (True, None, None)
    assert len(instant.columns) == len(columns("instant", "D2", 1)) == 36
    assert [v.text for v in nameplate.rows[0]] == [sim.serial, sim.serial, "SIMULATED", "D2-2.00", "7", "D2", "10-60A", "2025"]
    power = [(row[0].value[:8], row[1].number) for row in logs["0.0.99.98.2.255"].rows]
    expected = [(date_time(e.at), e.code) for e in sim.events("power", datetime(2026, 10, 8))]
    assert [(s[:4] + s[5:8], c) for s, c in power] == [(s[:4] + s[5:8], c) for s, c in expected]
    assert "0.0.99.98.6.255" not in logs, "an empty log is left out"


def test_entries_and_ranges_select_rows_and_columns(server: DlmsServer) -> None:
    sim = server.meter(1)
    with opened(server) as meter:
        rows = meter.get(7, DAILY, 2, Entries(2, 3, 2, 3)).items
        in_use = meter.get(7, DAILY, 7).number
        selected = meter.get(7, DAILY, 2, Range(date_time(datetime(2026, 10, 2)), date_time(datetime(2026, 10, 3)))).items
    days = sim.stamps("daily")
    assert in_use >= len(days)
    assert [[v.value for v in r.items] for r in rows] == [[sim.register("import_wh", d), sim.register("import_vah", d)] for d in days[1:3]]
    assert [r.items[1].value for r in selected] == [sim.register("import_wh", datetime(2026, 10, d)) for d in (2, 3)]


def test_the_range_is_open_at_its_beginning_and_closed_at_its_end(server: DlmsServer) -> None:
    with opened(server) as meter:
        assert len(meter.read_profile(BLOCK, ist(1), ist(2)).rows) == 48
        assert len(meter.read_profile(BLOCK, ist(1), ist(1, 0, 30)).rows) == 1
        assert meter.read_profile(BLOCK, ist(1, 0, 1), ist(1, 0, 29)).rows == []


# --- changing ---


def test_the_relay_opens_and_closes_and_the_meter_notes_it(server: DlmsServer) -> None:
    with opened(server) as meter:
        begin = meter.clock() - timedelta(seconds=1)
        meter.disconnect()
        assert (meter.relay_state().closed, meter.relay_state().control_state) == (False, 0)
        assert server.order("state")["relay_closed"] is False
        meter.connect()
        assert (meter.relay_state().closed, meter.relay_state().control_state) == (True, 1)
        logs = meter.read_events(begin, begin + timedelta(minutes=5))
    assert [[r[1].number for r in log.rows] for log in logs if log.obis == "0.0.99.98.6.255"] == [[301, 302]]


def test_load_limit_clock_and_calendar(server: DlmsServer) -> None:
    with opened(server) as meter:
        meter.set_load_limit(3000)
        meter.set_clock(meter.clock() + timedelta(minutes=30))
        assert abs(meter.clock() - ist(8, 10, 37)) < timedelta(minutes=5)
        meter.set_clock(meter.clock() - timedelta(minutes=30))
        meter.set_calendar("SUMMER", [(time_of_day(), 1), (time_of_day(6), 2), (time_of_day(18, 30), 3)])
        assert meter.get(20, "0.0.13.0.0.255", 2).text == "SUMMER"
        day = meter.get(20, "0.0.13.0.0.255", 5).items[0].items[1].items
        assert [(a.items[0].value[:2], a.items[2].number) for a in day] == [(b"\x00\x00", 1), (b"\x06\x00", 2), (b"\x12\x1e", 3)]
        meter.set_calendar("WINTER", [(time_of_day(), 4)], activate_at=ist(1, month=11))
        assert (meter.get(20, "0.0.13.0.0.255", 2).text, meter.get(20, "0.0.13.0.0.255", 6).text) == ("SUMMER", "WINTER")
        with pytest.raises(ValueError, match="begin at 00:00"):
            meter.set_calendar("X", [(time_of_day(6), 1)])
        with pytest.raises(ValueError, match="zones"):
            meter.set_calendar("X", [(time_of_day(), 9)])
        with pytest.raises(ValueError, match="negative"):
            meter.set_load_limit(-1)
    assert server.order("state")["load_limit_w"] == 3000


@pytest.mark.parametrize("authentication", ["none", "lls"])
def test_without_hls_the_meter_lets_nobody_change_it(server: DlmsServer, authentication: str) -> None:
    with opened(server, authentication=authentication) as meter, pytest.raises(DlmsRefused, match="read write denied"):
        meter.disconnect()
    assert server.order("state")["relay_closed"] is True


def test_a_meter_without_relay_refuses(server: DlmsServer) -> None:
    with opened(server, 3) as meter:
        with pytest.raises(DlmsRefused, match="object undefined"):
            meter.relay_state()
        with pytest.raises(DlmsRefused, match="object undefined"):
            meter.disconnect()


# --- going wrong ---


def test_a_wrong_password_or_key_is_refused_and_no_secret_is_shown(server: DlmsServer) -> None:
    with pytest.raises(DlmsRefused, match="wrong password") as error:
        DlmsMeter.open(endpoint(server, authentication="lls"), Keys(password=b"very-secret"), 5)
    assert "very-secret" not in str(error.value)
    wrong = replace(keys(server), encryption=bytes(16))
    with pytest.raises(DlmsRefused, match="deciphering error"):
        DlmsMeter.open(endpoint(server), wrong, 5)
    with pytest.raises(DlmsRefused, match="no keys for it"):
        DlmsMeter.open(endpoint(server), Keys(), 5)
    with pytest.raises(DlmsRefused, match="system title"):
        DlmsMeter.open(replace(endpoint(server), system_title="00" * 8), keys(server), 5)


def test_a_read_that_another_association_overtook_may_be_tried_again(server: DlmsServer) -> None:
    with opened(server) as meter:
        meter.clock()
        overtaken = "ingestion.dlms.meter.next_counter"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(overtaken, lambda key, seen: 1)
            with pytest.raises(DlmsTransient, match="deciphering error"):
                meter.clock()
        with pytest.raises(DlmsTransient, match="open it again"):
            meter.clock()


def test_a_meter_that_answers_with_other_keys_is_not_believed(server: DlmsServer) -> None:
    with opened(server) as meter:
        server.order("fault", kind="wrong_key", on="get")
        with pytest.raises(DlmsRefused, match="not sealed with the keys"):
            meter.clock()
    with opened(server) as meter:
        server.order("fault", kind="wrong_key", on="action")
        with pytest.raises(DlmsUnknownOutcome, match="not sealed with the keys"):
            meter.disconnect()
    with opened(server) as meter:
        assert meter.relay_state().closed is False, "it was done all the same: that is why the outcome is unknown"
        meter.connect()


@pytest.mark.parametrize("framing", ["wrapper", "hdlc"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [("deaf", "no answer within"), ("silent", "no answer within"), ("cut", "in mid-frame"), ("close", "closed"), ("drip", "no answer")],
)
def test_reads_that_break_off_are_transient_and_end_in_time(server: DlmsServer, fault: str, says: str, framing: str) -> None:
    with opened(server, timeout_s=0.5, framing=framing) as meter:
        server.order("fault", kind=fault, on="get")
        begin = time.monotonic()
        with pytest.raises(DlmsTransient, match=says):
            meter.clock()
        assert time.monotonic() - begin < 3
        with pytest.raises(DlmsTransient, match="open it again"):
            meter.clock()
    with opened(server, framing=framing) as meter:
        assert meter.clock()


@pytest.mark.parametrize(("fault", "done"), [("deaf", False), ("close", False), ("silent", True), ("cut", True), ("drip", True)])
def test_a_command_without_answer_has_an_unknown_outcome(server: DlmsServer, fault: str, done: bool) -> None:
    with opened(server, timeout_s=0.5) as meter:
        server.order("fault", kind=fault, on="action")
        with pytest.raises(DlmsUnknownOutcome, match="read the meter's state"):
            meter.disconnect()
        with pytest.raises(DlmsTransient, match="open it again"):
            meter.disconnect()
    with opened(server) as meter:
        assert meter.relay_state().closed is not done
        meter.connect()


def test_a_busy_meter_is_transient_and_one_that_refuses_is_not(server: DlmsServer) -> None:
    with opened(server) as meter:
        server.order("fault", kind="busy", on="action")
        with pytest.raises(DlmsTransient, match="busy"):
            meter.disconnect()
        assert meter.relay_state().closed, "a busy meter has done nothing"
        server.order("fault", kind="refuse", on="get")
        with pytest.raises(DlmsRefused, match="read write denied"):
            meter.clock()
        assert meter.clock(), "a refusal does not end the association"
    for kind, error in (("busy", DlmsTransient), ("refuse", DlmsRefused)):
        server.order("fault", kind=kind, on="associate", count=2)
        with pytest.raises(error, match="rejected"):
            opened(server, authentication="lls")
        server.order("clear")


def test_a_break_within_the_blocks_of_a_long_read_is_transient(server: DlmsServer) -> None:
    with opened(server) as meter:
        meter.columns(BLOCK)
        server.order("fault", kind="cut", on="get", after=3)
        with pytest.raises(DlmsTransient):
            meter.read_profile(BLOCK, ist(1), ist(6))


def test_nobody_there_is_transient_and_nothing_was_sent(server: DlmsServer) -> None:
    with pytest.raises(DlmsTransient, match="no connection"):
        DlmsMeter.open(replace(endpoint(server), port=1), keys(server), 2)
    with pytest.raises(DlmsTransient, match="no answer within"):
        DlmsMeter.open(replace(endpoint(server), server_address=99, authentication="none"), keys(server), 0.3)
    with pytest.raises(DlmsTransient):
        DlmsMeter.open(replace(endpoint(server), server_address=99, framing="hdlc", authentication="none"), keys(server), 0.3)


def test_the_deadline_of_an_association_ends_it(server: DlmsServer) -> None:
    with DlmsMeter.open(endpoint(server), keys(server), 5, deadline_s=0.4) as meter:
        time.sleep(0.5)
        with pytest.raises(DlmsTransient, match="time for this association"):
            meter.disconnect()
    assert server.order("state")["relay_closed"] is True


def test_a_clock_that_is_wrong_is_read_as_it_is(server: DlmsServer) -> None:
    server.order("skew", seconds=-7200)
    try:
        with opened(server) as meter:
            assert abs(meter.clock() - ist(8, 8, 7)) < timedelta(minutes=5)
    finally:
        server.order("skew", seconds=7200)


def test_many_associations_at_once(server: DlmsServer) -> None:
    failures: list[str] = []

    def work(number: int) -> None:
        try:
            with opened(server, number) as meter:
                rows = meter.read_profile(DAILY, ist(1), ist(3)).rows
                assert len(rows) == 2
        except Exception as e:
            failures.append(f"{number}: {e}")

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


def test_the_server_says_what_is_wrong_with_an_order(server: DlmsServer) -> None:
    with pytest.raises(RuntimeError, match="fault 'tired' is not one of"):
        server.order("fault", kind="tired")
    with pytest.raises(RuntimeError, match="'dance' is not known"):
        server.order("dance")
    with pytest.raises(ValueError, match="category"):
        Park.of(1, 1, ["X"], 30, NOW, 3)
