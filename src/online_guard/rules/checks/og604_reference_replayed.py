"""OG604 reference-replayed 重放登记照片

查什么 / What it looks for
    照片或视频帧就是某人的登记照(残差不超过 same_picture_residual);或本会话两张为同一张且相隔 2 秒以上(其中有视频帧时
    62 秒以上)。

    A capture is an enrolled reference photo itself, anyone's (residual of at most same_picture_residual); or two
    captures of the session are the same picture, more than 2 s apart (62 s when one is a frame of a clip).

阈值 / Thresholds
    snapshot.same_picture_residual

条款 / Clause
    拿登记照应付比对,不是随机保留的影像。残差界限是工程容差。

    Presenting the reference isn't a random image of the learner. The residual's limit is engineering.

证据 / Evidence
    value: 1:每处记一次
    limit: 0
    count: 此类照片或帧数
    capture: 第一张

    value: 1: each place counts once
    limit: 0
    count: such captures
    capture: the first of them

边界 / Boundary
    残差恰好等于界限算;恰好相隔 2 秒(62 秒)不算。

    A residual equal to the limit holds; exactly 2 s (62 s) apart passes.

诚实学员 / Honest learner
    平台在登记当天把首张留存照片直接登记为参考照,则二者本是同一张;或摄像头卡住,连续送出同一帧。

    A platform that enrolled the first retained snapshot as the reference: then both are one picture; or a camera that
    froze and sent one frame for minutes.

申诉 / Appeal
    平台可出示登记照由该照片生成的记录,另拍登记照后重新比对。学员可说明摄像头卡住的时段:同段的活体视频若有动作,说明人
    在场。

    A platform can show that the reference was made from that snapshot, and take a new one. A learner can name when
    the camera froze: moves in a liveness clip nearby show that someone sat there.

不应报 / Must stay silent
    感知哈希或向量相近的真实照片;不合格的照片。

    Honest captures whose hash or vector is close; captures that aren't good.

起 / Since
    0.1
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
