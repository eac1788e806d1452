"""CapsNet and LeNet-5 in PyTorch on a GPU: training and inference steps in every form that may be fast; one JSON line each.

python gpu.py                          # everything, most telling cases first; stops beginning new ones after --budget seconds
python gpu.py --case capsnet-train-128 --form eager --precision tf32
python gpu.py --device cpu --quick     # does the script run at all?

Forms: eager; compiled (torch.compile); graph and compiled-graph (the whole step captured as one CUDA graph, replayed).
Precisions: f32 (TF32 off everywhere), tf32 (TF32 on for convolutions and products), bf16 (training: autocast, losses and weights
in f32; inference: weights in bf16 too).
Eager forms and graphs are also timed with channels innermost. The networks are those of bench_capsnet.py (plain) and bench_lenet.py.

A step is what it is on the CPU: forward pass, loss with the decoder's reconstruction, gradients, an update by the fused Adam;
inference: the classes and the decoder's pictures. All in PyTorch's favour: images are on the GPU before the clock runs, and the
loss is not read back in a step but once a block of them.
"""
import argparse, itertools, json, os, statistics, subprocess, sys, time, warnings

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument('--device', default='cuda')
ap.add_argument('--case', action='append', help='MODEL-MODE-BATCH; may be given several times')
ap.add_argument('--form', action='append', choices=['eager', 'graph', 'compiled', 'compiled-graph'])
ap.add_argument('--precision', action='append', choices=['f32', 'tf32', 'bf16'])
ap.add_argument('--seconds', type=float, default=1.0, help='how long each form of a step is timed')
ap.add_argument('--budget', type=float, default=240, help='seconds after which no other case is begun')
ap.add_argument('--fill-cache', action='store_true', help='only compile what the same call without this flag would, all at once')
ap.add_argument('--quick', action='store_true', help='tiny batches, a step or two: a trial of the script')
a = ap.parse_args()
warnings.simplefilter('ignore')

CASES = ['capsnet-train-128', 'capsnet-infer-128', 'capsnet-train-512', 'capsnet-infer-512', 'lenet5-train-128',
         'lenet5-infer-128']
if a.quick:
    CASES, a.seconds = ['capsnet-train-4', 'capsnet-infer-4', 'lenet5-train-8', 'lenet5-infer-8'], 0.0
cases = a.case or CASES
forms = a.form or ['eager', 'graph', 'compiled', 'compiled-graph']
precisions = a.precision or ['f32', 'tf32', 'bf16']
begun = time.time()

