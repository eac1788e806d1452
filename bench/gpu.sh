#!/usr/bin/env bash
# capsnet and PyTorch on one GPU: are our answers those of the CPU, how long is a step, and where does its time go?
#
#     bench/gpu.sh target/release/capsnet --device cuda --out results        # at most 8 minutes
#     bench/gpu.sh target/release/capsnet --device cpu --quick               # does the script run at all?
#
# The program must have been built with the device's feature. PyTorch's side needs a python3 with PyTorch (--python FILE
# names another); without one it is left out, and that is said. Data and weights are those of this repository.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
capsnet=${1:?usage: bench/gpu.sh CAPSNET [--device NAME] [--out DIR] [--python FILE] [--quick]}
shift
device=cuda out=gpu-results python=python3 quick=
while [ $# -gt 0 ]; do
    case $1 in
        --device) device=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        --python) python=$2; shift 2 ;;
        --quick) quick=1; shift ;;
        *) echo "unknown flag: $1" >&2; exit 2 ;;
    esac
done
capsnet=$(realpath "$capsnet")
mkdir -p "$out" && out=$(realpath "$out")
# Data and weights are looked for from the working folder up.
cd "$here/.."

say() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }
# Runs a command for so many seconds at most; a failure is said, and the rest goes on.
within() {
    local seconds=$1
    shift
    timeout "$seconds" "$@" || echo "FAILED ($?): $*" >&2
}

images=500 steps='--warmup 30 --steps 200 --group 10' batches='128 512' lenet=128
[ -n "$quick" ] && images=20 steps='--warmup 1 --steps 2 --group 1' batches=4 lenet=8

say 'the machine'
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.mem,power.limit --format=csv 2>/dev/null
"$capsnet" --version
within 60 "$capsnet" test lenet5 --device list

say 'the CPU'"'"'s answers'
for model in lenet5 capsnet equivariant-capsnet; do
    within 100 "$capsnet" test $model --limit $images --rotate 15 --json >"$out/$model.cpu.json"
    within 100 "$capsnet" test $model --limit $images --rotate 15 --json --device "$device" >"$out/$model.gpu.json"
done
# The first losses of a training, of which the last has felt two updates of every weight.
for on in cpu "$device"; do
    within 60 "$capsnet" bench step capsnet --batch-size 32 --warmup 0 --steps 3 --group 1 --json --device "$on" \
        >"$out/losses.$([ "$on" = cpu ] && echo cpu || echo gpu).json"
done
"$python" - "$out" <<'PY'
import json, os, sys
def numbers(value, at=''):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f'{at}.{key}')
    elif isinstance(value, list):
        for nr, inner in enumerate(value):
            yield from numbers(inner, f'{at}[{nr}]')
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield at, value
def read(name):
    try:
        return json.load(open(os.path.join(sys.argv[1], name)))
    except ValueError:
        return None
for model in ['lenet5', 'capsnet', 'equivariant-capsnet']:
    cpu, gpu = (read(f'{model}.{on}.json') for on in ('cpu', 'gpu'))
    if cpu is None or gpu is None:
        print(f'{model}: no answers')
        continue
    cpu, gpu = dict(numbers(cpu)), dict(numbers(gpu))
    far = [(abs(cpu[k] - gpu[k]) / max(abs(cpu[k]), 1e-30), k) for k in cpu if cpu[k] != gpu[k] and 'second' not in k]
    worst = '; '.join(f'{k[1:]} {cpu[k]:.7g} and {gpu[k]:.7g}' for _, k in sorted(far)[-2:])
    print(f'{model}: {len(far)} of {len(cpu)} numbers differ from the CPU\'s; most: {worst}')
cpu, gpu = read('losses.cpu.json'), read('losses.gpu.json')
for key in ('loss_first', 'loss_last'):
    print('training,', key, *(None if r is None else r[key] for r in (cpu, gpu)))
PY

say 'ours'
step() {
    within 70 "$capsnet" bench step "$@" --json --device "$device" | tee -a "$out/ours.jsonl"
}
for mode in train infer; do
    for batch in $batches; do
        step capsnet --mode $mode --batch-size "$batch" $steps
    done
    step lenet5 --mode $mode --batch-size $lenet $steps
done

say 'where the time of a step goes'
# CubeCL writes the time of each kernel; the first steps tune and compile.
batch=${batches%% *}
CUBECL_DEBUG_OPTION=profile-full CUBECL_DEBUG_LOG=$out/kernels.log within 60 \
    "$capsnet" bench step capsnet --batch-size "$batch" --warmup 5 --steps 5 --group 1 --device "$device" \
    >/dev/null 2>&1
if [ -f "$out/kernels.log" ]; then
    ls -l "$out/kernels.log"
    tail -c 4000000 "$out/kernels.log" >"$out/kernels.tail.log"
    rm "$out/kernels.log"
fi

say "PyTorch's"
if "$python" -c 'import torch' 2>/dev/null; then
    torch_device=$device
    [ "$device" != cpu ] && torch_device=cuda
    gpu_py=("$python" "$here/pytorch/gpu.py" --device "$torch_device" ${quick:+--quick})
    left=$((470 - SECONDS))
    [ -z "$quick" ] && within 110 "${gpu_py[@]}" --fill-cache --budget 100
    left=$((470 - SECONDS))
    within $((left + 30)) "${gpu_py[@]}" --budget "$left" | tee "$out/pytorch.jsonl"
else
    echo "left out: $python has no PyTorch"
fi

say 'done'
