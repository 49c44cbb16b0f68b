"""The report of an intake: JSON for machines, Markdown for people, Chinese first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from online_guard.errors import ErrorKind, GuardError
from online_guard.ingest.intake import InputReport, Intake

SHOWN_REFUSALS = 20


def as_values(intake: Intake) -> dict[str, Any]:
    """Return the report in plain values: counts, inputs with their six duties, course, warnings, every refused row."""
    names = ("sent", "kept", "duplicates", "refused")
    counts = {name: sum(getattr(report, name) for report in intake.inputs) for name in names}
    counts["not_playback"] = sum(report.not_playback.total() for report in intake.inputs)
    counts["sessions"] = len(intake.tables["sessions"])
    return {
        "counts": counts,
        "inputs": [_input_values(report) for report in intake.inputs],
        "course_derived": bool(intake.course and intake.course.derived),
        "warnings": [{"zh": zh, "en": en} for zh, en in warnings(intake)],
        "refused_rows": [asdict(row) for row in intake.refused],
    }


def _input_values(report: InputReport) -> dict[str, Any]:
    facts = report.facts
    return {
        "file": report.file,
        "format": report.format,
        "sent": report.sent,
        "kept": report.kept,
        "duplicates": report.duplicates,
        "not_playback": dict(sorted(report.not_playback.items())),
        "refused": report.refused,
        "facts": {
            "events": dict(sorted(facts.types.items())),
            "unobserved_intervals": facts.unobserved,
            "unobserved_s": round(facts.unobserved_s, 3),
            "seeks_without_from": facts.blind_seeks,
            "median_heartbeat_ms": facts.heartbeat_ms,
            "liveness_checks": facts.checks,
            "good_snapshots": facts.snapshots,
            "without_stored_time": report.unstored,
            "without_session": report.unnamed,
        },
        "duties": msgspec.to_builtins(report.duties),
    }


def warnings(intake: Intake) -> Iterator[tuple[str, str]]:
    """Yield what a reader must know before trusting the bundle, in Chinese and English."""
    if intake.course is None:
        return
    if intake.course.derived:
        yield (
            "课程是由日志推出的:一个班次,每个视频一课并按 1 课时计,顺序未知。认定学时前请用 --course 给出真实课程",
            "DERIVED from the log: one class, each video a lesson of one class hour, the order unknown; give --course",
        )
    if not intake.keyed:
        yield (
            "未给出 --key-file:假名密钥是公开的,猜到姓名的人可以验证其假名",
            "no --key-file: the key of the pseudonyms is public, and whoever guesses a name can confirm its pseudonym",
        )
    if any(report.unstored for report in intake.inputs):
        yield (
            "部分记录没有存储时间:received_ms 等于 at_ms,服务时钟是平台自己的说法",
            "records without a time of storage: received_ms equals at_ms, the service clock is the platform's word",
        )
    if any(report.unnamed for report in intake.inputs):
        yield (
            "部分记录没有会话编号:同一学员、同一视频、同一天算作一次会话",
            "records without a session: those of one learner, video and day count as one session",
        )
    if any(report.facts.unobserved for report in intake.inputs):
        yield (
            "播放中有超过政策允许的静默:这些时段没有被观察到,不计学时",
            "silences of a playing player beyond the policy's limit: they were not observed and earn nothing",
        )


def as_markdown(intake: Intake) -> str:
    """Return the report as Markdown; its rows of refusals are limited, JSON has them all."""
    parts = ["# 导入报告 / Intake report\n", "| 输入 input | 格式 format | 记录 sent | 保留 kept | 重复 duplicates "]
    parts[-1] += "| 与播放无关 not about playback | 拒收 refused |\n| --- | --- | --: | --: | --: | --: | --: |"
    for report in intake.inputs:
        numbers = (report.sent, report.kept, report.duplicates, report.not_playback.total(), report.refused)
        parts.append(f"| {report.file} | {report.format} | " + " | ".join(f"{number:,}" for number in numbers) + " |")
    parts.append(f"\n会话 sessions: {len(intake.tables['sessions']):,}\n")
    parts += [f"> **注意 / note** {zh}。\n> {en}.\n" for zh, en in warnings(intake)]
    for report in intake.inputs:
        parts += _duty_lines(report)
    if intake.refused:
        parts.append(f"## 拒收的记录 / Refused records: {len(intake.refused):,}\n")
        parts += [f"- `{row.file}:{row.line}` {row.reason}" for row in intake.refused[:SHOWN_REFUSALS]]
        if len(intake.refused) > SHOWN_REFUSALS:
            parts.append(f"- …… 其余见 --json / the others: --json ({len(intake.refused) - SHOWN_REFUSALS:,})")
    return "\n".join(parts).rstrip() + "\n"


def save(text: str, path: Path) -> None:
    """Write a report, whole or not at all.

    Raises:
        GuardError: it can't be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as error:
        raise GuardError(
            ErrorKind.INVALID,
            "ingest.report_not_writable",
            f"不能写入报告 / the report can't be written: {error.strerror}",
            where=str(path),
        ) from error


def _duty_lines(report: InputReport) -> Iterator[str]:
    yield f"## {report.file}\n"
    if report.facts.types:
        yield "事件 events: " + ", ".join(f"{name} {number:,}" for name, number in sorted(report.facts.types.items()))
    if report.not_playback:
        others = ", ".join(f"{name} {number:,}" for name, number in sorted(report.not_playback.items()))
        yield f"与播放无关 not about playback: {others}"
    yield "\n第 21(2) 条的六项控制 / the six controls of clause 21(2):\n"
    for duty in report.duties:
        verdict = "可以核验 can be judged" if duty.provable else "**不能证明 can't be proven**"
        yield f"- {duty.zh} {duty.en} ({', '.join(duty.rules)}): {verdict}"
        for missing in duty.missing:
            yield f"  - {missing.zh} → {missing.send_zh}"
            yield f"    {missing.en} → {missing.send_en}"
    yield ""
