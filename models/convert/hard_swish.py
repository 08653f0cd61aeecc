"""Finds hard-swish in a TensorFlow graph: (c * x) * relu6(x + 3), four operations and c near 1/6.

The source stores c as float16, 0.16663 instead of 1/6. A runtime that recognises the four
operations and puts its own hard-swish in their place, with 1/6, answers with a slightly different
model. Written out as four operations they are also slow: they are memory-bound, and the scalars
force a runtime out of its blocked layout. So each is written as what every runtime knows,
x * HardSigmoid(x), and the exact factor 6c that is left over goes into the weights of the
convolution that reads the result.
"""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class HardSwish:
    x: str  # the node it is applied to
    factor: float  # what x * hardsigmoid(x) must be multiplied with: 6c
    inner: tuple  # the three operations that are no longer needed


def find(graph, nodes):
    """The hard-swishes among `nodes`: name of the last of the four operations -> HardSwish."""
    readers = Counter(name for node in nodes for name in node.inputs)
    found = {}
    for node in nodes:
        if node.op != "Mul" or len(node.inputs) != 2:
            continue
        for scaled, gate in (node.inputs, node.inputs[::-1]):
            match = _match(graph, scaled, gate)
            if match and all(readers[name] == 1 for name in match.inner):
                found[node.name] = match
    return found


def _match(graph, scaled, gate):
    gate_node, scaled_node = graph.node(gate), graph.node(scaled)
    if gate_node.op != "Relu6" or scaled_node.op != "Mul":
        return None
    shift = graph.node(gate_node.inputs[0])
    if shift.op != "Add":
        return None
    three, x = _scalar_and_other(graph, shift)
    sixth, scaled_x = _scalar_and_other(graph, scaled_node)
    if x is None or x != scaled_x or three != 3 or sixth is None:
        return None
    return HardSwish(x, 6 * sixth, (scaled, gate, shift.name))


def _scalar_and_other(graph, node):
    for scalar, other in (node.inputs, node.inputs[::-1]):
        value = graph.constants.get(scalar)
        if value is not None and value.size == 1 and other not in graph.constants:
            return float(value.reshape(())), other
    return None, None
