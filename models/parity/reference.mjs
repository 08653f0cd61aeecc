// Runs the detector's ORIGINAL graph in TensorFlow.js, up to the cut the converter makes.
//
//   node reference.mjs GRAPH.json WIDTHxHEIGHT FRAME.rgb...
//
// Each FRAME.rgb is HEIGHT x WIDTH x 3 bytes. Writes FRAME.rgb.heatmap and FRAME.rgb.wh beside it:
// float32, little endian, NHWC as TensorFlow has them.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import "@tensorflow/tfjs-backend-wasm";

const [graphPath, sizeText, ...frames] = process.argv.slice(2);
const [width, height] = sizeText.split("x").map(Number);

const graph = JSON.parse(readFileSync(graphPath, "utf8"));
const [group] = graph.weightsManifest;
const weights = Buffer.concat(group.paths.map((name) => readFileSync(join(dirname(graphPath), name))));
bringToSize(graph.modelTopology.node, group.weights, weights, [height, width]);

await tf.setBackend("wasm");
const model = await loadGraphModel(
  tf.io.fromMemory({
    modelTopology: graph.modelTopology,
    weightSpecs: group.weights,
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
  }),
);
for (const frame of frames) {
  const image = tf.tensor4d(Float32Array.from(readFileSync(frame)), [1, height, width, 3]);
  const [heatmap, wh] = model.execute({ "tower_0/images": image }, ["tower_0/keypoints", "tower_0/wh"]);
  writeFileSync(`${frame}.heatmap`, new Uint8Array((await heatmap.data()).slice().buffer));
  writeFileSync(`${frame}.wh`, new Uint8Array((await wh.data()).slice().buffer));
  tf.dispose([image, heatmap, wh]);
}

// The graph is fully convolutional up to the cut; only its input's shape and the targets of its
// three resizes are written in pixels. For another size these are changed, and nothing else.
function bringToSize(nodes, specs, bytes, wanted) {
  const placeholder = nodes.find((node) => node.op === "Placeholder");
  const sides = placeholder.attr.shape.shape.dim.slice(1, 3);
  const original = sides.map((side) => Number(side.size));
  sides.forEach((side, axis) => (side.size = String(wanted[axis])));
  const targets = new Set(nodes.filter((node) => node.op === "ResizeBilinear").map((node) => node.input[1]));
  let position = 0;
  for (const spec of specs) {
    const count = spec.shape.reduce((product, side) => product * side, 1);
    if (targets.has(spec.name)) {
      for (const axis of [0, 1]) {
        const at = position + 4 * axis;
        bytes.writeInt32LE((bytes.readInt32LE(at) * wanted[axis]) / original[axis], at);
      }
    }
    position += count * (spec.quantization?.dtype === "float16" ? 2 : 4);
  }
}
