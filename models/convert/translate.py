"""Translates the operations of a TensorFlow.js graph (NHWC) to ONNX operations (NCHW)."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tfjs_graph import GraphError


class Translation:
    """The ONNX graph as it grows.

    `shapes` holds (channels, height, width) of every activation, under its ONNX name: the
    padding of a strided convolution depends on the size it meets. `names` says under which
    ONNX name the result of a TensorFlow node is found; where `factors` has that name, the
    result is that many times what is stored there.
    """

    def __init__(self, graph, size, hard_swishes):
        self.graph = graph
        self.size = size
        self.hard_swishes = hard_swishes
        self.inner = {name for swish in hard_swishes.values() for name in swish.inner}
        self.nodes = []
        self.initializers = {}
        self.names = {}
        self.shapes = {}
        self.factors = {}
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
        stored = self.names[name]
        factor = self.factors.get(stored)
        if factor is None:
            return stored
        scaled = f"{stored}/scaled"
        if scaled not in self.shapes:
            by = self.constant(f"{stored}/factor", np.float32(factor))
            self.emit("Mul", [stored, by], scaled, self.shapes[stored])
        return scaled

    def activation(self, node, index):
        return self.result(self._computed(node, index))

    def unscaled_activation(self, node, index):
        """For an operation that can take the open factor upon itself: (ONNX name, factor)."""
        stored = self.names[self._computed(node, index)]
        return stored, self.factors.get(stored, 1.0)

    def _computed(self, node, index):
        name = node.inputs[index]
        if name not in self.names:
            raise node.fail(f"input {index} ('{name}') must be computed, not a constant")
        return name

    def weight(self, node, index):
        name = node.inputs[index]
        if name not in self.graph.constants:
            raise node.fail(f"input {index} ('{name}') must be a constant")
        return self.graph.constants[name]


def same_padding(size, kernel, stride):
    """TensorFlow's SAME for one axis: (before, after); the odd pixel goes after."""
    covered = -(-size // stride)
    total = max((covered - 1) * stride + kernel - size, 0)
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
    size = translation.size
    as_float = translation.emit("Cast", ["image"], "image/float", None, to=TensorProto.FLOAT)
    translation.names[node.name] = translation.emit(
        "Transpose", [as_float], "image/nchw", (3, size, size), perm=[0, 3, 1, 2]
    )


def _convolution(translation, node):
    kernel = translation.weight(node, 1)
    _emit_convolution(translation, node, kernel.transpose(3, 2, 0, 1), groups=1)


def _depthwise_convolution(translation, node):
    kernel = translation.weight(node, 1)
    height, width, channels, multiplier = kernel.shape
    per_channel = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    _emit_convolution(translation, node, per_channel, groups=channels)


def _emit_convolution(translation, node, kernel, groups):
    """`kernel` is OIHW. The fused operations TensorFlow names are bias and activation."""
    data, factor = translation.unscaled_activation(node, 0)
    channels, height, width = translation.shapes[data]
    if node.text("data_format") != "NHWC":
        raise node.fail(f"data_format {node.text('data_format')} is not understood, only NHWC is")
    if kernel.shape[1] * groups != channels:
        raise node.fail(f"the weights want {kernel.shape[1] * groups} channels, the input has {channels}")
    _, stride_y, stride_x, _ = node.integers("strides")
    if node.integers("dilations") not in ([], [1, 1, 1, 1]):
        raise node.fail(f"dilations {node.integers('dilations')} are not understood")
    padding = node.text("padding")
    if padding == "SAME":
        top, bottom = same_padding(height, kernel.shape[2], stride_y)
        left, right = same_padding(width, kernel.shape[3], stride_x)
    elif padding == "VALID":
        top = bottom = left = right = 0
    else:
        raise node.fail(f"padding {padding} is not understood, only SAME and VALID are")
    # Linear, so the factor may as well multiply the kernel; the bias is added after it.
    inputs = [data, translation.constant(node.inputs[1], kernel * np.float32(factor))]

    fused = node.texts("fused_ops")
    activation = fused[1] if len(fused) == 2 else None
    if fused and (fused[0] != "BiasAdd" or activation not in (None, "Relu", "Relu6") or len(fused) > 2):
        raise node.fail(f"fused operations {fused} are not understood")
    if fused:
        inputs.append(translation.constant(node.inputs[2], translation.weight(node, 2)))

    shape = (
        kernel.shape[0],
        (height + top + bottom - kernel.shape[2]) // stride_y + 1,
        (width + left + right - kernel.shape[3]) // stride_x + 1,
    )
    # Explicit pads: runtimes differ in how they read auto_pad.
    result = translation.emit(
        "Conv",
        inputs,
        f"{node.name}/linear" if activation else node.name,
        shape,
        group=groups,
        kernel_shape=list(kernel.shape[2:]),
        pads=[top, left, bottom, right],
        strides=[stride_y, stride_x],
    )
    if activation:
        result = _emit_activation(translation, activation, result, node.name)
    translation.names[node.name] = result


def _emit_activation(translation, kind, data, name):
    shape = translation.shapes[data]
    if kind == "Relu":
        return translation.emit("Relu", [data], name, shape)
    low = translation.constant("relu6/low", np.float32(0))
    high = translation.constant("relu6/high", np.float32(6))
    return translation.emit("Clip", [data, low, high], name, shape)


def _activation(translation, node):
    data = translation.activation(node, 0)
    translation.names[node.name] = _emit_activation(translation, node.op, data, node.name)


def _sigmoid(translation, node):
    data = translation.activation(node, 0)
    translation.names[node.name] = translation.emit(
        "Sigmoid", [data], node.name, translation.shapes[data]
    )


def _identity(translation, node):
    # Only a second name: no operation is spent on it.
    translation.names[node.name] = translation.activation(node, 0)


def _elementwise(translation, node):
    inputs, shapes = [], []
    for index, name in enumerate(node.inputs):
        if name in translation.names:
            inputs.append(translation.result(name))
            shapes.append(translation.shapes[inputs[-1]])
        else:
            value = translation.weight(node, index)
            if value.size != 1:
                raise node.fail(f"constant '{name}' has shape {list(value.shape)}, only a scalar is understood")
            inputs.append(translation.constant(name, value.reshape(())))
    if not shapes:
        raise node.fail("both inputs are constants")
    for axis in range(3):
        if len({shape[axis] for shape in shapes} - {1}) > 1:
            raise node.fail(f"shapes {shapes} do not fit together")
    shape = tuple(max(sizes) for sizes in zip(*shapes))
    translation.names[node.name] = translation.emit(node.op, inputs, node.name, shape)


def _hard_swish(translation, node, swish):
    data = translation.result(swish.x)
    shape = translation.shapes[data]
    gate = translation.emit("HardSigmoid", [data], f"{node.name}/gate", shape, alpha=1 / 6, beta=0.5)
    stored = translation.emit("Mul", [data, gate], node.name, shape)
    translation.names[node.name] = stored
    translation.factors[stored] = swish.factor


def _mean(translation, node):
    axes = sorted(translation.weight(node, 1).tolist())
    if axes != [1, 2] or not node.flag("keep_dims"):
        raise node.fail(f"mean over axes {axes} is not understood, only over height and width, kept as 1")
    data = translation.activation(node, 0)
    translation.names[node.name] = translation.emit(
        "GlobalAveragePool", [data], node.name, (translation.shapes[data][0], 1, 1)
    )


def _concat(translation, node):
    axis = int(translation.weight(node, len(node.inputs) - 1))
    if axis not in (3, -1):
        raise node.fail(f"concatenation along axis {axis} is not understood, only along channels (3)")
    inputs = [translation.activation(node, index) for index in range(len(node.inputs) - 1)]
    shapes = [translation.shapes[name] for name in inputs]
    if len({shape[1:] for shape in shapes}) != 1:
        raise node.fail(f"shapes {shapes} do not fit together")
    shape = (sum(shape[0] for shape in shapes), *shapes[0][1:])
    translation.names[node.name] = translation.emit("Concat", inputs, node.name, shape, axis=1)


def _resize_bilinear(translation, node):
    if node.flag("align_corners") or node.flag("half_pixel_centers"):
        raise node.fail("align_corners and half_pixel_centers are not understood")
    data = translation.activation(node, 0)
    channels, height, width = translation.shapes[data]
    # The graph names its target in pixels for its own input size: bring it to ours.
    target = [side * translation.size / translation.source_size for side in translation.weight(node, 1).tolist()]
    if target != [2 * height, 2 * width]:
        raise node.fail(f"resizing {height}x{width} to {target} is not understood, only doubling is")
    scales = translation.constant("resize/double", np.array([1, 1, 2, 2], np.float32))
    translation.names[node.name] = translation.emit(
        "Resize",
        [data, "", scales],
        node.name,
        (channels, 2 * height, 2 * width),
        mode="linear",
        coordinate_transformation_mode="asymmetric",
    )


_HANDLERS = {
    "Add": _elementwise,
    "ConcatV2": _concat,
    "Const": _constant,
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise_convolution,
    "FusedDepthwiseConv2dNative": _depthwise_convolution,
    "Identity": _identity,
    "Mean": _mean,
    "Mul": _elementwise,
    "Placeholder": _placeholder,
    "Relu": _activation,
    "Relu6": _activation,
    "ResizeBilinear": _resize_bilinear,
    "Sigmoid": _sigmoid,
    "_FusedConv2D": _convolution,
}
