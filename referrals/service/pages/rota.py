"""Page 'rota': who is on call, the turns of the next two weeks; one is swapped with a colleague, or given."""

from __future__ import annotations

from collections.abc import Iterator

from referrals import schedule
from referrals.access import Action
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.rota import Turn
from referrals.service.common import doors, names
from referrals.service.desk import rota, swaps
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import Choice, Said, Section, SectionsView, Step, Way

GAPS = 8  # stretches that nobody covers
ASK, GIVE, YES, NO, BACK = "swap_ask", "turn_give", "swap_yes", "swap_no", "swap_back"


def rota_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """What waits for an answer first; then one's own turns, each of which can be exchanged."""
    swaps.own_posts(tx, person_id)
    shown = (now(tx, person_id), *_asked(tx, person_id), *_own(tx, person_id), *_theirs(tx, person_id))
    return SectionsView("part.rota.title", shown)


def now(tx: Tx, person_id: str, ways: tuple[Way, ...] = ()) -> Section:
    """Who is on call now and whose turn is next, by their posts; and the week's hours that nobody covers."""
    lines = [_named("part.desk.on_call", seat, person_id) for seat in rota.on_call(tx)]
    lines = lines or [Said("part.desk.nobody_on_call")]
    lines += [_named("part.desk.next_up", seat, person_id) for seat in rota.next_up(tx)]
    for start, end in rota.open_hours(tx)[:GAPS]:
        hours = str(max(1, round((end - start).total_seconds() / 3600)))
        lines.append(Said("part.desk.uncovered", {"hours": hours}, start))
    return Section("part.desk.rota", tuple(lines), ways=ways)


def _named(key: str, seat: Seat, person_id: str) -> Said:
    """A post is called by its name in the network's file; who fills it is not said."""
    return Said(f"{key}_you") if seat.person_id == person_id else Said(key, {"post": seat.id})


def _asked(tx: Tx, person_id: str) -> Iterator[Section]:
    """What a colleague asks of this reader, and what the reader has asked for."""
    mine = swaps.own_posts(tx, person_id)
    for swap in swaps.of_person(tx, person_id):
        both = swaps.turns_of(tx, swap)
        if both is None:
            continue
        asker = swap.seat_id in mine
        said = ("give", "take") if asker else ("take", "give")
        whens = (_when(tx, turn, person_id) for turn in both)
        lines = [
            Said(f"part.rota.you_{does}", {"turn": when}) for does, when in zip(said, whens, strict=False)
        ]
        if asker:
            lines.append(Said("part.rota.of_whom", {"post": swap.for_seat_id}))
        what = "swap" if swap.for_duty_id else "turn"
        answers = (Step(YES, f"page.step.{what}_yes"), Step(NO, f"page.step.{what}_no"))
        steps = (Step(BACK, "page.step.swap_back"),) if asker else answers
        yield Section(
            f"part.rota.{_TITLES[asker, bool(swap.for_duty_id)]}", tuple(lines), steps, {"swap": swap.id}
        )


# Whether this reader has asked, and whether a turn is asked for it.
_TITLES = {
    (True, True): "you_asked",
    (True, False): "you_asked_give",
    (False, True): "asks_you",
    (False, False): "asks_you_take",
}


def _own(tx: Tx, person_id: str) -> Iterator[Section]:
    """One's own turns, each behind its day; those that are free with what can be done with them."""
    mine, there, free = swaps.own_posts(tx, person_id), swaps.others(tx, person_id), swaps.free(tx)
    turns = tuple(_choice(tx, turn, person_id) for turn in free if turn.seat_id in there)
    can = [Step(ASK, "page.step.swap_ask", "reason", turns)] if turns else []
    if there:
        can.append(
            Step(GIVE, "page.step.turn_give", "reason", tuple(Choice(s, label=s) for s in sorted(there)))
        )
    open_ones = {turn.key for turn in free}
    own = [turn for turn in swaps.coming(tx) if turn.seat_id in mine]
    if own:
        yield Section("part.rota.yours", (Said("part.rota.how" if can else "part.rota.nobody_to_ask"),))
    for turn in own:
        lines = () if turn.key in open_ones else (Said("part.rota.spoken_of"),)
        steps = tuple(can) if turn.key in open_ones else ()
        day = _when(tx, turn, person_id)
        body = {"turn": swaps.written(turn)}
        yield Section("part.rota.turn", lines, steps, body, folded=bool(lines or steps), name=day)


def _theirs(tx: Tx, person_id: str) -> Iterator[Section]:
    mine = swaps.own_posts(tx, person_id)
    lines = [
        Said("part.rota.their_turn", {"turn": _when(tx, turn, person_id), "post": turn.seat_id})
        for turn in swaps.coming(tx)
        if turn.seat_id not in mine
    ]
    if lines:
        yield Section("part.rota.theirs", tuple(lines), folded=True)


def _choice(tx: Tx, turn: Turn, person_id: str) -> Choice:
    return Choice(swaps.written(turn), label=f"{_when(tx, turn, person_id)} · {turn.seat_id}")


def _when(tx: Tx, turn: Turn, person_id: str) -> str:
    """A turn in the reader's own words and clock: the day, from when until when."""
    person = doors.person_by_id(tx, person_id)
    starts, ends = (schedule.local(at, person.timezone) for at in (turn.starts, turn.ends))
    say = tx.catalogue.words
    day = names.day_in_words(tx.catalogue, starts.date(), person.language)
    weekday = say(f"date.weekday.{starts.weekday()}", person.language)
    return say(
        "part.rota.when",
        person.language,
        weekday=weekday,
        day=day,
        starts=f"{starts:%H:%M}",
        ends="24:00" if f"{ends:%H:%M}" == "00:00" else f"{ends:%H:%M}",
    )


def _ask(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    swaps.ask(tx, person_id, text_of(body, "turn"), text_of(body, "reason"))
    return rota_view(tx, person_id, "", {})


def _give(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    swaps.give(tx, person_id, text_of(body, "turn"), text_of(body, "reason"))
    return rota_view(tx, person_id, "", {})


def _answer(yes: bool) -> Verb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
        swaps.answer(tx, person_id, text_of(body, "swap"), yes)
        return rota_view(tx, person_id, "", {})

    return Verb(Action.ROTA_SWAP, step)


def _back(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    swaps.take_back(tx, person_id, text_of(body, "swap"))
    return rota_view(tx, person_id, "", {})


ROTA = Page(
    Verb(Action.DESK_LIST, rota_view),
    {
        ASK: Verb(Action.ROTA_SWAP, _ask),
        GIVE: Verb(Action.ROTA_SWAP, _give),
        YES: _answer(True),
        NO: _answer(False),
        BACK: Verb(Action.ROTA_SWAP, _back),
    },
)
