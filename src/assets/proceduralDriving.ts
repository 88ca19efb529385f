import { AssetError } from '../errors.js';
import { Draw } from './aerial/draw.js';
import { AssetLibrary, type SpriteImage } from './assetLibrary.js';
import { CAR_SHARES, type CarShapeName, drawCar } from './driving/carShapes.js';
import { carModel } from './driving/cars.js';
import { GROUND_NAMES, groundModel } from './driving/grounds.js';
import { highriseModel } from './driving/highrise.js';
import { houseModel, terraceModel } from './driving/houses.js';
import { MeshBuilder } from './driving/meshBuilder.js';
import type { Model } from './driving/model.js';
import { cyclistModel, pedestrianModel } from './driving/people.js';
import { bollardModel, lampModel, mastModel, signModel, trafficLightModel } from './driving/poles.js';
import { STRIP_NAMES, stripModel } from './driving/strips.js';
import { drawFoliage } from './driving/surfaces.js';
import { bushModel, columnModel, coniferModel, deciduousModel, hedgeModel } from './driving/trees.js';
import type { MeshAsset, MeshData } from './meshAsset.js';

export interface ProceduralDrivingOptions {
  /** How many meshes of each kind, 0 … 1000. Default 84, 32, 20, 16, 24, 8 and 24. */
  readonly cars?: number;
  readonly trees?: number;
  readonly houses?: number;
  readonly towers?: number;
  readonly pedestrians?: number;
  readonly cyclists?: number;
  readonly poles?: number;
  /** Seed of all shapes, an integer in [0, 2^53). Default 0. */
  readonly seed?: number;
  /** Only the part [from, to) of each kind, as shares of its count in [0, 1]; strips and grounds are always all there. */
  readonly from?: number;
  readonly to?: number;
}

const MAX_COUNT = 1000;

/** What meshes share: made once, when the first of them is loaded. */
interface Shared {
  readonly leaves: () => SpriteImage;
}

/** A way to make a mesh: its folder, and its share of the kind. */
interface Variety {
  readonly share: number;
  readonly folder: string;
  readonly model: (draw: Draw, shared: Shared) => Model;
}

interface Kind {
  readonly count: number;
  readonly varieties: readonly Variety[];
}

/** In this order: a kind's position is its random stream. */
const KINDS = {
  cars: { count: 84, varieties: CAR_SHARES.map(([share, name]) => carVariety(share, name)) },
  trees: {
    count: 32,
    varieties: [
      { share: 14, folder: 'trees/deciduous', model: (draw, { leaves }) => deciduousModel(draw, leaves) },
      { share: 6, folder: 'trees/bush', model: (draw, { leaves }) => bushModel(draw, leaves) },
      { share: 5, folder: 'trees/column', model: (draw, { leaves }) => columnModel(draw, leaves) },
      { share: 4, folder: 'trees/conifer', model: (draw, { leaves }) => coniferModel(draw, leaves) },
      { share: 3, folder: 'trees/hedge', model: (draw, { leaves }) => hedgeModel(draw, leaves) },
    ],
  },
  houses: { count: 20, varieties: [{ share: 1, folder: 'houses', model: houseModel }] },
  towers: {
    count: 16,
    varieties: [
      { share: 10, folder: 'towers/terrace', model: terraceModel },
      { share: 6, folder: 'towers/highrise', model: highriseModel },
    ],
  },
  pedestrians: { count: 24, varieties: [{ share: 1, folder: 'pedestrians', model: pedestrianModel }] },
  cyclists: { count: 8, varieties: [{ share: 1, folder: 'cyclists', model: cyclistModel }] },
  poles: {
    count: 24,
    varieties: [
      { share: 6, folder: 'poles/lamp', model: lampModel },
      { share: 8, folder: 'poles/sign', model: signModel },
      { share: 3, folder: 'poles/light', model: trafficLightModel },
      { share: 5, folder: 'poles/post', model: bollardModel },
      { share: 2, folder: 'poles/mast', model: mastModel },
    ],
  },
} as const satisfies Record<string, Kind>;

/** Random streams of this library: those below are of others. */
const FIRST_STREAM = 64;
const STRIP_STREAM = FIRST_STREAM - 1;
const GROUND_STREAM = FIRST_STREAM - 2;
const LEAF_STREAM = FIRST_STREAM - 3;

