import { movableSprites } from '../annotate/movableSprites.js';
import { visibleRegions } from '../annotate/visibleRegions.js';
import { ShapeError } from '../errors.js';
import { COVERAGE_COLUMNS, CoverageColumn } from '../render/coverage.js';
import type { Engine, RenderedBatch } from '../render/engine.js';
import type { SceneBatch } from '../scene/sceneGraph.js';

/** An object of which less than this share is seen counts as hidden. */
export const HIDDEN_BELOW = 0.1;

/** How much of the movable objects of a batch is seen. */
export interface Visibility {
  /** Mean visible fraction of the objects of each class that has any, 0–1. */
  readonly byClass: Readonly<Record<string, number>>;
  /** Share of the objects of which less than `HIDDEN_BELOW` is seen; NaN where there are none. */
  readonly hidden: number;
  /** Number of movable objects. */
  readonly objects: number;
}

/**
 * Visible fractions of the objects that a transformer could hide (`movableSprites`): pixels seen ÷ pixels that the object
 * would cover alone on a canvas without bounds, as in the labels (`ObjectLabel.visibleFraction`). An object that covers
 * no pixel even alone is not seen. Meta-Sim's failure are objects that are moved onto each other or off the canvas.
 * @param rendered of the batch, with labels
 * @throws ShapeError when the rendering has no labels or is of another batch
 */
export function visibilityOf(
  batch: SceneBatch,
  rendered: Pick<RenderedBatch, 'instances' | 'coverage' | 'width' | 'height'>,
): Visibility {
  const { instances, coverage, width, height } = rendered;
  if (!instances || !coverage) throw new ShapeError('Expected a rendering with labels but received one without');
  const sums = new Map<string, { sum: number; count: number }>();
  let hidden = 0;
  let objects = 0;
  let row = 0;
  for (const [i, scene] of batch.scenes.entries()) {
    const nodes = scene.parent.length;
    const view = instances.subarray(i * width * height, (i + 1) * width * height);
    const { pixels } = visibleRegions(view, width, height, nodes);
    for (const v of movableSprites(batch.schema, scene)) {
      const alone = coverage[(row + v) * COVERAGE_COLUMNS + CoverageColumn.Pixels];
      const fraction = alone > 0 ? pixels[v] / alone : 0;
      const name = batch.schema.classes[scene.classId[v]];
      const entry = sums.get(name) ?? { sum: 0, count: 0 };
      sums.set(name, { sum: entry.sum + fraction, count: entry.count + 1 });
      if (fraction < HIDDEN_BELOW) hidden++;
      objects++;
    }
    row += nodes;
  }
  const byClass = Object.fromEntries([...sums].map(([name, { sum, count }]) => [name, sum / count]));
  return { byClass, hidden: objects > 0 ? hidden / objects : Number.NaN, objects };
}

/**
 * What a training epoch records of visibility, before and after G_θ: `visible/input/⟨class⟩`,
 * `visible/generated/⟨class⟩`, `hidden/input` and `hidden/generated`; nothing where no object can move.
 */
export async function visibilityDetails(
  engine: Engine,
  input: SceneBatch,
  generated: SceneBatch,
  signal?: AbortSignal,
): Promise<Record<string, number>> {
  const details: Record<string, number> = {};
  for (const [when, batch] of Object.entries({ input, generated })) {
    const rendered = await engine.render(batch, { color: 'none', labels: true, signal });
    const { byClass, hidden, objects } = visibilityOf(batch, rendered);
    if (objects === 0) continue;
    for (const [name, fraction] of Object.entries(byClass)) details[`visible/${when}/${name}`] = fraction;
    details[`hidden/${when}`] = hidden;
  }
  return details;
}
