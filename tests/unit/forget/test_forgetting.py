"""Forgetting an order, or a buyer's orders: the state holds nothing of them, and goes on without."""

from __future__ import annotations

import msgspec
import pytest

from streams.engine.clock import Clock
from streams.engine.errors import FatalError
from streams.engine.formats import FORMAT
from streams.forget.orders import Wanted
from streams.stages.buyer_hash import buyer_hash
from tests.unit.estimating import with_estimates
from tests.unit.forget.shop import APP, INPUTS, KEY, POLICY, Shop, worker

BUYER = Wanted(buyer=buyer_hash(KEY)("buyer-1"))


@pytest.mark.parametrize("wanted", [Wanted(order="A"), BUYER], ids=["by its id", "by the buyer"])
async def test_a_running_worker_goes_on_without_the_order(wanted: Wanted) -> None:
    late, stalled = {"order.ship_due_soon", "order.ship_late"}, {"shipment.slow", "shipment.stalled"}
    shop = Shop()
    shop.two_orders()
    shop.everywhere(90)
    async with worker(shop.log, Clock.stream()):
        await shop.until(lambda: shop.raised("A") == shop.raised("F") == late)
        await shop.until_read(wanted)
        held, unread = await shop.forget(wanted)
        assert held.names == ["A"]
        assert not unread
        shop.go_on()
        shop.everywhere(300)
        # Both orders, and both parcels, are in one partition.
        await shop.until(lambda: shop.raised("F") > late and shop.raised("parcel-F") == stalled)
    assert shop.raised("F") == late | {"aftersales.rights_refused"}
    assert shop.raised("A") == late
    assert shop.raised("parcel-A") == set()


async def test_nothing_is_left_of_it_in_the_changelogs() -> None:
    shop = Shop()
    shop.two_orders()
    # The parcels are stalled: their facility counts them by name.
    await shop.read_to(245)
    before = shop.changelogs()
    names = (b"\xa1A", b"parcel-A", buyer_hash(KEY)("buyer-1"))
    assert all(name in before for name in names)
    held, _ = await shop.forget(BUYER)
    assert sum(held.facilities.values()) == 1
    after = shop.changelogs()
    assert not any(name in after for name in names)
    assert all(name in after for name in (b"\xa1F", b"parcel-F", buyer_hash(KEY)("buyer-2")))


async def test_its_shop_knows_nothing_of_its_parcels_alerts_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.forget.shop.POLICY", with_estimates(POLICY))
    shop = Shop()
    shop.two_orders()
    await shop.read_to(200)
    before = shop.changelogs()
    assert b"shipment.slow/" in before
    await shop.forget(Wanted(order="A"))
    after = shop.changelogs()
    assert b"parcel-A" not in after
    assert b"parcel-F" in after
    assert after.count(b"shipment.slow/") == before.count(b"shipment.slow/") - 1


async def test_alerts_that_are_open_are_told_of() -> None:
    shop = Shop()
    shop.two_orders()
    await shop.read_to(300)
    held, _ = await shop.forget(Wanted(order="A"))
    (parcels,) = held.parcels.values()
    assert [(alert.type, alert.subject) for one in parcels for alert in one.open_alerts] == [
        ("shipment.slow", "parcel-A"),
        ("shipment.stalled", "parcel-A"),
    ]


async def test_a_parcel_that_others_share_stays_theirs() -> None:
    shop = Shop()
    for order in "AF":
        shop.placed(order, f"buyer of {order}")
        shop.order("shipped", 10, order, carrier="ZTO", tracking_no="both")
    shop.scan(11, "both")
    await shop.read_to(20)
    held, _ = await shop.forget(Wanted(order="A"))
    (parcels,) = held.parcels.values()
    assert [(one.shared, one.holds) for one in parcels] == [(True, {"registrations": 1})]
    await shop.read_to(300)
    stalled = [one for one in shop.alerts() if one["type"] == "shipment.stalled"]
    assert {one["order_id"] for one in stalled} == {"F"}
    assert all(one["evidence"]["order_ids"] == ["F"] for one in stalled)


async def test_what_was_said_of_a_shared_parcel_is_resolved_without_the_name() -> None:
    shop = Shop()
    for order in "AF":
        shop.placed(order, f"buyer of {order}")
        shop.order("shipped", 10, order, carrier="ZTO", tracking_no="both")
    shop.scan(11, "both")
    await shop.read_to(100)
    assert {one["order_id"] for one in shop.alerts() if one["type"] == "shipment.slow"} == {"A"}
    before = len(shop.alerts())
    await shop.forget(Wanted(order="A"))
    shop.scan(110, "both", "delivered")
    await shop.read_to(120)
    (resolved,) = shop.alerts()[before:]
    assert (resolved["type"], resolved["resolution"], resolved["order_id"]) == ("shipment.slow", "delivered", None)
    assert "A" not in resolved["evidence"]["order_ids"]


async def test_a_dry_run_tells_and_removes_nothing() -> None:
    shop = Shop()
    shop.two_orders()
    await shop.read_to(90)
    before = shop.changelogs()
    told, _ = await shop.forget(Wanted(order="A"), dry_run=True)
    assert shop.changelogs() == before
    done, _ = await shop.forget(Wanted(order="A"))
    assert told == done
    assert shop.changelogs() != before


async def test_what_is_unread_is_told_of_and_makes_the_order_known_again() -> None:
    shop = Shop()
    shop.two_orders()
    await shop.read_to(90)
    shop.order("completed", 95, "A")
    shop.scan(96, "parcel-A")
    _, unread = await shop.forget(Wanted(order="A"))
    assert {source.topic: count for source, count in unread.items()} == {"orders": 1, "logistics-scans": 1}
    await shop.read_to(100)
    held, unread = await shop.forget(Wanted(order="A"))
    assert held.names == ["A"]
    assert not unread


async def test_an_order_that_nothing_is_known_of_is_no_error() -> None:
    shop = Shop()
    shop.two_orders()
    await shop.read_to(90)
    held, unread = await shop.forget(Wanted(order="C"))
    assert held.is_empty
    assert not unread


async def test_without_a_key_no_buyer_is_known() -> None:
    shop = Shop()
    shop.two_orders()
    await shop.read_to(90, key=None)
    held, _ = await shop.forget(BUYER)
    assert held.is_empty


def of_format(shop: Shop, progress: bytes) -> None:
    """Makes the last task's changelog one that another version has written last."""
    shop.log.append(f"{APP}-shipments-changelog", b"eprogress", progress, partition=INPUTS["logistics-scans"] - 1)


@pytest.mark.parametrize("dry_run", [False, True])
async def test_where_an_older_version_may_go_on_nothing_is_removed(dry_run: bool) -> None:
    shop = Shop()
    shop.two_orders()
    await shop.read_to(90)
    # A row of format 1 begins with the horizons, without a format.
    of_format(shop, msgspec.msgpack.encode(({}, {}, {}, False, 0)))
    before = shop.changelogs()
    if dry_run:
        held, _ = await shop.forget(Wanted(order="A"), dry_run=True)
        assert held.names == ["A"]
    else:
        with pytest.raises(FatalError, match=r"shop-shipments-changelog-2 was .* in format 1: start workers of this"):
            await shop.forget(Wanted(order="A"))
    assert shop.changelogs() == before


async def test_a_newer_state_is_not_read() -> None:
    shop = Shop()
    shop.two_orders()
    await shop.read_to(90)
    of_format(shop, msgspec.msgpack.encode((FORMAT + 1, "whatever")))
    with pytest.raises(FatalError, match="was written by a newer version"):
        await shop.forget(Wanted(order="A"), dry_run=True)
