"""The one ordered list of rules."""

from __future__ import annotations

from online_guard.errors import ErrorKind, GuardError
from online_guard.rules.base import Rule
from online_guard.rules.checks import (
    og101_fast_forward,
    og102_skip_ahead,
    og103_declared_rate,
    og104_clock_lead,
    og105_rewritten_events,
    og106_silence,
    og107_impossible_order,
    og201_overlapping_sessions,
    og202_several_players,
    og203_hidden_playback,
    og204_unfocused_playback,
    og301_pop_up_gap,
    og302_ignored_pop_up,
    og303_scripted_answers,
    og304_pop_up_chain,
    og305_pop_up_not_shown,
    og401_liveness_missing,
    og402_liveness_failed,
    og403_liveness_doubtful,
    og404_wrong_person,
    og405_bad_snapshot,
    og406_presented_attack,
    og407_doubtful_person,
    og408_unverified_lesson,
    og501_out_of_order,
    og601_no_snapshot,
    og602_reused_snapshot,
    og603_foreign_snapshot,
    og604_reference_replayed,
    og605_lookalike_snapshot,
    og701_short_class_hour,
    og702_unfinished_lesson,
    og703_outside_class_dates,
    og801_shared_face,
    og802_shared_device,
    og803_mechanical_telemetry,
    og804_copied_timeline,
    og805_known_tool,
    og901_control_missing,
    og902_predictable_control,
)

RULES: tuple[Rule, ...] = (
    og101_fast_forward.RULE,
    og102_skip_ahead.RULE,
    og103_declared_rate.RULE,
    og104_clock_lead.RULE,
    og105_rewritten_events.RULE,
    og106_silence.RULE,
    og107_impossible_order.RULE,
    og201_overlapping_sessions.RULE,
    og202_several_players.RULE,
    og203_hidden_playback.RULE,
    og204_unfocused_playback.RULE,
    og301_pop_up_gap.RULE,
    og302_ignored_pop_up.RULE,
    og303_scripted_answers.RULE,
    og304_pop_up_chain.RULE,
    og305_pop_up_not_shown.RULE,
    og401_liveness_missing.RULE,
    og402_liveness_failed.RULE,
    og403_liveness_doubtful.RULE,
    og404_wrong_person.RULE,
    og405_bad_snapshot.RULE,
    og406_presented_attack.RULE,
    og407_doubtful_person.RULE,
    og408_unverified_lesson.RULE,
    og501_out_of_order.RULE,
    og601_no_snapshot.RULE,
    og602_reused_snapshot.RULE,
    og603_foreign_snapshot.RULE,
    og604_reference_replayed.RULE,
    og605_lookalike_snapshot.RULE,
    og701_short_class_hour.RULE,
    og702_unfinished_lesson.RULE,
    og703_outside_class_dates.RULE,
    og801_shared_face.RULE,
    og802_shared_device.RULE,
    og803_mechanical_telemetry.RULE,
    og804_copied_timeline.RULE,
    og805_known_tool.RULE,
    og901_control_missing.RULE,
    og902_predictable_control.RULE,
)

BY_ID: dict[str, Rule] = {rule.id: rule for rule in RULES}


def rule_of(rule_id: str) -> Rule:
    """Return a rule by its id, in upper or lower case.

    Raises:
        GuardError: There is no such rule.
    """
    rule = BY_ID.get(rule_id.upper())
    if rule is None:
        raise GuardError(
            ErrorKind.NOT_FOUND,
            "rules.unknown",
            f"没有规则 {rule_id} / no rule {rule_id}",
            remedy="`online-guard rules` 列出全部规则。 / `online-guard rules` lists them all.",
        )
    return rule
