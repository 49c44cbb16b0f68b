from collections.abc import Sequence
from random import Random

import pytest

from online_guard.simulate.recorder import Directive, Network, Opening, Sitting, TelemetryEvent, changed
from online_guard.simulate.tape import Tape
from online_guard.terms import EventType

OPENING = Opening("p", "s1", "e1", 1, 1_000_000, "pc", "browser")
PLAIN = Network(latency_ms=(100, 100), duplicate_share=0, reorder_share=0)


class Recording(Tape):
    """A tape that also keeps each batch as it came."""

    def __init__(self) -> None:
        super().__init__(Random(1))
        self.batches: list[tuple[int, list[int]]] = []

    def post(self, opening: Opening, events: Sequence[TelemetryEvent], now_ms: int) -> Sequence[Directive]:
        self.batches.append((now_ms, [event.seq for event in events]))
        return super().post(opening, events, now_ms)


def sitting(service: Tape, network: Network = PLAIN, clock_rate: float = 1.0) -> Sitting:
    return Sitting(service, OPENING, 5_000_000, 60.0, Random(2), clock_rate=clock_rate, network=network)


def test_media_moves_with_time_only_while_it_plays_and_never_past_the_end() -> None:
    learner = sitting(Tape(Random(1)))
    player = learner.player("a")
    learner.wait(5_000)
    assert player.position_s == 0
    player.play()
    learner.wait(10_000)
    assert player.position_s == pytest.approx(10)
    player.stalled = True
    learner.wait(10_000)
    assert player.position_s == pytest.approx(10)
    player.stalled = False
    player.media_rate = 2
    learner.wait(20_000)
    assert player.position_s == pytest.approx(50)
    learner.wait(20_000)
    assert player.position_s == 60


def test_client_and_service_clock_keep_their_distance_unless_the_timer_is_hooked() -> None:
    honest, hooked = sitting(Tape(Random(1))), sitting(Tape(Random(1)), clock_rate=2.0)
    for one, service_ms in ((honest, 30_000), (hooked, 15_000)):
        client_before, service_before = one.at_ms, one.now_ms
        one.wait(30_000)
        assert one.at_ms - client_before == pytest.approx(30_000, abs=1)
        assert one.now_ms - service_before == pytest.approx(service_ms)


def test_two_players_at_once_count_once_and_silence_counts_nothing() -> None:
    learner = sitting(Tape(Random(1)))
    first, second = learner.player("a"), learner.player("b")
    first.play()
    second.play()
    learner.wait(10_000)
    assert learner.playing_ms == 10_000
    learner.wait(60_001)
    assert learner.playing_ms == 10_000


def test_events_carry_their_player_and_rise_in_seq() -> None:
    learner = sitting(Tape(Random(1)))
    player = learner.player("a")
    player.play()
    learner.wait(1_000)
    player.seek(40)
    player.say(EventType.POPUP_SHOWN, popup="x")
    assert [event.seq for event in learner.said] == [0, 1, 2]
    assert learner.said[1].as_row() == {
        "seq": 1, "type": "seek", "at_ms": learner.at_ms, "position_s": 40, "from_s": 1.0, "playing": True,
        "rate": 1.0, "player": "a",
    }  # fmt: skip
    assert learner.said[2].as_row()["popup"] == "x"


def test_a_stale_play_says_the_old_position_and_goes_on_at_the_new_one() -> None:
    learner = sitting(Tape(Random(1)))
    player = learner.player("a", 30)
    player.seek(10)
    player.play(stale_position_s=30)
    learner.wait(1_000)
    assert learner.said[-1].position_s == 30
    assert player.position_s == pytest.approx(11)


def test_delivery_twice_in_halves_and_late() -> None:
    twice, halves = Recording(), Recording()
    for service, network in (
        (twice, Network((100, 100), duplicate_share=1, reorder_share=0)),
        (halves, Network((100, 100), duplicate_share=0, reorder_share=1)),
    ):
        learner = sitting(service, network)
        player = learner.player("a")
        for _ in range(4):
            player.say(EventType.HEARTBEAT)
        learner.offline = True
        learner.deliver()
        assert service.batches == []
        learner.offline = False
        learner.deliver()
    assert [seqs for _, seqs in twice.batches] == [[0, 1, 2, 3], [0, 1, 2, 3]]
    assert [seqs for _, seqs in halves.batches] == [[2, 3], [0, 1]]
    assert halves.batches[0][0] < halves.batches[1][0]


def test_a_rewritten_event_keeps_its_seq() -> None:
    service = Recording()
    learner = sitting(service)
    event = learner.player("a").say(EventType.HEARTBEAT)
    learner.deliver()
    learner.rewrite(changed(event, 9.0))
    assert [row["seq"] for row in service.rows["events"]] == [0, 0]
    assert [row["position_s"] for row in service.rows["events"]] == [0, 9.0]
