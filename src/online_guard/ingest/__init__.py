"""Foreign bytes → evidence and refusals; the only code that sees raw rows."""
