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
# # Learning looseness, in minutes
#
# `learning.toml` is a campaign small and hot enough to have many rearrangements. Simulate, learn
# which structure goes before them, and compare the looseness of a particle with what it does
# next. Takes about three minutes on two cores. It writes into the folder that it is run in;
# `learning.toml` has to be there, so run it in `examples` or copy both.

# %%
"""Looseness, from a campaign of four small glasses."""

import json
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import glasscreep

CAMPAIGN = ["learning.toml", "--dir", "learning"]

# %% [markdown]
# ## Simulate, learn, and run again
#
# The first `run` says that looseness awaits a model. After `learn` there is one, and the second
# `run` gives every frame its looseness: nothing is simulated anew.

# %%
for command in ("run", "learn", "run"):
    subprocess.run(["glasscreep", command, *CAMPAIGN], check=True)

# %% [markdown]
# ## How good is the model?
#
# One half is chance, for the balanced accuracy as for the area under the curve. The replica that
# tests took no part in training.

# %%
report = json.loads(Path("learning/looseness/report.json").read_text())
test = report["model"]["scores"]["test"]
print(f"balanced accuracy {test['balanced_accuracy']:.2f}, AUC {test['auc']:.2f}")

# %% [markdown]
# ## Looseness in a terminal

# %%
query = ["glasscreep", "query", "learning", "looseness", "--replica", "0"]
subprocess.run(query, check=True)

# %% [markdown]
# ## Does a loose particle rearrange?
#
# The share of A particles that rearrange within the next interval, by their looseness before it,
# on the replica that tests.

# %%
campaign = glasscreep.open("learning")
tested = campaign.select(replica=report["model"]["test"])
of_a = tested["looseness"].species == 1
looseness = tested["looseness"][..., of_a].values
d2min = tested["d2min_2000"][..., of_a].values
known = np.isfinite(d2min)
looseness, rearranges = looseness[known], d2min[known] > 0.25

edges = np.quantile(looseness, np.linspace(0, 1, 9))
group = np.clip(np.searchsorted(edges, looseness, side="right") - 1, 0, 7)
share = np.array([rearranges[group == at].mean() for at in range(8)])
print("least to most loose:", np.round(share, 4))

figure, axes = plt.subplots(layout="constrained")
axes.plot([looseness[group == at].mean() for at in range(8)], share, "o-")
axes.set(xlabel="looseness", ylabel="share that rearranges", ylim=(0, None))
figure.savefig("looseness.png", dpi=100)

# %% [markdown]
# ## Everything on one page
#
# The paper's figures, made from this campaign: open `learning/report.html` in a browser.

# %%
subprocess.run(["glasscreep", "report", "learning"], check=True)
