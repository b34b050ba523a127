#!/usr/bin/env python3
"""Turns model tables (simnet-model-table/1 JSON) into the text that simnet carries inside itself.

usage: make_model_tables.py FOLDER > Sources/CModelData/models.txt

FOLDER holds resnet50.json and so on: facts about public architectures (layer, kind, tensor, shape,
multiply-accumulates, activation size), each file with its source. The text is a line-based form of
the same facts, about a tenth of the size:

    =NAME ALIAS ...
    class KIND          batch_norm_convolution, convolution or attention
    totals PARAMETERS TENSORS FORWARD_MACS ATTENTION_SCORE_MACS
    sample TEXT
    source TEXT
    tied LAYER MACS     work of a layer whose weight is an earlier tensor; after all tensors
    L LAYER KIND MACS ACTIVATION_ELEMENTS
    SUFFIX SHAPE [unused]   a tensor of the layer above, called LAYER.SUFFIX; SHAPE is 64x3x7x7
"""
import json
import os
import sys

MODELS = [  # name in simnet, file, further names
    ("resnet18", "resnet18", []),
    ("resnet50", "resnet50", []),
    ("resnet101", "resnet101", []),
    ("vgg16", "vgg16", []),
    ("vgg19", "vgg19", []),
    ("inception_v3", "inception_v3", []),
    ("alexnet", "alexnet", []),
    ("bert_large_seq128", "bert_large_seq128", ["bert_large"]),
    ("bert_large_seq512", "bert_large_seq512", []),
    ("gpt2_small", "gpt2_small_seq1024", ["gpt2", "gpt2_small_seq1024"]),
    ("gpt2_medium", "gpt2_medium_seq1024", ["gpt2_medium_seq1024"]),
    ("gpt2_xl", "gpt2_xl_seq1024", ["gpt2_xl_seq1024"]),
    ("transformer_base", "transformer_base_wmt", ["transformer", "transformer_base_wmt"]),
    ("transformer_big", "transformer_big_wmt", ["transformer_big_wmt"]),
]


def model_class(kinds):
    if "BatchNorm2d" in kinds:
        return "batch_norm_convolution"
    return "convolution" if "Conv2d" in kinds else "attention"


def write(name, aliases, table, out):
    rows = table["tensors_forward_order"]
    tied = table.get("compute_without_own_tensor", [])
    macs = sum(row["fwd_macs_per_sample"] for row in rows)
    macs += sum(entry["fwd_macs_per_sample"] for entry in tied)
    assert table["format"] == "simnet-model-table/1"
    assert macs == table["forward_macs_per_sample"], name
    assert len(rows) == table["tensors"], name
    assert sum(row["numel"] for row in rows) == table["parameters"], name

    out.write("=" + " ".join([name] + aliases) + "\n")
    out.write("class %s\n" % model_class({row["kind"] for row in rows}))
    out.write("totals %d %d %d %d\n" % (table["parameters"], table["tensors"], macs,
                                        table.get("attention_score_macs_per_sample", 0)))
    out.write("sample %s\n" % table["sample"])
    out.write("source %s\n" % table["source"])
    for entry in tied:
        out.write("tied %s %d\n" % (entry["layer"], entry["fwd_macs_per_sample"]))
    layer = -1
    for position, row in enumerate(rows):
        assert row["index"] == position
        first = row["layer_index"] != layer
        if first:
            assert row["layer_index"] == layer + 1
            layer += 1
            out.write("L %s %s %d %d\n" % (row["layer"], row["kind"], row["fwd_macs_per_sample"],
                                           row["activation_out_numel_per_sample"]))
        else:
            assert row["fwd_macs_per_sample"] == 0
            assert row["activation_out_numel_per_sample"] == 0
        count = 1
        for extent in row["shape"]:
            count *= extent
        assert count == row["numel"]
        prefix = row["layer"] + "."
        assert row["tensor"].startswith(prefix) and " " not in row["tensor"]
        out.write("%s %s%s\n" % (row["tensor"][len(prefix):],
                                 "x".join(str(extent) for extent in row["shape"]),
                                 "" if row["executed"] else " unused"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = sys.stdout
    out.write("# Made by Tools/make_model_tables.py, which describes the form. Facts about public\n")
    out.write("# architectures, recorded by instantiating each model without weights.\n")
    for name, file, aliases in MODELS:
        with open(os.path.join(sys.argv[1], file + ".json")) as stream:
            write(name, aliases, json.load(stream), out)


main()
