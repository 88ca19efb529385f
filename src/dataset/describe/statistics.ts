import { z } from 'zod';
import { DatasetError } from '../../errors.js';
import { type DatasetInfo, type ImageLabels, type SampleObject, thingsOf } from '../sample.js';

/** Bins of an attribute's range; 24 makes 15° of a full turn. */
export const ATTRIBUTE_BINS = 24;
/** Bins of the visible fraction, 0 to 1. */
export const FRACTION_BINS = 20;
/** Images with more objects count as having this many. */
export const MAX_OBJECTS_PER_IMAGE = 1000;

const natural = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/**
 * Bin → how many, bins without any left out. Keys are whole numbers, which JavaScript keeps in order whatever the order
 * in which they came, so that equal counts are equal JSON.
 */
const countsSchema = z.record(z.string().regex(/^\d{1,9}$/), natural);

const axisSchema = z.object({ name: z.string(), unit: z.string(), minimum: z.number(), maximum: z.number() });

const classSchema = z.strictObject({
  name: z.string(),
  /** Objects of which at least one pixel is seen, and images that have one. */
  objects: natural,
  images: natural,
  /** Objects that are listed, but hidden or off the canvas. */
  hidden: natural,
  /** Sum of the visible areas, px. */
  pixels: natural,
  /** Visible fraction of the seen objects, in `FRACTION_BINS` bins over [0, 1], see `binOf`. */
  visibleFraction: countsSchema,
  /** For each attribute axis the values of all listed objects, in `ATTRIBUTE_BINS` bins over its range, see `binOf`. */
  attributes: z.array(countsSchema),
});

const schema = z.strictObject({
  images: natural,
  /** Objects that formats of detection list (`thingsOf`) per image; more than `MAX_OBJECTS_PER_IMAGE` count as that many. */
  objectsPerImage: countsSchema,
  /** In the order of `DatasetInfo.classes`. */
  classes: z.array(classSchema),
  /** What `ClassStatistics.attributes` are binned by. */
  attributes: z.array(axisSchema),
});

/** An attribute and the range its histogram spans; a column of a scene schema or of a manifest is one. */
export type AttributeAxis = z.output<typeof axisSchema>;
export type Counts = z.output<typeof countsSchema>;
export type ClassStatistics = z.output<typeof classSchema>;

/**
 * What a dataset holds, in counts. A shard's statistics are small (a few kB of JSON), and whole numbers only: merged in
 * any order they give what one pass over the dataset gives.
 */
export type DatasetStatistics = z.output<typeof schema>;

/**
 * Checks statistics that were read from a file.
 * @param place for the error
 * @throws DatasetError naming the field
 */
export function parseStatistics(value: unknown, place: string): DatasetStatistics {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DatasetError(`Expected dataset statistics in ${place} but ${issue.path.join('.')}: ${issue.message}`);
}

/**
 * Bin of a value: 1 … `bins` for the equal parts of [minimum, maximum], both ends included, 0 below, `bins` + 1 above.
 */
export function binOf(value: number, minimum: number, maximum: number, bins: number): number {
  if (value < minimum) return 0;
  if (value > maximum) return bins + 1;
  // A range without extent has its one value in the first bin.
  if (maximum === minimum) return 1;
  return Math.min(bins, 1 + Math.floor(((value - minimum) / (maximum - minimum)) * bins));
}

/** Counts one class while samples come in. */
class ClassCollector {
  readonly name: string;
  readonly #axes: readonly AttributeAxis[];
  readonly #attributes: Float64Array[];
  readonly #fractions = new Float64Array(FRACTION_BINS + 2);
  #objects = 0;
  #images = 0;
  #hidden = 0;
  #pixels = 0;
  #lastImage = 0;

  constructor(name: string, axes: readonly AttributeAxis[]) {
    this.name = name;
    this.#axes = axes;
    this.#attributes = axes.map(() => new Float64Array(ATTRIBUTE_BINS + 2));
  }

