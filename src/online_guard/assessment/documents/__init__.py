"""From a published roster to files that people print, open and subscribe to."""

from online_guard.assessment.documents.files import FILES, Written, make, write
from online_guard.assessment.documents.papers import AnnexTwo, Papers, Person, masked
from online_guard.printing import Made

__all__ = ["FILES", "AnnexTwo", "Made", "Papers", "Person", "Written", "make", "masked", "write"]
