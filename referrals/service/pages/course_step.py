"""On a mentor's view of a member's matter about work: begin a course or grant of the member's programme."""

from __future__ import annotations

from referrals.access import Action
from referrals.errors import WrongStage
from referrals.model import Referral, Stage
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.matter import matching
from referrals.service.members import enrolments
from referrals.service.pages.page import Body, text_of
from referrals.service.programme import courses
from referrals.views import Choice, Step


def step(tx: Tx, person_id: str, referral: Referral) -> tuple[Step, ...]:
    """The step, where a course may be begun from this matter now."""
    if not _may(tx, referral):
        return ()
    _, enrolment = enrolments.mine(tx, person_id, referral.enrolment_id or "")
    offered = courses.offered(tx, enrolment)
    choices = tuple(Choice(o.course.id, label_key=f"course.{o.course.id}") for o in offered)
    return (Step("course", "page.step.course", needs="reason", choices=choices),) if choices else ()


def start(tx: Tx, person_id: str, referral_id: str, body: Body) -> None:
    """The course is begun, and known to come of this matter. WrongStage where none may be."""
    _, referral = doors.author_of(tx, person_id, referral_id, Action.REFERRAL_READ)
    if not _may(tx, referral):
        raise WrongStage
    courses.start(tx, person_id, referral.enrolment_id or "", text_of(body, "reason"), referral.id)


def _may(tx: Tx, referral: Referral) -> bool:
    in_service = referral.stage in (Stage.IN_SERVICE, Stage.REPORTED)
    return referral.by_word and in_service and matching.pathway_of(tx, referral).courses
