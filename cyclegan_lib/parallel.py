"""One way to do many things in several processes, which may die: Dask where it is installed, else a pool.

Either way a task whose process died is done again, at most `RETRIES` times.
"""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Any

from cyclegan_lib.errors import InputError
from cyclegan_lib.system import CONSOLE_SIGNALS, MOST_PROCESSES

LIBRARY = "cyclegan-lib"
RETRIES = 2
AHEAD = 8  # tasks a worker may be ahead of the oldest one that is not done
CONNECT_S = 10
CLUSTER_STARTS = 3
PATIENCE_S = 1.0  # on Windows nothing interrupts a wait: Ctrl-C is heard between two
# (function, tasks) -> (index of a task, its result, or the exception with which it was given up), as they end
Executor = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[tuple[int, Any]]]


def each(
    function: Callable[[Any], Any],
    tasks: Sequence[Any],
    workers: int = 1,
    here: Callable[[Any], bool] | None = None,
) -> Iterator[Any]:
    """Yield the results of tasks in the order of the tasks; what a task raises is raised here.

    With one worker everything happens in this process, as a debugger and a notebook want it; with more in a
    pool, which starts sooner than Dask does. With `here` this process is one of them, and works while the
    others start; `here` says which tasks take so short a time, a second at most, that nobody misses it
    meanwhile. Few results wait for their turn: memory does not grow with the number of tasks.
    """
    if workers <= 1:
        yield from map(function, tasks)
        return
    done: dict[int, Any] = {}
    turn = 0
    with closing(_pooled(function, tasks, workers, AHEAD * workers, here)) as pooled:
        for index, result in pooled:
            if isinstance(result, BaseException):
                raise result
            done[index] = result
            while turn in done:
                yield done.pop(turn)
                turn += 1


def as_they_end(
    function: Callable[[Any], Any], tasks: Sequence[Any], workers: int, scheduler: str = ""
) -> Iterator[tuple[int, Any]]:
    """Yield (index of a task, its result, or the exception with which it was given up), as they end.

    In a pool, or, with one worker, in this process, which then ends with the first exception; with a
    `scheduler` on its workers. Of any number of tasks few are given to them at a time.
    """
    if scheduler:
        with executor(workers, scheduler) as run_all:
            yield from run_all(function, tasks)
    elif workers <= 1:
        yield from enumerate(map(function, tasks))
    else:
        with closing(_pooled(function, tasks, workers)) as pooled:
            yield from pooled


