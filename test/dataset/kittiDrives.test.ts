import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dataFolder } from '../../src/dataFolder.js';
import { openKittiFrames, readKittiDrives, splitByDrive } from '../../src/dataset/kittiDrives.js';
import { ConfigError, DatasetError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-drives-'));
test.after(() => rmSync(folder, { recursive: true }));

/** Ten drives of 1 to 10 frames. */
const drives = new Map<string, string>();
for (let drive = 1; drive <= 10; drive++) {
  for (let i = 0; i < drive; i++) drives.set(String(drives.size).padStart(6, '0'), `drive ${drive}`);
}
const drivesOf = (names: readonly string[]) => new Set(names.map((name) => drives.get(name)));

test('no drive is in both parts, none is lost, and the share is met as nearly as whole drives allow', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    for (const validation of [0.1, 0.3, 0.5, 0.8]) {
      const split = splitByDrive(drives.keys(), drives, { validation, seed });
      const both = [...drivesOf(split.train)].filter((drive) => drivesOf(split.validation).has(drive));
      assert.equal(both, []);
      assert.equal([...split.train, ...split.validation].sort(), [...drives.keys()]);
      // 55 frames; where drives of every size are left, the share is missed by less than the smallest ones.
      assert.ok(
        Math.abs(split.validation.length - 55 * validation) <= 5,
        `${split.validation.length} of ${validation}`,
      );
      if (validation === 0.3) seen.add(split.validation.join());
    }
  }
  assert.ok(seen.size > 5);
});

test('the same seed gives the same parts, in whatever order the frames come', () => {
  const split = splitByDrive(drives.keys(), drives, { seed: 3 });
  assert.equal(splitByDrive(drives.keys(), drives, { seed: 3 }), split);
  const turned = splitByDrive([...drives.keys()].reverse(), drives, { seed: 3 });
  assert.equal([...turned.train].reverse(), split.train);
});

test('neither part is empty, also where a share is smaller than every drive', () => {
  const two = new Map([...'abcdefgh'].map((name, i) => [name, i < 3 ? 'one' : 'two']));
  for (const validation of [0.01, 0.5, 0.99]) {
    const { train, validation: held } = splitByDrive(two.keys(), two, { validation });
    assert.ok(train.length > 0 && held.length > 0);
  }
});

test('what cannot be split is refused', () => {
  assert.throws(
    () => splitByDrive(['000000', 'x'], drives),
    (error: Error) => error instanceof DatasetError && /drive of frame x/.test(error.message),
  );
  assert.throws(() => splitByDrive(['000054', '000053'], drives), /two drives or more but received 1/);
  assert.throws(
    () => splitByDrive(drives.keys(), drives, { validation: 1 }),
    (error: Error) => error instanceof ConfigError,
  );
});

test("KITTI's own mapping: the number of a line for each frame", async () => {
  const mapping = join(folder, 'mapping');
  mkdirSync(mapping);
  writeFileSync(
    join(mapping, 'train_mapping.txt'),
    '2011_09_26 drive_0005 0000000109\n2011_09_26 drive_0009 0000000000\n2011_09_28 drive_0106 0000000048\n',
  );
  writeFileSync(join(mapping, 'train_rand.txt'), '3,1,2\n');
  assert.equal(
    [...(await readKittiDrives(mapping))],
    [
      ['000000', 'drive_0106'],
      ['000001', 'drive_0005'],
      ['000002', 'drive_0009'],
    ],
  );
  writeFileSync(join(mapping, 'train_rand.txt'), '3,4\n');
  const error = await readKittiDrives(mapping).catch((reason: Error) => reason);
  assert.match((error as Error).message, /\(1 to 3\) for frame 1 in .*train_rand\.txt but received "4"/);
});

test('tables that are none are refused by place', async () => {
  for (const [text, expected] of [
    ['{', /Expected JSON at .*table\.json/],
    ['[{"id":"000000","drive":["a"]}]', /"id" and "drive" in .*table\.json but received at 0\.drive/],
  ] as const) {
    writeFileSync(join(folder, 'table.json'), text);
    const error = await readKittiDrives(join(folder, 'table.json')).catch((reason: Error) => reason);
    assert.instance(error, DatasetError);
    assert.match((error as Error).message, expected);
  }
});

const real = join(dataFolder(), 'kitti');
if (!existsSync(join(real, 'frames.json'))) console.log('# skip real drives of KITTI: no data at METASIM_DATA');
else {
  test('the real frames split by their 27 drives, and a part is read as it was asked for', async () => {
    const table = await readKittiDrives(join(real, 'frames.json'));
    assert.equal([table.size, new Set(table.values()).size], [76, 27]);
    const { train, validation } = splitByDrive(table.keys(), table, { validation: 0.25, seed: 1 });
    const inTraining = new Set(train.map((name) => table.get(name)));
    assert.ok(validation.every((name) => !inTraining.has(table.get(name))));
    assert.ok(validation.length >= 15 && validation.length <= 23, String(validation.length));
    const asked = validation.slice(0, 3).reverse();
    const reader = await openKittiFrames(real, asked, 'validation');
    assert.is(reader.info.split, 'validation');
    const keys: number[] = [];
    for await (const { labels } of reader.samples()) keys.push(Number(labels.key));
    assert.equal(keys, asked.map(Number));
    const text = readFileSync(join(real, 'frames.json'), 'utf8');
    assert.ok(asked.every((name) => text.includes(`"${name}"`)));
    const missing = openKittiFrames(real, ['999999']).catch((reason: Error) => reason);
    assert.match(
      ((await missing) as Error).message,
      /image_2\/999999\.png, named in the frames asked for, but received none/,
    );
  });
}

test.run();
