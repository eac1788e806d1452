"""Matrix capsules with EM routing (Hinton, Sabour, Frosst 2018) in PyTorch, with the names of capsnet's weights files.

Written for speed: votes of a layer are one batched product, and rivals for a child are gathered by index_add over a table of
pairs, so that nothing loops over positions.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


class Capsules(nn.Module):
    """A layer; the last one with shared matrices and the places of the children."""

    def __init__(self, side, lower, upper, kernel, stride, iterations, centres=None):
        super().__init__()
        self.out = (side - kernel) // stride + 1
        self.iterations = iterations
        offsets = kernel * kernel
        shape = (lower, upper, 4, 4) if centres else (offsets, lower, upper, 4, 4)
        self.weight = nn.Parameter(torch.randn(shape) * 0.5)
        self.beta_u = nn.Parameter(torch.zeros(upper))
        self.beta_a = nn.Parameter(torch.full((upper,), -2000.0 if centres else -1000.0))
        child = torch.tensor([[(r * stride + u) * side + c * stride + v for u in range(kernel) for v in range(kernel)]
                              for r in range(self.out) for c in range(self.out)])
        covers = torch.bincount(child.flatten(), minlength=side * side)
        first = 1 / (covers[child].float() * upper)
        self.register_buffer('child', child.flatten(), persistent=False)
        self.register_buffer('first', first.repeat_interleave(lower, 1)[None, :, :, None], persistent=False)
        self.scale = 100 * self.out**2 * upper / (int((covers > 0).sum()) * lower)
        self.sizes = side * side, offsets, lower, upper
        places = torch.zeros(1, self.out**2, offsets * lower, 1, 16)
        if centres:
            start, step, size = centres
            for axis, element in [(child // side, 3), (child % side, 7)]:
                places[0, :, :, 0, element] = ((start + axis * step + 0.5) / size).repeat_interleave(lower, 1)
        self.register_buffer('places', places if centres else None, persistent=False)

    def forward(self, pose, active):
        """pose [B, side * side, lower, 4, 4], active [B, side * side, lower]."""
        places, offsets, lower, upper = self.sizes
        batch, positions, pairs = pose.shape[0], self.out**2, offsets * lower
        weight = self.weight.expand(offsets, -1, -1, -1, -1) if self.weight.dim() == 4 else self.weight
        gathered = pose[:, self.child].view(batch, positions, pairs, 4, 4)
        left = gathered.permute(2, 0, 1, 3, 4).reshape(pairs, batch * positions * 4, 4)
        right = weight.reshape(pairs, upper, 4, 4).transpose(1, 2).reshape(pairs, 4, upper * 4)
        votes = torch.bmm(left, right).view(pairs, batch, positions, 4, upper, 4)
        votes = votes.permute(1, 2, 0, 4, 3, 5).reshape(batch, positions, pairs, upper, 16)
        if self.places is not None:
            votes = votes + self.places
        a = active[:, self.child].view(batch, positions, pairs, 1)
        shares = self.first
        for t in range(self.iterations):
            inverse_temperature = 0.01 * (1 - 0.95 ** (t + 1))
            w = (shares * a).unsqueeze(-1)
            mass = w.sum(2, keepdim=True) + 1e-8
            mean = (w * votes).sum(2, keepdim=True) / mass
            squares = (votes - mean).square()
            variance = (w * squares).sum(2, keepdim=True) / mass + 1e-6
            logs = variance.log().sum(-1)
            cost = mass[..., 0] * self.scale * (16 * self.beta_u + logs / 2)
            logit = inverse_temperature * (self.beta_a - cost)
            if t + 1 < self.iterations:
                z = F.logsigmoid(logit) - logs / 2 - 8 * math.log(2 * math.pi) - (squares / variance).sum(-1) / 2
                z = z.view(batch, positions * offsets, lower, upper)
                with torch.no_grad():
                    index = self.child[None, :, None].expand(batch, -1, lower)
                    most = torch.full((batch, places, lower), -math.inf, device=z.device, dtype=z.dtype)
                    most = most.scatter_reduce(1, index, z.amax(-1), 'amax')[:, self.child, :, None]
                powers = (z - most).exp()
                sums = torch.zeros(batch, places, lower, device=z.device, dtype=z.dtype)
                sums = sums.index_add(1, self.child, powers.sum(-1))
                shares = (powers / sums[:, self.child, :, None]).view(batch, positions, pairs, upper)
        return mean.view(batch, positions, upper, 4, 4), logit.view(batch, positions, upper).sigmoid()


class EmCapsNet(nn.Module):
    """The small network unless other sizes are given."""

    def __init__(self, channels=64, types=(8, 16, 16), classes=10, iterations=2, size=28):
        super().__init__()
        b, c, d = types
        side = (size - 5) // 2 + 1
        self.conv1 = nn.Conv2d(1, channels, 5, 2)
        self.primary = nn.ModuleDict({'pose': nn.Conv2d(channels, 16 * b, 1), 'activation': nn.Conv2d(channels, b, 1)})
        self.capsules1 = Capsules(side, b, c, 3, 2, iterations)
        self.capsules2 = Capsules(self.capsules1.out, c, d, 3, 1, iterations)
        last = self.capsules2.out
        self.classes = Capsules(last, d, classes, last, 1, iterations, centres=(8, 4, size))
        self.types = b

    def forward(self, x):
        x = self.conv1(x).relu()
        pose = self.primary['pose'](x).flatten(2).unflatten(1, (self.types, 16)).permute(0, 3, 1, 2)
        pose = pose.unflatten(-1, (4, 4))
        active = self.primary['activation'](x).flatten(2).transpose(1, 2).sigmoid()
        for layer in (self.capsules1, self.capsules2, self.classes):
            pose, active = layer(pose, active)
        return active.flatten(1)


def spread_loss(activations, labels, margin):
    of_target = activations.gather(1, labels[:, None])
    short = (margin - (of_target - activations)).clamp_min(0).square()
    return (short.sum() - len(labels) * margin**2) / len(labels)
