import { AssetError } from '../errors.js';
import { CAR_HEIGHT, CAR_WIDTH, drawCar } from './aerial/cars.js';
import { Draw } from './aerial/draw.js';
import { drawGrass, drawRoad, GRASS_SIZE, ROAD_HEIGHT, ROAD_WIDTH } from './aerial/grounds.js';
import { drawHouse, HOUSE_HEIGHT, HOUSE_WIDTH } from './aerial/houses.js';
import { drawTree, TREE_SIZE } from './aerial/trees.js';
import { AssetLibrary, type SpriteAsset, type SpriteImage } from './assetLibrary.js';

export interface ProceduralAerialOptions {
  /** How many textures of each kind, 0 … 10000. Default 600, 40, 20, 7 and 4. */
  readonly cars?: number;
  readonly trees?: number;
  readonly houses?: number;
  readonly grass?: number;
  readonly roads?: number;
  /** Side of the canvas they are drawn for, px, 16 … 1024: a unit is 1/128 of it. Default 128. */
  readonly size?: number;
  /** Seed of all drawings, an integer in [0, 2^53). Default 0. */
  readonly seed?: number;
  /** Only the part [from, to) of each kind, as shares of its count in [0, 1]: texture i of n where from ≤ i/n < to. */
  readonly from?: number;
  readonly to?: number;
}

const MAX_COUNT = 10000;
/** Side of the canvas, units. */
const UNITS = 128;

interface Kind {
  readonly folder: string;
  readonly width: number;
  readonly height: number;
  readonly edge: SpriteAsset['edge'];
  readonly draw: (draw: Draw, index: number, pixelsPerUnit: number) => SpriteImage;
}

/** In this order: a kind's position is its random stream. */
const KINDS = {
  cars: { folder: 'car', width: CAR_WIDTH, height: CAR_HEIGHT, edge: 'fade', draw: (d, _, k) => drawCar(d, k) },
  trees: { folder: 'tree', width: TREE_SIZE, height: TREE_SIZE, edge: 'fade', draw: (d, _, k) => drawTree(d, k) },
  houses: {
    folder: 'house',
    width: HOUSE_WIDTH,
    height: HOUSE_HEIGHT,
    edge: 'fade',
    draw: (d, _, k) => drawHouse(d, k),
  },
  grass: { folder: 'grass', width: GRASS_SIZE, height: GRASS_SIZE, edge: 'extend', draw: drawGrass },
  roads: { folder: 'road', width: ROAD_WIDTH, height: ROAD_HEIGHT, edge: 'fade', draw: drawRoad },
} as const satisfies Record<string, Kind>;

/** Counts of the paper's Aerial2D (Meta-Sim §4.2). */
const DEFAULT_COUNTS = { cars: 600, trees: 40, houses: 20, grass: 7, roads: 4 } as const;

/**
 * Cars, trees, houses, meadows and roads from straight above: names `aerial/⟨car|tree|house|grass|road⟩/⟨index⟩`, `rgba8`,
 * licence CC0-1.0. Cars head to the right, roads run to the right; shadows stay below half opacity, so that labels end with
 * the bodies. A texture depends on seed, size, kind and index only, and is drawn when it is loaded.
 * @throws AssetError when an option is out of range
 */
export function proceduralAerial(options: ProceduralAerialOptions = {}): AssetLibrary<SpriteAsset> {
  const { size = UNITS, seed = 0, from = 0, to = 1 } = options;
  expectInteger('size', size, 16, 1024);
  expectInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if (!(from >= 0 && from <= to && to <= 1)) {
    throw new AssetError(`Expected 0 ≤ from ≤ to ≤ 1 for the part of the textures but received ${from} and ${to}`);
  }
  const assets = Object.entries<Kind>(KINDS).flatMap(([kind, drawing], stream) => {
    const count = options[kind as keyof typeof KINDS] ?? DEFAULT_COUNTS[kind as keyof typeof KINDS];
    expectInteger(kind, count, 0, MAX_COUNT);
    const used = Array.from({ length: count }, (_, index) => index).filter((i) => i >= from * count && i < to * count);
    return used.map((index) => texture(drawing, stream, index, seed, size / UNITS));
  });
  return new AssetLibrary(assets);
}

function texture(kind: Kind, stream: number, index: number, seed: number, pixelsPerUnit: number): SpriteAsset {
  return {
    kind: 'sprite',
    name: `aerial/${kind.folder}/${String(index).padStart(4, '0')}`,
    width: Math.round(kind.width * pixelsPerUnit),
    height: Math.round(kind.height * pixelsPerUnit),
    format: 'rgba8',
    edge: kind.edge,
    licence: 'CC0-1.0',
    load: () => kind.draw(new Draw(seed, stream, index), index, pixelsPerUnit),
  };
}

function expectInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new AssetError(`Expected an integer from ${minimum} to ${maximum} for ${name} but received ${value}`);
  }
}
