import type { DatasetInfo } from '../sample.js';
import type { FileGroup } from './fileTally.js';

/** How to read a dataset in Python. */
export interface LoadingCode {
  /** Packages that are needed, as `pip install` takes them. */
  readonly packages: string;
  readonly lines: readonly string[];
}

/** A few lines of Python, run in the dataset's folder, for each format. */
const CODE: Readonly<Record<string, (info: DatasetInfo, groups: readonly FileGroup[]) => LoadingCode>> = {
  webdataset: ({ codec }, groups) => ({
    packages: 'webdataset pillow',
    lines: [
      'import glob, webdataset',
      `shards = sorted(glob.glob(${literal(globOfKind(groups, 'tar'))}))`,
      'dataset = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")',
      `for image, labels in dataset.to_tuple(${literal(codec === 'jpeg' ? 'jpg' : codec)}, "json"):`,
      '    print(image.size, [(o["class"], o["box"]) for o in labels["objects"]])',
    ],
  }),
  imagefolder: ({ split }) => ({
    packages: 'datasets pillow',
    lines: [
      'import os; from datasets import load_dataset',
      `dataset = load_dataset(os.getcwd(), split=${literal(split)})`,
      'print(dataset[0]["image"].size, [(o["class"], o["box"]) for o in dataset[0]["objects"]])',
    ],
  }),
  parquet: ({ split }) => ({
    packages: 'datasets pillow',
    lines: [
      'import os; from datasets import load_dataset',
      `dataset = load_dataset(os.getcwd(), split=${literal(split)})`,
      'row, names = dataset[0], dataset.features["objects"]["category"].feature',
      'print(row["image"].size, list(zip(names.int2str(row["objects"]["category"]), row["objects"]["bbox"])))',
    ],
  }),
  coco: ({ split }) => ({
    packages: 'pycocotools',
    lines: [
      'from pycocotools.coco import COCO',
      `coco = COCO(${literal(`annotations/instances_${split}.json`)})`,
      'for annotation in coco.loadAnns(coco.getAnnIds(coco.getImgIds()[:1])):',
      '    name = coco.loadCats(annotation["category_id"])[0]["name"]',
      '    print(name, annotation["bbox"], coco.annToMask(annotation).sum())',
    ],
  }),
  yolo: () => ultralytics('yolo11n.pt'),
  'yolo-seg': () => ultralytics('yolo11n-seg.pt'),
  voc: (_, groups) => ({
    packages: 'pillow',
    lines: [
      'import glob, xml.etree.ElementTree as ET',
      `for path in sorted(glob.glob(${literal(globOfKind(groups, 'xml'))})):`,
      '    for thing in ET.parse(path).iter("object"):',
      '        print(path, thing.findtext("name"), [int(float(e.text)) for e in thing.find("bndbox")])',
    ],
  }),
  kitti: (_, groups) => ({
    packages: '',
    lines: [
      'import glob',
      `for path in sorted(glob.glob(${literal(groups.find(({ glob }) => glob.includes('label_2'))?.glob ?? 'label_2/*.txt')})):`,
      '    for line in open(path):',
      '        kind, truncated, occluded, alpha, *box = line.split()[:8]',
      '        print(path, kind, [float(edge) for edge in box])  # left, top, right, bottom',
    ],
  }),
  tfrecord: (_, groups) => ({
    packages: 'tensorflow',
    lines: [
      'import glob, tensorflow as tf',
      `files = sorted(glob.glob(${literal(globOfKind(groups, 'tfrecord'))}))`,
      'for record in tf.data.TFRecordDataset(files).take(1):',
      '    example = tf.train.Example.FromString(record.numpy())',
      '    print({name: feature.WhichOneof("kind") for name, feature in example.features.feature.items()})',
    ],
  }),
  idx: ({ split, channels }) => ({
    packages: 'numpy',
    lines: [
      'import numpy',
      `with open(${literal(`${split}-images-idx${channels === 3 ? 4 : 3}-ubyte`)}, "rb") as file:`,
      `    shape = numpy.frombuffer(file.read(${channels === 3 ? 20 : 16}), ">i4")[1:]`,
      '    images = numpy.frombuffer(file.read(), "uint8").reshape(shape)',
      `labels = numpy.fromfile(${literal(`${split}-labels-idx1-ubyte`)}, "uint8")[8:]`,
      'classes = open("classes.txt", encoding="utf-8").read().splitlines()',
    ],
  }),
};

/** How to load a dataset of a format; undefined for one that is not known here. */
export function loadingCode(layout: string, info: DatasetInfo, groups: readonly FileGroup[]): LoadingCode | undefined {
  return Object.hasOwn(CODE, layout) ? CODE[layout](info, groups) : undefined;
}

/** What the glob of the files that hold the samples is. */
function globOfKind(groups: readonly FileGroup[], extension: string): string {
  return groups.find((group) => group.extension === extension)?.glob ?? `*.${extension}`;
}

function ultralytics(model: string): LoadingCode {
  return {
    packages: 'ultralytics',
    lines: ['from ultralytics import YOLO', `YOLO(${literal(model)}).train(data="data.yaml", epochs=10)`],
  };
}

/** A string of Python: JSON's are, as long as they are ASCII. */
function literal(text: string): string {
  return JSON.stringify(text);
}
