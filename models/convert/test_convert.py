"""Unit tests: `python -m unittest discover -s models/convert` in an environment with onnx and numpy.

Whether the whole converted graph computes what the original does is models/parity's business.
"""

import base64
import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

import hard_swish
import onnx_file
import select_channels
import tfjs_graph
from tfjs_graph import Graph, GraphError, Node
from translate import same_padding


def text(value):
    return {"s": base64.b64encode(value.encode()).decode()}


def placeholder(size=64):
    dims = [{"size": str(side)} for side in (1, size, size, 3)]
    return Node("images", "Placeholder", (), {"shape": {"shape": {"dim": dims}}})


def convolution(name, data, kernel, op="Conv2D", padding="SAME", stride=1, fused=(), bias=None, **changed):
    attributes = {
        "data_format": text("NHWC"),
        "padding": text(padding),
        "strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}},
        "dilations": {"list": {"i": ["1", "1", "1", "1"]}},
        "fused_ops": {"list": {"s": [text(item)["s"] for item in fused]}},
        **changed,
    }
    return Node(name, op, (data, kernel) + ((bias,) if bias else ()), attributes)


def graph(nodes, constants):
    by_name = {node.name: node for node in nodes}
    by_name.update({name: Node(name, "Const", (), {}) for name in constants})
    return Graph(by_name, {name: np.asarray(value) for name, value in constants.items()})


def convert(nodes, constants):
    return onnx_file.convert(graph(nodes, constants), {nodes[-1].name: "result"})


def run(model, image):
    return ReferenceEvaluator(model).run(["result"], {"image": image})[0]


def image(height=64, width=64):
    return np.random.default_rng(7).integers(0, 256, (1, height, width, 3), np.uint8)


class SamePadding(unittest.TestCase):
    def test_stride_one_is_symmetric(self):
        self.assertEqual(same_padding(3, 1), (1, 1))
        self.assertEqual(same_padding(5, 1), (2, 2))
        self.assertEqual(same_padding(1, 1), (0, 0))

    def test_stride_two_has_the_odd_pixel_after(self):
        self.assertEqual(same_padding(3, 2), (0, 1))
        self.assertEqual(same_padding(5, 2), (1, 2))

    def test_a_kernel_smaller_than_the_stride_needs_none(self):
        self.assertEqual(same_padding(1, 2), (0, 0))


class Weights(unittest.TestCase):
    def test_float16_is_widened_exactly(self):
        values = np.array([[1 / 6, -2.5], [65504, 6e-8]], np.float16)
        entry = {
            "name": "w",
            "shape": [2, 2],
            "dtype": "float32",
            "quantization": {"dtype": "float16", "original_dtype": "float32"},
        }
        decoded = tfjs_graph.decode_weight(entry, values.tobytes())
        self.assertEqual(decoded.dtype, np.float32)
        np.testing.assert_array_equal(decoded, values.astype(np.float32))
        self.assertAlmostEqual(float(decoded[0, 0]), 0.1666259765625, places=15)

    def test_integers_stay_integers(self):
        decoded = tfjs_graph.decode_weight({"name": "w", "shape": [], "dtype": "int32"}, b"\x03\0\0\0")
        self.assertEqual((decoded.dtype, int(decoded)), (np.int32, 3))

    def test_an_unknown_storage_is_named(self):
        entry = {"name": "w", "shape": [1], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.1}}
        with self.assertRaisesRegex(GraphError, "weight 'w'.*'uint8'"):
            tfjs_graph.decode_weight(entry, b"\0")

    def test_files_that_do_not_belong_together_are_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "graph.json"
            entry = {"name": "w", "shape": [2], "dtype": "float32"}
            manifest = [{"paths": ["weights.bin"], "weights": [entry]}]
            path.write_text(
                json.dumps({"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": manifest})
            )
            (path.parent / "weights.bin").write_bytes(b"\0" * 7)
            with self.assertRaisesRegex(GraphError, "weights.bin: 7 bytes, but graph.json describes 8"):
                tfjs_graph.read(path)


