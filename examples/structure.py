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
# # Structure of a glass, without a campaign
#
# The functions of `glasscreep.analysis` take arrays: positions, a box, species. Whatever made
# them, any image of a particle will do. These are two relaxed frames of 10,000 Kob-Andersen
# particles, that come with the sources. Run it in the folder `examples`, as Jupyter does; it takes
# some seconds, and a minute more when kernels are compiled for the first time.

# %%
"""Structure of two frames of a glass, and what moved between them."""

import matplotlib.pyplot as plt
import numpy as np

from glasscreep.analysis import (
    FEATURES,
    d2min,
    delaunay,
    histogram,
    interstice_features,
    partial_rdf,
    voronoi_neighbors,
)

# %% [markdown]
# ## Frames
#
# Put arrays of your own here: `(n, 3)` positions, the edges of the box as `(3,)`, or its edge
# vectors as `(3, 3)`, one a row, and species as whole numbers.

# %%
frames = np.load("../tests/data/ka_creep.npz")
before, after = frames["position"][:2]
box_before, box_after = frames["box"][:2]
species = frames["species"]

# %% [markdown]
# ## Neighbours
#
# An exact, periodic Delaunay triangulation; two particles are Voronoi neighbours where their
# cells have a face in common.

# %%
tetrahedra = delaunay(before, box_before)
indptr, indices = voronoi_neighbors(before, box_before, tetrahedra)
number = np.diff(indptr)
for name, kind in (("A", 1), ("B", 2)):
    print(f"Voronoi neighbours of {name}: {number[species == kind].mean():.2f}")

# %% [markdown]
# ## Pair distribution
#
# Shown for A and A, A and B, B and B.

# %%
rdf = partial_rdf(before, box_before, species)
figure, axes = plt.subplots(layout="constrained")
for pair, g in (("AA", rdf.partial[0, 0]), ("AB", rdf.partial[0, 1]), ("BB", rdf.partial[1, 1])):
    axes.plot(rdf.distance, g, label=pair)
axes.set(xlabel="distance", ylabel="g(r)")
axes.legend()
figure.savefig("rdf.png", dpi=100)

# %% [markdown]
# ## Free space around each particle
#
# Sixty numbers a particle; looseness is learnt from them.

# %%
features = interstice_features(before, box_before, species, tetrahedra=tetrahedra)
print(f"{features.shape[1]} features of {features.shape[0]} particles")

# %% [markdown]
# ## What moved, and the structure it had
#
# D2min is what a particle's neighbourhood does beyond an affine deformation. Here the features
# are ordered by how different the most mobile percent of the A particles was beforehand.

# %%
nonaffine = d2min(before, after, box_before, box_after, cutoff=2.5)
of_a = species == 1
mobile = nonaffine[of_a] > np.quantile(nonaffine[of_a], 0.99)
chosen = features[of_a]
shift = (chosen[mobile].mean(0) - chosen[~mobile].mean(0)) / chosen.std(0)
for at in np.argsort(-abs(shift))[:5]:
    print(f"{FEATURES[at]:>15}  {shift[at]:+.2f} standard deviations")

counted = histogram(nonaffine[nonaffine > 0])
figure, axes = plt.subplots(layout="constrained")
axes.stairs(counted.counts, counted.edges)
axes.set(xscale="log", yscale="log", xlabel="D2min", ylabel="particles")
figure.savefig("d2min.png", dpi=100)
