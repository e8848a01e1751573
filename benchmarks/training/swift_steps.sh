#!/bin/sh
# ms-swift takes real steps of SFT and of GRPO on a tiny Qwen2.5-Omni with video and sound, on a CPU.
# benchmarks/training/swift_steps.sh FOLDER, where s3harness, its plugins transformers, synth and swift, ms-swift and ffmpeg are
set -eu
mkdir -p "$1" && cd "$1"
export FORCE_QWENVL_VIDEO_READER="${FORCE_QWENVL_VIDEO_READER:-decord}"
s3harness data synth --out data --videos 12 --seed 3 --resolution 160x96 --fps 8 --seconds 8
python -m s3harness_transformers.tiny qwen2.5-omni model
# ms-swift looks for the voices of the released model.
python -c "import torch; torch.save({}, 'model/spk_dict.pt')"
set_of="--trainer swift --card qwen2.5-omni-7b --data data --split train --tasks 1 --leave-out-constant --check-every 0"
on_cpu="--torch_dtype float32 --max_length 4096 --gradient_accumulation_steps 1 --report_to none --logging_steps 1"
without="deepspeed,use_vllm,vllm_mode,vllm_gpu_memory_utilization"
s3harness train sft --model model $set_of -o steps=2 -o without=$without -o "args=$on_cpu" --out tuned
cp model/spk_dict.pt tuned
s3harness train grpo --model tuned $set_of -o steps=2 -o without=$without \
  -o "args=$on_cpu --num_generations 2 --max_completion_length 16" --out rewarded
