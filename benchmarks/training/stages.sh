# Beginning of both recipes, sourced by them: everything is made in the FOLDER of their first argument, and what is there
# already is not made again; a training that was stopped goes on from its last checkpoint.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" HF_HUB_OFFLINE=1

# stage OUT WARMUP|SFT|GRPO ARGUMENTS…
stage() {
  out=$1; kind=$2; shift 2
  [ -e "$out/s3harness-training.json" ] && return
  s3harness train "$kind" --data data --split train --leave-out-constant --cache cache --out "$out" "$@" \
    $([ -e "$out/training.json" ] && echo --resume)
}

# evaluate RUN WEIGHTS ARGUMENTS…
evaluate() {
  run=$1; weights=$2; shift 2
  [ -e "$run/scores.json" ] || s3harness run --backend transformers --weights "$weights" --data data --split test \
    --cache cache --out "$run" "$@"
}
