"""The rules of SPEC section 4: pure functions from columns and policy to findings."""
