import * as fc from 'fast-check';
import type { NodeSpec } from './spriteFixtures.js';

/** Random scenes of up to five nodes around a 45 × 45 canvas: every role, frames, hierarchy, all edge modes. */
export function arbitraryNodes(): fc.Arbitrary<NodeSpec[]> {
  const range = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const node = (index: number): fc.Arbitrary<NodeSpec> =>
    fc.record(
      {
        asset: fc.constantFrom(
          undefined,
          'background/grass',
          'seven',
          'arrow',
          'car',
          'disc',
          'tile',
          'glass',
          'stamp',
        ),
        parent: fc.oneof({ weight: 2, arbitrary: fc.constant(-1) }, fc.integer({ min: -1, max: index - 1 })),
        classId: fc.integer({ min: 0, max: 2 }),
        x: range(-10, 50),
        y: range(-10, 50),
        rotation: fc.oneof(range(-400, 400), fc.constantFrom(0, 90, 180, -90)),
        scale: range(0.4, 1.8),
        scaleX: fc.oneof(range(0.5, 1.6), fc.constant(-1)),
        scaleY: range(0.5, 1.6),
        brightness: range(0.2, 1.5),
        opacity: fc.oneof(range(0.05, 1), fc.constant(1)),
        red: range(0, 1),
        green: range(0, 1),
        blue: range(0, 1),
        mutable: fc.constant(true),
      },
      { noNullPrototype: true },
    );
  return fc.integer({ min: 1, max: 5 }).chain((count) => fc.tuple(...Array.from({ length: count }, (_, v) => node(v))));
}
