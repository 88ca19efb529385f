import { isMeshLabel } from '../../annotate/objectLabel.js';
import type { DatasetWriter, FinishContext, ShardContext, ShardWriter } from '../format.js';
import { compressRunLengths, runLengthsOfIds } from '../masks/rle.js';
import { encodePng } from '../png.js';
import { CODEC_EXTENSION, type DatasetInfo, type DatasetSample, type SampleObject, thingsOf } from '../sample.js';
import { encodeLayers } from '../surfaceLayers.js';
import { isCrowd, panopticImage } from './cocoPanoptic.js';
import { EXTRA_FIELDS } from './cocoSchema.js';
import { writeInfo } from './infoFile.js';

/** Parts: one JSON record a line. */
const IMAGES_PART = 'coco-images';
const ANNOTATIONS_PART = 'coco-annotations';
const PANOPTIC_PART = 'coco-panoptic';
const NEWLINE = 0x0a;
/** Degrees between the hues of neighbouring categories: the golden angle, so that any few of them differ well. */
const HUE_STEP = 137.508;

/**
 * Writes COCO (https://cocodataset.org/#format-data):
 * ```
 * out/images/⟨split⟩/⟨key⟩.png                 the images; `file_name` is their name in there
 * out/annotations/instances_⟨split⟩.json       detection and instance segmentation, masks as compressed run lengths
 * out/annotations/panoptic_⟨split⟩.json        with masks only: segments of things and stuff
 * out/annotations/panoptic_⟨split⟩/⟨key⟩.png   id = R + 256 G + 65536 B
 * out/depth/⟨split⟩/⟨key⟩.png                  of 3D scenes where it was asked for: 16-bit grey, m × 256, 0 none
 * out/normals/⟨split⟩/⟨key⟩.png                likewise: 8-bit RGB, (n · ½ + ½) · 255
 * out/info.json                                classes in their order
 * ```
 * An image's id is its number in the dataset + 1; annotation ids count from 1 over the dataset and are given when the
 * parts are joined, so that both are the same for any division in shards. There is no date in it, as two runs would
 * differ by it. Labels that COCO has no field for are in `metasim` of an annotation, 3D boxes, distance and world pose among
 * them; `metasim` of an image holds the index of its scene, the seed, and in 3D the camera and the paths of depth and
 * normals.
 */
export class CocoWriter implements DatasetWriter {
  readonly #info: DatasetInfo;
  readonly #categoryIds: ReadonlyMap<string, number>;

  constructor(info: DatasetInfo) {
    this.#info = info;
    this.#categoryIds = categoryIds(info);
  }

