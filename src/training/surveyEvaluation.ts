import { tf } from '../learn/tf.js';
import type { MmdLoss } from '../loss/mmd.js';
import type { Engine } from '../render/engine.js';
import type { FeatureLayout } from '../scene/features.js';
import { type SceneBatch, withAttributes } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';

/** What every warm start needs to judge where training could begin. */
export interface SurveySetting {
  readonly source: SceneSource;
  readonly engine: Engine;
  readonly layout: FeatureLayout;
  readonly mmd: MmdLoss;
  /** Of the scenes that candidates are judged on, and of the order in which they are tried. */
  readonly seed: number;
  /** Half-step of the central differences, px. */
  readonly pixelDelta: number;
  readonly signal?: AbortSignal;
  /** Called after each evaluation with the fraction done and the lowest MMD² so far. */
  readonly onProgress?: (fraction: number, best: number) => void;
}

/**
 * MMD² of a batch whose attributes are replaced.
 * @param units [B, V, A] in units of the range
 */
export async function mmdOfUnits(setting: SurveySetting, batch: SceneBatch, units: Float32Array): Promise<number> {
  const { images } = await renderUnits(setting, batch, units);
  try {
    return tf.tidy(() => setting.mmd.value(images).dataSync()[0]);
  } finally {
    images.dispose();
  }
}

/** MMD² as `mmdOfUnits`, and its gradient with respect to the units, [B, V, A]. */
export async function mmdGradientOfUnits(
  setting: SurveySetting,
  batch: SceneBatch,
  units: Float32Array,
): Promise<{ value: number; gradient: Float32Array }> {
  const { engine, layout, mmd, pixelDelta, signal } = setting;
  const { images, moved } = await renderUnits(setting, batch, units);
  try {
    const { value, gradient } = mmd.valueAndGradient(images);
    const imageGradient = gradient.dataSync() as Float32Array;
    gradient.dispose();
    const attributeGradient = await engine.vjp(moved, imageGradient, { pixelDelta, signal });
    return { value, gradient: layout.padGradient(attributeGradient, moved) };
  } finally {
    images.dispose();
  }
}

async function renderUnits(
  { engine, layout, signal }: SurveySetting,
  batch: SceneBatch,
  units: Float32Array,
): Promise<{ images: tf.Tensor4D; moved: SceneBatch }> {
  const moved = withAttributes(batch, layout.toPhysical(units, batch));
  const { color, count, width, height, channels } = await engine.render(moved, { color: 'f32', signal });
  return { images: tf.tensor4d(color as Float32Array, [count, height, width, channels]), moved };
}
