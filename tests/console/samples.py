"""Page content for tests, in English and Thai: a small imagined network, nobody real."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from referrals import calling
from referrals.errors import BadAnswer, WrongStage
from referrals.model import Offer, OfferStage
from referrals.service.request import behalf, must_be, safe_times, young
from referrals.views import (
    Choice,
    FiledView,
    MatterLine,
    MatterView,
    MeView,
    MoveLine,
    OfferView,
    PlanLine,
    PlanView,
    ReaderLine,
    RemindersView,
    Said,
    Section,
    Step,
    ThreadLine,
)
from tests.console.samples_desk import DESK_SAMPLES
from tests.console.samples_member import MEMBER_SAMPLES
from tests.console.samples_members import CASELOAD_SAMPLES
from tests.console.samples_safety import SAFETY_SAMPLES
from tests.console.samples_self import OWN_SAMPLES
from tests.console.samples_word import word_samples
from tests.console.stand import FixedPage

SOON = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
NAMES = {
    "en": {
        "south": "The South", "pattani": "Pattani", "mueang": "Pattani town", "yala": "Yala",
        "house": "House of Return", "visit": "Travel money and a van on visiting days",
        "sisters": "Sisters' Circle", "circle": "Somebody who goes with you",
        "mosque": "Green Mosque Council", "police": "Police 191", "crisis": "Helpline 1300, day and night",
        "note": "My brother is far away and the bus costs more than I earn in two days.\n"
        "I can go on Fridays.",
        "ask": "Thank you for writing. The van leaves on Friday at seven. How many of you will come?",
        "reply": "Two of us, and a small child.", "phone": "+66 80 000 0000\nafter 18:00",
        "consent": "I agree that these partners are asked, one after the other:\n1. House of Return\n"
        "2. Sisters' Circle\nWho says yes may read: what you write, how to reach you.\nUntil 2027-02-22.",
    },
    "th": {
        "south": "ภาคใต้", "pattani": "ปัตตานี", "mueang": "อำเภอเมืองปัตตานี", "yala": "ยะลา",
        "house": "บ้านคืนถิ่น", "visit": "ค่าเดินทางและรถตู้ในวันเยี่ยม",
        "sisters": "กลุ่มพี่น้องหญิง", "circle": "เพื่อนร่วมเดินทาง", "mosque": "คณะกรรมการมัสยิดเขียว",
        "police": "ตำรวจ 191", "crisis": "สายด่วน 1300 ตลอด 24 ชั่วโมง",
        "note": "พี่ชายอยู่ไกลมาก ค่ารถแพงกว่าค่าแรงสองวันของฉัน\nฉันไปได้วันศุกร์",
        "ask": "ขอบคุณที่เขียนมา รถตู้ออกวันศุกร์เจ็ดโมงเช้า มากันกี่คน",
        "reply": "สองคนกับเด็กเล็กหนึ่งคน", "phone": "+66 80 000 0000\nหลังหกโมงเย็น",
        "consent": "ฉันตกลงให้ถามหน่วยงานเหล่านี้ทีละแห่ง:\n1. บ้านคืนถิ่น\n2. กลุ่มพี่น้องหญิง\n"
        "ผู้ที่ตอบรับอ่านได้: สิ่งที่คุณเขียน และวิธีติดต่อคุณ\nถึงวันที่ 22 กุมภาพันธ์ 2570",
    },
}  # fmt: skip
REACH = {"en": "English", "th": "ไทย"}


def names(tx: Any) -> dict[str, str]:
    return NAMES.get(tx.person.language, NAMES["en"])


def coded(root: str, codes: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(Choice(code, label_key=f"{root}.{code}") for code in codes)


def plan_view(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> PlanView:
    n = names(tx)
    area, urgency = body.get("area", ""), body.get("urgency", "normal")
    not_asked = cast("list[str]", body.get("exclude_organizations", []))
    language = REACH.get(tx.person.language, "English")
    spoken = ("why.language", {"language": language})
    near = ("why.area_exact", {"area": n["pattani"]})
    lines = [
        PlanLine("s1", n["visit"], n["house"], "kind.cso", (near, spoken, ("why.capacity_fresh", {}))),
        PlanLine(
            "s2", n["circle"], n["sisters"], "kind.cso", (("why.area_above", {"area": n["south"]}), spoken)
        ),
        PlanLine("s3", n["visit"], n["mosque"], "kind.faith", (near, ("why.kept_promises", {}))),
    ]
    ids = ["house", "sisters", "mosque"]
    plan = [line for o, line in zip(ids, lines, strict=True) if o not in not_asked]
    if subject == "PARTS":
        plan = [
            replace(line, task_key=f"task.{t}")
            for line, t in zip(plan, ("papers", "papers", "roof"), strict=True)
        ]
    shown = plan if area and area != "yala" else []
    return PlanView(
        category_key="category.family.visits",
        areas=tuple(
            Choice(a, label=n[a], depth=d, chosen=a == area)
            for a, d in (("south", 0), ("pattani", 1), ("mueang", 2), ("yala", 1))
        ),
        urgencies=tuple(
            Choice(u, label_key=f"urgency.{u}", chosen=u == urgency)
            for u in ("normal", "urgent", "emergency")
        ),
        organizations=tuple(Choice(o, label=n[o], chosen=o in not_asked) for o in ids),
        kinds=tuple(Choice(k, label_key=f"kind.{k}") for k in ("cso", "faith", "government")),
        plan=tuple(shown),
        nobody=bool(area) and not shown,
        consent_text=n["consent"] if area else "",
        consent_digest=f"digest-{len(shown)}" if area else "",
        must=coded("must", must_be.MUST),
        days=coded("call", calling.DAYS),
        parts=coded("call", calling.PARTS),
        how=coded("call", calling.HOW),
        behalf=coded("behalf", ("very_ill", "cannot_decide")),
        agreed=coded("agreed", behalf.AGREED_BY),
        spans=coded("span", behalf.SPANS),
        assents=coded("assent", young.ASSENTS) if subject == "YOUNG" else (),
        homes=coded("home", safe_times.HOMES) if subject == "YOUNG" else (),
        note_limit=4000,
        emergency_lines=(n["police"], n["crisis"]) if area else (),
    )


def filed(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> FiledView:
    tx.filed = dict(body)
    return FiledView("K7-29QX", "stage.matching", SOON, names(tx)["consent"])


def offer_view(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> OfferView:
    declined = getattr(tx, "declined", "")
    return OfferView(
        code="K7-29QX",
        category_key="category.family.visits",
        urgency_key="urgency.urgent",
        language="ไทย",
        area=names(tx)["pattani"],
        age_key="form.age_group.adult",
        decide_by=SOON,
        stage_key="offer_stage.declined" if declined else "offer_stage.seen",
        decline_reasons=tuple(Choice(r, label_key=f"decline.{r}") for r in ("full", "not_our_area", "other")),
        may_decide=not declined,
        may_ask=not declined,
        sections=() if declined else offer_turns(getattr(tx, "on_list", "")),
    )


def offer_turns(on_list: str) -> tuple[Section, ...]:
    """One question first, or a waiting list."""
    known = tuple(Choice(q, label_key=f"ask.{q}") for q in ("when", "travel", "company"))
    ask = Step("ask", "page.step.ask", needs="reason", choices=known)
    line = Said("part.queue.asked", {"day": on_list}) if on_list else Said("part.queue.hint")
    return (
        Section("part.ask.title", (Said("part.ask.hint"),), (ask,)),
        Section("part.queue.title", (line,), (Step("waitlist", "page.step.waitlist", needs="day"),)),
    )


def wait_list(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> OfferView:
    tx.on_list = str(body["day"])
    return offer_view(tx, who, subject, {})


def an_offer(stage: OfferStage, decided_by: str) -> Offer:
    """An offer of the matter that its partner sees."""
    return Offer("O1", "partner", "s1", "house", stage, SOON, SOON, SOON, decided_by=decided_by)


def accept(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> MatterView:
    tx.offers[subject] = an_offer(OfferStage.ACCEPTED, who)
    return matter_view(tx, who, subject, {})


def decline(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> OfferView:
    if not body.get("reason"):
        raise BadAnswer
    tx.declined = body["reason"]
    return offer_view(tx, who, subject, {})


def _matter(tx: Any, **changes: Any) -> MatterView:
    n = names(tx)
    written = getattr(tx, "written", "")
    thread = [
        ThreadLine(False, "who.partner", n["house"], n["ask"], datetime(2026, 11, 24, 4, 0, tzinfo=UTC)),
        ThreadLine(True, "who.person", "", written or n["reply"], datetime(2026, 11, 24, 5, 0, tzinfo=UTC)),
    ]
    fields: dict[str, Any] = {
        "id": "author",
        "code": "K7-29QX",
        "category_key": "category.family.visits",
        "urgency_key": "urgency.urgent",
        "stage_key": "stage.in_service",
        "area": n["mueang"],
        "next_by": SOON,
        "next_key": "next.in_service",
        "story": n["note"],
        "contact": n["phone"],
        "organization": n["house"],
        "thread": tuple(thread),
        "can_write": True,
        "steps": (),
    }
    if tx.locks and tx.reading_locked:
        changes |= {"story": None, "contact": None, "thread": (), "locked": changes.get("id") != "desk"}
    return MatterView(**{**fields, **changes})


def matter_view(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> MatterView:
    """By its subject: as the person, the partner or the desk sees it."""
    n = names(tx)
    unmet = tuple(Choice(r, label_key=f"unmet.{r}") for r in ("no_place", "no_money", "other"))
    if subject in ("partner", "O1"):  # a partner's page of a matter is its offer's
        steps = (
            Step("report", "page.step.report", needs="outcome", choices=unmet),
            Step("return", "page.step.return", needs="yes", danger=True),
        )
        return _matter(tx, id=subject, steps=steps)
    if subject == "desk":
        steps = (
            Step("rematch", "page.step.rematch"),
            Step("give_up", "page.step.give_up", needs="reason", choices=unmet),
        )
        return _matter(
            tx, id="desk", steps=steps, story=None, contact=None, thread=(), can_write=False, organization="",
            stage_key="stage.unmatched", next_key="next.desk.unmatched",
        )  # fmt: skip
    own: tuple[Step, ...] = (
        Step("helped", "page.step.helped"),
        Step("not_helped", "page.step.not_helped"),
        Step("follow", "page.step.follow", needs="yes"),
        Step("withdraw", "page.step.withdraw", needs="yes", danger=True),
    )
    move = MoveLine("", SOON) if subject == "moving" else None
    own = (Step("move_stop", "page.step.move_stop"), *own) if move else own
    return _matter(
        tx, steps=own, stage_key="stage.reported", next_key="next.reported",
        consent_text=n["consent"], move=move,
        readers=(ReaderLine(n["house"], "who.partner", SOON - timedelta(days=3)),),
    )  # fmt: skip


def write(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> MatterView:
    tx.written = body["text"]
    return matter_view(tx, who, subject, {})


def withdraw(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> MatterView:
    return _matter(tx, stage_key="stage.withdrawn", next_key="next.withdrawn", next_by=None, can_write=False)


def take(name: str) -> Any:
    """A step that is remembered with its body, and shows the matter again."""

    def step(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> MatterView:
        tx.taken = (name, dict(body))
        return matter_view(tx, who, subject, {})

    return step


def follow(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> MatterView:
    return replace(matter_view(tx, who, subject, {}), tracking_code="babu-dofe-gimo-kusa")


def me_view(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> MeView:
    mine = (
        MatterLine("author", "K7-29QX", "category.family.visits", "stage.reported", SOON, True),
        MatterLine("old", "M3-88RT", "category.family.talk", "stage.closed", None, False),
    )
    queue = (MatterLine("partner", "P4-31WD", "category.family.children", "stage.accepted", SOON, True),)
    queue = (replace(queue[0], since=SOON - timedelta(days=1)),)
    post = getattr(tx, "post", "")
    return MeView(
        roles=(f"role.{post}",) if post else (),
        mine=() if post else mine,
        queue=queue if post else (),
        language=tx.person.language,
        languages=tuple(
            Choice(la.id, label=la.name, chosen=la.id == tx.person.language)
            for la in tx.catalogue.languages.values()
        ),
        window="any_time",
        windows=tuple(
            Choice(w, label_key=f"form.window.{w}", chosen=w == "any_time")
            for w in ("any_time", "daytime", "only_answers")
        ),
        timezone="Asia/Bangkok",
        steps=(Step("hide", "page.step.hide", needs="yes"),),
        reminders=RemindersView(on=True, quiet_from="22:00", quiet_to="07:00", days=(0, 1, 2, 3, 4)),
    )


def choose_language(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> MeView:
    tx.person = replace(tx.person, language=str(body["language"]))
    return me_view(tx, who, subject, {})


def wishes(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> MeView:
    tx.taken = ("reminders", dict(body))
    return me_view(tx, who, subject, {})


def hide(tx: Any, who: str, subject: str, body: Mapping[str, object]) -> FiledView:
    tx.end_sessions()
    return FiledView("", "page.hidden", None, "", filed=False)


def breaks(tx: Any, who: str, subject: str, body: Any) -> Any:
    raise RuntimeError("secret words of somebody")


def moved_on(tx: Any, who: str, subject: str, body: Any) -> Any:
    raise WrongStage


TAKEN = ("report", "give_up", "helped", "not_helped", "return", "rematch", "move_stop")

SAMPLES: Mapping[str, FixedPage] = {
    "plan": FixedPage(plan_view, {"preview": plan_view, "file": filed}),
    "offer": FixedPage(offer_view, {"accept": accept, "decline": decline, "waitlist": wait_list}),
    "matter": FixedPage(
        matter_view,
        {"write": write, "withdraw": withdraw}
        | {"follow": follow}
        | {
            name: take(name)
            for name in ("report", "give_up", "helped", "not_helped", "return", "rematch", "move_stop")
        },
    ),
    "me": FixedPage(
        me_view, {"language": choose_language, "window": me_view, "reminders": wishes, "hide": hide}
    ),
    **OWN_SAMPLES,
    **DESK_SAMPLES,
    **SAFETY_SAMPLES,
    **MEMBER_SAMPLES,
    **word_samples(plan_view),
    **CASELOAD_SAMPLES,
    "odd": FixedPage(breaks, {"late": moved_on, "echo": take("echo")}),
}
