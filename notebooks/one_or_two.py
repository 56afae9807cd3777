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
# Of all vSwitches of pods together, mean over the replications.

# %%
def free(name: str) -> pl.DataFrame:
    timeline = pl.read_csv(folder[name] / "timeline.csv", infer_schema_length=None)
    pods = timeline.filter(pl.col("kind") == "vswitch", ~pl.col("name").str.starts_with("vsw-nodes"))
    of_run = pods.group_by("replication", "time_s").agg(pl.col("free_addresses").sum())
    return of_run.group_by("time_s").agg(pl.col("free_addresses").mean()).sort("time_s")


figure, axes = plt.subplots(figsize=(8, 4))
for name in names:
    curve = free(name)
    axes.plot(curve["time_s"] / 86_400, curve["free_addresses"], label=name)
axes.set(xlabel="days since the start", ylabel="free addresses", title="All vSwitches of pods together")
axes.legend();

# %% [markdown]
# ## When is the first full, when the last, and how do pods wait?

# %%
rows = []
for name in names:
    quantiles = pl.read_csv(folder[name] / "quantiles.csv")
    full = quantiles.filter(pl.col("measure").str.starts_with("vsw-"), pl.col("measure").str.ends_with(".time_to_full"))
    full = full.filter(~pl.col("measure").str.contains("nodes"))["p50"] / 86_400
    of = lambda measure: quantiles.filter(pl.col("measure") == measure)["mean"].item()
    rows.append({
        "cluster": name,
        "first full (day, median)": full.min(),
        "last full (day, median)": full.max(),
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
last = table["last full (day, median)"]
assert last.max() - last.min() < 5, "the clusters are alike to within days"
