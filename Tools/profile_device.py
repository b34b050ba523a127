#!/usr/bin/env python3
"""Measures a CUDA GPU or a CPU for simnet and writes a device profile: compute and codec times.

usage: profile_device.py --device cpu|cuda -o my-device.json
           [--models resnet50,gpt2_small] [--batches 8,32] [--precisions fp32,tf32,bf16]
           [--codecs fp16,top_k:ratio=0.01] [--sizes 16KiB,1MiB,64MiB]
           [--parts models,codecs,overlap,memory] [--merge earlier.json]
           [--repetitions 30] [--seconds 10] [--statistic median|lower_quartile] [--threads N]
           [--name NAME] [--base LISTED_DEVICE] [--tables models.txt] [--quick]
       profile_device.py --self-test

A scenario names the file: "cluster": {"device": "my-device.json"}; `simnet explain device
my-device.json` prints it. Needs PyTorch. Models are those of `simnet list models`, with random
weights and random data: from timm, torchvision or transformers where one of them has the model with
exactly simnet's tensors, else plain torch modules of this file. Four parts:

models   Forward, backward and the time at which every gradient becomes ready, from a pass without
         any hook but those that tell of a gradient. In further passes, hooks around every layer
         that owns parameters cut the pass into segments: those of the layers, and those between
         (activations, pooling, attention scores, residual sums, the loss). Their sum beside the
         pass without hooks shows what measuring costs.
codecs   Encode and decode of a heavy-tailed gradient in plain torch operations. What is encoded is
         decoded and held against the gradient before anything is timed. simnet does the fits.
overlap  How much slower backward runs while codecs run on another stream (on a CPU: in another
         thread), and codecs while backward runs.
memory   Memory copy, reduce-add, launch, host copy, and the rate of matrix products.

Times on a GPU are those between two events on the stream. On a CPU with one thread they are the
time that thread had on a core, which other work on the machine does not stretch; with more threads
they are those of a monotonic clock, and the machine must be quiet. Every time is the median of many
repetitions after a warm-up, with both quartiles beside it; codec inputs rotate through more memory
than the last cache holds. On a machine that does other work as well, --statistic lower_quartile is
nearer to what the device can do; the profile says which. Memory is warm: a CPU keeps what is freed.
"""
import argparse
import ctypes
import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
import warnings

# Parameters and tensors by model, as in simnet's tables: a copy of this file alone must not measure
# something else. With the tables at hand every name and shape is compared.
KNOWN = {
    "resnet18": (11689512, 62), "resnet50": (25557032, 161), "resnet101": (44549160, 314),
    "vgg16": (138357544, 32), "vgg19": (143667240, 38), "inception_v3": (27161264, 292),
    "alexnet": (61100840, 16), "bert_large_seq128": (336226108, 398),
    "bert_large_seq512": (336226108, 398), "gpt2_small": (124439808, 148),
    "gpt2_medium": (354823168, 292), "gpt2_xl": (1557611200, 580),
    "transformer_base": (63084544, 185), "transformer_big": (214249472, 185),
}
DEFAULT_MODELS = {
    "cpu": ["resnet18", "resnet50", "transformer_base"],
    "cuda": ["resnet50", "resnet101", "vgg16", "bert_large_seq128", "gpt2_small"],
}
KIB, MIB = 1 << 10, 1 << 20
DEFAULT_SIZES = [16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB, 256 * MIB,
                 512 * MIB]
CPU_LARGEST = 64 * MIB
PARTS = ["memory", "models", "codecs", "overlap"]

torch = None  # imported by load_torch, so that --help and --self-test work without it
nn = None


def keep_memory():
    """Lets the allocator of a CPU keep what is freed, as the caching allocator of a GPU does.

    Else every large tensor begins with page faults, several times the work of a cast. Only glibc
    knows these settings; elsewhere nothing changes.
    """
    try:
        library = ctypes.CDLL(None)
        most_mapped, trim = -4, -1  # M_MMAP_MAX, M_TRIM_THRESHOLD
        library.mallopt(most_mapped, 0)
        library.mallopt(trim, 2**31 - 1)
    except (OSError, AttributeError):
        pass


def fail(message):
    sys.exit("profile_device.py: " + message)


# --- Models: plain torch modules with the names of simnet's tables -----------------------------


def load_torch():
    global torch, nn
    # The first layer's input has no gradient; segments() knows how its hooks then fire.
    warnings.filterwarnings("ignore", message="Full backward hook is firing")
    try:
        import torch as module
    except ImportError:
        fail("PyTorch is not installed here; install it (pip install torch) or run this with the "
             "Python that has it")
    torch, nn = module, module.nn
    define_modules()


MODULES = {}


