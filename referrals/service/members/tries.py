"""How often in a row nobody was reached. It follows from answers, so it is sealed: only the process counts.

`unreached` are the ids of those check-ins, the oldest first. The last contact that ended a row keeps it as
`before`, led by its own id: where that contact is taken back, the row stands again.
"""

from __future__ import annotations

from referrals.members import CheckIn
from referrals.model import NETWORK, SYSTEM, DataClass, Record
from referrals.ports import Tx

ROW, BEFORE = "unreached", "before"


def of(tx: Tx, enrolment_id: str) -> tuple[str, ...]:
    """The ids of the latest check-ins in a row that said 'could not reach', the oldest first."""
    ids = _opened(tx, enrolment_id).get(ROW, "").split()
    still = {c.id for c in tx.find(CheckIn, id=ids) if c.saved_at is not None}  # some were taken back
    return tuple(check_in_id for check_in_id in ids if check_in_id in still)


def keep(tx: Tx, enrolment_id: str, check_in_id: str, reached: bool) -> tuple[int, int]:
    """One contact more, or one that says something else now; how many tries in a row before it, and now.

    Whoever was reached ends the row up to that contact; tries that came after it stay.
    """
    row = of(tx, enrolment_id)
    if not reached:
        if check_in_id in row:
            return len(row), len(row)
        _write(tx, enrolment_id, ROW, (*row, check_in_id))
        return len(row), len(row) + 1
    stays = row[row.index(check_in_id) + 1 :] if check_in_id in row else ()
    if stays != row:
        _write(tx, enrolment_id, BEFORE, (check_in_id, *row))
        _write(tx, enrolment_id, ROW, stays)
    return len(row), len(stays)


def taken_back(tx: Tx, enrolment_id: str, check_in_id: str) -> None:
    """That contact was none: it counts no more, and the row that it had ended stands again."""
    opened = _opened(tx, enrolment_id)
    ended_by, *ended = opened.get(BEFORE, "").split() or [""]
    row = opened.get(ROW, "").split()
    if ended_by == check_in_id:
        _write(tx, enrolment_id, BEFORE, ())
        _write(tx, enrolment_id, ROW, tuple(ended))
    elif check_in_id in row:
        _write(tx, enrolment_id, ROW, tuple(each for each in row if each != check_in_id))


def forget(tx: Tx, enrolment_id: str) -> None:
    """The enrolment's end: what this module keeps of it is destroyed."""
    tx.destroy(_record(enrolment_id))


def _opened(tx: Tx, enrolment_id: str) -> dict[str, str]:
    record = _record(enrolment_id)
    if not tx.sealed_exists(record, DataClass.WELLBEING):
        return {}
    return dict(tx.open_sealed(SYSTEM, record, DataClass.WELLBEING))


def _write(tx: Tx, enrolment_id: str, column: str, ids: tuple[str, ...]) -> None:
    tx.seal(_record(enrolment_id), DataClass.WELLBEING, column, " ".join(ids), [NETWORK])


def _record(enrolment_id: str) -> Record:
    return Record("enrolment", enrolment_id)
