#!/bin/sh
# A small omni model learns a sign that is only heard and one that is only seen, on a CPU; see the section of ../README.md.
# benchmarks/training/omni_recipe.sh FOLDER [SEED]
. "$(dirname "$0")/stages.sh"
seed="${2:-0}"

shown="--tasks 1 --sampling max_frames=8 --sampling max_pixels=8192"
set_of="--card qwen2.5-omni-7b $shown -o seed=$seed"
as_sft="$set_of --check-every 0 -o batch_size=16 -o adam_beta2=0.95 -o warmup_steps=20 -o learning_rate=0.002 -o lora_rank=0
  -o vision=false -o audio=false -o checkpoint_every=50 -o log_every=20 -o max_answer_tokens=48"

[ -e data/dataset.json ] || {
  s3harness data synth --out data --videos 600 --seed $((21 + seed)) --resolution 96x64 --fps 2 --seconds 8
  python "$here/heard_and_seen.py" data --seen occur_during_sleep
}
[ -e model/config.json ] || python "$here/small_omni.py" --data data --out model --seed "$seed"
stage heard warmup --model model $set_of --balance none -o tower=audio -o steps=300 -o batch_size=32 -o probe_every=50
stage warm warmup --model heard $set_of --balance none -o steps=600 -o batch_size=48
stage tuned sft --model warm $as_sft -o steps=300
stage half sft --model warm $as_sft -o steps=300 -o stop_after=90
stage rewarded grpo --model half $set_of --check-every 0 -o batch_size=96 -o answers=8 -o steps=60 -o learning_rate=0.001 \
  -o beta=0.01 -o adam_beta2=0.95 -o warmup_steps=5 -o lora_rank=0 -o vision=false -o audio=false -o checkpoint_every=10 \
  -o log_every=5 -o max_answer_tokens=48
for weights in tuned half rewarded; do
  for transform in none blank silence; do
    evaluate "$weights-$transform" "$weights" --model qwen2.5-omni-7b $shown -o batch_size=32 \
      $([ $transform = none ] || echo --transform $transform)
  done
  python "$here/sign_scores.py" "$weights-none" "$weights-blank" "$weights-silence"
done
