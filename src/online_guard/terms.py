"""The words of the field (SPEC section 1) as enums, each with its Chinese and English label."""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    """What a player can say (SPEC 3.2). The order is the code used in columns; append only."""

    PLAY = "play"
    PAUSE = "pause"
    SEEK = "seek"
    RATE = "rate"
    HEARTBEAT = "heartbeat"
    ENDED = "ended"
    HIDDEN = "hidden"
    VISIBLE = "visible"
    BLUR = "blur"
    FOCUS = "focus"
    POPUP_SHOWN = "popup_shown"
    POPUP_ANSWERED = "popup_answered"
    POPUP_EXPIRED = "popup_expired"
    PLAYER_OPENED = "player_opened"
    PLAYER_CLOSED = "player_closed"

    @property
    def code(self) -> int:
        """Return the number of this type in event columns."""
        return EVENT_TYPES.index(self)


EVENT_TYPES: tuple[EventType, ...] = tuple(EventType)


class Subject(StrEnum):
    """What a finding is about."""

    SESSION = "session"
    SNAPSHOT = "snapshot"
    LESSON = "lesson"
    ENROLMENT = "enrolment"
    CLASS = "class"


class Effect(StrEnum):
    """What a finding does until an auditor decides it."""

    REJECT = "reject"
    REVIEW = "review"
    NOTE = "note"


class Verdict(StrEnum):
    """What follows for a session (核验结论)."""

    ACCEPTED = "accepted"
    HELD = "held"
    REJECTED = "rejected"


class DecisionKind(StrEnum):
    """What an auditor says of a finding."""

    UPHOLD = "uphold"
    DISMISS = "dismiss"


class CaseState(StrEnum):
    """Where a case stands; the most urgent of its findings decides. The first three wait for a person."""

    APPEALED = "appealed"
    CONFIRMING = "confirming"
    UNDECIDED = "undecided"
    DECIDED = "decided"
    NOTED = "noted"
    CLEARED = "cleared"


class AssessmentPart(StrEnum):
    """A part of the offline assessment (理论考试, 实操考核)."""

    THEORY = "theory"
    PRACTICE = "practice"


class Outcome(StrEnum):
    """Result of a liveness check."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


class Role(StrEnum):
    """Who calls: a platform by its key, or a person who signed in (SPEC 8, Annex 2: 初审人, 复核人)."""

    PLATFORM = "platform"
    ADMIN = "admin"
    ASSESSOR = "assessor"
    AUDITOR = "auditor"
    SECOND_AUDITOR = "second_auditor"
    READER = "reader"


class ApplicantKind(StrEnum):
    """Who applies for the assessment of a class."""

    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"
    INDIVIDUAL = "individual"


class Mode(StrEnum):
    """How a class runs (Annex 3)."""

    ONLINE = "online"
    BLENDED = "blended"


class CertificateRoute(StrEnum):
    """The five routes of Annex 2."""

    NATIONAL_QUALIFICATION = "national_qualification"
    SKILL_LEVEL = "skill_level"
    SPECIAL_OPERATION = "special_operation"
    SPECIAL_ABILITY = "special_ability"
    COMPLETION = "completion"


class Paper(StrEnum):
    """A paper that goes with an application for the assessment (Annex 2, clauses (四)20, 三(二))."""

    ROSTER = "roster"
    OPENING_CHECK = "opening_check"
    ATTENDANCE = "attendance"
    TRAINING_MATERIALS = "training_materials"
    VIDEO_RECORDINGS = "video_recordings"
    LEAVE_SLIPS = "leave_slips"
    SATISFACTION_SURVEY = "satisfaction_survey"
    INFORMATION_SYSTEM = "information_system"


class Answer(StrEnum):
    """What an assessor says of a test that lacked data."""

    CONFIRM = "confirm"
    DENY = "deny"


class LessonKind(StrEnum):
    """Whether a lesson belongs to the occupation (专业课) or is general (公共课)."""

    PROFESSIONAL = "professional"
    GENERAL = "general"


class FaceChecks(StrEnum):
    """Whether the learner takes part in face checks."""

    REQUIRED = "required"
    DECLINED = "declined"


class Action(StrEnum):
    """What a liveness challenge may ask for (SPEC 7); left and right are the person's own."""

    BLINK = "blink"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    OPEN_MOUTH = "open_mouth"
    NOD = "nod"


