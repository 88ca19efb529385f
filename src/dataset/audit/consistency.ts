import { occlusionLevel } from '../../annotate/annotateScene.js';
import type { ImageLabels, SampleObject } from '../sample.js';
import type { AuditLedger } from './ledger.js';

/** Fractions have four decimals: what follows from two of them may be off by about that. */
const FRACTION_TOLERANCE = 2e-4;
/** Text formats write boxes with a few decimals of a fraction of the image, px. */
const EDGE_TOLERANCE = 0.01;

/** What has to hold of an object's labels among themselves, whatever there is to recompute them from. */
export function checkConsistency(object: SampleObject, labels: ImageLabels, name: number, ledger: AuditLedger): void {
  const { box, visible, amodalBox, truncation, occluded, visibleFraction, occlusion } = object;
  if (box && !isOnCanvas(box, labels)) {
    ledger.note(name, 'box', `a box with an area, within ${labels.width} × ${labels.height} px`, box);
  }
  if (visible !== undefined && visible !== (box !== null)) ledger.note(name, 'visible', box !== null, visible);
  if (amodalBox && !hasArea(amodalBox)) ledger.note(name, 'amodalBox', 'a box with an area', amodalBox);
  else if (amodalBox !== undefined && box && !(amodalBox && contains(amodalBox, box))) {
    ledger.note(name, 'amodalBox', `a box that holds ${JSON.stringify(box)}`, amodalBox);
  }
  for (const field of ['truncation', 'occluded', 'visibleFraction'] as const) {
    const value = object[field];
    if (value !== undefined && !(value >= 0 && value <= 1)) ledger.note(name, field, 'a fraction from 0 to 1', value);
  }
  if (truncation === undefined || occluded === undefined) return;
  if (visibleFraction !== undefined && amodalBox) {
    const product = (1 - truncation) * (1 - occluded);
    if (!(Math.abs(visibleFraction - product) <= FRACTION_TOLERANCE)) {
      ledger.note(name, 'visibleFraction', `(1 − truncation) · (1 − occluded) = ${product}`, visibleFraction);
    }
  }
  // A truncation that was rounded to 1 leaves open whether a pixel is on the canvas.
  const level = amodalBox === null || truncation === 1 ? 3 : occlusionLevel(occluded);
  if (occlusion !== undefined && occlusion !== level && !(truncation === 1 && occlusion === occlusionLevel(occluded))) {
    ledger.note(name, 'occlusion', level, occlusion);
  }
}

type Box = readonly [number, number, number, number];

function hasArea([left, top, width, height]: Box): boolean {
  return Number.isFinite(left) && Number.isFinite(top) && width > 0 && height > 0;
}

function isOnCanvas(box: Box, { width, height }: ImageLabels): boolean {
  return hasArea(box) && contains([0, 0, width, height], box);
}

function contains([left, top, width, height]: Box, [l, t, w, h]: Box): boolean {
  const e = EDGE_TOLERANCE;
  return l >= left - e && t >= top - e && l + w <= left + width + e && t + h <= top + height + e;
}
