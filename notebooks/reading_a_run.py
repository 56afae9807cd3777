# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Reading a run
#
# `brimline run FILE` leaves a folder with the answer in several shapes; `docs/outputs.md` says what each column is, with its unit.
# This notebook takes a week of an autoscaled cluster with jobs at night.

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl

run = Path("output/notebooks-runs/autoscaled-night")
summary = json.loads((run / "summary.json").read_text())
print(summary["question"])
print(summary["verdict"]["text"])

# %% [markdown]
# ## Who holds the addresses
# The timeline has the levels of every replication on one grid of times, so a mean over the replications is a `group_by`. It is
# `timeline.csv`, and as this run was asked for (`outputs.parquet`), `timeline.parquet` too, whose columns know their types.

# %%
timeline = pl.read_parquet(run / "timeline.parquet")
holders = [f"{who}_addresses" for who in ("serving", "idle", "leaked", "primary", "other")]
pods = timeline.filter(pl.col("kind") == "vswitch", pl.col("name") == "vsw-pods")
mean = pods.group_by("time_s").agg(pl.col(holders).mean()).sort("time_s")

figure, axes = plt.subplots(figsize=(9, 3.5))
axes.stackplot(mean["time_s"] / 86_400, *(mean[column] for column in holders), labels=holders)
usable = next(v["usable"] for v in summary["vswitches"] if v["id"] == "vsw-pods")
axes.axhline(usable, color="black", linewidth=1)
axes.set(xlabel="days since the start", ylabel="addresses", title=f"vsw-pods: {usable} usable addresses, mean over the runs")
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5));

# %% [markdown]
# The parts and the free addresses add up to the usable ones, at every time of every replication.

# %%
sums = pods.select(pl.sum_horizontal(*holders, "free_addresses")).to_series()
assert (sums == usable).all()

# %% [markdown]
# A grid misses what is shorter than its step. `least_free_addresses` does not: it is the least since the row before.

# %%
pods.select(pl.col("free_addresses", "least_free_addresses").min())

# %% [markdown]
# ## How sure is it
# `quantiles.csv` has every measure over the runs: its mean with the 95 % interval, and its spread.

# %%
quantiles = pl.read_csv(run / "quantiles.csv")
quantiles.filter(pl.col("measure").is_in(["pods.wait.p50", "pods.wait.p99", "vswitch.free.min", "nodes.end", "calls"]))

# %% [markdown]
# `risk.csv` has the probability that a vSwitch is full by a time, with Wilson's interval for each time by itself.

# %%
risk = pl.read_csv(run / "risk.csv").filter(pl.col("vswitch") == "vsw-pods")
figure, axes = plt.subplots(figsize=(9, 3))
axes.step(risk["time_s"] / 86_400, risk["probability"], where="post")
axes.fill_between(risk["time_s"] / 86_400, risk["low"], risk["high"], step="post", alpha=0.25)
axes.set(xlabel="days since the start", ylabel="probability", ylim=(0, 1.02), title="vsw-pods is full by then");

# %% [markdown]
# ## What the cloud is asked

# %%
calls = pl.read_csv(run / "api_calls.csv")
calls.group_by("action", "result").agg((pl.col("calls").sum() / summary["method"]["replications"]).alias("calls_per_run")).sort(
    "calls_per_run", descending=True
)
