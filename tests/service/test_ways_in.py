"""Ways to what one has to do: the words ANSWER and CASES, a list of plans, row after row of a queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from referrals.errors import NotFound
from referrals.model import Referral, Stage
from referrals.ports import Tx
from referrals.service import pages
from referrals.service.help import appointments, working
from referrals.service.joint import tasks
from referrals.service.pages import stretches
from referrals.service.request import plans
from referrals.service.turns import offers, questions
from tests.service.test_desk import Desk
from tests.support.chats import LONGEST_SCREEN, Chats
from tests.support.network import CATALOGUE
from tests.support.parts import Parts


@pytest.fixture
def small(sqlite_url: str) -> Iterator[Desk]:
    with Desk.opened(sqlite_url) as net:
        yield net.people()


@pytest.fixture
def parts(sqlite_url: str) -> Iterator[Parts]:
    with Parts.opened(sqlite_url) as net:
        net.settle_in()
        yield net


@pytest.mark.parametrize("language", ["en", "th"])
def test_whatever_a_partner_asks_is_answered_by_a_word(small: Desk, language: str) -> None:
    """The message is long gone from the chat; the word brings the question back, one after the other."""
    chats = Chats(small)
    mali = chats.phone(1, language=language, by_text=True)
    answer, none = ("answer", "Nothing waits") if language == "en" else ("ตอบ", "ไม่มีอะไรรอ")
    assert none in mali.says(answer)
    first = small.offered(1)
    offer = small.live_offer(first)
    assert offer is not None
    small.store.run(offers.see, small.bua, offer.id)
    small.store.run(questions.ask, small.bua, offer.id, _question(small, first))
    second = small.offered(1)
    helping = small.live_offer(second)
    assert helping is not None
    small.store.run(offers.accept, helping.told[0], helping.id)
    small.store.run(working.contacted, helping.told[0], helping.id)
    soon = small.clock() + timedelta(days=2)
    small.store.run(appointments.make, helping.told[0], helping.id, soon)
    codes = [small.referral(each).code for each in (first, second)]
    mali = chats.phone(1, language=language, by_text=True)
    assert codes[0] in mali.says(answer)
    more = CATALOGUE.words("button.more", language)
    assert codes[1] in mali.answers(more)
    mali.answers(CATALOGUE.words("button.can_come", language))
    assert codes[0] in mali.says(answer)
    mali.answers(CATALOGUE.words("button.show", language))
    assert all(len(shown.text.encode()) <= LONGEST_SCREEN for shown in mali.heard)


def test_a_worker_finds_every_case_and_what_can_be_said_of_it(small: Desk) -> None:
    chats = Chats(small)
    bua = chats.phone(11, "bua-1", by_text=True)
    assert "No request lies with you" in bua.says("cases")
    held, asked = small.offered(1), small.offered(2)
    offer = small.live_offer(held)
    assert offer is not None
    small.store.run(offers.accept, small.bua, offer.id)
    bua.says("CASES")
    assert any("Requests: 2" in said for said in bua.said)
    bua.answers(offer.code)
    assert "We are in touch" in bua.newest.text
    bua.answers("We are in touch")
    bua.says("cases")
    bua.answers(offer.code)
    assert "how did it end" in bua.answers("It has ended").lower()
    waiting = small.live_offer(asked)
    assert waiting is not None
    bua.says("cases")
    bua.answers(waiting.code)
    assert "Accept" in bua.answers("Show")
    assert all(len(shown.text.encode()) <= LONGEST_SCREEN for shown in bua.heard)
    # Nobody else's word finds it, and a forged press no more.
    nobody = chats.phone(3, by_text=True)
    nobody.says("cases")
    assert offer.code not in nobody.newest.text


def test_a_list_of_plans_leads_to_each(parts: Parts) -> None:
    plan = parts.plan("release-plan")
    view = pages.PAGES["tasks"].view
    found = parts.store.run(view, parts.family, "", {})
    (row,) = (line for section in found.sections for line in section.matters)
    assert row.page == f"tasks/{plan}"
    assert parts.store.run(view, parts.family, plan, {}).sections
    stranger = parts.store.run(view, parts.person(77), "", {})
    assert not stranger.sections
    assert stranger.lines


def test_a_part_of_ones_own_is_named_by_a_word_and_a_plan_stands_for_all_of_it(parts: Parts) -> None:
    plan = parts.referral(parts.plan("release-plan"))
    phone = Chats(parts).phone(11, by_text=True)
    assert plan.code in phone.says("answer")
    assert phone.says("status").count("(next step by") <= 1
    assert plan.code in phone.newest.text
    parts.store.run(tasks.done, parts.family, parts.tasks(plan.id)["family_ready"].id)
    assert "Nothing waits" in phone.says("answer")


def test_staff_of_a_body_find_the_page_in_their_chat(small: Desk) -> None:
    chats = Chats(small)
    staff, other = chats.phone(31, "border-corrections-1"), chats.phone(11, "bua-1")
    for phone, has in ((staff, True), (other, False)):
        phone.says("/help")
        assert ("page:tasks" in str(phone.newest.buttons) or "/p/tasks" in str(phone.newest.buttons)) is has


def test_a_plan_of_parts_says_which_partner_is_for_which(parts: Parts) -> None:
    plan = parts.plan("release-plan")
    lines = parts.store.run(_plan_lines, plan)
    assert {"task.papers", "task.roof"} <= {line.task_key for line in lines}
    assert all(line.task_key for line in lines)


def test_a_queue_alone_goes_on_behind_its_thirtieth_row(small: Desk) -> None:
    one = small.stuck(1)
    small.store.run(_copies, one, 2 * stretches.ROWS + 4)
    seen: list[str] = []
    page, counts, back = "desk/unmatched", [], ""
    while page:
        shown = small.page(small.dao, "desk", page.partition("/")[2])
        section = next(s for s in shown.sections if s.title_key == "part.desk.unmatched")
        back = next((way.page for way in section.ways if way.label_key == "part.rows.before"), "")
        seen += [line.id for line in section.matters]
        counts += [line.params for line in section.lines if line.key == "part.rows.shown"]
        page = next((way.page for way in section.ways if way.label_key == "part.rows.after"), "")
    assert len(seen) == len(set(seen)) == 65
    assert [(c["first"], c["last"]) for c in counts] == [("1", "30"), ("31", "60"), ("61", "65")]
    assert back == "desk/unmatched-2"
    for wrong in ("unmatched-0", "unmatched-x", "unmatched-1-2", "nothing-2", "-2", "unmatched-²"):
        with pytest.raises(NotFound):
            small.page(small.dao, "desk", wrong)
    assert small.page(small.dao, "desk", "unmatched-9").sections  # shorter by now: empty, and no error
    # A worker's heap goes on in the same way.
    assert small.page(small.bua, "work", "running-2").sections
    with pytest.raises(NotFound):
        small.page(small.bua, "work", "running-0")


def _question(net: Desk, referral_id: str) -> str:
    def first(tx: Tx) -> str:
        found = tx.get(Referral, referral_id)
        assert found is not None
        return questions.questions_of(tx, found)[0].id

    return net.store.run(first)


def _plan_lines(tx: Tx, plan_id: str) -> Any:
    found = tx.get(Referral, plan_id)
    assert found is not None
    return plans.view(tx, found, None, "en", "en").plan


def _copies(tx: Tx, referral_id: str, count: int) -> None:
    one = tx.get(Referral, referral_id)
    assert one is not None
    assert one.stage is Stage.UNMATCHED
    for n in range(count):
        tx.add(replace(one, id=f"copy-{n:012}", code=f"C{n:03}", version=1))


def test_whoever_is_asked_reads_that_a_word_of_theirs_is_waited_for(small: Desk) -> None:
    found = small.offered(1)
    offer = small.live_offer(found)
    assert offer is not None
    author = small.referral(found).author_id
    view = pages.PAGES["matter"].view
    assert small.store.run(view, author, found, {}).next_key == "next.offered"
    small.store.run(offers.see, small.bua, offer.id)
    small.store.run(questions.ask, small.bua, offer.id, _question(small, found))
    assert small.store.run(view, author, found, {}).next_key == "next.your_word"


def test_a_plan_of_parts_has_no_helper_of_its_own(parts: Parts) -> None:
    plan = parts.plan("release-plan")
    view = pages.PAGES["matter"].view
    assert parts.store.run(view, parts.family, plan, {}).next_key == "next.plan"
    assert parts.store.run(view, parts.desk, plan, {}).next_key == "next.desk.plan"
