import { join } from 'node:path';
import { z } from 'zod';
import { writeFileWhole } from '../dataset/files.js';
import { type AttributeSpec, attributeRange } from '../scene/attributeSchema.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { readJson } from './readJson.js';

const FILE = 'attributes.json';
/** Bins of an attribute's range; 36 makes 10° of a full turn. */
export const ATTRIBUTE_BINS = 36;

/** Whose scenes: of the grammar, of the run's transformer, of the target (known in experiments only). */
export const ATTRIBUTE_SOURCES = ['input', 'learned', 'target'] as const;
export type AttributeSourceName = (typeof ATTRIBUTE_SOURCES)[number];

const histogramSchema = z.object({
  unit: z.string(),
  /** Ends of the first and of the last of equal bins; values beyond count into those. */
  minimum: z.number(),
  maximum: z.number(),
  /** The two ends are one value: an angle. */
  periodic: z.boolean(),
  /** Whether training may change it, in any object of the class. */
  mutable: z.boolean(),
  counts: z.array(z.number()).min(1),
});
const sourceSchema = z.object({
  /** Scenes counted. */
  scenes: z.number(),
  /** Meta-epochs that the weights had seen; 0 where none are involved. */
  epoch: z.number(),
  /** class → attribute → histogram over all objects of the class */
  classes: z.record(z.string(), z.record(z.string(), histogramSchema)),
});
const schema = z.object({
  format: z.literal('metasim-attributes'),
  sources: z.partialRecord(z.enum(ATTRIBUTE_SOURCES), sourceSchema),
});

export type AttributeHistogram = z.output<typeof histogramSchema>;
export type SourceHistograms = z.output<typeof sourceSchema>;
/** What `attributes.json` in a run folder holds. */
export type AttributeHistograms = z.output<typeof schema>['sources'];

/**
 * Counts the attributes of all objects of a batch, by class. Values are those of the nodes, in the frames of their
 * parents.
 * @param epoch of the weights that made the scenes
 */
export function attributeHistograms(batch: SceneBatch, epoch = 0): SourceHistograms {
  const { classes: names, attributes: specs } = batch.schema;
  const classes: Record<string, Record<string, AttributeHistogram>> = {};
  for (const scene of batch.scenes) {
    for (let node = 0; node < scene.classId.length; node++) {
      const ofClass = (classes[names[scene.classId[node]]] ??= Object.fromEntries(
        specs.map((spec) => [spec.name, emptyHistogram(spec)]),
      ));
      for (const [column, spec] of specs.entries()) {
        const at = node * specs.length + column;
        const histogram = ofClass[spec.name];
        histogram.mutable ||= scene.mutable[at] === 1;
        histogram.counts[binOf(spec, scene.attributes[at])]++;
      }
    }
  }
  return { scenes: batch.scenes.length, epoch, classes };
}

function emptyHistogram({ unit, minimum, maximum, periodic }: AttributeSpec): AttributeHistogram {
  return { unit, minimum, maximum, periodic, mutable: false, counts: new Array<number>(ATTRIBUTE_BINS).fill(0) };
}

function binOf(spec: AttributeSpec, value: number): number {
  const bin = Math.floor(((value - spec.minimum) / attributeRange(spec)) * ATTRIBUTE_BINS);
  return Math.min(ATTRIBUTE_BINS - 1, Math.max(0, bin));
}

/** Records sources in a run folder's `attributes.json`; those it held already and that are not given stay. */
export async function writeAttributeHistograms(run: string, sources: AttributeHistograms): Promise<void> {
  const whole = { format: 'metasim-attributes', sources: { ...(await readAttributeHistograms(run)), ...sources } };
  await writeFileWhole(join(run, FILE), `${JSON.stringify(whole)}\n`);
}

/** What was recorded; {} where nothing legible was. */
export async function readAttributeHistograms(run: string): Promise<AttributeHistograms> {
  const parsed = schema.safeParse(await readJson(join(run, FILE)));
  return parsed.success ? parsed.data.sources : {};
}
