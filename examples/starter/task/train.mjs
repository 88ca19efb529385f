// An external task: metasim calls it in every epoch with a dataset it has just generated and the folder of labelled real
// pictures. It trains something on the former, scores it on the latter, and prints the score as a JSON object in its last
// line. This one is a softmax regression on 16 × 16 grey pixels, in plain Node; yours may be anything, in any language.
//
//   node train.mjs DATASET VALIDATION [SEED]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';

const SIDE = 16;
const STEPS = 300;
const RATE = 0.5;
const DECAY = 1e-3;

const [dataset, validation, seed = '0'] = process.argv.slice(2);
if (!dataset || !validation) throw new Error('usage: node train.mjs DATASET VALIDATION [SEED]');

// The dataset is an imagefolder: one JSON line an image, with the labels of all objects in it.
const rows = readFileSync(join(dataset, 'metadata.jsonl'), 'utf8').trim().split('\n');
const classes = readdirSync(validation).sort();
const train = rows.map((row) => {
  const { file_name: file, objects } = JSON.parse(row);
  const object = objects.find((each) => classes.includes(each.class));
  return { input: features(join(dataset, file)), label: classes.indexOf(object.class) };
});
// The labelled real pictures: a folder a class.
const test = classes.flatMap((name, label) =>
  readdirSync(join(validation, name)).map((file) => ({ input: features(join(validation, name, file)), label })),
);

const weights = fit(train);
const right = classes.map(() => 0);
const all = classes.map(() => 0);
for (const { input, label } of test) {
  all[label]++;
  const logits = scores(weights, input);
  if (logits.indexOf(Math.max(...logits)) === label) right[label]++;
}
const details = Object.fromEntries(classes.map((name, i) => [`accuracy/${name}`, right[i] / all[i]]));
const score = right.reduce((a, b) => a + b, 0) / test.length;
console.error(
  `${train.length} generated images, ${test.length} real ones: accuracy ${score.toFixed(3)} (seed ${seed})`,
);
console.log(JSON.stringify({ score, details }));

/** Full-batch gradient descent on the cross-entropy, from zero: the same data give the same weights. */
function fit(data) {
  const width = SIDE * SIDE + 1;
  const matrix = classes.map(() => new Float64Array(width));
  for (let step = 0; step < STEPS; step++) {
    const gradient = classes.map(() => new Float64Array(width));
    for (const { input, label } of data) {
      const logits = scores(matrix, input);
      const top = Math.max(...logits);
      const exponentials = logits.map((value) => Math.exp(value - top));
      const sum = exponentials.reduce((a, b) => a + b, 0);
      for (let c = 0; c < classes.length; c++) {
        const error = exponentials[c] / sum - (c === label ? 1 : 0);
        for (let i = 0; i < width; i++) gradient[c][i] += (error * input[i]) / data.length;
      }
    }
    for (let c = 0; c < classes.length; c++) {
      for (let i = 0; i < width; i++) matrix[c][i] -= RATE * (gradient[c][i] + DECAY * matrix[c][i]);
    }
  }
  return matrix;
}

function scores(matrix, input) {
  return matrix.map((row) => row.reduce((sum, weight, i) => sum + weight * input[i], 0));
}

/** Grey pixels on a grid of 16 × 16, with mean 0 and variance 1, and a constant 1. */
function features(path) {
  if (!existsSync(path)) throw new Error(`no such picture: ${path}`);
  const { width, height, channels, pixels } = decodePng(readFileSync(path), path);
  const sums = new Float64Array(SIDE * SIDE);
  const counts = new Float64Array(SIDE * SIDE);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = Math.floor((y * SIDE) / height) * SIDE + Math.floor((x * SIDE) / width);
      const at = (y * width + x) * channels;
      sums[cell] += channels < 3 ? pixels[at] : (pixels[at] + pixels[at + 1] + pixels[at + 2]) / 3;
      counts[cell]++;
    }
  }
  const grey = sums.map((sum, i) => sum / Math.max(1, counts[i]));
  const mean = grey.reduce((a, b) => a + b, 0) / grey.length;
  const deviation = Math.sqrt(grey.reduce((sum, value) => sum + (value - mean) ** 2, 0) / grey.length) || 1;
  return Float64Array.from([...grey.map((value) => (value - mean) / deviation / SIDE), 1]);
}

/** PNG of 8 bits a sample: grey, RGB, with or without alpha. */
function decodePng(bytes, path) {
  if (bytes.readUInt32BE(0) !== 0x89504e47) throw new Error(`not a PNG: ${path}`);
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[bytes[25]];
  if (bytes[24] !== 8 || !channels || bytes[28] !== 0) throw new Error(`not an 8-bit PNG without palette: ${path}`);
  const data = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const pixels = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let i = 0; i < stride; i++) {
      const left = i < channels ? 0 : pixels[y * stride + i - channels];
      const up = y === 0 ? 0 : pixels[(y - 1) * stride + i];
      const corner = y === 0 || i < channels ? 0 : pixels[(y - 1) * stride + i - channels];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      pixels[y * stride + i] = raw[y * (stride + 1) + 1 + i] + guess;
    }
  }
  return { width, height, channels, pixels };
}

/** The neighbour nearest to left + up − corner. */
function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
