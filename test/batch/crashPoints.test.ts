import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomStream } from '../../src/random.js';
import { runNode } from '../cli/runCli.js';
import { CRASH_STREAM, digitsGrammar, expectWhole, generate, hashOf, inProcess, newPath } from './datasets.js';

const grammar = digitsGrammar({ most: 3, channels: 3 });
const random = new RandomStream({ seed: Number(process.env.METASIM_CRASH_SEED ?? 1), index: 0 });

for (const format of ['webdataset', 'imagefolder'] as const) {
  test(`${format}: killed around chosen file operations, it is resumed to the same content`, async () => {
    const source = await inProcess(grammar);
    const stream = { ...CRASH_STREAM, format };
    const hash = await hashOf(source, stream);
    const run = (out: string, point: number) => runNode(['test/batch/killedRun.ts', grammar, out, format, `${point}`]);
    const whole = await run(newPath(), -1);
    assert.is(whole.code, 0, whole.stderr);
    const steps = JSON.parse(whole.stdout) as string[];
    const all = (name: string) => steps.flatMap((step, i) => (step === name ? [i] : []));
    const links = all('before link');
    const last = (name: string) => all(name).at(-1) as number;
    const points: Record<string, number> =
      format === 'webdataset'
        ? {
            'in a shard': all('after writeSync')[random.integer(all('after writeSync').length)],
            'between a shard’s file and its entry': links[3],
            'before the manifest': last('before rename'),
            'while tidying up': last('before rm'),
          }
        : {
            'before the header': links[0],
            'between the files of a shard': all('after rename')[random.integer(12)],
            'after an entry': links[3] + 1,
            'after the manifest': last('after rename') + random.integer(4),
          };
    const outs = await Promise.all(
      Object.entries(points).map(async ([name, point]) => {
        const out = newPath();
        const { code, stderr } = await run(out, point);
        assert.is(code, null, `${name}: killed ${stderr}`);
        return { name, out, point };
      }),
    );
    for (const { name, out, point } of outs) {
      const { manifest } = await generate(source, stream, { out, resume: true });
      assert.is(manifest?.contentHash, hash, `${name} (${steps[point]}, ${point} of ${steps.length})`);
      await expectWhole(out, hash);
    }
  });
}

test.run();
