import type { FeatureLayout } from '../scene/features.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { mapUnits } from './classMaps.js';
import type { ClassSurveyResult } from './classSurvey.js';
import { type ShiftSurveyResult, shiftUnits } from './warmStart.js';

/** What a warm start found. */
export type WarmStartResult = ShiftSurveyResult | ClassSurveyResult;

/** The batch's attributes as the warm start's best point has them: what pre-training reproduces, [B, V, A]. */
export function warmStartUnits(layout: FeatureLayout, batch: SceneBatch, result: WarmStartResult): Float32Array {
  if (result.kind === 'classes') return mapUnits(layout, batch, result.best.maps);
  const own = layout.units(batch);
  const moved = shiftUnits(layout, batch, result.best.offsets);
  const mutable = layout.mutableMask(batch);
  return own.map((value, i) => (mutable[i] ? moved[i] : value));
}
