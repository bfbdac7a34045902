"""Records what Keras itself computes, in training and in the forward pass: with one SimpleRNN into
keras_training.safetensors, with GRU, LSTM and two layers into keras_layers.safetensors.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python keras_training.py [keras_training | keras_layers]

`trainer/tests/keras_training.rs` replays both. Everything is recorded on the CPU, without dropout; the order of the
batches is random but recorded.

Two backends are recorded, because Keras 3 computes two different things. RMSprop and Adam square the gradient. On
JAX and PyTorch that of an embedding is dense: its rows hold the sum over all occurrences of a word in the batch, and
the square is that of the sum. On TensorFlow it is a `tf.IndexedSlices` with one slice for each occurrence; Keras
squares each slice (`elementwise_unary` in `keras/src/backend/tensorflow/sparse.py`) and adds up the squares. The
trainer does the former, which is what `rmsprop.py` and `adam.py` say, unless a recipe asks RMSprop for the latter
(`embedding_squares = "occurrence"`). So PyTorch is the reference for whole networks, and for RMSprop TensorFlow as
well; with Adam it is for runs in which the embedding is frozen. `explain()` below checks this paragraph on a run of
each backend and stops the script where it is not so.

Tensors, by name, of both files:

    texts                    [texts, MAXLEN] int32   ids of words, padded with 0 in front
    classes/2, classes/5     [texts] int32
    batches                  [STEPS, BATCH] int32    indices of texts; -1 fills up the last batch of an epoch
    CASE/initial/PARAMETER   float32                 weights before training, in the order of `get_weights()`
    CASE/after-N/PARAMETER   float32                 the same after N steps
    CASE/losses              [STEPS] float32         mean loss of each batch, before its step
    CASE/accuracies          [STEPS] float32         the same for accuracies

PARAMETER is embedding, kernel, recurrent_kernel, bias, dense_kernel or dense_bias; the second layer's are kernel_2,
recurrent_kernel_2 and bias_2 and stand before the dense layer's. Shapes and the order of gates are Keras's own: a GRU of
n units has kernels of 3n columns (z, r, h) and a bias of [2, 3n] (of the kernel, then of the recurrent kernel:
`reset_after=True`), an LSTM kernels of 4n columns and a bias of [4n] (i, f, c, o). A layer below another one gives it
its output at every step (`return_sequences=True`). N is 1, 5 and 20 in keras_training, 1 and 20 in keras_layers.

Of keras_training alone:

    rnn/embedding, rnn/kernel, rnn/recurrent_kernel, rnn/bias
    rnn/relu, rnn/relu-masked, rnn/tanh, rnn/tanh-masked    [texts, UNITS] float32, the last states for `texts`
    rnn/relu-masked-post     the same with pads behind the words, which a mask skips as well

Of keras_layers alone, for the networks of FORWARD, whose gates are far from where they are linear:

    forward/NAME/PARAMETER
    forward/NAME/logits, forward/NAME/logits-masked    [texts, 5] float32, for `texts`

In keras_layers, training starts from Keras's initializers, but with an embedding, kernels and biases that are large
enough for every gate to matter to the loss (`spread` below). The metadata of each file has a `cases` entry: a JSON list
with the settings of each CASE. That of keras_layers has a `forward` entry as well: an object with the cells and the
units of each NAME.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BACKENDS = ["torch", "tensorflow"]
if sys.argv[1:] and sys.argv[1] in BACKENDS:
    os.environ.update(KERAS_BACKEND=sys.argv[1], CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # one order of sums

    import keras
import numpy as np
from safetensors.numpy import load_file, save_file

WORDS, MAXLEN = 200, 20
TEXTS, BATCH, STEPS = 216, 32, 20
# Of the networks of one SimpleRNN; those of FORWARD and of keras_layers are narrower, which keeps the file small.
WIDTH, UNITS, NARROW = 8, 8, 4


def case(name, backend, optimizer, rate, activation, mask, outputs, frozen=False, rho=None):
    """`rate` is Keras's default where it is 0.001; `frozen`: the embedding is not trained."""
    return {key: value for key, value in locals().items() if value is not None}


