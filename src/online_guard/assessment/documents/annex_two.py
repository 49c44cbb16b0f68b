"""Annex 2 (年度补贴性职业技能提升培训申请表) of a class, filled in as far as it is known."""

from __future__ import annotations

from datetime import date
from typing import Any

from online_guard.assessment.documents.papers import AnnexTwo, Papers
from online_guard.assessment.documents.typesetting import typeset
from online_guard.printing import Made
from online_guard.terms import CertificateRoute

ROUTES: dict[CertificateRoute, str] = {
    CertificateRoute.NATIONAL_QUALIFICATION: "其中：参加国家职业资格鉴定人数",
    CertificateRoute.SKILL_LEVEL: "参加职业技能等级评定人数",
    CertificateRoute.SPECIAL_OPERATION: "参加特种作业操作考核人数",
    CertificateRoute.SPECIAL_ABILITY: "参加专项能力考核认定人数",
    CertificateRoute.COMPLETION: "参加结业考核人数",
}
"""The form's rows, in its order."""


def annex_two_pdf(papers: Papers) -> Made:
    """Return the form of each class on two pages, in the order given; what isn't known stays free, with its label."""
    return typeset(papers, "annex-2", {"forms": [_form(papers, known) for known in papers.annex_two]})


def _form(papers: Papers, known: AnnexTwo) -> dict[str, Any]:
    own = {one.enrolment_id for one in papers.roster.candidates if one.class_id == known.class_id}
    days = sorted({one.on for one in papers.roster.plan.sittings if one.enrolment_id in own})
    sat = f"{known.sat}" if known.sat is not None else f"{len(own)}（已安排）" if own else ""
    certified = "" if known.certified is None else f"{known.certified}"
    return {
        "institution": known.institution,
        "contact": known.contact,
        "bank": known.bank,
        "account": known.account,
        "batch": f"{known.batch or known.class_id}\n{_day(known.starts_on)}",
        "occupation": f"{known.occupation} {known.level}".rstrip(),
        "planned": f"{known.planned}",
        "duration": f"{_day(known.starts_on)}至{_day(known.ends_on)}，共{known.class_hours:g}课时",
        "mode": known.mode,
        "present": "" if known.present_at_start is None else f"{known.present_at_start}",
        "average": "" if known.average_present is None else f"{known.average_present:g}",
        "assessed_on": "、".join(map(_day, days)),
        "sat": sat,
        "certified": certified,
        "routes": [
            {"label": label, "sat": sat, "certified": certified}
            if route is known.certificate_route
            else {"label": label, "sat": "", "certified": ""}
            for route, label in ROUTES.items()
        ],
    }


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
