"""From a poster's link to a filed request: at most ten taps, and a chat that never says what it is about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from referrals.catalogue import Handling
from referrals.model import Referral, Role, Stage
from referrals.service.pages import PAGES
from tests.support.chats import Chats, Phone
from tests.support.network import CATALOGUE, NETWORK, Small

LINK, PAGE, NEED, PLACE, YES = 1, 1, 1, 2, 1  # choosing from a list is two taps (docs/field-guide.md)
POSTERS = [poster for poster in NETWORK.posters if not poster.language]
PRIVATE = {p.id: p for p in CATALOGUE.pathways.values() if not p.in_chat}
TOLD = {
    CATALOGUE.words(key, "en").casefold()
    for pathway in PRIVATE.values()
    for key in (f"pathway.{pathway.id}", *(f"category.{c}" for c in pathway.needs))
}


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chats]:
    with Small.opened(f"sqlite:///{tmp_path_factory.mktemp('posters') / 'pulang.db'}") as net:
        yield Chats(net)


@pytest.mark.parametrize("number", range(len(POSTERS)), ids=[poster.pathway for poster in POSTERS])
def test_ten_taps_from_a_poster_to_a_filed_request(chats: Chats, number: int) -> None:
    poster = POSTERS[number]
    pathway = CATALOGUE.pathways[poster.pathway]
    phone = chats.phone(6000 + number, language="")
    phone.says(f"/start {poster.id}")
    taps = LINK
    for label in ("English", "All right", "25 to 59", "Yes, any time"):
        phone.presses(label)
        taps += 1
    if pathway.in_chat:
        phone.presses("Visits and what they cost")
        taps += 1
    (draft,) = chats.small.store.run(lambda tx: tx.find(Referral, author_id=phone.person_id))
    assert any(d.startswith("page:") and f"plan/{draft.id}" in d for d in phone.newest.buttons.values())

    chosen = {"area": "pattani-mueang"}
    if not pathway.in_chat and pathway.handling is Handling.OFFER:
        chosen["category"] = pathway.needs[0]
        taps += NEED
    page = PAGES["plan"].steps
    shown = chats.small.store.run(page["preview"], phone.person_id, draft.id, chosen)
    assert shown.parted == (pathway.handling is Handling.TASKS)  # 'we stop at the first' is not true of parts
    agreed = {**chosen, "consent_digest": shown.consent_digest}
    chats.small.store.run(page["file"], phone.person_id, draft.id, agreed)
    taps += PAGE + PLACE + YES
    assert chats.small.referral(draft.id).stage is not Stage.DRAFT
    assert taps <= 10
    chats.deliver()
    if not pathway.in_chat:
        _says_nothing(phone)


def test_every_pathway_that_a_stranger_may_file_has_a_poster() -> None:
    filed_by_strangers = {p.id for p in CATALOGUE.pathways.values() if Role.FAMILY in p.may_file}
    assert {poster.pathway for poster in NETWORK.posters} == filed_by_strangers
    words = {part for name in filed_by_strangers for part in name.split("-")}
    assert not [poster.id for poster in NETWORK.posters if poster.id in words]  # a link's word tells nothing


def test_what_no_chat_names_is_chosen_on_a_page_and_goes_on_in_the_chat(chats: Chats) -> None:
    phone = chats.phone(6100)
    phone.says("/start")
    assert "Something else" in phone.newest.buttons
    page = PAGES["choose"]
    offered = chats.small.store.run(page.view, phone.person_id, "", {}).sections[0].steps[0].choices
    assert {choice.id for choice in offered} == {
        p for p, found in PRIVATE.items() if "family" in found.may_file
    }
    chats.small.store.run(page.steps["choose"], phone.person_id, "", {"reason": "complaint"})
    chats.deliver()
    phone.presses("Go on")
    phone.presses("All right")
    _says_nothing(phone)


def _says_nothing(phone: Phone) -> None:
    heard = "\n".join([*phone.said, *(label for shown in phone.heard for label in shown.buttons)]).casefold()
    assert not [words for words in TOLD if words in heard]
