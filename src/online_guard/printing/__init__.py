"""From plain data to a PDF: templates set by typst, days in words, what the font lacks, and the learner's notice."""

from online_guard.printing.typesetting import Made, typeset

__all__ = ["Made", "typeset"]
