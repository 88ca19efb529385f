import type { MeshBuilder } from './meshBuilder.js';
import { addBox } from './solids.js';
import { addProfile, bar, SEGMENTS, STRIP_LENGTH } from './stripProfile.js';

export const MAST_HEIGHT = 6.9;
const METAL = { tint: [0.8, 0.8, 0.8], place: [0.5, 0.3] } as const;
/** Bars run all along the strip, in longer pieces than a road. */
const BAR = [0, 1, SEGMENTS / 2] as const;
const WOOD = { tint: [1, 0.85, 0.7], place: [0.5, 0.3] } as const;

/** Posts of a guard rail, every four metres, away from the road: to the right of the beam (1) or to the left (−1). */
export function addPosts(builder: MeshBuilder, away: 1 | -1): void {
  const count = STRIP_LENGTH / 4;
  for (let i = 0; i < count; i++) {
    const z = (i + 0.5) / count;
    const half = 0.05 / STRIP_LENGTH;
    const [x0, x1] = away > 0 ? [0.1, 0.5] : [-0.5, -0.1];
    addBox(builder, [x0, -0.7, z - half], [x1, 0, z + half], { tint: [0.7, 0.7, 0.7], place: [0.5, 0.3] }, ['bottom']);
  }
}

/** Posts every three metres, and a second bar below the first. */
export function addRailing(builder: MeshBuilder): void {
  const posts = STRIP_LENGTH / 3;
  const half = 0.025 / STRIP_LENGTH;
  for (let i = 0; i < posts; i++) {
    const z = (i + 0.5) / posts;
    addBox(builder, [-0.05, -1, z - half], [0.05, 0, z + half], METAL, ['bottom', 'top']);
  }
  addProfile(builder, bar(0.5, 0.55, -0.05, 0.05), BAR, 1, METAL.tint);
}

/** Masts every forty metres with an arm across, and the wire on its other end. */
export function addMasts(builder: MeshBuilder): void {
  const masts = STRIP_LENGTH / 40;
  const half = 0.11 / STRIP_LENGTH;
  for (let i = 0; i < masts; i++) {
    const z = (i + 0.5) / masts;
    addBox(builder, [-0.08, -MAST_HEIGHT, z - half], [0.08, 0, z + half], WOOD, ['bottom']);
    addBox(builder, [-0.5, -6.4, z - half / 2], [0.5, -6.3, z + half / 2], WOOD);
  }
  addProfile(builder, bar(6.4, 6.44, -0.5, -0.48), BAR, 1, METAL.tint);
}
