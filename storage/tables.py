"""Every table. A dataclass of the domain with an `id` has a table with its fields as columns.

What the domain does not name (outbox, keys, audit …) is written out below. Both databases have the same
tables; `storage/migrations` holds them as explicit steps, and a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from referrals import casework, directory, members, model, persons, ports, said
from storage.codec import columns_of

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

TABLE_OF: dict[type[Any], Table] = {}

# BIGINT would not be SQLite's rowid, and only the rowid counts up by itself there.
_COUNTED = BigInteger().with_variant(Integer(), "sqlite")


def _table(kind: type[Any], name: str, *extra: Index, of: dict[str, str] | None = None) -> Table:
    """The table of a dataclass. `of`: column to '<table>.<column>' that it must point to."""
    columns: list[Column[Any]] = []
    for c in columns_of(kind):
        points = [ForeignKey(of[c.name])] if of and c.name in of else []
        columns.append(Column(c.name, c.type, *points, primary_key=c.name == "id", nullable=c.optional))
    TABLE_OF[kind] = table = Table(name, metadata, *columns, *extra)
    return table


# People, and what they may do.
_table(persons.Person, "person", Index(None, "retain_until"))
_table(
    persons.Seat,
    "seat",
    Index(None, "person_id"),
    Index(None, "role", "organization_id"),
    Index(None, "organization_id", "role"),
)
_table(
    persons.Invitation,
    "invitation",
    Index(None, "seat_id"),
    Index(None, "expires_at"),
    of={"seat_id": "seat.id"},
)
_table(
    persons.Device,
    "device",
    Index(None, "person_id"),
    Index(None, "last_seen_at"),
    of={"person_id": "person.id"},
)
_table(persons.Recovery, "recovery")
_table(persons.Screen, "screen", Index(None, "person_id"), Index(None, "until"))
_table(persons.Session, "session", Index(None, "person_id"), Index(None, "expires_at"))
_table(persons.Tally, "tally", Index(None, "expires_at"))
_table(persons.Switch, "switch")
_table(persons.Download, "download", Index(None, "expires_at"), Index(None, "person_id"))
_table(persons.Conversation, "conversation", Index(None, "person_id"), Index(None, "expires_at"))
_table(persons.Scrap, "scrap", Index(None, "person_id"), Index(None, "received_at"))

# Referrals.
_table(
    model.Referral,
    "referral",
    Index(None, "code", unique=True),
    Index(None, "author_id"),
    Index(None, "enrolment_id"),
    Index(None, "referrer_id"),
    Index(None, "parent_id"),
    Index(None, "onward_from"),
    Index(None, "asked_with"),
    Index(None, "desk_id"),
    Index(None, "stage", "stage_since"),
    Index(None, "organization_id", "stage"),
    Index(None, "retain_until"),
)
_table(
    model.Offer,
    "offer",
    Index(None, "referral_id"),
    Index(None, "organization_id", "stage"),
    Index(None, "organization_id", "sent_at"),
    Index(None, "stage"),
    Index(None, "code"),
    of={"referral_id": "referral.id"},
)
_table(model.Consent, "consent", Index(None, "referral_id"), of={"referral_id": "referral.id"})
_table(
    model.ThreadEntry,
    "thread_entry",
    Index(None, "offer_id", "written_at"),
    Index(None, "referral_id", "written_at"),
    of={"offer_id": "offer.id"},
)
_table(model.Tracking, "tracking", Index(None, "referral_id"), of={"referral_id": "referral.id"})
_table(model.Move, "move", Index(None, "from_person"), Index(None, "to_person"))

# What a matter brings with it.
_REFERRAL = {"referral_id": "referral.id"}
_table(casework.Attempt, "attempt", Index(None, "referral_id"), of=_REFERRAL)
_table(casework.Appointment, "appointment", Index(None, "referral_id"), of=_REFERRAL)
_table(casework.Task, "task", Index(None, "referral_id"), Index(None, "child_id"), of=_REFERRAL)
_table(casework.Circle, "circle", Index(None, "organization_id"))
_table(casework.CircleSide, "circle_side", Index(None, "circle_id"), of={"circle_id": "circle.id"})
_table(
    casework.CircleInvitation,
    "circle_invitation",
    Index(None, "circle_id"),
    Index(None, "token"),
    Index(None, "expires_at"),
    of={"circle_id": "circle.id"},
)
_table(
    casework.Confirmation,
    "confirmation",
    Index(None, "organization_id"),
    Index(None, "enrolment_id"),
    Index(None, "asked_by"),
    Index(None, "answer_at"),
    of={"organization_id": "organization.id"},
)
_table(casework.DeskNote, "desk_note", Index(None, "referral_id"), of=_REFERRAL)
_table(casework.UnmetNeed, "unmet_need", Index(None, "month", "category"))
_table(casework.DeskShare, "desk_share", Index(None, "referral_id"), of=_REFERRAL)
_table(casework.Transfer, "transfer", Index(None, "referral_id"), of=_REFERRAL)
_table(casework.ClosingAnswer, "closing_answer", Index(None, "month", "pathway"))

# Programmes, members, and the contact with them.
_table(
    members.Enrolment,
    "enrolment",
    Index(None, "code", unique=True),
    Index(None, "mentor_seat"),
    Index(None, "backup_seat"),
    Index(None, "stand_in_seat"),
    Index(None, "person_id"),
    Index(None, "programme", "programme_version"),
)
_table(
    members.CheckIn,
    "check_in",
    Index(None, "enrolment_id", "due_at"),
    Index(None, "asked_of"),
    Index(None, "saved_by"),
    Index(None, "offer_id"),
    Index(None, "seat_id"),
    Index(None, "due_at"),
    of={"enrolment_id": "enrolment.id", "offer_id": "offer.id"},
)
_table(members.Meeting, "meeting", Index(None, "programme", "day"), Index(None, "kept_at"))
_table(
    members.Attendance,
    "attendance",
    Index(None, "meeting_id"),
    Index(None, "enrolment_id"),
    of={"meeting_id": "meeting.id", "enrolment_id": "enrolment.id"},
)
_table(
    members.Undertaking,
    "undertaking",
    Index(None, "enrolment_id"),
    Index(None, "item", "state"),
    Index(None, "since"),
    of={"enrolment_id": "enrolment.id"},
)
_table(members.KeptProgramme, "kept_programme")
_table(
    members.Crisis,
    "crisis",
    Index(None, "enrolment_id"),
    Index(None, "check_in_id"),
    Index(None, "raised_at"),
    of={"enrolment_id": "enrolment.id"},
)
_table(members.SafetyPlan, "safety_plan")
_table(
    members.SafetyShare,
    "safety_share",
    Index(None, "crisis_id"),
    Index(None, "enrolment_id"),
    Index(None, "organization_id"),
    Index(None, "asked_at"),
    of={"crisis_id": "crisis.id", "enrolment_id": "enrolment.id"},
)
_table(
    members.WordReceipt,
    "word_receipt",
    Index(None, "referral_id"),
    Index(None, "consent_id"),
    of={"referral_id": "referral.id"},
)
_table(
    members.Linking,
    "linking",
    Index(None, "enrolment_id"),
    Index(None, "expires_at"),
    of={"enrolment_id": "enrolment.id"},
)
_table(
    members.HandOver,
    "hand_over",
    Index(None, "enrolment_id"),
    Index(None, "to_seat"),
    Index(None, "asked_at"),
    of={"enrolment_id": "enrolment.id"},
)

# The directory.
_table(directory.Area, "area")
_table(directory.Organization, "organization")
_table(
    directory.Service,
    "service",
    Index(None, "organization_id"),
    of={"organization_id": "organization.id"},
)
_table(
    directory.Agreement,
    "agreement",
    Index(None, "organization_id"),
    of={"organization_id": "organization.id"},
)
_table(directory.Duty, "duty", Index(None, "seat_id"))
_table(directory.DutySwap, "duty_swap")
_table(directory.Poster, "poster")
_table(persons.MentorProfile, "mentor_profile")

DIRECTORY_KINDS: tuple[type[Any], ...] = (
    directory.Area,
    directory.Organization,
    directory.Service,
    directory.Agreement,
    directory.Duty,
    directory.Poster,
)

# What waits, what is said, and what stands in the chats.
_table(said.Timer, "timer", Index(None, "due_at", "id"), Index(None, "subject"))
message = _table(
    ports.Message,
    "message",
    Index(None, "person_id", "message_id", unique=True),
    Index(None, "person_id", "slot"),
    Index(None, "delete_at"),
)

_WAITING = text("state = 'waiting'")
_CLAIMED = text("claimed")
_MERGED = text("state = 'merged'")
_EXPIRES = text("state = 'waiting' AND expires_at IS NOT NULL")

outbox = Table(
    "outbox",
    metadata,
    Column("id", _COUNTED, primary_key=True, autoincrement=True),
    Column("person_id", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column(
        "state", Text, nullable=False
    ),  # waiting | sent | vanished | superseded | merged | expired | dead | gone
    Column("due_at", BigInteger, nullable=False),  # while claimed: when the lease ends
    Column("claimed", Boolean, nullable=False),
    Column("retrying", Boolean, nullable=False),  # holds back what the same person is told after it
    Column("attempts", Integer, nullable=False),
    Column("queued_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    Column("text", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("buttons", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("fresh", Boolean, nullable=False),
    Column("quiet", Boolean, nullable=False),
    Column("message_id", BigInteger),  # asked for by the notice
    Column("target", BigInteger),  # what the claim decided to edit or delete
    Column("dedupe", Text),
    Column("expires_at", BigInteger),  # not sent from then on
    Column("merge", Text, nullable=False),  # what several such become
    Column("gist", Text),  # its one line there, a button
    Column("merged_into", BigInteger),  # the row whose message has its line
    Column("code", Text),  # why Telegram refused it
    Index("ix_outbox_due", "rank", "due_at", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_outbox_next", "due_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_outbox_person", "person_id", "rank", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    # The database itself keeps 'at most one in flight for one person', whatever two senders try at once.
    Index("uq_outbox_claimed", "person_id", unique=True, sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
    Index("ix_outbox_claimed", "due_at", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
    Index("uq_outbox_dedupe", "dedupe", unique=True),
    Index("ix_outbox_merged", "person_id", sqlite_where=_MERGED, postgresql_where=_MERGED),
    Index("ix_outbox_expires", "expires_at", sqlite_where=_EXPIRES, postgresql_where=_EXPIRES),
    Index("ix_outbox_settled_at", "settled_at"),
)

# Who may send now: one sender by lease, another takes over when it has run out (`name` 'outbox').
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)

# Dedupe keys. 'update:<number>' grows with time, so that inserts stay at one end of the tree.
seen = Table(
    "seen",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Index(None, "at"),
    sqlite_with_rowid=False,
)

# The network-wide index of accounts: HMAC only. The account itself is sealed under Record('person', id).
account = Table(
    "account",
    metadata,
    Column("person_id", Text, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("lookup", Text, nullable=False, unique=True),
)

# Sealing. Wraps are small and stand alone, because erasure rewrites the whole table.
key_encryption_key = Table(
    "key_encryption_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("data_class", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),  # active | retiring | retired | destroyed
    Column("created_at", BigInteger, nullable=False),
    Column("retiring_at", BigInteger),
    Column("retired_at", BigInteger),
    Column("destroyed_at", BigInteger),
    Column("wrapped", LargeBinary),  # by the root key; NULL once destroyed
    UniqueConstraint("holder", "data_class", "version"),
    # The database itself keeps 'one active key of a holder and class', whatever two turns try at once.
    Index(
        "uq_key_active",
        "holder",
        "data_class",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
)

wrap = Table(
    "wrap",
    metadata,
    Column("record_table", Text, nullable=False),
    Column("record_row", Text, nullable=False),
    Column("data_class", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("kek_id", Text, ForeignKey("key_encryption_key.id"), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    PrimaryKeyConstraint("record_table", "record_row", "data_class", "holder"),
    Index(None, "kek_id"),
)

sealed = Table(
    "sealed",
    metadata,
    Column("record_table", Text, nullable=False),
    Column("record_row", Text, nullable=False),
    Column("data_class", Text, nullable=False),
    Column("column_name", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),  # 12 bytes of nonce, then AES-256-GCM
    PrimaryKeyConstraint("record_table", "record_row", "data_class", "column_name"),
)

# The audit: append-only by triggers (see the first migration), chained in lanes.
audit = Table(
    "audit",
    metadata,
    Column("lane", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("organization_id", Text),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("lane", "sequence"),
    Index(None, "subject"),
)

audit_lane = Table(
    "audit_lane",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
_table(model.Checkpoint, "checkpoint")

# What was taken back for good lately, so that a restored backup does not bring it back (storage/erasures.py).
_UNWRITTEN = text("NOT written")
erasure = Table(
    "erasure",
    metadata,
    Column("id", _COUNTED, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),  # random: a restored database counts anew
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # ports.Taken
    Column("record_table", Text, nullable=False),
    Column("record_row", Text, nullable=False),
    Column("data_class", Text, nullable=False),  # '' means every class
    Column("holder", Text, nullable=False),  # whose wrap, or a row's new state
    Column("written", Boolean, nullable=False),  # whether it stands in the ledger outside the database too
    Index(None, "at"),
    Index("ix_erasure_unwritten", "id", sqlite_where=_UNWRITTEN, postgresql_where=_UNWRITTEN),
)

# network_id, key_check, demo, lasting (the secret that outlives a root key, sealed by it), scrubbed (when),
# directory (a token that is new after each change of the directory).
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
