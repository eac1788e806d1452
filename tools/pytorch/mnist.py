"""Reads the gzipped IDX files of MNIST, and random shifts of its images."""

import gzip
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def folder() -> Path:
    """The environment variable MNIST, or data/mnist of the checkout."""
    default = Path(__file__).resolve().parents[2] / "data" / "mnist"
    return Path(os.environ.get("MNIST", default))


def read_idx(path: Path) -> np.ndarray:
    """A gzipped IDX file of bytes: two zeros, type 8, rank, the sizes as big-endian u32, then the data."""
    with gzip.open(path) as file:
        content = file.read()
    if content[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not an IDX file of bytes")
    rank = content[3]
    shape = np.frombuffer(content, ">u4", rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images [N,28,28] and labels [N] as bytes; `part` is "train" or "t10k"."""
    images = read_idx(folder() / f"{part}-images-idx3-ubyte.gz")
    labels = read_idx(folder() / f"{part}-labels-idx1-ubyte.gz")
    return images, labels


def shifted(images: Tensor, reach: int, generator: torch.Generator) -> Tensor:
    """Every image of [B,H,W] moved by its own whole number of pixels, at most `reach` each way, filled with zeros."""
    height, width = images.shape[1:]
    padded = torch.nn.functional.pad(images, (reach, reach, reach, reach))
    corners = torch.randint(0, 2 * reach + 1, (len(images), 2), generator=generator).tolist()
    return torch.stack([image[y : y + height, x : x + width] for image, (y, x) in zip(padded, corners)])
