"""Tasks in several processes."""

import time

import pytest

from cyclegan_lib import parallel
from cyclegan_lib.errors import InputError

TASKS = [0.3, *[0.0] * 20]  # seconds; the first is the slowest


def waited(seconds):
    if seconds < 0:
        raise InputError("no time")
    time.sleep(seconds)
    return seconds


@pytest.mark.parametrize(("workers", "here"), [(1, None), (2, None), (2, (0.15).__gt__), (3, bool)])
def test_results_come_in_the_order_of_the_tasks(workers, here):
    tasks = [0.2, 0.1, 0.0, 0.01, 0.0]
    assert list(parallel.each(waited, tasks, workers, here)) == tasks
    with pytest.raises(InputError, match="no time"):
        list(parallel.each(waited, [0.0, -1, 0.0], workers, here))


def test_few_results_wait_for_a_slow_one():
    ended = [index for index, _ in parallel._pooled(waited, TASKS, 2, ahead=4)]
    assert sorted(ended) == list(range(21))
    assert ended.index(0) <= 4 and ended != sorted(ended)