def layers(cells, units, backend, optimizer, mask, outputs):
    """A case of other cells than one SimpleRNN. Losses of the two rates move by about as much."""
    name = "-".join([*cells, optimizer] + ["masked"] * mask + ["slices"] * (backend == "tensorflow"))
    rate = {"rmsprop": 0.003, "adam": 0.01}[optimizer]
    return {**locals(), "frozen": False}


SIMPLE = [
    case("rmsprop-relu", "torch", "rmsprop", 0.001, "relu", False, 1),
    case("rmsprop-relu-masked", "torch", "rmsprop", 0.001, "relu", True, 1),
    case("rmsprop-tanh", "torch", "rmsprop", 0.01, "tanh", False, 1),
    case("rmsprop-categorical", "torch", "rmsprop", 0.01, "relu", True, 5),
    case("rmsprop-rho", "torch", "rmsprop", 0.003, "tanh", True, 5, rho=0.7),
    case("rmsprop-relu-slices", "tensorflow", "rmsprop", 0.003, "relu", False, 1),
    case("rmsprop-categorical-slices", "tensorflow", "rmsprop", 0.003, "tanh", True, 5),
    case("rmsprop-relu-frozen", "tensorflow", "rmsprop", 0.01, "relu", False, 1, frozen=True),
    case("rmsprop-categorical-frozen", "tensorflow", "rmsprop", 0.01, "tanh", True, 5, frozen=True),
    case("adam-relu", "torch", "adam", 0.001, "relu", False, 1),
    case("adam-tanh-masked", "torch", "adam", 0.01, "tanh", True, 5),
    case("adam-relu-frozen", "tensorflow", "adam", 0.01, "relu", True, 1, frozen=True),
]
STACKS = {"gru": [4], "lstm": [4], "gru gru": [4, 3], "lstm lstm": [4, 3]}
LAYERS = [
    *(
        layers(cells.split(), units, "torch", optimizer, mask, 5 if mask else 1)
        for cells, units in STACKS.items()
        for optimizer in ["rmsprop", "adam"]
        for mask in [False, True]
    ),
    # Unlike layers, the second one wider than the first.
    layers(["gru", "lstm"], [3, 5], "torch", "adam", True, 5),
    layers(["lstm", "gru"], [3, 5], "torch", "rmsprop", False, 1),
    layers(["simple-rnn", "gru"], [4, 3], "torch", "adam", True, 1),
    layers(["gru"], [4], "tensorflow", "rmsprop", False, 1),
    layers(["lstm"], [4], "tensorflow", "rmsprop", True, 5),
    layers(["lstm", "gru"], [4, 3], "tensorflow", "rmsprop", True, 5),
]
FORWARD = {"gru": [6], "lstm": [6], "gru gru": [6, 4], "lstm lstm": [6, 4], "lstm gru": [4, 6]}
# The steps after which weights are recorded, and the cases, of each file.
FILES = {"keras_training": ([1, 5, 20], SIMPLE), "keras_layers": ([1, 20], LAYERS)}


def make_texts(rng):
    """Texts of 0 to MAXLEN words, with Zipf's frequencies, and classes that depend on their words."""
    weights = 1 / np.arange(1, WORDS + 1)
    lengths = rng.integers(1, MAXLEN + 1, TEXTS)
    lengths[:3] = [0, 1, MAXLEN]
    texts = [1 + rng.choice(WORDS, n, p=weights / weights.sum()) for n in lengths]
    meanings = rng.normal(size=(WORDS + 1, 5))
    scores = np.array([meanings[text].sum(0) for text in texts])
    padded = keras.utils.pad_sequences(texts, maxlen=MAXLEN)
    return texts, padded, (scores[:, 0] > scores[:, 1]).astype("int32"), scores.argmax(1).astype("int32")


def make_batches(rng):
    """Shuffled epochs; the last batch of each is smaller, as in `fit`."""
    batches = []
    while len(batches) < STEPS:
        order = rng.permutation(TEXTS)
        batches += [order[start : start + BATCH] for start in range(0, TEXTS, BATCH)]
    filled = np.full((STEPS, BATCH), -1, "int32")
    for row, batch in zip(filled, batches):
        row[: len(batch)] = batch
    return filled


