"""Reads a TensorFlow.js graph model: one JSON file (the graph) and its weight files."""

import base64
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np


class GraphError(Exception):
    """The graph is damaged, or holds something this converter does not understand."""


@dataclass(frozen=True)
class Node:
    """One operation. `inputs` are names of other nodes; `attributes` are as the JSON has them."""

    name: str
    op: str
    inputs: tuple
    attributes: dict

    def fail(self, problem):
        return GraphError(f"node '{self.name}' (op {self.op}): {problem}")

    def text(self, attribute):
        return _base64_text(self._value(attribute, "s"))

    def texts(self, attribute):
        return [_base64_text(item) for item in self._list(attribute, "s")]

    def integers(self, attribute):
        return [int(item) for item in self._list(attribute, "i")]

    def flag(self, attribute):
        # A false flag may be left out: that is how protobuf writes its default.
        return bool(self.attributes.get(attribute, {}).get("b", False))

    def _value(self, attribute, kind):
        try:
            return self.attributes[attribute][kind]
        except KeyError:
            raise self.fail(f"attribute '{attribute}' is missing") from None

    def _list(self, attribute, kind):
        return self.attributes.get(attribute, {}).get("list", {}).get(kind, [])


@dataclass(frozen=True)
class Graph:
    nodes: dict  # name -> Node
    constants: dict  # name -> numpy array (float weights are float32)

    def node(self, name):
        try:
            return self.nodes[name]
        except KeyError:
            raise GraphError(f"the graph has no node named '{name}'") from None

    def order_up_to(self, outputs):
        """The nodes the outputs need, each after all it reads, in an order that never varies."""
        ordered, done = [], set()
        waiting = [(name, False) for name in reversed(outputs)]
        while waiting:
            name, inputs_done = waiting.pop()
            if name in done:
                continue
            node = self.node(name)
            if inputs_done:
                done.add(name)
                ordered.append(node)
                continue
            waiting.append((name, True))
            waiting.extend((needed, False) for needed in reversed(node.inputs) if needed not in done)
        return ordered


def read(json_path):
    json_path = Path(json_path)
    try:
        model = json.loads(json_path.read_text())
    except OSError as error:
        raise GraphError(f"cannot read {json_path}: {error.strerror}") from None
    except ValueError as error:
        raise GraphError(f"{json_path} is not JSON: {error}") from None
    if model.get("format") != "graph-model":
        raise GraphError(
            f"{json_path} has format {model.get('format')!r}; this converter reads 'graph-model' only"
        )
    nodes = {}
    for item in model["modelTopology"]["node"]:
        # "name:0" is the first output of "name", the only one the operations known here have.
        inputs = tuple(name.removesuffix(":0") for name in item.get("input", []))
        nodes[item["name"]] = Node(item["name"], item["op"], inputs, item.get("attr", {}))
    constants = {}
    for group in model["weightsManifest"]:
        constants.update(_read_weights(json_path, group))
    return Graph(nodes, constants)


def decode_weight(entry, data):
    """One weight out of its bytes; float16 storage is widened, which loses nothing."""
    storage = entry.get("quantization", {}).get("dtype", entry["dtype"])
    if storage not in _STORAGE or "scale" in entry.get("quantization", {}):
        raise GraphError(f"weight '{entry['name']}': storage type '{storage}' is not understood")
    array = np.frombuffer(data, _STORAGE[storage]).reshape(entry["shape"])
    return array.astype(np.float32) if entry["dtype"] == "float32" else array


_STORAGE = {"float16": "<f2", "float32": "<f4", "int32": "<i4"}


def _stored_bytes(entry):
    storage = entry.get("quantization", {}).get("dtype", entry["dtype"])
    if storage not in _STORAGE:
        raise GraphError(f"weight '{entry['name']}': storage type '{storage}' is not understood")
    return math.prod(entry["shape"]) * np.dtype(_STORAGE[storage]).itemsize


def _read_weights(json_path, group):
    try:
        data = b"".join((json_path.parent / name).read_bytes() for name in group["paths"])
    except OSError as error:
        raise GraphError(f"cannot read {error.filename}: {error.strerror}") from None
    described = sum(_stored_bytes(entry) for entry in group["weights"])
    if described != len(data):
        raise GraphError(
            f"{', '.join(group['paths'])}: {len(data)} bytes, but {json_path.name} describes"
            f" {described}; the two files do not belong together"
        )
    position = 0
    for entry in group["weights"]:
        size = _stored_bytes(entry)
        yield entry["name"], decode_weight(entry, data[position : position + size])
        position += size


def _base64_text(value):
    return base64.b64decode(value).decode()
