"""What stands in the comment of a pull request, and in an issue: our marks, and a text that fits.

The marks are an HTML comment in the first line, invisible to readers. They say whose text it is and
which plan was reviewed, so they count only in texts that our own account wrote. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

LIMIT = 65_536
"""Characters that a comment or an issue may have (GitHub: "body is too long")."""

Marks = Mapping[str, str]

_VALUE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_MARKS = re.compile(rf"<!-- lsq-sync((?: [a-z]+={_VALUE})+) -->[ \t]*(?:\r?\n|\Z)", re.ASCII)
_NAME = re.compile(rf"(?:{_VALUE})\Z", re.ASCII)


def is_name(text: str) -> bool:
    """Whether it can stand in a mark."""
    return _NAME.match(text) is not None


def marks_of(text: str) -> dict[str, str]:
    """The marks in the first line; none where that is anything else."""
    found = _MARKS.match(text)
    return dict(pair.split("=", 1) for pair in found[1].split()) if found else {}


def without_marks(text: str) -> str:
    """The text that people see."""
    found = _MARKS.match(text)
    return text[found.end() :] if found else text


def marked(marks: Marks, body: str) -> str:
    """The body under these marks, those of its own left out; cut where it would not fit."""
    listed = "".join(f" {name}={value}" for name, value in marks.items() if value)
    head = f"<!-- lsq-sync{listed} -->\n"
    return head + fitted(without_marks(body), LIMIT - len(head))


# --- a comment's life


@dataclass(frozen=True, slots=True)
class Said:
    """What a comment is to say. `commit` is the head of the pull request that a plan is of."""

    body: str
    commit: str = ""
    ends_plan: bool = False
    """There is no plan any more: the marks must not name the one of an earlier commit."""

    @property
    def run(self) -> str:
        """The run that it tells of, if it does."""
        return marks_of(self.body).get("run", "")


def next_comment(name: str, before: str, said: Said) -> str:
    """The text of the comment `name` that said `before` until now.

    An outcome keeps the mark of the plan that was reviewed; a plan begins anew.
    """
    old, new = marks_of(before), marks_of(said.body)
    if "plan" in new or said.ends_plan:
        marks = {"comment": name, "plan": new.get("plan", ""), "commit": said.commit}
    else:
        kept = {key: old.get(key, "") for key in ("plan", "commit")}
        marks = {"comment": name, **kept, "run": new.get("run", "")}
    return marked(marks, said.body)


def from_a_fork(body: str) -> str:
    """The body with a warning, and without the power to call people: strangers may have made it."""
    marks, text = _MARKS.match(body), without_marks(body)
    head = marks[0] if marks else ""
    return f"{head}{_FOREIGN}\n\n{calling_nobody(text)}"


def calling_nobody(text: str) -> str:
    """The text with every @ made harmless by a letter without width behind it."""
    return text.replace("@", "@\u200b")


_FOREIGN = (
    "> [!WARNING]\n"
    "> This plan was made by a run of a fork, which may have changed how it is made. "
    "What counts is the change of the files."
)


def is_empty(body: str) -> bool:
    """Whether there is nothing to tell: no text, or marks that count nothing (`drift=0`)."""
    return not without_marks(body).strip() or marks_of(body).get("drift") == "0"


def as_kept(text: str) -> str:
    """What GitHub keeps of a text: no line ends of its own, nor blanks at the end."""
    return text.replace("\r\n", "\n").rstrip()


# --- a text that fits


def fitted(text: str, limit: int) -> str:
    """The text, or those of its lines that fit, what they opened closed, and a word on that."""
    if length(text) <= limit:
        return text
    room = limit - len(_CUT) - _CLOSING
    kept: list[str] = []
    for line in text.split("\n"):
        room -= length(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join((*kept, *_closings(kept))) + _CUT


_CUT = "\n\n**Cut here:** this is longer than a comment may be. The job has the whole of it.\n"
_CLOSING = 200


def _closings(lines: list[str]) -> list[str]:
    fences = sum(line.lstrip().startswith("```") for line in lines)
    text = "\n".join(lines)
    folds = text.count("<details") - text.count("</details>")
    return (["```"] if fences % 2 else []) + ["", *["</details>"] * min(max(folds, 0), 10)]


def length(text: str) -> int:
    """As JavaScript and GitHub's database count it: letters beyond the first plane are two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
