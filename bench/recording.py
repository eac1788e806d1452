#!/usr/bin/env python3
"""What recording a training costs, and what those who look at it cost: the same training with and without, in turns.

    python3 bench/recording.py                        both questions, for lenet5 and capsnet, seven rounds
    python3 bench/recording.py --model lenet5 --rounds 15 --markdown
    python3 bench/recording.py --viewers 0            the first question alone

In each round a training runs with all recording (its default: steps, epochs, pictures, TensorBoard) and with none
(`--record-every 0 --no-tensorboard`), then with `--viewers` readers of its stream in `capsnet lab` and with none, but
the lab; which comes first changes from round to round. Printed are the median of the rounds' ratios and the smallest
and largest. CPU time is the training's own. Wall time means something on a machine that does nothing else: the readers
and the lab take their share of the cores. Needs Python 3.9 and `cargo build --release`.
"""
import argparse
import json
import os
import platform
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Some seconds of training each; the images, those kept out, epochs.
SIZES = {'lenet5': (20000, 1000, 3), 'capsnet': (1500, 100, 2)}
USUAL = (4000, 400, 2)
OFF = ['--record-every', '0', '--no-tensorboard']


def train(program, model, folder, data, more=()):
    """Trains to the end; seconds of wall time and of CPU time."""
    limit, kept_out, epochs = SIZES.get(model, USUAL)
    words = [program, 'train', model, '--out', str(folder), '--limit', str(limit), '--validation', str(kept_out),
             '--epochs', str(epochs), '--seed', '1', *data, *more]
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT)
    said = []
    reader = threading.Thread(target=lambda: said.append(process.stderr.read()))
    reader.start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    if process.returncode != 0:
        sys.exit(f'{" ".join(words)}\n{said[0].decode()}')
    return wall, used.ru_utime + used.ru_stime


class Lab:
    """A lab over a folder of runs, with readers of one run."""

    def __init__(self, program, runs, data):
        self.process = subprocess.Popen(
            [program, 'lab', '--port', '0', '--models', 'lenet5', '--runs', str(runs), *data],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
        self.host = self.process.stdout.readline().rsplit('//', 1)[1].strip().rstrip('/')
        self.readers = []
        self.bytes = 0

    def follow(self, run, count):
        """Lets `count` readers follow a run as soon as it is there."""
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._read, args=(run, count))
        self.thread.start()

    def _read(self, run, count):
        config = run / 'config.toml'
        while not config.exists() and not self.stop.wait(0.01):
            pass
        name, _, port = self.host.rpartition(':')
        waiting = selectors.DefaultSelector()
        for _ in range(count):
            stream = socket.create_connection((name, int(port)))
            stream.sendall(f'GET /api/runs/follow?run={run.name} HTTP/1.1\r\nHost: {self.host}\r\n\r\n'.encode())
            stream.setblocking(False)
            waiting.register(stream, selectors.EVENT_READ)
        while not self.stop.is_set():
            for key, _ in waiting.select(0.2):
                part = key.fileobj.recv(1 << 16)
                self.bytes += len(part)
                if not part:
                    waiting.unregister(key.fileobj)
        for key in list(waiting.get_map().values()):
            key.fileobj.close()

    def leave(self):
        self.stop.set()
        self.thread.join()

    def close(self):
        self.process.terminate()
        self.process.wait()


def in_turns(first, second, rounds, what):
    """Ratios of wall and CPU times of `first` to those of `second`, each round in the other order."""
    ratios = []
    for number in range(rounds):
        order = [first, second] if number % 2 == 0 else [second, first]
        times = {make: make(number) for make in order}
        ratios.append([a / b for a, b in zip(times[first], times[second])])
        print(f'{what}, round {number + 1} of {rounds}: wall {ratios[-1][0]:.3f}, CPU {ratios[-1][1]:.3f}',
              file=sys.stderr)
    return {kind: dict(median=statistics.median(of), least=min(of), most=max(of))
            for kind, of in zip(('wall', 'cpu'), zip(*ratios))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', default=str(ROOT / 'target/release/capsnet'), help='the capsnet to measure')
    parser.add_argument('--model', action='append', help='lenet5 and capsnet unless named; may be repeated')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--viewers', type=int, default=50)
    parser.add_argument('--data', help='folder of the images, else where capsnet looks for them')
    parser.add_argument('--markdown', action='store_true', help='a table for BENCHMARKS.md')
    parser.add_argument('--json', help='a file for all figures')
    args = parser.parse_args()
    data = ['--data', args.data] if args.data else []
    results = []
    for model in args.model or ['lenet5', 'capsnet']:
        with tempfile.TemporaryDirectory() as home:
            runs = Path(home)

            def run(number, name, more=(), runs=runs, model=model):
                return train(args.program, model, runs / f'{name}-{number}', data, more)

            # Once for the files' sake, which the system then has in memory.
            run(0, 'first')
            found = in_turns(lambda n: run(n, 'on'), lambda n: run(n, 'off', OFF), args.rounds, f'{model}: recording')
            results.append(dict(model=model, what='all recording to none', **found))
            if args.viewers == 0:
                continue
            lab = Lab(args.program, runs, data)

            def watched(number):
                lab.follow(runs / f'watched-{number}', args.viewers)
                times = run(number, 'watched')
                lab.leave()
                return times

            found = in_turns(watched, lambda n: run(n, 'alone'), args.rounds, f'{model}: viewers')
            lab.close()
            if lab.bytes == 0:
                sys.exit('the viewers saw nothing')
            results.append(dict(model=model, what=f'{args.viewers} viewers to none', **found))
    if args.json:
        about = dict(machine=platform.platform(), cores=os.cpu_count(), rounds=args.rounds, results=results)
        Path(args.json).write_text(json.dumps(about, indent=1))
    head = ['model', 'ratio', 'wall: median (least to most)', 'CPU: median (least to most)']
    rows = [[r['model'], r['what'], *(f'{r[kind]["median"]:.3f} ({r[kind]["least"]:.3f} to {r[kind]["most"]:.3f})'
                                      for kind in ('wall', 'cpu'))] for r in results]
    if args.markdown:
        for row in [head, ['---'] * len(head), *rows]:
            print('| ' + ' | '.join(row) + ' |')
    else:
        widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
        for row in [head, *rows]:
            print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == '__main__':
    main()
