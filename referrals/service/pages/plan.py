"""Page 'plan': a person chooses, reads the plan, says yes, and the request is filed."""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.model import Stage
from referrals.persons import Person
from referrals.ports import Tx
from referrals.service.common import doors, emergency
from referrals.service.pages import for_me_part, same_part, several_part
from referrals.service.pages.page import Body, Page, Verb, chosen_of, text_of
from referrals.service.request import behalf, filing, needs, plans, safe_times, same_need, several
from referrals.views import FiledView, PlanView, SectionsView


def plan_view(tx: Tx, person_id: str, subject: str, body: Body) -> PlanView | FiledView | SectionsView:
    """Page 'plan': what awaits a yes can be planned; what is filed shows its receipt.

    What a mentor wrote for a member is shown to that member alone, and can be answered with a no. Where the
    same need is open already, that is said first; where it is chosen on this page, beside the plan. What was
    agreed to on a member's behalf they can say no to.
    """
    for_them = behalf.for_them(tx, person_id, subject)
    if for_them is not None:
        return for_me_part.view(tx, person_id, for_them)
    asked_for = doors.to_plan(tx, person_id, subject)
    referral = several.turn(tx, asked_for)
    if filing.awaits_yes(referral) is None:
        return several_part.receipt(tx, filing.receipt(tx, referral), referral)
    wishes = plans.read_wishes(tx, body) if body else None
    same = same_need.standing(tx, wishes.applied(referral) if wishes else referral)
    if same is not None and wishes is None:
        language = doors.person_by_id(tx, person_id).language
        return replace(same_part.question(same), emergency_lines=emergency.lines(tx, same.area, language))
    shown = replace(plans.plan_view(tx, person_id, referral.id, wishes), draft=referral.id)
    if referral.id != subject:
        shown = replace(shown, before=asked_for.code)
    if same is not None:
        shown = replace(shown, same_since=same.created_at)
    asked = referral.stage is Stage.AWAITING_CONSENT
    return replace(shown, no="page.plan.no") if asked else shown


def plan_file(tx: Tx, person_id: str, subject: str, body: Body) -> PlanView | FiledView | SectionsView:
    """The yes: files the request. Nothing is filed when the plan is no longer the one that was read.

    Where a visit has several requests, a yes is for the one that it names; pressed twice it files no other.
    What was filed for the same need since this page was opened is asked about first.
    """
    turn = several.turn(tx, doors.to_plan(tx, person_id, subject))
    tx.get(Person, person_id, lock=True)  # two pages at once come one after the other
    if turn.id == (text_of(body, "draft") or subject) and same_need.standing(tx, turn) is None:
        _file(tx, person_id, turn.id, body)
    return plan_view(tx, person_id, subject, {})


def _file(tx: Tx, person_id: str, referral_id: str, body: Body) -> None:
    filing.file_request(
        tx,
        person_id,
        referral_id,
        filing.Filing(
            wishes=plans.read_wishes(tx, body),
            consent_digest=text_of(body, "consent_digest"),
            story=text_of(body, "story"),
            contact=text_of(body, "contact"),
            times=safe_times.chosen(tx, person_id, body),
            assent=text_of(body, "assent"),
            home=text_of(body, "home"),
        ),
    )


def plan_no(tx: Tx, person_id: str, subject: str, body: Body) -> FiledView | SectionsView:
    """The member's own no to what a mentor wrote for them, or has agreed to on their behalf."""
    if behalf.for_them(tx, person_id, subject) is not None:
        return for_me_part.view(tx, person_id, behalf.own_no(tx, person_id, subject))
    referral = needs.refuse(tx, person_id, subject)
    return FiledView(referral.code, "page.said_no", None, "", filed=False)


def plan_anew(tx: Tx, person_id: str, subject: str, body: Body) -> PlanView | FiledView | SectionsView:
    """The same need is open already, and this is asked anew all the same."""
    same_need.anew(tx, person_id, _turn(tx, person_id, subject))
    return plan_view(tx, person_id, subject, {})


def plan_add(tx: Tx, person_id: str, subject: str, body: Body) -> PlanView | FiledView | SectionsView:
    """The same need is open already: the words go there."""
    turn = _turn(tx, person_id, subject)
    referral = same_need.add_instead(tx, person_id, turn, text_of(body, "text"))
    if turn != subject:  # others of the same visit wait for their yes
        return plan_view(tx, person_id, subject, {})
    return FiledView(referral.code, "page.added_there", None, "", filed=False)


def plan_also(tx: Tx, person_id: str, subject: str, body: Body) -> PlanView | FiledView | SectionsView:
    """Something else is needed too: its plan comes next."""
    several.also(tx, person_id, subject, chosen_of(body))
    return plan_view(tx, person_id, subject, {})


def _turn(tx: Tx, person_id: str, subject: str) -> str:
    return several.turn(tx, doors.to_plan(tx, person_id, subject)).id


PLAN = Page(
    Verb(Action.REFERRAL_FILE, plan_view),
    {
        "preview": Verb(Action.REFERRAL_FILE, plan_view),
        "file": Verb(Action.REFERRAL_FILE, plan_file),
        "no": Verb(Action.REFERRAL_WITHDRAW, plan_no),
        "also": Verb(Action.REFERRAL_FILE, plan_also),
        "anew": Verb(Action.REFERRAL_FILE, plan_anew),
        "add_there": Verb(Action.MATTER_ADD, plan_add),
    },
)
