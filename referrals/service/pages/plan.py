"""Page 'plan': a person chooses, reads the plan, says yes, and the request is filed."""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.model import Stage
from referrals.ports import Tx
from referrals.service import doors, filing, needs, plans, safe_times
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import FiledView, PlanView


def plan_view(tx: Tx, person_id: str, subject: str, body: Body) -> PlanView | FiledView:
    """Page 'plan': what awaits a yes can be planned; what is filed shows its receipt.

    What a mentor wrote for a member is shown to that member alone, and can be answered with a no.
    """
    referral = doors.to_plan(tx, person_id, subject)
    if filing.awaits_yes(referral) is None:
        return filing.receipt(tx, referral)
    wishes = plans.read_wishes(tx, body) if body else None
    shown = plans.plan_view(tx, person_id, subject, wishes)
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


PLAN = Page(
    Verb(Action.REFERRAL_FILE, plan_view),
    {
        "preview": Verb(Action.REFERRAL_FILE, plan_view),
        "file": Verb(Action.REFERRAL_FILE, plan_file),
        "no": Verb(Action.REFERRAL_WITHDRAW, plan_no),
    },
)
