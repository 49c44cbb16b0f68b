"""What a learner's player would send: honest study and each kind of cheating, drawn from a seed."""
