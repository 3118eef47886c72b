"""Page 'plan': a family chooses, reads the plan, says yes, and the request is filed."""

from __future__ import annotations

from referrals.access import Action
from referrals.model import Stage
from referrals.ports import Tx
from referrals.service import doors, filing, plans
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import FiledView, PlanView


def plan_view(tx: Tx, person_id: str, subject: str, body: Body) -> PlanView | FiledView:
    """Page 'plan': a draft (or an unmatched matter) can be planned; what is filed shows its receipt."""
    referral = doors.own_referral(tx, doors.as_author(person_id), subject, Action.REFERRAL_FILE)
    if referral.stage not in (Stage.DRAFT, Stage.UNMATCHED):
        return filing.receipt(tx, referral)
    wishes = plans.read_wishes(tx, body) if body else None
    return plans.plan_view(tx, person_id, subject, wishes)


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
        ),
    )


PLAN = Page(
    Verb(Action.REFERRAL_FILE, plan_view),
    {
        "preview": Verb(Action.REFERRAL_FILE, plan_view),
        "file": Verb(Action.REFERRAL_FILE, plan_file),
    },
)
