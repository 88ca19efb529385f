import type { FinishContext } from './format.js';
import { PARTS_FOLDER, partName, type StagedFile } from './staging.js';
import type { DatasetStorage } from './storage.js';

/**
 * What `DatasetWriter.finish` works with, over the parts that the shards of a dataset left in its storage.
 * @param onWritten told of every file that was written
 */
export function finishContext(
  storage: DatasetStorage,
  shards: number,
  count: number,
  onWritten: (file: StagedFile) => void = () => {},
): FinishContext {
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
      onWritten(await storage.write(path, content));
    },
  };
}
