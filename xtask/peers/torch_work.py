"""The same work in PyTorch. The same lines in, the same lines out as trainer/benches/work.rs."""

import resource
import sys
import time

import numpy
import torch

from texts import padded, read

torch.manual_seed(0)


# By the name of the work.
CELLS = {
    "seed": lambda width, units: torch.nn.RNN(width, units, nonlinearity="relu", batch_first=True),
    "gru": lambda width, units: torch.nn.GRU(width, units, batch_first=True),
    "lstm": lambda width, units: torch.nn.LSTM(width, units, batch_first=True),
}


class Classifier(torch.nn.Module):
    def __init__(self, rows, width, units, dropout=(0.0, 0.0), cell="seed"):
        super().__init__()
        self.embedding = torch.nn.Embedding(rows, width)
        self.rnn = CELLS[cell](width, units)
        self.dense = torch.nn.Linear(units, 1)
        self.drop_embedding, self.drop_state = (torch.nn.Dropout(share) for share in dropout)

    def forward(self, words, lengths=None):
        x = self.drop_embedding(self.embedding(words))
        if lengths is not None:
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, state = self.rnn(x)
        # An LSTM also gives its cells' contents.
        state = state[0] if isinstance(state, tuple) else state
        return self.dense(self.drop_state(state[0]))[:, 0]


def steps_of(cell, folder):
    """The tutorial's model with this cell, and PyTorch's own RMSprop."""
    rows, words, batch = 88_582, 100, 128
    model = Classifier(rows, 128, 100, cell=cell)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7)
    loss = torch.nn.BCEWithLogitsLoss()
    texts, classes = read(folder, "seed")
    x = torch.from_numpy(padded(texts, words).astype("int64"))
    y = torch.tensor(classes, dtype=torch.float32)
    step = 0

    def run(steps):
        nonlocal step
        started = time.perf_counter()
        for _ in range(steps):
            first = step * batch % len(x)
            optimizer.zero_grad()
            loss(model(x[first:first + batch]), y[first:first + batch]).backward()
            optimizer.step()
            step += 1
        return (time.perf_counter() - started) * 1e3

    return run


def batches(texts, size):
    """Of texts of about equal length: sorted, then cut."""
    order = sorted(range(len(texts)), key=lambda text: len(texts[text]))
    return [order[first:first + size] for first in range(0, len(order), size)]


def laid_out(texts, rows):
    lengths = [max(len(texts[row]), 1) for row in rows]
    words = numpy.zeros((len(rows), max(lengths)), dtype="int64")
    for place, row in enumerate(rows):
        words[place, :len(texts[row])] = texts[row]
    return torch.from_numpy(words), torch.tensor(lengths)


def compact(folder):
    """The compact recipe: an epoch of training and an evaluation."""
    vocabulary, unknown, batch = 4000, 4001, 64
    texts, classes = read(folder, "compact")
    dev_texts, dev_classes = read(folder, "compact-dev")
    classes, dev_classes = (torch.tensor(c, dtype=torch.float32) for c in (classes, dev_classes))
    model = Classifier(vocabulary + 2, 16, 16, (0.3, 0.3))
    with torch.no_grad():
        model.embedding.weight.uniform_(-0.05, 0.05)
        model.rnn.weight_hh_l0.copy_(0.9 * torch.eye(16) + 0.01 * torch.randn(16, 16))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.003, weight_decay=0.01)
    loss = torch.nn.BCEWithLogitsLoss()
    started = time.perf_counter()
    order = batches(texts, batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(order))
    for place in torch.randperm(len(order)).tolist():
        rows = order[place]
        words, lengths = laid_out(texts, rows)
        words = torch.where(torch.rand(words.shape) < 0.3, unknown, words)
        optimizer.zero_grad()
        loss(model(words, lengths), classes[rows]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    right = 0
    with torch.no_grad():
        for rows in batches(dev_texts, 256):
            words, lengths = laid_out(dev_texts, rows)
            right += ((model(words, lengths) > 0) == (dev_classes[rows] > 0.5)).sum().item()
    milliseconds = (time.perf_counter() - started) * 1e3
    return milliseconds, len(order), right / len(dev_texts)


def vocabulary(folder, rows):
    """Steps of the compact recipe on short texts, with PyTorch's own AdamW, whose update is dense."""
    batch, unknown, steps = 64, rows - 1, 100
    texts, classes = read(folder, f"short-{rows}")
    classes = torch.tensor(classes, dtype=torch.float32)
    model = Classifier(rows, 16, 16, (0.3, 0.3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.003, weight_decay=0.01)
    loss = torch.nn.BCEWithLogitsLoss()
    started = time.perf_counter()
    for step in range(steps):
        places = range(step * batch, (step + 1) * batch)
        words, lengths = laid_out(texts, places)
        words = torch.where(torch.rand(words.shape) < 0.3, unknown, words)
        optimizer.zero_grad()
        loss(model(words, lengths), classes[places.start:places.stop]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return (time.perf_counter() - started) * 1e3, steps


def main():
    folder, works = sys.argv[1], {}
    for line in sys.stdin:
        match line.split():
            case [cell, steps] if cell in CELLS:
                if cell not in works:
                    works[cell] = steps_of(cell, folder)
                print(f"{works[cell](int(steps)):.3f}", flush=True)
            case ["compact"]:
                milliseconds, steps, accuracy = compact(folder)
                print(f"{milliseconds:.3f} {steps} {accuracy:.4f}", flush=True)
            case ["vocabulary", rows]:
                milliseconds, steps = vocabulary(folder, int(rows))
                print(f"{milliseconds:.3f} {steps}", flush=True)
            case ["memory"]:
                print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
            case _:
                sys.exit(f"unknown work: {line}")


main()
