"""LeNet-5 and the dynamic-routing CapsNet in plain PyTorch, the yardstick for the Rust library.

Written from the formulas, for clarity and in any float type:

    u_hat[j|i] = W[i,j] u[i]                 votes
    c          = softmax(b)                  couplings, b = 0 at first
    s[j]       = sum_i c[i,j] u_hat[j|i]
    v[j]       = |s|^2 / (1 + |s|^2) * s/|s| squash
    b[i,j]    += <u_hat[j|i], v[j]>          agreement

Source: Sabour, Frosst, Hinton, "Dynamic Routing Between Capsules", 2017. LeNet-5 is the version with average
pooling, ReLU and three linear layers.

Letters in shapes: B batch, I input capsules, J output capsules (classes), D and E capsule dimensions,
C channels, H and W height and width.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

MARGIN_PRESENT = 0.9
MARGIN_ABSENT = 0.1
ABSENT_WEIGHT = 0.5
RECONSTRUCTION_WEIGHT = 0.0005


def squash(s: Tensor) -> Tensor:
    """Shrinks every vector of the last axis to a length below one and keeps its direction.

    |s|^2/(1+|s|^2) * s/|s| is written as s * |s|/(1+|s|^2), which needs no division by |s|. The derivative of
    `vector_norm` at zero is defined as zero by PyTorch, so the gradient at s = 0 is zero, its true value.
    """
    length = torch.linalg.vector_norm(s, dim=-1, keepdim=True)
    return s * (length / (1 + length * length))


def dynamic_routing(u_hat: Tensor, iterations: int, axis: str = "out") -> tuple[Tensor, list[Tensor]]:
    """Routes votes [B,I,J,D] to output capsules [B,J,D]; gradients flow through every iteration.

    `axis` says what the couplings of a softmax compete over: "out", every input shares itself out over the
    outputs J (the paper); "in", every output shares itself out over the inputs I (the tutorial's variant).
    Returns the output capsules and the couplings [B,I,J] used by each iteration.
    """
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1, got {iterations}")
    softmax_dim = {"out": 2, "in": 1}[axis]
    logits = u_hat.new_zeros(u_hat.shape[:3])
    couplings = []
    for _ in range(iterations):
        c = torch.softmax(logits, dim=softmax_dim)
        couplings.append(c)
        v = squash(torch.einsum("bij,bijd->bjd", c, u_hat))
        logits = logits + torch.einsum("bijd,bjd->bij", u_hat, v)
    return v, couplings


def margin_loss(lengths: Tensor, labels: Tensor) -> Tensor:
    """Margin loss of capsule lengths [B,J]: summed over the classes, averaged over the batch."""
    present = functional.one_hot(labels, lengths.shape[1]).to(lengths.dtype)
    too_short = torch.clamp(MARGIN_PRESENT - lengths, min=0) ** 2
    too_long = torch.clamp(lengths - MARGIN_ABSENT, min=0) ** 2
    return (present * too_short + ABSENT_WEIGHT * (1 - present) * too_long).sum(dim=1).mean()


def reconstruction_loss(reconstruction: Tensor, images: Tensor) -> Tensor:
    """0.0005 times the squared error: summed over each image, averaged over the batch."""
    squared = (reconstruction.flatten(1) - images.flatten(1)) ** 2
    return RECONSTRUCTION_WEIGHT * squared.sum(dim=1).mean()


class LeNet5(nn.Module):
    """Images [B,1,28,28] to logits [B,10]; 44,426 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(1, 6, 5)
        self.conv1 = nn.Conv2d(6, 16, 5)
        self.fc2 = nn.Linear(256, 120)
        self.fc3 = nn.Linear(120, 84)
        self.fc4 = nn.Linear(84, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = functional.avg_pool2d(torch.relu(self.conv0(images)), 2)
        x = functional.avg_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.relu(self.fc2(x.flatten(1)))
        x = torch.relu(self.fc3(x))
        return self.fc4(x)


class Cnn(nn.Module):
    """Images [B,C,side,side] to logits [B,classes]: convolutions with ReLU, then linear layers with ReLU between them."""

    def __init__(self, image: tuple[int, int], channels: list[int], strides: list[int], kernel: int, hidden: list[int],
                 classes: int) -> None:
        super().__init__()
        (before, side) = image
        self.convs, self.linears = nn.ModuleList(), nn.ModuleList()
        for after, stride in zip(channels, strides, strict=True):
            self.convs.append(nn.Conv2d(before, after, kernel, stride))
            before, side = after, (side - kernel) // stride + 1
        before *= side * side
        for after in [*hidden, classes]:
            self.linears.append(nn.Linear(before, after))
            before = after

    def forward(self, images: Tensor) -> Tensor:
        x = images
        for conv in self.convs:
            x = torch.relu(conv(x))
        x = x.flatten(1)
        for linear in self.linears[:-1]:
            x = torch.relu(linear(x))
        return self.linears[-1](x)


@dataclass(frozen=True)
class CapsNetConfig:
    """The sizes of a CapsNet and the three choices in which the tutorial's variant differs from the paper."""

    image_size: int = 28
    channels: int = 1
    conv_channels: int = 256
    conv_kernel: int = 9
    primary_maps: int = 32
    primary_dims: int = 8
    primary_kernel: int = 9
    primary_stride: int = 2
    classes: int = 10
    class_dims: int = 16
    iterations: int = 3
    decoder_widths: tuple[int, int] = (512, 1024)
    routing_axis: str = "out"
    softmax_lengths: bool = False
    input_batch_norm: bool = False

    def as_tutorial(self) -> "CapsNetConfig":
        """The same sizes with the tutorial's three choices."""
        return replace(self, routing_axis="in", softmax_lengths=True, input_batch_norm=True)

    @property
    def primary_side(self) -> int:
        """Height and width of the primary capsules' maps."""
        after_conv = self.image_size - self.conv_kernel + 1
        return (after_conv - self.primary_kernel) // self.primary_stride + 1

    @property
    def primary_count(self) -> int:
        return self.primary_maps * self.primary_side**2


class PrimaryCapsules(nn.Module):
    """Feature maps [B,C,H,W] to squashed capsules [B,I,D].

    One convolution per capsule dimension; each gives `primary_maps` maps. Capsule i = map*H*W + y*W + x.
    """

    def __init__(self, config: CapsNetConfig) -> None:
        super().__init__()
        self.capsules = nn.ModuleList(
            nn.Conv2d(config.conv_channels, config.primary_maps, config.primary_kernel, config.primary_stride)
            for _ in range(config.primary_dims)
        )

    def forward(self, features: Tensor) -> Tensor:
        return squash(torch.stack([conv(features).flatten(1) for conv in self.capsules], dim=2))


class DigitCapsules(nn.Module):
    """Capsules [B,I,D] to class capsules [B,J,E], by votes and dynamic routing."""

    def __init__(self, config: CapsNetConfig, weight_std: float) -> None:
        super().__init__()
        self.iterations = config.iterations
        self.axis = config.routing_axis
        shape = (config.classes, config.primary_count, config.primary_dims, config.class_dims)
        self.route_weights = nn.Parameter(weight_std * torch.randn(shape))

    def forward(self, u: Tensor) -> tuple[Tensor, list[Tensor]]:
        u_hat = torch.einsum("jide,bid->bije", self.route_weights, u)
        return dynamic_routing(u_hat, self.iterations, self.axis)


@dataclass
class CapsNetOutput:
    """v [B,J,E], lengths and scores [B,J] (equal but for the softmax), couplings [r][B,I,J], images [B,C,H,W]."""

    v: Tensor
    lengths: Tensor
    scores: Tensor
    couplings: list[Tensor]
    reconstruction: Tensor


class CapsNet(nn.Module):
    """The CapsNet of the paper, or of the tutorial, as the configuration says.

    `weight_std` is the standard deviation of the initial routing weights.
    """

    def __init__(self, config: CapsNetConfig, weight_std: float = 0.05) -> None:
        super().__init__()
        self.config = config
        if config.input_batch_norm:
            self.batch_norm_0 = nn.BatchNorm2d(config.channels)
        self.conv1 = nn.Conv2d(config.channels, config.conv_channels, config.conv_kernel)
        self.primary_capsules = PrimaryCapsules(config)
        self.digit_capsules = DigitCapsules(config, weight_std)
        narrow, wide = config.decoder_widths
        self.decoder = nn.Sequential(
            nn.Linear(config.classes * config.class_dims, narrow),
            nn.ReLU(),
            nn.Linear(narrow, wide),
            nn.ReLU(),
            nn.Linear(wide, config.channels * config.image_size**2),
            nn.Sigmoid(),
        )

    def forward(self, images: Tensor, labels: Tensor | None = None) -> CapsNetOutput:
        """Images [B,C,H,W] in [0,1]. The decoder sees the capsule of the label, or the longest without labels."""
        x = self.batch_norm_0(images) if self.config.input_batch_norm else images
        features = torch.relu(self.conv1(x))
        v, couplings = self.digit_capsules(self.primary_capsules(features))
        lengths = torch.linalg.vector_norm(v, dim=2)
        scores = torch.softmax(lengths, dim=1) if self.config.softmax_lengths else lengths
        shown = lengths.argmax(dim=1) if labels is None else labels
        mask = functional.one_hot(shown, self.config.classes).to(v.dtype)
        decoded = self.decoder((v * mask.unsqueeze(2)).flatten(1))
        return CapsNetOutput(v, lengths, scores, couplings, decoded.view(images.shape))

    def loss(self, output: CapsNetOutput, images: Tensor, labels: Tensor) -> Tensor:
        """Margin loss of the scores plus reconstruction loss against the images as they came in."""
        return margin_loss(output.scores, labels) + reconstruction_loss(output.reconstruction, images)


def parameter_count(module: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in module.parameters())
