"""online-guard: proves which class hours of online vocational training were really studied."""

__version__ = "0.1.0"
