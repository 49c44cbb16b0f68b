"""Results of the `faces` commands for people; each takes what `--json` would print."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table


def print_pictures(seen: list[dict[str, Any]]) -> None:
    """Print what `faces inspect` saw."""
    table = Table()
    table.add_column("文件 file", overflow="fold", min_width=24)
    for heading in ("合格\ngood", "原因\nreasons", "人脸\nfaces", "距离\ndist.", "残差\nresid.", "翻拍\nattack"):
        table.add_column(heading, overflow="fold")
    for line in seen:
        attack = line["presented_attack"]
        score = "" if attack["score"] is None else f" {attack['score']:.2f}"
        table.add_row(
            line["file"],
            "是 yes" if line["good"] else "[red]否 no[/]",
            ", ".join(line["reasons"]) or "–",
            str(line["faces"]),
            _number(line["distance"]),
            _number(line["likeness"] and line["likeness"]["residual"]),
            f"{attack['decision']}{score}",
        )
    Console().print(table)


def print_judgement(said: dict[str, Any]) -> None:
    """Print the result of `faces judge`."""
    from online_guard.faces.liveness import REASONS
    from online_guard.terms import Action, bilingual

    words = {"passed": "通过 passed", "failed": "未通过 failed", "inconclusive": "无法判断 inconclusive"}
    console = Console(highlight=False)
    console.print(f"结果 outcome: {words[said['outcome']]}", style="green" if said["outcome"] == "passed" else "red")
    for reason in said["reasons"]:
        chinese, english = REASONS.get(reason, (reason, ""))
        console.print(f"  {reason}: {chinese} {english}", soft_wrap=True)
    console.print(f"帧率 frames a second: {said['fps']:.1f}  与参考照片的距离 distance: {_number(said['distance'])}")
    table = Table("动作 action", "完成 done", "开始 start s", "结束 end s")
    for one in said["actions"]:
        done = "是 yes" if one["found"] else "[red]否 no[/]"
        table.add_row(bilingual(Action(one["action"])), done, _number(one["start_s"]), _number(one["end_s"]))
    console.print(table)
    events = "  ".join(f"{bilingual(Action(one['action']))} {one['at_s']:.2f} s" for one in said["events"])
    console.print(f"看到的动作 seen: {events or '–'}", soft_wrap=True)


def print_calibration(said: dict[str, Any]) -> None:
    """Print the result of `faces calibrate`."""
    console = Console(highlight=False)
    console.print(f"人 people: {said['people']:,}  照片 pictures: {said['pictures']:,}")
    console.print(f"本人配对 genuine pairs: {said['genuine_pairs']:,}  他人 impostor pairs: {said['impostor_pairs']:,}")
    for one in said["left_out"]:
        console.print(f"未用 left out {one['file']}: {one['reason']}", style="yellow", markup=False, soft_wrap=True)
    table = Table("距离 distance", "漏认 FNMR %", "误认 FMR %")
    for line in said["thresholds"]:
        if round(line["distance"] * 100) % 5 == 0:
            table.add_row(f"{line['distance']:.2f}", _percent(line, "fnmr"), _percent(line, "fmr"))
    console.print(table)
    proposal = said["proposal"]
    for name in ("match_distance", "reject_distance"):
        console.print(f"建议 proposal liveness.{name}: {_number(proposal[name])}")
    if proposal["why"]:
        console.print(proposal["why"], style="yellow", markup=False, soft_wrap=True)


def print_metrics(said: dict[str, Any]) -> None:
    """Print the result of `faces metrics`."""
    table = Table("类别 species", "种类 kind", "n", "错误率 error % (95 %)", "无应答 no response %")
    for line in said["live"]:
        table.add_row("真人 live", line["kind"], str(line["presentations"]), f"BPCER {_percent(line, 'bpcer')}",
                      f"BPNRR {_percent(line, 'bpnrr')}")  # fmt: skip
    for line in said["attacks"]:
        table.add_row(line["species"], line["kind"], str(line["presentations"]), f"APCER {_percent(line, 'apcer')}",
                      f"APNRR {_percent(line, 'apnrr')}")  # fmt: skip
    console = Console(highlight=False)
    console.print(table)
    worst = said["max_apcer"]
    console.print(f"最高 APCER / worst APCER: {'–' if worst is None else f'{100 * worst:.1f} %'}")


def _percent(line: dict[str, Any], name: str) -> str:
    share, interval = line[name], line[f"{name}_interval"]
    return "–" if share is None else f"{100 * share:.2f} ({100 * interval[0]:.2f}–{100 * interval[1]:.2f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