class Translation(unittest.TestCase):
    def test_a_strided_convolution_computes_what_tensorflow_defines(self):
        kernel = np.random.default_rng(1).normal(size=(3, 3, 3, 4)).astype(np.float32)
        bias = np.array([1, -2, 3, -4], np.float32)
        node = convolution("conv", "images", "k", "_FusedConv2D", stride=2, fused=["BiasAdd", "Relu"], bias="b")
        picture = image()
        result = run(convert([placeholder(), node], {"k": kernel, "b": bias}), picture)
        # By hand: SAME at stride 2 on an even size pads one row and one column, after.
        padded = np.pad(picture[0].astype(np.float32), ((0, 1), (0, 1), (0, 0)))
        y, x = 31, 5
        expected = np.einsum("hwc,hwco->o", padded[2 * y : 2 * y + 3, 2 * x : 2 * x + 3], kernel) + bias
        np.testing.assert_allclose(result[0, :, y, x], np.maximum(expected, 0), rtol=1e-4)
        self.assertEqual(result.shape, (1, 4, 32, 32))

    def test_a_depthwise_convolution_keeps_channels_apart(self):
        kernel = np.zeros((1, 1, 3, 1), np.float32)
        kernel[0, 0, :, 0] = [1, 10, 100]
        node = convolution("conv", "images", "k", "DepthwiseConv2dNative")
        picture = image()
        result = run(convert([placeholder(), node], {"k": kernel}), picture)
        np.testing.assert_allclose(result[0], picture[0].transpose(2, 0, 1) * np.float32([1, 10, 100])[:, None, None])

    def test_one_model_takes_pictures_of_any_size(self):
        # Half the pixels, a mean over all of them, and doubled again: all that could hold a size.
        nodes = [
            placeholder(64),
            convolution("half", "images", "k", stride=2),
            Node("mean", "Mean", ("half", "axes"), {"keep_dims": {"b": True}}),
            Node("scaled", "Mul", ("half", "mean"), {}),
            Node("resize", "ResizeBilinear", ("scaled", "target"), {}),
        ]
        kernel = np.eye(3, dtype=np.float32).reshape(1, 1, 3, 3)
        constants = {"k": kernel, "axes": np.array([1, 2]), "target": np.array([64, 64], np.int32)}
        model = convert(nodes, constants)
        for height, width in ((64, 64), (32, 96)):
            picture = image(height, width)
            half = picture[0, ::2, ::2].transpose(2, 0, 1).astype(np.float32)
            expected = half * half.mean(axis=(1, 2), keepdims=True)
            result = run(model, picture)
            self.assertEqual(result.shape, (1, 3, height, width))
            # Not half-pixel: every even sample is a source pixel, every odd one lies between two.
            np.testing.assert_allclose(result[0, :, ::2, ::2], expected, rtol=1e-5)
            np.testing.assert_allclose(result[0, 0, 0, 1], expected[0, 0, :2].mean(), rtol=1e-5)

    def test_the_sizes_are_named_in_the_file(self):
        kernel = np.ones((1, 1, 3, 4), np.float32)
        model = convert([placeholder(), convolution("half", "images", "k", stride=2)], {"k": kernel})
        sides = lambda value: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        self.assertEqual(sides(model.graph.input[0]), [1, "height", "width", 3])
        self.assertEqual(sides(model.graph.output[0]), [1, 4, "height/2", "width/2"])

    def test_the_same_graph_gives_the_same_bytes(self):
        kernel = np.ones((1, 1, 3, 2), np.float32)
        nodes = [placeholder(), convolution("conv", "images", "k")]
        first, second = (convert(nodes, {"k": kernel}).SerializeToString(deterministic=True) for _ in range(2))
        self.assertEqual(first, second)