@contextmanager
def executor(workers: int, scheduler: str = "") -> Iterator[Executor]:
    """Start `workers` processes that end with the block, or use those of a running Dask scheduler.

    The scheduler's workers must see the same folders. Raises InputError if it cannot be reached, has no
    workers, or Dask is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        if scheduler:
            raise InputError(
                "--scheduler needs Dask, which is not installed; `pip install 'cyclegan-lib[cluster]'`, or"
                " leave it out"
            ) from error
        yield lambda function, tasks: _pooled(function, tasks, workers)
        return
    # what happens to workers is seen in the results; their talk would fill the terminal
    for name in ("distributed", "tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        cluster = scheduler or stack.enter_context(_local_cluster(workers))
        try:
            client = stack.enter_context(distributed.Client(cluster, timeout=CONNECT_S))
        except (OSError, ValueError, TypeError):
            client = None  # the error still holds what is left of it
        if client is None:
            gc.collect()  # ends it; Python hangs if it does so by itself while the next client starts
            raise InputError(
                f"no Dask scheduler answers at {cluster}; start one with `dask scheduler`, or leave out"
                " --scheduler"
            )
        if not client.scheduler_info()["workers"]:
            raise InputError(f"the Dask scheduler at {cluster} has no workers; start `dask worker {cluster}`")
        if scheduler:
            _check_library(client, scheduler)
        yield lambda function, tasks: _distributed(client, function, tasks)


def _check_library(client: Any, scheduler: str) -> None:
    lacking = (
        f"the workers of the Dask scheduler at {scheduler} lack this version of {LIBRARY}; install it there"
    )
    try:
        there = set(client.run(version, LIBRARY).values())
    except PackageNotFoundError as error:
        raise InputError(lacking) from error
    if there != {version(LIBRARY)}:
        raise InputError(lacking)


def _local_cluster(workers: int) -> Any:
    from distributed import LocalCluster

    for start in range(1, CLUSTER_STARTS + 1):
        try:
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=0,
                # no dashboard; the scheduler's own page is on a port that is free
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                silence_logs=logging.CRITICAL,
            )
        except AssertionError:  # its event loop had ten seconds to start, and the machine stood still
            if start == CLUSTER_STARTS:
                raise


def _distributed(client: Any, function: Callable, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    from distributed import as_completed

    waiting, running, ended = iter(enumerate(tasks)), {}, as_completed()

    def submit(most: int) -> None:
        for index, task in islice(waiting, most):
            # not pure: a task that failed in an earlier sweep of this session is tried again
            future = client.submit(function, task, pure=False)
            running[future] = index
            ended.add(future)

    submit(AHEAD * max(1, sum(client.nthreads().values())))
    for future in ended:
        try:
            result = future.result()
        except (Exception, asyncio.CancelledError, CancelledError) as error:
            result = error
        submit(1)
        yield running.pop(future), result


def _pooled(
    function: Callable,
    tasks: Sequence[Any],
    workers: int,
    ahead: int = sys.maxsize,
    here: Callable[[Any], bool] | None = None,
) -> Iterator[tuple[int, Any]]:
    waiting, died = list(range(len(tasks))), [0] * len(tasks)
    workers = min(workers, MOST_PROCESSES) - (here is not None)
    context = multiprocessing.get_context("spawn")  # not fork: torch's threads would not survive a fork
    begun, pools = context.Semaphore(0), 0
    while waiting:
        if pools > RETRIES and not begun.acquire(block=False):
            raise InputError(
                "the processes that share the work end before they begin it; a script that asks for several"
                " must do so below `if __name__ == '__main__':`, for each of them imports it"
            )
        pools += 1
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(begun,))
        running: dict[Any, int] = {}
        ended: list[tuple[int, Any]] = []
        broken = False

        def too_far(running=running) -> bool:
            return waiting[0] >= min([*running.values(), *waiting]) + ahead

        try:
            while running or ended or (waiting and not broken):
                # no more than can run at once: when the pool breaks, these are the ones that were running
                # (and as many that wait for them while nobody could give them another)
                while waiting and not broken:
                    enough = 2 * workers if here and len(waiting) > 1 else workers
                    if len(running) >= enough or (running and too_far()):
                        break
                    index = waiting.pop(0)
                    running[pool.submit(function, tasks[index])] = index
                yield from ended  # while the next ones run
                ended = []
                own = here and waiting and not (too_far() or died[waiting[0]]) and here(tasks[waiting[0]])
                if own:
                    index = waiting.pop(0)
                    ended.append((index, function(tasks[index])))
                for future in wait(running, 0 if own else PATIENCE_S, FIRST_COMPLETED).done:
                    index = running.pop(future)
                    error = future.exception()
                    if isinstance(error, BrokenProcessPool):
                        broken = True
                        died[index] += 1
                        if died[index] <= RETRIES:
                            waiting.append(index)
                            continue
                    ended.append((index, future.result() if error is None else error))
        except BaseException:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin(begun: Any) -> None:
    """What a process of a pool does first; `begun` counts those that have come so far."""
    follow()
    begun.release()


def follow() -> None:
    """Leave interruptions to the parent process, and end when it does, however it ended."""
    for number in CONSOLE_SIGNALS:
        signal.signal(number, signal.SIG_IGN)

    def watch() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
