#!/bin/sh
# Cargo's RUSTC_WRAPPER: coverage for our crates and for those that read bytes for us. Coverage of Burn would make each
# input a hundred times slower and say nothing of readers.
crate=
optimised=
for word; do
    [ "$last" = --crate-name ] && crate=$word
    case $word in opt-level=[123]) optimised=yes ;; esac
    last=$word
done
# Build scripts and macros are built without optimisation, and have no fuzzer to count for.
[ -n "$optimised" ] || exec "$@"
case $crate in
    capsnet_kernels | capsnet_report) ;;
    capsnet* | csv* | fdeflate | flate2 | gif | half | image* | miniz_oxide | png | prost | rten_onnx | rten | safetensors | \
        serde_json | tiff | toml* | weezl | winnow | zip | zune*)
        set -- "$@" -C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
            -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
            -C llvm-args=-sanitizer-coverage-trace-compares -C codegen-units=1
        ;;
esac
exec "$@" --cfg fuzzing
