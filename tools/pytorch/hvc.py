"""Homogeneous vector capsules in plain PyTorch, and the fixture that holds the Rust model to it.

    x = relu(norm(conv(x)))                   3x3 without padding and bias, again and again
    y[k] = relu(norm(sum_c x[c] * w[k,c]))    a branch: x[c] is the capsule of the filters at place c; * by elements
    logits[k] = sum over branches of norm(weight * |y[k]|)
    norm(x) = (x - mean) / sqrt(variance + 1e-3) + offset

Source: Byerly, Kalganova, Dear, "No routing needed between capsules", 2021, and the authors' code.
Letters in shapes: B batch, K classes, C places, D filters.
"""

import torch
from torch import Tensor, nn

from fixture_tensors import named, normal, tensor, uniform

MOMENTUM = 0.1
EPSILON = 1e-3


class Norm(nn.Module):
    """Over all dimensions but the last, by formula; a training pass moves the running statistics."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = self.running_mean, self.running_var
        if self.training:
            over = tuple(range(x.dim() - 1))
            mean, variance = x.mean(dim=over), x.var(dim=over, unbiased=False)
            count = x.numel() // x.shape[-1]
            for state, now in ((self.running_mean, mean), (self.running_var, variance * count / (count - 1))):
                state.copy_((1 - MOMENTUM) * state + MOMENTUM * now.detach())
        return (x - mean) / torch.sqrt(variance + EPSILON) + self.bias


class Branch(nn.Module):
    def __init__(self, classes: int, places: int, filters: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.05 * torch.randn(classes, places, filters))
        self.bn = Norm(filters)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,D] to [B,K,D]."""
        products = x[:, None] * self.weight[None]
        return torch.relu(self.bn(products.sum(dim=2)))


class Merge(nn.Module):
    def __init__(self, branches: int) -> None:
        super().__init__()
        if branches > 1:
            self.weight = nn.Parameter(torch.ones(branches))
        self.bn = Norm(branches)

    def forward(self, scores: Tensor) -> Tensor:
        """[B,K,branches] to [B,K]."""
        if hasattr(self, "weight"):
            scores = scores * self.weight
        return self.bn(scores).sum(dim=2)


class Hvc(nn.Module):
    def __init__(
        self,
        image: tuple[int, int, int] = (1, 28, 28),
        channels: tuple[int, ...] = tuple(range(32, 161, 16)),
        branches: tuple[int, ...] = (3, 6, 9),
        classes: int = 10,
    ) -> None:
        super().__init__()
        depth, height, width = image
        self.after = branches
        for number, filters in enumerate(channels, 1):
            setattr(self, f"conv{number}", nn.Conv2d(depth, filters, 3, bias=False))
            setattr(self, f"bn{number}", Norm(filters))
            depth = filters
        for number, after in enumerate(branches, 1):
            places = (height - 2 * after) * (width - 2 * after)
            setattr(self, f"branch{number}", Branch(classes, places, channels[after - 1]))
        self.merge = Merge(len(branches))

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Images [B,channels,height,width] to logits [B,K] and each branch's capsules [B,K,D]."""
        x, capsules = images, []
        for number in range(1, max(self.after) + 1):
            x = getattr(self, f"conv{number}")(x)
            x = torch.relu(getattr(self, f"bn{number}")(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
            if number in self.after:
                places = x.flatten(2).transpose(1, 2)
                capsules.append(getattr(self, f"branch{len(capsules) + 1}")(places))
        scores = [torch.linalg.vector_norm(y, dim=2) for y in capsules]
        return self.merge(torch.stack(scores, dim=2)), capsules


def case(name: str, image: tuple[int, int, int], branches: tuple[int, ...]) -> dict:
    """One training pass with every gradient, then one evaluation pass by the running statistics that it left."""
    sizes = {"channels": (4, 6, 5), "branches": branches, "classes": 3}
    model = Hvc(image, **sizes).double()
    with torch.no_grad():
        for key, values in model.state_dict().items():
            if key.endswith("running_var"):
                values.copy_(uniform(*values.shape) + 0.1)
            elif key == "merge.weight":
                values.copy_(normal(*values.shape, std=0.2) + 1)
            else:
                values.copy_(normal(*values.shape, std=0.3))
            if key.startswith("branch") and key.endswith("bn.bias"):
                values.add_(1.5)  # no capsule is all zero, where a length has no gradient
    state = {key: values.clone() for key, values in model.state_dict().items()}
    images, labels = uniform(4, *image), torch.tensor([1, 0, 2, 2])

    model.train()
    logits, capsules = model(images)
    assert all(torch.linalg.vector_norm(y, dim=2).min() > 0.1 for y in capsules)
    loss = nn.functional.cross_entropy(logits, labels)
    loss.backward()
    gradients = {key: parameter.grad for key, parameter in model.named_parameters()}
    running = {key: values for key, values in model.state_dict().items() if "running" in key}
    model.eval()
    with torch.no_grad():
        evaluated, _ = model(images)
    return {
        "name": name,
        "image": list(image),
        **{key: list(value) if isinstance(value, tuple) else value for key, value in sizes.items()},
        "state": named(state),
        "images": tensor(images),
        "labels": labels.tolist(),
        "training": {
            "logits": tensor(logits),
            "capsules": [tensor(y) for y in capsules],
            "loss": loss.item(),
            "gradients": named(gradients),
        },
        "evaluation": {"running_statistics": named(running), "logits": tensor(evaluated)},
    }


def hvcs() -> dict:
    def parameters(branches: tuple[int, ...]) -> int:
        return sum(parameter.numel() for parameter in Hvc(branches=branches).parameters())

    return {
        "parameters": parameters((3, 6, 9)),
        "parameters_of_one_branch": parameters((9,)),
        "networks": [
            case("grey, two branches", (1, 9, 9), (1, 3)),
            case("colour, oblong, one branch", (2, 8, 10), (3,)),
        ],
    }