function carVariety(share: number, name: CarShapeName): Variety {
  return { share, folder: `cars/${name}`, model: (draw) => carModel(drawCar(draw, name)) };
}

/**
 * Cars, trees, buildings, people, things at the roadside, roads and ground for driving scenes: names
 * `driving/⟨kind⟩/⟨variety⟩/⟨number⟩`, licence CC0-1.0. A mesh depends on seed, kind, variety and number only; sizes are
 * known at once, triangles and textures are made when the mesh is loaded.
 * @throws AssetError when an option is out of range
 */
export function proceduralDriving(options: ProceduralDrivingOptions = {}): AssetLibrary<MeshAsset> {
  const { seed = 0, from = 0, to = 1 } = options;
  expectInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if (!(from >= 0 && from <= to && to <= 1)) {
    throw new AssetError(`Expected 0 ≤ from ≤ to ≤ 1 for the part of the meshes but received ${from} and ${to}`);
  }
  const shared: Shared = { leaves: once(() => drawFoliage(new Draw(seed, LEAF_STREAM, 0), 256, 46)) };
  const kinds = Object.entries<Kind>(KINDS).flatMap(([name, kind], position) => {
    const count = options[name as keyof typeof KINDS] ?? kind.count;
    expectInteger(name, count, 0, MAX_COUNT);
    return shareOut(kind.varieties, count)
      .filter((_, i) => i >= from * count && i < to * count)
      .map(({ variety, number }) => {
        const { folder, model } = kind.varieties[variety];
        const draw = () => new Draw(seed, FIRST_STREAM + position, variety * MAX_COUNT + number);
        return meshAsset(`${folder}/${String(number).padStart(2, '0')}`, () => model(draw(), shared));
      });
  });
  const strips = STRIP_NAMES.map((name, i) =>
    meshAsset(`strips/${name}`, () => stripModel(new Draw(seed, STRIP_STREAM, i), name)),
  );
  const grounds = GROUND_NAMES.map((name, i) =>
    meshAsset(`grounds/${name}`, () => groundModel(new Draw(seed, GROUND_STREAM, i), name)),
  );
  return new AssetLibrary([...kinds, ...strips, ...grounds]);
}

/**
 * Which variety each of `count` meshes is, and its number in it: in turn, by shares, so that every beginning of the list
 * has all varieties and a longer list begins like a shorter one.
 */
function shareOut(varieties: readonly Variety[], count: number): { variety: number; number: number }[] {
  const total = varieties.reduce((sum, { share }) => sum + share, 0);
  const given = varieties.map(() => 0);
  return Array.from({ length: count }, (_, i) => {
    const behind = varieties.map(({ share }, v) => (share / total) * (i + 1) - given[v]);
    const variety = behind.indexOf(Math.max(...behind));
    return { variety, number: given[variety]++ };
  });
}

/**
 * All of it is found out when it is asked for: most meshes of a library are never drawn.
 * @param begin makes the model anew, as drawing its details uses up its random stream
 */
function meshAsset(name: string, begin: () => Model): MeshAsset {
  const announced = once(() => {
    const { bounds, body, surface } = begin();
    return { ...bounds, body, surface };
  });
  let triangles: number | undefined;
  // Who asks for the number of triangles is mostly about to load them.
  let gathered: { readonly model: Model; readonly data: MeshData } | undefined;
  const gather = () => {
    const model = begin();
    const builder = new MeshBuilder();
    model.gather(builder);
    triangles = builder.triangles;
    return { model, data: builder.finish(model.crease, model.bounds, model.texture !== undefined) };
  };
  return {
    kind: 'mesh',
    name: `driving/${name}`,
    get minimum() {
      return announced().minimum;
    },
    get maximum() {
      return announced().maximum;
    },
    get body() {
      return announced().body;
    },
    get surface() {
      return announced().surface;
    },
    get triangles(): number {
      if (triangles === undefined) gathered = gather();
      return triangles as number;
    },
    licence: 'CC0-1.0',
    load: () => {
      const { model, data } = gathered ?? gather();
      gathered = undefined;
      const texture = model.texture?.();
      return texture ? { ...data, texture } : data;
    },
  };
}

/** The function, called once at most. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function expectInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new AssetError(`Expected an integer from ${minimum} to ${maximum} for ${name} but received ${value}`);
  }
}