if a.fill_cache:
    # One process for each compilation; what they compile, the timing process finds in inductor's cache on disk.
    jobs = [(case, precision) for case in cases for precision in precisions if not case.startswith('lenet5-infer')]
    run = lambda case, precision: subprocess.Popen(
        [sys.executable, __file__, '--device', a.device, '--case', case, '--precision', precision, '--form', 'compiled',
         '--seconds', '0'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=dict(os.environ, TORCHINDUCTOR_COMPILE_THREADS='2'))
    processes = [(job, run(*job)) for job in jobs]
    for job, process in processes:
        try:
            errors = process.communicate(timeout=max(1.0, a.budget - (time.time() - begun)))[1]
            if process.returncode:
                print('not compiled:', *job, errors.decode()[-500:], file=sys.stderr)
        except subprocess.TimeoutExpired:
            process.kill()
            print('not compiled in time:', *job, file=sys.stderr)
    print(f'compiled {len(jobs)} steps in {time.time() - begun:.0f} s', file=sys.stderr)
    sys.exit()

import torch
import torch.nn.functional as F
import capsfast
from common import LeNet5, mnist

on_gpu = a.device.startswith('cuda')
device = torch.device(a.device)
images, labels = mnist('train')
torch.backends.cudnn.benchmark = True


class Step:
    """One step of a case, and the tensors that it reads: a graph reads the same ones each time."""

    def __init__(self, case, precision, channels_last, compiled):
        self.model, self.mode, batch = case.split('-')
        self.batch = int(batch)
        self.bf16 = precision == 'bf16'
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == 'tf32'
        torch.manual_seed(1)
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        net = capsfast.CapsNet(routing='auto', conv='onednn') if self.model == 'capsnet' else LeNet5()
        # Inference in bf16 has its weights so; training keeps them in f32, and autocast turns them.
        whole = torch.bfloat16 if self.bf16 and self.mode == 'infer' else torch.float32
        self.net = net.to(device, whole, memory_format=self.layout)
        self.forward = torch.compile(self.net, dynamic=False) if compiled else self.net
        self.adam = torch.optim.Adam(self.net.parameters(), lr=1e-4, fused=True, **(dict(capturable=True) if on_gpu else {}))
        # 32 batches on the GPU; each step takes the next one.
        count = 32 * self.batch
        x = images[:count, None].to(device).float() / 255
        x = (x if self.model == 'capsnet' else (x - 0.5) / 0.5).to(whole)
        y = labels[:count].to(device)
        self.batches = [(x[k:k + self.batch].contiguous(memory_format=self.layout), y[k:k + self.batch])
                        for k in range(0, count, self.batch)]
        self.next = itertools.cycle(self.batches)
        self.x, self.y = (t.clone() for t in self.batches[0])
        self.out = None

    def compute(self):
        """The step proper; its result is the loss, or the classes."""
        if self.mode == 'infer':
            with torch.no_grad():
                out = self.forward(self.x)
                return out[0].argmax(1) if self.model == 'capsnet' else out.argmax(1)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.bf16, cache_enabled=False):
            if self.model == 'capsnet':
                truth = F.one_hot(self.y, 10).float()
                lens, rec = self.forward(self.x, truth)
                loss = capsfast.loss_fn(lens.float(), rec.float(), self.x, truth)
            else:
                loss = F.cross_entropy(self.forward(self.x).float(), self.y)
        loss.backward()
        self.adam.step()
        return loss

    def __call__(self):
        x, y = next(self.next)
        self.x.copy_(x), self.y.copy_(y)
        self.adam.zero_grad(set_to_none=True)
        self.out = self.compute()

    def captured(self):
        """The same as one CUDA graph."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self()
        torch.cuda.current_stream().wait_stream(side)
        self.adam.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.out = self.compute()

        def replay():
            x, y = next(self.next)
            self.x.copy_(x), self.y.copy_(y)
            graph.replay()
        return replay

    def result(self):
        """Of the last step: the loss, or how many classes are right; waits for the GPU."""
        value = self.out if self.mode == 'train' else (self.out == self.y).sum()
        return round(float(value), 4)


def timed(step, call):
    """Milliseconds a step, of each block; blocks are long enough for the clock."""
    for _ in range(1 if a.quick else 10):
        call()
    first = step.result()
    if a.seconds == 0:
        call()
        return [0.0], 1, first
    group, blocks = 10, []
    end = time.perf_counter() + a.seconds
    while time.perf_counter() < end or len(blocks) < 5:
        begin = time.perf_counter()
        for _ in range(group):
            call()
        step.result()
        blocks.append(1e3 * (time.perf_counter() - begin) / group)
    return blocks, group, first


def report(case, form, precision, channels_last, step, call):
    blocks, group, first = timed(step, call)
    median = statistics.median(blocks)
    print(json.dumps(dict(
        what=case, form=form, precision=precision, channels_last=channels_last, median_ms=round(median, 4),
        min_ms=round(min(blocks), 4), images_per_s=round(step.batch * 1e3 / median) if median else None,
        steps=len(blocks) * group, first=first, last=step.result(),
        memory_mb=round(torch.cuda.max_memory_allocated() / 2 ** 20) if on_gpu else None,
        device=torch.cuda.get_device_name() if on_gpu else 'cpu', torch=torch.__version__)), flush=True)


def attempt(case, form, precision, channels_last):
    """Times a form and, from the same network, its graph if that is wanted too. An error is said, and the others go on."""
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    wanted = [form] if form in forms else []
    wanted += [graph] if on_gpu and (graph := {'eager': 'graph', 'compiled': 'compiled-graph'}[form]) in forms else []
    if not wanted:
        return
    try:
        step = Step(case, precision, channels_last, form == 'compiled')
        for name in wanted:
            report(case, name, precision, channels_last, step, step if name == form else step.captured())
    except Exception as error:
        print(f'{case} {form} {precision}: {type(error).__name__}: {str(error)[:300]}', file=sys.stderr, flush=True)


def plan():
    for case in cases:
        for precision, channels_last in itertools.product(precisions, [False, True]):
            yield case, 'eager', precision, channels_last
        for precision in precisions:
            if not case.startswith('lenet5-infer'):
                yield case, 'compiled', precision, False


left_out = []
for case, form, precision, channels_last in plan():
    if not on_gpu and precision == 'tf32':
        continue  # a GPU's
    if time.time() - begun > a.budget:
        left_out.append(f'{case} {form} {precision}')
        continue
    attempt(case, form, precision, channels_last)
    torch._dynamo.reset()
if left_out:
    print(f'left out, the time was over: {", ".join(left_out)}', file=sys.stderr)
