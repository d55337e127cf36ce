"""Training on several devices: each process trains some of the restarts, which need nothing of each other.

The first process is the one that was asked to train. It alone judges, writes and speaks; it gets the others'
weights, averages and Adam's moments after each epoch, so that a checkpoint is that of one process.
"""

import logging
import multiprocessing
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy
from torch import distributed

from cyclegan_lib.config import TrainingSettings
from cyclegan_lib.errors import InputError, count
from cyclegan_lib.models.cyclegan import CycleGANModule
from cyclegan_lib.parallel import follow
from cyclegan_lib.system import LOOPBACK, deaf, processors
from cyclegan_lib.training.batches import UnpairedData
from cyclegan_lib.training.checkpoints import WholeFilesIO

GRACE_S = 5.0  # in which a process that has failed says why, and ends
ALONE = "--devices 1 trains in one process"
GUARD = "in a script, train under `if __name__ == '__main__':`"


def check_devices(settings: TrainingSettings) -> None:
    """Raise InputError if so many devices cannot share the restarts, here or anywhere."""
    devices, restarts = settings.devices, settings.restarts
    if devices > restarts:
        raise InputError(
            f"{devices} devices cannot share {count(restarts, 'restart')}, of which each trains at least one;"
            f" give --devices {restarts} at most, or more --restarts"
        )
    if devices > 1 and not (distributed.is_available() and distributed.is_gloo_available()):
        raise InputError(f"this build of PyTorch has no gloo, which several devices need; {ALONE}")


