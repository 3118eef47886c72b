"""The secure pages, as `console/` serves them: exactly this table, and nothing else can be reached."""

from __future__ import annotations

from collections.abc import Mapping

from referrals.service.pages.agreements import AGREEMENTS
from referrals.service.pages.attendance import ATTENDANCE
from referrals.service.pages.choose import CHOOSE
from referrals.service.pages.circle import CIRCLE, INVITED
from referrals.service.pages.desk import DESK
from referrals.service.pages.devices import DEVICES
from referrals.service.pages.link import LINK
from referrals.service.pages.matter import MATTER
from referrals.service.pages.me import ME
from referrals.service.pages.member import MEMBER
from referrals.service.pages.members import MEMBERS
from referrals.service.pages.mydata import MYDATA
from referrals.service.pages.newcomer import NEWCOMER
from referrals.service.pages.number import NUMBER
from referrals.service.pages.offer import OFFER
from referrals.service.pages.page import Page
from referrals.service.pages.plan import PLAN
from referrals.service.pages.posts import POSTS
from referrals.service.pages.receipt import RECEIPT
from referrals.service.pages.room import ROOM
from referrals.service.pages.rota import ROTA
from referrals.service.pages.safety import SAFETY
from referrals.service.pages.share import SHARE
from referrals.service.pages.tasks import TASKS
from referrals.service.pages.track import TRACK
from referrals.service.pages.witness import WITNESS
from referrals.service.pages.word import WORD
from referrals.service.pages.words import WORDS
from referrals.service.pages.work import WORK

PAGES: Mapping[str, Page] = {
    "plan": PLAN,
    "choose": CHOOSE,
    "offer": OFFER,
    "matter": MATTER,
    "me": ME,
    "desk": DESK,
    "work": WORK,
    "member": MEMBER,
    "posts": POSTS,
    "devices": DEVICES,
    "track": TRACK,
    "tasks": TASKS,
    "mydata": MYDATA,
    "witness": WITNESS,
    "room": ROOM,
    "rota": ROTA,
    "safety": SAFETY,
    "share": SHARE,
    "number": NUMBER,
    "words": WORDS,
    "word": WORD,
    "members": MEMBERS,
    "newcomer": NEWCOMER,
    "link": LINK,
    "receipt": RECEIPT,
    "agreements": AGREEMENTS,
    "attendance": ATTENDANCE,
    "circle": CIRCLE,
    "invited": INVITED,
}


def draw() -> str:
    """Every page as a Markdown table for the documentation."""
    lines = ["| Page | File | What it shows |", "| --- | --- | --- |"]
    for name, page in PAGES.items():
        file = page.view.do.__module__.rpartition(".")[2]
        says = (page.view.do.__doc__ or "").partition("\n")[0]
        lines.append(f"| `{name}` | {file} | {says} |")
    return "\n".join([*lines, ""])
