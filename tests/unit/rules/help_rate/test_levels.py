"""Shops and items on their way through the levels: one alert open at most, each change resolves it."""

from __future__ import annotations

from tests.unit.rules.timeline import Said, Timeline, days, hours, lowered

#: Ten orders each in S1 and four calm shops: with a complaints of S1 and e of the others the baseline is (a + e) / 50.
POLICY = lowered(min_orders=10, min_shops=5)
CALM = ("N0", "N1", "N2", "N3")


def market(calm: int = 0) -> Timeline:
    """The five shops, and so many complaints of the calm ones, in the first hour."""
    timeline = Timeline(POLICY)
    for shop in ("S1", *CALM):
        for number in range(10):
            timeline.placed(0, f"{shop}-{number}", shop_id=shop, items=[(f"i-{shop}-{number}", "c1")])
    for number in range(calm):
        timeline.complained(1, f"calm-{number}", shop_id=CALM[number % 4])
    return timeline


def complain(timeline: Timeline, at: int, *numbers: int) -> Timeline:
    for number in numbers:
        timeline.complained(at, f"own-{number}")
    return timeline


def void(timeline: Timeline, at: int, *numbers: int) -> Timeline:
    for number in numbers:
        timeline.voided(at, "complaint", f"own-{number}")
    return timeline


def levels(timeline: Timeline, until: int) -> list[Said]:
    """The alerts of S1 as a shop."""
    alerts = [alert for alert in timeline.heard(until).alerts if alert.subject == "S1"]
    short = {alert.type.removeprefix("help_rate.") for alert in alerts}
    assert short <= {"elevated", "campaign_blocked", "delisting_risk"}
    return [one for one in timeline.said("help_rate", until=until) if one.what in short]


def test_a_rate_at_the_threshold_is_ok_and_one_more_is_elevated() -> None:
    # 6 of 10 beside 19 of 40: 0.6 is 1.2 times the mean of 0.5.
    assert levels(complain(market(19), 2, *range(6)), hours(3)) == []
    assert levels(complain(market(19), 2, *range(7)), hours(3)) == [Said("elevated", hours(1))]


def test_a_change_of_level_resolves_and_raises_at_the_boundary() -> None:
    # 2 beside 4: 0.2 > 1.5 * 0.12.
    timeline = complain(market(4), 2, 0, 1)
    assert levels(timeline, hours(2)) == [Said("campaign_blocked", hours(1))]
    # 8 beside 4: 0.8 > 3 * 0.24.
    complain(timeline, hours(3), *range(2, 8))
    assert levels(timeline, hours(5)) == [
        Said("campaign_blocked", hours(1)),
        Said("campaign_blocked", hours(4), "escalated"),
        Said("delisting_risk", hours(4)),
    ]
    void(timeline, hours(5), *range(2, 8))
    assert levels(timeline, hours(7))[3:] == [
        Said("campaign_blocked", hours(6)),
        Said("delisting_risk", hours(6), "recovered"),
    ]
    void(timeline, hours(7), 0, 1)
    assert levels(timeline, hours(9))[5:] == [Said("campaign_blocked", hours(8), "recovered")]


def test_a_level_holds_while_the_rate_stays_above_nine_tenths_of_its_threshold() -> None:
    # 4 beside 9: 0.4 > 1.5 * 0.26 = 0.39.
    timeline = complain(market(9), 2, *range(4))
    assert levels(timeline, hours(2)) == [Said("campaign_blocked", hours(1))]
    # 4 beside 10: 0.4 < 1.5 * 0.28 = 0.42, but > 0.9 * 0.42.
    timeline.complained(hours(2), "calm-9", shop_id="N1")
    assert levels(timeline, hours(4)) == [Said("campaign_blocked", hours(1))]
    # 4 beside 11: 0.4 < 0.9 * 1.5 * 0.3 = 0.405, but > 1.2 * 0.3 = 0.36.
    timeline.complained(hours(4), "calm-10", shop_id="N2")
    assert levels(timeline, hours(6)) == [
        Said("campaign_blocked", hours(1)),
        Said("campaign_blocked", hours(5), "recovered"),
        Said("elevated", hours(5)),
    ]
    # Back to 10: what recovered is reached anew only above its threshold.
    timeline.voided(hours(6), "complaint", "calm-10", shop_id="N2")
    assert len(levels(timeline, hours(8))) == 3


