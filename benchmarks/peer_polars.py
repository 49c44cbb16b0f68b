"""Six rules in Polars: one lazy pass over the events on the streaming engine, then small tables.

Shifts and running sums go over the whole file, which is sorted; group_by and over, by session, would hash it.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

SESSION = ["platform_id", "session_id"]
POPUPS = ["popup_shown", "popup_answered", "popup_expired"]
WINDOW = ["hidden", "visible", "player_opened", "player_closed"]
NOISE = 1e-6
Limits = dict[str, float]


def find(bundle: Path, limits: Limits) -> pl.DataFrame:
    """Return `rule` and `subject_id` of every finding."""
    steps = _steps(bundle / "events.parquet", limits)
    runs, said = pl.collect_all([_runs(steps, limits), _said(steps)], engine="streaming")
    sittings = _sittings(bundle, runs, limits)
    found = [
        _fast_forward(steps, sittings, limits),
        _named("OG103", sittings.filter("declares")),
        _overlapping(runs, sittings, limits),
        _hidden(said, sittings, limits),
        _popup_gap(said, sittings, limits),
    ]
    rejected = pl.concat(found)
    return pl.concat([rejected, _unfinished(bundle, runs, sittings, rejected, limits)])


def _steps(path: Path, limits: Limits) -> pl.LazyFrame:
    """Return each event with the interval that ends at it, the session's running clock and the number of its run."""
    col, before = pl.col, {name: pl.col(name).shift() for name in ("at_ms", "type", "playing", "position_s", "from_s")}
    stale = (col("type") == "play") & (before["type"] == "seek")
    stale &= (col("position_s") - before["from_s"]).abs() <= limits["slack_s"] + NOISE
    same = (col("session_id") == col("session_id").shift()) & (col("platform_id") == col("platform_id").shift())
    events = pl.scan_parquet(path).with_columns(same=same.fill_null(value=False), was=before["type"])
    events = events.with_columns(
        stands_s=pl.when(stale & col("same")).then(before["position_s"]).otherwise(col("position_s")),
        plays=col("same") & before["playing"] & (col("was") != "player_closed"),
        begin_ms=before["at_ms"],
    )
    events = events.with_columns(start_s=col("stands_s").shift(), delta_ms=col("at_ms") - col("begin_ms"))
    landed = pl.when(col("type") == "seek").then(pl.coalesce("from_s", "start_s")).otherwise(col("stands_s"))
    events = events.with_columns(end_s=landed)
    gain = (col("end_s") - col("start_s")).clip(0) - limits["pace"] * col("delta_ms") / 1000
    in_chain = col("plays") & (col("delta_ms") >= 0) & ~((col("type") == "seek") & col("from_s").is_null())
    observed = col("plays") & col("delta_ms").is_between(1, limits["silence_ms"])
    ahead = col("end_s") - col("start_s") - limits["pace"] * col("delta_ms") / 1000
    watched = (col("end_s") >= col("start_s")) & (ahead <= limits["slack_s"] + NOISE)
    events = events.with_columns(
        gain_s=pl.when(in_chain).then(gain),
        kind=pl.when(observed).then(1 + watched.cast(pl.Int8)).otherwise(0).cast(pl.Int8),
        declares=col("playing") & (col("rate") > limits["pace"] + NOISE),
    )
    played = pl.when(col("kind") > 0).then(col("delta_ms")).otherwise(0).cum_sum()
    goes_on = col("same") & (col("kind") == col("kind").shift()) & (col("start_s") == col("end_s").shift())
    return events.with_columns(
        run=(~goes_on).fill_null(value=True).cast(pl.Int64).cum_sum(),
        played_ms=played,
    )


def _runs(steps: pl.LazyFrame, limits: Limits) -> pl.LazyFrame:
    """Return runs: neighbouring intervals of one kind that go on where the one before ended."""
    return (
        steps.with_columns(pl.col("run").set_sorted())
        .group_by("run")
        .agg(
            pl.col(SESSION).first().cast(pl.String),
            pl.col("kind").first(),
            pl.col("begin_ms").min(),
            pl.col("at_ms").max().alias("end_ms"),
            pl.col("start_s").min(),
            pl.col("end_s").max(),
            pl.col("gain_s").clip(0).sum().alias("gained_s"),
            pl.col("declares").any(),
            (pl.col("received_ms") - pl.col("at_ms")).min().alias("offset_ms"),
            pl.col("played_ms").max().alias("until_ms"),
        )
    )


def _said(steps: pl.LazyFrame) -> pl.LazyFrame:
    return steps.filter(pl.col("type").is_in(POPUPS + WINDOW)).select(
        pl.col(*SESSION, "type", "popup").cast(pl.String), "seq", "played_ms"
    )


