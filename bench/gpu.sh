#!/usr/bin/env bash
# capsnet and PyTorch on one GPU: are our answers those of the CPU, how long is a step, and where does its time go?
#
#     bench/gpu.sh target/release/capsnet --device cuda --out results        # a quarter of an hour
#     bench/gpu.sh target/release/capsnet --device cuda --part ours          # a half of it, as --part pytorch
#     bench/gpu.sh target/release/capsnet --device cpu --quick               # does the script run at all?
#
# The program must have been built with the device's feature. PyTorch's side needs a python3 with PyTorch (--python FILE
# names another); without one it is left out, and that is said. Data and weights are those of this repository.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
capsnet=${1:?usage: bench/gpu.sh CAPSNET [--device NAME] [--out DIR] [--python FILE] [--part ours|pytorch] [--quick]}
shift
device=cuda out=gpu-results python=python3 part=all quick=
while [ $# -gt 0 ]; do
    case $1 in
        --device) device=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        --python) python=$2; shift 2 ;;
        --part) part=$2; shift 2 ;;
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

images=512 steps='--warmup 30 --steps 200 --group 10' batches='128 512' lenet=128
[ -n "$quick" ] && images=20 steps='--warmup 1 --steps 2 --group 1' batches=4 lenet=8

say 'the machine'
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.mem,power.limit --format=csv 2>/dev/null
"$capsnet" --version
within 60 "$capsnet" test lenet5 --device list

ours() {
    say "ours and the CPU's answers"
    for model in lenet5 capsnet equivariant-capsnet; do
        within 60 "$capsnet" test $model --limit $images --rotate 15 --json >"$out/$model.cpu.json"
        within 60 "$capsnet" test $model --limit $images --rotate 15 --json --device "$device" >"$out/$model.gpu.json"
    done
    # The first losses of a training, of which the last has felt two updates of every weight.
    few='--batch-size 32 --warmup 0 --steps 3 --group 1 --json'
    within 60 "$capsnet" bench step capsnet $few >"$out/losses.cpu.json"
    within 150 "$capsnet" bench step capsnet $few --device "$device" >"$out/losses.gpu.json"
    python3 - "$out" <<'PY'
import json, os, sys
def numbers(value, at=''):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f'{at}.{key}')
    elif isinstance(value, list):
        for nr, inner in enumerate(value):
            yield from numbers(inner, f'{at}[{nr}]')
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield at[1:], value
def read(name):
    try:
        return dict(numbers(json.load(open(os.path.join(sys.argv[1], name)))))
    except ValueError:
        return {}
for what in ['lenet5', 'capsnet', 'equivariant-capsnet', 'losses']:
    cpu, gpu = (read(f'{what}.{on}.json') for on in ('cpu', 'gpu'))
    if what == 'losses':
        cpu, gpu = ({key: r[key] for key in r if key.startswith('loss')} for r in (cpu, gpu))
    if not gpu or cpu.keys() != gpu.keys():
        print(f'{what}: no answers, or other ones')
        continue
    far = sorted((abs(cpu[k] - gpu[k]) / max(abs(cpu[k]), 1e-30), k) for k in cpu if cpu[k] != gpu[k])
    worst = '; '.join(f'{k}: {cpu[k]:.8g} and {gpu[k]:.8g}' for _, k in far[-2:])
    print(f'{what}: {len(far)} of {len(cpu)} numbers differ. {worst}')
PY

    say 'ours'
    step() {
        within 150 "$capsnet" bench step "$@" --json --device "$device" 2>"$out/errors.log" | tee -a "$out/ours.jsonl"
        grep -vE 'steps|^ *$' "$out/errors.log" | tail -n 5 >&2
    }
    : >"$out/ours.jsonl"
    for batch in $batches; do
        step capsnet --mode train --batch-size "$batch" $steps
        step capsnet --mode infer --batch-size "$batch" $steps
    done
    step lenet5 --mode train --batch-size $lenet $steps
    step lenet5 --mode infer --batch-size $lenet $steps

    say 'where the time of our step goes'
    # CubeCL writes the time of each kernel. First steps compile and tune; only the log's end says what a step costs.
    CUBECL_DEBUG_OPTION=profile-full CUBECL_DEBUG_LOG=$out/kernels.log timeout 200 \
        "$capsnet" bench step capsnet --batch-size "${batches%% *}" --warmup 5 --steps 5 --group 1 --device "$device" \
        >/dev/null 2>&1
    if [ -f "$out/kernels.log" ]; then
        ls -l "$out/kernels.log"
        tail -c 8000000 "$out/kernels.log" | xz >"$out/kernels.log.xz"
        rm "$out/kernels.log"
    fi
}

pytorch() {
    say "PyTorch's"
    if ! "$python" -c 'import torch' 2>/dev/null; then
        echo "left out: $python has no PyTorch"
        return
    fi
    local torch_device=cuda
    [ "$device" = cpu ] && torch_device=cpu
    local run=("$python" "$here/pytorch/gpu.py" --device "$torch_device" ${quick:+--quick})
    # What torch.compile compiles, it compiles all at once; which kernels are best, it finds out when timed, alone.
    export TORCHINDUCTOR_AUTOTUNE_LOCAL_CACHE=0
    [ -z "$quick" ] && within 130 "${run[@]}" --fill-cache --budget 120
    within 400 "${run[@]}" --budget 300 | tee "$out/pytorch.jsonl"
}

case $part in
    ours) ours ;;
    pytorch) pytorch ;;
    all) ours; pytorch ;;
    *) echo "--part is ours or pytorch, not $part" >&2; exit 2 ;;
esac
say 'done'