def test_the_same_rate_that_holds_a_level_does_not_reach_it() -> None:
    timeline = complain(market(10), 2, *range(4))
    assert levels(timeline, hours(3)) == [Said("elevated", hours(1))]


def test_each_raise_of_a_level_is_another_episode() -> None:
    timeline = complain(market(4), 2, 0, 1)
    void(timeline, hours(2), 0, 1)
    complain(timeline, hours(4), 5, 6)
    heard = timeline.heard(hours(6))
    raised, resolved = (heard.every("help_rate.campaign_blocked", status) for status in ("raised", "resolved"))
    assert len({alert.episode for alert in raised}) == 2
    assert [alert.episode for alert in resolved] == [raised[0].episode]


def test_who_is_told() -> None:
    elevated = complain(market(10), 2, *range(4)).heard(hours(2)).only("help_rate.elevated")
    assert (elevated.audiences, elevated.subject, elevated.shop_id) == (("merchant",), "S1", "S1")
    blocked = complain(market(4), 2, 0, 1).heard(hours(2)).only("help_rate.campaign_blocked")
    assert blocked.audiences == ("merchant", "platform")
    risk = complain(market(0), 2, *range(5)).heard(hours(2)).only("help_rate.delisting_risk")
    assert (risk.audiences, risk.order_id, risk.carrier) == (("merchant", "platform"), None, None)


def test_the_evidence_of_a_rate() -> None:
    timeline = complain(market(10), 2, *range(3)).disputed(3, order="S1-0")
    evidence = timeline.heard(hours(2)).only("help_rate.elevated").evidence
    counted = {"orders": 10, "disputes": 1, "complaints": 3, "interventions": 0, "ticket_timeouts": 0}
    judged = {"rate": 0.4, "baseline": 0.28, "category_id": "c1"}
    # 5 of 10 > 1.5 * 0.28.
    assert evidence.items() >= {**counted, **judged, "escalations_left": 1}.items()


def test_nothing_is_left_to_reach_at_the_highest_level() -> None:
    evidence = complain(market(), 2, *range(5)).heard(hours(2)).only("help_rate.delisting_risk").evidence
    assert evidence["escalations_left"] is None


def test_five_escalations_are_needed_to_reach_the_risk_and_not_to_hold_it() -> None:
    assert levels(complain(market(), 2, *range(4)), hours(2)) == [Said("campaign_blocked", hours(1))]
    timeline = void(complain(market(), 2, *range(5)), hours(2), 0)
    # 4 of 10 beside none: 0.4 > 0.9 * 3 * 0.08.
    assert levels(timeline, hours(9)) == [Said("delisting_risk", hours(1))]


def test_a_shop_with_too_few_orders_left_is_insufficient_and_forgets() -> None:
    timeline = complain(market(4), 2, 0, 1).placed(days(9), "last", shop_id="S1")
    assert levels(timeline, days(30) + hours(1)) == [Said("campaign_blocked", hours(1))]
    assert levels(timeline, days(30) + hours(2)) == [
        Said("campaign_blocked", hours(1)),
        Said("campaign_blocked", days(30) + hours(1), "insufficient"),
    ]


def test_a_baseline_that_is_gone_makes_every_shop_insufficient() -> None:
    timeline = complain(market(4), 2, 0, 1)
    # N3 sells something else from now on: four shops are left.
    for number in range(11):
        timeline.placed(hours(3), f"other-{number}", shop_id="N3", items=[("x", "c2")])
    assert levels(timeline, hours(5)) == [
        Said("campaign_blocked", hours(1)),
        Said("campaign_blocked", hours(4), "insufficient"),
    ]


def test_the_state_is_in_the_table() -> None:
    for calm, own, state in ((19, 6, "ok"), (19, 7, "elevated"), (4, 2, "campaign_blocked"), (0, 5, "delisting_risk")):
        value = complain(market(calm), 2, *range(own)).heard(hours(2)).table("help-rates")["S1"]
        assert value is not None
        assert value["state"] == state


