#!/usr/bin/env python3
"""capsnet and PyTorch side by side on this machine: the same steps, run in turns, two threads each.

    python3 bench/side_by_side.py                       everything
    python3 bench/side_by_side.py --quick               fewer rounds and steps
    python3 bench/side_by_side.py --case capsnet-infer  cases whose name begins so; may be repeated
    python3 bench/side_by_side.py --markdown --json results.json

Needs nothing but Python 3.9 and, for capsnet, cargo. Without --python it makes bench/.venv and installs PyTorch from PyPI there.
BENCHMARKS.md says what is measured and why the comparison is fair.
"""
import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
OURS = 'capsnet'
OURS_BF16 = 'capsnet, weights in bf16'
NEEDS_COMPILER = ('compiled', 'frozen')
# glibc gives large blocks back to the system at once and has them zeroed anew in every step. capsnet brings an allocator that
# keeps them; these settings let PyTorch keep them too.
KEEP_MEMORY = {'MALLOC_MMAP_MAX_': '0', 'MALLOC_TRIM_THRESHOLD_': str(2**40), 'MALLOC_TOP_PAD_': str(64 * 2**20)}


def capsnet_net(mode, batch, steps, warmup, opponents):
    """A case of the CapsNet; `opponents` are options of bench_capsnet.py by label."""
    common = ['--mode', mode, '--steps', str(steps), '--warmup', str(warmup)]
    return dict(
        name=f'capsnet-{mode}-{batch}', steps=steps,
        ours=['step', 'capsnet', '--batch-size', str(batch), *common],
        # Few images are answered by weights that are read once; more by what training computes with.
        ours_bf16=['--precision', 'bf16'] if mode == 'infer' and batch <= 4 and opponents else [],
        theirs={label: ['bench_capsnet.py', '--batch', str(batch), *options.split(), *common]
                for label, options in opponents.items()})


