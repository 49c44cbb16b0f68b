"""What this process counts for Prometheus; what lies in the database is counted there (`store.backlog`).

No label holds the id of a learner, a session, a class or a platform.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import Counter, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter began says nothing that a restart doesn't
REQUESTS = Counter("online_guard_requests", "已答复的请求 / Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "online_guard_request_seconds",
    "答复所用秒数 / Seconds until a request was answered",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
EVENTS = Counter("online_guard_events", "收到的遥测事件 / Events received", ["result"])
REFUSED_EVENTS = Counter("online_guard_refused_events", "拒收的遥测事件 / Events refused", ["reason"])
COMMIT_SECONDS = Histogram(
    "online_guard_commit_seconds",
    "每组中最早的批次从排队到落盘的秒数 / Seconds from queueing to the commit, of the first of each group",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)

REASONS: Final = {
    "missing key": "missing_key",
    "unknown key": "unknown_key",
    "key given twice": "repeated_key",
    "unknown value": "unknown_value",
    "wrong type": "wrong_type",
    "not a finite number": "not_finite",
    "out of range": "out_of_range",
    "more than 24 h away": "far_from_clock",
    "closed more than 24 h ago": "late",
    "past the lesson's end": "past_the_end",
    "pop-up event without": "popup_missing",
    "a local time": "local_time",
    "not a time": "not_a_time",
    "an id has": "bad_id",
    "not one complete JSON": "not_json",
    "not UTF-8": "not_json",
}
"""Classes of refusal by words of the English half of the reason; anything else is `other`."""


def reason_class(reason: str) -> str:
    """Return the class of a refusal: one of a few words, whatever was sent.

    >>> reason_class("缺少字段 / missing key `player`")
    'missing_key'
    """
    return next((name for words, name in REASONS.items() if words in reason), "other")


def count_events(counts: Mapping[str, int], reasons: Iterable[str]) -> None:
    """Count events by result, and the refused by the class of their reason.

    Args:
        counts: How many events of a batch had which result.
        reasons: Of the refused.
    """
    for status, count in counts.items():
        EVENTS.labels(status).inc(count)
    for reason in reasons:
        REFUSED_EVENTS.labels(reason_class(reason)).inc()
