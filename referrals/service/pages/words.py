"""Page 'words': a mentor reads the exact words out to a member, and writes down what they say.

`subject` is a matter that waits for the yes, or a member (their enrolment) for whom one is begun here: a chat
could not name it. Nothing here needs a PIN: it writes; what was written before is read elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.member_views import WordsView
from referrals.members import Enrolment
from referrals.model import AgeGroup, Referral, Stage
from referrals.ports import Tx
from referrals.service.by_word import word_consent
from referrals.service.common import doors
from referrals.service.members import enrolments
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.request import filing, needs, plans, safe_times
from referrals.views import Choice, FiledView, Step

_CODE = Step("code", "page.step.another_code", needs="yes")


def words_view(tx: Tx, person_id: str, subject: str, body: Body) -> WordsView:
    """What can be chosen, the plan, and the words; once there is a yes, what was agreed to."""
    if tx.get(Enrolment, subject) is not None:
        _, enrolment = enrolments.active(tx, person_id, subject)
        return WordsView(enrolment.code, to_choose=_needs(tx))
    _, enrolment, referral = word_consent.to_hear(tx, person_id, subject)
    if filing.awaits_yes(referral) is None:
        return _given(tx, enrolment, referral)
    language = doors.person_by_id(tx, person_id).language
    wishes = plans.read_wishes(tx, body) if body else None
    standing = wishes or plans.standing_wishes(tx, referral)
    wished = standing.applied(referral)
    shown = plans.view(tx, referral, wishes, language, wished.language)
    left_out = word_consent.left_out(tx, referral, standing)
    return WordsView(
        enrolment.code,
        plan=shown,
        languages=_languages(tx, wished),
        ages=_ages(wished),
        left_out=word_consent.names_of(tx, left_out, language),
        refused_key=_refused(tx, person_id, left_out, nobody=shown.nobody),
        phone=enrolment.person_id is not None and referral.stage is Stage.AWAITING_CONSENT,
    )


def choose(tx: Tx, person_id: str, subject: str, body: Body) -> WordsView:
    """A need is chosen for a member: from here on it waits for their yes."""
    actor, enrolment = enrolments.active(tx, person_id, subject)
    category = text_of(body, "category")
    referral, _ = needs.file(tx, actor, enrolment, category)
    return replace(words_view(tx, person_id, referral.id, {}), go_on=f"words/{referral.id}")


def heard_yes(tx: Tx, person_id: str, subject: str, body: Body) -> WordsView:
    """They said yes to the words that were read out: the code is shown this once."""
    written = filing.Filing(
        wishes=plans.read_wishes(tx, body),
        consent_digest=text_of(body, "consent_digest"),
        story=text_of(body, "story"),
        contact=text_of(body, "contact"),
        times=safe_times.chosen(tx, person_id, body),
        home=text_of(body, "home"),
    )
    heard = word_consent.Heard(written, body.get("read_out") is True, body.get("said_yes") is True)
    _, code = word_consent.give(tx, person_id, subject, heard)
    return replace(words_view(tx, person_id, subject, {}), receipt=code)


def heard_no(tx: Tx, person_id: str, subject: str, body: Body) -> FiledView:
    """They said no."""
    referral = word_consent.said_no(tx, person_id, subject)
    return FiledView(referral.code, "page.words.said_no", None, "", filed=False)


def another(tx: Tx, person_id: str, subject: str, body: Body) -> WordsView:
    """One more code for the same yes."""
    code = word_consent.another_code(tx, person_id, subject)
    return replace(words_view(tx, person_id, subject, {}), receipt=code)


def _given(tx: Tx, enrolment: Enrolment, referral: Referral) -> WordsView:
    given = doors.consent_in_force(tx, referral)
    return WordsView(
        enrolment.code,
        stage_key=f"stage.{referral.stage}",
        consent_text=given.text if given else "",
        steps=(_CODE,) if given and given.witness_id else (),
    )


def _refused(tx: Tx, person_id: str, left_out: tuple[str, ...], *, nobody: bool) -> str:
    if left_out and nobody:
        return word_consent.NoNeutralPartner.code
    return word_consent.refused(tx, person_id)


def _needs(tx: Tx) -> tuple[Choice, ...]:
    return tuple(Choice(c, label_key=f"category.{c}") for c in needs.categories(tx))


def _languages(tx: Tx, wished: Referral) -> tuple[Choice, ...]:
    spoken = tx.catalogue.languages.values()
    return tuple(Choice(la.id, label=la.name, chosen=la.id == wished.language) for la in spoken)


def _ages(wished: Referral) -> tuple[Choice, ...]:
    return tuple(Choice(a, label_key=f"form.age_group.{a}", chosen=a is wished.age_group) for a in AgeGroup)


WORDS = Page(
    Verb(Action.CONSENT_WORD, words_view),
    {
        "choose": Verb(Action.REFERRAL_FILE, choose),
        "preview": Verb(Action.CONSENT_WORD, words_view),
        "yes": Verb(Action.CONSENT_WORD, heard_yes),
        "no": Verb(Action.CONSENT_WORD, heard_no),
        "code": Verb(Action.CONSENT_WORD, another),
    },
)
