"""Several things at once, none of which outlives the function that began it."""

import asyncio
from collections.abc import Awaitable, Iterable


async def first_of(work: Awaitable[None], *ends: Awaitable[None]) -> bool:
    """Runs the work to its end, or gives it up at the first of the ends. Raises its fault."""
    working = asyncio.ensure_future(work)
    ending = [asyncio.ensure_future(end) for end in ends]
    try:
        await asyncio.wait((working, *ending), return_when=asyncio.FIRST_COMPLETED)
        came_to_its_end = working.done()
    finally:
        for task in (working, *ending):
            task.cancel()
        outcome, *_ = await asyncio.gather(working, *ending, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
    return came_to_its_end


async def together(work: Iterable[Awaitable[None]]) -> None:
    """Runs all of it; the first fault gives up the rest."""
    tasks = [asyncio.ensure_future(part) for part in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
