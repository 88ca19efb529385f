import type { FinishContext } from './format.js';
import { PARTS_FOLDER, partName } from './staging.js';
import type { DatasetStorage } from './storage.js';

/** What `DatasetWriter.finish` works with, over the parts that the shards of a dataset left in its storage. */
export function finishContext(storage: DatasetStorage, shards: number, count: number): FinishContext {
  const paths = (name: string) => Array.from({ length: shards }, (_, i) => `${PARTS_FOLDER}/${name}/${partName(i)}`);
  return {
    shards,
    count,
    async *part(name) {
      for (const path of paths(name)) yield* storage.stream(path);
    },
    async partBytes(name) {
      let sum = 0;
      for (const path of paths(name)) sum += (await storage.size(path)) ?? 0;
      return sum;
    },
    async write(path, content) {
      await storage.write(path, content);
    },
  };
}
