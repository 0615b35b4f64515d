# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A campaign from Python
#
# Write a campaign file, run it, open what came of it, choose runs, draw strain and its fit; then
# a page of figures, and files. Takes about a minute on two cores. It writes into the folder that it is run in.

# %%
"""A tour: a campaign from its file to a figure."""

import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import glasscreep

# %% [markdown]
# ## The campaign file
#
# What it does not say has the value of the paper. Two stresses on two replicas are four runs.

# %%
FILE = Path("tour.toml")
FILE.write_text("""\
seed = 1
replicas = 2

[model]
particles = 1000

[glass]
melt_steps = 2000
quench_steps = 5000

[creep]
steps = 10_000
frame_interval = 1000
barostat_damping = 2.0

[[grid]]
temperature = 0.2
stress = [0.3, 0.6]

[resources]
accelerator = "opt"  # with this and the next, everyone's numbers are the same
neighbor_skin = 0.3
""")

# %% [markdown]
# ## Plan and run
#
# The same as in a terminal. Run it again, and only what is new is computed.

# %%
subprocess.run(["glasscreep", "plan", FILE], check=True)
subprocess.run(["glasscreep", "run", FILE], check=True)

# %% [markdown]
# ## Open
#
# Also while it runs. `runs` is a table of pandas, one run a row; `campaign["strain"]` is an array
# of xarray, whose values are read when they are asked for.

# %%
campaign = glasscreep.open("tour")
print(campaign.runs[["temperature", "stress", "replica", "state", "frames"]])
print(campaign["strain"])

# %% [markdown]
# ## Choose runs
#
# By temperature, stress and replica; the same campaign, of fewer runs.

# %%
under_load = campaign.select(stress=0.6)
print(under_load["strain"].mean("run").values)
print(under_load.table("creep_fit"))

# %% [markdown]
# ## Strain and its fit
#
# `creep_fit` is the line of strain against the logarithm of time, of each run that is finished.

# %%
figure, axes = plt.subplots(layout="constrained")
for stress in (0.3, 0.6):
    chosen = campaign.select(stress=stress)
    strain = chosen["strain"].mean("run")
    time, mean = strain.time.values, strain.values
    slope, intercept = chosen["creep_fit"].mean("run").values[:2]
    (line,) = axes.semilogx(time, mean, "o", label=f"stress {stress:g}")
    axes.semilogx(time, intercept + slope * np.log(time), color=line.get_color())
axes.set(xlabel="time", ylabel="strain", title="Mean of two replicas")
axes.legend()
figure.savefig("tour.png", dpi=100)

# %% [markdown]
# ## A page, and files for other programs
#
# `tour/report.html` has all figures, for a browser. The last frame of each run is written for
# OVITO or ASE; without a file, `campaign.frame(0, -1)` is an `ase.Atoms`.

# %%
subprocess.run(["glasscreep", "report", "tour"], check=True)
Path("frames").mkdir(exist_ok=True)
export = ["glasscreep", "export", "tour", "--format", "extxyz", "--frames", "last"]
subprocess.run([*export, "--output", "frames", "--overwrite"], check=True)
