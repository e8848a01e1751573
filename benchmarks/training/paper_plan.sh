#!/bin/sh
# The plan of the published training of Qwen2.5-Omni-7B on eight H100: SFT, then GRPO; no GPU and no weights are needed.
# benchmarks/training/paper_plan.sh FOLDER: the tables of 438 videos of one to three minutes are made in FOLDER.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
export HF_HUB_OFFLINE=1 PYTHONPATH="$here/../.."

[ -e large/config.json ] || python -c "
from pathlib import Path
from benchmarks.gpu.large_models import save_checkpoint
save_checkpoint('qwen2.5-omni-7b', Path('large'), tiny=False)"
[ -e data/dataset.json ] || {
  s3harness data synth --out data --videos 438 --seed 3 --resolution 32x32 --fps 1 --seconds 8 --no-audio
  # A plan opens no video: the tables alone say how long each is.
  python -c "
import csv
from pathlib import Path
path = Path('data/videos.csv')
rows = list(csv.DictReader(path.open()))
for number, row in enumerate(rows):
    row['duration_s'], row['audio'] = ('60', '90', '120', '180')[number % 4], 'yes'
with path.open('w', newline='') as file:
    table = csv.DictWriter(file, list(rows[0]))
    table.writeheader()
    table.writerows(rows)"
}
# The settings of the authors' launch scripts for ms-swift: adapters of rank 8, vision and audio left as they are, sound in
# the video, one frame a second, at most 60 of 784 × 448 pixels, DeepSpeed's second stage. 12,391 samples for three epochs
# in batches of 32 are 1,162 steps. Their groups of 6 answers, two at a time on each GPU, are taken as batches of 48.
set_of="--model large --card qwen2.5-omni-7b --data data --split train --leave-out-constant --protocol paper
  --sampling fps=1 --sampling max_frames=60 --sampling max_pixels=351232 --gpus 8 --gpu h100 --strategy zero2
  -o lora_rank=8 -o lora_alpha=32 -o vision=false -o audio=false -o sound=in_video"
s3harness train plan $set_of --stage sft -o steps=1162 -o batch_size=32 -o accumulate=4 -o learning_rate=5e-5
s3harness train plan $set_of --stage grpo -o steps=6000 -o batch_size=48 -o accumulate=3 -o answers=6 -o temperature=0.8 \
  -o max_answer_tokens=1024 -o learning_rate=1e-6
