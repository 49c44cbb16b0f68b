"""Policy packs: all thresholds, windows and catalogues of one county, each with its clause."""

from online_guard.policy.document import shipped_packs
from online_guard.policy.listing import PolicyLine, describe
from online_guard.policy.pack import Policy, load_policy
from online_guard.policy.sections import RULE_IDS, Occupations, Signature, ViolationScope, VocationalCertificate

DEFAULT_POLICY = "huangchuan-2021"

__all__ = [
    "DEFAULT_POLICY",
    "RULE_IDS",
    "Occupations",
    "Policy",
    "PolicyLine",
    "Signature",
    "ViolationScope",
    "VocationalCertificate",
    "describe",
    "load_policy",
    "shipped_packs",
]
