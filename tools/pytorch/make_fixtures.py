"""Writes the JSON fixtures that hold the Rust library's layers, losses and optimiser to PyTorch's values.

    python make_fixtures.py [--out DIR]        (default: crates/capsnet/tests/fixtures of the checkout)

Everything is computed in f64 and printed with as many digits as it takes to read the same f64 back.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from efficient_capsnet import efficient_capsnets
from fixture_tensors import F64, normal, tensor, uniform
from hvc import hvcs
from model_fixtures import cnn_case, lenet5_case, small_capsnets
from reference import dynamic_routing, margin_loss, reconstruction_loss, squash

FIXTURES = Path(__file__).resolve().parents[2] / "crates" / "capsnet" / "tests" / "fixtures"


def gradient(output: Tensor, source: Tensor, upstream: Tensor) -> Tensor:
    return torch.autograd.grad(output, source, upstream)[0]


def squash_cases() -> dict:
    mixed = normal(5, 4)
    mixed[1] = 0
    mixed[2] *= 1e-3
    mixed[3] = torch.tensor([0.0, -2.0, 0.0, 0.0])
    inputs = {
        "ordinary": normal(4, 8),
        "one dimension": normal(3, 1),
        "capsules of images": normal(2, 3, 2, std=0.3),
        "zeros": torch.zeros(3, 4, dtype=F64),
        "tiny": normal(3, 4) * 1e-20,
        "large": normal(3, 4) * 1e10,
        "mixed": mixed,
    }
    cases = []
    for name, s in inputs.items():
        s.requires_grad_()
        upstream = normal(*s.shape)
        v = squash(s)
        cases.append(
            {
                "name": name,
                "input": tensor(s),
                "upstream": tensor(upstream),
                "output": tensor(v),
                "gradient": tensor(gradient(v, s, upstream)),
            }
        )
    return {"cases": cases}


def routing_cases() -> dict:
    """Every number of iterations on small shapes, three iterations on one with 10 classes of 16."""
    every = range(1, 6)
    votes = [
        ("small", normal(2, 6, 3, 4), every),
        ("single", normal(1, 1, 1, 1), every),
        ("one output", normal(2, 5, 1, 3), every),
        ("one input", normal(2, 1, 4, 2), every),
        ("strong agreement", normal(1, 4, 3, 2, std=3.0), every),
        ("zeros", torch.zeros(1, 3, 2, 2, dtype=F64), [3]),
        ("ten classes", normal(2, 3, 10, 16, std=0.5), [3]),
    ]
    cases = []
    for name, u_hat, all_iterations in votes:
        u_hat.requires_grad_()
        batch, _, outputs, dims = u_hat.shape
        upstream = normal(batch, outputs, dims)
        runs = []
        for axis in ("out", "in"):
            for iterations in all_iterations:
                v, couplings = dynamic_routing(u_hat, iterations, axis)
                runs.append(
                    {
                        "axis": axis,
                        "iterations": iterations,
                        "v": tensor(v),
                        "couplings": [tensor(c) for c in couplings],
                        "gradient": tensor(gradient(v, u_hat, upstream)),
                    }
                )
        cases.append({"name": name, "u_hat": tensor(u_hat), "upstream": tensor(upstream), "runs": runs})
    return {"layout": "u_hat [B,I,J,D], upstream and v [B,J,D], couplings [B,I,J]", "cases": cases}


def loss_cases() -> dict:
    def case(loss: Tensor, source: Tensor, **inputs: dict) -> dict:
        return {**inputs, "loss": loss.item(), "gradient": tensor(torch.autograd.grad(loss, source)[0])}

    margin = []
    edges = torch.zeros(2, 3, dtype=F64), torch.ones(2, 3, dtype=F64)
    for lengths in (uniform(4, 10), uniform(1, 1), uniform(3, 5), *edges):
        lengths.requires_grad_()
        labels = torch.randint(lengths.shape[1], (len(lengths),))
        margin.append(case(margin_loss(lengths, labels), lengths, lengths=tensor(lengths), labels=labels.tolist()))

    reconstruction = []
    for shape in ((3, 1, 4, 5), (2, 3, 3, 3), (1, 1, 1, 1)):
        decoded, images = uniform(*shape).requires_grad_(), uniform(*shape)
        loss = reconstruction_loss(decoded, images)
        reconstruction.append(case(loss, decoded, reconstruction=tensor(decoded), images=tensor(images)))

    cross_entropy = []
    for logits in (normal(4, 10), normal(3, 10, std=300.0), torch.zeros(2, 4, dtype=F64)):
        logits.requires_grad_()
        labels = torch.randint(logits.shape[1], (len(logits),))
        loss = nn.functional.cross_entropy(logits, labels)
        cross_entropy.append(case(loss, logits, logits=tensor(logits), labels=labels.tolist()))

    return {"margin": margin, "reconstruction": reconstruction, "cross_entropy": cross_entropy}


def adam_case() -> dict:
    parameter = normal(6).requires_grad_()
    initial = tensor(parameter)
    options = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}
    optimizer = torch.optim.Adam([parameter], **options)
    steps = []
    for scale in (1.0, 0.1, 1e-6, 30.0, 0.0):
        parameter.grad = normal(6) * scale
        parameter.grad[2] = 0
        optimizer.step()
        moments = optimizer.state[parameter]
        steps.append(
            {
                "gradient": tensor(parameter.grad),
                "parameter": tensor(parameter),
                "first_moment": tensor(moments["exp_avg"]),
                "second_moment": tensor(moments["exp_avg_sq"]),
            }
        )
    return {"options": options, "initial": initial, "steps": steps}


def schedule_cases() -> dict:
    """Learning rates at whole steps or epochs, from 0; those of torch are read off its own schedulers."""

    def from_torch(
        initial: float,
        count: int,
        make: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler],
    ) -> list[float]:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=initial)
        scheduler = make(optimizer)
        rates = []
        for _ in range(count):
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
        return rates

    steps = [0, 1, 100, 469, 1999, 2000, 2001, 10_000, 100_000, 300_000, 338_000, 339_000, 1_000_000]
    schedulers = torch.optim.lr_scheduler
    return {
        "official": {
            "formula": "max(1e-6, 1e-3 * 0.96^(step/2000)), not rounded to whole multiples of 2000",
            "steps": steps,
            "rates": [max(1e-6, 1e-3 * 0.96 ** (step / 2000)) for step in steps],
        },
        "exponential": [
            {
                "initial": initial,
                "gamma": gamma,
                "rates": from_torch(initial, 12, lambda o, g=gamma: schedulers.ExponentialLR(o, g)),
            }
            for initial, gamma in ((1e-3, 0.9), (1e-4, 0.96), (1e-3, 1.0))
        ],
        "cosine": [
            {
                "initial": initial,
                "minimum": minimum,
                "period": period,
                "rates": from_torch(
                    initial, period + 1, lambda o, p=period, m=minimum: schedulers.CosineAnnealingLR(o, p, m)
                ),
            }
            for initial, minimum, period in ((1e-3, 0.0, 10), (1e-3, 1e-6, 7), (2e-4, 1e-5, 1))
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FIXTURES, help="folder for the JSON files")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    makers = {
        "squash": squash_cases,
        "routing": routing_cases,
        "losses": loss_cases,
        "small_capsnet": small_capsnets,
        "lenet5": lenet5_case,
        "cnn": cnn_case,
        "efficient_capsnet": efficient_capsnets,
        "hvc": hvcs,
        "adam": adam_case,
        "schedules": schedule_cases,
    }
    for name, make in makers.items():
        torch.manual_seed(2017)  # one seed a file, so that a change to one leaves the others as they are
        fixture = {"made_by": "tools/pytorch/make_fixtures.py", "torch": torch.__version__, **make()}
        text = json.dumps(fixture, separators=(",", ":"), allow_nan=False)
        (out / f"{name}.json").write_text(text + "\n")
        print(f"{name}.json  {len(text)} bytes")


if __name__ == "__main__":
    main()
