"""What stands in an export: a person's own settings, membership and matters (docs/export-format.md).

Never another person: no worker, no member whom a mentor accompanies, no matter that somebody serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from referrals.access import Action
from referrals.casework import Appointment, Attempt, Task
from referrals.members import CheckIn, Enrolment, Meeting, WordReceipt
from referrals.model import Actor, Consent, DataClass, Offer, Referral, Role, ThreadEntry, Tracking
from referrals.persons import Device, Person, Recovery
from referrals.ports import Tx
from referrals.service.alarm import alarm_numbers, safety_lists
from referrals.service.attendance import attendance_ends
from referrals.service.common import complaints, doors, names
from referrals.service.contact import own_checkins
from referrals.service.matter import circle_sides, matching
from referrals.service.members import linking
from referrals.service.people import readers
from referrals.service.programme import courses, meetings

FORMAT = "pulang-export-1"
Json = dict[str, Any]


def about(tx: Tx, person: Person) -> Json:
    """Everything but the matters."""
    seats = doors.seats_of(tx, person.id)
    return {
        "format": FORMAT,
        "made_at": tx.now,
        "settings": _settings(person),
        "devices": [
            {"state": d.state.value, "since": d.since, "last_seen": d.last_seen_at}
            for d in tx.find(Device, person_id=person.id)
        ],
        "recovery_code": tx.get(Recovery, person.id) is not None,
        "posts": [
            {"role": s.role.value, "organization": _name(tx, s.organization_id, person)} for s in seats
        ],
        "membership": [_membership(tx, person, e) for e in linking.tied_to(tx, person.id)],
        "own_check_ins": own_checkins.said_by(tx, person.id),
        "to_be_called": alarm_numbers.own(tx, person.id),
        "acts": _acts(tx, person, seats),
        "matters": [],
    }


def _settings(person: Person) -> Json:
    return {
        "language": person.language,
        "timezone": person.timezone,
        "window": person.window.value,
        "reminders": person.reminders,
        "quiet_hours": f"{person.quiet_from:%H:%M}–{person.quiet_to:%H:%M}" if person.quiet_from else "",
        "reminder_days": [("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day] for day in person.days],
        "presence": person.presence.value,
        "age_group": person.age_group.value if person.age_group else None,
        "first_seen": person.created_at,
        "last_seen": person.last_seen_at,
        "kept_until": person.retain_until,
    }


def _membership(tx: Tx, person: Person, enrolment: Enrolment) -> Json:
    """One programme that somebody is in: where they stand, and what they came to."""
    return {
        "code": enrolment.code,
        "programme": enrolment.programme,
        "phase": enrolment.phase,
        "since": enrolment.phase_since,
        "milestones": list(enrolment.milestones),
        "state": enrolment.state.value,
        "courses": [
            {"course": u.item, "step": u.step, "state": u.state.value, "since": u.since}
            for u in courses.of(tx, enrolment.id)
        ],
        "evenings": [day.isoformat() for day in meetings.came_to(tx, enrolment.id, date.min)],
        "confirmations": [
            {**sent, "organization": _name(tx, str(sent["organization"]), person)}
            for sent in attendance_ends.taken_home(tx, person.id, enrolment)
        ],
        **safety_lists.taken_home(tx, person.id, enrolment, person.language),
    }


def _acts(tx: Tx, person: Person, seats: list[Any]) -> list[Json]:
    """What a mentor or worker did, by day: no member's code, no matter of somebody else."""
    made = [c for c in tx.find(CheckIn, saved_by=person.id) if c.kind not in own_checkins.ABOUT_ONESELF]
    acts = [{"what": "check_in", "at": c.saved_at} for c in made]
    acts += [{"what": "meeting", "at": m.kept_at} for m in tx.find(Meeting, kept_by=person.id)]
    heard = {r.consent_id: r.made_at for r in tx.find(WordReceipt, witness_id=person.id)}
    acts += [{"what": "yes_heard", "at": at} for at in heard.values()]
    for organization_id in {s.organization_id for s in seats if s.role is Role.WORKER}:
        offers = tx.find(Offer, organization_id=organization_id, decided_by=person.id)
        acts += [{"what": "decision", "at": o.decided_at} for o in offers]
    return sorted(acts, key=lambda act: str(act["at"]))


