# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Where a stage computes. It makes that torch's default device, so that what
it creates lies there; arrays and files come to it by the functions here."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

CHOICES = ("auto", "cpu", "cuda")


def resolve(name: str) -> str:
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def use(name: str) -> None:
    torch.set_default_device(resolve(name))


def put(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array).to(torch.get_default_device())


def load(path: Path) -> Any:
    return torch.load(path, map_location=torch.get_default_device())


def mixed_precision() -> torch.autocast:
    return torch.autocast(torch.get_default_device().type, torch.bfloat16)
