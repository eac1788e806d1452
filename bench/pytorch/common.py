"""Shared bits of the PyTorch baseline: MNIST from IDX files, LeNet-5, quiet-aware timing."""
import gzip, os, statistics, time
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

DATA = os.environ.get('MNIST') or os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'data', 'mnist')


def idx(name):
    raw = np.frombuffer(gzip.open(os.path.join(DATA, name + '.gz')).read(), dtype=np.uint8)
    nd = int(raw[3])
    dims = [int.from_bytes(raw[4 + 4 * k: 8 + 4 * k].tobytes(), 'big') for k in range(nd)]
    return torch.from_numpy(raw[4 + 4 * nd:].reshape(dims).copy())


def mnist(split):
    p = 'train' if split == 'train' else 't10k'
    return idx(f'{p}-images-idx3-ubyte'), idx(f'{p}-labels-idx1-ubyte').long()


class LeNet5(nn.Module):
    """The tutorial's variant: relu + average pooling, 44,426 parameters; same state-dict keys."""
    def __init__(self):
        super().__init__()
        self.conv0 = nn.Conv2d(1, 6, 5)
        self.conv1 = nn.Conv2d(6, 16, 5)
        self.fc2 = nn.Linear(256, 120)
        self.fc3 = nn.Linear(120, 84)
        self.fc4 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.avg_pool2d(F.relu(self.conv0(x)), 2)
        x = F.avg_pool2d(F.relu(self.conv1(x)), 2).flatten(1)
        return self.fc4(F.relu(self.fc3(F.relu(self.fc2(x)))))


def _busy():
    v = [int(t) for t in open('/proc/stat').readline().split()[1:9]]
    return (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) / os.sysconf('SC_CLK_TCK')


def _own():
    t = os.times()
    return t.user + t.system


def _tree_own():
    """CPU seconds of this process and its live children (DataLoader workers)."""
    tot = _own(); tck = os.sysconf('SC_CLK_TCK')
    try:
        for tid in os.listdir('/proc/self/task'):
            for c in open(f'/proc/self/task/{tid}/children').read().split():
                f = open(f'/proc/{c}/stat').read().rsplit(')', 1)[1].split()
                tot += (int(f[11]) + int(f[12])) / tck
    except OSError:
        pass
    return tot


class Clock:
    """Times calls; for each notes which share of the machine other processes used meanwhile."""
    def __init__(self):
        self.t, self.foreign = [], []

    def __call__(self, fn, div=1):
        b0, o0, t0 = _busy(), _tree_own(), time.perf_counter()
        r = fn()
        t1 = time.perf_counter(); b1, o1 = _busy(), _tree_own()
        self.t.append((t1 - t0) / div)
        self.foreign.append(max(0.0, ((b1 - b0) - (o1 - o0)) / ((t1 - t0) * os.cpu_count())))
        return r

    def summary(self, quiet=0.05):
        q = [t for t, f in zip(self.t, self.foreign) if f < quiet]
        return dict(n=len(self.t), min_ms=round(1e3 * min(self.t), 3), median_ms=round(1e3 * statistics.median(self.t), 3),
                    quiet_n=len(q), quiet_median_ms=round(1e3 * statistics.median(q), 3) if q else None,
                    foreign_cpu=round(statistics.mean(self.foreign), 3))


def wait_quiet(limit=20.0, share=0.06):
    """Wait (at most limit s) for a second in which the machine is nearly idle."""
    end = time.time() + limit
    while time.time() < end:
        b = _busy(); time.sleep(1.0)
        if (_busy() - b) / os.cpu_count() < share:
            return True
    return False
