import { annotateScene } from '../annotate/annotateScene.js';
import { meshBounds } from '../annotate/meshBounds.js';
import { imageCamera } from '../annotate/meshGeometry.js';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { ConfigError, DatasetError, MetasimError } from '../errors.js';
import { Engine } from '../render/engine.js';
import { decodeScenes } from '../render/verify.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { checkBox3d, type Overhang, overhangOf } from './audit/boxes3d.js';
import { compareCamera, compareLabels } from './audit/compare.js';
import { checkConsistency } from './audit/consistency.js';
import { type ExpectedLabel, expectedFromMask, expectedFromScene, withMinimum } from './audit/expected.js';
import { type AuditDisagreement, AuditLedger } from './audit/ledger.js';
import { checkListing } from './audit/listing.js';
import { checkMasks, differingEntries } from './audit/masks.js';
import { checkSurfaces } from './audit/surfaces.js';
import { encodeDepth } from './depthCode.js';
import type { DatasetReader } from './format.js';
import { pixelsOf } from './imageCodec.js';
import { encodeNormals } from './normalCode.js';
import type { DatasetInfo, DatasetSample, SampleObject } from './sample.js';
import { layerFlags } from './surfaceLayers.js';

export type { AuditDisagreement } from './audit/ledger.js';

export interface AuditOptions {
  /** Textures of the scenes: with them scenes are rendered again, and images, masks and amodal labels compared too. */
  readonly assets?: AssetLibrary;
  /** Visible px that an object needed to count as visible when the dataset was made; default 1. */
  readonly minimumPixels?: number;
  /** How many disagreements are listed, ≥ 0; default 100. All are counted. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
  /** Called with the number of samples looked at. */
  readonly onProgress?: (done: number) => void;
}

/** What an audit found. */
export interface AuditSummary {
  readonly samples: number;
  readonly objects: number;
  /** Samples that brought an instance mask, a scene graph, and those that were rendered again. */
  readonly masks: number;
  readonly scenes: number;
  readonly rendered: number;
  /** Number of all disagreements; 0: every label is what it should be, as far as there was something to compare with. */
  readonly disagreements: number;
  /** The same by field, the most frequent first. */
  readonly byField: Readonly<Record<string, number>>;
  /** The first of them, as many as `limit` says. */
  readonly listed: readonly AuditDisagreement[];
}

/** What has to be known of a dataset: its classes, and those that formats of detection list. */
export interface AuditedInfo extends Pick<DatasetInfo, 'classes' | 'things'> {
  /** Whether masks hold one segment for all of a class that is no thing, as COCO's do; default false. */
  readonly mergesStuff?: boolean | undefined;
}

/** Samples without a reader. */
export interface AuditedSamples {
  readonly info: AuditedInfo;
  readonly samples: AsyncIterable<AuditedSample> | Iterable<AuditedSample>;
}

/** A sample whose label record is kept beside the format's own files. */
export interface AuditedSample extends DatasetSample {
  /** What those files list: a part of the record. */
  readonly listed?: readonly SampleObject[];
}

const DEFAULT_LIMIT = 100;
const NONE = new Float32Array(0);

/**
 * Recomputes every label that can be: modal box, visible pixels, centre and class from the masks; class, texture, pose and
 * attributes from the scene graph, in 3D the camera too; amodal boxes and fractions, 3D boxes, masks, depth, normals and (of
 * PNGs) pixels by rendering the scene again, where `assets` are given. In 3D a box has to project around the pixels of its
 * object, to agree with pose and camera, and to hold the depth that is seen. Reports what disagrees, objects that are missing or doubled, mask ids without an object, boxes
 * without area or off the canvas, and labels that contradict one another. Objects that name no node (datasets of others)
 * are only checked for the latter. Streams: memory does not grow with the number of samples or disagreements.
 * @throws DatasetError when the dataset cannot be read; AssetError when `assets` lack a texture; the signal's reason when
 *   aborted
 */
