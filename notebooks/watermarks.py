# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Watermarks: idle addresses against pod wait
#
# Every node keeps at least `min_pool_size` idle addresses and at most `max_pool_size`, so that a pod need not wait for the API. What
# does that cost, and what does it buy? A sweep over both, of a cluster that is autoscaled and has jobs at night.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl

[sweep] = Path("output/notebooks-runs").glob("autoscaled-night-sweep-*")
points = pl.read_csv(sweep / "sweep.csv").rename(
    {"terway.eni_config.min_pool_size": "min_pool_size", "terway.eni_config.max_pool_size": "max_pool_size"}
)
# A time that never comes is written as `never`.
points = points.with_columns(pl.col("mean", "median").cast(pl.Float64, strict=False))
table = points.pivot(on="measure", index=["min_pool_size", "max_pool_size"], values="mean")
table

# %% [markdown]
# Where `min_pool_size` is above `max_pool_size`, Terway clamps it (R10), so that those points repeat others.

# %%
table = table.filter(pl.col("min_pool_size") <= pl.col("max_pool_size"))
figure, axes = plt.subplots(figsize=(7, 4.5))
for (low,), group in table.group_by("min_pool_size", maintain_order=True):
    axes.plot(group["vswitches.idle.mean"], group["pods.wait.p99"], "o-", label=f"min_pool_size {low}")
    for row in group.iter_rows(named=True):
        axes.annotate(f" {row['max_pool_size']}", (row["vswitches.idle.mean"], row["pods.wait.p99"]))
axes.set(
    xlabel="idle addresses, mean over time", ylabel="99th percentile of the wait (s)", yscale="log",
    title="A dot is a pair of watermarks, its number max_pool_size",
)
axes.legend();

# %% [markdown]
# Waits of many minutes are those of a vSwitch that is full: with a lower watermark, the nodes that come at night take for their pools
# what the jobs need. Where the vSwitch never is full, waits are the same, whatever lies idle.

# %%
best = table.filter(pl.col("vswitch.free.min") > 0).sort("vswitches.idle.mean")
assert best.height > 0
best

# %% [markdown]
# `brimline seek --vary … --minimise vswitches.idle.mean --minimise pods.wait.p99` finds the points that no other beats, run by run and
# with the noise taken into account.
