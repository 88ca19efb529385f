import type { DatasetFormat } from '../format.js';
import { findCocoFiles, hasCocoFiles } from './cocoFolder.js';
import { CocoReader } from './cocoReader.js';
import { CocoWriter } from './cocoWriter.js';

/** COCO: detection, instance segmentation as run lengths, and panoptic segmentation where there are masks. */
export const cocoFormat: DatasetFormat = {
  name: 'coco',
  description: 'COCO: detection, instance masks as run lengths, panoptic PNGs with masks',
  codecs: ['png', 'jpeg', 'webp'],
  holdsRecords: false,
  needsMasks: true,
  mergesStuff: true,
  layers: ['depth', 'normals'],
  writer: (info) => new CocoWriter(info),
  recognises: hasCocoFiles,
  open: async (folder) => CocoReader.open(await findCocoFiles(folder)),
};
