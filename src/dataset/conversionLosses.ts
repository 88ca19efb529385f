import type { DatasetFormat } from './format.js';
import { type DatasetSample, type ImageCodec, type SampleObject, SURFACE_LAYERS, type SurfaceLayer } from './sample.js';

/** Samples that are looked at again in the new dataset. */
const EXAMPLES = 16;
/** Boxes that differ by less are the same, px: text files hold few digits. */
const BOX_TOLERANCE = 0.01;

/** What a sample brought, without its arrays. */
interface Example {
  readonly labels: DatasetSample['labels'];
  readonly masks: boolean;
  readonly scene: boolean;
  readonly layers: readonly SurfaceLayer[];
}

/**
 * Finds out what a conversion loses, not from a list of what formats can do but by looking: the first samples are read
 * back from the files of the new dataset and compared with what the old one had.
 */
export class LossFinder {
  readonly #examples: Example[] = [];
  readonly #recoded = new Set<ImageCodec>();

  /** @param original as it was read @param sample as it was written */
  note(original: DatasetSample, sample: DatasetSample): void {
    if (original.image.codec !== sample.image.codec) this.#recoded.add(sample.image.codec);
    if (this.#examples.length === EXAMPLES) return;
    this.#examples.push({
      labels: structuredClone(original.labels),
      masks: original.instances !== undefined || original.classes !== undefined,
      scene: original.scene !== undefined,
      layers: SURFACE_LAYERS.filter((layer) => original[layer] !== undefined),
    });
  }

  /** Reads the new dataset with its own reader. @returns a sentence for each loss */
  async compare(format: DatasetFormat, folder: string): Promise<string[]> {
    const { name } = format;
    const losses = new Set<string>();
    for (const codec of this.#recoded) if (codec !== 'png') losses.add(`images are encoded anew as ${codec}`);
    let i = 0;
    for await (const read of (await format.open(folder)).samples()) {
      const { labels, masks, scene, layers } = this.#examples[i++];
      if (masks && !read.instances && !read.classes) losses.add(`masks are not kept by ${name}`);
      if (scene && !read.scene) losses.add(`scene graphs are not kept by ${name}`);
      for (const layer of layers)
        if (!read[layer]) losses.add(`${layer} ${layer === 'depth' ? 'is' : 'are'} not kept by ${name}`);
      if (labels.camera && !read.labels.camera) losses.add(`cameras are not kept by ${name}`);
      if (labels.key !== read.labels.key) losses.add(`names of samples are not kept by ${name}`);
      if (!format.holdsRecords) {
        for (const loss of objectLosses(labels.objects, read.labels.objects, name)) losses.add(loss);
      }
      if (i === this.#examples.length) break;
    }
    return [...losses];
  }
}

function objectLosses(before: readonly SampleObject[], after: readonly SampleObject[], name: string): string[] {
  const losses: string[] = [];
  const seen = before.filter(({ box }) => box !== null);
  const kept = seen.filter((object) => after.some((other) => other.class === object.class && sameBox(object, other)));
  const classes = new Set(after.map((object) => object.class));
  const lacking = seen.filter((object) => !kept.includes(object));
  for (const object of lacking) {
    losses.push(
      classes.has(object.class)
        ? `boxes are not kept as they are by ${name}`
        : `objects of class ${object.class} are not all listed by ${name}`,
    );
  }
  const fields = new Set(before.flatMap((object) => Object.keys(object)));
  for (const object of after) for (const field of Object.keys(object)) fields.delete(field);
  if (fields.size > 0 && after.length > 0) {
    losses.push(`${name} has no place for ${[...fields].join(', ')}; the label records are kept in .metasim/labels`);
  }
  return losses;
}

function sameBox({ box: a }: SampleObject, { box: b }: SampleObject): boolean {
  return a !== null && b !== null && a.every((value, i) => Math.abs(value - b[i]) <= BOX_TOLERANCE);
}
