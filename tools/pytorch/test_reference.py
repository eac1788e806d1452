"""Checks of the reference itself: loops written straight from the formulas, gradients, layout, sizes.

    python -m unittest test_reference
"""

import math
import unittest

import torch

from reference import (
    CapsNet,
    CapsNetConfig,
    LeNet5,
    PrimaryCapsules,
    dynamic_routing,
    margin_loss,
    parameter_count,
    reconstruction_loss,
    squash,
)

torch.set_num_threads(1)
F64 = torch.float64


def softmax(values: list[float]) -> list[float]:
    exponentials = [math.exp(value) for value in values]
    return [e / sum(exponentials) for e in exponentials]


def routing_by_loops(u_hat: list, iterations: int, axis: str) -> list:
    """One sample's routing [I][J][D] with scalars only."""
    inputs, outputs, dims = len(u_hat), len(u_hat[0]), len(u_hat[0][0])
    b = [[0.0] * outputs for _ in range(inputs)]
    for _ in range(iterations):
        if axis == "out":
            c = [softmax(row) for row in b]
        else:
            columns = [softmax([b[i][j] for i in range(inputs)]) for j in range(outputs)]
            c = [[columns[j][i] for j in range(outputs)] for i in range(inputs)]
        v = []
        for j in range(outputs):
            s = [sum(c[i][j] * u_hat[i][j][d] for i in range(inputs)) for d in range(dims)]
            squared = sum(x * x for x in s)
            v.append([squared / (1 + squared) * x / math.sqrt(squared) for x in s])
        for i in range(inputs):
            for j in range(outputs):
                b[i][j] += sum(u_hat[i][j][d] * v[j][d] for d in range(dims))
    return v


class Reference(unittest.TestCase):
    def setUp(self) -> None:
        torch.manual_seed(1)

    def test_routing_equals_loops(self) -> None:
        for axis in ("out", "in"):
            for iterations in range(1, 6):
                u_hat = torch.randn(2, 5, 3, 4, dtype=F64)
                v, couplings = dynamic_routing(u_hat, iterations, axis)
                self.assertEqual(len(couplings), iterations)
                for sample in range(2):
                    expected = torch.tensor(routing_by_loops(u_hat[sample].tolist(), iterations, axis), dtype=F64)
                    torch.testing.assert_close(v[sample], expected, rtol=1e-12, atol=1e-14)

    def test_gradients_equal_finite_differences(self) -> None:
        self.assertTrue(torch.autograd.gradcheck(squash, torch.randn(4, 3, dtype=F64, requires_grad=True)))
        for axis in ("out", "in"):
            u_hat = torch.randn(2, 4, 3, 2, dtype=F64, requires_grad=True)
            self.assertTrue(torch.autograd.gradcheck(lambda x, a=axis: dynamic_routing(x, 3, a)[0], u_hat))

    def test_squash_at_zero_has_zero_value_and_gradient(self) -> None:
        s = torch.zeros(2, 3, dtype=F64, requires_grad=True)
        squash(s).sum().backward()
        self.assertTrue(torch.equal(s.grad, torch.zeros(2, 3, dtype=F64)))

    def test_losses_by_hand(self) -> None:
        lengths = torch.tensor([[0.8, 0.3], [0.95, 0.05]], dtype=F64)
        loss = margin_loss(lengths, torch.tensor([0, 1]))
        by_hand = ((0.1**2 + 0.5 * 0.2**2) + (0.5 * 0.85**2 + 0.85**2)) / 2
        self.assertAlmostEqual(loss.item(), by_hand, places=14)
        images = torch.zeros(2, 1, 2, 2, dtype=F64)
        self.assertAlmostEqual(reconstruction_loss(images + 0.5, images).item(), 0.0005 * 4 * 0.25, places=15)

    def test_primary_capsule_layout(self) -> None:
        config = CapsNetConfig(
            image_size=8, conv_channels=3, conv_kernel=3, primary_maps=2, primary_dims=4, primary_kernel=2
        )
        layer = PrimaryCapsules(config).double()
        features = torch.randn(2, 3, 6, 6, dtype=F64)
        u = layer(features)
        side = config.primary_side
        self.assertEqual(u.shape, (2, config.primary_count, 4))
        maps = [conv(features) for conv in layer.capsules]
        for m, y, x in [(0, 0, 1), (1, 2, 0), (1, 1, 2)]:
            raw = torch.stack([maps[d][:, m, y, x] for d in range(4)], dim=1)
            torch.testing.assert_close(u[:, m * side * side + y * side + x], squash(raw))

    def test_parameter_counts(self) -> None:
        self.assertEqual(parameter_count(LeNet5()), 44_426)
        paper = CapsNet(CapsNetConfig())
        self.assertEqual(parameter_count(paper), 8_215_568)
        self.assertEqual(parameter_count(paper) - parameter_count(paper.decoder), 6_804_224)
        self.assertEqual(parameter_count(CapsNet(CapsNetConfig().as_tutorial())), 8_215_570)


if __name__ == "__main__":
    unittest.main()
