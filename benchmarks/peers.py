"""Six rules in DuckDB SQL and in Polars, to measure against: `python benchmarks/peers.py {duckdb,polars} BUNDLE`.

OG101 fast-forward, OG103 declared-rate, OG201 overlapping-sessions, OG203 hidden-playback, OG301 pop-up-gap and OG702
unfinished-lesson, written against SPEC 3.3 and 4 for what `county_year.py` makes: Parquet sorted by (platform, session,
seq), one player a session whose clock never steps back, each event once, every seek with `from_s`, no decisions, and
no session that only another rule rejects. Prints the findings as JSON; with `--compare FINDINGS` (findings.ndjson of
`online-guard revalidate`) says whether they are the same, exit status 1 where not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from online_guard.policy import load_policy

RULES = ("OG101", "OG103", "OG201", "OG203", "OG301", "OG702")
THREADS = 2
MEMORY = "8GB"
Answers = dict[str, set[str]]


def limits() -> dict[str, float]:
    """Return the numbers of the shipped policy that the six rules compare with."""
    policy = load_policy("huangchuan-2021")
    playback, windows, popup = policy.playback, policy.windows, policy.popup
    return {
        "pace": playback.max_rate * (1 + playback.rate_tolerance),
        "slack_s": playback.slack_s,
        "silence_ms": round(playback.max_silence_s * 1000),
        "lead_ms": round(policy.clock.max_lead_s * 1000),
        "overlap_ms": round(windows.overlap_slack_s * 1000),
        "hidden_ms": round(windows.max_hidden_s * 1000),
        "hidden_total_ms": round(windows.max_hidden_total_s * 1000),
        "hidden_share": windows.max_hidden_share,
        "gap_ms": round(popup.max_gap_s * 1000),
        "answer_ms": round(popup.answer_timeout_s * 1000),
        "coverage": policy.hours.min_coverage,
    }


def run_duckdb(bundle: Path) -> Answers:
    """Return the subjects that each rule names, by DuckDB."""
    import duckdb  # noqa: PLC0415  of two peers only the one that runs is loaded, and measured

    with duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY}) as connection:
        files = {name: str(bundle / name) for name in ("events.parquet", "sessions.ndjson", "enrolments.ndjson")}
        files["classes"] = str(bundle / "classes.json")
        for name, value in (limits() | {name.partition(".")[0]: path for name, path in files.items()}).items():
            connection.execute(f"SET VARIABLE {name} = {value!r}")
        connection.execute((Path(__file__).parent / "peer_duckdb.sql").read_text(encoding="utf-8"))
        return _by_rule(connection.execute("SELECT rule, subject_id FROM findings").fetchall())


def run_polars(bundle: Path) -> Answers:
    """Return the subjects that each rule names, by Polars."""
    os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))
    import peer_polars  # noqa: PLC0415  Polars reads its number of threads when it is imported

    return _by_rule(peer_polars.find(bundle, limits()).rows())


def _by_rule(rows: list[tuple[str, str]]) -> Answers:
    answers: Answers = {rule: set() for rule in RULES}
    for rule, subject_id in rows:
        answers[rule].add(subject_id)
    return answers


def read_findings(path: Path) -> Answers:
    """Return what `online-guard revalidate` found by the six rules."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return _by_rule([(row["rule"], row["subject_id"]) for row in rows if row["rule"] in RULES])


def read_answers(path: Path) -> Answers:
    """Return what a peer printed."""
    return {rule: set(subjects) for rule, subjects in json.loads(path.read_text(encoding="utf-8")).items()}


def differences(ours: Answers, theirs: Answers) -> list[str]:
    """Return a line for each rule whose subjects differ."""
    return [
        f"{rule}: {len(ours[rule] - theirs[rule])} missing, {len(theirs[rule] - ours[rule])} too many, "
        f"such as {sorted(ours[rule] ^ theirs[rule])[:3]}"
        for rule in RULES
        if ours[rule] != theirs[rule]
    ]


def main() -> int:
    """Run one peer over a bundle."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("peer", choices=["duckdb", "polars"])
    arguments.add_argument("bundle", type=Path)
    arguments.add_argument("--compare", type=Path, metavar="FINDINGS")
    given = arguments.parse_args()
    answers = {"duckdb": run_duckdb, "polars": run_polars}[given.peer](given.bundle)
    if given.compare is None:
        print(json.dumps({rule: sorted(subjects) for rule, subjects in answers.items()}))
        return 0
    different = differences(read_findings(given.compare), answers)
    print("\n".join(different) or "same answers")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
