"""OG604 reference-replayed 重放登记照片

查什么 / What it looks for: 照片就是某人的登记照(重新编码、缩放、裁剪、模糊、改动像素);或本会话两张照片为同一张且相
    隔 2 s 以上(其中有活体视频帧时 62 s 以上)。A capture is an enrolled reference photo itself, or the session's
    captures repeat.
条款 / Clause: 21(2) 无法进行人脸活体比对; 随机保留影像照片.
证据 / Evidence: value = count = 张数 captures, limit = 0, capture = 第一张 the first of them.
边界 / Boundary: 恰好相隔 2 s(62 s)不算 exactly 2 s (62 s) apart passes.
不应报 / Must stay silent: 感知哈希或向量相近的真实照片 honest captures whose hash or vector is close.
起 / Since: 0.1
"""

from __future__ import annotations

import numpy as np

from online_guard.policy import Policy
from online_guard.rules.base import Facts, Findings, Reads, Rule, Together
from online_guard.rules.captures import OUTSIDE, RESIDUAL_NOISE, captures, same_pictures
from online_guard.terms import Subject

APART_MS = 2_000
CLIP_MS = 60_000
"""A frame has its check's `at_ms`, so it may lie so far from it (fixed in SPEC OG604)."""


def check(facts: Facts, policy: Policy) -> Findings:
    """Return the sessions that replay a reference photo or one of their own captures."""
    known, likenesses = captures(facts), facts.evidence.likenesses
    small = likenesses.residual <= policy.snapshot.same_picture_residual + RESIDUAL_NOISE
    replayed = known.row_of(likenesses.capture[small & likenesses.other_is_reference])
    replayed = replayed[replayed != OUTSIDE]
    replayed = replayed[known.counts[replayed]]
    found = same_pictures(facts, known, policy)
    capture, other = (column[found.other != OUTSIDE] for column in found)
    far = APART_MS + CLIP_MS * (known.is_frame[capture] | known.is_frame[other])
    repeats = known.session[capture] == known.session[other]
    repeats &= known.at_ms[capture] - known.at_ms[other] > far
    named = np.unique(np.concatenate((replayed, capture[repeats])))
    named = named[np.isin(known.session[named], facts.digest.sittings.session)]
    named = named[np.lexsort((known.at_ms[named], known.session[named]))]
    return Findings.of_places(
        known.session[named],
        value=np.ones(len(named), np.int64),
        limit=0,
        start_ms=known.at_ms[named],
        end_ms=known.at_ms[named],
        capture=known.key[named],
    )


RULE = Rule("OG604", "reference-replayed", "重放登记照片", Subject.SESSION, Together.FINGERPRINT, Reads.FACTS, check)
