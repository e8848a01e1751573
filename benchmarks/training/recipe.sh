#!/bin/sh
# A small vision-language model learns two tasks on synthetic seizures, on a CPU; see the section of ../README.md.
# benchmarks/training/recipe.sh FOLDER: everything is made in FOLDER, and what is there already is not made again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" HF_HUB_OFFLINE=1

done_already() { [ -e "$1/s3harness-training.json" ]; }
shown="--sampling max_frames=8 --cache cache"
set_of="--data data --split train --leave-out-constant $shown"
as_sft="--check-every 0 -o batch_size=16 -o adam_beta2=0.95 -o warmup_steps=20 -o lora_rank=0 -o vision=false
  -o checkpoint_every=100 -o log_every=20 -o max_answer_tokens=64"

[ -e data/dataset.json ] || s3harness data synth --out data --videos 1500 --seed 11 --resolution 96x64 --fps 2 --seconds 20 --no-audio
[ -e seen ] || { python "$here/seen_signs.py" data && touch seen; }
[ -e model/config.json ] || python "$here/small_model.py" --data data --out model
done_already warm || s3harness train warmup --model model $set_of --tasks 1,3 --balance none --out warm -o steps=1500
done_already signs || s3harness train sft --model warm $set_of --tasks 1,3 --out signs $as_sft -o steps=800 -o learning_rate=0.002
done_already sides || s3harness train sft --model signs $set_of --tasks 3 --out sides $as_sft -o steps=250 -o learning_rate=0.002
done_already tuned || s3harness train sft --model sides $set_of --tasks 1,3 --out tuned $as_sft -o steps=300 -o learning_rate=0.001
done_already rewarded || s3harness train grpo --model tuned $set_of --tasks 1,3 --out rewarded --check-every 0 \
  -o steps=50 -o batch_size=256 -o accumulate=4 -o answers=8 -o learning_rate=0.00025 -o beta=0.1 -o lora_rank=0 -o vision=false \
  -o checkpoint_every=20 -o log_every=1 -o max_answer_tokens=48
for model in tuned rewarded; do
  [ -e "run-$model/scores.json" ] || s3harness run --backend transformers --model qwen3-vl-8b --weights "$model" \
    --data data --split test --tasks 1,3 $shown --out "run-$model" -o batch_size=32
done
s3harness compare run-tuned run-rewarded
python "$here/curves.py" . --out curves
