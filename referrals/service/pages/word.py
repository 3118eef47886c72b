"""Page 'word': whoever brings the code of a yes by word takes it back, for themselves or somebody else."""

from __future__ import annotations

from referrals.access import Action
from referrals.member_views import WordView
from referrals.ports import Tx
from referrals.service.by_word import word_consent
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import Step

_TAKE_BACK = Step("take_back", "page.step.take_back", needs="code", danger=True)


def word_view(tx: Tx, person_id: str, subject: str, body: Body) -> WordView:
    """A field for the code."""
    return WordView("", (_TAKE_BACK,))


def take_back(tx: Tx, person_id: str, subject: str, body: Body) -> WordView:
    """The page has asked 'really?' before; a code that does nothing gets the same words, whatever it is."""
    done = word_consent.withdraw_by_code(tx, person_id, text_of(body, "code"))
    return WordView("page.word.done" if done else "page.word.unknown", (_TAKE_BACK,))


WORD = Page(
    Verb(Action.CONSENT_CUT, word_view),
    {"take_back": Verb(Action.CONSENT_CUT, take_back)},
)
