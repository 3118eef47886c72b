"""Page 'choose': what no chat may name. Once chosen, the chat goes on, and says nothing of it."""

from __future__ import annotations

from referrals.access import Action
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.people import choosing
from referrals.views import Choice, FiledView, Said, Section, SectionsView, Step

TITLE = "page.choose.title"


def choose_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """Every pathway that this person may ask along and that a chat does not name."""
    found = choosing.private(tx, doors.person_by_id(tx, person_id))
    offered = tuple(Choice(pathway, label_key=f"pathway.{pathway}") for pathway in found)
    pick = Step("choose", "page.step.choose", needs="reason", choices=offered)
    return SectionsView(TITLE, (Section("part.choose.what", (Said("part.choose.quiet"),), (pick,)),))


def chosen(tx: Tx, person_id: str, subject: str, body: Body) -> FiledView:
    """It goes on in the chat."""
    choosing.choose(tx, person_id, text_of(body, "reason"))
    return FiledView("", "page.choose.go_on", None, "", filed=False)


CHOOSE = Page(Verb(Action.REFERRAL_FILE, choose_view), {"choose": Verb(Action.REFERRAL_FILE, chosen)})