export async function auditSamples(
  source: DatasetReader | AuditedSamples,
  options: AuditOptions = {},
): Promise<AuditSummary> {
  const { assets, limit = DEFAULT_LIMIT, signal, onProgress } = options;
  if (!(limit >= 0)) throw new ConfigError(`Expected a number of at least 0 for limit but received ${limit}`);
  const ledger = new AuditLedger(limit);
  const engine = assets && (await Engine.create({ assets, workers: 0 }));
  const auditor = new Auditor(source.info, ledger, engine, options.minimumPixels ?? 1);
  const samples = typeof source.samples === 'function' ? source.samples(signal ? { signal } : {}) : source.samples;
  try {
    for await (const sample of samples) {
      signal?.throwIfAborted();
      await auditor.audit(sample);
      onProgress?.(auditor.samples);
    }
  } finally {
    await engine?.close();
  }
  const { samples: count, objects, masks, scenes, rendered } = auditor;
  return {
    ...{ samples: count, objects, masks, scenes, rendered },
    disagreements: ledger.total,
    byField: ledger.byField(),
    listed: ledger.listed,
  };
}

/** Looks at one sample after the other. */
class Auditor {
  samples = 0;
  objects = 0;
  masks = 0;
  scenes = 0;
  rendered = 0;
  readonly #info: AuditedInfo;
  readonly #ledger: AuditLedger;
  readonly #engine: Engine | undefined;
  readonly #minimumPixels: number;

  constructor(info: AuditedInfo, ledger: AuditLedger, engine: Engine | undefined, minimumPixels: number) {
    this.#info = info;
    this.#ledger = ledger;
    this.#engine = engine;
    this.#minimumPixels = minimumPixels;
  }

