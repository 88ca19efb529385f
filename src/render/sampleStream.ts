import { ReadableStream } from 'node:stream/web';
import type { SceneSource } from '../scene/sceneSource.js';
import type { Engine } from './engine.js';
import type { GenerateOptions, Sample } from './generate.js';

/**
 * The samples of `Engine.generate` as a Web stream, for consumers that are made of streams. Nothing is buffered in the
 * stream itself: a sample is taken from the engine when somebody reads, so a slow reader holds rendering up (the engine
 * stays a few batches ahead, as it does for `generate`), and one that never reads costs nothing.
 *
 * With `reuse` a sample's arrays are views that are valid until the next read. That is for a reader that is done with a
 * sample before it asks for the next: `getReader()` or `for await`. `tee`, and `pipeThrough` a stream with a queue, keep
 * samples for longer: leave `reuse` off there.
 *
 * `cancel` (also by breaking out of `for await`) ends the generator and gives its memory back to the engine; the promise
 * resolves when that is done. Cancelled or not, a stream that is read to its end leaves nothing behind.
 * @throws as `Engine.generate`, at the read that meets the error: ConfigError for settings out of range,
 *   the signal's reason when aborted
 */
export function sampleStream(engine: Engine, source: SceneSource, options: GenerateOptions): ReadableStream<Sample> {
  const samples = engine.generate(source, options);
  return new ReadableStream<Sample>(
    {
      async pull(controller) {
        const { value, done } = await samples.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await samples.return();
      },
    },
    // One more than 0 would take a sample ahead of its reader, and with `reuse` overwrite the one in the reader's hands.
    { highWaterMark: 0 },
  );
}
