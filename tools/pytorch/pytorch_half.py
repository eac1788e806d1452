"""What PyTorch, torchvision and Pillow make of the weights files: the half of the check that needs no `capsnet`.

Kept in `pytorch_results.json` beside the weights, as the CapsNets take minutes; a changed weights file is noticed by
its hash and measured again.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import rotate

import mnist
from reference import CapsNet, CapsNetConfig, LeNet5

ANGLES = (15, 23, 30, 35, 45, -15, -23, -35)
RESAMPLES = ("nearest", "bilinear")
FORMATS = ("legacy", "zip")
PREDICTED_IMAGES = 10
BATCH = 100


@dataclass(frozen=True)
class Subject:
    """A model under check: its name in file names, its name for `capsnet`, and the test images it is measured on."""

    name: str
    model: str
    build: Callable[[], nn.Module]
    images: int

    def file(self, weights: Path, format_name: str) -> Path:
        return weights / f"{self.name}_{format_name}.pt"

    def load(self, weights: Path, format_name: str) -> nn.Module:
        module = self.build()
        module.load_state_dict(torch.load(self.file(weights, format_name), weights_only=True))
        return module.eval()


SUBJECTS = (
    Subject("lenet5", "lenet5", LeNet5, 10_000),
    Subject("capsnet_paper", "capsnet", lambda: CapsNet(CapsNetConfig()), 1_000),
    Subject("capsnet_tutorial", "capsnet", lambda: CapsNet(CapsNetConfig().as_tutorial()), 1_000),
)


def scores(module: nn.Module, pixels: np.ndarray) -> Tensor:
    """Class scores [N,10] of images [N,28,28] in bytes: LeNet-5's probabilities, CapsNet's (softmaxed) lengths."""
    results = []
    with torch.no_grad():
        for start in range(0, len(pixels), BATCH):
            images = torch.from_numpy(pixels[start : start + BATCH]).float().div(255).unsqueeze(1)
            if isinstance(module, LeNet5):
                results.append(torch.softmax(module((images - 0.5) / 0.5), dim=1))
            else:
                results.append(module(images).scores)
    return torch.cat(results)


def rotated(pixels: np.ndarray, angle: float, resample: str) -> np.ndarray:
    """Every image turned by torchvision, as a Pillow image."""
    mode = InterpolationMode(resample)
    return np.stack([np.asarray(rotate(Image.fromarray(image), angle, interpolation=mode)) for image in pixels])


def measure(subject: Subject, weights: Path) -> dict:
    """Right answers for every angle and resampling, and the scores of the first upright images."""
    pixels, labels = mnist.load("t10k")
    pixels, targets = pixels[: subject.images].copy(), torch.from_numpy(labels[: subject.images].astype("int64"))
    module = subject.load(weights, "zip")

    def correct(images: np.ndarray) -> int:
        return int((scores(module, images).argmax(dim=1) == targets).sum())

    return {
        "sha256": hashlib.sha256(subject.file(weights, "zip").read_bytes()).hexdigest(),
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
        "images": subject.images,
        "correct": {r: {str(angle): correct(rotated(pixels, angle, r)) for angle in ANGLES} for r in RESAMPLES},
        "scores": scores(module, pixels[:PREDICTED_IMAGES]).tolist(),
    }


def results(subjects: list[Subject], weights: Path) -> dict[str, dict]:
    """Measurements by subject name, from the cache where it is still true."""
    cache = weights / "pytorch_results.json"
    known = json.loads(cache.read_text()) if cache.exists() else {}
    for subject in subjects:
        fingerprint = hashlib.sha256(subject.file(weights, "zip").read_bytes()).hexdigest()
        if known.get(subject.name, {}).get("sha256") == fingerprint:
            continue
        print(f"measuring {subject.name} with PyTorch on {subject.images} images ...", flush=True)
        known[subject.name] = measure(subject, weights)
        cache.write_text(json.dumps(known, indent=1) + "\n")
    return known
