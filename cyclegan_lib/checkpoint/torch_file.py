"""Files of torch.save: plain tensors and values, read without running any code that may be in them."""

import io
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from cyclegan_lib.errors import InputError


def read_tensors(path: Path, remedy: str) -> Any:
    """Load what torch.save wrote, if it is nothing but tensors, containers and plain values.

    torch.save writes zip archives whose members are not packed, each with a checksum. Everything else is
    refused before torch looks at it; and so is a bit that changed, which would be loaded as another weight.
    Raises InputError, which ends with `remedy`, if the file is damaged, of another format, or holds objects,
    which could run code.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
            size = sum(member.file_size for member in members)
            twice = len({member.filename for member in members}) < len(members)
            if packed or twice or size > path.stat().st_size or archive.testzip() is not None:
                raise zipfile.BadZipFile("not as torch.save writes it")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about kinds of tensors that are refused later
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} holds more than tensors and plain values, and is not loaded because that could run code;"
            f" {remedy}"
        ) from error
    except Exception as error:  # a pickle is a program: what it builds from plain types may raise anything
        raise InputError(f"{path} is damaged or truncated, or no file of torch.save; {remedy}") from error


def is_plain(value: Any, shape: tuple[int, ...] | None = None, dtype: torch.dtype = torch.float32) -> bool:
    """Whether `value` is a dense tensor in memory, of this type and shape, that holds finite numbers only."""
    if not torch.is_tensor(value) or value.layout != torch.strided or value.device.type != "cpu":
        return False
    if value.is_quantized or value.dtype != dtype or (shape is not None and tuple(value.shape) != shape):
        return False
    # a view may repeat one number without end
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes() and bool(
        value.isfinite().all()
    )


def write_tensors(content: Any, path: str | Path) -> None:
    """Write what `read_tensors` reads; raises OSError if the disk is full.

    Through memory: PyTorch's own file writer hides a full disk behind an internal error.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    Path(path).write_bytes(buffer.getbuffer())