  async audit(sample: AuditedSample): Promise<void> {
    const { labels, scene, listed } = sample;
    this.samples++;
    this.objects += labels.objects.length;
    this.#ledger.begin(labels.key);
    const instances = this.#maskOf(sample);
    const batch = scene && this.#decode(scene, sample);
    const nodes = batch?.scenes[0].parent.length ?? 0;
    const expected = batch ? expectedFromScene(batch) : undefined;
    if (batch && expected) await this.#render(batch, sample, expected);
    const seen = instances && expectedFromMask(instances, labels.width, labels.height, nodes);
    const objects = this.#objectsByNode(labels.objects, expected);
    for (const [node, object] of objects) {
      // Where the mask has no such id, nothing is seen of the node.
      const unseen = seen && { visible: false, pixels: 0, box: null, centre: null };
      const own = this.#isMerged(object) ? {} : (seen?.get(node) ?? unseen);
      const all = { ...expected?.get(node), ...own };
      compareLabels(object, withMinimum(all, this.#minimumPixels), node, this.#ledger);
    }
    if (instances && namesNodes(labels.objects))
      checkMasks(instances, sample.classes, objects, this.#info, this.#ledger);
    for (const [i, object] of labels.objects.entries()) {
      checkConsistency(object, labels, object.node ?? i, this.#ledger);
      checkBox3d(object, labels, object.node ?? i, this.#ledger, this.#overhangOf(object));
    }
    if (sample.depth || sample.normals) {
      const single = new Map([...objects].filter(([, object]) => !this.#isMerged(object)));
      checkSurfaces({ ...sample, instances }, single, this.#ledger, (object) => this.#overhangOf(object));
    }
    const single = listed?.filter((object) => !this.#isMerged(object));
    if (single) checkListing(single, labels, this.#info.things, this.#ledger);
  }

  /** Whether the object shares its segment of the mask with others of its class. */
  #isMerged(object: SampleObject): boolean {
    return (this.#info.mergesStuff ?? false) && !this.#info.things.includes(object.class);
  }

  /** How far an object's mesh stands out of its 3D box; undefined where the mesh is not known. */
  #overhangOf({ asset }: SampleObject): Overhang | undefined {
    const library = this.#engine?.assets;
    if (!library || asset === undefined || library.indexOf(asset) < 0) return undefined;
    const [bounds] = meshBounds(library, [asset]);
    return bounds && overhangOf(bounds);
  }

  /** The instance mask, when there is one that fits. */
  #maskOf({ labels, instances, classes }: DatasetSample): Uint16Array | undefined {
    const pixels = labels.width * labels.height;
    for (const [field, mask] of Object.entries({ instances, classes })) {
      if (mask && mask.length !== pixels) this.#ledger.note(null, field, `${pixels} px`, `${mask.length} px`);
    }
    if (instances?.length !== pixels || (classes && classes.length !== pixels)) return undefined;
    this.masks++;
    return instances;
  }

  /** The sample's scene as a batch of one, when it is sound and has the sample's size; notes what it contradicts. */
  #decode(bytes: Uint8Array, { labels }: DatasetSample): SceneBatch | undefined {
    this.scenes++;
    let batch: SceneBatch;
    try {
      batch = decodeScenes(bytes);
      if (batch.scenes.length !== 1) {
        throw new DatasetError(`Expected one scene but received ${batch.scenes.length}`);
      }
    } catch (error) {
      if (!(error instanceof MetasimError)) throw error;
      this.#ledger.note(null, 'scene', 'a sound scene graph', error.message);
      return undefined;
    }
    const [{ width, height, index }] = batch.scenes;
    const stated = { width, height, index, channels: batch.schema.channels, seed: batch.provenance.seed };
    for (const [field, value] of Object.entries(stated)) {
      const own = labels[field as keyof typeof stated];
      if (own !== undefined && own !== value) this.#ledger.note(null, field, value, own);
    }
    if (labels.camera && batch.schema.dimension === 3) {
      compareCamera(labels.camera, imageCamera(batch.schema, batch.scenes[0]), this.#ledger);
    }
    return width === labels.width && height === labels.height ? batch : undefined;
  }

  /** Adds what rendering the scene tells to `expected`, and compares image and masks with it. */
  async #render(batch: SceneBatch, sample: DatasetSample, expected: Map<number, ExpectedLabel>): Promise<void> {
    if (!this.#engine) return;
    const { key } = sample.labels;
    const layers = layerFlags({ depth: sample.depth !== undefined, normals: sample.normals !== undefined });
    const options = { color: 'u8', labels: true, ...layers } as const;
    const { color, instances, classes, coverage, depth, normals } = await this.#engine
      .render(batch, options)
      .catch((error: unknown) => {
        if (error instanceof MetasimError) error.message = `${key}: ${error.message}`;
        throw error;
      });
    this.rendered++;
    const [scene] = batch.scenes;
    const drawn = instances as Uint16Array;
    const { assets } = this.#engine;
    const covered = coverage as Float64Array;
    for (const label of annotateScene(batch.schema, batch.assets, scene, drawn, covered, assets)) {
      expected.set(label.node, label);
    }
    const pairs: [string, ArrayLike<number> | undefined, ArrayLike<number>][] = [
      ['depth', sample.depth, encodeDepth(depth ?? NONE)],
      ['normals', sample.normals, encodeNormals(normals ?? NONE)],
      ['instances', sample.instances, drawn],
      ['classes', sample.classes, classes as Uint8Array],
      ['image', sample.image.codec === 'png' ? (await pixelsOf(sample)).pixels : undefined, color],
    ];
    for (const [field, own, again] of pairs) {
      const differing = own ? differingEntries(own, again) : 0;
      if (differing > 0) this.#ledger.note(null, field, 'the scene as it is rendered', `${differing} values differ`);
    }
  }

  /** The objects that name a node, by node; notes those that are missing, doubled or none of the scene's. */
  #objectsByNode(
    objects: readonly SampleObject[],
    expected: ReadonlyMap<number, ExpectedLabel> | undefined,
  ): Map<number, SampleObject> {
    const byNode = new Map<number, SampleObject>();
    const counts = new Map<number, number>();
    for (const object of objects) {
      if (object.node === undefined) continue;
      counts.set(object.node, (counts.get(object.node) ?? 0) + 1);
      if (!byNode.has(object.node)) byNode.set(object.node, object);
    }
    for (const [node, count] of counts) {
      if (count > 1) this.#ledger.note(node, 'object', 'one object', `${count} objects`);
      else if (expected && !expected.has(node)) {
        this.#ledger.note(node, 'object', 'none: the scene has no such sprite or mesh', byNode.get(node)?.class);
      }
    }
    for (const [node, label] of expected ?? []) {
      if (byNode.has(node) || !namesNodes(objects)) continue;
      this.#ledger.note(node, 'object', `an object of class ${label.class}`, 'none');
    }
    return byNode;
  }
}

/** Whether objects say which node they are; where there are none at all, they would have to. */
function namesNodes(objects: readonly SampleObject[]): boolean {
  return objects.length === 0 || objects.some(({ node }) => node !== undefined);
}