class HardSwishes(unittest.TestCase):
    SIXTH = np.float32(np.float16(1 / 6))

    def nodes(self):
        return [
            placeholder(),
            convolution("x", "images", "to_x"),
            Node("scaled", "Mul", ("sixth", "x"), {}),
            Node("shifted", "Add", ("x", "three"), {}),
            Node("gate", "Relu6", ("shifted",), {}),
            Node("swish", "Mul", ("scaled", "gate"), {}),
        ]

    def constants(self):
        # Brings the bytes into -4..4, so that all three pieces of the function are met.
        to_x = np.diag([8 / 255, -8 / 255, 4 / 255]).astype(np.float32).reshape(1, 1, 3, 3)
        return {"to_x": to_x, "sixth": self.SIXTH, "three": np.float32(3)}

    def expected(self, picture):
        x = np.einsum("nhwc,co->nohw", picture.astype(np.float64), self.constants()["to_x"][0, 0])
        return self.SIXTH * x * np.clip(x + 3, 0, 6)

    def test_the_factor_is_kept_when_no_convolution_follows(self):
        picture = image()
        result = run(convert(self.nodes(), self.constants()), picture)
        np.testing.assert_allclose(result, self.expected(picture), atol=1e-6)

    def test_the_factor_goes_into_the_next_convolution(self):
        nodes = [*self.nodes(), convolution("next", "swish", "ones", "_FusedConv2D", fused=["BiasAdd"], bias="b")]
        constants = {**self.constants(), "ones": np.ones((1, 1, 3, 1), np.float32), "b": np.float32([5])}
        model = convert(nodes, constants)
        self.assertEqual([node.op_type for node in model.graph.node].count("Mul"), 1)
        picture = image()
        expected = self.expected(picture).sum(axis=1, keepdims=True) + 5
        np.testing.assert_allclose(run(model, picture), expected, atol=1e-5)

    def test_the_factor_passes_through_means_and_products(self):
        nodes = [
            *self.nodes(),
            Node("mean", "Mean", ("swish", "axes"), {"keep_dims": {"b": True}}),
            Node("half", "Mul", ("mean", "one_half"), {}),
            Node("product", "Mul", ("half", "swish"), {}),
        ]
        constants = {**self.constants(), "axes": np.array([1, 2]), "one_half": np.float32(0.5)}
        model = convert(nodes, constants)
        picture = image()
        swish = self.expected(picture)
        expected = swish * swish.mean(axis=(2, 3), keepdims=True) / 2
        np.testing.assert_allclose(run(model, picture), expected, atol=1e-5)
        # The swish, the product, and at the end one for all the factors together.
        self.assertEqual([node.op_type for node in model.graph.node].count("Mul"), 3)

    def test_a_convolution_added_to_it_is_divided_by_the_factor(self):
        kernel = np.random.default_rng(2).normal(size=(1, 1, 3, 3)).astype(np.float32)
        bias = np.float32([1, 2, 3])
        nodes = [
            *self.nodes(),
            convolution("other", "swish", "k", "_FusedConv2D", fused=["BiasAdd"], bias="b"),
            Node("sum", "Add", ("other", "swish"), {}),
            convolution("next", "sum", "ones"),
        ]
        constants = {**self.constants(), "k": kernel, "b": bias, "ones": np.ones((1, 1, 3, 1), np.float32)}
        model = convert(nodes, constants)
        self.assertEqual([node.op_type for node in model.graph.node].count("Mul"), 1)
        picture = image()
        swish = self.expected(picture)
        other = np.einsum("nchw,co->nohw", swish, kernel[0, 0]) + bias[:, None, None]
        expected = (swish + other).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(run(model, picture), expected, atol=1e-5)

    def test_an_operation_read_elsewhere_is_left_alone(self):
        nodes = [*self.nodes(), Node("sum", "Add", ("swish", "gate"), {})]
        whole = graph(nodes, self.constants())
        self.assertEqual(hard_swish.find(whole, whole.order_up_to(["sum"])), {})

    def test_the_source_may_round_one_sixth(self):
        whole = graph(self.nodes(), self.constants())
        (swish,) = hard_swish.find(whole, whole.order_up_to(["swish"])).values()
        self.assertAlmostEqual(swish.factor, 0.99975586, places=7)