def matter(tx: Tx, person_id: str, referral_id: str) -> Json:
    """One matter: where it stands, and every word of theirs and of its partners."""
    referral = doors.own_referral(tx, doors.as_author(person_id), referral_id, Action.REFERRAL_READ)
    person, actor = doors.person_by_id(tx, person_id), doors.as_author(person_id)
    return {
        "code": referral.code,
        "pathway": referral.pathway,
        "category": referral.category,
        "urgency": referral.urgency.value,
        "area": names.place(tx.directory, referral.area, person.language),
        "age_group": referral.age_group.value,
        "stage": referral.stage.value,
        "filed_at": referral.created_at,
        "since": referral.stage_since,
        "kept_until": referral.retain_until,
        "helper": _name(tx, referral.organization_id, person),
        "outcome": referral.outcome.value if referral.outcome else None,
        "outcome_reason": referral.outcome_reason,
        "confirmed": referral.confirmed,
        "not_over": referral.why,
        "words": _opened(tx, actor, referral),
        "messages": _messages(tx, actor, referral, person),
        "for_somebody": [_for_somebody(referral)] if referral.behalf else [],
        "consents": [_consent(tx, actor, c) for c in tx.find(Consent, referral_id=referral.id)],
        **_on_the_way(tx, referral),
        "circle": circle_sides.taken_home(tx, referral),
        "parts": _parts(tx, referral),
        "about": _about_whom(tx, referral, person),
        "tracking_code_made_at": [t.made_at for t in tx.find(Tracking, referral_id=referral.id)],
        "readers": [
            {"organization": r.organization, "role": r.role_key.partition(".")[2], "at": r.at}
            for r in readers.of(tx, actor, referral, person.language)
        ],
    }


def _on_the_way(tx: Tx, referral: Referral) -> Json:
    """Tries to reach them, set times, and what partners asked: codes and moments."""
    asked = [o for o in tx.find(Offer, referral_id=referral.id) if o.question]
    return {
        "tries": [{"tried": a.how, "at": a.at} for a in tx.find(Attempt, referral_id=referral.id)],
        "appointments": [
            {"appointment": a.state.value, "at": a.at} for a in tx.find(Appointment, referral_id=referral.id)
        ],
        "asked": [
            {"question": o.question, "answer": f"{o.question}.{o.answer}" if o.answer else ""} for o in asked
        ],
    }


def _parts(tx: Tx, referral: Referral) -> list[Json]:
    """Of a plan of several parts: each, and how far it is; what a partner did is a matter of its own."""
    standing = {task.kind: task for task in tx.find(Task, referral_id=referral.id)}
    pathway = tx.catalogue.pathways.get(referral.pathway)
    known = [standing[kind.id] for kind in (pathway.tasks if pathway else ()) if kind.id in standing]
    return [{"part": task.kind, "state": task.state.value, "since": task.since} for task in known]


def _about_whom(tx: Tx, referral: Referral, person: Person) -> list[Json]:
    """Whom a complaint was said to be about: codes, and organisations by name."""
    about = complaints.standing(tx, referral) if complaints.hidden(tx, referral) else complaints.NOBODY_NAMED
    whom: list[Json] = [{"whom": each} for each in complaints.WHOM if each in about.whom]
    return whom + [{"organization": _name(tx, each, person)} for each in sorted(about.organizations)]


def _opened(tx: Tx, actor: Actor, referral: Referral) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for data_class in DataClass:
        if tx.sealed_exists(referral.record, data_class):
            found.update(tx.open_sealed(actor, referral.record, data_class))
    return {column: found[column] for column in sorted(found)}


def _messages(tx: Tx, actor: Actor, referral: Referral, person: Person) -> list[Json]:
    """Both sides of every thread of theirs: a partner is an organisation, never a worker."""
    lines: list[Json] = []
    for offer in tx.find(Offer, referral_id=referral.id):
        entries = tx.find(ThreadEntry, offer_id=offer.id)
        texts: dict[str, str] = {}
        for record in dict.fromkeys(e.record for e in entries):
            texts.update(tx.open_sealed(actor, record, matching.pathway_of(tx, referral).words))
        partner = _name(tx, offer.organization_id, person)
        lines += [
            {"from": _from(e, partner), "at": e.written_at, "text": texts.get(e.id, "")} for e in entries
        ]
    return sorted(lines, key=lambda line: str(line["at"]))


def _from(entry: ThreadEntry, partner: str) -> str:
    if entry.from_desk:
        return Role.COORDINATOR.value
    return partner if entry.from_partner else "me"


def _for_somebody(referral: Referral) -> Json:
    return {"why": referral.behalf, "agreed": referral.behalf_agreed, "until": referral.behalf_until}


def _consent(tx: Tx, actor: Actor, given: Consent) -> Json:
    wishes = tx.open_sealed(actor, given.record, DataClass.STORY)
    return {
        "text": given.text,
        "language": given.language,
        "given_at": given.given_at,
        "until": given.until,
        "withdrawn_at": given.withdrawn_at,
        "assent": given.assent,
        "left_out": sorted(" ".join(wishes.values()).split()),
    }


def _name(tx: Tx, organization_id: str | None, person: Person) -> str:
    found = tx.directory.organizations.get(organization_id or "")
    return names.named(found.names, person.language) if found else ""
