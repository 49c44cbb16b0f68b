"""HTTP JSON under /v1: parse, call one service function, present."""
