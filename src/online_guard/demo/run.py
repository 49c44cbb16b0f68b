"""The demonstration: a service, a platform, a dozen learners, three lessons, one assessment window."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from online_guard.demo.check_cards import check_cards
from online_guard.demo.checks import surprises, wrong_checks
from online_guard.demo.office import publish_roster
from online_guard.demo.people import Album, identity_number, name_of, sample_media
from online_guard.demo.platform import Json, Platform
from online_guard.demo.report import Refused, Report, build_report, render
from online_guard.demo.roster import PLANS, person
from online_guard.demo.screen import show_checks, show_findings, show_learners, show_pictures, show_refused
from online_guard.demo.service import COMMAND, RunningService, running_service
from online_guard.errors import ErrorKind, GuardError
from online_guard.evidence import Evidence
from online_guard.ingest.bundle import open_bundle, read_block
from online_guard.judge import Judgement, judge
from online_guard.policy import DEFAULT_POLICY, Policy, load_policy
from online_guard.signatures import SignedRequests
from online_guard.simulate.course import TITLES, Course, Plan, study
from online_guard.terms import Outcome, Paper, Role

SEED = 2021
AUDITORS = {"初审演示": Role.AUDITOR, "复核演示": Role.SECOND_AUDITOR}
"""Who may sign in to the pages of a demonstration that goes on."""
VERIFY_TIMEOUT_S = 90
TASK_ROW = 9
"""Of Annex 1: 电子商务从业人员技能提升培训."""
WIDTH = 132
"""Columns of the tables where the output goes into a file."""


def run_demo(
    out_dir: Path,
    keep: bool = False,
    port: int | None = None,
    console: Console | None = None,
    plans: Sequence[Plan] = PLANS,
) -> int:
    """Run the demonstration and return 0, or 1 when something was found that must not be, or wasn't that must.

    Args:
        out_dir: For `report.html`, `roster-feed.json`, the exported `bundle/` and the papers of the published roster in
            `roster/`; made if needed.
        keep: Leave the service running afterwards.
        port: Of the service on the loopback interface, a free one by default.
        console: Where to print, the standard output by default.
        plans: How each learner studies, at most as many as there are faces in the sample media.

    Raises:
        GuardError: The service does not start or answers something else than agreed.
    """
    screen = console or Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    out_dir.mkdir(parents=True, exist_ok=True)
    data_dir = Path(tempfile.mkdtemp(prefix="online-guard-demo-"))
    began = time.monotonic()
    with running_service(data_dir, port, keep) as service:
        screen.print(f"服务已启动 service started: {service.url}")
        failed = _play(service, out_dir, screen, plans)
        if keep:
            screen.print(f"服务仍在运行 still running: {service.url} · 停止 stop: kill {service.process.pid}")
            screen.print(f"数据目录 data: {data_dir}")
            for name, role in AUDITORS.items():
                password = service.let_in(name, role)
                screen.print(
                    f"审核页面 console: {service.url}/console · 用户名 name: {name} · 密码 password: {password}"
                )
    if not keep:
        shutil.rmtree(data_dir, ignore_errors=True)
    screen.print(f"用时 took {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def _play(service: RunningService, out_dir: Path, screen: Console, plans: Sequence[Plan]) -> list[str]:
    """Go through the whole story and return what was a surprise."""
    course = Course()
    ids = [f"{course.class_id}-{number:03}" for number in range(1, len(plans) + 1)]
    album = Album(sample_media())
    auth = service.auth(course.platform_id)
    with httpx.Client(base_url=service.url, timeout=60, trust_env=False, auth=auth) as http:
        platform = Platform(http, service.token, album, {name: number for number, name in enumerate(ids)})
        _register(platform, course, ids, album)
        refused = _bad_input(platform, course, ids)
        with _progress(screen) as progress:
            _study(platform, course, dict(zip(ids, plans, strict=True)), progress)
            verdicts = _await_verdicts(platform, progress)
        claims = {name: _claim(platform, name) for name in ids}
        _apply(platform, course, ids)
        feed = _feed(platform, course)
        ledgers = {name: platform.call("GET", f"/v1/enrolments/{name}/ledger") for name in ids}
        checks = list(check_cards(platform))
    roster = publish_roster(service, feed["window"], out_dir / "roster") if feed["candidates"] else None
    screen.print(
        f"{platform.requests} 次请求 requests, {platform.events} 个事件 events, "
        f"{len(platform.openings)} 次会话 sessions"
    )
    bundle = _export(service, out_dir / "bundle")
    policy = load_policy(DEFAULT_POLICY)
    evidence, judgement = judged(bundle, policy)
    people = {name: person(number, plans[number]) for number, name in enumerate(ids)}
    report = replace(build_report(evidence, judgement, policy, people, refused, checks), roster=roster)
    _show(screen, report, claims, platform, refused)
    (out_dir / "report.html").write_text(render(report), encoding="utf-8")
    (out_dir / "roster-feed.json").write_text(json.dumps(feed, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    found = [*surprises(report, judgement, plans, verdicts, ledgers, feed), *wrong_checks(platform.checks)]
    _tell(screen, out_dir, found)
    return found


def _tell(screen: Console, out_dir: Path, found: Sequence[str]) -> None:
    """Print where everything lies, and what was a surprise."""
    for name in ("report.html", "roster-feed.json", "bundle", "roster/roster.pdf"):
        screen.print(f"→ {(out_dir / name).resolve()}", soft_wrap=True)
    for line in found:
        screen.print(f"[bold red]不符合预期 unexpected[/] {line}", soft_wrap=True)
    if not found:
        screen.print("[bold green]全部符合预期[/]：如实学习者无疑点，每种作弊均被发现，复验结果相同")
        screen.print(
            "[bold green]Everything as expected[/]: honest learners clear, each cheat found, re-validation agrees"
        )


def judged(bundle: Path, policy: Policy) -> tuple[Evidence, Judgement]:
    """Return a small bundle as evidence with its events, and its judgement."""
    opened = open_bundle(bundle)
    blocks = [read_block(block, opened.index) for block in opened.blocks(10_000_000)]
    bad = opened.refused + [row for block in blocks for row in block.refused]
    if bad or len(blocks) != 1:
        raise GuardError(
            ErrorKind.INVALID,
            "demo.bad_bundle",
            f"导出的数据包有误 / the exported bundle is faulty: {bad[:3]}",
            where=str(bundle),
        )
    evidence = opened.evidence.with_events(blocks[0].events)
    return evidence, judge(evidence, policy)


def _register(platform: Platform, course: Course, ids: Sequence[str], album: Album) -> None:
    """Register the class, its learners and their reference photos."""
    row = course.class_row()
    platform.call("PUT", f"/v1/classes/{course.class_id}", row)
    for number, name in enumerate(ids):
        body: Json = {"name": name_of(number), "identity_number": identity_number(number)}
        platform.call("PUT", f"/v1/classes/{course.class_id}/enrolments/{name}", body)
        platform.call("PUT", f"/v1/enrolments/{name}/reference-photo", album.reference(number))


def _bad_input(platform: Platform, course: Course, ids: Sequence[str]) -> list[Refused]:
    """Send what the service must refuse, and return its answers."""
    wrong = identity_number(90)
    wrong = wrong[:-1] + ("0" if wrong[-1] != "0" else "1")
    enrolment = f"/v1/classes/{course.class_id}/enrolments/{course.class_id}-099"
    opening: Json = {
        "platform_id": course.platform_id,
        "session_id": "nobody-s001",
        "enrolment_id": "nobody",
        "lesson_no": 1,
        "opened_at_ms": 1_622_520_000_000,
        "device_id": "pc",
    }
    tries: list[tuple[str, str, str, str, Json | bytes]] = [
        (
            "身份证号校验位错误",
            "an identity number with a wrong check digit",
            "PUT",
            enrolment,
            {"name": "测试", "identity_number": wrong},
        ),
        (
            "参考照片上有两个人",
            "a reference photo with two faces",
            "PUT",
            f"/v1/enrolments/{ids[0]}/reference-photo",
            platform.album.picture(0, "two_faces"),
        ),
        ("未报名者的会话", "a session of an unknown enrolment", "POST", "/v1/sessions", opening),
        (
            "没有课程的班次",
            "a class without lessons",
            "PUT",
            "/v1/classes/empty",
            course.class_row() | {"class_id": "empty", "lessons": []},
        ),
    ]
    return [*(_refused(platform, *attempt) for attempt in tries), _forged(platform, course)]


def _forged(platform: Platform, course: Course) -> Refused:
    """Send a request that somebody signed without having the platform's key."""
    forger = SignedRequests("key-of-nobody", "0" * 64)
    with httpx.Client(base_url=platform.http.base_url, timeout=60, trust_env=False, auth=forger) as http:
        path = f"/v1/classes/{course.class_id}"
        somebody = replace(platform, http=http)
        return _refused(
            somebody, "伪造签名的请求", "a request with a forged signature", "PUT", path, course.class_row()
        )


