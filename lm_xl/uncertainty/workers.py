"""Blocks of draws over workers, in chunks, which are given out again where a worker dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait

from lm_xl.model.ops import Array
from lm_xl.uncertainty.blocks import BrokenDraw, block
from lm_xl.uncertainty.plan import DrawPlan

IN_FLIGHT = 32
"""Chunks given to workers at a time."""
TRIES = 3
"""How often a chunk is given to workers that die or fail."""

Chunk = tuple[int, tuple[int, ...]]
"""A scenario's position, and blocks of it."""
Blocks = list[tuple[Array, Array]]
"""What `block` makes of each."""
Workers = Executor | Callable[[], Executor]
"""Any executor of concurrent.futures, or a function that makes one."""


def blocks_of_draws(plan: DrawPlan, scenario: int, numbers: Sequence[int]) -> Blocks:
    """What a worker does: some blocks of one scenario."""
    return [block(plan, number, scenario) for number in numbers]


def finished_chunks(
    plan: DrawPlan, chunks: Sequence[Chunk], workers: Workers | None
) -> Generator[tuple[Chunk, Blocks], None, None]:
    """Chunks as they end. One whose worker dies or fails is given out again, at most TRIES times in all.

    Where the executor itself breaks, the function that makes it makes another; without one the rest is drawn
    here.
    """
    if workers is None:
        for chunk in chunks:
            yield chunk, blocks_of_draws(plan, *chunk)
        return
    executor = workers if isinstance(workers, Executor) else workers()
    queue = deque((chunk, 1) for chunk in chunks)
    pending: dict[Future[Blocks], tuple[Chunk, int]] = {}
    try:
        while queue or pending:
            is_broken = not _hand_out(executor, plan, queue, pending)
            for future in wait(pending, return_when=FIRST_COMPLETED).done if pending else ():
                chunk, tries = pending.pop(future)
                try:
                    found = future.result()
                except BrokenDraw:
                    raise
                except Exception as failure:
                    if tries == TRIES:
                        raise
                    queue.appendleft((chunk, tries + 1))
                    is_broken |= isinstance(failure, BrokenExecutor)
                else:
                    yield chunk, found
            if is_broken:
                # What a broken executor had in hand is lost with it.
                queue.extendleft((chunk, tries + 1) for chunk, tries in pending.values())
                pending.clear()
                if isinstance(workers, Executor):
                    for chunk, _ in queue:
                        yield chunk, blocks_of_draws(plan, *chunk)
                    return
                executor.shutdown(wait=False)
                executor = workers()
    finally:
        for future in pending:
            future.cancel()
        if not isinstance(workers, Executor):
            executor.shutdown(wait=True, cancel_futures=True)


def _hand_out(
    executor: Executor,
    plan: DrawPlan,
    queue: deque[tuple[Chunk, int]],
    pending: dict[Future[Blocks], tuple[Chunk, int]],
) -> bool:
    """Give chunks of the queue to an executor while there is room; False where it turns out to be broken."""
    while queue and len(pending) < IN_FLIGHT:
        chunk, tries = queue.popleft()
        try:
            pending[executor.submit(blocks_of_draws, plan, *chunk)] = chunk, tries
        except BrokenExecutor:
            queue.appendleft((chunk, tries))
            return False
    return True