def _sittings(bundle: Path, runs: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Return a row for each session with its owner, its clocks and its place in the running clock."""
    col, plays = pl.col, pl.col("kind") > 0
    of_session = runs.group_by(SESSION).agg(
        (col("end_ms") - col("begin_ms")).filter(plays).sum().alias("playing_ms"),
        col("begin_ms").filter(plays).min().alias("first_ms"),
        col("end_ms").filter(plays).max().alias("last_ms"),
        col("gained_s").sum(),
        col("declares").any(),
        col("offset_ms").min(),
        col("until_ms").max(),
    )
    openings = pl.scan_ndjson(bundle / "sessions.ndjson").select(
        *SESSION, "enrolment_id", "lesson_no", "opened_received_ms", "opened_at_ms"
    )
    learners = pl.scan_ndjson(bundle / "enrolments.ndjson").select("enrolment_id", "learner_id")
    opening = col("opened_received_ms") - col("opened_at_ms")
    offset = pl.max_horizontal(pl.min_horizontal(opening, "offset_ms"), opening - limits["lead_ms"])
    sittings = openings.join(of_session.lazy(), on=SESSION).join(learners, on="enrolment_id")
    return sittings.with_columns(
        subject_id=pl.concat_str(SESSION, separator="/"),
        offset_ms=offset,
        begun_ms=col("until_ms") - col("playing_ms"),
    ).collect()


def _named(rule: str, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(rule=pl.lit(rule), subject_id="subject_id")


def _fast_forward(steps: pl.LazyFrame, sittings: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Return OG101: only sessions that gained enough in all are looked at again, event by event."""
    gaining = sittings.filter(pl.col("gained_s") > limits["slack_s"]).select(*SESSION, "subject_id")
    chain = steps.filter(
        pl.col("gain_s").is_not_null(), pl.col("session_id").is_in(gaining["session_id"].unique().implode())
    )
    chain = chain.select(pl.col(SESSION).cast(pl.String), "seq", "gain_s").collect(engine="streaming")
    chain = chain.join(gaining, on=SESSION).sort("subject_id", "seq")
    chain = chain.with_columns(pl.col("gain_s").cum_sum().over("subject_id"))
    excess = pl.col("gain_s") - pl.col("gain_s").cum_min().over("subject_id").clip(upper_bound=0)
    return _named("OG101", chain.filter(excess > limits["slack_s"] + NOISE).unique("subject_id"))


def _fresh(group: list[str], begin: str, end: str) -> pl.Expr:
    """Return how much of each interval no earlier one of its group covers; rows are sorted by group and begin."""
    covered = pl.col(end).cum_max().shift().over(group).fill_null(0)
    return (pl.col(end) - pl.max_horizontal(begin, covered)).clip(0)


def _overlapping(runs: pl.DataFrame, sittings: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Return OG201: overlaps of playing spans, only of sessions of one learner that lie over each other at all."""
    col = pl.col
    moments = [(col(name) + col("offset_ms")).alias(name) for name in ("first_ms", "last_ms")]
    own = sittings.filter(col("playing_ms") > 0).with_columns(moments)
    own = own.select("learner_id", "subject_id", *SESSION, "offset_ms", "playing_ms", "first_ms", "last_ms")
    over = (col("first_ms") < col("last_ms_right")) & (col("first_ms_right") < col("last_ms"))
    touching = own.lazy().join(own.lazy(), on="learner_id").filter(col("subject_id") != col("subject_id_right"), over)
    touching = touching.select("subject_id", "subject_id_right", "playing_ms").collect()
    spans = runs.filter(col("kind") > 0).join(own, on=SESSION)
    spans = spans.select("subject_id", *((col(name) + col("offset_ms")).alias(name) for name in ("begin_ms", "end_ms")))
    pieces = touching.join(spans, on="subject_id").join(
        spans.rename({"subject_id": "subject_id_right", "begin_ms": "from_ms", "end_ms": "to_ms"}),
        on="subject_id_right",
    )
    pieces = pieces.with_columns(
        begin_ms=pl.max_horizontal("begin_ms", "from_ms"), end_ms=pl.min_horizontal("end_ms", "to_ms")
    )
    pieces = pieces.filter(col("begin_ms") < col("end_ms")).sort("subject_id", "begin_ms", "end_ms")
    sums = pieces.with_columns(fresh_ms=_fresh(["subject_id"], "begin_ms", "end_ms"))
    sums = sums.group_by("subject_id", "playing_ms").agg(col("fresh_ms").sum())
    half = 2 * col("fresh_ms") >= col("playing_ms")
    return _named("OG201", sums.filter((col("fresh_ms") > limits["overlap_ms"]) | half))


def _clocked(said: pl.DataFrame, sittings: pl.DataFrame, types: list[str]) -> pl.DataFrame:
    """Return events of some types in order, with the session's playing clock at each."""
    said = said.filter(pl.col("type").is_in(types))
    own = sittings.select(*SESSION, "subject_id", "begun_ms", "playing_ms")
    return said.join(own, on=SESSION, maintain_order="left").with_columns(
        clock_ms=pl.col("played_ms") - pl.col("begun_ms")
    )


def _hidden(said: pl.DataFrame, sittings: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Return OG203."""
    col, own = pl.col, "subject_id"
    turns = _clocked(said, sittings, WINDOW)
    begins = col("type") == "hidden"
    turns = turns.filter(~(begins & begins.shift().over(own).fill_null(value=False)))
    until = col("clock_ms").shift(-1).over(own).fill_null(col("playing_ms"))
    stretches = turns.with_columns(hidden_ms=until - col("clock_ms")).filter(begins)
    sums = stretches.group_by(own, "playing_ms").agg(total=col("hidden_ms").sum(), longest=col("hidden_ms").max())
    most = pl.max_horizontal(pl.lit(limits["hidden_total_ms"]), limits["hidden_share"] * col("playing_ms"))
    return _named("OG203", sums.filter((col("longest") > limits["hidden_ms"]) | (col("total") > most + 1e-3)))


def _popup_gap(said: pl.DataFrame, sittings: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Return OG301."""
    col, own = pl.col, "subject_id"
    popups = _clocked(said, sittings, POPUPS)
    after = {name: col(name).shift(-1).over(own, "popup") for name in ("type", "clock_ms")}
    popups = popups.with_columns(
        answered=(after["type"] == "popup_answered").fill_null(value=False),
        waited_ms=after["clock_ms"] - col("clock_ms"),
    )
    shown = popups.filter(col("type") == "popup_shown").with_columns(
        is_last=col("seq") == col("seq").max().over(own),
        answered_before=col("answered").cum_max().shift().over(own).fill_null(value=False),
    )
    left_open = col("is_last") & col("answered_before")
    left_open &= col("playing_ms") - col("clock_ms") <= limits["answer_ms"]
    in_time = col("waited_ms") <= limits["answer_ms"]
    controls = shown.filter(pl.when("answered").then(in_time).otherwise(left_open))
    gaps = controls.with_columns(gap_ms=col("clock_ms") - col("clock_ms").shift().over(own).fill_null(0))
    gaps = gaps.group_by(own).agg(col("gap_ms").max(), latest_ms=col("clock_ms").max())
    widest = sittings.filter(col("playing_ms") > 0).join(gaps, on=own, how="left")
    to_end = col("playing_ms") - col("latest_ms").fill_null(0)
    return _named("OG301", widest.filter(pl.max_horizontal("gap_ms", to_end) >= limits["gap_ms"]))


def _unfinished(
    bundle: Path, runs: pl.DataFrame, sittings: pl.DataFrame, rejected: pl.DataFrame, limits: Limits
) -> pl.DataFrame:
    """Return OG702: coverage by the sessions that nothing rejects, capped by their playing clocks."""
    col, lesson = pl.col, ["enrolment_id", "lesson_no"]
    syllabus = pl.read_json(bundle / "classes.json").select("class_id", "lessons").explode("lessons")
    syllabus = syllabus.unnest("lessons").select("class_id", "lesson_no", "duration_s")
    classes = pl.read_ndjson(bundle / "enrolments.ndjson").select("enrolment_id", "class_id")
    opened = sittings.select(lesson).unique().join(classes, on="enrolment_id")
    opened = opened.join(syllabus, on=["class_id", "lesson_no"])
    counted = sittings.join(rejected, on="subject_id", how="anti")
    segments = runs.filter(col("kind") == 2).join(counted.select(*SESSION, *lesson), on=SESSION)
    segments = segments.join(opened, on=lesson).with_columns(
        pl.min_horizontal("start_s", "duration_s"), end_s=pl.min_horizontal("end_s", "duration_s")
    )
    segments = segments.sort(*lesson, "start_s", "end_s").with_columns(fresh_s=_fresh(lesson, "start_s", "end_s"))
    covered = segments.group_by(lesson).agg(col("fresh_s").sum())
    clocks = counted.group_by(lesson).agg(cap_s=limits["pace"] * col("playing_ms").sum() / 1000 + limits["slack_s"])
    lessons = opened.join(covered, on=lesson, how="left").join(clocks, on=lesson, how="left")
    credited = pl.min_horizontal("fresh_s", "cap_s").fill_null(0)
    missed = lessons.filter(credited / col("duration_s") < limits["coverage"] - 1e-9)
    return _named("OG702", missed.with_columns(subject_id=pl.concat_str(lesson, separator="/")))
