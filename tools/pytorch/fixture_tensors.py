"""How the fixtures write tensors, and where their random inputs come from.

A tensor is {"shape": [..], "data": [..]}, row-major. Inputs are f64, rounded to few digits: that keeps the files small
and loses nothing, as the rounded values are the ones used.
"""

import torch
from torch import Tensor

F64 = torch.float64


def tensor(values: Tensor) -> dict:
    return {"shape": list(values.shape), "data": values.detach().flatten().tolist()}


def named(tensors: dict[str, Tensor]) -> list[dict]:
    return [{"name": name, **tensor(values)} for name, values in tensors.items()]


def normal(*shape: int, std: float = 1.0) -> Tensor:
    return (std * torch.randn(shape, dtype=F64)).round(decimals=3)


def uniform(*shape: int) -> Tensor:
    return torch.rand(shape, dtype=F64).round(decimals=3)