class SpareChannels(unittest.TestCase):
    """18 channels become 20 where only convolutions read them; the result is the same."""

    def setUp(self):
        random = np.random.default_rng(3)
        self.constants = {
            "in": random.normal(size=(1, 1, 3, 18)).astype(np.float32),
            "b": random.normal(size=18).astype(np.float32),
            "deep": random.normal(size=(1, 1, 18, 1)).astype(np.float32),
            "out": random.normal(size=(1, 1, 18, 8)).astype(np.float32),
        }
        self.nodes = [
            placeholder(),
            convolution("wide", "images", "in", "_FusedConv2D", fused=["BiasAdd", "Relu"], bias="b"),
            convolution("each", "wide", "deep", "DepthwiseConv2dNative"),
            convolution("dense", "each", "out"),
        ]

    def expected_each(self, picture):
        wide = np.einsum("nhwc,co->nohw", picture.astype(np.float64), self.constants["in"][0, 0])
        wide = np.maximum(wide + self.constants["b"][:, None, None], 0)
        return wide * self.constants["deep"].reshape(18, 1, 1)

    def test_they_change_nothing(self):
        picture = image()
        model = convert(self.nodes, self.constants)
        shapes = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
        self.assertEqual(
            shapes, {"in": (20, 3, 1, 1), "b": (20,), "deep": (20, 1, 1, 1), "out": (8, 20, 1, 1)}
        )
        expected = np.einsum("nchw,co->nohw", self.expected_each(picture), self.constants["out"][0, 0])
        np.testing.assert_allclose(run(model, picture), expected, rtol=1e-4, atol=1e-2)

    def test_none_where_something_else_reads_the_channels(self):
        picture = image()
        result = run(convert(self.nodes[:-1], self.constants), picture)
        np.testing.assert_allclose(result, self.expected_each(picture), rtol=1e-4, atol=1e-3)


class SelectedChannels(unittest.TestCase):
    CONSTANTS = {
        "k": np.random.default_rng(4).normal(size=(1, 1, 3, 8)).astype(np.float32) / 255,
        "b": np.arange(8, dtype=np.float32) / 8,
    }
    NODES = [
        placeholder(),
        convolution("classes", "images", "k", "_FusedConv2D", fused=["BiasAdd"], bias="b"),
        Node("scores", "Sigmoid", ("classes",), {}),
    ]

    def test_they_are_those_of_the_whole_in_the_order_asked_for(self):
        picture = image()
        whole = graph(self.NODES, self.CONSTANTS)
        selected = select_channels.select(whole, "scores", [5, 0])
        every = run(onnx_file.convert(whole, {"scores": "result"}), picture)
        two = run(onnx_file.convert(selected, {"scores": "result"}), picture)
        self.assertEqual(two.shape, (1, 2, 64, 64))
        np.testing.assert_allclose(two, every[:, [5, 0]], rtol=1e-6)

    def refuses(self, message, nodes, channels):
        with self.assertRaisesRegex(GraphError, message):
            select_channels.select(graph(nodes, self.CONSTANTS), nodes[-1].name, channels)

    def test_a_channel_that_is_not_there(self):
        self.refuses(r"node 'classes'.*channels 0 to 7, not \[8\]", self.NODES, [0, 8])

    def test_what_no_convolution_computes(self):
        mixed = [*self.NODES, Node("sum", "Add", ("scores", "scores"), {})]
        self.refuses(r"node 'sum' \(op Add\).*no convolution computes them", mixed, [0])

    def test_a_convolution_that_something_else_reads(self):
        nodes = [*self.NODES[:2], Node("other", "Relu", ("classes",), {}), self.NODES[2]]
        self.refuses(r"node 'classes'.*read elsewhere", nodes, [0])