def _refused(platform: Platform, zh: str, en: str, method: str, path: str, body: Json | bytes) -> Refused:
    """Send one request that must be refused and return the answer in words."""
    answer = platform.send(method, path, body)
    problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    details = [
        str(problem.get("detail", "")),
        *(f"{row['pointer']}: {row['detail']}" for row in problem.get("errors", [])),
    ]
    return Refused(
        zh, en, answer.status_code, str(problem.get("title", "")), "\n".join(line for line in details if line)
    )


def _study(platform: Platform, course: Course, plans: Mapping[str, Plan], progress: Progress) -> None:
    """Let every learner study, two at a time; only the service's clock tells that it was the same weeks.

    While the service judges the clip of one, that of the other is painted.
    """
    task = progress.add_task("学习 studying", total=len(plans))

    def run(name: str) -> None:
        study(course.desk(platform, name, Random(f"{SEED}/{name}")), plans[name])  # noqa: S311 - it simulates
        progress.advance(task)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(run, name) for name in plans]:
            done.result()


def _await_verdicts(platform: Platform, progress: Progress) -> dict[str, Any]:
    """Return the service's verdict on every session, by `platform_id/session_id`, once all are verified."""
    task = progress.add_task("核验 verifying", total=len(platform.openings))
    deadline = time.monotonic() + VERIFY_TIMEOUT_S
    verdicts: dict[str, Any] = {}
    for opening in platform.openings:
        while (answer := platform.call("GET", f"/v1/sessions/{opening.session_id}/verdict"))["state"] != "verified":
            if time.monotonic() > deadline:
                raise GuardError(
                    ErrorKind.UNAVAILABLE,
                    "demo.not_verified",
                    f"核验超时 / verification took too long: {opening.session_id}",
                )
            time.sleep(0.2)
        verdicts[f"{opening.platform_id}/{opening.session_id}"] = answer
        progress.advance(task)
    return verdicts