  /** @param image number of the image, from 1 */
  add(object: SampleObject, image: number): void {
    if (object.box === null) this.#hidden++;
    else {
      this.#objects++;
      this.#pixels += object.pixels ?? 0;
      if (this.#lastImage !== image) this.#images++;
      this.#lastImage = image;
      if (object.visibleFraction !== undefined) this.#fractions[binOf(object.visibleFraction, 0, 1, FRACTION_BINS)]++;
    }
    const { attributes } = object;
    if (!attributes) return;
    for (let a = 0; a < this.#axes.length; a++) {
      const { name, minimum, maximum } = this.#axes[a];
      const value = Object.hasOwn(attributes, name) ? attributes[name] : Number.NaN;
      if (!Number.isNaN(value)) this.#attributes[a][binOf(value, minimum, maximum, ATTRIBUTE_BINS)]++;
    }
  }

  result(): ClassStatistics {
    return {
      name: this.name,
      objects: this.#objects,
      images: this.#images,
      hidden: this.#hidden,
      pixels: this.#pixels,
      visibleFraction: sparse(this.#fractions),
      attributes: this.#attributes.map(sparse),
    };
  }
}

/** Counts what the images of a dataset, or of a part of it, hold. Memory does not grow with their number. */
export class StatisticsCollector {
  readonly #info: DatasetInfo;
  readonly #axes: readonly AttributeAxis[];
  readonly #classes: ReadonlyMap<string, ClassCollector>;
  readonly #objectsPerImage = new Float64Array(MAX_OBJECTS_PER_IMAGE + 1);
  #images = 0;

  /** @param attributes the schema's columns; others that objects may have are not counted */
  constructor(info: DatasetInfo, attributes: readonly AttributeAxis[]) {
    this.#info = info;
    this.#axes = attributes.map(({ name, unit, minimum, maximum }) => ({ name, unit, minimum, maximum }));
    this.#classes = new Map(info.classes.map((name) => [name, new ClassCollector(name, this.#axes)]));
  }

  /** @throws DatasetError for an object of a class that is not the dataset's */
  add(labels: ImageLabels): void {
    this.#images++;
    for (const object of labels.objects) {
      const collector = this.#classes.get(object.class);
      if (!collector) {
        const names = this.#info.classes.join(', ');
        throw new DatasetError(
          `Expected one of ${names} for the class of an object but received "${object.class}" in image ${labels.key}`,
        );
      }
      collector.add(object, this.#images);
    }
    this.#objectsPerImage[Math.min(MAX_OBJECTS_PER_IMAGE, thingsOf(labels, this.#info).length)]++;
  }

  /** The counts so far. */
  result(): DatasetStatistics {
    return {
      images: this.#images,
      objectsPerImage: sparse(this.#objectsPerImage),
      classes: [...this.#classes.values()].map((collector) => collector.result()),
      attributes: [...this.#axes],
    };
  }
}

/**
 * Statistics of two parts together; merging is associative and commutative.
 * @throws DatasetError when their classes or attributes differ
 */
export function mergeTwo(a: DatasetStatistics, b: DatasetStatistics): DatasetStatistics {
  const names = (of: DatasetStatistics) => JSON.stringify([of.classes.map(({ name }) => name), of.attributes]);
  if (names(a) !== names(b)) {
    throw new DatasetError(
      `Expected statistics of the same classes and attributes but received ${names(a)} and ${names(b)}`,
    );
  }
  return {
    images: a.images + b.images,
    objectsPerImage: addCounts(a.objectsPerImage, b.objectsPerImage),
    classes: a.classes.map((one, i) => addClass(one, b.classes[i])),
    attributes: a.attributes,
  };
}

/**
 * Statistics of all parts together, in any order.
 * @throws DatasetError when there is none, or their classes or attributes differ
 */
export function mergeStatistics(parts: Iterable<DatasetStatistics>): DatasetStatistics {
  let sum: DatasetStatistics | undefined;
  for (const part of parts) sum = sum ? mergeTwo(sum, part) : part;
  if (!sum) throw new DatasetError('Expected statistics of at least one part but received none');
  return sum;
}

/** Counts as an array of `length` bins. */
export function denseCounts(counts: Counts, length: number): number[] {
  return Array.from({ length }, (_, bin) => counts[bin] ?? 0);
}

/** Number of all that was counted. */
export function totalOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function addClass(a: ClassStatistics, b: ClassStatistics): ClassStatistics {
  return {
    name: a.name,
    objects: a.objects + b.objects,
    images: a.images + b.images,
    hidden: a.hidden + b.hidden,
    pixels: a.pixels + b.pixels,
    visibleFraction: addCounts(a.visibleFraction, b.visibleFraction),
    attributes: a.attributes.map((counts, i) => addCounts(counts, b.attributes[i])),
  };
}

function addCounts(a: Counts, b: Counts): Counts {
  const sum: Counts = { ...a };
  for (const [bin, count] of Object.entries(b)) sum[bin] = (sum[bin] ?? 0) + count;
  return sum;
}

function sparse(dense: Float64Array): Counts {
  const counts: Counts = {};
  for (const [bin, count] of dense.entries()) if (count > 0) counts[bin] = count;
  return counts;
}
