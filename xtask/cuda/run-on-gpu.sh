#!/usr/bin/env bash
# Runs what `cargo xtask cuda-check` packed beside this script, on a machine with a GPU, its driver and the CUDA runtime
# (libcudart, libnvrtc, libcublas, libcublasLt, libcurand; libcudnn for what ends in -cudnn): no Rust, no network.
#
# Usage: run-on-gpu.sh [OUT]     by default OUT is `results` beside this script
#
# Writes the output of every program to a file of OUT, and to OUT/summary.txt how each ended. Ends with 1 if one failed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/results}
mkdir -p "$out" "$here/bin"
out=$(cd "$out" && pwd)
: >"$out/summary.txt"
failed=0

# The folders of CUDA libraries, installed by the system or by pip.
libraries() {
    printf '%s:' /usr/local/cuda/lib64
    python3 - <<'PYTHON' 2>/dev/null || true
import glob, sys
print(":".join(d for p in sys.path for d in glob.glob(p + "/nvidia/*/lib")), end=":")
PYTHON
}
LD_LIBRARY_PATH=$(libraries)${LD_LIBRARY_PATH:-}
export LD_LIBRARY_PATH

# record NAME COMMAND...
record() {
    local name=$1 status=0
    shift
    "$@" >"$out/$name.txt" 2>&1 || status=$?
    [ "$status" = 0 ] || failed=1
    printf '%-40s exit %s\n' "$name" "$status" | tee -a "$out/summary.txt"
}

unpack() {
    local to
    to=$here/bin/$(basename "${1%.xz}")
    python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[2], "wb"))' "$1" "$to"
    chmod +x "$to"
}

for packed in "$here"/*.xz; do
    unpack "$packed"
done
for program in "$here"/bin/*; do
    if [[ $program == *-cudnn ]] && ldd "$program" | grep -q 'libcudnn.*not found'; then
        echo "$(basename "$program"): not run, there is no libcudnn.so.9" | tee -a "$out/summary.txt"
        rm "$program"
        continue
    fi
    if ldd "$program" | grep 'not found'; then
        echo "libraries of $program are missing; LD_LIBRARY_PATH is $LD_LIBRARY_PATH" >&2
        exit 3
    fi
done

record gpu nvidia-smi
for test in "$here"/bin/test-*; do
    name=$(basename "$test")
    # Tests for a device have `cuda` in their names; others that are ignored need something else.
    [[ $("$test" cuda --ignored --list) == *': test'* ]] || continue
    record "$name" "$test" cuda --ignored --test-threads=1
    if command -v compute-sanitizer >/dev/null; then
        for tool in memcheck racecheck initcheck synccheck; do
            record "$name-$tool" compute-sanitizer --tool "$tool" --error-exitcode 1 "$test" cuda --ignored --test-threads=1
        done
    fi
done
for bench in "$here"/bin/bench-*; do
    case $bench in
        */bench-cli | */bench-cli-cuda) ;;
        *) [ -e "$bench" ] && record "$(basename "$bench")" "$bench" --bench ;;
    esac
done
if [ -x "$here/bin/bench-cli" ]; then
    # Trains, calibrates and inspects synthetic images.
    record demo "$here/bin/bench-cli" --device cuda demo --out "$out/demo"
    for case in 'train-step --latent-dim 500' 'train-step --latent-dim 500 --precision tf32' \
        'train-step --latent-dim 500 --precision bf16' 'train-step --latent-dim 500 --precision tf32 --batch 128' 'forward --batch 128' 'inspect --size 1024x696 --latent-dim 500'; do
        # Words are split on purpose.
        record "speed-${case// /-}" "$here/bin/bench-cli" --device cuda bench $case
    done
fi
exit "$failed"