class Refusals(unittest.TestCase):
    """Whatever is not understood is named: the node and the operation."""

    KERNEL = {"k": np.ones((3, 3, 3, 2), np.float32)}

    def refuses(self, message, nodes, constants):
        with self.assertRaisesRegex(GraphError, message):
            convert(nodes, constants)

    def test_an_unknown_operation(self):
        nodes = [placeholder(), Node("head/erf", "Erf", ("images",), {})]
        self.refuses(r"node 'head/erf' \(op Erf\): this operation is not understood", nodes, {})

    def test_an_unknown_padding(self):
        node = convolution("conv", "images", "k", padding="EXPLICIT")
        self.refuses(r"node 'conv' \(op Conv2D\): padding EXPLICIT", [placeholder(), node], self.KERNEL)

    def test_a_dilation(self):
        node = convolution("conv", "images", "k", dilations={"list": {"i": ["1", "2", "2", "1"]}})
        self.refuses(r"node 'conv'.*dilations \[1, 2, 2, 1\]", [placeholder(), node], self.KERNEL)

    def test_an_unknown_fused_operation(self):
        node = convolution("conv", "images", "k", "_FusedConv2D", fused=["BiasAdd", "Elu"], bias="b")
        self.refuses(r"node 'conv'.*\['BiasAdd', 'Elu'\]", [placeholder(), node], {**self.KERNEL, "b": np.zeros(2)})

    def test_a_missing_attribute(self):
        node = Node("conv", "Conv2D", ("images", "k"), {})
        self.refuses(r"node 'conv'.*attribute 'data_format' is missing", [placeholder(), node], self.KERNEL)

    def test_channels_that_do_not_fit(self):
        node = convolution("conv", "images", "k")
        kernel = {"k": np.ones((3, 3, 5, 2), np.float32)}
        self.refuses(r"node 'conv'.*want 5 channels, the input has 3", [placeholder(), node], kernel)

    def test_aligned_corners(self):
        node = Node("resize", "ResizeBilinear", ("images", "to"), {"align_corners": {"b": True}})
        self.refuses(r"node 'resize'.*align_corners", [placeholder(), node], {"to": np.array([128, 128])})

    def test_a_resize_that_does_not_double(self):
        nodes = [
            placeholder(),
            convolution("half", "images", "k", stride=2),
            Node("resize", "ResizeBilinear", ("half", "to"), {}),
        ]
        self.refuses(r"node 'resize'.*only doubling", nodes, {**self.KERNEL, "to": np.array([96, 96])})

    def test_a_mean_over_channels(self):
        node = Node("mean", "Mean", ("images", "axes"), {"keep_dims": {"b": True}})
        self.refuses(r"node 'mean'.*axes \[3\]", [placeholder(), node], {"axes": np.array([3])})

    def test_a_node_that_is_not_there(self):
        self.refuses("no node named 'gone'", [placeholder(), Node("relu", "Relu", ("gone",), {})], {})

    def test_halving_once_more_than_the_picture_can_be(self):
        nodes = [placeholder()]
        kernels = {f"k{depth}": np.ones((3, 3, 3, 3), np.float32) for depth in range(6)}
        for depth in range(6):
            nodes.append(convolution(f"half{depth}", nodes[-1].name, f"k{depth}", stride=2))
        convert(nodes[:-1], kernels)
        self.refuses(r"node 'half5'.*stride 2 does not divide", nodes, kernels)

    def test_valid_padding_of_more_than_a_pixel(self):
        node = convolution("conv", "images", "k", padding="VALID")
        self.refuses(r"node 'conv'.*padding VALID", [placeholder(), node], self.KERNEL)


class Names(unittest.TestCase):
    def test_a_weight_read_in_two_forms_is_refused(self):
        nodes = [
            placeholder(),
            convolution("dense", "images", "k"),
            convolution("deep", "images", "k", "DepthwiseConv2dNative"),
            Node("both", "ConcatV2", ("dense", "deep", "axis"), {}),
        ]
        constants = {"k": np.ones((1, 1, 3, 3), np.float32), "axis": np.int32(3)}
        with self.assertRaisesRegex(GraphError, "weight 'k' is read in two different forms"):
            convert(nodes, constants)

    def test_constants_keep_their_names(self):
        model = convert([placeholder(), convolution("conv", "images", "k")], {"k": np.ones((1, 1, 3, 2), np.float32)})
        (kernel,) = model.graph.initializer
        self.assertEqual((kernel.name, numpy_helper.to_array(kernel).shape), ("k", (2, 3, 1, 1)))


if __name__ == "__main__":
    unittest.main()
