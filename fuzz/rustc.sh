#!/bin/sh
# Compiles the project's own crates with the counters that libFuzzer reads; cargo calls it instead of rustc for these
# (RUSTC_WORKSPACE_WRAPPER) and keeps what it makes apart. What they stand on is compiled once, for all tests.
case " $* " in
    *" --crate-name build_script_"*) exec "$@" ;;
esac
exec "$@" --cfg fuzzing -C passes=sancov-module \
    -C llvm-args=-sanitizer-coverage-level=4 \
    -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
    -C llvm-args=-sanitizer-coverage-pc-table \
    -C llvm-args=-sanitizer-coverage-trace-compares
