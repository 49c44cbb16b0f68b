"""What auditors see and say: cases, decisions, appeals, notices, overviews."""