def _claim(platform: Platform, enrolment_id: str) -> Json:
    """Claim every lesson for a learner, as a platform that is paid by the hour would."""
    lessons = [{"lesson_no": number, "hours": 1.0} for number in range(1, len(TITLES) + 1)]
    return platform.call("POST", f"/v1/enrolments/{enrolment_id}/claims", {"lessons": lessons})


def _apply(platform: Platform, course: Course, ids: Sequence[str]) -> None:
    """Report the attended practice and apply for the assessment."""
    rows = [course.practice_row(name) for name in ids]
    platform.call("POST", f"/v1/classes/{course.class_id}/practice", rows)
    application = course.application_row()
    window = application.pop("window")
    papers = [str(paper) for paper in Paper if paper is not Paper.LEAVE_SLIPS]  # nobody of the class had leave
    more = {"certificate_route": "skill_level", "papers": papers, "task_row": TASK_ROW}
    platform.call("POST", f"/v1/assessments/{window}/applications", application | more)


def _feed(platform: Platform, course: Course) -> Json:
    """Return who may sit the assessment and who may not, once every class of the window is verified."""
    deadline = time.monotonic() + VERIFY_TIMEOUT_S
    while True:
        feed = platform.call("GET", f"/v1/assessments/{course.application_row()['window']}/candidates")
        if not feed["pending"]:
            return feed
        if time.monotonic() > deadline:
            raise GuardError(ErrorKind.UNAVAILABLE, "demo.not_verified", "核验超时 / verification took too long")
        time.sleep(0.2)


def _export(service: RunningService, folder: Path) -> Path:
    """Export the service's data as a bundle."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [*COMMAND, "export", "--out", str(folder)]
    ended = subprocess.run(command, env=service.environment(), capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if ended.returncode:
        raise GuardError(
            ErrorKind.UNAVAILABLE, "demo.export_failed", f"导出失败 / the export failed: {ended.stderr[-1000:]}"
        )
    return folder


def _show(
    screen: Console, report: Report, claims: dict[str, Any], platform: Platform, refused: Sequence[Refused]
) -> None:
    """Print all tables."""
    show_refused(screen, refused)
    show_pictures(screen, platform.pictures)
    passed = sum(check.outcome is Outcome.PASSED for check in platform.checks)
    show_checks(screen, report.checks, len(platform.checks), passed)
    show_findings(screen, report)
    show_learners(screen, report, claims)


def _progress(screen: Console) -> Progress:
    """Return a progress display."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=screen)
