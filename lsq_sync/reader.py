"""Reads live values, many opportunities a call, and what the types of opportunities are.

What fails for now is asked again a few times: a read changes nothing.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from lsq_sync.core.answers import (
    AccountAnswer,
    AccountFound,
    ListAnswer,
    MetadataAnswer,
    ModifiedPage,
    NotAllowed,
    NotRead,
    ReadAnswer,
    ReadFailed,
    Rows,
    TooFast,
    TypesAnswer,
    TypesFound,
)
from lsq_sync.core.checks import hint_of_refusal
from lsq_sync.core.metadata import ListedType, TypeMetadata
from lsq_sync.core.model import Live, LiveOpportunity
from lsq_sync.core.reading import Wanted, groups_of
from lsq_sync.errors import AuthenticationError, LsqSyncError, NetworkError
from lsq_sync.running import LONGEST_LIMIT_SECONDS
from lsq_sync.surroundings import Surroundings
from lsq_sync.tasks import together

_AT_ONCE = 25
"""So many reads are under way at most; the pacer sets the speed."""

_TRIES = 5
_TRIES_UNDER_LIMIT = 100
_FIRST_BACKOFF = 0.5

_Read = TypeVar("_Read", Rows, AccountFound, TypesFound, TypeMetadata, ModifiedPage)


class Source(Protocol):
    """Where live values are read; a read changes nothing, so it may be repeated."""

    async def read(self, group: Sequence[Wanted]) -> ReadAnswer: ...

    async def account(self) -> AccountAnswer: ...


class Reader:
    """Reads what is wanted in as few calls as the CRM allows."""

    def __init__(
        self,
        crm: Source,
        around: Surroundings,
        tell: Callable[[int], None] = lambda _number: None,
        *,
        of_their_type: bool = False,
    ) -> None:
        """`tell` hears of every read how many opportunities it brought. `of_their_type`: one that
        is there, but of another type than the one it is wanted as, is missing."""
        self._crm = crm
        self._around = around
        self._tell = tell
        self._of_their_type = of_their_type

    async def read(self, wanted: Iterable[Wanted]) -> dict[str, LiveOpportunity]:
        """What the CRM says of each, by key; all or nothing.

        Raises AuthenticationError or NetworkError when a part of it cannot be read.
        """
        listed = tuple(wanted)
        live: dict[str, LiveOpportunity] = {}
        await self.read_each(listed, live.update)
        return {one.key: live[one.key] for one in listed}

    async def read_each(self, wanted: Sequence[Wanted], use: Callable[[Live], None]) -> None:
        """The same, handed over call by call: no more than a few of them are in memory.

        Raises as `read` does; by then some were handed over.
        """
        singles = tuple((one,) for one in wanted if not one.in_bulk)
        waiting = iter((*groups_of(wanted), *singles))
        workers = min(_AT_ONCE, len(wanted))
        await together(self._read_some(waiting, use) for _ in range(workers))

    async def _read_some(
        self, waiting: Iterator[Sequence[Wanted]], use: Callable[[Live], None]
    ) -> None:
        for group in waiting:
            found = await self._read_group(group)
            if self._may_be_wrong(group, found):
                found |= await self._read_by_themselves(group)
            use(found)
            self._tell(len(group))

    def _may_be_wrong(self, group: Sequence[Wanted], found: Mapping[str, LiveOpportunity]) -> bool:
        in_bulk = group[0].in_bulk and not self._of_their_type
        return in_bulk and all(one.missing for one in found.values())

    async def _read_group(self, group: Sequence[Wanted]) -> dict[str, LiveOpportunity]:
        answer = await _answered(partial(self._crm.read, group), Rows, _VALUES, self._around)
        return dict(answer.live)

    async def _read_by_themselves(self, group: Sequence[Wanted]) -> dict[str, LiveOpportunity]:
        """A bulk read that shows none of them may be wrong: nothing is overwritten for that.

        As soon as one is not there by itself either, the bulk read is believed.
        """
        found: dict[str, LiveOpportunity] = {}
        for one in group:
            found |= await self._read_group((replace(one, code=None),))
            if found[one.key].missing:
                break
        return found

    async def account(self) -> AccountFound:
        """The account that the keys belong to. Raises as `read` does."""
        return await _answered(self._crm.account, AccountFound, _VALUES, self._around)

    async def short_code(self) -> str:
        """Its short code. Raises as `read` does."""
        return (await self.account()).short_code


class TypeSource(Protocol):
    """Where the types of opportunities are read."""

    async def types(self) -> TypesAnswer: ...

    async def metadata(self, code: int) -> MetadataAnswer: ...


class TypeReader:
    """Reads what types of opportunities there are, and the fields of one."""

    def __init__(self, crm: TypeSource, around: Surroundings) -> None:
        self._crm = crm
        self._around = around

    async def types(self) -> tuple[ListedType, ...]:
        """The opportunity types of the account. Raises as `Reader.read` does."""
        return (await _answered(self._crm.types, TypesFound, _TYPES, self._around)).types

    async def metadata(self, code: int) -> TypeMetadata:
        """The fields of a type. Raises as `Reader.read` does."""
        return await _answered(
            lambda: self._crm.metadata(code), TypeMetadata, _METADATA, self._around
        )


class PageSource(Protocol):
    """Where changes are listed."""

    async def modified(self, code: int, since: str, until: str, page: int) -> ListAnswer: ...


class PageReader:
    """Reads which opportunities of a type were modified, page by page."""

    def __init__(self, crm: PageSource, around: Surroundings) -> None:
        self._crm = crm
        self._around = around

    async def page(self, code: int, since: str, until: str, number: int) -> ModifiedPage:
        """One page, counted from 1. Raises as `Reader.read` does."""
        return await _answered(
            lambda: self._crm.modified(code, since, until, number),
            ModifiedPage,
            _CHANGES,
            self._around,
        )


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is read, and what to do where it cannot be."""

    name: str
    hint: str


