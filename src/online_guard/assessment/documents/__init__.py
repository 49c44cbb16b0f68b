"""From a published roster to files that people print, open and subscribe to."""

from online_guard.assessment.documents.files import FILES, Made, Written, class_calendar, make, write
from online_guard.assessment.documents.papers import AnnexTwo, Papers, Person, masked

__all__ = ["FILES", "AnnexTwo", "Made", "Papers", "Person", "Written", "class_calendar", "make", "masked", "write"]
