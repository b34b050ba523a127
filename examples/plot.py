"""Speed-up over fp32 by bandwidth, from a simnet CSV: plot.py RESULTS.csv FIGURE.pdf|png|svg"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

results, figure = sys.argv[1:]
table = pd.read_csv(results)
table["Gb/s"] = table["cluster.topology.link.bandwidth"].str.removesuffix(" Gbps").astype(float)
means = table.groupby(["model", "communication", "Gb/s"], sort=False)["speedup_over_fp32"].mean()
count = table["model"].nunique()
fig, _ = plt.subplots(1, count, figsize=(1.2 + 2.6 * count, 2.6), layout="constrained")
for panel, (model, group) in zip(fig.axes, means.groupby("model", sort=False)):
    lines = group.droplevel("model").unstack("communication", sort=False)
    lines.plot(ax=panel, title=model, marker="o", logx=True, logy=True, legend=False)
fig.axes[0].set_ylabel("speed-up over fp32")
fig.legend(lines.columns, loc="outside right center", frameon=False)
fig.savefig(figure)
print(means.round(3).to_string())
