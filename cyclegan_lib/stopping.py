"""Ctrl-C, SIGTERM and a closed console during work that should not break off just anywhere."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

from cyclegan_lib.errors import Interrupted
from cyclegan_lib.system import CONSOLE_SIGNALS

SIGNALS = (*CONSOLE_SIGNALS, signal.SIGTERM)


class StopNow(BaseException):
    """Raised where a signal found the process; no `except Exception` on its way holds it up."""


class Stopping:
    """While the block runs, SIGINT, SIGTERM or SIGBREAK end it with `Interrupted`, never with a traceback.

    At first a signal ends it at once. While `patient` is set the first one is only noted in `asked`: the
    block looks there between two steps of its work and calls `stop`. A second one ends it at once. Outside
    the main thread, where Python delivers no signals, the block runs as it is. `message` gives what
    `Interrupted` says.
    """

    def __init__(self, message: Callable[[], str]) -> None:
        self.message = message
        self.patient = False
        self.asked: signal.Signals | None = None  # the signal that came
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Stopping":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in SIGNALS}
            self.listen()
        return self

    def listen(self) -> None:
        """Take the signals (again: Lightning puts a handler of its own before this one)."""
        for number in self._before:
            signal.signal(number, self._take)

    def stop(self) -> None:
        """Raise Interrupted for the signal that was `asked`."""
        raise Interrupted(self.message(), 128 + self.asked) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            # None: the handler was not set from Python, and cannot be set back from it
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if isinstance(error, StopNow):
            self.stop()

    def _take(self, number: int, frame: FrameType | None) -> None:
        at_once = self.asked is not None or not self.patient
        self.asked = signal.Signals(number)
        if at_once:
            raise StopNow
