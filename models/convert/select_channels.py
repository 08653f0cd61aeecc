"""Cuts a graph's output down to some of its channels: the convolution behind it computes no others.

A convolution's output channels do not depend on each other: those that are left keep their values.
"""

from tfjs_graph import Graph

# Each channel of their result depends on the same channel of their one input.
_CHANNELWISE = {"Identity", "Relu", "Relu6", "Sigmoid"}


def select(graph, output, channels):
    """A new graph, whose node `output` has these `channels`, in this order."""
    node = graph.node(output)
    while node.op in _CHANNELWISE:
        node = graph.node(node.inputs[0])
        if _readers(graph, node.name) != 1:
            raise node.fail(f"it is read elsewhere than by '{output}', its channels cannot be selected")
    if node.op not in ("Conv2D", "_FusedConv2D"):
        raise node.fail(f"the channels of '{output}' cannot be selected: no convolution computes them")
    constants = dict(graph.constants)
    for name in node.inputs[1:]:  # the kernel (HWIO) and, where there is one, the bias
        if _readers(graph, name) != 1:
            raise node.fail(f"weight '{name}' is read elsewhere too, its channels cannot be selected")
        known = constants[name].shape[-1]
        wrong = [channel for channel in channels if not 0 <= channel < known]
        if wrong:
            raise node.fail(f"'{output}' has channels 0 to {known - 1}, not {wrong}")
        constants[name] = constants[name][..., channels]
    return Graph(graph.nodes, constants)


def _readers(graph, name):
    return sum(name in node.inputs for node in graph.nodes.values())