def define_modules():
    """Module classes need torch at the time they are defined."""

    class Residual(nn.Module):
        def __init__(self, width_in, width, stride, expansion):
            super().__init__()
            out = width * expansion
            sizes = [(width_in, width, 3, stride), (width, width, 3, 1)] if expansion == 1 else [
                (width_in, width, 1, 1), (width, width, 3, stride), (width, out, 1, 1)]
            self.count = len(sizes)
            for number, (a, b, kernel, step) in enumerate(sizes, 1):
                setattr(self, "conv%d" % number,
                        nn.Conv2d(a, b, kernel, step, kernel // 2, bias=False))
                setattr(self, "bn%d" % number, nn.BatchNorm2d(b))
            self.relu = nn.ReLU()
            self.downsample = None
            if stride != 1 or width_in != out:
                self.downsample = nn.Sequential(
                    nn.Conv2d(width_in, out, 1, stride, bias=False), nn.BatchNorm2d(out))

        def forward(self, x):
            y = x
            for number in range(1, self.count + 1):
                y = getattr(self, "bn%d" % number)(getattr(self, "conv%d" % number)(y))
                if number < self.count:
                    y = self.relu(y)
            return self.relu(y + (x if self.downsample is None else self.downsample(x)))

    class ResNet(nn.Module):
        def __init__(self, depths, expansion):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.relu = nn.ReLU()
            self.maxpool = nn.MaxPool2d(3, 2, 1)
            width_in = 64
            for stage, depth in enumerate(depths):
                width = 64 << stage
                blocks = []
                for index in range(depth):
                    blocks.append(Residual(width_in, width, 2 if stage and not index else 1,
                                           expansion))
                    width_in = width * expansion
                setattr(self, "layer%d" % (stage + 1), nn.Sequential(*blocks))
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.fc = nn.Linear(width_in, 1000)

        def forward(self, x):
            x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(self.avgpool(x).flatten(1))

    class Plain(nn.Module):
        """Convolutions, then wide linear layers: VGG and AlexNet."""

        def __init__(self, features, side, classifier):
            super().__init__()
            self.features = nn.Sequential(*features)
            self.avgpool = nn.AdaptiveAvgPool2d(side)
            self.classifier = nn.Sequential(*classifier)

        def forward(self, x):
            return self.classifier(self.avgpool(self.features(x)).flatten(1))

    class Cell(nn.Module):
        """A convolution with its normalisation, as Inception has them."""

        def __init__(self, width_in, width, kernel=1, stride=1, padding=0):
            super().__init__()
            self.conv = nn.Conv2d(width_in, width, kernel, stride, padding, bias=False)
            self.bn = nn.BatchNorm2d(width, eps=0.001)
            self.relu = nn.ReLU()

        def forward(self, x):
            return self.relu(self.bn(self.conv(x)))

    class Mixed(nn.Module):
        """Branches side by side, each a list of cells; the last entry of one may be a fork."""

        def __init__(self, branches, pool):
            super().__init__()
            self.plan = []
            for cells in branches:
                names = []
                for cell in cells:
                    fork = cell if isinstance(cell, list) else [cell]
                    for name, module in fork:
                        setattr(self, name, module)
                    names.append([name for name, _ in fork])
                self.plan.append(names)
            self.pool = nn.AvgPool2d(3, 1, 1) if pool == "average" else nn.MaxPool2d(3, 2)
            self.pool_first = pool == "average"

        def forward(self, x):
            parts = []
            for names in self.plan:
                value = self.pool(x) if names == [["branch_pool"]] else x
                for fork in names:
                    results = [getattr(self, name)(value) for name in fork]
                    value = results[0] if len(results) == 1 else torch.cat(results, 1)
                parts.append(value)
            if not self.pool_first:
                parts.append(self.pool(x))
            return torch.cat(parts, 1)

    class Auxiliary(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool = nn.AvgPool2d(5, 3)
            self.conv0 = Cell(768, 128)
            self.conv1 = Cell(128, 768, 5)
            self.average = nn.AdaptiveAvgPool2d(1)
            self.fc = nn.Linear(768, 1000)

        def forward(self, x):
            return self.fc(self.average(self.conv1(self.conv0(self.pool(x)))).flatten(1))

    def mixed_a(width, pooled):
        return Mixed([
            [("branch1x1", Cell(width, 64))],
            [("branch5x5_1", Cell(width, 48)), ("branch5x5_2", Cell(48, 64, 5, padding=2))],
            [("branch3x3dbl_1", Cell(width, 64)), ("branch3x3dbl_2", Cell(64, 96, 3, padding=1)),
             ("branch3x3dbl_3", Cell(96, 96, 3, padding=1))],
            [("branch_pool", Cell(width, pooled))]], "average")

    def mixed_b(width):
        return Mixed([
            [("branch3x3", Cell(width, 384, 3, 2))],
            [("branch3x3dbl_1", Cell(width, 64)), ("branch3x3dbl_2", Cell(64, 96, 3, padding=1)),
             ("branch3x3dbl_3", Cell(96, 96, 3, 2))]], "maximum")

    def mixed_c(width, inner):
        wide = dict(kernel=(1, 7), padding=(0, 3))
        tall = dict(kernel=(7, 1), padding=(3, 0))
        return Mixed([
            [("branch1x1", Cell(width, 192))],
            [("branch7x7_1", Cell(width, inner)), ("branch7x7_2", Cell(inner, inner, **wide)),
             ("branch7x7_3", Cell(inner, 192, **tall))],
            [("branch7x7dbl_1", Cell(width, inner)), ("branch7x7dbl_2", Cell(inner, inner, **tall)),
             ("branch7x7dbl_3", Cell(inner, inner, **wide)),
             ("branch7x7dbl_4", Cell(inner, inner, **tall)),
             ("branch7x7dbl_5", Cell(inner, 192, **wide))],
            [("branch_pool", Cell(width, 192))]], "average")

    def mixed_d(width):
        return Mixed([
            [("branch3x3_1", Cell(width, 192)), ("branch3x3_2", Cell(192, 320, 3, 2))],
            [("branch7x7x3_1", Cell(width, 192)),
             ("branch7x7x3_2", Cell(192, 192, (1, 7), padding=(0, 3))),
             ("branch7x7x3_3", Cell(192, 192, (7, 1), padding=(3, 0))),
             ("branch7x7x3_4", Cell(192, 192, 3, 2))]], "maximum")

    def mixed_e(width):
        def fork(name):
            return [(name + "a", Cell(384, 384, (1, 3), padding=(0, 1))),
                    (name + "b", Cell(384, 384, (3, 1), padding=(1, 0)))]
        return Mixed([
            [("branch1x1", Cell(width, 320))],
            [("branch3x3_1", Cell(width, 384)), fork("branch3x3_2")],
            [("branch3x3dbl_1", Cell(width, 448)), ("branch3x3dbl_2", Cell(448, 384, 3, padding=1)),
             fork("branch3x3dbl_3")],
            [("branch_pool", Cell(width, 192))]], "average")

    class Inception(nn.Module):
        def __init__(self):
            super().__init__()
            self.Conv2d_1a_3x3 = Cell(3, 32, 3, 2)
            self.Conv2d_2a_3x3 = Cell(32, 32, 3)
            self.Conv2d_2b_3x3 = Cell(32, 64, 3, padding=1)
            self.maxpool1 = nn.MaxPool2d(3, 2)
            self.Conv2d_3b_1x1 = Cell(64, 80)
            self.Conv2d_4a_3x3 = Cell(80, 192, 3)
            self.maxpool2 = nn.MaxPool2d(3, 2)
            self.Mixed_5b, self.Mixed_5c = mixed_a(192, 32), mixed_a(256, 64)
            self.Mixed_5d, self.Mixed_6a = mixed_a(288, 64), mixed_b(288)
            self.Mixed_6b, self.Mixed_6c = mixed_c(768, 128), mixed_c(768, 160)
            self.Mixed_6d, self.Mixed_6e = mixed_c(768, 160), mixed_c(768, 192)
            self.AuxLogits = Auxiliary()
            self.Mixed_7a, self.Mixed_7b, self.Mixed_7c = mixed_d(768), mixed_e(1280), mixed_e(2048)
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.dropout = nn.Dropout()
            self.fc = nn.Linear(2048, 1000)

        def forward(self, x):
            x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
            x = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(self.maxpool1(x))))
            x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
            x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
            side = self.AuxLogits(x)
            x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
            return self.fc(self.dropout(self.avgpool(x).flatten(1))), side

    class Conv1D(nn.Module):
        """A linear layer whose weight lies input by output, as in GPT-2."""

        def __init__(self, inputs, outputs):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(inputs, outputs) * 0.02)
            self.bias = nn.Parameter(torch.zeros(outputs))

        def forward(self, x):
            flat = torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight)
            return flat.view(*x.shape[:-1], -1)

    def attend(query, key, value, heads, causal):
        def split(x):
            return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)
        mixed = nn.functional.scaled_dot_product_attention(
            split(query), split(key), split(value), is_causal=causal)
        return mixed.transpose(1, 2).reshape(query.shape)

    class GPTAttention(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.c_attn, self.c_proj = Conv1D(width, 3 * width), Conv1D(width, width)
            self.heads = heads

        def forward(self, x):
            return self.c_proj(attend(*self.c_attn(x).chunk(3, -1), self.heads, True))

    class GPTPerceptron(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.c_fc, self.c_proj = Conv1D(width, 4 * width), Conv1D(4 * width, width)
            self.act = nn.GELU(approximate="tanh")

        def forward(self, x):
            return self.c_proj(self.act(self.c_fc(x)))

    class GPTBlock(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.ln_1, self.attn = nn.LayerNorm(width), GPTAttention(width, heads)
            self.ln_2, self.mlp = nn.LayerNorm(width), GPTPerceptron(width)

        def forward(self, x):
            x = x + self.attn(self.ln_1(x))
            return x + self.mlp(self.ln_2(x))

    class GPTBody(nn.Module):
        def __init__(self, layers, width, heads):
            super().__init__()
            self.wte, self.wpe = nn.Embedding(50257, width), nn.Embedding(1024, width)
            self.h = nn.ModuleList(GPTBlock(width, heads) for _ in range(layers))
            self.ln_f = nn.LayerNorm(width)

        def forward(self, tokens):
            x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1], device=tokens.device))
            for block in self.h:
                x = block(x)
            return self.ln_f(x)

    class GPT(nn.Module):
        def __init__(self, layers, width, heads):
            super().__init__()
            self.transformer = GPTBody(layers, width, heads)
            self.lm_head = nn.Linear(width, 50257, bias=False)
            self.lm_head.weight = self.transformer.wte.weight

        def forward(self, tokens):
            return self.lm_head(self.transformer(tokens))

    def holder(**children):
        """A module that only holds others under their names."""
        module = nn.Module()
        for name, child in children.items():
            module.add_module(name, child)
        return module

    class BERTLayer(nn.Module):
        def __init__(self, width):
            super().__init__()
            def square():
                return nn.Linear(width, width)
            self.attention = nn.Module()
            self.attention.add_module("self", holder(query=square(), key=square(), value=square()))
            self.attention.add_module(
                "output", holder(dense=square(), LayerNorm=nn.LayerNorm(width)))
            self.intermediate = holder(dense=nn.Linear(width, 4 * width), act=nn.GELU())
            self.output = holder(dense=nn.Linear(4 * width, width), LayerNorm=nn.LayerNorm(width))
            self.dropout = nn.Dropout(0.1)

        def forward(self, x):
            own = getattr(self.attention, "self")
            y = attend(own.query(x), own.key(x), own.value(x), x.shape[-1] // 64, False)
            out = self.attention.output
            x = out.LayerNorm(x + self.dropout(out.dense(y)))
            y = self.output.dense(self.intermediate.act(self.intermediate.dense(x)))
            return self.output.LayerNorm(x + self.dropout(y))

    class BERT(nn.Module):
        def __init__(self, layers, width):
            super().__init__()
            self.bert = holder(
                embeddings=holder(
                    word_embeddings=nn.Embedding(30522, width),
                    token_type_embeddings=nn.Embedding(2, width),
                    position_embeddings=nn.Embedding(512, width), LayerNorm=nn.LayerNorm(width)),
                encoder=holder(layer=nn.ModuleList(BERTLayer(width) for _ in range(layers))),
                pooler=holder(dense=nn.Linear(width, width), activation=nn.Tanh()))
            self.cls = holder(
                predictions=holder(
                    transform=holder(dense=nn.Linear(width, width), act=nn.GELU(),
                                     LayerNorm=nn.LayerNorm(width)),
                    decoder=nn.Linear(width, 30522)),
                seq_relationship=nn.Linear(width, 2))
            self.cls.predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight
            self.dropout = nn.Dropout(0.1)

        def forward(self, tokens):
            own = self.bert.embeddings
            positions = torch.arange(tokens.shape[1], device=tokens.device)
            x = own.word_embeddings(tokens) + own.token_type_embeddings(torch.zeros_like(tokens))
            x = self.dropout(own.LayerNorm(x + own.position_embeddings(positions)))
            for layer in self.bert.encoder.layer:
                x = layer(x)
            pooled = self.bert.pooler.activation(self.bert.pooler.dense(x[:, 0]))
            head = self.cls.predictions
            words = head.transform.LayerNorm(head.transform.act(head.transform.dense(x)))
            return head.decoder(words), self.cls.seq_relationship(pooled)

    class Translator(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.embed = nn.Embedding(37000, width)
            self.t = nn.Transformer(width, heads, 6, 6, 4 * width, batch_first=True)

        def forward(self, tokens):
            source, target = tokens.chunk(2, 1)
            mask = nn.Transformer.generate_square_subsequent_mask(
                target.shape[1], device=tokens.device)
            x = self.t(self.embed(source), self.embed(target), tgt_mask=mask, tgt_is_causal=True)
            return nn.functional.linear(x, self.embed.weight)

    def vgg(plan):
        features, width_in = [], 3
        for width in plan:
            if width:
                features += [nn.Conv2d(width_in, width, 3, padding=1), nn.ReLU()]
                width_in = width
            else:
                features.append(nn.MaxPool2d(2, 2))
        return Plain(features, 7, [
            nn.Linear(512 * 49, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Dropout(), nn.Linear(4096, 1000)])

    def alexnet():
        return Plain([
            nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(), nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(), nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)], 6, [
            nn.Dropout(), nn.Linear(256 * 36, 4096), nn.ReLU(), nn.Dropout(),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)])

    two, three, four = [64, 64, 0, 128, 128, 0], [256] * 3, [256] * 4
    MODULES.update({
        "resnet18": lambda: ResNet([2, 2, 2, 2], 1),
        "resnet50": lambda: ResNet([3, 4, 6, 3], 4),
        "resnet101": lambda: ResNet([3, 4, 23, 3], 4),
        "vgg16": lambda: vgg(two + three + [0] + ([512] * 3 + [0]) * 2),
        "vgg19": lambda: vgg(two + four + [0] + ([512] * 4 + [0]) * 2),
        "inception_v3": Inception, "alexnet": alexnet,
        "bert_large_seq128": lambda: BERT(24, 1024), "bert_large_seq512": lambda: BERT(24, 1024),
        "gpt2_small": lambda: GPT(12, 768, 12), "gpt2_medium": lambda: GPT(24, 1024, 16),
        "gpt2_xl": lambda: GPT(48, 1600, 25),
        "transformer_base": lambda: Translator(512, 8),
        "transformer_big": lambda: Translator(1024, 16),
    })


def library_model(name):
    """The model of an installed library and what it is called, or None."""
    try:
        if name.startswith("resnet"):
            import timm
            return timm.create_model(name, pretrained=False), "timm " + timm.__version__
    except ImportError:
        pass
    try:
        if name in ("resnet18", "resnet50", "resnet101", "vgg16", "vgg19", "alexnet"):
            import torchvision
            return (getattr(torchvision.models, name)(weights=None),
                    "torchvision " + torchvision.__version__)
    except ImportError:
        pass
    try:
        if name.startswith(("gpt2", "bert")):
            import transformers
            source = "transformers " + transformers.__version__
            if name.startswith("bert"):
                return transformers.BertForPreTraining(transformers.BertConfig(
                    hidden_size=1024, num_hidden_layers=24, num_attention_heads=16,
                    intermediate_size=4096)), source
            layers, width, heads = {"gpt2_small": (12, 768, 12), "gpt2_medium": (24, 1024, 16),
                                    "gpt2_xl": (48, 1600, 25)}[name]
            return transformers.GPT2LMHeadModel(transformers.GPT2Config(
                n_layer=layers, n_embd=width, n_head=heads, use_cache=False)), source
    except ImportError:
        pass
    return None


def read_tables(path):
    """Tensors by model: name -> {tensor: (shape, whether it gets a gradient)}."""
    tables, model, layer = {}, None, None
    with open(path) as stream:
        for line in stream:
            words = line.split()
            if line.startswith("="):
                model = tables.setdefault(words[0][1:], {})
                for alias in words[1:]:
                    tables[alias] = model
                layer = None
            elif line.startswith("L "):
                layer = words[1]
            elif layer is not None and words:
                shape = tuple(int(part) for part in words[1].split("x"))
                model[layer + "." + words[0]] = (shape, words[-1] != "unused")
    return tables


def difference(name, module, tables):
    """Why `module` is not simnet's model `name`; None if it is."""
    own = {key: tuple(value.shape) for key, value in module.named_parameters()}
    count = sum(math.prod(shape) for shape in own.values())
    if (count, len(own)) != KNOWN[name]:
        return "%d parameters in %d tensors, where simnet's table has %d in %d" % (
            (count, len(own)) + KNOWN[name])
    if tables:
        for tensor, (shape, _) in tables[name].items():
            if own.get(tensor) != shape:
                return "%s is %s, in simnet's table %s" % (
                    tensor, own.get(tensor, "not there"), shape)
    return None


def build(name, device, tables):
    """The module on the device and where it comes from; refuses one with other tensors."""
    found = library_model(name)
    if found is not None and difference(name, found[0], tables) is None:
        module, source = found
    else:
        module, source = MODULES[name](), "plain torch modules"
        problem = difference(name, module, tables)
        if problem:
            fail("%s: %s; nothing measured on it would fit" % (name, problem))
    for part in module.modules():
        if getattr(part, "inplace", False):
            part.inplace = False  # hooks on a layer's output forbid changing it in place
    return module.to(device).train(), source


def sample(name, batch, device):
    """Random data of one step: inputs, and labels for the loss."""
    if name.startswith(("gpt2", "bert", "transformer")):
        words = 50257 if name[0] == "g" else 30522 if name[0] == "b" else 37000
        length = 1024 if name[0] == "g" else 64 if name[0] == "t" else int(name[14:])
        tokens = torch.randint(words, (batch, length), device=device)
        return tokens, tokens[:, length // 2:] if name[0] == "t" else tokens
    side = 299 if name == "inception_v3" else 224
    return (torch.randn(batch, 3, side, side, device=device),
            torch.randint(1000, (batch,), device=device))


def loss_of(output, labels):
    """A loss that every output takes part in."""
    cross = nn.functional.cross_entropy
    if hasattr(output, "prediction_logits"):
        output = (output.prediction_logits, output.seq_relationship_logits)
    elif hasattr(output, "logits"):
        output = output.logits
    parts = output if isinstance(output, tuple) else (output,)
    total = 0
    for part in parts:
        if part.dim() == 3:
            total = total + cross(part.reshape(-1, part.shape[-1]), labels.reshape(-1))
        else:
            small = labels[:, 0] % 2 if labels.dim() == 2 else labels
            total = total + cross(part, small)
    return total


# --- Clocks and statistics -------------------------------------------------------------------


class Device:
    """Marks in the order of a device's work, and microseconds between two of them."""

    def __init__(self, kind):
        self.kind = kind
        self.is_cuda = kind == "cuda"
        self.torch = torch.device(kind)
        # All of torch's work is then done by the thread that asks for it.
        self.is_one_thread = kind == "cpu" and torch.get_num_threads() == 1

    def mark(self):
        if self.is_one_thread:
            return time.thread_time_ns()
        if not self.is_cuda:
            return time.perf_counter_ns()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    @property
    def clock(self):
        """What its times are, as text."""
        if self.is_cuda:
            return "events on the stream"
        return "time of one thread on a core" if self.is_one_thread else (
            "monotonic clock, %d threads" % torch.get_num_threads())

    def synchronize(self):
        if self.is_cuda:
            torch.cuda.synchronize()

    def between(self, a, b):
        """Microseconds; both marks have passed."""
        return a.elapsed_time(b) * 1e3 if self.is_cuda else (b - a) / 1e3


class Timing:
    """What many repetitions took, in microseconds."""

    def __init__(self, values, statistic):
        values = sorted(max(value, 1e-3) for value in values)
        self.count = len(values)
        self.median = statistics.median(values)
        self.low, self.high = quantile(values, 0.25), quantile(values, 0.75)
        self.value = self.median if statistic == "median" else self.low

    @property
    def spread(self):
        """The distance of the quartiles over the median."""
        return (self.high - self.low) / self.median


def quantile(values, share):
    """Of sorted values, between the two nearest."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def repeat(device, options, call, prepare=None, budget=None, least=5):
    """Times `call`, warm, each time on what `prepare` made, until enough or out of time."""
    budget = options.budget if budget is None else budget
    start = time.perf_counter()
    for _ in range(2):
        call(prepare()) if prepare else call()
    device.synchronize()
    marks, values = [], []
    while len(marks) + len(values) < options.repetitions:
        if len(marks) + len(values) >= least and time.perf_counter() - start > budget:
            break
        argument = prepare() if prepare else None
        begin = device.mark()
        call(argument) if prepare else call()
        marks.append((begin, device.mark()))
        if len(marks) == 16 or not device.is_cuda:
            device.synchronize()
            values += [device.between(a, b) for a, b in marks]
            marks = []
    device.synchronize()
    values += [device.between(a, b) for a, b in marks]
    return Timing(values, options.statistic)


def fit(sizes, times):
    """launch + size * slope by least relative squares, R^2 and the largest relative error.

    The same as simnet's; only printed, since simnet makes its own from the samples.
    """
    one = sum(t ** -2 for t in times)
    n = sum(s / t ** 2 for s, t in zip(sizes, times))
    nn_ = sum(s * s / t ** 2 for s, t in zip(sizes, times))
    t_, nt = sum(1 / t for t in times), sum(s / t for s, t in zip(sizes, times))
    determinant = one * nn_ - n * n
    a, b = ((nn_ * t_ - n * nt) / determinant, (one * nt - n * t_) / determinant) \
        if determinant > 0 else (t_ / one, 0)
    if a < 0:
        a, b = 0, nt / nn_
    elif b < 0:
        a, b = t_ / one, 0
    mean = t_ / one
    errors = [(a + b * s - t) / t for s, t in zip(sizes, times)]
    around = sum(((t - mean) / t) ** 2 for t in times)
    left = sum(e * e for e in errors)
    return a, b, 1 - left / around if around > 0 else 1, max(abs(e) for e in errors)


# --- Part a: models --------------------------------------------------------------------------


def arithmetic(device, precision):
    """The context that runs a forward pass in `precision`."""
    if device.is_cuda:
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
    return torch.autocast(device.kind, dtype=torch.bfloat16, enabled=precision == "bf16")


def segments(marks, between):
    """Splits the time from the first mark to the last among layers and what lies between.

    A mark is (kind, layer, instant) with kind start, open, close, gradient or end. A stretch belongs
    to the layer opened last that is still open; else, if it ends with the gradient of a layer, to
    that layer: the first layer of a model needs no gradient of its input, so its hooks close before
    its work. All other stretches lie between layers.
    """
    layers, other, stack = {}, 0.0, []
    for (kind, layer, instant), following in zip(marks, marks[1:]):
        if kind == "open":
            stack.append(layer)
        elif kind == "close" and layer in stack:
            stack.reverse()
            stack.remove(layer)
            stack.reverse()
        length = between(instant, following[2])
        owner = stack[-1] if stack else following[1] if following[0] == "gradient" else None
        if owner is None:
            other += length
        else:
            layers[owner] = layers.get(owner, 0.0) + length
    return layers, other


def layer_modules(module):
    """Modules that own parameters, without those inside another such one."""
    chosen = []
    for name, part in module.named_modules():
        own = any(True for _ in part.parameters(recurse=False))
        if own and not any(name.startswith(outer + ".") for outer, _ in chosen):
            chosen.append((name, part))
    return chosen


def run_pass(device, module, data, context, mark=None):
    """One forward and backward; the marks of start, middle and end."""
    inputs, labels = data
    module.zero_grad(set_to_none=True)
    device.synchronize()
    begin = device.mark()
    if mark:
        mark("start", None)
    with context:
        loss = loss_of(module(inputs), labels)
    middle = device.mark()
    if mark:
        mark("middle", None)
    loss.backward()
    end = device.mark()
    if mark:
        mark("end", None)
    device.synchronize()
    return begin, middle, end


def passes(options, once):
    """Calls `once` warm and then repeatedly; its results."""
    once()
    start, results = time.perf_counter(), []
    while len(results) < options.repetitions:
        if len(results) >= options.least and time.perf_counter() - start > options.model_budget:
            break
        results.append(once())
    return results


def chosen(results, key, options):
    """The one pass that stands for all: medians of single instants would mix passes.

    The pass in the middle by `key`, or a quarter from the fastest; of fewer than five the fastest.
    """
    ranked = sorted(results, key=key)
    return ranked[len(ranked) // 2 if options.statistic == "median" else (len(ranked) - 1) // 4]


def unhooked(device, module, data, precision):
    """One pass that only tells of gradients: forward, backward and ready times."""
    ready = {}

    def tell(name):
        return lambda _: ready.__setitem__(name, device.mark())

    handles = [parameter.register_post_accumulate_grad_hook(tell(name))
               for name, parameter in module.named_parameters()]
    begin, middle, end = run_pass(device, module, data, arithmetic(device, precision))
    for handle in handles:
        handle.remove()
    return (device.between(begin, middle), device.between(middle, end),
            {name: device.between(middle, mark) for name, mark in ready.items()})


def hooked(device, module, data, precision):
    """One pass with hooks around layers: the sum, forward and backward by layer, and the rest."""
    marks = []

    def mark(kind, layer):
        marks.append((kind, layer, device.mark()))

    def marker(kind, layer):
        return lambda *_: mark(kind, layer)

    handles, owners = [], set()
    for name, part in layer_modules(module):
        handles += [
            part.register_forward_pre_hook(marker("open", name)),
            part.register_forward_hook(marker("close", name)),
            part.register_full_backward_pre_hook(marker("open", name)),
            part.register_full_backward_hook(marker("close", name))]
        for parameter in part.parameters():
            if id(parameter) not in owners:
                owners.add(id(parameter))
                handles.append(
                    parameter.register_post_accumulate_grad_hook(marker("gradient", name)))
    run_pass(device, module, data, arithmetic(device, precision), mark)
    for handle in handles:
        handle.remove()
    middle = next(i for i, m in enumerate(marks) if m[0] == "middle")
    forward, between_forward = segments(marks[:middle + 1], device.between)
    backward, between_backward = segments(marks[middle:], device.between)
    return (device.between(marks[0][2], marks[-1][2]), forward, backward,
            between_forward + between_backward)


def profile_model(device, options, name, batch, precision, tables):
    module, source = build(name, device.torch, tables)
    data = sample(name, batch, device.torch)
    # In turns, so that both kinds of pass meet the same clock rates and neighbours.
    pairs = passes(options, lambda: (unhooked(device, module, data, precision),
                                     hooked(device, module, data, precision)))
    forward, backward, ready = chosen(
        [pair[0] for pair in pairs], lambda result: result[0] + result[1], options)
    timing = Timing([pair[0][0] + pair[0][1] for pair in pairs], options.statistic)
    total, layers_forward, layers_backward, between = chosen(
        [pair[1] for pair in pairs], lambda result: result[0], options)
    expected = {
        tensor for tensor, (_, executed) in tables[name].items() if executed
    } if tables else None
    if expected is not None and set(ready) != expected:
        fail("%s: gradients of %s came, simnet's table expects %s; nothing measured on it would fit"
             % (name, sorted(set(ready) - expected)[:3], sorted(expected - set(ready))[:3]))
    step = forward + backward
    layer_sum = sum(layers_forward.values()) + sum(layers_backward.values())
    say("  %s batch %d %s: forward %.3f ms, backward %.3f ms; layers %.3f + between %.3f = %.3f ms,"
        " %+.1f %% of the step; quartiles %.1f %% apart (%d passes, %s)" % (
            name, batch, precision, forward / 1e3, backward / 1e3, layer_sum / 1e3, between / 1e3,
            total / 1e3, 100 * (total / step - 1), 100 * timing.spread, timing.count, source))
    return {
        "model": name, "batch": batch, "precision": precision,
        "forward": duration(forward), "backward": duration(backward),
        "layers_between": duration(between), "spread": digits(timing.spread, 3),
        "passes": timing.count, "implementation": source,
        "layers": [
            {"layer": layer, "forward_us": digits(layers_forward.get(layer, 0)),
             "backward_us": digits(layers_backward.get(layer, 0))}
            for layer, _ in layer_modules(module)
            if layer in layers_forward or layer in layers_backward],
        "ready_us": {
            tensor: digits(instant)
            for tensor, instant in sorted(ready.items(), key=lambda item: item[1])},
    }


# --- Part b: codecs --------------------------------------------------------------------------


class Codec:
    """Encode and decode under simnet's names, and what must hold of what comes back.

    `encode` takes the gradient and returns a payload; `decode` takes it and the length; `holds`
    takes the gradient, the payload and the decoded gradient.
    """

    def __init__(self, pipelines, encode, decode, holds, blocks=False):
        self.pipelines, self.encode, self.decode, self.holds = pipelines, encode, decode, holds
        self.blocks = blocks  # whether its gradient has mostly blocks of zeros


def error(x, y):
    return ((x - y).norm() / x.norm()).item()


def near(bound):
    return lambda x, _, y: error(x, y) <= bound


CONSTANTS = {}


def constant(values, device):
    """A tensor of small integers, made once: a copy to a device would count as encoding."""
    key = (values, device)
    if key not in CONSTANTS:
        CONSTANTS[key] = torch.tensor(values, dtype=torch.uint8, device=device)
    return CONSTANTS[key]


BITS = (1, 2, 4, 8, 16, 32, 64, 128)


def pack_bits(bits):
    weights = constant(BITS, bits.device)
    return (bits.view(-1, 8).to(torch.uint8) * weights).sum(1, dtype=torch.uint8)


def unpack_bits(packed):
    return (packed.unsqueeze(1) & constant(BITS, packed.device)).ne(0).view(-1)


def signs(packed):
    return unpack_bits(packed).to(torch.float32).mul_(2).sub_(1)


def scatter(values, positions, n):
    return torch.zeros(n, device=values.device).index_put_((positions.long(),), values)


def stochastic(x):
    """Rounded down or up so that the mean stays."""
    return x.add(torch.rand_like(x)).floor_()


HADAMARD = {}


def hadamard(x):
    """The orthonormal Walsh-Hadamard transform by products with matrices of at most 64 rows.

    Each product transforms the lowest digits and moves them to the front; after all digits the order
    is the original one.
    """
    bits = x.numel().bit_length() - 1
    assert x.numel() == 1 << bits, "a power of two"
    while bits:
        digit = min(6, bits)
        key = (digit, x.device)
        if key not in HADAMARD:
            matrix = torch.ones(1, 1, device=x.device)
            for _ in range(digit):
                matrix = torch.cat((torch.cat((matrix, matrix), 1),
                                    torch.cat((matrix, -matrix), 1)), 0)
            HADAMARD[key] = matrix / math.sqrt(1 << digit)
        x = (x.view(-1, 1 << digit) @ HADAMARD[key]).t().reshape(-1)
        bits -= digit
    return x


def random_signs(n, device):
    generator = torch.Generator(device).manual_seed(1)
    return torch.randint(0, 2, (n,), generator=generator, device=device,
                         dtype=torch.int8).to(torch.float32).mul_(2).sub_(1)


def codec_list():
    """Every family with a natural implementation in operations of a framework."""

    def uniform(levels):
        def encode(x):
            scale = x.abs().max() / levels
            return (x / scale).round_().to(torch.int8), scale
        return encode

    def integer(payload, _):
        return payload[0].to(torch.float32).mul_(payload[1])

    def within(levels):
        return lambda x, _, y: bool(
            ((x - y).abs() <= x.abs().max() * (0.5001 / levels)).all())

    def nibbles(encode):
        def packed(x):
            values, scale = encode(x)
            halves = (values + 8).to(torch.uint8).view(-1, 2)
            return halves[:, 0] | (halves[:, 1] << 4), scale
        return packed

    def from_nibbles(payload, _):
        low, high = payload[0] & 15, payload[0] >> 4
        return torch.stack((low, high), 1).view(-1).to(torch.float32).sub_(8).mul_(payload[1])

    def affine(x):
        low, high = x.min(), x.max()
        scale = ((high - low) / 255).clamp_min(1.1920929e-7)
        zero = (-low / scale).round()
        return (x / scale + zero).round_().clamp_(0, 255).to(torch.uint8), scale, zero

    def from_affine(payload, _):
        return payload[0].to(torch.float32).sub_(payload[2]).mul_(payload[1])

    def small_float(kind, largest):
        def encode(x):
            scale = x.abs().max() / largest
            return (x / scale).to(kind), scale
        return encode

    def microscaled(x):
        blocks = x.view(-1, 32)
        exponent = torch.frexp(blocks.abs().amax(1, keepdim=True))[1] - 9
        return torch.ldexp(blocks, -exponent).to(torch.float8_e4m3fn), exponent.to(torch.int8)

    def from_microscaled(payload, _):
        return torch.ldexp(payload[0].to(torch.float32), payload[1].to(torch.int32)).view(-1)

    def qsgd(x):
        norm = x.norm()
        return stochastic(x / norm * 127).to(torch.int8), norm / 127

    def terngrad(x):
        scale = x.abs().max()
        keep = torch.rand_like(x) * scale < x.abs()
        codes = (x < 0).to(torch.uint8).add_(1).mul_(keep).view(-1, 4)
        return (codes[:, 0] | codes[:, 1] << 2 | codes[:, 2] << 4 | codes[:, 3] << 6), scale

    def from_terngrad(payload, _):
        shifts = constant((0, 2, 4, 6), payload[0].device)
        codes = (payload[0].unsqueeze(1) >> shifts & 3).view(-1)
        return (codes == 1).to(torch.float32).sub_((codes == 2).to(torch.float32)).mul_(payload[1])

    def natural(x):
        mantissa, exponent = torch.frexp(x)  # 0.5 <= |mantissa| < 1
        up = torch.rand_like(x) < mantissa.abs() * 2 - 1
        # Zero has exponent 0; it becomes the smallest magnitude there is, 2^-63.
        exponent = torch.where(mantissa == 0, -62, exponent + up.to(torch.int32))
        code = exponent.clamp_(-62, 62) + 64
        return (code.to(torch.uint8) | (x < 0).to(torch.uint8) << 7,)

    def from_natural(payload, _):
        exponent = (payload[0] & 127).to(torch.int32) - 65
        sign = 1.0 - (payload[0] >> 7).to(torch.float32) * 2
        return torch.ldexp(sign, exponent)

    def ef_sign(x):
        return pack_bits(x >= 0), x.abs().mean()

    def onebit(x):
        positive = x >= 0
        count = positive.sum().clamp_min(1)
        above = torch.where(positive, x, 0).sum()
        return (pack_bits(positive), above / count,
                (x.sum() - above) / (x.numel() - count).clamp_min(1))

    def from_onebit(payload, _):
        return torch.where(unpack_bits(payload[0]), payload[1], payload[2])

    def drive(x):
        rotated = hadamard(x * random_signs(x.numel(), x.device))
        return pack_bits(rotated >= 0), x.square().sum() / rotated.abs().sum()

    def from_drive(payload, n):
        return hadamard(signs(payload[0]) * payload[1]) * random_signs(n, payload[0].device)

    def rht(x):
        rotated = hadamard(x * random_signs(x.numel(), x.device))
        scale = rotated.abs().max() / 7
        codes = (stochastic(rotated / scale).clamp_(-7, 7) + 8).to(torch.uint8).view(-1, 2)
        return codes[:, 0] | codes[:, 1] << 4, scale

    def from_rht(payload, n):
        return hadamard(from_nibbles(payload, n)) * random_signs(n, payload[0].device)

    def top_k(ratio):
        def encode(x):
            positions = torch.topk(x.abs(), max(1, int(x.numel() * ratio)), sorted=False)[1]
            return x[positions], positions.to(torch.int32)
        return encode

    def sampled(ratio):
        def encode(x):
            n = x.numel()
            chosen = x[torch.randint(n, (max(64, n // 100),), device=x.device)].abs()
            kept = max(1, int(chosen.numel() * ratio))
            limit = torch.topk(chosen, kept, sorted=False)[0].min()
            positions = (x.abs() >= limit).nonzero().view(-1)
            values, most = x[positions], max(1, int(n * ratio))
            if values.numel() > most:
                best = torch.topk(values.abs(), most, sorted=False)[1]
                values, positions = values[best], positions[best]
            return values, positions.to(torch.int32)
        return encode

    def gaussian(x):
        limit = 2.5758293 * x.std()  # 1 % of a normal lies beyond
        positions = ((x - x.mean()).abs() > limit).nonzero().view(-1)
        return x[positions], positions.to(torch.int32)

    def kept(x, payload, y):
        at = payload[1].long()
        return bool((y[at] == x[at]).all()) and int((y != 0).sum()) <= at.numel() > 0

    def sparse(payload, n):
        return scatter(payload[0], payload[1], n)

    def random_k(x):
        generator = torch.Generator(x.device).manual_seed(1)
        positions = torch.randint(x.numel(), (max(1, x.numel() // 100),), generator=generator,
                                  device=x.device)
        return x[positions], positions

    def rows(n):
        return 1 << (n.bit_length() // 2)

    def powersgd(rank):
        def encode(x):
            matrix = x.view(rows(x.numel()), -1)
            generator = torch.Generator(x.device).manual_seed(1)
            right = torch.randn(matrix.shape[1], rank, generator=generator, device=x.device)
            left = torch.linalg.qr(matrix @ right)[0]
            return left, matrix.t() @ left
        return encode

    def blocks(x):
        view = x.view(-1, 256)
        positions = view.ne(0).any(1).nonzero().view(-1)
        return view[positions], positions.to(torch.int32)

    def from_blocks(payload, n):
        out = torch.zeros(n // 256, 256, device=payload[0].device)
        return out.index_copy_(0, payload[1].long(), payload[0]).view(-1)

    codecs = [
        Codec(["fp16"], lambda x: (x.to(torch.float16),), lambda p, _: p[0].to(torch.float32),
              near(1e-3)),
        Codec(["bf16"], lambda x: (x.to(torch.bfloat16),), lambda p, _: p[0].to(torch.float32),
              near(4e-3)),
        Codec(["int8", "int8:shared_range=true"], uniform(127), integer, within(127)),
        Codec(["int4", "int4:shared_range=true"], nibbles(uniform(7)), from_nibbles, within(7)),
        Codec(["uint8_affine"], affine, from_affine,
              lambda x, _, y: bool(((x - y).abs() <= (x.max() - x.min()) * (1.01 / 255)).all())),
        Codec(["fp8"], small_float(torch.float8_e4m3fn, 448.0), integer, near(0.05)),
        Codec(["fp8:format=e5m2"], small_float(torch.float8_e5m2, 57344.0), integer, near(0.1)),
        Codec(["mxfp8"], microscaled, from_microscaled, near(0.05)),
        Codec(["qsgd"], qsgd, integer, lambda x, p, y: bool(
            ((x - y).abs() <= p[1] * 1.001).all())),
        Codec(["terngrad"], terngrad, from_terngrad, lambda x, p, y: bool(
            ((y == 0) | (y == p[1] * torch.where(x >= 0, 1.0, -1.0))).all())),
        Codec(["natural"], natural, from_natural, lambda x, _, y: bool(
            ((x - y).abs() <= x.abs() + 1e-18).all()) and error(x, y) < 0.5),
        Codec(["signsgd"], lambda x: (pack_bits(x >= 0),), lambda p, _: signs(p[0]),
              lambda x, _, y: bool(((x >= 0) == (y > 0)).all())),
        Codec(["ef_sign"], ef_sign, lambda p, _: signs(p[0]).mul_(p[1]),
              lambda x, p, y: bool(((x >= 0) == (y > 0)).all()) and error(x, y) < 1),
        Codec(["onebit"], onebit, from_onebit, near(1.0)),
        Codec(["drive"], drive, from_drive, near(1.0)),
        Codec(["rht_usq"], rht, from_rht, near(0.6)),
        Codec(["top_k:ratio=0.01"], top_k(0.01), sparse, kept),
        Codec(["top_k:ratio=0.001"], top_k(0.001), sparse, kept),
        Codec(["dgc:ratio=0.01"], sampled(0.01), sparse, kept),
        Codec(["dgc:ratio=0.001"], sampled(0.001), sparse, kept),
        Codec(["gaussian_k:ratio=0.01"], gaussian, sparse, kept),
        Codec(["random_k:ratio=0.01", "random_k:ratio=0.01,scaled=false"], random_k, sparse, kept),
        Codec(["omnireduce"], blocks, from_blocks, lambda x, _, y: bool((x == y).all()),
              blocks=True),
    ]
    for rank in (1, 2, 4, 8):
        codecs.append(Codec(
            ["powersgd:rank=%d" % rank], powersgd(rank), lambda p, _: (p[0] @ p[1].t()).view(-1),
            near(1.0)))
    return codecs


def cache_bytes(device):
    """More than the last cache holds."""
    if device.is_cuda:
        size = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 0)
        return 4 * max(size, 32 * MIB)
    return 128 * MIB


class Rotation:
    """Stretches of one long random gradient, so that none is still in a cache when it comes again."""

    def __init__(self, device, largest, blocks=False):
        n = max(cache_bytes(device), 2 * largest) // 4
        values = torch.randn(n, device=device.torch)
        self.values = values * values * values * 0.01
        if blocks:
            keep = torch.rand(n // 256, 1, device=device.torch) < 0.1
            self.values = (self.values.view(-1, 256) * keep).view(-1)
        self.offset = 0

    def next(self, count):
        if self.offset + count > self.values.numel():
            self.offset = 0
        self.offset += count
        return self.values[self.offset - count:self.offset]


def choose_codecs(wanted):
    """The codecs with these names, or whose name begins so; all without names."""
    codecs = codec_list()
    if not wanted:
        return codecs
    chosen = []
    for word in wanted:
        found = [c for c in codecs if any(p == word or p.startswith(word + ":")
                                          for p in c.pipelines)]
        if not found:
            fail("unknown codec %r; known: %s" % (
                word, ", ".join(p for c in codecs for p in c.pipelines)))
        chosen += [c for c in found if c not in chosen]
    return chosen


def check(codec, x):
    """Refuses to time a decode that does not undo its encode."""
    payload = codec.encode(x)
    decoded = codec.decode(payload, x.numel())
    if decoded.shape != x.shape or not codec.holds(x, payload, decoded):
        fail("%s does not decode what it encodes on this device; torch %s"
             % (codec.pipelines[0], torch.__version__))


def profile_codecs(device, options):
    entries = []
    largest = max(options.sizes)
    rotations = {}
    for codec in choose_codecs(options.codecs):
        rotation = rotations.setdefault(
            codec.blocks, None) or Rotation(device, largest, codec.blocks)
        rotations[codec.blocks] = rotation
        rows = {"encode": [], "decode": []}
        for size in options.sizes:
            count = size // 4
            check(codec, rotation.next(count))
            rows["encode"].append(repeat(
                device, options, codec.encode, lambda: rotation.next(count)))
            payloads = [codec.encode(rotation.next(count)) for _ in range(
                max(2, min(64, cache_bytes(device) // (4 * size))))]
            turn = [0]

            def payload():
                turn[0] += 1
                return payloads[turn[0] % len(payloads)]

            rows["decode"].append(repeat(
                device, options, lambda p: codec.decode(p, count), payload))
            del payloads
        texts = []
        for way, timings in rows.items():
            a, b, r2, worst = fit(options.sizes, [t.value for t in timings])
            rate = "%.2f GB/s" % (1e-3 / b) if b > 0 else "no slope"
            texts.append("%s %.1f us + %s, R^2 %.3f, worst %.0f %%" % (
                way, a, rate, r2, 100 * worst))
        say("  %s: %s" % (codec.pipelines[0], "; ".join(texts)))
        for pipeline in codec.pipelines:
            entry = {"pipeline": pipeline}
            for way, timings in rows.items():
                entry[way] = {
                    "sizes_bytes": list(options.sizes),
                    "times_us": [digits(t.value) for t in timings],
                    "low_us": [digits(t.low) for t in timings],
                    "high_us": [digits(t.high) for t in timings]}
            entries.append(entry)
    return entries


# --- Part c: overlap -------------------------------------------------------------------------


class Beside:
    """Runs `call` again and again on a stream of its own, in a thread of its own."""

    def __init__(self, device, call):
        self.device, self.call, self.stop = device, call, threading.Event()
        self.times = []
        self.thread = threading.Thread(target=self.loop)

    def loop(self):
        if not self.device.is_cuda:
            self.turns()
            return
        with torch.cuda.stream(torch.cuda.Stream()):
            self.turns()

    def turns(self):
        queue = []
        while not self.stop.is_set():
            begin = self.device.mark()
            self.call()
            queue.append((begin, self.device.mark()))
            # Some calls ahead, so that the stream never waits for the host, yet few enough to stop.
            if not self.device.is_cuda or len(queue) == 8:
                self.take(queue.pop(0))
        while queue:
            self.take(queue.pop(0))

    def take(self, pair):
        if self.device.is_cuda:
            pair[1].synchronize()
        self.times.append(self.device.between(*pair))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def profile_overlap(device, options, tables):
    """Slowdowns of a backward and of a codec while both run."""
    name, batch = options.models[0], options.batches[-1]
    module, _ = build(name, device.torch, tables)
    data = sample(name, batch, device.torch)
    size = min(16 * MIB, max(options.sizes))
    wanted = [c for c in choose_codecs(options.codecs) if c.pipelines[0] in (
        "fp16", "int8", "top_k:ratio=0.01", "ef_sign", "powersgd:rank=4")]
    wanted = wanted or choose_codecs(options.codecs)[:3]
    rotation = Rotation(device, size)

    def backward():
        begin, middle, end = run_pass(device, module, data, arithmetic(device, "fp32"))
        return device.between(middle, end)

    def backwards():
        return Timing(passes(options, backward), options.statistic).value

    alone = backwards()
    entries = []
    for codec in wanted:
        def encode():
            return codec.encode(rotation.next(size // 4))
        with Beside(device, encode) as single:
            time.sleep(0.3 if options.quick else 2)
        with Beside(device, encode) as both:
            slowed = backwards()
        # The first calls ran before the backward did; the middle of the list is within.
        before = Timing(single.times[1:] or single.times, options.statistic).value
        during = Timing(both.times[1:] or both.times, options.statistic).value
        entry = {"pipeline": codec.pipelines[0], "model": name, "batch": batch,
                 "bytes": size, "backward": digits(max(1, slowed / alone), 4),
                 "codec": digits(max(1, during / before), 4)}
        say("  %s beside backward of %s: backward x %.2f, codec x %.2f" % (
            entry["pipeline"], name, slowed / alone, during / before))
        entries.append(entry)
    return entries


# --- Part d: memory --------------------------------------------------------------------------


def profile_memory(device, options):
    size = (CPU_LARGEST if not device.is_cuda else 256 * MIB) if not options.quick else 16 * MIB
    rotation = Rotation(device, 2 * size)
    other = torch.empty(size // 4, device=device.torch)

    def rate(timing, factor=1):
        return factor * size / timing.value / 1e3  # GB/s

    copy = rate(repeat(device, options, other.copy_, lambda: rotation.next(size // 4)), 2)
    add = rate(repeat(device, options, other.add_, lambda: rotation.next(size // 4)))
    small = torch.zeros(16, device=device.torch)

    def launch():
        small.add_(1)
        device.synchronize()

    if device.is_cuda:
        # From the host: what events on one stream cannot see is the way there.
        values = []
        for _ in range(200):
            start = time.perf_counter_ns()
            launch()
            values.append((time.perf_counter_ns() - start) / 1e3)
        start_time = Timing(values[20:], options.statistic).value
        host = torch.empty(size // 4, pin_memory=True)
        up = rate(repeat(device, options, lambda: other.copy_(host, non_blocking=True)))
        down = rate(repeat(device, options, lambda: host.copy_(other, non_blocking=True)))
        to_host = min(up, down)
        memory = torch.cuda.get_device_properties(0).total_memory
        products = {"fp32": "fp32", "tf32": "tf32", "amp": "bf16"}
    else:
        start_time = repeat(device, options, launch).value
        host = torch.empty(size // 4)
        to_host = rate(repeat(device, options, host.copy_, lambda: rotation.next(size // 4)))
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        products = {"fp32": "fp32"}
        if "bf16" in options.precisions:
            products["amp"] = "bf16"
    side = 8192 if device.is_cuda else 2048
    side = side // 4 if options.quick else side
    peaks = {}
    for key, precision in products.items():
        if device.is_cuda and precision != "fp32" and torch.cuda.get_device_capability()[0] < 8:
            continue  # matrix units for these came with compute capability 8
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        left = torch.randn(side, side, device=device.torch).to(kind)
        with arithmetic(device, precision if precision == "tf32" else "fp32"):
            timing = repeat(device, options, lambda: left @ left)
        # The fastest quarter: a peak is what the device can do.
        peaks[key] = digits(2 * side ** 3 / timing.low / 1e6, 4)
    say("  copy %.2f GB/s (read and write), add %.2f GB/s, launch %.2f us, host %.2f GB/s, products"
        " %s TFLOP/s" % (copy, add, start_time, to_host, peaks))
    return {
        "memory_bandwidth": "%s GB/s" % digits(copy), "memory": "%d B" % memory,
        "kernel_launch": duration(start_time), "reduction_rate": "%s GB/s" % digits(add),
        "host_copy_bandwidth": "%s GB/s" % digits(to_host), "peak_teraflops": peaks,
        "bfloat16": "amp" in peaks}


# --- The profile -----------------------------------------------------------------------------


def digits(value, count=5):
    """`value` to so many significant digits."""
    if value == 0:
        return 0
    return round(float(value), count - 1 - int(math.floor(math.log10(abs(value)))))


def duration(microseconds):
    return "%s us" % digits(microseconds, 7)


def say(text):
    print(text, file=sys.stderr, flush=True)


def clocks(device):
    """What is known of the clock, as text."""
    if device.is_cuda:
        try:
            query = "clocks.sm,clocks.max.sm,clocks.mem,driver_version"
            out = subprocess.run(
                ["nvidia-smi", "--query-gpu=" + query, "--format=csv,noheader", "-i", "0"],
                capture_output=True, text=True, timeout=20).stdout.strip().split("\n")[0]
            return "SM now, SM highest, memory, driver: " + out if out else "not known"
        except (OSError, subprocess.SubprocessError):
            return "not known"
    try:
        with open("/proc/cpuinfo") as stream:
            rates = [float(line.split(":")[1]) for line in stream if line.startswith("cpu MHz")]
        return "%.0f MHz" % max(rates)
    except (OSError, ValueError):
        return "not known"


def hardware(device):
    if device.is_cuda:
        return torch.cuda.get_device_properties(0).name
    name = platform.machine()
    try:
        with open("/proc/cpuinfo") as stream:
            name = next((line.split(":")[1].strip() for line in stream
                         if line.startswith("model name")), name)
    except OSError:
        pass
    capability = torch.backends.cpu.get_cpu_capability()
    threads = torch.get_num_threads()
    return "%s, %d of %d cores, %s" % (name, min(threads, os.cpu_count()), os.cpu_count(), capability)


def command_line(arguments):
    """The command without files and folders of this machine."""
    words, skip = [], False
    for word in arguments:
        if skip or word in ("-o", "--output", "--merge", "--tables"):
            skip = not skip
            continue
        words.append(os.path.basename(word) if os.sep in word else word)
    return "profile_device.py " + " ".join(words)


def parse_size(text):
    for unit, factor in (("KiB", KIB), ("MiB", MIB), ("GiB", 1 << 30), ("kB", 1000), ("MB", 10**6)):
        if text.endswith(unit):
            return int(float(text[:-len(unit)]) * factor)
    fail("size %r has no unit; write 16KiB or 64MiB" % text)


def merge(profile, earlier):
    """`earlier` with the parts of `profile` instead of its own."""
    result = dict(earlier)
    for key, value in profile.items():
        if key == "models" and key in earlier:
            def name(entry):
                return entry["model"], entry["batch"], entry["precision"]
            new = {name(entry) for entry in value}
            value = [entry for entry in earlier[key] if name(entry) not in new] + value
        if key == "codecs" and key in earlier:
            new = {entry["pipeline"] for entry in value}
            value = [entry for entry in earlier[key] if entry["pipeline"] not in new] + value
        if key == "measurement" and key in earlier:
            before = earlier[key]["command"]
            command = before if value["command"] in before.split("; ") else "; ".join(
                [before, value["command"]])
            value = dict(value, command=command)
        result[key] = value
    return result


def text_of(profile):
    """JSON with the lists of numbers on one line each."""
    def is_flat(value):
        return not any(isinstance(item, (dict, list)) for item in (
            value.values() if isinstance(value, dict) else value))

    def node(value, indent):
        if not isinstance(value, (dict, list)) or not value:
            return json.dumps(value)
        inner = "  " * (indent + 1)
        if isinstance(value, list) and is_flat(value) or (
                isinstance(value, dict) and is_flat(value) and len(json.dumps(value)) < 110):
            return json.dumps(value)
        if isinstance(value, list):
            return "[\n%s\n%s]" % (",\n".join(inner + node(item, indent + 1) for item in value),
                                   "  " * indent)
        return "{\n%s\n%s}" % (
            ",\n".join("%s%s: %s" % (inner, json.dumps(key), node(item, indent + 1))
                       for key, item in value.items()), "  " * indent)
    return node(profile, 0) + "\n"


def measure(options):
    device = Device(options.device)
    tables = read_tables(options.tables) if options.tables else None
    where = "%s, torch %s" % (hardware(device), torch.__version__)
    say("measuring %s: %s" % (where, ", ".join(options.parts)))
    profile = {
        "simnet_device": 1, "name": options.name,
        "summary": "%s, measured" % hardware(device), "base": options.base, "known": "measured",
        "evidence": "measured by Tools/profile_device.py on %s, %s of up to %d repetitions" % (
            where + ", " + device.clock, options.statistic.replace("_", " "), options.repetitions)}
    if "memory" in options.parts:
        profile.update(profile_memory(device, options))
    profile["measurement"] = {
        "date": datetime.date.today().isoformat(), "device": options.device,
        "hardware": hardware(device), "torch": torch.__version__, "clock": clocks(device),
        "threads": torch.get_num_threads(), "statistic": options.statistic,
        "command": command_line(sys.argv[1:])}
    if "models" in options.parts:
        profile["models"] = []
        for name in options.models:
            for precision in options.precisions:
                for batch in options.batches:
                    try:
                        entry = profile_model(device, options, name, batch, precision, tables)
                        profile["models"].append(entry)
                    except torch.OutOfMemoryError:
                        say("  %s batch %d %s: does not fit the memory, left out" % (
                            name, batch, precision))
                    if device.is_cuda:
                        torch.cuda.empty_cache()
    profile["codecs_run_on"] = "accelerator"
    if "codecs" in options.parts:
        profile["codecs"] = profile_codecs(device, options)
    if "overlap" in options.parts:
        profile["overlap"] = profile_overlap(device, options, tables)
    return profile


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        epilog="The head of this file says what is measured, and how.")
    def words(text):
        # A comma also separates the parameters of a codec: "random_k:ratio=0.01,scaled=false".
        parts = []
        for word in text.split(","):
            if parts and "=" in word and ":" not in word:
                parts[-1] += "," + word
            elif word:
                parts.append(word)
        return parts
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--models", type=words, help="names of simnet list models")
    parser.add_argument("--batches", type=words, help="samples in a micro-batch")
    parser.add_argument("--precisions", type=words, help="fp32, tf32, bf16")
    parser.add_argument("--codecs", type=words, default=[], help="pipelines or codec names")
    parser.add_argument("--sizes", type=words, help="bytes of gradients, such as 16KiB,4MiB")
    parser.add_argument("--parts", type=words, default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--merge", help="a profile that keeps what is not measured now")
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=10,
                        help="for the passes of one model, once there are three")
    parser.add_argument("--statistic", choices=["median", "lower_quartile"], default="median")
    parser.add_argument("--threads", type=int, help="threads of torch on a CPU")
    parser.add_argument("--name", default="my-device")
    parser.add_argument("--base", help="the listed device whose numbers apply where none is measured")
    parser.add_argument("--tables", help="simnet's Sources/CModelData/models.txt")
    parser.add_argument("--quick", action="store_true", help="few sizes and repetitions, to try it")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("-o", "--output")
    options = parser.parse_args(arguments)
    if options.self_test:
        return options
    if not options.output or not options.output.endswith(".json"):
        fail("-o FILE.json is needed: a scenario tells a profile by its ending")
    for part in options.parts:
        if part not in PARTS:
            fail("unknown part %r; known: %s" % (part, ", ".join(PARTS)))
    load_torch()
    if options.device == "cuda" and not torch.cuda.is_available():
        fail("torch %s sees no CUDA GPU; use --device cpu, or a build of torch with CUDA on a "
             "machine with a GPU" % torch.__version__)
    if options.device == "cpu":
        keep_memory()
    if options.threads:
        torch.set_num_threads(options.threads)
    options.models = options.models or DEFAULT_MODELS[options.device]
    for name in options.models:
        if name not in KNOWN:
            fail("unknown model %r; known: %s" % (name, ", ".join(KNOWN)))
    try:
        options.batches = [int(text) for text in options.batches or (
            ["4"] if options.device == "cpu" else ["8", "32"])]
    except ValueError:
        fail("--batches takes whole numbers separated by commas")
    if min(options.batches) < 1 or options.repetitions < 1:
        fail("batches and repetitions are at least 1")
    options.precisions = options.precisions or ["fp32"]
    for precision in options.precisions:
        if precision not in ("fp32", "tf32", "bf16"):
            fail("unknown precision %r; known: fp32, tf32, bf16" % precision)
        if precision == "tf32" and options.device == "cpu":
            fail("a CPU has no tf32")
        if precision != "fp32" and options.device == "cuda" and \
                torch.cuda.get_device_capability()[0] < 8:
            fail("%s needs a GPU of compute capability 8 or later" % precision)
    sizes = [parse_size(text) for text in options.sizes] if options.sizes else [
        size for size in DEFAULT_SIZES if options.device == "cuda" or size <= CPU_LARGEST]
    for size in sizes:
        # Signs are packed by eight, blocks have 256 elements, and rotations need a power of two.
        if size < 4 * KIB or size & (size - 1):
            fail("sizes are powers of two of at least 4KiB, not %d bytes" % size)
    options.sizes = sorted(set(sizes[:3] if options.quick and not options.sizes else sizes))
    if len(options.sizes) < 2:
        fail("two sizes are the least that a launch and a bandwidth follow from")
    options.repetitions = min(options.repetitions, 5) if options.quick else options.repetitions
    options.least = 2 if options.quick else 3
    options.budget = 0.3 if options.quick else 0.7
    options.model_budget = 2.0 if options.quick else options.seconds
    options.base = options.base or ("cpu" if options.device == "cpu" else "a100")
    if options.tables is None:
        beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "Sources",
                              "CModelData", "models.txt")
        options.tables = beside if os.path.exists(beside) else None
    elif not os.path.exists(options.tables):
        fail("no model tables at %s" % options.tables)
    return options


# --- Self-test -------------------------------------------------------------------------------


def self_test():
    """What can be checked in a second; with torch also every model's tensors and every codec."""
    assert [quantile([1, 2, 3, 4, 5], share) for share in (0, 0.25, 0.5, 1)] == [1, 2, 3, 5]
    assert digits(123456.7) == 123460 and digits(0.00123456, 3) == 0.00123 and digits(0) == 0
    a, b, r2, worst = fit([10, 100, 1000], [7, 25, 205])
    assert abs(a - 5) < 1e-9 and abs(b - 0.2) < 1e-9 and r2 > 1 - 1e-12 and worst < 1e-9
    a, b, r2, worst = fit([10, 100, 1000], [5, 5, 50])
    assert r2 < 1 and worst > 0.05 and a >= 0 and b >= 0
    marks = [("start", None, 0), ("open", "a", 1), ("close", "a", 4), ("open", "b", 5),
             ("close", "b", 9), ("end", None, 10)]
    assert segments(marks, lambda x, y: y - x) == ({"a": 3.0, "b": 4.0}, 3.0)
    # The first layer closes before its work, which ends with its gradient; a module in a module.
    marks = [("middle", None, 0), ("open", "b", 1), ("open", "c", 2), ("close", "c", 4),
             ("close", "b", 5), ("open", "a", 6), ("close", "a", 6), ("gradient", "a", 9),
             ("end", None, 10)]
    layers, other = segments(marks, lambda x, y: y - x)
    assert layers == {"b": 2.0, "c": 2.0, "a": 3.0} and other == 3.0, (layers, other)
    assert sum(layers.values()) + other == 10
    assert parse_size("16KiB") == 16384 and parse_size("1MiB") == MIB
    both = merge(
        {"codecs": [{"pipeline": "b", "x": 2}], "measurement": {"command": "two", "date": 2}},
        {"name": "n", "codecs": [{"pipeline": "a"}, {"pipeline": "b", "x": 1}],
         "measurement": {"command": "one", "date": 1}})
    assert both == {"name": "n", "codecs": [{"pipeline": "a"}, {"pipeline": "b", "x": 2}],
                    "measurement": {"command": "one; two", "date": 2}}
    assert json.loads(text_of(both)) == both
    print("self-test: arithmetic passed")
    try:
        import torch as _  # noqa: F401
    except ImportError:
        print("self-test: skipped models and codecs: PyTorch is not installed")
        return
    load_torch()
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "Sources",
                          "CModelData", "models.txt")
    tables = read_tables(beside) if os.path.exists(beside) else None
    for name in KNOWN:
        with torch.device("meta"):
            problem = difference(name, MODULES[name](), tables)
        assert problem is None, "%s: %s" % (name, problem)
    assert difference("resnet18", nn.Linear(2, 2), tables).startswith("6 parameters in 2 tensors")
    print("self-test: %d models have simnet's tensors" % len(KNOWN))
    torch.manual_seed(1)
    rotation = Rotation(Device("cpu"), 64 * KIB)
    blocks = Rotation(Device("cpu"), 64 * KIB, blocks=True)
    codecs = codec_list()
    for codec in codecs:
        for size in (4 * KIB, 64 * KIB):
            x = (blocks if codec.blocks else rotation).next(size // 4).clone()
            x[7] = 0
            check(codec, x)
    print("self-test: %d codecs decode what they encode" % len(codecs))


def main():
    options = parse(sys.argv[1:])
    if options.self_test:
        self_test()
        return
    profile = measure(options)
    if options.merge:
        try:
            with open(options.merge) as stream:
                profile = merge(profile, json.load(stream))
        except (OSError, ValueError) as problem:
            fail("cannot merge with %s: %s" % (os.path.basename(options.merge), problem))
    with open(options.output, "w") as stream:
        stream.write(text_of(profile))
    say("wrote %s; see: simnet explain device %s" % (options.output, options.output))


if __name__ == "__main__":
    main()
