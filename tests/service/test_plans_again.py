"""A plan that begins again: nobody who said no is asked a second time, and what goes on or is done stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals.casework import ClosingAnswer
from referrals.errors import BadAnswer, WrongStage
from referrals.model import Consent, Offer, Outcome, Referral, Stage
from referrals.service.desk import desk, plan_preview
from referrals.service.help import working
from referrals.service.joint import plan_days, tasks
from referrals.service.lasting import ending
from referrals.service.pages import PAGES
from referrals.service.turns import closing, offers
from tests.support.parts import Parts

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
PARTNERS = ("roof", "letting_go", "taking_over", "care", "work")


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Parts]:
    with Parts.opened(sqlite_url) as net:
        net.settle_in()
        yield net


def _declines(net: Parts, plan: str, kind: str, reason: str) -> str:
    """Whoever is asked for this part says no; their service."""
    offer = net.live_offer(net.part(plan, kind).id)
    assert offer is not None, f"nobody is asked for {kind}"
    net.store.run(offers.decline, offer.told[0], offer.id, reason)
    net.passes(SECOND)
    return offer.service_id


def _asked(net: Parts, plan: str, kind: str) -> list[str]:
    """The services that were asked for a part since it began last, in that order."""
    part = net.part(plan, kind)
    found: list[Offer] = net.store.run(lambda tx: tx.find(Offer, referral_id=part.id))
    return [offer.service_id for offer in sorted(found, key=lambda o: o.sent_at)]


def _everything_else(net: Parts, plan: str, work: str = "met") -> None:
    """All but the papers is done, in the order in which a plan asks for it."""
    net.taken(plan, *PARTNERS)
    handover = net.tasks(plan)["handover"].id
    for side in ("letting_go", "taking_over"):
        net.store.run(tasks.spoken, *net.holds(plan, side), handover)
    for kind in PARTNERS:
        net.does(plan, kind, work if kind == "work" else "met")
    net.store.run(tasks.done, net.family, net.tasks(plan)["family_ready"].id)
    for kind in ("meeting", "look_back"):
        net.store.run(tasks.done, net.desk, net.tasks(plan)[kind].id)
        net.passes(SECOND)


def _disputed_for_want_of_papers(net: Parts) -> tuple[str, list[str]]:
    """The first partner says no, the second one tries and cannot; whom they asked, in order."""
    plan = net.plan("release-plan")
    no = _declines(net, plan, "papers", "not_our_service")
    net.takes(plan, "papers")
    tried = net.part(plan, "papers")
    asked = _asked(net, plan, "papers")
    assert asked[0] == no
    net.does(plan, "papers", "unmet")
    _everything_else(net, plan)
    assert net.referral(plan).outcome is Outcome.PARTLY_MET
    net.store.run(closing.helped, net.family, plan, False)
    assert net.referral(plan).stage is Stage.DISPUTED
    assert tried.organization_id
    return plan, asked


def test_who_said_no_or_could_not_is_not_asked_again(net: Parts) -> None:
    plan, before = _disputed_for_want_of_papers(net)
    done = {kind: task.child_id for kind, task in net.tasks(plan).items() if task.state == "done"}
    whole = net.tasks(plan)["papers"].plan
    net.store.run(desk.rematch, net.desk, plan)
    net.passes(SECOND)
    assert net.referral(plan).stage is Stage.IN_SERVICE
    left = [service for service in whole if service not in before]
    assert left, "the demo's network has a third who could"
    assert _asked(net, plan, "papers") == left[:1]
    now = net.tasks(plan)
    assert {kind: now[kind].child_id for kind in done} == done, "what is done stays done"
    for _ in left:
        _declines(net, plan, "papers", "full")
    part = net.part(plan, "papers")
    assert part.stage is Stage.UNMATCHED, "nobody is left: the desk has it"
    shown = net.store.run(plan_preview.preview, part)
    assert shown.asked == ()
    assert not set(whole) & {line.service_id for line in shown.with_a_yes}


def test_what_was_full_and_has_room_by_now_is_asked(net: Parts) -> None:
    from referrals.directory import Capacity
    from referrals.service.matter import capacity

    plan = net.plan("release-plan")
    full = _declines(net, plan, "papers", "full")
    worker = net.workers_of(net.store.run(lambda tx: tx.directory.services[full].organization_id))[0]
    net.takes(plan, "papers")
    net.does(plan, "papers", "unmet")
    _everything_else(net, plan)
    net.store.run(closing.helped, net.family, plan, False)
    net.passes(2 * DAY)
    net.store.run(capacity.say_one, worker, full, Capacity.OPEN)
    net.store.run(desk.rematch, net.desk, plan)
    net.passes(SECOND)
    assert _asked(net, plan, "papers")[:1] == [full], "their reason has ended"


def _over_but_for_what_need_not_be_done(net: Parts) -> str:
    """A plan that helped; somebody still helps with care and work."""
    plan = net.plan("release-plan")
    net.takes(plan, "papers")
    net.does(plan, "papers")
    net.taken(plan, *PARTNERS)
    handover = net.tasks(plan)["handover"].id
    for side in ("letting_go", "taking_over"):
        net.store.run(tasks.spoken, *net.holds(plan, side), handover)
    for kind in ("roof", "letting_go", "taking_over"):
        net.does(plan, kind)
    net.store.run(tasks.done, net.family, net.tasks(plan)["family_ready"].id)
    for kind in ("meeting", "look_back"):
        net.store.run(tasks.done, net.desk, net.tasks(plan)[kind].id)
        net.passes(SECOND)
    net.store.run(closing.helped, net.family, plan, True)
    return plan


def test_a_part_that_is_still_under_way_is_not_begun_a_second_time(net: Parts) -> None:
    """What need not be done may outlive the plan; whoever does it goes on, and nobody else is asked."""
    plan = _over_but_for_what_need_not_be_done(net)
    care, work = net.tasks(plan)["care"].child_id, net.tasks(plan)["work"].child_id
    assert (net.kind_of(plan, "care"), net.kind_of(plan, "work")) == ("open", "open"), "they go on"
    net.does(plan, "work")
    assert net.kind_of(plan, "work") == "done"
    net.store.run(closing.reopen, net.family, plan)
    net.passes(timedelta(minutes=6))
    again = net.tasks(plan)
    assert (again["care"].child_id, again["care"].state) == (care, "open")
    assert (again["work"].child_id, again["work"].state) == (work, "done"), "it was done meanwhile"
    assert net.store.run(lambda tx: tx.count(Referral, parent_id=plan, task="care")) == 1


def test_of_a_yes_that_ends_when_its_plan_is_over_the_part_tells_its_person(net: Parts) -> None:
    """While the plan goes on, the plan says it, and once; afterwards nobody else would."""
    running = net.plan("release-plan")
    net.taken(running, "roof")

    def end(matter: str) -> list[str]:
        given = net.store.run(lambda tx: tx.find(Consent, referral_id=matter))
        net.clock.now = max(net.clock.now, given[0].until)
        net.said()
        net.store.run(ending.consent_over, given[0].id)
        return [text for person, text in net.said() if person == net.family]

    plan = _over_but_for_what_need_not_be_done(net)
    assert end(net.part(plan, "care").id) == ["matter.consent_over"]
    assert end(net.part(running, "roof").id) == []
    assert end(running) == ["matter.consent_over"]


def test_a_part_that_its_person_opens_again_is_a_part_of_the_plan_again(net: Parts) -> None:
    plan = net.plan("custody-programme")
    net.takes(plan, "clearance")
    net.does(plan, "clearance")
    net.takes(plan, "delivery")
    part = net.part(plan, "delivery")
    net.does(plan, "delivery", "unmet")
    assert net.referral(plan).stage is Stage.REPORTED
    net.store.run(closing.reopen, net.family, part.id)
    assert net.referral(plan).stage is Stage.REPORTED


def test_of_a_plan_that_goes_on_what_was_given_up_with_a_part_comes_back_with_it(net: Parts) -> None:
    plan = net.plan("release-plan")
    net.taken(plan, "papers", *PARTNERS)
    side = net.part(plan, "letting_go")
    net.does(plan, "letting_go", "unmet")
    assert (net.kind_of(plan, "letting_go"), net.kind_of(plan, "handover")) == ("dropped", "dropped")
    net.store.run(closing.reopen, net.family, side.id)
    net.passes(timedelta(minutes=6))
    assert net.part(plan, "letting_go").id == side.id
    assert (net.kind_of(plan, "letting_go"), net.kind_of(plan, "handover")) == ("open", "waiting")


def test_a_day_that_moved_gives_those_without_time_another_turn(net: Parts) -> None:
    plan = net.plan("release-plan")
    net.store.run(plan_days.move_day, net.family, plan, (net.clock.now + 40 * DAY).date())
    no_time = _declines(net, plan, "papers", "cannot_in_time")
    never = _declines(net, plan, "papers", "not_our_service")
    net.takes(plan, "papers")
    helped = net.part(plan, "papers")
    net.does(plan, "papers")
    net.store.run(plan_days.move_day, net.family, plan, (net.clock.now + 80 * DAY).date())
    net.store.run(plan_days.stands, *net.holds(plan, "papers"), net.tasks(plan)["papers"].id, yes=False)
    net.passes(SECOND)
    assert net.part(plan, "papers").id != helped.id
    earlier = net.store.run(PAGES["matter"].view, net.family, helped.id, {})
    assert "reopen" not in {step.id for step in earlier.steps}, "it goes on as another matter"
    with pytest.raises(WrongStage):
        net.store.run(closing.reopen, net.family, helped.id)
    part = net.part(plan, "papers")
    assert part.plan[: part.position].count(never) == 1
    assert _asked(net, plan, "papers") == [no_time]


def test_a_new_yes_to_the_whole_names_nobody_who_said_no_to_a_part(net: Parts) -> None:
    plan = net.plan("release-plan")
    no = _declines(net, plan, "papers", "not_our_service")
    whole = net.tasks(plan)["papers"].plan
    assert no in whole
    from referrals import routing
    from referrals.model import Urgency
    from referrals.service.common import doors
    from referrals.service.request import plans

    wishes = plans.Wishes("pattani-mueang", Urgency.URGENT, routing.Exclusions())
    made = net.store.run(lambda tx: plans.make(tx, doors.referral_by_id(tx, plan), wishes))
    assert no not in {line.service_id for line in made.lines if line.task == "papers"}


def test_where_all_of_it_is_done_the_desk_says_which_part_is_done_again(net: Parts) -> None:
    """Without that the person would be asked at once, a second time, whether somebody had helped."""
    plan = net.plan("release-plan")
    net.takes(plan, "papers")
    net.does(plan, "papers")
    _everything_else(net, plan, work="unmet")  # what need not be done keeps no plan going
    net.store.run(closing.helped, net.family, plan, False)
    page = net.store.run(PAGES["matter"].view, net.desk, plan, {})
    (step,) = (step for step in page.steps if step.id == "rematch")
    assert "roof" in {choice.id for choice in step.choices}
    assert "resume" not in {step.id for step in page.steps}, "it has no partner of its own"
    for part in ("", "nonsense"):
        with pytest.raises(BadAnswer):
            net.store.run(desk.rematch, net.desk, plan, part)
    before = net.part(plan, "roof").id
    net.said()
    net.store.run(PAGES["matter"].steps["rematch"], net.desk, plan, {"reason": "roof"})
    net.passes(SECOND)
    assert net.referral(plan).stage is Stage.IN_SERVICE
    assert net.part(plan, "roof").id != before
    assert {kind for kind, task in net.tasks(plan).items() if task.state == "open"} == {"roof", "work"}
    assert "matter.plan_over" not in {text for _, text in net.said()}
    net.takes(plan, "roof")
    net.does(plan, "roof")
    assert net.referral(plan).stage is Stage.REPORTED
    assert (net.family, "matter.plan_over") in net.said()


def test_a_plan_that_is_opened_again_with_nothing_left_to_do_is_looked_at_by_the_desk(net: Parts) -> None:
    plan = net.plan("release-plan")
    net.takes(plan, "papers")
    net.does(plan, "papers")
    _everything_else(net, plan)
    net.store.run(closing.helped, net.family, plan, True)
    net.store.run(closing.reopen, net.family, plan, "came_back")
    net.passes(SECOND)
    assert net.referral(plan).stage is Stage.UNMATCHED
    assert (net.desk, "desk.unmatched") in net.said()
    page = net.store.run(PAGES["matter"].view, net.desk, plan, {})
    assert {"rematch", "give_up"} <= {step.id for step in page.steps}
    assert "ask_person" not in {step.id for step in page.steps}
    net.store.run(desk.rematch, net.desk, plan, "papers")
    net.passes(SECOND)
    assert net.live_offer(net.part(plan, "papers").id)


def _asks(net: Parts, matter: str) -> list[str]:
    page = net.store.run(PAGES["matter"].view, net.family, matter, {})
    return [section.title_key for section in page.sections if section.title_key.startswith("ask.")]


def test_how_it_was_is_asked_of_the_whole_once_and_of_no_part(net: Parts) -> None:
    plan = net.plan("custody-programme")
    for kind in ("clearance", "delivery", "evaluation"):
        net.takes(plan, kind)
        net.does(plan, kind)
        assert _asks(net, net.part(plan, kind).id) == []
    net.store.run(closing.helped, net.family, plan, True)
    assert _asks(net, plan) == ["ask.treated_well", "ask.own_choice"]
    part, said = net.part(plan, "delivery").id, {"question": "own_choice", "reason": "yes"}
    with pytest.raises(WrongStage):
        net.store.run(PAGES["matter"].steps["afterwards"], net.family, part, said)
    net.store.run(PAGES["matter"].steps["afterwards"], net.family, plan, said)
    assert _asks(net, plan) == ["ask.treated_well"]
    net.passes(40 * DAY)
    (fact,) = net.store.run(lambda tx: tx.find(ClosingAnswer))
    assert (fact.pathway, fact.question, fact.answer) == ("custody-programme", "own_choice", "yes")
    assert fact.organization_id == "", "several helped: it is nobody's in particular"


def test_a_plan_in_which_nobody_helped_is_asked_nothing(net: Parts) -> None:
    plan = net.plan("custody-programme")
    _declines(net, plan, "clearance", "not_our_service")
    net.store.run(closing.give_up, net.desk, net.part(plan, "clearance").id, "no_place")
    net.passes(SECOND)
    assert net.referral(plan).stage is Stage.REPORTED
    net.store.run(closing.helped, net.family, plan, True)
    assert _asks(net, plan) == []


@pytest.mark.parametrize("both", [True, False])
def test_whoever_takes_over_a_side_of_the_handover_has_not_spoken_with_the_other_yet(
    net: Parts, both: bool
) -> None:
    plan = net.plan("release-plan")
    net.taken(plan, "letting_go", "taking_over")
    handover = net.tasks(plan)["handover"].id
    for side in ("taking_over", "letting_go") if both else ("taking_over",):
        net.store.run(tasks.spoken, *net.holds(plan, side), handover)
    assert net.kind_of(plan, "handover") == ("done" if both else "open")
    net.store.run(working.give_back, *net.holds(plan, "taking_over"))
    net.passes(SECOND)
    net.takes(plan, "taking_over")
    again = net.tasks(plan)["handover"]
    assert (again.state, again.spoken) == ("open", ("letting_go",) if both else ())
    page = net.store.run(PAGES["matter"].view, *net.holds(plan, "taking_over"), {})
    assert "task_spoken" in {step.id for section in page.sections for step in section.steps}
    for side in ("taking_over", "letting_go"):
        net.store.run(tasks.spoken, *net.holds(plan, side), handover)
    assert net.kind_of(plan, "handover") == "done"


def test_what_cannot_be_done_any_more_while_somebody_is_at_it_reaches_the_desk(net: Parts) -> None:
    """Clearance is gone after all: whoever is to deliver goes on planning, and nobody would tell them."""
    plan = net.plan("custody-programme")
    net.takes(plan, "clearance")
    net.does(plan, "clearance")
    net.takes(plan, "delivery")
    net.store.run(plan_days.move_day, net.family, plan, (net.clock.now + 40 * DAY).date())
    net.store.run(plan_days.move_day, net.family, plan, (net.clock.now + 60 * DAY).date())
    clearance = net.tasks(plan)["clearance"].id
    net.store.run(plan_days.stands, *net.holds(plan, "clearance"), clearance, yes=False)
    net.passes(SECOND)
    _declines(net, plan, "clearance", "cannot_in_time")
    net.said()
    net.store.run(closing.give_up, net.desk, net.part(plan, "clearance").id, "too_late")
    net.passes(SECOND)
    assert net.kind_of(plan, "delivery") == "dropped"
    delivery = net.part(plan, "delivery")
    assert delivery.escalated
    assert (net.desk, "desk.plan_went_wrong") in net.said()
