#!/usr/bin/env python3
"""Checks that Holistic Trace Analysis reads what `simnet trace --format kineto` wrote.

    check_hta.py FOLDER

Loads the folder of rank*.json, asks for the temporal breakdown and the overlap of communication
and computation, and compares both with sums over the files themselves. HTA leaves the last
ProfilerStep out when there are several. Needs the package HolisticTraceAnalysis; installs nothing.
Exits with 1 if anything disagrees, 2 if the package is missing.
"""

import argparse
import glob
import json
import logging
import os
import sys
import tempfile
import shutil
import warnings


def union(spans):
    """The total length of spans, and the spans merged."""
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def length(merged):
    return sum(end - start for start, end in merged)


def intersection(a, b):
    total, i, j = 0.0, 0, 0
    while i < len(a) and j < len(b):
        total += max(0.0, min(a[i][1], b[j][1]) - max(a[i][0], b[j][0]))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return total


def expected(path):
    """Busy time and the share of communication that is beside computation, from the file alone."""
    with open(path) as file:
        trace = json.load(file)
    events = [e for e in trace["traceEvents"] if e.get("ph") == "X"]
    steps = sorted(
        (e for e in events if e["name"].startswith("ProfilerStep#")), key=lambda e: e["ts"])
    end = steps[-1]["ts"] if len(steps) > 1 else float("inf")
    compute, communication = [], []
    for event in events:
        if event["cat"] != "kernel" or event["ts"] >= end:
            continue
        span = (event["ts"], event["ts"] + event["dur"])
        (communication if event["name"].startswith("nccl") else compute).append(span)
    compute, communication = union(compute), union(communication)
    beside = intersection(compute, communication)
    share = 100 * beside / length(communication) if communication else None
    return trace["distributedInfo"]["rank"], length(compute), share


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore", FutureWarning)
    try:
        from hta.trace_analysis import TraceAnalysis
    except ImportError as error:
        print(f"HolisticTraceAnalysis is not installed: {error}", file=sys.stderr)
        return 2
    files = sorted(glob.glob(os.path.join(arguments.folder, "rank*.json")))
    if not files:
        print(f"{arguments.folder} holds no rank*.json", file=sys.stderr)
        return 1
    truth = {}
    for path in files:
        rank, compute, share = expected(path)
        truth[rank] = (compute, share)
    # HTA leaves files of its own beside the traces.
    with tempfile.TemporaryDirectory() as copy:
        for path in files:
            shutil.copy(path, copy)
        analysis = TraceAnalysis(trace_dir=copy)
        breakdown = analysis.get_temporal_breakdown(visualize=False).set_index("rank")
        overlap = analysis.get_comm_comp_overlap(visualize=False).set_index("rank")
    faults = 0
    for rank, (compute, share) in sorted(truth.items()):
        if rank not in breakdown.index:
            print(f"rank {rank} is missing", file=sys.stderr)
            faults += 1
            continue
        found = float(breakdown.loc[rank, "compute_time(us)"])
        # HTA rounds every event to whole microseconds.
        if abs(found - compute) > 0.01 * compute + 50:
            print(f"rank {rank}: computes {found} us, not {compute}", file=sys.stderr)
            faults += 1
        if share is None:
            continue
        found = float(overlap.loc[rank, "comp_comm_overlap_pctg"])
        if abs(found - share) > 0.5:
            print(f"rank {rank}: overlap {found} %, not {share}", file=sys.stderr)
            faults += 1
    print(f"{len(truth)} ranks, {faults} disagreements")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
