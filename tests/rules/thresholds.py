"""Thresholds that decide scenarios: moved by a little, each turns one red."""

from __future__ import annotations

THRESHOLDS: list[tuple[str, str, float, float]] = [
    *[("OG101", "playback.slack_s", -0.001, 0.001), ("OG101", "playback.rate_tolerance", -0.0001, 0.0001)],
    *[("OG101", "playback.max_rate", -0.0001, 0.0001), ("OG102", "playback.slack_s", -0.001, 0.001)],
    *[("OG102", "playback.max_silence_s", -0.001, 0.001), ("OG102", "windows.overlap_slack_s", -0.001, 0.001)],
    *[("OG102", "playback.rate_tolerance", -0.0001, 0.0001), ("OG103", "playback.max_rate", -0.001, 0.001)],
    *[("OG103", "playback.rate_tolerance", -0.001, 0.001), ("OG104", "clock.max_lead_s", -0.001, 0.001)],
    *[("OG105", "playback.slack_s", -0.001, 0.001), ("OG106", "playback.max_silence_s", -0.001, 0.001)],
    *[("OG107", "playback.slack_s", -0.001, 0.001), ("OG201", "windows.overlap_slack_s", -0.001, 0.001)],
    *[("OG202", "windows.overlap_slack_s", -0.001, 0.001), ("OG203", "windows.max_hidden_s", -0.001, 0.001)],
    *[("OG203", "windows.max_hidden_total_s", -0.001, 0.001), ("OG203", "windows.max_hidden_share", -2e-5, 2e-5)],
    *[("OG204", "windows.max_hidden_s", -0.001, 0.001), ("OG301", "popup.max_gap_s", -0.001, 0.001)],
    *[("OG301", "popup.answer_timeout_s", -0.001, 0.001), ("OG302", "popup.answer_timeout_s", -0.001, 0.001)],
    *[("OG303", "popup.min_reaction_ms", -1, 1), ("OG304", "popup.max_gap_s", -0.001, 0.001)],
    *[("OG305", "popup.answer_timeout_s", -0.001, 0.001), ("OG305", "popup.max_gap_s", -0.001, 0.001)],
    *[("OG401", "liveness.min_playing_s", -0.001, 0.001), ("OG402", "liveness.min_playing_s", -0.001, 0.001)],
    *[("OG402", "liveness.passes_per_session", -1, 1), ("OG403", "liveness.passes_per_session", -1, 1)],
    *[("OG403", "liveness.failures_for_review", -1, 1), ("OG404", "liveness.reject_distance", -2e-5, 2e-5)],
    *[("OG407", "liveness.match_distance", -2e-5, 2e-5), ("OG407", "liveness.reject_distance", -2e-5, 2e-5)],
    *[("OG408", "hours.min_coverage", -2e-5, 2e-5), ("OG501", "order.min_coverage", -2e-5, 2e-5)],
    *[("OG501", "windows.overlap_slack_s", -0.001, 0.001), ("OG601", "hours.min_coverage", -2e-5, 2e-5)],
    *[("OG601", "snapshot.per_class_hour", -1, 1), ("OG602", "snapshot.same_picture_residual", -0.0001, 0.0001)],
    *[("OG603", "clock.max_lead_s", -0.001, 0.001), ("OG604", "snapshot.same_picture_residual", -0.0001, 0.0001)],
    ("OG605", "snapshot.phash_distance", -1, 1),
    *[("OG701", "hours.class_hour_s", -0.001, 0.001), ("OG701", "hours.tolerance_s", -0.001, 0.001)],
    *[("OG702", "hours.min_coverage", -2e-5, 2e-5), ("OG801", "liveness.shared_face_distance", -2e-5, 2e-5)],
    *[("OG802", "windows.overlap_slack_s", -0.001, 0.001), ("OG802", "device.max_learners", -1, 1)],
    *[("OG901", "control.min_share", -0.1, 0.0001), ("OG901", "control.min_sessions", -1, 1)],
    *[("OG901", "popup.max_gap_s", -0.001, 0.001), ("OG901", "liveness.min_playing_s", -0.001, 0.001)],
    *[("OG902", "control.window_s", -0.001, 0.001), ("OG902", "control.min_controls", -1, 1)],
]
"""Rule, threshold, and by how little it is moved down and up.

The residual of OG605 isn't here: where it shows one picture instead of two, OG602 takes the finding over.
"""
