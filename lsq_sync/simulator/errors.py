"""The one exception that leaves the simulator's start-up: somebody must change an input."""


class SimulatorError(Exception):
    """Names the place, what is wrong there and, where that helps, what to do."""

    def __init__(self, place: str, problem: str, remedy: str = "") -> None:
        super().__init__(place, problem, remedy)
        self.place = place
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.place}: {self.problem}"
        return f"{text}\n{self.remedy}" if self.remedy else text
