"""Candidates, venues and a calendar → who sits where and when, or what stands in the way; no database, no HTTP."""

from online_guard.assessment.planning.answers import Blocked, Lack, Progress, Reason, Remedy, Step, Violation
from online_guard.assessment.planning.check import check
from online_guard.assessment.planning.plan import plan
from online_guard.assessment.planning.remedies import with_steps

__all__ = ["Blocked", "Lack", "Progress", "Reason", "Remedy", "Step", "Violation", "check", "plan", "with_steps"]
