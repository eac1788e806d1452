"""Efficient-CapsNet in plain PyTorch, and the fixture that holds the Rust model to it.

    x = batch_norm(relu(conv(x)))     four times: 5x5, 3x3, 3x3, 3x3 stride 2, without padding
    u = squash(depthwise(x))          a kernel as large as the map; channel E i + e is dimension e of capsule i
    u_hat[j|i] = u[i] W[j,i]
    A[j,i] = <u_hat[j|i], sum_k u_hat[j|k]> / sqrt(D)
    c = softmax over j of A, plus a trainable bias
    v[j] = squash(sum_i c[j,i] u_hat[j|i])
    squash(s) = (1 - exp(-|s|)) s / |s|

Source: Mazzia, Salvetti, Chiaberge, "Efficient-CapsNet: capsule network with self-attention routing", 2021.
Letters in shapes: B batch, I lower and J upper capsules, E and D their dimensions.
"""

import torch
from torch import Tensor, nn

from fixture_tensors import F64, named, normal, tensor, uniform
from reference import margin_loss

RECONSTRUCTION_WEIGHT = 0.392


def squash(s: Tensor) -> Tensor:
    length = torch.linalg.vector_norm(s, dim=-1, keepdim=True)
    return s * (-torch.expm1(-length) / length)


class DigitCapsules(nn.Module):
    def __init__(self, lower: int, lower_dims: int, upper: int, upper_dims: int) -> None:
        super().__init__()
        deviation = (2.0 / (upper * lower * lower_dims)) ** 0.5
        self.weight = nn.Parameter(deviation * torch.randn(upper, lower, lower_dims, upper_dims))
        self.bias = nn.Parameter(torch.zeros(upper, lower))

    def forward(self, u: Tensor) -> Tensor:
        u_hat = torch.einsum("bie,jied->bjid", u, self.weight)
        total = u_hat.sum(dim=2)
        agreement = torch.einsum("bjid,bjd->bji", u_hat, total) / u_hat.shape[3] ** 0.5
        couplings = torch.softmax(agreement, dim=1) + self.bias
        return squash(torch.einsum("bji,bjid->bjd", couplings, u_hat))


class EfficientCapsNet(nn.Module):
    def __init__(
        self,
        image: tuple[int, int, int] = (1, 28, 28),
        channels: tuple[int, int, int, int] = (32, 64, 64, 128),
        primary_dims: int = 8,
        classes: int = 10,
        class_dims: int = 16,
        decoder: tuple[int, int] | None = (512, 1024),
    ) -> None:
        super().__init__()
        depth, height, width = image
        c1, c2, c3, c4 = channels
        self.conv1, self.bn1 = nn.Conv2d(depth, c1, 5), nn.BatchNorm2d(c1, eps=1e-3, momentum=0.01)
        self.conv2, self.bn2 = nn.Conv2d(c1, c2, 3), nn.BatchNorm2d(c2, eps=1e-3, momentum=0.01)
        self.conv3, self.bn3 = nn.Conv2d(c2, c3, 3), nn.BatchNorm2d(c3, eps=1e-3, momentum=0.01)
        self.conv4, self.bn4 = nn.Conv2d(c3, c4, 3, stride=2), nn.BatchNorm2d(c4, eps=1e-3, momentum=0.01)
        kernel = ((height - 11) // 2 + 1, (width - 11) // 2 + 1)
        self.primary = nn.Conv2d(c4, c4, kernel, groups=c4)
        self.primary_dims = primary_dims
        self.digit_capsules = DigitCapsules(c4 // primary_dims, primary_dims, classes, class_dims)
        if decoder:
            first, second = decoder
            self.decoder = nn.Sequential(
                nn.Linear(classes * class_dims, first),
                nn.ReLU(),
                nn.Linear(first, second),
                nn.ReLU(),
                nn.Linear(second, depth * height * width),
                nn.Sigmoid(),
            )

    def forward(self, images: Tensor) -> Tensor:
        """Images [B,channels,height,width] in 0..1 to class capsules [B,J,D]."""
        x = images
        for layer in range(1, 5):
            conv, norm = getattr(self, f"conv{layer}"), getattr(self, f"bn{layer}")
            x = norm(torch.relu(conv(x)))
        u = self.primary(x).flatten(1).unflatten(1, (-1, self.primary_dims))
        return self.digit_capsules(squash(u))

    def reconstruct(self, v: Tensor, labels: Tensor) -> Tensor:
        keep = nn.functional.one_hot(labels, v.shape[1]).to(v.dtype)
        return self.decoder((v * keep[:, :, None]).flatten(1))

    def loss(self, v: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        lengths = torch.linalg.vector_norm(v, dim=2)
        error = nn.functional.mse_loss(self.reconstruct(v, labels), images.flatten(1))
        return margin_loss(lengths, labels) + RECONSTRUCTION_WEIGHT * error


def case(name: str, image: tuple[int, int, int]) -> dict:
    """One training pass with every gradient, then one evaluation pass by the running statistics that it left."""
    sizes = {"channels": (4, 6, 5, 8), "primary_dims": 4, "classes": 3, "class_dims": 5, "decoder": (7, 9)}
    model = EfficientCapsNet(image, **sizes).double()
    with torch.no_grad():
        model.digit_capsules.weight.copy_(normal(*model.digit_capsules.weight.shape, std=0.5))
        model.digit_capsules.bias.copy_(normal(*model.digit_capsules.bias.shape, std=0.2))
        for norm in (model.bn1, model.bn2, model.bn3, model.bn4):
            norm.weight.copy_(normal(*norm.weight.shape, std=0.2) + 1)
            norm.bias.copy_(normal(*norm.bias.shape, std=0.2))
            norm.running_mean.copy_(normal(*norm.bias.shape, std=0.2))
            norm.running_var.copy_(uniform(*norm.bias.shape) + 0.1)
        for parameter in model.parameters():
            parameter.copy_(parameter.round(decimals=3))
    state = {key: values.clone() for key, values in model.state_dict().items()}
    images, labels = uniform(3, *image), torch.tensor([1, 0, 2])

    model.train()
    v = model(images)
    loss = model.loss(v, images, labels)
    loss.backward()
    gradients = {key: parameter.grad for key, parameter in model.named_parameters()}
    running = {key: values for key, values in model.state_dict().items() if "running" in key}
    model.eval()
    with torch.no_grad():
        evaluated = model(images)
        drawn = model.reconstruct(evaluated, labels)
    return {
        "name": name,
        "image": list(image),
        **{key: list(value) if isinstance(value, tuple) else value for key, value in sizes.items()},
        "state": named(state),
        "images": tensor(images),
        "labels": labels.tolist(),
        "training": {"v": tensor(v), "loss": loss.item(), "gradients": named(gradients)},
        "evaluation": {"running_statistics": named(running), "v": tensor(evaluated), "reconstruction": tensor(drawn)},
    }


def efficient_capsnets() -> dict:
    sizes = sum(parameter.numel() for parameter in EfficientCapsNet(decoder=None).parameters())
    return {
        "parameters_without_decoder": sizes,
        "parameters": sum(parameter.numel() for parameter in EfficientCapsNet().parameters()),
        "networks": [case("grey", (1, 14, 14)), case("colour, oblong", (3, 13, 16))],
    }
