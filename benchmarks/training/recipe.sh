#!/bin/sh
# A small vision-language model learns two tasks on synthetic seizures, on a CPU; see the section of ../README.md.
# benchmarks/training/recipe.sh FOLDER
. "$(dirname "$0")/stages.sh"

shown="--sampling max_frames=8"
as_sft="$shown --check-every 0 -o batch_size=16 -o adam_beta2=0.95 -o warmup_steps=20 -o lora_rank=0 -o vision=false
  -o checkpoint_every=100 -o log_every=20 -o max_answer_tokens=64"

[ -e data/dataset.json ] || s3harness data synth --out data --videos 1500 --seed 11 --resolution 96x64 --fps 2 --seconds 20 --no-audio
[ -e seen ] || { python "$here/seen_signs.py" data && touch seen; }
[ -e model/config.json ] || python "$here/small_model.py" --data data --out model
stage warm warmup --model model --tasks 1,3 $shown --balance none -o steps=1500
stage signs sft --model warm --tasks 1,3 $as_sft -o steps=800 -o learning_rate=0.002
stage sides sft --model signs --tasks 3 $as_sft -o steps=250 -o learning_rate=0.002
stage tuned sft --model sides --tasks 1,3 $as_sft -o steps=300 -o learning_rate=0.001
stage rewarded grpo --model tuned --tasks 1,3 $shown --check-every 0 -o steps=50 -o batch_size=256 -o accumulate=4 -o answers=8 \
  -o learning_rate=0.00025 -o beta=0.1 -o lora_rank=0 -o vision=false -o checkpoint_every=20 -o log_every=1 -o max_answer_tokens=48
for model in tuned rewarded; do
  evaluate "run-$model" "$model" --model qwen3-vl-8b --tasks 1,3 $shown -o batch_size=32
done
s3harness compare run-tuned run-rewarded
python "$here/curves.py" . --out curves