# -- items


def items(own: int, *, orders: int = 10) -> Timeline:
    """The market with little to complain of, and `orders` more orders of item I with `own` complaints about it."""
    timeline = market(4)
    for number in range(orders):
        timeline.placed(2, f"I{number}", items=[("I", "c1")])
    for number in range(own):
        timeline.complained(3, f"own-{number}", item_id="I")
    return timeline


def item_alerts(timeline: Timeline, until: int) -> list[Said]:
    return timeline.said("item.delisting_risk", until=until)


def test_an_item_with_enough_orders_is_judged_for_the_risk_of_delisting_alone() -> None:
    # Of S1: 5 of 20, the mean is (0.25 + 4 * 0.1) / 5 = 0.13; of the item: 5 of 10 > 0.39.
    timeline = items(5)
    assert item_alerts(timeline, hours(2)) == [Said("delisting_risk", hours(1))]
    alert = timeline.heard(hours(2)).only("item.delisting_risk")
    assert (alert.subject, alert.shop_id, alert.audiences) == ("I", "S1", ("merchant", "platform"))
    counted = {"orders": 10, "disputes": 0, "complaints": 5, "interventions": 0, "ticket_timeouts": 0, "escalations": 5}
    judged = {"rate": 0.5, "baseline": 0.13, "category_id": "c1", "escalations_left": None}
    assert alert.evidence.items() >= {**counted, **judged}.items()


def test_the_evidence_of_an_item_counts_each_kind_of_escalation_about_it() -> None:
    timeline = items(3).disputed(3, "D", order="I0").requested(3, "Q", order_id="I1")
    timeline.opened(3, ticket="K", order_id="I2", respond_by=4)
    # About other items, about none, and taken back: none of them counts here.
    timeline.disputed(3, "other", order="S1-0").complained(3, "none").complained(4, "gone", item_id="I")
    timeline.voided(5, "complaint", "gone")
    for alert in timeline.heard(hours(2)).every("item.delisting_risk"):
        counted = {"disputes": 1, "complaints": 3, "interventions": 1, "ticket_timeouts": 1, "escalations": 6}
        assert alert.evidence.items() >= {"orders": 10, **counted, "rate": 0.6}.items()
    assert len(timeline.heard(hours(2)).every("item.delisting_risk")) == 1


def test_an_item_with_too_few_orders_or_escalations_is_not_at_risk() -> None:
    assert item_alerts(items(9, orders=9), hours(2)) == []
    assert item_alerts(items(4), hours(2)) == []


def test_an_item_recovers_below_nine_tenths_of_the_threshold() -> None:
    timeline = void(items(5), hours(2), 0)
    # 4 of 10, and S1 4 of 20: the mean is 0.12, 0.4 > 0.9 * 0.36.
    assert item_alerts(timeline, hours(4)) == [Said("delisting_risk", hours(1))]
    void(timeline, hours(4), 1)
    # 3 of 10, and S1 3 of 20: the mean is 0.11, 0.3 > 0.297.
    assert item_alerts(timeline, hours(6)) == [Said("delisting_risk", hours(1))]
    void(timeline, hours(6), 2)
    assert item_alerts(timeline, hours(8))[1:] == [Said("delisting_risk", hours(7), "recovered")]


def test_an_item_with_too_few_orders_left_is_insufficient() -> None:
    timeline = items(5)
    for number in range(10):
        timeline.placed(days(20), f"late-{number}", items=[("J", "c1")])
    told = item_alerts(timeline, days(30) + hours(2))
    assert told == [Said("delisting_risk", hours(1)), Said("delisting_risk", days(30) + hours(1), "insufficient")]


def test_one_item_id_in_two_shops_is_two_episodes() -> None:
    timeline = items(9)
    for number in range(10):
        timeline.placed(2, f"N-I{number}", shop_id="N0", items=[("I", "c1")])
    for number in range(9):
        timeline.complained(3, f"n-{number}", shop_id="N0", item_id="I")
    alerts = timeline.heard(hours(2)).every("item.delisting_risk")
    assert sorted(str(alert.shop_id) for alert in alerts) == ["N0", "S1"]
    assert len({alert.episode for alert in alerts}) == 2
