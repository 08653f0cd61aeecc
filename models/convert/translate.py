"""Translates the operations of a TensorFlow.js graph (NHWC) to ONNX operations (NCHW)."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tfjs_graph import GraphError

# The sides of the picture are multiples of this, so that halving them never leaves an odd pixel.
MULTIPLE = 32
# ONNX Runtime leaves its fast layout where the number of channels is not a multiple of this. It is
# rounded up with channels of zeros where only convolutions read them.
CHANNEL_MULTIPLE = 4
# The step of an activation that has one value for the whole picture.
WHOLE = None


class Translation:
    """The ONNX graph as it grows. Nothing in it depends on the size of the picture.

    `shapes` holds (channels, step) of every activation, under its ONNX name: how many pixels of
    the picture, across and down, one of its values stands for. `values` says where the result
    of a TensorFlow node is found: an ONNX name, and the factor that what is stored there must
    still be multiplied with. `spare` says how many channels at the end of an activation are
    zeros that the source does not have.
    """

    def __init__(self, graph, nodes, outputs, hard_swishes):
        self.graph = graph
        self.outputs = outputs
        self.readers = {node.name: [] for node in nodes}
        for node in nodes:
            for name in node.inputs:
                self.readers[name].append(node)
        self.hard_swishes = hard_swishes
        self.inner = {name for swish in hard_swishes.values() for name in swish.inner}
        self.nodes = []
        self.initializers = {}
        self.values = {}
        self.shapes = {}
        self.spare = {}
        self.source_size = None

    def translate(self, node):
        if node.name in self.inner:
            return
        if node.name in self.hard_swishes:
            _hard_swish(self, node, self.hard_swishes[node.name])
            return
        handler = _HANDLERS.get(node.op)
        if handler is None:
            raise node.fail(
                f"this operation is not understood; known are {', '.join(sorted(_HANDLERS))}"
            )
        handler(self, node)

    def emit(self, op, inputs, name, shape, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        self.shapes[name] = shape
        return name

    def constant(self, name, array):
        array = np.ascontiguousarray(array)
        known = self.initializers.setdefault(name, numpy_helper.from_array(array, name))
        if not np.array_equal(numpy_helper.to_array(known), array):
            raise GraphError(f"weight '{name}' is read in two different forms, which is not understood")
        return name

    def result(self, name):
        """The ONNX name of what the TensorFlow node computes, with no factor left open."""
        stored, factor = self.values[name]
        if factor == 1:
            return stored
        scaled = f"{name}/scaled"
        if scaled not in self.shapes:
            by = self.constant(f"{name}/factor", np.float32(factor))
            self.emit("Mul", [stored, by], scaled, self.shapes[stored])
        return scaled

    def activation(self, node, index):
        return self.result(self._computed(node, index))

    def unscaled_activation(self, node, index):
        """For an operation that can take the open factor upon itself: (ONNX name, factor)."""
        return self.values[self._computed(node, index)]

    def _computed(self, node, index):
        name = node.inputs[index]
        if name not in self.values:
            raise node.fail(f"input {index} ('{name}') must be computed, not a constant")
        return name

    def weight(self, node, index):
        name = node.inputs[index]
        if name not in self.graph.constants:
            raise node.fail(f"input {index} ('{name}') must be a constant")
        return self.graph.constants[name]


def same_padding(kernel, stride):
    """TensorFlow's SAME for one axis: (before, after); the odd pixel goes after.

    For an axis whose length is a multiple of the stride: only there it does not depend on it.
    """
    total = max(kernel - stride, 0)
    return total // 2, total - total // 2


def _constant(translation, node):
    if node.name not in translation.graph.constants:
        raise node.fail("its value is not among the weights")


def _placeholder(translation, node):
    """The image arrives as the camera has it: bytes, NHWC. Cast and transpose are in the graph."""
    dims = [int(d["size"]) for d in node.attributes["shape"]["shape"]["dim"]]
    if len(dims) != 4 or dims[0] != 1 or dims[1] != dims[2] or dims[3] != 3:
        raise node.fail(f"the input must be [1, size, size, 3], it is {dims}")
    translation.source_size = dims[1]
    as_float = translation.emit("Cast", ["image"], "image/float", None, to=TensorProto.FLOAT)
    nchw = translation.emit("Transpose", [as_float], "image/nchw", (3, 1), perm=[0, 3, 1, 2])
    translation.values[node.name] = nchw, 1.0


def _convolution(translation, node):
    kernel = translation.weight(node, 1).transpose(3, 2, 0, 1)
    data, _ = translation.unscaled_activation(node, 0)
    _check_channels(translation, node, data, kernel.shape[1])
    spare = -kernel.shape[0] % CHANNEL_MULTIPLE if _ends_in_convolutions(translation, node) else 0
    kernel = np.pad(kernel, ((0, spare), (0, translation.spare.get(data, 0)), (0, 0), (0, 0)))
    _emit_convolution(translation, node, kernel, groups=1, spare=spare)


def _depthwise_convolution(translation, node):
    kernel = translation.weight(node, 1)
    height, width, channels, multiplier = kernel.shape
    data, _ = translation.unscaled_activation(node, 0)
    _check_channels(translation, node, data, channels)
    spare = translation.spare.get(data, 0)
    per_channel = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    per_channel = np.pad(per_channel, ((0, spare * multiplier), (0, 0), (0, 0), (0, 0)))
    _emit_convolution(translation, node, per_channel, groups=channels + spare, spare=spare * multiplier)


def _check_channels(translation, node, data, wanted):
    channels = translation.shapes[data][0] - translation.spare.get(data, 0)
    if wanted != channels:
        raise node.fail(f"the weights want {wanted} channels, the input has {channels}")


def _ends_in_convolutions(translation, node):
    """Whether only convolutions read what `node` computes: they can ignore spare channels."""
    return node.name not in translation.outputs and all(
        reader.op in _DENSE or reader.op in _DEPTHWISE and _ends_in_convolutions(translation, reader)
        for reader in translation.readers[node.name]
    )


def _emit_convolution(translation, node, kernel, groups, spare):
    """`kernel` is OIHW. The fused operations TensorFlow names are bias and activation.

    The last `spare` of its output channels are there for the layout only.
    """
    data, factor = translation.unscaled_activation(node, 0)
    _, step = translation.shapes[data]
    if node.text("data_format") != "NHWC":
        raise node.fail(f"data_format {node.text('data_format')} is not understood, only NHWC is")
    _, stride, stride_x, _ = node.integers("strides")
    if stride_x != stride:
        raise node.fail(f"strides {stride} down and {stride_x} across are not understood, only equal ones are")
    if stride != 1 and (step is WHOLE or MULTIPLE % (step * stride)):
        raise node.fail(f"stride {stride} does not divide its input, of which only {MULTIPLE} pixels are known to")
    if node.integers("dilations") not in ([], [1, 1, 1, 1]):
        raise node.fail(f"dilations {node.integers('dilations')} are not understood")
    padding = node.text("padding")
    if padding == "SAME":
        top, bottom = same_padding(kernel.shape[2], stride)
        left, right = same_padding(kernel.shape[3], stride)
    elif padding == "VALID" and kernel.shape[2:] == (1, 1):
        top = bottom = left = right = 0
    else:
        raise node.fail(f"padding {padding} is not understood, only SAME is, and VALID for 1x1")
    fused = node.texts("fused_ops")
    activation = fused[1] if len(fused) == 2 else None
    if fused and (fused[0] != "BiasAdd" or activation not in (None, "Relu", "Relu6") or len(fused) > 2):
        raise node.fail(f"fused operations {fused} are not understood")
    # Linear up to the activation: what comes in with a factor, and may go out with one, needs no
    # operation but other weights.
    open_factor = 1.0 if activation else _factor_of_sum(translation, node)
    inputs = [data, translation.constant(node.inputs[1], kernel * np.float32(factor / open_factor))]
    if fused:
        bias = np.pad(translation.weight(node, 2), (0, spare)) / np.float32(open_factor)
        inputs.append(translation.constant(node.inputs[2], bias))

    shape = (kernel.shape[0], step if step is WHOLE else step * stride)
    # Explicit pads: runtimes differ in how they read auto_pad.
    result = translation.emit(
        "Conv",
        inputs,
        f"{node.name}/linear" if activation else node.name,
        shape,
        group=groups,
        kernel_shape=list(kernel.shape[2:]),
        pads=[top, left, bottom, right],
        strides=[stride, stride],
    )
    if activation:
        result = _emit_activation(translation, activation, result, node.name)
    translation.values[node.name] = result, open_factor
    translation.spare[result] = spare


def _factor_of_sum(translation, node):
    """The factor left open on the other side of the one sum that reads `node`, or 1."""
    readers = translation.readers[node.name]
    if len(readers) == 1 and readers[0].op == "Add":
        for name in readers[0].inputs:
            if name in translation.values:
                return translation.values[name][1]
    return 1.0


def _emit_activation(translation, kind, data, name):
    shape = translation.shapes[data]
    if kind == "Relu":
        return translation.emit("Relu", [data], name, shape)
    low = translation.constant("relu6/low", np.float32(0))
    high = translation.constant("relu6/high", np.float32(6))
    return translation.emit("Clip", [data, low, high], name, shape)


def _activation(translation, node):
    data = translation.activation(node, 0)
    translation.values[node.name] = _emit_activation(translation, node.op, data, node.name), 1.0


def _sigmoid(translation, node):
    data = translation.activation(node, 0)
    sigmoid = translation.emit("Sigmoid", [data], node.name, translation.shapes[data])
    translation.values[node.name] = sigmoid, 1.0


def _identity(translation, node):
    # Only a second name: no operation is spent on it.
    translation.values[node.name] = translation.unscaled_activation(node, 0)


def _add(translation, node):
    values = [translation.values.get(name) for name in node.inputs]
    if all(values) and len({factor for _, factor in values}) == 1:
        inputs = [stored for stored, _ in values]
        translation.values[node.name] = _elementwise(translation, node, inputs), values[0][1]
        return
    inputs = [
        translation.result(name) if name in translation.values else _scalar(translation, node, index)
        for index, name in enumerate(node.inputs)
    ]
    translation.values[node.name] = _elementwise(translation, node, inputs), 1.0


def _multiply(translation, node):
    """Only what is stored is multiplied; all factors go on, as one, to whatever reads the result."""
    inputs, product = [], 1.0
    for index, name in enumerate(node.inputs):
        if name in translation.values:
            stored, factor = translation.values[name]
            inputs.append(stored)
        else:
            factor = float(_scalar(translation, node, index))
        product *= factor
    translation.values[node.name] = _elementwise(translation, node, inputs), product


def _scalar(translation, node, index):
    value = translation.weight(node, index)
    if value.size != 1:
        name = node.inputs[index]
        raise node.fail(f"constant '{name}' has shape {list(value.shape)}, only a scalar is understood")
    return value.reshape(())


def _elementwise(translation, node, inputs):
    """`inputs`: ONNX names of activations, and arrays without dimensions."""
    shapes = [translation.shapes[name] for name in inputs if isinstance(name, str)]
    if not shapes:
        raise node.fail("both inputs are constants")
    channels, steps = ({shape[axis] for shape in shapes} for axis in range(2))
    if len(channels - {1}) > 1 or len(steps - {WHOLE}) > 1:
        raise node.fail(f"(channels, step) {shapes} do not fit together")
    if len(inputs) == 1:
        return inputs[0]
    names = [
        each if isinstance(each, str) else translation.constant(node.inputs[index], each)
        for index, each in enumerate(inputs)
    ]
    shape = max(channels), max(steps - {WHOLE}, default=WHOLE)
    return translation.emit(node.op, names, node.name, shape)


def _hard_swish(translation, node, swish):
    data = translation.result(swish.x)
    shape = translation.shapes[data]
    gate = translation.emit("HardSigmoid", [data], f"{node.name}/gate", shape, alpha=1 / 6, beta=0.5)
    translation.values[node.name] = translation.emit("Mul", [data, gate], node.name, shape), swish.factor


def _mean(translation, node):
    axes = sorted(translation.weight(node, 1).tolist())
    if axes != [1, 2] or not node.flag("keep_dims"):
        raise node.fail(f"mean over axes {axes} is not understood, only over height and width, kept as 1")
    data, factor = translation.unscaled_activation(node, 0)
    mean = translation.emit("GlobalAveragePool", [data], node.name, (translation.shapes[data][0], WHOLE))
    translation.values[node.name] = mean, factor


def _concat(translation, node):
    axis = int(translation.weight(node, len(node.inputs) - 1))
    if axis not in (3, -1):
        raise node.fail(f"concatenation along axis {axis} is not understood, only along channels (3)")
    inputs = [translation.activation(node, index) for index in range(len(node.inputs) - 1)]
    shapes = [translation.shapes[name] for name in inputs]
    if len({step for _, step in shapes}) != 1:
        raise node.fail(f"(channels, step) {shapes} do not fit together")
    shape = (sum(channels for channels, _ in shapes), shapes[0][1])
    translation.values[node.name] = translation.emit("Concat", inputs, node.name, shape, axis=1), 1.0


def _resize_bilinear(translation, node):
    if node.flag("align_corners") or node.flag("half_pixel_centers"):
        raise node.fail("align_corners and half_pixel_centers are not understood")
    data = translation.activation(node, 0)
    channels, step = translation.shapes[data]
    # The graph names its target in pixels, for its own input size: only the ratio is taken.
    target = translation.weight(node, 1).tolist()
    if step in (WHOLE, 1) or any(side * step != 2 * translation.source_size for side in target):
        raise node.fail(f"resizing to {target} what has a step of {step} is not understood, only doubling is")
    scales = translation.constant("resize/double", np.array([1, 1, 2, 2], np.float32))
    resized = translation.emit(
        "Resize",
        [data, "", scales],
        node.name,
        (channels, step // 2),
        mode="linear",
        coordinate_transformation_mode="asymmetric",
    )
    translation.values[node.name] = resized, 1.0


_DENSE = {"Conv2D", "_FusedConv2D"}
_DEPTHWISE = {"DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"}
_HANDLERS = {
    "Add": _add,
    "ConcatV2": _concat,
    "Const": _constant,
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise_convolution,
    "FusedDepthwiseConv2dNative": _depthwise_convolution,
    "Identity": _identity,
    "Mean": _mean,
    "Mul": _multiply,
    "Placeholder": _placeholder,
    "Relu": _activation,
    "Relu6": _activation,
    "ResizeBilinear": _resize_bilinear,
    "Sigmoid": _sigmoid,
    "_FusedConv2D": _convolution,
}
