"""Training steps of a network of tools/pytorch on real MNIST; prints one JSON line. EM-CapsNet is the small one.

python bench_network.py --network NAME --impl plain|compiled --batch N --threads N --steps N [--channels-last 1] [--autocast 1]
plain: eager; compiled: torch.compile. Adam is fused. --autocast runs the forward pass in bfloat16, which the figure is not
comparable with: other processors, other results.
MNIST is read from the folder in the environment variable MNIST (gzipped IDX files).
"""
import argparse, json, resource, sys, warnings
from pathlib import Path
ap = argparse.ArgumentParser()
ap.add_argument('--impl', choices=['plain', 'compiled'], required=True)
ap.add_argument('--network', choices=['efficient-capsnet', 'em-capsnet'], required=True)
ap.add_argument('--batch', type=int, default=16)
ap.add_argument('--threads', type=int, default=2)
ap.add_argument('--steps', type=int, default=40)
ap.add_argument('--warmup', type=int, default=4)
ap.add_argument('--mode', choices=['train'], default='train')
ap.add_argument('--channels-last', type=int, default=0)
ap.add_argument('--autocast', type=int, default=0)
a = ap.parse_args()
warnings.simplefilter('ignore')
import torch
from common import mnist, Clock
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools' / 'pytorch'))

torch.set_num_threads(a.threads)
torch.manual_seed(1)
x, y = mnist('train')
if a.network == 'em-capsnet':
    from em_capsnet import EmCapsNet, spread_loss
    net, rate = EmCapsNet(), 3e-3
    # The margin of the first step.
    loss_of_scores = lambda scores, img, labels: spread_loss(scores, labels, 0.2142)
else:
    from efficient_capsnet import EfficientCapsNet
    net, rate = EfficientCapsNet(), 5e-4
    loss_of_scores = net.loss
if a.channels_last:
    net = net.to(memory_format=torch.channels_last)
opt = torch.optim.Adam(net.parameters(), lr=rate, fused=True)


def loss_of(img, labels):
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=bool(a.autocast)):
        return loss_of_scores(net(img).float(), img, labels)


if a.impl == 'compiled':
    loss_of = torch.compile(loss_of, dynamic=False)


def batch(k):
    j = (k * a.batch) % (60000 - a.batch)
    img = x[j:j + a.batch, None].float() / 255
    return (img.to(memory_format=torch.channels_last) if a.channels_last else img), y[j:j + a.batch]


def step(img, labels):
    loss = loss_of(img, labels)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


losses = [step(*batch(k)) for k in range(a.warmup)]
clock = Clock()
for k in range(a.steps):
    img, labels = batch(a.warmup + k)
    losses.append(clock(lambda: step(img, labels)))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(dict(what=a.network, impl=a.impl, mode=a.mode, batch=a.batch, threads=a.threads,
                      channels_last=bool(a.channels_last), autocast=bool(a.autocast), **clock.summary(), peak_rss_mb=round(peak, 1),
                      loss_first_last=[round(losses[0], 4), round(losses[-1], 4)], torch=torch.__version__)), flush=True)
