"""One module for each duty, one function for each verb, one transaction each."""