_VALUES = _Subject(
    "live values",
    "check the network, account.host and the event codes of the types, then run the "
    "command again; apply --no-refresh sends without reading",
)
_TYPES = _Subject(
    "the opportunity types", "check the network and account.host, or name the event code: --code"
)
_CHANGES = _Subject(
    "the list of changes",
    "check the network, account.host and the event code, or name the opportunities: --ids-file",
)
_METADATA = _Subject("the fields of the type", "check the event code, the network and account.host")


async def _answered(
    ask: Callable[[], Awaitable[_Read | NotRead]],
    wanted: type[_Read],
    subject: _Subject,
    around: Surroundings,
) -> _Read:
    failures = limited = 0
    while True:
        answer = await ask()
        if isinstance(answer, wanted):
            return answer
        failures += isinstance(answer, ReadFailed)
        limited += isinstance(answer, TooFast)
        assert isinstance(answer, NotRead)
        if error := _final(answer, failures, limited, subject):
            raise error
        if isinstance(answer, ReadFailed):
            longest = _FIRST_BACKOFF * 2 ** (failures - 1)
            await around.sleep(around.chance() * longest)


def _final(answer: NotRead, failures: int, limited: int, subject: _Subject) -> LsqSyncError | None:
    """The error that ends the reading; None when asking again may help."""
    match answer:
        case NotAllowed(reason):
            return AuthenticationError(
                f"the CRM does not let us read: {reason}",
                hint=hint_of_refusal(
                    reason,
                    "check LSQ_ACCESS_KEY and LSQ_SECRET_KEY, the user they belong to, the "
                    "region (account.region) and account.host",
                ),
            )
        case ReadFailed(reason, retry) if not retry or failures >= _TRIES:
            return _unreadable(reason, subject)
        case TooFast(reason, _, seconds) if (
            seconds or 0.0
        ) > LONGEST_LIMIT_SECONDS or limited >= _TRIES_UNDER_LIMIT:
            return _unreadable(reason, subject)
        case _:
            return None


def _unreadable(reason: str, subject: _Subject) -> NetworkError:
    return NetworkError(f"{subject.name} cannot be read: {reason}", hint=subject.hint)
