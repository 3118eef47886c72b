"""Page 'mydata': what is held about the reader, an archive to take home, and leaving."""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.ports import Away, Tx
from referrals.service import leaving, mydata
from referrals.service.common import doors
from referrals.service.pages.page import Body, Page, Verb
from referrals.views import GoneView, HeldLine, MyDataView, Step

DOWNLOADS = "/p/download/"  # console/app.py serves it
# What deletion leaves, each with its reason.
STAYS = ("page.held.stays.facts", "page.held.stays.audit", "page.held.stays.read", "page.held.stays.backups")


def mydata_view(tx: Tx, person_id: str, subject: str, body: Body) -> MyDataView:
    """Page 'mydata': kinds, counts and dates. Nothing sealed is opened, so it needs no PIN."""
    waits = leaving.waits_until(tx, person_id)
    posts = tuple(f"role.{seat.role}" for seat in doors.seats_of(tx, person_id))
    steps = [Step("export", "page.step.export")]
    if waits is not None:
        steps.append(Step("keep", "page.step.keep"))
    elif not posts:
        steps.append(Step("delete", "page.step.delete", needs="yes", danger=True))
    return MyDataView(
        held=tuple(
            HeldLine(f"page.held.{h.what}", h.count, h.until, f"page.held.why.{h.what}")
            for h in mydata.held(tx, person_id)
        ),
        stays=STAYS,
        posts=posts,
        steps=tuple(steps),
        locked=tx.reading_locked,
        delete_at=waits,
    )


def _export(tx: Tx, person_id: str, subject: str, body: Body) -> Away:
    def made(tx: Tx, archive: mydata.Made) -> MyDataView:
        return replace(
            mydata_view(tx, person_id, "", {}),
            passphrase=archive.passphrase,
            download=DOWNLOADS + archive.token,
            download_until=archive.until,
        )

    return mydata.export(tx, person_id, made)


def _delete(tx: Tx, person_id: str, subject: str, body: Body) -> MyDataView | GoneView:
    if leaving.delete(tx, person_id) is None:
        return GoneView("page.held.deleted", STAYS)
    return mydata_view(tx, person_id, subject, {})


def _keep(tx: Tx, person_id: str, subject: str, body: Body) -> MyDataView:
    leaving.keep(tx, person_id)
    return mydata_view(tx, person_id, subject, {})


MYDATA = Page(
    Verb(Action.DATA_SEE, mydata_view),
    {
        "export": Verb(Action.DATA_EXPORT, _export),
        "delete": Verb(Action.DATA_DELETE, _delete),
        "keep": Verb(Action.DATA_DELETE, _keep),
    },
)
