"""Page 'agreements': what each organisation has agreed to, and until when. For stewards."""

from __future__ import annotations

from referrals.access import Action
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.lasting import agreements
from referrals.service.pages.page import Body, Page, Verb
from referrals.views import Said, Section, SectionsView

_LINES = ("organization", "purposes", "pathways", "classes", "from", "until", "review")


def agreements_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """Those first that end first."""
    found = agreements.all_of(tx, person_id)
    language = doors.person_by_id(tx, person_id).language
    sections = []
    for agreement in found:
        said = agreements.said(tx, agreement, language)
        lines = [Said(f"part.agreement.{name}", {name: said[name]}) for name in _LINES]
        sections.append(Section(f"part.agreement.{agreements.state(tx, agreement)}", tuple(lines)))
    return SectionsView("part.agreement.title", tuple(sections))


AGREEMENTS = Page(Verb(Action.AGREEMENT_SEE, agreements_view))
