#!/usr/bin/env python3
"""Turns published and measured training times into the text that simnet carries inside itself.

usage: make_device_times.py PUBLISHED_THROUGHPUT.csv LOG_FOLDER > Sources/CModelData/device_times.txt

PUBLISHED_THROUGHPUT.csv: model, accelerator, precision, batch, unit, throughput, ..., source.
LOG_FOLDER: MODEL.bk.log, the layer-wise backward completion of one V100 at batch 32, from
netx-repo/training-bottleneck @f81b140 (Apache-2.0), used as facts; one line an event:
microseconds since the previous event, gradient bytes.

    published DEVICE PRECISION MODEL SAMPLES_PER_S BATCH STATED ACCELERATOR SOURCE
    measured DEVICE PRECISION MODEL BATCH STEP_PICOSECONDS EVENTS SOURCE
    GAP_PICOSECONDS BYTES            an event, in backward order

BATCH is nominal where STATED is 0: the source gives no batch. A gap is the difference of two sums
from the start of backward, each rounded up to a picosecond, so the gaps add up to the exact sum
rounded up once.
"""
import csv
import decimal
import os
import sys

# Seconds a step of batch 32, from the simulator published with the logs.
STEPS = [("resnet50", "0.12808580"), ("resnet101", "0.19200599"), ("vgg16", "0.19452352")]
LOG_SOURCE = ("Zhang et al., NetAI 2020, one V100, github.com/netx-repo/training-bottleneck"
              " @f81b140, simulation/bk_time_logs (Apache-2.0)")
DEVICES = {"V100-16GB": "v100", "V100-32GB": "v100", "A100-40GB": "a100", "A100-80GB": "a100"}
MODELS = {"resnet50": "resnet50", "bert_large_seq128": "bert_large_seq128",
          "bert_large_seq512": "bert_large_seq512", "transformer_big_wmt": "transformer_big"}
# Per-accelerator batches where the source states none: the sizes these models are usually trained
# at on that memory. The published rate is taken to hold there.
NOMINAL = {("v100", "resnet50"): 64, ("a100", "resnet50"): 256, ("v100", "bert_large_seq128"): 32,
           ("v100", "bert_large_seq512"): 8, ("v100", "transformer_big"): 160,
           ("a100", "transformer_big"): 320}
# The sample of the table is 32 source and 32 target words; the source counts target tokens.
TOKENS_PER_SAMPLE = 32


def published(path, out):
    with open(path) as stream:
        for row in csv.DictReader(stream):
            device = DEVICES.get(row["accelerator"])
            model = MODELS.get(row["model"])
            if device is None or model is None:
                continue  # eight accelerators at once, or a model without a table
            rate = decimal.Decimal(row["throughput"])
            if row["unit"] == "tokens/s":
                rate /= TOKENS_PER_SAMPLE
            stated = row["batch_per_accelerator"] != ""
            batch = int(row["batch_per_accelerator"]) if stated else NOMINAL[device, model]
            out.write("published %s %s %s %s %d %d %s %s\n" % (
                device, row["precision"], model, rate, batch, stated, row["accelerator"],
                row["source"]))


def measured(folder, out):
    decimal.getcontext().prec = 60
    for model, step in STEPS:
        with open(os.path.join(folder, model + ".bk.log")) as stream:
            lines = stream.read().split("\n")
        events = [line.split(",") for line in lines[3:] if line]
        assert len(events) == int(lines[2])
        out.write("measured v100 fp32 %s 32 %d %d %s\n" % (
            model, decimal.Decimal(step) * 10**12, len(events), LOG_SOURCE))
        exact = decimal.Decimal(0)
        before = 0
        for wait, size in events:
            exact += decimal.Decimal(wait) * 10**6
            now = int(exact.to_integral_value(rounding=decimal.ROUND_CEILING))
            out.write("%d %d\n" % (now - before, int(size)))
            before = now


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.stdout.write("# Made by Tools/make_device_times.py, which describes the form.\n")
    published(sys.argv[1], sys.stdout)
    measured(sys.argv[2], sys.stdout)


main()
