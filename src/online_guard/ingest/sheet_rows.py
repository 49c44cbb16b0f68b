"""What the county's sheets hold: sign-in sheets of practice, and results of an assessment with certificates."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from online_guard.ingest.rows import Id
from online_guard.ingest.sheet_cells import Column, Kind
from online_guard.ingest.sheets import Layout
from online_guard.terms import LABELS, CertificateRoute

Mark = Annotated[float, Meta(ge=0, le=100)]
_NO_LEARNER = "缺少报名号或身份证号 / neither enrolment_id nor identity_number"


class PracticeSheetRow(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Practice that a learner attended on a day; `video_minutes` of continuous video per class hour, None: not said."""

    class_id: Id | None = None
    enrolment_id: Id | None = None
    identity_number: str | None = None
    on: date
    class_hours: Annotated[float, Meta(gt=0, le=24)]
    video_minutes: Annotated[float, Meta(ge=0, le=60)] | None = None

    def __post_init__(self) -> None:
        """Refuse a row about nobody."""
        if self.enrolment_id is None and self.identity_number is None:
            raise ValueError(_NO_LEARNER)


class ResultSheetRow(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What became of a learner in an assessment: not there, or assessed with marks, and with a certificate or without.

    `corrects`: the version that this row takes the place of; None: there is none yet.
    """

    class_id: Id | None = None
    enrolment_id: Id | None = None
    identity_number: str | None = None
    absent: bool = False
    assessed_on: date | None = None
    theory_mark: Mark | None = None
    practice_mark: Mark | None = None
    passed: bool | None = None
    certificate_route: CertificateRoute | None = None
    certificate_number: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    corrects: Annotated[int, Meta(ge=1, le=1_000)] | None = None

    def __post_init__(self) -> None:
        """Refuse a row that contradicts itself."""
        if self.enrolment_id is None and self.identity_number is None:
            raise ValueError(_NO_LEARNER)
        if self.enrolment_id is None and self.class_id is None:
            raise ValueError("以身份证号指明学员时须写班次 / an identity number needs its class_id")
        if self.absent:
            said = (self.assessed_on, self.theory_mark, self.practice_mark, self.certificate_number)
            if any(value is not None for value in said) or self.passed:
                raise ValueError("缺考者不能有成绩、考核日期或证书 / who was absent has no marks, day or certificate")
        elif self.assessed_on is None or self.passed is None:
            raise ValueError("缺少考核日期或是否合格 / the day or the result is missing")
        elif not self.passed and self.certificate_number is not None:
            raise ValueError("未合格者不能有证书 / who didn't pass has no certificate")


_LEARNER = (
    Column("class_id", ("班次编号", "班次", "class_id", "class"), hint="班次 class"),
    Column(
        "enrolment_id",
        ("报名号", "报名编号", "enrolment_id", "enrolment", "enrollment_id"),
        hint="报名号或身份证号,至少一项 / this or the identity number",
    ),
    Column(
        "identity_number",
        ("身份证号", "身份证号码", "证件号码", "公民身份号码", "identity_number", "id_number"),
        hint="须为文本格式 / as text",
    ),
    Column("name", ("姓名", "学员姓名", "name"), is_read=False, hint="供核对,不读入 / for people, not read"),
)
_ASIDE = (
    Column("number", ("序号", "no.", "no", "number"), is_read=False),
    Column("remarks", ("备注", "remarks", "remark", "note"), is_read=False),
    Column("signature", ("签名", "签字", "本人签名", "学员签名", "signature"), is_read=False),
)
PRACTICE = Layout(
    "实训签到表 practice",
    PracticeSheetRow,
    (
        *_LEARNER,
        Column("on", ("日期", "实训日期", "on", "date"), Kind.DAY, hint="如 2021-07-01"),
        Column("class_hours", ("学时", "实训学时", "课时", "class_hours", "hours"), Kind.NUMBER, hint="大于 0,至多 24"),
        Column(
            "video_minutes",
            ("每学时连续录像分钟", "连续录像分钟", "录像分钟", "video_minutes"),
            Kind.NUMBER,
            hint="通知第20条:不低于15 / clause 20: at least 15",
        ),
        *_ASIDE,
    ),
    (("enrolment_id", "identity_number"), ("on",), ("class_hours",)),
)
RESULTS = Layout(
    "考核结果 results",
    ResultSheetRow,
    (
        *_LEARNER,
        Column("absent", ("缺考", "absent"), Kind.FLAG, hint="是/否 yes/no"),
        Column("assessed_on", ("考核日期", "assessed_on"), Kind.DAY, hint="如 2021-08-14"),
        Column("theory_mark", ("理论成绩", "理论", "theory_mark", "theory"), Kind.NUMBER, hint="0–100"),
        Column("practice_mark", ("实操成绩", "实操", "practice_mark"), Kind.NUMBER, hint="0–100"),
        Column("passed", ("是否合格", "合格", "passed"), Kind.FLAG, hint="是/否 yes/no"),
        Column(
            "certificate_route",
            ("证书类别", "取证类别", "certificate_route"),
            words={word: str(route) for route in CertificateRoute for word in (*LABELS[route], str(route))},
            hint="空白为本班类别 / empty: the class's",
        ),
        Column("certificate_number", ("证书编号", "证书号", "certificate_number"), hint="须为文本格式 / as text"),
        Column("corrects", ("更正版次", "corrects"), Kind.WHOLE, hint="更正第几版,首次不填 / empty at first"),
        *_ASIDE,
    ),
    (("enrolment_id", "identity_number"), ("absent", "passed")),
)
