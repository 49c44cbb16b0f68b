"""From the ledger to the offline assessment: windows and eligibility (SPEC section 6)."""
