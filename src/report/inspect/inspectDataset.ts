import type { AttributeAxis, DatasetStatistics } from '../../dataset/describe/statistics.js';
import { StatisticsCollector } from '../../dataset/describe/statistics.js';
import type { DatasetReader } from '../../dataset/format.js';
import { pixelsOf } from '../../dataset/imageCodec.js';
import type { DatasetInfo, DatasetSample, ImageLabels } from '../../dataset/sample.js';
import { DatasetError } from '../../errors.js';
import { RandomStream } from '../../random.js';
import type { ShownSample } from './labelTile.js';

/** Images whose labels are held to find out the attributes' ranges, where nobody has told them. */
const RANGE_IMAGES = 512;

export interface InspectOptions {
  /** Number of samples that are shown; default 64. */
  readonly count?: number;
  /** Chooses them; default 0. */
  readonly seed?: number;
  /** Attributes and the ranges of their histograms; default: those of the first images, and as wide as there. */
  readonly attributes?: readonly AttributeAxis[];
  readonly signal?: AbortSignal;
  /** Called with the number of images read. */
  readonly onProgress?: (done: number) => void;
}

/** What a look at a dataset found. */
export interface Inspection {
  readonly info: DatasetInfo;
  /** Number of images read: all of them. */
  readonly images: number;
  /** The chosen samples in the dataset's order, decoded. */
  readonly shown: readonly ShownSample[];
  readonly statistics: DatasetStatistics;
}

/**
 * Reads a dataset once from end to end: counts everything, and keeps `count` samples that are drawn evenly from all of
 * it. Memory does not grow with the dataset.
 * @throws DatasetError when the dataset is empty or damaged
 */
export async function inspectDataset(reader: DatasetReader, options: InspectOptions = {}): Promise<Inspection> {
  const { count = 64, seed = 0, signal, onProgress } = options;
  const { info } = reader;
  const reservoir: { readonly position: number; readonly sample: DatasetSample }[] = [];
  const counter = new LabelCounter(info, options.attributes);
  let images = 0;
  for await (const sample of reader.samples({ signal })) {
    signal?.throwIfAborted();
    counter.add(sample.labels);
    const slot = reservoirSlot(seed, images, count);
    if (slot !== undefined) reservoir[slot] = { position: images, sample: kept(sample) };
    images++;
    onProgress?.(images);
  }
  if (images === 0) throw new DatasetError(`Expected at least one image in the dataset ${info.name} but found none`);
  reservoir.sort((a, b) => a.position - b.position);
  const shown: ShownSample[] = [];
  for (const { sample } of reservoir) {
    const image = await pixelsOf(sample);
    const { labels, instances, depth, normals } = sample;
    const pixels = image.width * image.height;
    shown.push({
      ...{ labels, image },
      ...(instances?.length === pixels ? { instances } : {}),
      ...(depth?.length === pixels ? { depth } : {}),
      ...(normals?.length === 3 * pixels ? { normals } : {}),
    });
  }
  return { info, images, shown, statistics: counter.result() };
}

/**
 * The slot of the reservoir that image `position` takes, if any (Vitter 1985, algorithm R): after n images each of them
 * is kept with probability size ∕ n, whatever n will be.
 */
export function reservoirSlot(seed: number, position: number, size: number): number | undefined {
  if (position < size) return position;
  const slot = new RandomStream({ seed, index: position }).integer(position + 1);
  return slot < size ? slot : undefined;
}

/** The sample with arrays of its own: a reader's are valid until its next one. */
function kept(sample: DatasetSample): DatasetSample {
  const { labels, image, pixels, instances, depth, normals } = sample;
  return {
    labels,
    image: { codec: image.codec, bytes: image.bytes.slice() },
    ...(pixels ? { pixels: pixels.slice() } : {}),
    ...(instances ? { instances: instances.slice() } : {}),
    ...(depth ? { depth: depth.slice() } : {}),
    ...(normals ? { normals: normals.slice() } : {}),
  };
}

/** Statistics of labels; finds the attributes' ranges from the first of them where they are not given. */
class LabelCounter {
  readonly #info: DatasetInfo;
  #collector: StatisticsCollector | undefined;
  #held: ImageLabels[] = [];

  constructor(info: DatasetInfo, attributes: readonly AttributeAxis[] | undefined) {
    this.#info = info;
    if (attributes) this.#collector = new StatisticsCollector(info, attributes);
  }

  add(labels: ImageLabels): void {
    if (this.#collector) this.#collector.add(labels);
    else if (this.#held.push(labels) === RANGE_IMAGES) this.#start();
  }

  result(): DatasetStatistics {
    return this.#start().result();
  }

  #start(): StatisticsCollector {
    this.#collector ??= new StatisticsCollector(this.#info, axesOf(this.#held));
    for (const labels of this.#held) this.#collector.add(labels);
    this.#held = [];
    return this.#collector;
  }
}

/** The attributes that objects have, each over the range of its values. */
export function axesOf(images: readonly ImageLabels[]): AttributeAxis[] {
  const ranges = new Map<string, [number, number]>();
  for (const { objects } of images) {
    for (const { attributes = {} } of objects) {
      for (const [name, value] of Object.entries(attributes)) {
        if (!Number.isFinite(value)) continue;
        const [minimum, maximum] = ranges.get(name) ?? [value, value];
        ranges.set(name, [Math.min(minimum, value), Math.max(maximum, value)]);
      }
    }
  }
  return [...ranges].map(([name, [minimum, maximum]]) => ({ name, unit: '', minimum, maximum }));
}