def recurrent(cells, units, activation="tanh"):
    """Layers with Keras's defaults but for the activation, each but the last with its output at every step."""
    kinds = {"simple-rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
    last = len(cells) - 1
    return [
        kinds[cell](n, activation=activation, return_sequences=layer < last)
        for layer, (cell, n) in enumerate(zip(cells, units, strict=True))
    ]


def parameters(layers):
    """Names of `get_weights()`."""
    ends = ["", *(f"_{layer}" for layer in range(2, layers + 1))]
    each = [f"{name}{end}" for end in ends for name in ["kernel", "recurrent_kernel", "bias"]]
    return ["embedding", *each, "dense_kernel", "dense_bias"]


def spread(model, rng):
    """Makes initial weights so large that every gate matters: those of Keras would leave all of them half open."""
    scales = {"embedding": (20.0, 0.0), "kernel": (1.5, 0.0), "recurrent_kernel": (1.0, 0.0), "bias": (1.0, 0.5)}
    names = parameters((len(model.weights) - 3) // 3)
    weights = []
    for name, value in zip(names, model.get_weights(), strict=True):
        scale, noise = scales.get(name.removesuffix("_2"), (1.0, 0.0))
        weights.append(scale * value + noise * rng.normal(size=value.shape))
    model.set_weights(weights)


def train(case, texts, classes, batches, recorded, record):
    keras.utils.set_random_seed(11)
    outputs = case["outputs"]
    cells, units = case.get("cells", ["simple-rnn"]), case.get("units", [UNITS])
    width = NARROW if "cells" in case else WIDTH
    # Layers are made in the order of the network, in which Keras draws their random numbers.
    model = keras.Sequential([
        keras.Input((MAXLEN,), dtype="int32"),
        keras.layers.Embedding(WORDS + 1, width, mask_zero=case["mask"], trainable=not case["frozen"]),
        *recurrent(cells, units, case.get("activation", "tanh")),
        keras.layers.Dense(outputs, activation="sigmoid" if outputs == 1 else "softmax"),
    ])
    if "cells" in case:
        spread(model, np.random.default_rng(5))
    kinds = {"rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam}
    more = {"rho": case["rho"]} if "rho" in case else {}
    loss = "binary_crossentropy" if outputs == 1 else "sparse_categorical_crossentropy"
    optimizer = kinds[case["optimizer"]](learning_rate=case["rate"], **more)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])

    def weights(moment):
        for name, value in zip(parameters(len(cells)), model.get_weights(), strict=True):
            record[f"{case['name']}/{moment}/{name}"] = value

    weights("initial")
    losses, accuracies = [], []
    for step, batch in enumerate(batches, 1):
        batch = batch[batch >= 0]
        model.reset_metrics()
        loss, accuracy = model.train_on_batch(texts[batch], classes[batch])
        losses.append(loss)
        accuracies.append(accuracy)
        if step in recorded:
            weights(f"after-{step}")
    record[f"{case['name']}/losses"] = np.array(losses, "float32")
    record[f"{case['name']}/accuracies"] = np.array(accuracies, "float32")
    print(case["name"], "loss", losses[0], "...", losses[-1], "accuracy", accuracies[0], "...", accuracies[-1])


def forward(texts, padded, rng, record):
    """The last states of a SimpleRNN with weights large enough for its nonlinearity to matter."""
    weights = dict(
        embedding=rng.normal(size=(WORDS + 1, WIDTH)),
        kernel=rng.normal(size=(WIDTH, UNITS)) * 0.5,
        recurrent_kernel=np.linalg.qr(rng.normal(size=(UNITS, UNITS)))[0] * 0.9,
        bias=rng.normal(size=UNITS) * 0.3,
    )
    weights = {name: value.astype("float32") for name, value in weights.items()}
    for name, value in weights.items():
        record[f"rnn/{name}"] = value
    behind = keras.utils.pad_sequences(texts, maxlen=MAXLEN, padding="post")
    for name, activation, mask, x in [
        ("relu", "relu", False, padded),
        ("relu-masked", "relu", True, padded),
        ("relu-masked-post", "relu", True, behind),
        ("tanh", "tanh", False, padded),
        ("tanh-masked", "tanh", True, padded),
    ]:
        embedding = keras.layers.Embedding(WORDS + 1, WIDTH, mask_zero=mask)
        rnn = keras.layers.SimpleRNN(UNITS, activation=activation)
        model = keras.Sequential([keras.Input((MAXLEN,), dtype="int32"), embedding, rnn])
        model.set_weights(list(weights.values()))
        record[f"rnn/{name}"] = model.predict(x, verbose=0)


def forward_layers(padded, rng, record):
    """Logits of networks whose gates open and close, and of which each weight is of its own."""
    scales = {"embedding": 1.0, "kernel": 0.8, "recurrent_kernel": 0.8, "bias": 0.5, "dense_kernel": 1.0}
    for stack, units in FORWARD.items():
        cells, name = stack.split(), stack.replace(" ", "-")
        shapes = None
        for ending, mask in [("logits", False), ("logits-masked", True)]:
            embedding = keras.layers.Embedding(WORDS + 1, NARROW, mask_zero=mask)
            input_ids, dense = keras.Input((MAXLEN,), dtype="int32"), keras.layers.Dense(5)
            model = keras.Sequential([input_ids, embedding, *recurrent(cells, units), dense])
            if shapes is None:
                shapes = [value.shape for value in model.get_weights()]
                names = parameters(len(cells))
                scale = [scales.get(parameter.removesuffix("_2"), 0.5) for parameter in names]
                weights = [(s * rng.normal(size=shape)).astype("float32") for s, shape in zip(scale, shapes)]
                record.update(zip([f"forward/{name}/{parameter}" for parameter in names], weights, strict=True))
            model.set_weights(weights)
            record[f"forward/{name}/{ending}"] = model.predict(padded, verbose=0)


def explain(backend):
    """One step of RMSprop on a word that occurs three times in a batch, by both readings of the square."""
    embedding = keras.layers.Embedding(2, 1)
    # A model whose gradient by the embedding is 1, 2 and 3 at the three occurrences.
    dense = keras.layers.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((3,), dtype="int32"), embedding, keras.layers.Flatten(), dense])
    model.set_weights([np.zeros((2, 1)), np.array([[1.0], [2.0], [3.0]])])
    dense.trainable = False
    model.compile(optimizer=keras.optimizers.RMSprop(1.0), loss=lambda target, y: keras.ops.sum(y))
    model.train_on_batch(np.array([[1, 1, 1]], "int32"), np.zeros((1, 1), "float32"))
    step = -embedding.get_weights()[0][1, 0]
    square = {"torch": (1 + 2 + 3) ** 2, "tensorflow": 1**2 + 2**2 + 3**2}[backend]
    assert np.isclose(step, 6 / np.sqrt(0.1 * square), rtol=1e-4), (backend, step)


