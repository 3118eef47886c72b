"""Page 'circle': one side of a circle for itself, or whoever leads it; page 'invited': the other is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from referrals.access import Action
from referrals.casework import CircleState
from referrals.model import AgeGroup, Offer, Referral
from referrals.ports import Tx
from referrals.service.common import doors, names
from referrals.service.joint import circle_invitations, circles
from referrals.service.matter import circle_sides
from referrals.service.pages import circle_part
from referrals.service.pages.page import Body, Page, PageVerb, Verb, text_of
from referrals.views import Choice, Said, Section, SectionsView, Step

TITLE = "part.circle.page"


def circle_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """As a side (by its matter) or as the organisation that prepares it (by its offer). NotFound else."""
    if tx.get(Offer, subject) is None:
        actor, referral = doors.author_of(tx, person_id, subject, Action.CIRCLE_SAY)
        return SectionsView(TITLE, tuple(circle_part.sections(tx, actor, referral)))
    actor, _, referral = doors.served_referral(tx, person_id, subject, Action.CIRCLE_LEAD)
    shown = tuple(circle_part.sections(tx, actor, referral))
    return SectionsView(TITLE, (*shown, *_inviting(tx, referral, person_id, subject)))


def _inviting(tx: Tx, referral: Referral, person_id: str, offer_id: str) -> Iterator[Section]:
    """Where the first side has said yes to it and nobody else is there yet."""
    if circle_sides.side_of(tx, referral) is None:
        return
    _, _, side, circle = circles.led(tx, person_id, offer_id, bound=False)
    alone = len(circle_sides.of_circle(tx, circle.id)) == 1
    if circle.state is CircleState.ONE_SIDE and side.first_yes_at is not None and alone:
        step = Step("circle_invite", "page.step.circle_invite")
        yield Section("part.circle.invite", (Said("part.circle.how_to_invite"),), (step,))


def _invite(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """The link, shown this once."""
    payload = circle_invitations.make(tx, person_id, subject)
    return replace(
        circle_view(tx, person_id, subject, {}), lines=(Said("part.circle.link", {"payload": payload}),)
    )


def _again(do: PageVerb) -> PageVerb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
        do(tx, person_id, subject, body)
        return circle_view(tx, person_id, subject, {})

    return step


CIRCLE = Page(
    Verb(Action.HOME, circle_view),
    {
        **{name: Verb(verb.action, _again(verb.do)) for name, verb in circle_part.STEPS.items()},
        "circle_invite": Verb(Action.CIRCLE_LEAD, _invite),
    },
)


# -- the other side is asked --------------------------------------------------------------------------


def invited_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """What it would be, and who would prepare it. Who wishes it is not said."""
    _, circle = circle_invitations.of(tx, person_id, subject)
    language = doors.person_by_id(tx, person_id).language
    organization = tx.directory.organizations.get(circle.organization_id)
    name = names.named(organization.names, language) if organization else ""
    lines = (Said("part.circle.invited", {"organization": name}), Said("part.circle.no_harm"))
    steps = [_yes_step(tx, person_id), Step("invited_no", "page.step.invited_no")]
    own = tuple(Choice(e.id, label=e.code) for e in circle_invitations.members_of(tx, person_id))
    if own:
        steps.insert(1, Step("invited_for", "page.step.invited_for", needs="reason", choices=own))
    return SectionsView("part.circle.invited_title", (Section("part.circle.what", lines, tuple(steps)),))


def _yes_step(tx: Tx, person_id: str) -> Step:
    """Whoever has not said how old they are, says it with the yes."""
    if doors.person_by_id(tx, person_id).age_group is not None:
        return Step("invited_yes", "page.step.invited_yes", needs="yes")
    ages = tuple(Choice(age, label_key=f"form.age_group.{age}") for age in AgeGroup)
    return Step("invited_yes", "page.step.invited_yes", needs="reason", choices=ages)


def _said(key: str) -> SectionsView:
    return SectionsView("part.circle.invited_title", (), (Said(key),))


def _yes(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    circle_invitations.accept(tx, person_id, subject, text_of(body, "reason"))
    return _said("part.circle.in_chat")


def _for_member(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    circle_invitations.accept_for(tx, person_id, subject, text_of(body, "reason"))
    return _said("part.circle.in_chat")


def _no(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    circle_invitations.decline(tx, person_id, subject)
    return _said("part.circle.said_no")


INVITED = Page(
    Verb(Action.CIRCLE_SAY, invited_view),
    {
        "invited_yes": Verb(Action.CIRCLE_SAY, _yes),
        "invited_for": Verb(Action.CIRCLE_SAY, _for_member),
        "invited_no": Verb(Action.CIRCLE_SAY, _no),
    },
)