def lenet(name, batch, steps, opponents, augment=None):
    """A case of LeNet-5; `opponents` are options of bench_lenet.py by label."""
    group = max(1, min(100, steps // 10))
    common = ['--mode', 'train', '--steps', str(steps), '--group', str(group), '--warmup', str(group)]
    return dict(
        name=name, steps=steps,
        ours=['step', 'lenet5', '--batch-size', str(batch), *common, *(['--augment', augment] if augment else [])],
        theirs={label: ['bench_lenet.py', '--batch', str(batch), *options.split(), *common]
                for label, options in opponents.items()})


def trained(model, batch, steps):
    """A case of training steps of a model against PyTorch's in all forms of `FORMS`."""
    common = ['--mode', 'train', '--steps', str(steps), '--warmup', '4']
    return dict(
        name=f'{model}-train-{batch}', steps=steps,
        ours=['step', model, '--batch-size', str(batch), *common],
        theirs={label: ['bench_network.py', '--network', model, '--batch', str(batch), *options.split(), *common]
                for label, options in FORMS.items()})


# In bfloat16 it is another computation: rows of their own, never the best of f32.
TRAIN = {
    'optimised': '--impl optimised',
    'plain': '--impl plain',
    'plain, channels last': '--impl plain --channels-last 1',
    'compiled': '--impl compiled',
    'compiled, channels last': '--impl compiled --channels-last 1',
    'bf16, compiled': '--impl compiled --autocast 1',
    'bf16, compiled, channels last': '--impl compiled --channels-last 1 --autocast 1',
}
INFER = {
    'optimised': '--impl optimised',
    'optimised, routing by parts': '--impl optimised --routing auto',
    'optimised, oneDNN': '--impl optimised --conv onednn',
    'plain': '--impl plain',
    'plain, channels last': '--impl plain --channels-last 1',
    'compiled': '--impl compiled',
    'frozen': '--impl frozen',
    'frozen, channels last': '--impl frozen --channels-last 1',
    'bf16, frozen': '--impl frozen --autocast 1',
    'bf16, frozen, channels last': '--impl frozen --channels-last 1 --autocast 1',
}
FORMS = {
    'plain': '--impl plain',
    'plain, channels last': '--impl plain --channels-last 1',
    'compiled': '--impl compiled',
    'compiled, channels last': '--impl compiled --channels-last 1',
    'bf16, compiled, channels last': '--impl compiled --channels-last 1 --autocast 1',
}
LENET = {
    'optimised': '--impl optimised',
    'plain': '--impl plain',
    'compiled': '--impl compiled',
    'bf16, compiled': '--impl compiled --autocast 1',
}


def cases(quick):
    """All cases, with fewer steps if `quick`."""
    few = 4 if quick else 1
    steps = lambda number: max(2, number // few)
    return [
        capsnet_net('train', 128, steps(8), 2, TRAIN),
        capsnet_net('train', 8, steps(40), 4, TRAIN),
        capsnet_net('infer', 128, steps(12), 2, INFER),
        capsnet_net('infer', 1, steps(400), 40, INFER),
        trained('efficient-capsnet', 16, steps(80)),
        trained('efficient-capsnet', 128, steps(16)),
        trained('em-capsnet', 64, steps(12)),
        # torchvision's pipeline draws and resamples one image at a time, as the tutorial does; the prepared tensors are not
        # augmented at all, which is less work than ours.
        lenet('lenet5-train-8-augmented', 8, steps(2000),
              {"tutorial's pipeline": '--impl plain --data pipeline',
               'pipeline, fused Adam': '--impl optimised --data pipeline',
               'pipeline, 2 workers': '--impl optimised --data pipeline --workers 2',
               'no augmentation, plain': '--impl plain',
               'no augmentation, fused Adam': '--impl optimised',
               'no augmentation, compiled': '--impl compiled'}, augment='translate=2'),
        lenet('lenet5-train-128', 128, steps(400), LENET),
        *(capsnet_net('train', batch, steps(max(6, 300 // batch)), 2, {}) for batch in (1, 7, 32, 100, 127, 129)),
        *(capsnet_net('infer', batch, steps(max(8, 400 // batch)), 2, {}) for batch in (7, 32, 100, 127, 129)),
    ]


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def fail(message):
    say(f'error: {message}')
    sys.exit(1)


def find_binary(given):
    """The release binary: the one given, or the checkout's, built if need be."""
    if given:
        path = Path(given).resolve()
        if not path.is_file():
            fail(f'--capsnet: there is no file {path}')
        return path
    if not shutil.which('cargo'):
        fail('cargo is needed to build capsnet (https://rustup.rs); or name a binary with --capsnet')
    say('building capsnet ..')
    command = ['cargo', 'build', '--release', '-p', 'capsnet-cli', '--message-format', 'json-render-diagnostics']
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if built.returncode:
        fail('capsnet could not be built')
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get('executable') and message['target']['name'] == OURS:
            return Path(message['executable'])
    fail('cargo names no binary')


def find_python(given):
    """An interpreter with PyTorch: the one given, or that of bench/.venv, made if need be."""
    python = Path(given) if given else BENCH / '.venv' / ('Scripts/python.exe' if os.name == 'nt' else 'bin/python')
    has_torch = lambda: python.is_file() and subprocess.run(
        [python, '-c', 'import torch, torchvision, numpy, PIL'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    if has_torch():
        return python
    if given:
        fail(f'--python: {given} cannot import torch, torchvision, numpy and PIL')
    say('installing PyTorch into bench/.venv (once; gigabytes) ..')
    # Standard output is for the results alone.
    to_stderr = dict(stdout=sys.stderr.fileno())
    if subprocess.run([sys.executable, '-m', 'venv', BENCH / '.venv'], **to_stderr).returncode:
        fail('bench/.venv could not be made; on Debian, install python3-venv; or name an interpreter with --python')
    requirements = BENCH / 'pytorch' / 'requirements.txt'
    if subprocess.run([python, '-m', 'pip', 'install', '--quiet', '-r', requirements], **to_stderr).returncode or not has_torch():
        fail('PyTorch could not be installed; name an interpreter that has it with --python')
    return python


def busy_seconds():
    """CPU seconds that the whole machine has worked, or None where the system doesn't say."""
    try:
        with open('/proc/stat') as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
    except OSError:
        return None
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf('SC_CLK_TCK')


def timed_run(command, env, timeout):
    """The JSON line that a program prints, with the share of the machine that others used meanwhile; or why there is none."""
    busy, begin = busy_seconds(), time.monotonic()
    own = os.times()
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None, f'not done after {timeout} s'
    wall = time.monotonic() - begin
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or [f'exit code {done.returncode}'])[-1]
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if busy is not None:
        now = os.times()
        ours = sum(now[:4]) - sum(own[:4])
        result['foreign_cpu'] = max(0.0, (busy_seconds() - busy - ours) / (wall * os.cpu_count()))
    return result, None


def run_case(case, rounds, programs, timeout):
    """Every program's rounds, one after the other in turns; each is a list of results."""
    results = {label: [] for label in programs}
    for number in range(rounds):
        for label, (command, env) in programs.items():
            say(f'{case["name"]}, round {number + 1}/{rounds}: {label}')
            if number and not results[label]:
                continue
            result, why = timed_run(command, env, timeout)
            if result is None:
                say(f'  left out: {why}')
                continue
            say(f'  min {result["min_ms"]:.3f} ms, median {result["median_ms"]:.3f} ms')
            results[label].append(result)
    return results


def summary(case, batch, results):
    """Rows of the table: the median of the rounds' medians, the least of their minimums, and both relative to ours."""
    rows = []
    for label, rounds in results.items():
        if not rounds:
            continue
        rows.append(dict(
            case=case['name'], program=label, batch=batch, rounds=len(rounds),
            min_ms=min(r['min_ms'] for r in rounds), median_ms=statistics.median(r['median_ms'] for r in rounds),
            round_min_ms=[r['min_ms'] for r in rounds], round_median_ms=[r['median_ms'] for r in rounds],
            foreign_cpu=statistics.mean(r['foreign_cpu'] for r in rounds) if 'foreign_cpu' in rounds[0] else None,
            peak_rss_mb=max((r['peak_rss_mb'] for r in rounds if r.get('peak_rss_mb')), default=None)))
    ours = next((row for row in rows if row['program'] == OURS), None)
    for row in rows:
        row['images_per_s'] = batch * 1e3 / row['median_ms']
        row['times_ours_median'] = row['median_ms'] / ours['median_ms'] if ours else None
        row['times_ours_min'] = row['min_ms'] / ours['min_ms'] if ours else None
    others = [row for row in rows if not row['program'].startswith((OURS, 'bf16'))]
    best = min(others, key=lambda row: row['median_ms'], default=None)
    for row in rows:
        row['best_of_pytorch'] = row is best
    return rows


def machine(python, results):
    """What the figures belong to."""
    model = platform.processor() or platform.machine()
    try:
        with open('/proc/cpuinfo') as file:
            model = next((line.split(':', 1)[1].strip() for line in file if line.startswith('model name')), model)
    except OSError:
        pass
    commit = subprocess.run(['git', 'describe', '--always', '--dirty', '--abbrev=10'], cwd=ROOT, capture_output=True, text=True)
    first = lambda field: next((r[field] for rounds in results for r in rounds if field in r), None)
    if python:
        versions = 'import sys, torch, torchvision; print(sys.version.split()[0], torch.__version__, torchvision.__version__, ' \
                   'torch.backends.cpu.get_cpu_capability())'
        named = subprocess.run([python, '-c', versions], capture_output=True, text=True).stdout.split() or [None] * 4
    else:
        named = [None] * 4
    return dict(
        date=datetime.date.today().isoformat(), cpu=model, cores=os.cpu_count(), system=f'{platform.system()} {platform.release()}',
        capsnet=first('version'), commit=commit.stdout.strip() or None, instruction_set=first('instruction_set'),
        python=named[0], torch=named[1], torchvision=named[2], torch_instruction_set=named[3])


HEADINGS = ('case', 'program', 'min ms', 'median ms', 'images/s', 'times ours (median)', 'times ours (min)', 'foreign CPU')


def cells(row):
    ratio = lambda value: '' if row['program'] == OURS or value is None else f'{value:.2f}'
    foreign = '' if row['foreign_cpu'] is None else f'{100 * row["foreign_cpu"]:.0f} %'
    label = row['program'] if row['program'].startswith(OURS) else f'PyTorch, {row["program"]}' + (' *' if row['best_of_pytorch'] else '')
    return (row['case'], label, f'{row["min_ms"]:.3g}' if row['min_ms'] < 1e3 else f'{row["min_ms"]:.0f}',
            f'{row["median_ms"]:.3g}' if row['median_ms'] < 1e3 else f'{row["median_ms"]:.0f}', f'{row["images_per_s"]:,.0f}',
            ratio(row['times_ours_median']), ratio(row['times_ours_min']), foreign)


def in_words(about):
    """The machine and the versions in two sentences."""
    yield f'{about["date"]}; {about["cpu"]}, {about["cores"]} cores, {about["system"]}.'
    yield (f'capsnet {about["capsnet"]} ({about["commit"]}, {about["instruction_set"]}); '
           + (f'PyTorch {about["torch"]} ({about["torch_instruction_set"]}), torchvision {about["torchvision"]}, '
              f'Python {about["python"]}.' if about['torch'] else 'no PyTorch.'))


def print_results(rows, about, options, notes):
    """The table, as text or as Markdown, with what it belongs to."""
    table = [cells(row) for row in rows]
    text = [*in_words(about), f'{options.threads} threads, {options.rounds} round(s) in turns. Times are of one step; a ratio above 1 '
            "means that capsnet is faster; * marks PyTorch's fastest by the median.", *notes]
    print('\n'.join(text) + '\n')
    if options.markdown:
        print('| ' + ' | '.join(HEADINGS) + ' |')
        print('|' + '|'.join(['---', '---'] + ['---:'] * (len(HEADINGS) - 2)) + '|')
        for line in table:
            print('| ' + ' | '.join(line) + ' |')
        return
    widths = [max(len(line[k]) for line in [HEADINGS, *table]) for k in range(len(HEADINGS))]
    for line in [HEADINGS, *table]:
        print('  '.join(c.ljust(w) if k < 2 else c.rjust(w) for k, (c, w) in enumerate(zip(line, widths))).rstrip())


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--case', action='append', metavar='NAME', help='only cases whose name begins so; may be repeated')
    parser.add_argument('--opponent', action='append', metavar='NAME', help='only PyTorch configurations whose label begins so; may be repeated')
    parser.add_argument('--list', action='store_true', help='print the cases and their opponents, and stop')
    parser.add_argument('--rounds', type=int, default=None, metavar='N', help='rounds of turns [default: 5; 2 with --quick]')
    parser.add_argument('--quick', action='store_true', help='a quarter of the steps')
    parser.add_argument('--threads', type=int, default=2, metavar='N', help='threads of each program [default: 2]')
    parser.add_argument('--python', metavar='FILE', help='an interpreter with PyTorch [default: bench/.venv, made if absent]')
    parser.add_argument('--capsnet', metavar='FILE', help='the program [default: built from this checkout]')
    parser.add_argument('--ours-only', action='store_true', help='without PyTorch')
    parser.add_argument('--timeout', type=float, default=1800, metavar='SECONDS', help='for a single run [default: 1800]')
    parser.add_argument('--json', metavar='FILE', help='also write everything as JSON')
    parser.add_argument('--markdown', action='store_true', help='print the table as Markdown')
    options = parser.parse_args()
    options.rounds = options.rounds if options.rounds is not None else (2 if options.quick else 5)
    if options.rounds < 1 or options.threads < 1:
        parser.error('--rounds and --threads must be at least 1')
    chosen = cases(options.quick)
    starts = lambda name, wanted: not wanted or any(name.startswith(start) for start in wanted)
    chosen = [case for case in chosen if starts(case['name'], options.case)]
    for case in chosen:
        case['theirs'] = {label: command for label, command in case['theirs'].items()
                          if not options.ours_only and starts(label, options.opponent)}
    if not chosen:
        parser.error('no case of that name; see --list')
    return options, chosen


def programs_of(case, options, binary, python, env, compiler):
    """What is run in turns, by label: commands and their environments."""
    threads = ['--threads', str(options.threads)]
    data = ['--data', str(ROOT / 'data' / 'mnist')]
    programs = {OURS: ([str(binary), 'bench', *case['ours'], *threads, *data, '--json'], env)}
    if case.get('ours_bf16'):
        command, _ = programs[OURS]
        programs[OURS_BF16] = (command + case['ours_bf16'], env)
    theirs = {**env, **KEEP_MEMORY, 'MNIST': str(ROOT / 'data' / 'mnist')}
    for label, (script, *rest) in case['theirs'].items():
        if any(word in rest for word in NEEDS_COMPILER) and not compiler:
            continue
        programs[label] = ([str(python), str(BENCH / 'pytorch' / script), *rest, *threads], theirs)
    return programs


def main():
    options, chosen = parse_args()
    if options.list:
        for case in chosen:
            print(case['name'] + ''.join(f'\n    {label}' for label in case['theirs']))
        return
    binary = find_binary(options.capsnet)
    python = find_python(options.python) if any(case['theirs'] for case in chosen) else None
    compiler = os.environ.get('CXX') or shutil.which('g++') or shutil.which('clang++')
    notes = []
    if python and not compiler:
        notes.append('torch.compile needs a C++ compiler; there is none (install g++, or name one in CXX): its cases are left out.')
        say(notes[0])
    # Whatever limits one side's threads or instructions from outside would spoil the comparison.
    env = {name: value for name, value in os.environ.items() if not name.startswith(('OMP_', 'MKL_', 'RAYON_', 'CAPSNET_'))}
    rows, everything = [], []
    for case in chosen:
        programs = programs_of(case, options, binary, python, env, compiler)
        results = run_case(case, options.rounds, programs, options.timeout)
        if not results[OURS]:
            fail(f'capsnet itself did not run {case["name"]}')
        batch = results[OURS][0]['batch_size']
        rows += summary(case, batch, results)
        everything += results.values()
        notes += [f'Left out, because it did not run: {case["name"]}, PyTorch, {label}.' for label, rounds in results.items() if not rounds]
    about = machine(python, everything)
    print_results(rows, about, options, notes)
    if options.json:
        document = dict(machine=about, threads=options.threads, rounds=options.rounds, quick=options.quick, notes=notes, rows=rows)
        Path(options.json).write_text(json.dumps(document, indent=1) + '\n')
        say(f'wrote {options.json}')


if __name__ == '__main__':
    main()