def record_backend(backend, file, out):
    explain(backend)
    rng = np.random.default_rng(7)
    texts, padded, two, five = make_texts(rng)
    batches = make_batches(rng)
    record = {"texts": padded.astype("int32"), "classes/2": two, "classes/5": five, "batches": batches}
    recorded, cases = FILES[file]
    for case in cases:
        if case["backend"] == backend:
            train(case, padded, two if case["outputs"] == 1 else five, batches, recorded, record)
    if backend == "tensorflow" and file == "keras_training":
        forward(texts, padded, rng, record)
    if backend == "tensorflow" and file == "keras_layers":
        forward_layers(padded, rng, record)
    save_file({name: np.ascontiguousarray(value) for name, value in record.items()}, out)


def main():
    if sys.argv[1:] and sys.argv[1] in BACKENDS:
        return record_backend(*sys.argv[1:])
    for file in sys.argv[1:] or FILES:
        record = {}
        with tempfile.TemporaryDirectory() as folder:
            for backend in BACKENDS:
                part = f"{folder}/{backend}.safetensors"
                subprocess.run([sys.executable, __file__, backend, file, part], check=True)
                record.update(load_file(part))
        metadata = {"cases": json.dumps(FILES[file][1])}
        if file == "keras_layers":
            metadata["forward"] = json.dumps({
                stack.replace(" ", "-"): {"cells": stack.split(), "units": units} for stack, units in FORWARD.items()
            })
        out = Path(__file__).with_name(f"{file}.safetensors")
        save_file(record, out, metadata)
        out.chmod(0o644)


main()
