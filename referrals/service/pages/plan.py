"""Page 'plan': a person chooses, reads the plan, says yes, and the request is filed."""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.model import Stage
from referrals.ports import Tx
from referrals.service import doors, filing, needs, plans, safe_times, same_need
from referrals.service.pages import same_part
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import FiledView, PlanView, SectionsView


def plan_view(tx: Tx, person_id: str, subject: str, body: Body) -> PlanView | FiledView | SectionsView:
    """Page 'plan': what awaits a yes can be planned; what is filed shows its receipt.

    What a mentor wrote for a member is shown to that member alone, and can be answered with a no. Where the
    same need is open already, that is said first; where it is chosen on this page, beside the plan.
    """
    referral = doors.to_plan(tx, person_id, subject)
    if filing.awaits_yes(referral) is None:
        return filing.receipt(tx, referral)
    wishes = plans.read_wishes(tx, body) if body else None
    same = same_need.standing(tx, wishes.applied(referral) if wishes else referral)
    if same is not None and wishes is None:
        return same_part.question(same)
    shown = plans.plan_view(tx, person_id, subject, wishes)
    if same is not None:
        shown = replace(shown, same_since=same.created_at)
    asked = referral.stage is Stage.AWAITING_CONSENT
    return replace(shown, no="page.plan.no") if asked else shown


def plan_file(tx: Tx, person_id: str, subject: str, body: Body) -> FiledView:
    """The yes: files the request. Nothing is filed when the plan is no longer the one that was read."""
    return filing.file_request(
        tx,
        person_id,
        subject,
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


def plan_no(tx: Tx, person_id: str, subject: str, body: Body) -> FiledView:
    """The member's own no to what a mentor wrote for them."""
    referral = needs.refuse(tx, person_id, subject)
    return FiledView(referral.code, "page.said_no", None, "", filed=False)


def plan_anew(tx: Tx, person_id: str, subject: str, body: Body) -> PlanView | FiledView | SectionsView:
    """The same need is open already, and this is asked anew all the same."""
    same_need.anew(tx, person_id, subject)
    return plan_view(tx, person_id, subject, {})


def plan_add(tx: Tx, person_id: str, subject: str, body: Body) -> FiledView:
    """The same need is open already: the words go there."""
    referral = same_need.add_instead(tx, person_id, subject, text_of(body, "text"))
    return FiledView(referral.code, "page.added_there", None, "", filed=False)


PLAN = Page(
    Verb(Action.REFERRAL_FILE, plan_view),
    {
        "preview": Verb(Action.REFERRAL_FILE, plan_view),
        "file": Verb(Action.REFERRAL_FILE, plan_file),
        "no": Verb(Action.REFERRAL_WITHDRAW, plan_no),
        "anew": Verb(Action.REFERRAL_FILE, plan_anew),
        "add_there": Verb(Action.MATTER_ADD, plan_add),
    },
)
