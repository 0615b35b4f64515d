#!/bin/bash
# Learn looseness on one node:  sbatch learn.sh CAMPAIGN.toml DIR
# Ended before it was done, by the walltime say, the same goes on; done, it says so at once.
#SBATCH --job-name=learn
#SBATCH --dependency=singleton
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --output=learn-%j.log
source "$HOME/glasscreep/.venv/bin/activate"
exec glasscreep learn "$1" --dir "$2" --workers "$SLURM_CPUS_PER_TASK"
