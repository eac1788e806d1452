"""Fixtures of whole networks: small CapsNets of both variants, and LeNet-5."""

import math

import torch
from torch import nn

from fixture_tensors import F64, named, normal, tensor, uniform
from reference import CapsNet, CapsNetConfig, CapsNetOutput, Cnn, LeNet5, margin_loss, reconstruction_loss


def capsnet_case(name: str, config: CapsNetConfig) -> dict:
    """One training pass with every gradient, then one evaluation pass of the same weights.

    The training pass updates the running statistics of the batch norm once, and the evaluation uses them.
    """
    model = CapsNet(config, weight_std=2.0 if config.routing_axis == "in" else 0.5).double()
    with torch.no_grad():
        if config.input_batch_norm:
            model.batch_norm_0.weight.copy_(normal(config.channels, std=0.2) + 1)
            model.batch_norm_0.bias.copy_(normal(config.channels, std=0.2))
        # Brings the capsules to lengths on both sides of the margins.
        for convolution in model.primary_capsules.capsules:
            convolution.weight.mul_(3)
        for parameter in model.parameters():
            parameter.copy_(parameter.round(decimals=3))
    state = {key: values.clone() for key, values in model.state_dict().items()}
    images = uniform(2, config.channels, config.image_size, config.image_size)
    labels = torch.tensor([1, 0])

    model.train()
    output = model(images, labels)
    margin = margin_loss(output.scores, labels)
    reconstruction = reconstruction_loss(output.reconstruction, images)
    total = model.loss(output, images, labels)
    total.backward()
    gradients = {key: parameter.grad for key, parameter in model.named_parameters()}

    def outputs(output: CapsNetOutput) -> dict:
        return {field: tensor(getattr(output, field)) for field in ("v", "lengths", "scores", "reconstruction")}

    model.eval()
    with torch.no_grad():
        evaluated = model(images)
    running = {key: values for key, values in model.state_dict().items() if "running" in key or "num_batches" in key}
    return {
        "name": name,
        "config": dict(vars(config)),
        "state": named(state),
        "images": tensor(images),
        "labels": labels.tolist(),
        "training": {
            **outputs(output),
            "margin_loss": margin.item(),
            "reconstruction_loss": reconstruction.item(),
            "loss": total.item(),
            "gradients": named(gradients),
        },
        "evaluation": {"running_statistics": named(running), **outputs(evaluated)},
    }


def small_capsnets() -> dict:
    def config(image_size: int, channels: int, iterations: int = 3) -> CapsNetConfig:
        return CapsNetConfig(
            image_size=image_size,
            channels=channels,
            conv_channels=4,
            conv_kernel=3,
            primary_maps=2,
            primary_dims=4,
            primary_kernel=3,
            primary_stride=2,
            classes=3,
            class_dims=5,
            iterations=iterations,
            decoder_widths=(8, 9),
        )

    return {
        "decoder": "masked by the labels in training, by the longest capsule in evaluation",
        "networks": [
            capsnet_case("paper, grey", config(12, 1)),
            capsnet_case("paper, colour", config(8, 3, iterations=2)),
            capsnet_case("tutorial, grey", config(8, 1).as_tutorial()),
            capsnet_case("tutorial, colour", config(9, 3).as_tutorial()),
        ],
    }


def lenet5_case() -> dict:
    return from_formula(LeNet5().double(), (1, 28))


def cnn_case() -> dict:
    """A small plain convolutional network in the same way."""
    sizes = {"channels": [4, 6, 5], "strides": [1, 2, 1], "kernel": 3, "hidden": [11, 7], "classes": 4}
    return {**sizes, **from_formula(Cnn((2, 15), **sizes).double(), (2, 15))}


def from_formula(model: nn.Module, shape: tuple[int, int]) -> dict:
    """A network with weights and images that a formula gives, so that the file holds none of them."""
    channels, side = shape
    size = channels * side * side
    tensors = []
    with torch.no_grad():
        for t, (name, parameter) in enumerate(model.named_parameters()):
            scale = round(1.7 / math.sqrt(parameter[0].numel()), 3) if parameter.dim() > 1 else 0.1
            values = [scale * math.sin(0.37 * k + 0.1 * t) for k in range(parameter.numel())]
            parameter.copy_(torch.tensor(values, dtype=F64).view_as(parameter))
            tensors.append({"name": name, "shape": list(parameter.shape), "scale": scale})
    pixels = [math.cos(0.011 * k * (1 + k // size)) for k in range(2 * size)]
    images = torch.tensor(pixels, dtype=F64).view(2, channels, side, side)
    labels = torch.tensor([3, 7 % model(images).shape[1]])
    logits = model(images)
    loss = nn.functional.cross_entropy(logits, labels)
    loss.backward()
    for entry, parameter in zip(tensors, model.parameters()):
        flat = parameter.grad.flatten()
        # Spread over the entries that are not zero; the sum of squares gives away the others.
        nonzero = flat.nonzero().flatten().tolist()
        count = min(20, len(nonzero))
        indices = [nonzero[i * (len(nonzero) - 1) // (count - 1)] for i in range(count)]
        entry["gradient_sum"] = flat.sum().item()
        entry["gradient_sum_of_squares"] = (flat * flat).sum().item()
        entry["sampled_indices"] = indices
        entry["sampled_gradients"] = flat[indices].tolist()
    return {
        "weights": "entry k (row-major) of tensor number t (order of `tensors`, from 0) is scale * sin(0.37*k + 0.1*t)",
        "images": f"entry k (row-major) of [2,{channels},{side},{side}] is cos(0.011 * k * (1 + k / {size})), with whole-number division",
        "labels": labels.tolist(),
        "logits": tensor(logits),
        "loss": loss.item(),
        "tensors": tensors,
    }
