# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Muon for the matrices inside a network, Adam for everything else.

Muon: momentum whose matrix is replaced by its nearest orthogonal one, found by
a Newton-Schulz iteration (K. Jordan et al., 2024).
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 4
MOMENTUM = 0.95


def orthogonal(matrices: Tensor) -> Tensor:
    """Roughly U·Vᵀ of each matrix [..., rows, columns]."""
    a, b, c = COEFFICIENTS
    x = matrices / (matrices.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    x = x.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Optimiser:
    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        matrix_rate: float,
        other_rate: float,
    ):
        self.matrices = list(matrices)
        self.others = list(others)
        self.matrix_rate = matrix_rate
        self.other_rate = other_rate
        self.momenta = [torch.zeros_like(p) for p in self.matrices]
        self.adam = torch.optim.Adam(self.others, lr=other_rate, betas=(0.9, 0.98))

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """One update at `factor` times the learning rates."""
        nn.utils.clip_grad_norm_(self.others, 1.0)
        for group in self.adam.param_groups:
            group["lr"] = self.other_rate * factor
        self.adam.step()
        groups: dict[tuple[int, ...], list[int]] = {}
        for i, parameter in enumerate(self.matrices):
            if parameter.grad is not None:
                groups.setdefault(tuple(parameter.flatten(1).shape), []).append(i)
        for shape, members in groups.items():
            for i in members:
                self.momenta[i].mul_(MOMENTUM).add_(self.matrices[i].grad)
            pushes = [
                (self.matrices[i].grad + MOMENTUM * self.momenta[i]).flatten(1)
                for i in members
            ]
            turned = orthogonal(torch.stack(pushes))
            rate = self.matrix_rate * factor * max(1.0, shape[0] / shape[1]) ** 0.5
            for i, push in zip(members, turned):
                parameter = self.matrices[i]
                parameter.mul_(1 - 0.01 * rate)
                parameter.add_(push.view_as(parameter), alpha=-rate)

    def zero_grad(self) -> None:
        for parameter in (*self.matrices, *self.others):
            parameter.grad = None

    def state_dict(self) -> dict:
        return {"momenta": self.momenta, "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.momenta = state["momenta"]
        self.adam.load_state_dict(state["adam"])
