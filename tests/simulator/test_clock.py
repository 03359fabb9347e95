from lsq_sync.simulator.clock import Clock, Moment


class Hands:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_simulated_time_runs_at_its_scale_and_real_time_does_not() -> None:
    hands = Hands()
    clock = Clock(60, hands)
    hands.at += 2
    assert clock.now() == Moment(real=2, simulated=120)


def test_a_new_scale_holds_from_then_on() -> None:
    hands = Hands()
    clock = Clock(1, hands)
    hands.at += 10
    clock.set_scale(100)
    hands.at += 1
    assert clock.now() == Moment(real=11, simulated=110)


def test_skipping_moves_only_simulated_time() -> None:
    hands = Hands()
    clock = Clock(2, hands)
    hands.at += 5
    clock.skip(1000)
    hands.at += 1
    assert clock.now() == Moment(real=6, simulated=1012)