LABELS: dict[StrEnum, tuple[str, str]] = {
    Verdict.ACCEPTED: ("通过", "accepted"),
    Verdict.HELD: ("待复核", "held"),
    Verdict.REJECTED: ("不通过", "rejected"),
    Effect.REJECT: ("不予认定", "reject"),
    Effect.REVIEW: ("待人工复核", "review"),
    Effect.NOTE: ("提示", "note"),
    CaseState.APPEALED: ("申诉待处理", "appealed"),
    CaseState.CONFIRMING: ("待第二人复核", "waits for a second person"),
    CaseState.UNDECIDED: ("待审核", "undecided"),
    CaseState.DECIDED: ("已审核", "decided"),
    CaseState.NOTED: ("仅提示", "notes only"),
    CaseState.CLEARED: ("疑点已消除", "findings are gone"),
    DecisionKind.UPHOLD: ("维持", "uphold"),
    DecisionKind.DISMISS: ("排除", "dismiss"),
    Role.PLATFORM: ("平台", "platform"),
    Role.ADMIN: ("管理员", "administrator"),
    Role.ASSESSOR: ("考核人员", "assessor"),
    Role.AUDITOR: ("初审人", "auditor"),
    Role.SECOND_AUDITOR: ("复核人", "second auditor"),
    Role.READER: ("只读", "reader"),
    Subject.SESSION: ("学习会话", "session"),
    Subject.SNAPSHOT: ("留存照片", "snapshot"),
    Subject.LESSON: ("课程", "lesson"),
    Subject.ENROLMENT: ("学员报名", "enrolment"),
    Subject.CLASS: ("培训班次", "class"),
    Mode.ONLINE: ("全线上", "online"),
    Mode.BLENDED: ("线上+线下", "blended"),
    CertificateRoute.NATIONAL_QUALIFICATION: ("国家职业资格鉴定", "national qualification"),
    CertificateRoute.SKILL_LEVEL: ("职业技能等级评定", "skill level"),
    CertificateRoute.SPECIAL_OPERATION: ("特种作业操作考核", "special operation"),
    CertificateRoute.SPECIAL_ABILITY: ("专项能力考核", "special ability"),
    CertificateRoute.COMPLETION: ("结业考核", "completion"),
    AssessmentPart.THEORY: ("理论考试", "theory"),
    AssessmentPart.PRACTICE: ("实操考核", "practice"),
    Paper.ROSTER: ("已在信息系统填报的培训计划及人员名册", "plan and roster, filled in in the information system"),
    Paper.OPENING_CHECK: ("开班当日检查情况", "what was checked on the first day"),
    Paper.ATTENDANCE: ("学员签到与出勤情况", "signing in and attendance"),
    Paper.TRAINING_MATERIALS: ("培训资料留存", "the training's materials"),
    Paper.VIDEO_RECORDINGS: ("理论全程录像、实操每学时录像", "video recordings of theory and practice"),
    Paper.LEAVE_SLIPS: ("书面请假手续", "leave slips"),
    Paper.SATISFACTION_SURVEY: ("满意度调查", "the satisfaction survey"),
    Paper.INFORMATION_SYSTEM: ("考核申请已在信息系统填报", "the application, filled in in the information system"),
    Answer.CONFIRM: ("确认", "confirm"),
    Answer.DENY: ("否认", "deny"),
    Outcome.PASSED: ("通过", "passed"),
    Outcome.FAILED: ("未通过", "failed"),
    Outcome.INCONCLUSIVE: ("无结论", "inconclusive"),
    Action.BLINK: ("眨眼", "blink"),
    Action.TURN_LEFT: ("向左转头", "turn left"),
    Action.TURN_RIGHT: ("向右转头", "turn right"),
    Action.OPEN_MOUTH: ("张嘴", "open the mouth"),
    Action.NOD: ("点头", "nod"),
}
"""中文 and English label of each word that people read."""


def bilingual(word: StrEnum) -> str:
    """Return `中文 English` for a word that has labels, else the word itself."""
    return " ".join(LABELS.get(word, (str(word), ""))).strip()