  openShard({ first, files }: ShardContext): ShardWriter {
    const info = this.#info;
    const images = files.part(IMAGES_PART);
    const annotations = files.part(ANNOTATIONS_PART);
    const panoptic = info.masks ? files.part(PANOPTIC_PART) : undefined;
    let imageId = first;
    return {
      add: (sample) => {
        imageId++;
        const { key } = sample.labels;
        const fileName = `${key}.${CODEC_EXTENSION[sample.image.codec]}`;
        files.write(`images/${info.split}/${fileName}`, sample.image.bytes);
        const layers: Record<string, string> = {};
        for (const [layer, png] of Object.entries(encodeLayers(sample, info))) {
          layers[layer] = `${layer}/${info.split}/${key}.png`;
          files.write(layers[layer], png);
        }
        images.write(imageLine(sample, imageId, fileName, layers));
        for (const line of annotationLines(sample, info, this.#categoryIds, imageId)) annotations.write(line);
        if (!panoptic) return;
        const { width, height } = sample.labels;
        const { pixels, segments } = panopticImage(sample, info, this.#categoryIds);
        files.write(`annotations/panoptic_${info.split}/${key}.png`, encodePng({ width, height, channels: 3, pixels }));
        panoptic.write(jsonLine({ image_id: imageId, file_name: `${key}.png`, segments_info: segments }));
      },
      end: () => {},
    };
  }

  async finish(context: FinishContext): Promise<void> {
    const { split, masks } = this.#info;
    await context.write(
      `annotations/instances_${split}.json`,
      this.#join(context, ANNOTATIONS_PART, this.#things(), true),
    );
    if (masks) {
      const categories = this.#panopticCategories();
      await context.write(`annotations/panoptic_${split}.json`, this.#join(context, PANOPTIC_PART, categories, false));
    }
    await writeInfo(context, this.#info);
  }

  /** One annotation file, as a stream of pieces; `number`: whether its annotations are given ids. */
  async *#join(
    context: FinishContext,
    part: string,
    categories: unknown,
    number: boolean,
  ): AsyncGenerator<Uint8Array | string> {
    const head = {
      info: {
        year: 0,
        version: '1.0',
        description: this.#info.name,
        contributor: 'metasim',
        url: '',
        date_created: '',
      },
      licenses: [{ id: 1, name: 'see README.md of the dataset', url: '' }],
      categories,
    };
    yield `${JSON.stringify(head).slice(0, -1)},\n"images":[\n`;
    yield* joinLines(context.part(IMAGES_PART), () => '{');
    yield '\n],\n"annotations":[\n';
    let id = 1;
    yield* joinLines(context.part(part), number ? () => `{"id":${id++},` : () => '{');
    yield '\n]}\n';
  }

  #things(): object[] {
    return this.#info.things.map((name) => ({ id: this.#categoryIds.get(name), name, supercategory: 'object' }));
  }

  #panopticCategories(): object[] {
    return [...this.#categoryIds].map(([name, id]) => {
      const isthing = this.#info.things.includes(name) ? 1 : 0;
      return { id, name, supercategory: isthing ? 'object' : 'stuff', isthing, color: colour(id) };
    });
  }
}

/** Category ids from 1: things in their order, then the other classes in theirs. */
function categoryIds({ classes, things }: DatasetInfo): Map<string, number> {
  const names = [...things, ...classes.filter((name) => !things.includes(name))];
  return new Map(names.map((name, i) => [name, i + 1]));
}

function imageLine({ labels }: DatasetSample, id: number, fileName: string, layers: object): string {
  const { index, seed, width, height, camera } = labels;
  const unused = { date_captured: '', flickr_url: '', coco_url: '' };
  return jsonLine({
    id,
    license: 1,
    file_name: fileName,
    height,
    width,
    ...unused,
    metasim: { index, seed, camera, ...layers },
  });
}

/** The things of a sample, without their ids. */
function* annotationLines(
  sample: DatasetSample,
  info: DatasetInfo,
  ids: ReadonlyMap<string, number>,
  imageId: number,
): Generator<string> {
  const { labels, instances } = sample;
  const { width, height } = labels;
  const masks = instances && runLengthsOfIds(instances, width, height);
  for (const object of thingsOf(labels, info)) {
    const [left, top, boxWidth, boxHeight] = object.box!;
    const counts = object.node === undefined ? undefined : masks?.get(object.node + 1);
    yield jsonLine({
      image_id: imageId,
      category_id: ids.get(object.class),
      // No mask, no polygons: tools take such an object for a box.
      segmentation: counts ? { size: [height, width], counts: compressRunLengths(counts) } : [],
      area: counts ? onesOf(counts) : (object.pixels ?? boxWidth * boxHeight),
      bbox: [left, top, boxWidth, boxHeight],
      iscrowd: isCrowd(object) ? 1 : 0,
      metasim: extra(object),
    });
  }
}

function onesOf(counts: readonly number[]): number {
  let sum = 0;
  for (let i = 1; i < counts.length; i += 2) sum += counts[i];
  return sum;
}

/** What COCO has no field for; undefined where nothing of it is known. */
function extra(object: SampleObject): object | undefined {
  const isMesh = isMeshLabel(object);
  const entries = EXTRA_FIELDS.map((name) => [name, object[name]] as const).filter(
    ([name, value]) => value !== undefined && (name !== 'pose' || isMesh),
  );
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** A record of a part: an object without its opening brace, which is added with what comes first. */
function jsonLine(record: object): string {
  return `${JSON.stringify(record).slice(1)}\n`;
}

/** Lines as the elements of a JSON array, `opening` before each; memory is that of a piece. */
async function* joinLines(pieces: AsyncIterable<Uint8Array>, opening: () => string): AsyncGenerator<Uint8Array> {
  let first = true;
  let inLine = false;
  for await (const piece of pieces) {
    const out: Uint8Array[] = [];
    for (let start = 0; start < piece.length; ) {
      const newline = piece.indexOf(NEWLINE, start);
      const end = newline < 0 ? piece.length : newline;
      if (!inLine) out.push(Buffer.from(first ? opening() : `,\n${opening()}`));
      out.push(piece.subarray(start, end));
      first = false;
      inLine = newline < 0;
      start = end + 1;
    }
    yield Buffer.concat(out);
  }
}

/** A colour for a category, as panoptic viewers want it: [R, G, B] 0–255, full saturation at 0.55, value 0.9. */
function colour(id: number): number[] {
  const hue = ((id * HUE_STEP) % 360) / 60;
  // HSV to RGB: each channel is a trapezoid over the hue.
  return [5, 3, 1].map((shift) => {
    const k = (shift + hue) % 6;
    return Math.round(255 * 0.9 * (1 - 0.55 * Math.max(0, Math.min(k, 4 - k, 1))));
  });
}
