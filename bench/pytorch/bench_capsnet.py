"""CapsNet step / inference timing on real MNIST; prints one JSON line.

python bench_capsnet.py --impl plain|compiled|frozen|optimised --batch N --threads N --steps N [--mode train|infer] [--autocast 1]
plain: eager autograd and oneDNN convolutions, as a careful PyTorch user writes it; compiled: the same under torch.compile;
frozen (inference only): torch.compile with the weights as constants, so that oneDNN has them in its own layout;
optimised: hand-written autograd functions for the strided convolution and the routing, fused Adam.
MNIST is read from the folder in the environment variable MNIST (gzipped IDX files).
"""
import argparse, json, os, sys, time, warnings
ap = argparse.ArgumentParser()
ap.add_argument('--impl', choices=['plain', 'compiled', 'frozen', 'optimised'], required=True)
ap.add_argument('--batch', type=int, default=128)
ap.add_argument('--threads', type=int, default=2)
ap.add_argument('--steps', type=int, default=8)
ap.add_argument('--warmup', type=int, default=2)
ap.add_argument('--mode', choices=['train', 'infer'], default='train')
ap.add_argument('--decode', type=int, default=1, help='inference: also run the decoder')
ap.add_argument('--iters', type=int, default=3)
ap.add_argument('--routing', choices=['auto', 'fused'], default=None)
ap.add_argument('--coupling', choices=['out', 'in'], default='out')
ap.add_argument('--conv', choices=['gemm', 'onednn'], default=None)
ap.add_argument('--chunk', type=int, default=16)
ap.add_argument('--channels-last', type=int, default=0)
ap.add_argument('--autocast', type=int, default=0, help='forward pass and decoder in bfloat16')
ap.add_argument('--compile-mode', default='default', help='of torch.compile: default, reduce-overhead, max-autotune')
ap.add_argument('--adam', choices=['default', 'foreach', 'fused'], default=None)
ap.add_argument('--no-onednn', action='store_true')
ap.add_argument('--profile', action='store_true')
ap.add_argument('--wait', type=float, default=0, help='wait at most this long for a quiet machine first')
a = ap.parse_args()
if a.impl == 'frozen' and a.mode != 'infer':
    ap.error('--impl frozen is for --mode infer')
if a.autocast and a.impl == 'optimised':
    ap.error("--autocast is for plain, compiled and frozen: the hand-written functions' buffers are f32")
warnings.simplefilter('ignore')
import torch
import capsfast
from common import mnist, Clock, wait_quiet

torch.set_num_threads(a.threads)
torch.manual_seed(1)
if a.no_onednn:
    torch.backends.mkldnn.set_flags(False)
x, y = mnist('train')
eye = torch.eye(10)


def flops(B, train):
    conv1, prim, pred = 2 * 256 * 400 * 81, 2 * 36 * 256 * 256 * 81, 2 * 1152 * 8 * 160
    rout = (2 * a.iters - 1) * 2 * 1152 * 160
    dec = 2 * (160 * 512 + 512 * 1024 + 1024 * 784)
    if not train:
        return B * (conv1 + prim + pred + rout + (dec if a.decode else 0))
    return B * (2 * conv1 + 3 * (prim + pred + rout + dec))          # the image itself needs no gradient


simple = a.impl != 'optimised'
a.routing = a.routing or ('auto' if simple else 'fused')
a.conv = a.conv or ('onednn' if simple or a.channels_last or a.no_onednn else 'gemm')
net = capsfast.CapsNet(iters=a.iters, coupling=a.coupling, routing=a.routing, conv=a.conv, chunk=a.chunk)
crit = lambda img, Y, out: capsfast.loss_fn(out[0].float(), out[1].float(), img, Y)
autocast = lambda: torch.autocast('cpu', dtype=torch.bfloat16, enabled=bool(a.autocast))
if a.channels_last:
    net = net.to(memory_format=torch.channels_last)
nparam = sum(p.numel() for p in net.parameters())
a.adam = a.adam or ('default' if a.impl == 'plain' else 'fused')
opt = torch.optim.Adam(net.parameters(), lr=1e-3, **({} if a.adam == 'default' else {a.adam: True}))
fwd = net
if a.impl == 'frozen':
    import torch._inductor.config
    torch._inductor.config.freezing = True
    net.eval()
if a.impl in ('compiled', 'frozen'):
    fwd = torch.compile(net, dynamic=False, mode=None if a.compile_mode == 'default' else a.compile_mode)


def batch(k):
    j = (k * a.batch) % (60000 - a.batch)
    img = x[j:j + a.batch, None].float() / 255
    if a.channels_last:
        img = img.to(memory_format=torch.channels_last)
    return img, eye[y[j:j + a.batch]]


def train_step(img, Y):
    with autocast():
        out = fwd(img, Y)
    l = crit(img, Y, out)
    opt.zero_grad()
    l.backward()
    opt.step()
    return l.item()


# Freezing wants no_grad; inference_mode saves some bookkeeping more.
@(torch.no_grad() if a.impl == 'frozen' else torch.inference_mode())
def infer_opt(img, Y):
    with autocast():
        return fwd(img, decode=bool(a.decode))[0].argmax(1)


if a.mode == 'train':
    step = train_step
else:
    net.eval()
    step = infer_opt
t0 = time.perf_counter()
losses = []
for k in range(a.warmup):
    losses.append(step(*batch(k)))
warm_s = time.perf_counter() - t0
if a.profile:
    from torch.profiler import profile, ProfilerActivity
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as prof:
        for k in range(a.steps):
            step(*batch(k))
    print(prof.key_averages(group_by_input_shape=False).table(sort_by='self_cpu_time_total', row_limit=35))
    print(prof.key_averages(group_by_input_shape=True).table(sort_by='self_cpu_time_total', row_limit=30, max_shapes_column_width=70))
    sys.exit()
quiet = wait_quiet(a.wait) if a.wait else None
clk = Clock()
for k in range(a.steps):
    img, Y = batch(a.warmup + k)
    losses.append(clk(lambda: step(img, Y)))
s = clk.summary()
best = s['min_ms'] / 1e3
out = dict(what='capsnet', impl=a.impl, mode=a.mode, batch=a.batch, threads=a.threads, iters=a.iters, routing=a.routing, conv=a.conv, coupling=a.coupling,
           chunk=a.chunk if a.routing == 'fused' else None, channels_last=bool(a.channels_last), autocast=bool(a.autocast), adam=a.adam if a.mode == 'train' else None,
           compile_mode=a.compile_mode if a.impl in ('compiled', 'frozen') else None,
           decode=bool(a.decode) if a.mode == 'infer' else True, onednn=not a.no_onednn, **s,
           images_per_s_best=round(a.batch / best, 1), images_per_s_median=round(a.batch / (s['median_ms'] / 1e3), 1),
           gflop=round(flops(a.batch, a.mode == 'train') / 1e9, 2), gflops_best=round(flops(a.batch, a.mode == 'train') / 1e9 / best, 1),
           warmup_s=round(warm_s, 2), params=nparam, torch=torch.__version__)
if a.mode == 'train':
    out['loss_first_last'] = [round(losses[0], 4), round(losses[-1], 4)]
print(json.dumps(out), flush=True)
