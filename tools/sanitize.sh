#!/usr/bin/env bash
# The kernels' tests under the address sanitizer, vector instructions and all, and the readers of bytes under Miri.
#
#     tools/sanitize.sh [address|miri]
#
# Needs the nightly toolchain with rust-src, and for Miri that component. Miri knows no vector instructions of ours; what
# the gate runs of the kernels under it is their portable form.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
host=$(rustc -vV | sed -n 's/^host: //p')

if [ "$what" != miri ]; then
    # Rayon's threads outlive the tests, so what they hold is no leak.
    ASAN_OPTIONS=detect_leaks=0 RUSTFLAGS='-Zsanitizer=address' CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/sanitize \
        cargo +nightly test --release --target "$host" --package capsnet-kernels --tests
fi
if [ "$what" != address ]; then
    MIRIFLAGS='-Zmiri-tree-borrows -Zmiri-disable-isolation' \
        cargo +nightly miri test --package capsnet-weights --test files -- every_file every_refused
fi
