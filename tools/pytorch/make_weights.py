"""Makes the PyTorch weights files that `check_against_pytorch.py` feeds to the program.

    python make_weights.py --out DIR [--epochs 1] [--capsnet-steps 100]

Writes LeNet-5 and both CapsNet variants, each in the legacy and in the zip format of `torch.save`. LeNet-5 is trained
by the tutorial's settings, but with batches of 64 and the learning rate scaled along; the CapsNets just long enough for
their predictions to differ from image to image. The point is the agreement of two programs, not the accuracy.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

import mnist
from reference import CapsNet, CapsNetConfig, LeNet5

SEED = 7
SHIFT = 2


def train(
    model: nn.Module,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    steps: int,
    batch_size: int,
    learning_rate: float,
) -> None:
    """Adam on shuffled and shifted training images, which `loss_of` gets as [B,1,28,28] in [0,1]."""
    pixels, targets = mnist.load("train")
    images = torch.from_numpy(pixels.copy())
    labels = torch.from_numpy(targets.astype("int64"))
    generator = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    order = torch.empty(0, dtype=torch.int64)
    started = time.monotonic()
    for step in range(1, steps + 1):
        if len(order) < batch_size:
            order = torch.randperm(len(images), generator=generator)
        chosen, order = order[:batch_size], order[batch_size:]
        batch = mnist.shifted(images[chosen], SHIFT, generator).float().div(255).unsqueeze(1)
        loss = loss_of(batch, labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0 or step == steps:
            seconds = time.monotonic() - started
            print(f"  step {step}/{steps}  loss {loss.item():.4f}  {seconds:.0f} s", flush=True)


def save(model: nn.Module, out: Path, name: str) -> None:
    """The state dict in both formats, as `NAME_legacy.pt` and `NAME_zip.pt`."""
    state = model.state_dict()
    torch.save(state, out / f"{name}_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(state, out / f"{name}_zip.pt")


def lenet5(epochs: int) -> nn.Module:
    torch.manual_seed(SEED)
    model = LeNet5()
    batch_size = 64

    def loss_of(images: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(model((images - 0.5) / 0.5), labels)

    steps = epochs * 60_000 // batch_size
    train(model, loss_of, steps, batch_size, learning_rate=1e-4 * batch_size / 8)
    return model


def capsnet(config: CapsNetConfig, steps: int, weight_std: float) -> nn.Module:
    torch.manual_seed(SEED)
    model = CapsNet(config, weight_std)

    def loss_of(images: Tensor, labels: Tensor) -> Tensor:
        return model.loss(model(images, labels), images, labels)

    train(model, loss_of, steps, batch_size=16, learning_rate=1e-3)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights files")
    parser.add_argument("--epochs", type=int, default=1, help="epochs of LeNet-5")
    parser.add_argument("--capsnet-steps", type=int, default=100, help="steps of each CapsNet, at batch 16")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)

    print("LeNet-5")
    save(lenet5(arguments.epochs), arguments.out, "lenet5")
    # With the softmax over the inputs, s is a mean of 1152 votes and needs routing weights of unit variance.
    print("CapsNet, tutorial")
    save(capsnet(CapsNetConfig().as_tutorial(), arguments.capsnet_steps, 1.0), arguments.out, "capsnet_tutorial")
    print("CapsNet, paper")
    save(capsnet(CapsNetConfig(), arguments.capsnet_steps, 0.05), arguments.out, "capsnet_paper")


if __name__ == "__main__":
    main()
