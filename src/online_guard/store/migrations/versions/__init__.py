"""One dated sentence each."""
