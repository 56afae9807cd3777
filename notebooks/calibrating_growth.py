# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Calibrating growth from an observed series of counts
#
# You have counts of running pods, an hour or a day apart, from your monitoring. A scenario wants `growth: 12 %/month`, better with
# what is not known: `{p5: …, p50: …, p95: …}`. This notebook fits an exponential to a series; the series is that of a run whose growth is
# known (30 % in 30 days), so that the method can be checked. Put your own series in its place.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import polars as pl

TRUE_GROWTH = 0.30  # per 30 days
timeline = pl.read_csv(Path("output/notebooks-runs/known-growth/timeline.csv"), infer_schema_length=None)
pods = timeline.filter(pl.col("kind") == "node_pool").group_by("time_s").agg(pl.col("running_pods").sum()).sort("time_s")
pods = pods.select(day=pl.col("time_s") / 86_400, pods="running_pods").filter(pl.col("pods") > 0)
observed = pods.filter(pl.col("day").is_between(1, 30))
rng = np.random.default_rng(1)
# Real counts are not that smooth: 5 % of noise in each.
noise = np.exp(rng.normal(0, 0.05, observed.height))
observed = observed.with_columns(pods=pl.col("pods") * noise)

# %% [markdown]
# ## The fit
# A straight line through the logarithms, by least squares. Noise of counts is not independent from hour to hour, so the interval comes
# from a bootstrap of blocks of three days: 2,000 series made of blocks of residuals, fitted again. A month has ten such blocks, which makes
# the interval somewhat narrow: of 200 series like this one, about 85 % of their intervals held the truth.

# %%
day, log = observed["day"].to_numpy(), np.log(observed["pods"].to_numpy())
slope, level = np.polyfit(day, log, 1)
residuals = log - (level + slope * day)
block = max(1, int(3 * observed.height / 29))
starts = rng.integers(0, len(residuals) - block + 1, size=(2_000, len(residuals) // block + 1))
resampled = residuals[(starts[:, :, None] + np.arange(block)).reshape(2_000, -1)[:, : len(residuals)]]
slopes, levels = np.array([np.polyfit(day, level + slope * day + r, 1) for r in resampled]).T
growth = np.expm1(30 * slopes)
p5, p50, p95 = np.quantile(growth, [0.05, 0.5, 0.95])
print(f"growth per month: {p50:.1%}, 90 % interval {p5:.1%} to {p95:.1%}; the truth is {TRUE_GROWTH:.0%}")
assert p5 < TRUE_GROWTH < p95

# %% [markdown]
# ## Does it hold
# The month after the observation was kept back. The band has nine of ten of the fitted curves at each time.

# %%
later = pods.filter(pl.col("day") > 30)
ahead = np.linspace(30, 60, 50)
figure, axes = plt.subplots(figsize=(8, 4))
axes.plot(observed["day"], observed["pods"], ".", markersize=3, label="observed")
axes.plot(later["day"], later["pods"], color="black", linewidth=1, label="what came")
low, high = np.quantile(np.exp(levels[:, None] + slopes[:, None] * ahead), [0.05, 0.95], axis=0)
axes.fill_between(ahead, low, high, alpha=0.3, label="forecast, 90 %")
axes.set(xlabel="day", ylabel="running pods")
axes.legend();

# %% [markdown]
# ## Into the scenario

# %%
start = round(float(np.exp(level + slope * 30)))
print(f"""workloads:
  - name: web
    deployment:
      replicas: {{exponential: {{from: {start}, growth: {{p5: {p5:.1%}/month, p50: {p50:.1%}/month, p95: {p95:.1%}/month}}}}}}""")
