"""The roster as a workbook: an overview, a sheet for each day, changes, statistics and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import groupby

import xlsxwriter

from online_guard.assessment.documents.overview import change_rows, totals
from online_guard.assessment.documents.papers import Papers
from online_guard.assessment.documents.room_lists import RoomList, room_lists
from online_guard.assessment.documents.statistics import Counted, counted
from online_guard.assessment.documents.words import published, window_zh
from online_guard.assessment.documents.workbook import Cell, Sheets
from online_guard.printing import Made
from online_guard.printing.words import CHINA
from online_guard.terms import bilingual

PLACE = ("日期\ndate", "开始\nfrom", "结束\nto", "考点\nsite", "考场\nroom", "科目\npart")
OVERVIEW = (*PLACE, "人数\nseats", "监考\nexaminers")
SEAT = (
    *(*PLACE, "座位\nseat", "姓名\nname", "证件号码\nidentity no.", "企业\nenterprise", "班次\nclass"),
    *("职业（工种）\noccupation", "报名号\nenrolment", "签到\nsignature"),
)
CHANGES = ("姓名\nname", "报名号\nenrolment", "变化\nchange", "原安排\nbefore", "现安排\nafter")
STATISTICS = (
    *("序号\nno.", "工作任务\ntask", "牵头单位\nled by", "目标（人次）\ntarget"),
    *("本批次\nthis window", "本年累计\nyear so far", "完成率\nshare"),
)


def roster_xlsx(papers: Papers) -> Made:
    """Return the workbook. Days and times are those of China, as in the roster; seats and numbers are numbers."""
    lists, roster = room_lists(papers), papers.roster
    title = f"{window_zh(roster.window)}线下考核考场安排"
    body = BytesIO()
    with xlsxwriter.Workbook(body, {"in_memory": True}) as book:
        created = published(roster).replace(tzinfo=None)  # a workbook's properties are in UTC without saying so
        book.set_properties({"title": title, "comments": papers.policy_title, "created": created})
        sheets = Sheets(book, title, f"第{roster.version}版 version {roster.version}")
        sheets.add("总览", OVERVIEW, _overview(lists))
        by_day = sorted(lists, key=lambda one: one.place.on)  # stable: by site, slot and room within a day
        for day, own in groupby(by_day, key=lambda one: one.place.on):
            sheets.add(f"{day:%Y-%m-%d}", SEAT, _seats(own))
        sheets.add("差异", CHANGES, _changes(papers), widest=60)
        counts = counted(papers)
        share = sheets.add("统计", STATISTICS, map(_count, counts), widest=40, filtered=False)
        bar = {"type": "data_bar", "bar_solid": True, "bar_color": "#A9C3DE", "min_type": "num", "max_type": "num"}
        share.conditional_format(1, 6, len(counts), 6, {**bar, "min_value": 0, "max_value": 1})
        sheets.add("说明", ("项目\nitem", "内容\ncontent"), _notes(papers, lists), widest=70, filtered=False)
    return Made(body.getvalue())


def _place(one: RoomList) -> tuple[Cell, ...]:
    slot = one.slot
    return one.place.on, slot.starts, slot.ends, one.site.name, one.room.name, bilingual(one.room.part)


def _overview(lists: Iterable[RoomList]) -> Iterator[tuple[Cell, ...]]:
    for one in lists:
        yield *_place(one), len(one.seats), "、".join(one.examiners)


def _seats(lists: Iterable[RoomList]) -> Iterator[tuple[Cell, ...]]:
    for one in lists:
        place = _place(one)
        for seat in one.seats:
            who = seat.candidate
            yield (
                *(*place, seat.seat_no, seat.person.name, seat.person.identity_masked, who.enterprise, who.class_id),
                *(who.occupation, who.enrolment_id, None),
            )


def _changes(papers: Papers) -> Iterator[tuple[Cell, ...]]:
    for row in change_rows(papers):
        yield row["name"], row["enrolment"], f"{row['kind_zh']} {row['kind_en']}", row["before"], row["after"]


def _count(one: Counted) -> tuple[Cell, ...]:
    return one.no, one.task, one.lead, one.target, one.in_window, one.in_year, one.share


def _notes(papers: Papers, lists: tuple[RoomList, ...]) -> Iterator[tuple[Cell, ...]]:
    roster = papers.roster
    yield "批次 window", roster.window
    yield "版本 version", roster.version
    yield "发布时间（北京时间） published (UTC+8)", published(roster).astimezone(CHINA).replace(tzinfo=None)
    yield "发布人 published by", roster.published_by
    yield "政策 policy", f"{roster.policy_id} {roster.policy_version} {papers.policy_title}".rstrip()
    yield "政策包 SHA-256 of the policy pack", roster.policy_sha256
    for zh, en, number in totals(papers, lists):
        yield f"{zh} {en}", number
    yield (
        "工作表 sheets",
        (
            "总览：各考场各场人数与监考；每个考核日一张表，可按考点、考场、班次筛选；差异：与上一版相比；统计：附件1各任务人次。\n"
            "Overview: each room and slot; a sheet for each day, to be filtered by site, room and class; changes "
            "against the version before; statistics by the tasks of Annex 1."
        ),
    )
