"""Everything from nothing. Plain types and explicit steps: a later change of the code changes no old step."""

# ruff: noqa: S608 - statements are put together from constants of this file

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - one step for each table
    # drawn from storage/tables.py: begin
    op.create_table(
        "area",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("emergency_lines", sa.Text(), nullable=False),
        sa.Column("formerly", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
    )
    op.create_table(
        "audit",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "sequence", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"], unique=False)
    op.create_table(
        "audit_lane",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_audit_lane")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("kept_by", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "circle",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circle")),
    )
    op.create_index(op.f("ix_circle_organization_id"), "circle", ["organization_id"], unique=False)
    op.create_table(
        "closing_answer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pathway", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_answer")),
    )
    op.create_index(
        op.f("ix_closing_answer_month_pathway"), "closing_answer", ["month", "pathway"], unique=False
    )
    op.create_table(
        "conversation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("form_version", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
    )
    op.create_index(op.f("ix_conversation_expires_at"), "conversation", ["expires_at"], unique=False)
    op.create_index(op.f("ix_conversation_person_id"), "conversation", ["person_id"], unique=False)
    op.create_table(
        "download",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_download")),
    )
    op.create_index(op.f("ix_download_expires_at"), "download", ["expires_at"], unique=False)
    op.create_index(op.f("ix_download_person_id"), "download", ["person_id"], unique=False)
    op.create_table(
        "duty",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("seat_id", sa.Text(), nullable=False),
        sa.Column("weekday", sa.BigInteger(), nullable=False),
        sa.Column("starts", sa.Text(), nullable=False),
        sa.Column("ends", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
    )
    op.create_index(op.f("ix_duty_seat_id"), "duty", ["seat_id"], unique=False)
    op.create_table(
        "duty_swap",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("duty_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("seat_id", sa.Text(), nullable=False),
        sa.Column("for_duty_id", sa.Text(), nullable=True),
        sa.Column("for_day", sa.Text(), nullable=True),
        sa.Column("for_seat_id", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("agreed_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_swap")),
    )
    op.create_table(
        "enrolment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("programme_version", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("phase_since", sa.BigInteger(), nullable=False),
        sa.Column("mentor_seat", sa.Text(), nullable=True),
        sa.Column("backup_seat", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("gender_wish", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("stand_in_seat", sa.Text(), nullable=True),
        sa.Column("stand_in_until", sa.BigInteger(), nullable=True),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=True),
        sa.Column("milestones", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
    )
    op.create_index(op.f("ix_enrolment_backup_seat"), "enrolment", ["backup_seat"], unique=False)
    op.create_index(op.f("ix_enrolment_code"), "enrolment", ["code"], unique=True)
    op.create_index(op.f("ix_enrolment_mentor_seat"), "enrolment", ["mentor_seat"], unique=False)
    op.create_index(op.f("ix_enrolment_person_id"), "enrolment", ["person_id"], unique=False)
    op.create_index(
        op.f("ix_enrolment_programme_programme_version"),
        "enrolment",
        ["programme", "programme_version"],
        unique=False,
    )
    op.create_index(op.f("ix_enrolment_stand_in_seat"), "enrolment", ["stand_in_seat"], unique=False)
    op.create_table(
        "erasure",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_table", sa.Text(), nullable=False),
        sa.Column("record_row", sa.Text(), nullable=False),
        sa.Column("data_class", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("written", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("name", name=op.f("uq_erasure_name")),
    )
    op.create_index(op.f("ix_erasure_at"), "erasure", ["at"], unique=False)
    op.create_index(
        "ix_erasure_unwritten",
        "erasure",
        ["id"],
        unique=False,
        sqlite_where=sa.text("NOT written"),
        postgresql_where=sa.text("NOT written"),
    )
    op.create_table(
        "kept_programme",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_programme")),
    )
    op.create_table(
        "key_encryption_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("data_class", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retiring_at", sa.BigInteger(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("destroyed_at", sa.BigInteger(), nullable=True),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_encryption_key")),
        sa.UniqueConstraint(
            "holder", "data_class", "version", name=op.f("uq_key_encryption_key_holder_data_class_version")
        ),
    )
    op.create_index(
        "uq_key_active",
        "key_encryption_key",
        ["holder", "data_class"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "meeting",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("meeting", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("kept_by", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    op.create_index(op.f("ix_meeting_kept_at"), "meeting", ["kept_at"], unique=False)
    op.create_index(op.f("ix_meeting_programme_day"), "meeting", ["programme", "day"], unique=False)
    op.create_table(
        "mentor_profile",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("areas", sa.Text(), nullable=False),
        sa.Column("gender", sa.Text(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("not_with", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentor_profile")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("from_person", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("delete_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_delete_at"), "message", ["delete_at"], unique=False)
    op.create_index(
        op.f("ix_message_person_id_message_id"), "message", ["person_id", "message_id"], unique=True
    )
    op.create_index(op.f("ix_message_person_id_slot"), "message", ["person_id", "slot"], unique=False)
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "move",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("from_person", sa.Text(), nullable=False),
        sa.Column("to_person", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("allowed_by", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_move")),
    )
    op.create_index(op.f("ix_move_from_person"), "move", ["from_person"], unique=False)
    op.create_index(op.f("ix_move_to_person"), "move", ["to_person"], unique=False)
    op.create_table(
        "organization",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("holidays", sa.Text(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("vetted_on", sa.Text(), nullable=True),
        sa.Column("witness", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed", sa.Boolean(), nullable=False),
        sa.Column("retrying", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("buttons", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.Column("quiet", sa.Boolean(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("target", sa.BigInteger(), nullable=True),
        sa.Column("dedupe", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("merge", sa.Text(), nullable=False),
        sa.Column("gist", sa.Text(), nullable=True),
        sa.Column("merged_into", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_claimed",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("claimed"),
        postgresql_where=sa.text("claimed"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["rank", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_outbox_expires",
        "outbox",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting' AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("state = 'waiting' AND expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_merged",
        "outbox",
        ["person_id"],
        unique=False,
        sqlite_where=sa.text("state = 'merged'"),
        postgresql_where=sa.text("state = 'merged'"),
    )
    op.create_index(
        "ix_outbox_next",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_outbox_person",
        "outbox",
        ["person_id", "rank", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_outbox_settled_at", "outbox", ["settled_at"], unique=False)
    op.create_index(
        "uq_outbox_claimed",
        "outbox",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("claimed"),
        postgresql_where=sa.text("claimed"),
    )
    op.create_index("uq_outbox_dedupe", "outbox", ["dedupe"], unique=True)
    op.create_table(
        "person",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("presence", sa.Text(), nullable=False),
        sa.Column("age_group", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("retain_until", sa.BigInteger(), nullable=False),
        sa.Column("quiet_from", sa.Text(), nullable=True),
        sa.Column("quiet_to", sa.Text(), nullable=True),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("reminders", sa.Boolean(), nullable=False),
        sa.Column("by_text", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_retain_until"), "person", ["retain_until"], unique=False)
    op.create_table(
        "poster",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pathway", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poster")),
    )
    op.create_table(
        "recovery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
    )
    op.create_table(
        "referral",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("pathway", sa.Text(), nullable=False),
        sa.Column("pathway_version", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("age_group", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stage_since", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hops", sa.BigInteger(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=True),
        sa.Column("organization_id", sa.Text(), nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("outcome_reason", sa.Text(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=True),
        sa.Column("retain_until", sa.BigInteger(), nullable=True),
        sa.Column("enrolment_id", sa.Text(), nullable=True),
        sa.Column("referrer_id", sa.Text(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("onward_from", sa.Text(), nullable=True),
        sa.Column("desk_id", sa.Text(), nullable=True),
        sa.Column("behalf", sa.Text(), nullable=False),
        sa.Column("behalf_agreed", sa.Text(), nullable=False),
        sa.Column("behalf_until", sa.BigInteger(), nullable=True),
        sa.Column("next_offer_id", sa.Text(), nullable=True),
        sa.Column("asked_with", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    op.create_index(op.f("ix_referral_asked_with"), "referral", ["asked_with"], unique=False)
    op.create_index(op.f("ix_referral_author_id"), "referral", ["author_id"], unique=False)
    op.create_index(op.f("ix_referral_code"), "referral", ["code"], unique=True)
    op.create_index(op.f("ix_referral_desk_id"), "referral", ["desk_id"], unique=False)
    op.create_index(op.f("ix_referral_enrolment_id"), "referral", ["enrolment_id"], unique=False)
    op.create_index(op.f("ix_referral_onward_from"), "referral", ["onward_from"], unique=False)
    op.create_index(
        op.f("ix_referral_organization_id_stage"), "referral", ["organization_id", "stage"], unique=False
    )
    op.create_index(op.f("ix_referral_parent_id"), "referral", ["parent_id"], unique=False)
    op.create_index(op.f("ix_referral_referrer_id"), "referral", ["referrer_id"], unique=False)
    op.create_index(op.f("ix_referral_retain_until"), "referral", ["retain_until"], unique=False)
    op.create_index(op.f("ix_referral_stage_stage_since"), "referral", ["stage", "stage_since"], unique=False)
    op.create_table(
        "safety_plan",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_plan")),
    )
    op.create_table(
        "scrap",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scrap")),
    )
    op.create_index(op.f("ix_scrap_person_id"), "scrap", ["person_id"], unique=False)
    op.create_index(op.f("ix_scrap_received_at"), "scrap", ["received_at"], unique=False)
    op.create_table(
        "screen",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screen")),
    )
    op.create_index(op.f("ix_screen_person_id"), "screen", ["person_id"], unique=False)
    op.create_index(op.f("ix_screen_until"), "screen", ["until"], unique=False)
    op.create_table(
        "sealed",
        sa.Column("record_table", sa.Text(), nullable=False),
        sa.Column("record_row", sa.Text(), nullable=False),
        sa.Column("data_class", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "record_table", "record_row", "data_class", "column_name", name=op.f("pk_sealed")
        ),
    )
    op.create_table(
        "seat",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("on_duty", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("focal", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat")),
    )
    op.create_index(op.f("ix_seat_organization_id_role"), "seat", ["organization_id", "role"], unique=False)
    op.create_index(op.f("ix_seat_person_id"), "seat", ["person_id"], unique=False)
    op.create_index(op.f("ix_seat_role_organization_id"), "seat", ["role", "organization_id"], unique=False)
    op.create_table(
        "seen",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_seen")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_seen_at"), "seen", ["at"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_expires_at"), "session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_session_person_id"), "session", ["person_id"], unique=False)
    op.create_table(
        "switch",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_switch")),
    )
    op.create_table(
        "tally",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
    )
    op.create_index(op.f("ix_tally_expires_at"), "tally", ["expires_at"], unique=False)
    op.create_table(
        "timer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timer")),
    )
    op.create_index(op.f("ix_timer_due_at_id"), "timer", ["due_at", "id"], unique=False)
    op.create_index(op.f("ix_timer_subject"), "timer", ["subject"], unique=False)
    op.create_table(
        "unmet_need",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("age_group", sa.Text(), nullable=False),
        sa.Column("gender", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmet_need")),
    )
    op.create_index(op.f("ix_unmet_need_month_category"), "unmet_need", ["month", "category"], unique=False)
    op.create_table(
        "account",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("lookup", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_account_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_account")),
        sa.UniqueConstraint("lookup", name=op.f("uq_account_lookup")),
    )
    op.create_table(
        "agreement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("pathways", sa.Text(), nullable=False),
        sa.Column("classes", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Text(), nullable=False),
        sa.Column("review_on", sa.Text(), nullable=False),
        sa.Column("signatories", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_agreement_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
    )
    op.create_index(op.f("ix_agreement_organization_id"), "agreement", ["organization_id"], unique=False)
    op.create_table(
        "appointment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_appointment_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
    )
    op.create_index(op.f("ix_appointment_referral_id"), "appointment", ["referral_id"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_attempt_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index(op.f("ix_attempt_referral_id"), "attempt", ["referral_id"], unique=False)
    op.create_table(
        "attendance",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("meeting_id", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_attendance_enrolment_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_attendance_meeting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
    )
    op.create_index(op.f("ix_attendance_enrolment_id"), "attendance", ["enrolment_id"], unique=False)
    op.create_index(op.f("ix_attendance_meeting_id"), "attendance", ["meeting_id"], unique=False)
    op.create_table(
        "circle_invitation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("circle_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["circle_id"], ["circle.id"], name=op.f("fk_circle_invitation_circle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circle_invitation")),
    )
    op.create_index(op.f("ix_circle_invitation_circle_id"), "circle_invitation", ["circle_id"], unique=False)
    op.create_index(
        op.f("ix_circle_invitation_expires_at"), "circle_invitation", ["expires_at"], unique=False
    )
    op.create_index(op.f("ix_circle_invitation_token"), "circle_invitation", ["token"], unique=False)
    op.create_table(
        "circle_side",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("circle_id", sa.Text(), nullable=False),
        sa.Column("harmed", sa.Boolean(), nullable=False),
        sa.Column("first_yes_at", sa.BigInteger(), nullable=True),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("second_yes_at", sa.BigInteger(), nullable=True),
        sa.Column("invited", sa.Boolean(), nullable=False),
        sa.Column("over_at", sa.BigInteger(), nullable=True),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["circle_id"], ["circle.id"], name=op.f("fk_circle_side_circle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circle_side")),
    )
    op.create_index(op.f("ix_circle_side_circle_id"), "circle_side", ["circle_id"], unique=False)
    op.create_table(
        "confirmation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("by_body", sa.Boolean(), nullable=False),
        sa.Column("first_on", sa.Text(), nullable=False),
        sa.Column("last_on", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answer_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("agreed_at", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("witness_id", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_confirmation_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
    )
    op.create_index(op.f("ix_confirmation_answer_at"), "confirmation", ["answer_at"], unique=False)
    op.create_index(op.f("ix_confirmation_asked_by"), "confirmation", ["asked_by"], unique=False)
    op.create_index(op.f("ix_confirmation_enrolment_id"), "confirmation", ["enrolment_id"], unique=False)
    op.create_index(
        op.f("ix_confirmation_organization_id"), "confirmation", ["organization_id"], unique=False
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("classes", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("witness_id", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("pathway_version", sa.BigInteger(), nullable=False),
        sa.Column("assent", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_consent_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_referral_id"), "consent", ["referral_id"], unique=False)
    op.create_table(
        "crisis",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.Text(), nullable=False),
        sa.Column("check_in_id", sa.Text(), nullable=True),
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("danger", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("held_by", sa.Text(), nullable=True),
        sa.Column("held_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_as", sa.Text(), nullable=False),
        sa.Column("number_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_crisis_enrolment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crisis")),
    )
    op.create_index(op.f("ix_crisis_check_in_id"), "crisis", ["check_in_id"], unique=False)
    op.create_index(op.f("ix_crisis_enrolment_id"), "crisis", ["enrolment_id"], unique=False)
    op.create_index(op.f("ix_crisis_raised_at"), "crisis", ["raised_at"], unique=False)
    op.create_table(
        "desk_note",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_desk_note_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_note")),
    )
    op.create_index(op.f("ix_desk_note_referral_id"), "desk_note", ["referral_id"], unique=False)
    op.create_table(
        "desk_share",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_desk_share_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_share")),
    )
    op.create_index(op.f("ix_desk_share_referral_id"), "desk_share", ["referral_id"], unique=False)
    op.create_table(
        "device",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("pin", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", sa.BigInteger(), nullable=True),
        sa.Column("proved_until", sa.BigInteger(), nullable=True),
        sa.Column("active_from", sa.BigInteger(), nullable=True),
        sa.Column("vouched_by", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_device_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
    )
    op.create_index(op.f("ix_device_last_seen_at"), "device", ["last_seen_at"], unique=False)
    op.create_index(op.f("ix_device_person_id"), "device", ["person_id"], unique=False)
    op.create_table(
        "hand_over",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("from_seat", sa.Text(), nullable=True),
        sa.Column("to_seat", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("met_at", sa.BigInteger(), nullable=True),
        sa.Column("refused_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_hand_over_enrolment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
    )
    op.create_index(op.f("ix_hand_over_asked_at"), "hand_over", ["asked_at"], unique=False)
    op.create_index(op.f("ix_hand_over_enrolment_id"), "hand_over", ["enrolment_id"], unique=False)
    op.create_index(op.f("ix_hand_over_to_seat"), "hand_over", ["to_seat"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("seat_id", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["seat_id"], ["seat.id"], name=op.f("fk_invitation_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_expires_at"), "invitation", ["expires_at"], unique=False)
    op.create_index(op.f("ix_invitation_seat_id"), "invitation", ["seat_id"], unique=False)
    op.create_table(
        "linking",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_linking_enrolment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linking")),
    )
    op.create_index(op.f("ix_linking_enrolment_id"), "linking", ["enrolment_id"], unique=False)
    op.create_index(op.f("ix_linking_expires_at"), "linking", ["expires_at"], unique=False)
    op.create_table(
        "offer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("service_id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledge_by", sa.BigInteger(), nullable=False),
        sa.Column("decide_by", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("question_used", sa.Boolean(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("starts_on", sa.Text(), nullable=True),
        sa.Column("wait_yes_at", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_offer_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    op.create_index(op.f("ix_offer_code"), "offer", ["code"], unique=False)
    op.create_index(
        op.f("ix_offer_organization_id_sent_at"), "offer", ["organization_id", "sent_at"], unique=False
    )
    op.create_index(
        op.f("ix_offer_organization_id_stage"), "offer", ["organization_id", "stage"], unique=False
    )
    op.create_index(op.f("ix_offer_referral_id"), "offer", ["referral_id"], unique=False)
    op.create_index(op.f("ix_offer_stage"), "offer", ["stage"], unique=False)
    op.create_table(
        "service",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("areas", sa.Text(), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("ages", sa.Text(), nullable=False),
        sa.Column("children_vetted", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.Text(), nullable=False),
        sa.Column("capacity_confirmed_on", sa.Text(), nullable=True),
        sa.Column("round_the_clock", sa.Boolean(), nullable=False),
        sa.Column("not_needed", sa.Text(), nullable=False),
        sa.Column("genders", sa.Text(), nullable=False),
        sa.Column("audiences", sa.Text(), nullable=False),
        sa.Column("vetted_on", sa.Text(), nullable=True),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("helpers", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_service_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
    )
    op.create_index(op.f("ix_service_organization_id"), "service", ["organization_id"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("spoken", sa.Text(), nullable=False),
        sa.Column("still_asked", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_task_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_child_id"), "task", ["child_id"], unique=False)
    op.create_index(op.f("ix_task_referral_id"), "task", ["referral_id"], unique=False)
    op.create_table(
        "tracking",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_tracking_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking")),
    )
    op.create_index(op.f("ix_tracking_referral_id"), "tracking", ["referral_id"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("service_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("agreed_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_transfer_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    op.create_index(op.f("ix_transfer_referral_id"), "transfer", ["referral_id"], unique=False)
    op.create_table(
        "undertaking",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("programme_version", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("next_by", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_undertaking_enrolment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undertaking")),
    )
    op.create_index(op.f("ix_undertaking_enrolment_id"), "undertaking", ["enrolment_id"], unique=False)
    op.create_index(op.f("ix_undertaking_item_state"), "undertaking", ["item", "state"], unique=False)
    op.create_index(op.f("ix_undertaking_since"), "undertaking", ["since"], unique=False)
    op.create_table(
        "word_receipt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=True),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("witness_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_word_receipt_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_receipt")),
    )
    op.create_index(op.f("ix_word_receipt_consent_id"), "word_receipt", ["consent_id"], unique=False)
    op.create_index(op.f("ix_word_receipt_referral_id"), "word_receipt", ["referral_id"], unique=False)
    op.create_table(
        "wrap",
        sa.Column("record_table", sa.Text(), nullable=False),
        sa.Column("record_row", sa.Text(), nullable=False),
        sa.Column("data_class", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("kek_id", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["kek_id"], ["key_encryption_key.id"], name=op.f("fk_wrap_kek_id")),
        sa.PrimaryKeyConstraint("record_table", "record_row", "data_class", "holder", name=op.f("pk_wrap")),
    )
    op.create_index(op.f("ix_wrap_kek_id"), "wrap", ["kek_id"], unique=False)
    op.create_table(
        "check_in",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_of", sa.Text(), nullable=True),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("form_version", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("seat_id", sa.Text(), nullable=True),
        sa.Column("offer_id", sa.Text(), nullable=True),
        sa.Column("saved_at", sa.BigInteger(), nullable=True),
        sa.Column("saved_by", sa.Text(), nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("corrected", sa.BigInteger(), nullable=False),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_check_in_enrolment_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_check_in_offer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in")),
    )
    op.create_index(op.f("ix_check_in_asked_of"), "check_in", ["asked_of"], unique=False)
    op.create_index(op.f("ix_check_in_due_at"), "check_in", ["due_at"], unique=False)
    op.create_index(
        op.f("ix_check_in_enrolment_id_due_at"), "check_in", ["enrolment_id", "due_at"], unique=False
    )
    op.create_index(op.f("ix_check_in_offer_id"), "check_in", ["offer_id"], unique=False)
    op.create_index(op.f("ix_check_in_saved_by"), "check_in", ["saved_by"], unique=False)
    op.create_index(op.f("ix_check_in_seat_id"), "check_in", ["seat_id"], unique=False)
    op.create_table(
        "safety_share",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("crisis_id", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tell_person", sa.Boolean(), nullable=False),
        sa.Column("silence_reason", sa.Text(), nullable=False),
        sa.Column("with_plan", sa.Boolean(), nullable=False),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.Column("agreed_at", sa.BigInteger(), nullable=True),
        sa.Column("refused_at", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["crisis_id"], ["crisis.id"], name=op.f("fk_safety_share_crisis_id")),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_safety_share_enrolment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_share")),
    )
    op.create_index(op.f("ix_safety_share_asked_at"), "safety_share", ["asked_at"], unique=False)
    op.create_index(op.f("ix_safety_share_crisis_id"), "safety_share", ["crisis_id"], unique=False)
    op.create_index(op.f("ix_safety_share_enrolment_id"), "safety_share", ["enrolment_id"], unique=False)
    op.create_index(
        op.f("ix_safety_share_organization_id"), "safety_share", ["organization_id"], unique=False
    )
    op.create_table(
        "thread_entry",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("from_partner", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("read", sa.Boolean(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("from_desk", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_thread_entry_offer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread_entry")),
    )
    op.create_index(
        op.f("ix_thread_entry_offer_id_written_at"), "thread_entry", ["offer_id", "written_at"], unique=False
    )
    op.create_index(
        op.f("ix_thread_entry_referral_id_written_at"),
        "thread_entry",
        ["referral_id", "written_at"],
        unique=False,
    )
    # drawn from storage/tables.py: end
    _append_only()


def _append_only() -> None:
    """Nobody changes or removes an audit row; a lane's head only moves forward.

    On PostgreSQL the product's own role should besides own nothing (docs/deploy.md): a trigger binds
    everybody but the table's owner and a superuser, who could switch it off.
    """
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE:
            op.execute(sa.text(statement))
    else:
        for statement in _POSTGRES:
            op.execute(sa.text(statement))


_REFUSE = "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
_SQLITE = (
    f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit {_REFUSE}",
    f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit {_REFUSE}",
    # INSERT OR REPLACE would remove a row without asking the trigger for deletions.
    f"""CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE lane = NEW.lane AND sequence = NEW.sequence) {_REFUSE}""",
    f"""CREATE TRIGGER audit_lane_forward BEFORE UPDATE ON audit_lane
    WHEN NEW.lane <> OLD.lane OR NEW.sequence <= OLD.sequence {_REFUSE}""",
    f"CREATE TRIGGER audit_lane_no_delete BEFORE DELETE ON audit_lane {_REFUSE}",
    f"""CREATE TRIGGER audit_lane_no_replace BEFORE INSERT ON audit_lane
    WHEN EXISTS (SELECT 1 FROM audit_lane WHERE lane = NEW.lane) {_REFUSE}""",
)

_DO_REFUSE = "EXECUTE FUNCTION audit_refuse()"
_POSTGRES = (
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$""",
    f"""CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW {_DO_REFUSE}""",
    f"""CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT {_DO_REFUSE}""",
    f"""CREATE TRIGGER audit_lane_forward BEFORE UPDATE ON audit_lane
    FOR EACH ROW WHEN (NEW.lane <> OLD.lane OR NEW.sequence <= OLD.sequence) {_DO_REFUSE}""",
    f"""CREATE TRIGGER audit_lane_no_delete BEFORE DELETE ON audit_lane
    FOR EACH ROW {_DO_REFUSE}""",
    f"""CREATE TRIGGER audit_lane_no_truncate BEFORE TRUNCATE ON audit_lane
    FOR EACH STATEMENT {_DO_REFUSE}""",
)
