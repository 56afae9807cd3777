# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One /19 or two /20: zones and policies
#
# The article's cluster has one /19. Two /20 have as many addresses, less the four that the cloud keeps of each block. Are they as good?
# Four runs of the same cluster: one /19; two /20 in its zone with each policy of `vswitch_selection_policy`; a /20 in each of two zones.

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl

names = ["one", "two-ordered", "two-random", "two-zones"]
folder = {name: Path("output/notebooks-runs") / name for name in names}
for name in names:
    print(f"{name}: {json.loads((folder[name] / 'summary.json').read_text())['verdict']['text']}\n")


# %% [markdown]
# ## Free addresses
# Of each vSwitch of pods, mean over the replications.

# %%
def free(name: str) -> pl.DataFrame:
    timeline = pl.read_csv(folder[name] / "timeline.csv", infer_schema_length=None)
    pods = timeline.filter(pl.col("kind") == "vswitch", ~pl.col("name").str.starts_with("vsw-nodes"))
    return pods.group_by("name", "time_s").agg(pl.col("free_addresses").mean()).sort("name", "time_s")


figure, all_axes = plt.subplots(1, len(names), figsize=(12, 3.2), sharey=True, layout="constrained")
for axes, name in zip(all_axes, names):
    for (vswitch,), curve in free(name).group_by("name", maintain_order=True):
        axes.plot(curve["time_s"] / 86_400, curve["free_addresses"], label=vswitch)
    axes.set(xlabel="days since the start", title=name)
    axes.legend()
all_axes[0].set_ylabel("free addresses");

# %% [markdown]
# ## When is the first full, when the last, and how do pods wait?
# In days that have passed: 48.4 is in the morning of day 49.

# %%
rows = []
for name in names:
    quantiles = pl.read_csv(folder[name] / "quantiles.csv")
    full = quantiles.filter(pl.col("measure").str.starts_with("vsw-"), pl.col("measure").str.ends_with(".time_to_full"))
    full = full.filter(~pl.col("measure").str.contains("nodes"))["p50"] / 86_400
    of = lambda measure, column="mean": quantiles.filter(pl.col("measure") == measure)[column].item()
    rows.append({
        "cluster": name,
        "first full (days, median)": of("vswitch.time_to_full", "p50") / 86_400,
        "latest of the medians (days)": full.max(),
        "pods never served": of("pods.never_served"),
        "refused calls": of("calls.refused"),
    })
table = pl.DataFrame(rows)
table

# %% [markdown]
# The addresses run out on about the same day, since the same nodes keep the same pools; which vSwitch an interface is on only decides
# how they are spread. `random` fills one /20 somewhat sooner. That pods in two zones cannot use each other's addresses costs nothing here, where
# the nodes are spread evenly; it does when a zone fails (`scenarios/zone-outage.yaml`).

# %%
last = table["latest of the medians (days)"]
assert last.max() - last.min() < 5, "the clusters are alike to within days"