def threads_of(settings: TrainingSettings) -> int:
    """CPU threads of each process: those that are asked for, as far as its part of the processors goes."""
    return max(1, min(settings.threads, processors() // settings.devices))


def new_trainer(settings: TrainingSettings, rank: int = 0, **more: Any) -> pl.Trainer:
    """A trainer of the settings, in the process of this `rank`."""
    several = settings.devices > 1
    return pl.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        strategy=_RestartsStrategy(settings.restarts) if several else "auto",
        plugins=[WholeFilesIO(), *([_Process(rank)] if several else [])],
        use_distributed_sampler=False,  # all draw the same batches, each for its restarts
        max_epochs=settings.max_epochs,
        enable_checkpointing=False,  # Lightning's own
        num_sanity_val_steps=0,
        reload_dataloaders_every_n_epochs=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=settings.steps_per_epoch,
        **more,
    )


class _Process(LightningEnvironment):
    """One of the processes, all of which are there already."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self._rank = rank

    def local_rank(self) -> int:
        return self._rank

    def node_rank(self) -> int:
        return 0


class _RestartsStrategy(DDPStrategy):
    """Lightning's DDP, but the weights of a restart are those of one process: no gradient is exchanged."""

    def __init__(self, restarts: int) -> None:
        super().__init__(process_group_backend="gloo")
        self.restarts = restarts

    def _configure_launcher(self) -> None:  # Lightning's would run the command, or the script, once more
        pass

    def configure_ddp(self) -> None:
        pass

    def barrier(self, *given: Any, **named: Any) -> None:  # judging and writing are the first one's alone
        pass

    def reduce(self, tensor: Any, group: Any = None, reduce_op: Any = "mean") -> Any:
        """Of each process's mean over its restarts the mean over all; what else is asked all know."""
        if reduce_op != "mean":
            return tensor
        own = members_of(self.global_rank, self.world_size, self.restarts)
        part = tensor.cpu() * ((own.stop - own.start) / self.restarts)
        distributed.all_reduce(part)
        return part.to(tensor.device)


def members_of(rank: int, devices: int, restarts: int) -> slice:
    """The restarts that a process trains; some processes have one more than others."""
    return slice(rank * restarts // devices, (rank + 1) * restarts // devices)


class ShareMembers(pl.Callback):
    """The networks are a process's own members while it trains; between epochs the first process has all."""

    def __init__(self, own: slice) -> None:
        self.own = own

    def on_train_epoch_start(self, trainer: pl.Trainer, module: CycleGANModule) -> None:
        """Leave the other members to the other processes."""
        if module.generator_AB.members == module.settings.restarts:
            tensors = _of_members(trainer, module)
            _set(module, tensors, [x.data[self.own] for x in tensors])

    def on_train_batch_end(self, trainer: pl.Trainer, module: CycleGANModule, *given: Any) -> None:
        """After the epoch's last step give the first process what was learned."""
        if not trainer.is_last_batch:
            return
        tensors = _of_members(trainer, module)
        learned = torch.cat([x.data.flatten(1) for x in tensors], dim=1).cpu()  # (own members, all numbers)
        if not trainer.is_global_zero:
            distributed.send(learned, 0)
            return
        restarts = module.settings.restarts
        whole = torch.empty(restarts, learned.shape[1])
        whole[self.own] = learned
        for rank in range(1, trainer.world_size):
            distributed.recv(whole[members_of(rank, trainer.world_size, restarts)], rank)
        parts = zip(tensors, whole.split([x[0].numel() for x in tensors], dim=1), strict=True)
        _set(module, tensors, [part.reshape(restarts, *x.shape[1:]).contiguous() for x, part in parts])


def _of_members(trainer: pl.Trainer, module: CycleGANModule) -> list[torch.Tensor]:
    """What has the members first: all weights, buffers and moments of three dimensions."""
    states = (state for optimizer in trainer.optimizers for state in optimizer.state.values())
    every = chain(module.parameters(), module.buffers(), *(state.values() for state in states))
    return [x for x in every if x.dim() == 3]


def _set(module: CycleGANModule, tensors: list[torch.Tensor], values: list[torch.Tensor]) -> None:
    for tensor, value in zip(tensors, values, strict=True):
        tensor.data = value.to(tensor.device)
    for network in module.modules():
        if hasattr(network, "members"):
            network.members = len(values[0])


class Others:
    """The other processes of a training; they start at once, because importing PyTorch takes seconds.

    They end with the block, however it ends, and with this process.
    """

    def __init__(self, devices: int) -> None:
        context = multiprocessing.get_context("spawn")  # as `parallel` does
        self.devices, self._pipes, self._processes = devices, [], []
        for rank in range(1, devices):
            pipe, its = context.Pipe()
            process = context.Process(target=_train_with, args=(rank, its), daemon=True)
            with deaf():  # signals are the first process's
                process.start()
            its.close()
            self._pipes.append(pipe)
            self._processes.append(process)

    def __enter__(self) -> "Others":
        return self

    def __exit__(self, *given: object) -> None:
        for process in self._processes:
            process.kill()  # they write nothing
            process.join()

    @contextmanager
    def at_work(
        self, module: CycleGANModule, data: UnpairedData, limit: pl.Callback, start: str | None
    ) -> Iterator[list[pl.Callback]]:
        """Have them train their restarts of `module` while the block trains this process's.

        Yields the callbacks that this takes. Raises InputError if one of them fails.
        """
        if self.devices == 1:
            yield []
            return
        with tempfile.TemporaryDirectory() as folder:
            # not the module: its averages hold a function that cannot be pickled
            work = pickle.dumps((module.hparams, module.state_dict(), data, limit, start, folder))
            try:
                for pipe in self._pipes:
                    pipe.send_bytes(work)
                said = [pipe.recv() for pipe in self._pipes]
            except (OSError, EOFError) as error:
                raise InputError(f"{self._failure()}; {GUARD}, or {ALONE}") from error
            if any(said):
                raise InputError(next(filter(None, said)))
            try:
                with _together(module, data, 0, folder) as share:
                    yield [share]
            except RuntimeError as error:
                if _is_lost(error):
                    raise InputError(f"{self._failure()}; {ALONE}") from error
                raise

    def _failure(self) -> str:
        """Why one of them ended."""
        ended = wait([process.sentinel for process in self._processes], GRACE_S)
        for process in self._processes:  # its code is there a moment after its sentinel
            if process.sentinel in ended:
                process.join(GRACE_S)
        for pipe in self._pipes:
            with suppress(OSError, EOFError):
                if pipe.poll() and (said := pipe.recv()):
                    return said
        # those that lost another end with 1, one that a signal ended is below 0
        code = min(process.exitcode or 0 for process in self._processes)
        return f"a training process ended early (exit code {code})"


def _is_lost(error: Exception) -> bool:
    """Whether it says that another process is gone."""
    return isinstance(error, RuntimeError) and "gloo" in str(error)


def _train_with(rank: int, pipe: Connection) -> None:
    """What the process of this rank does."""
    follow()
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        hyperparameters, state, data, limit, start, folder = pickle.loads(pipe.recv_bytes())
        module = CycleGANModule(**hyperparameters)
        module.load_state_dict(state)
        torch.set_num_threads(threads_of(module.settings))
        pipe.send("")
        with _together(module, data, rank, folder) as share:
            more = {"callbacks": [limit, share], "logger": False, "limit_val_batches": 0}
            trainer = new_trainer(module.settings, rank, **more)
            trainer.fit(module, datamodule=data, ckpt_path=start, weights_only=True)
    except Exception as error:
        if not _is_lost(error):
            pipe.send(str(error))
        sys.exit(1)


@contextmanager
def _together(module: CycleGANModule, data: UnpairedData, rank: int, folder: str) -> Iterator[ShareMembers]:
    """The process of this rank among the others, which meet in `folder`."""
    devices = module.settings.devices
    if LOOPBACK:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)  # what they say is heard by none but them
    data.own = members_of(rank, devices, module.settings.restarts)
    hook = sys.excepthook  # PyTorch's own would put "[rank0]: " before each line of whatever fails afterwards
    store = distributed.FileStore(str(Path(folder) / "store"), devices)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=devices)
    try:
        yield ShareMembers(data.own)
    finally:
        distributed.destroy_process_group()
        sys.excepthook = hook
