"""The one error type goes through pickling whole, and reads as one line."""

import pickle

from online_guard.errors import ErrorKind, Fault, GuardError


def test_an_error_comes_out_of_a_worker_process_as_it_went_in() -> None:
    error = GuardError(
        ErrorKind.MALFORMED,
        "bundle.unreadable",
        "坏 / bad",
        where="a:1",
        remedy="修 / mend",
        faults=(Fault("a:1", "坏"),),
    )
    copy = pickle.loads(pickle.dumps(error))
    assert vars(copy) == vars(error)
    assert str(copy) == "a:1: 坏 / bad 修 / mend"


def test_an_error_without_place_or_remedy_is_its_message() -> None:
    assert str(GuardError(ErrorKind.INVALID, "x", "错 / wrong")) == "错 / wrong"
