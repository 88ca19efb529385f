import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { integerIn, parseAssetSource, parseVariable } from '../../src/cli/flags.js';
import { buildProgram } from '../../src/cli/program.js';
import { startProgress } from '../../src/cli/progress.js';
import { leavesOf, parseLine } from './parseLine.js';
import { runCli, runNode } from './runCli.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-usage-'));
test.after(() => rmSync(folder, { recursive: true }));

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  return help;
}

test('every command explains itself with examples and knows --json', () => {
  for (const command of leavesOf(buildProgram({}))) {
    const help = helpOf(command);
    assert.match(help, /\nExamples:\n {2}\$ metasim /, command.name());
    assert.match(help, /--json/, command.name());
    assert.ok(command.description().length > 10, command.name());
  }
});

test('every example of --help is a command that exists, with flags that exist; its files of ours are there', async () => {
  const program = buildProgram({});
  const examples = [program, ...leavesOf(program)].flatMap((command) =>
    [...helpOf(command).matchAll(/^ {2}\$ (.+)$/gm)].map(([, line]) => line),
  );
  assert.ok(examples.length > 30, String(examples.length));
  for (const line of examples) {
    if (!line.includes('COMMAND')) assert.is(await parseLine(line), undefined, line);
    for (const [path] of line.matchAll(/examples\/\S+/g)) assert.ok(existsSync(path), line);
  }
  // And the check sees what is wrong.
  assert.match((await parseLine('metasim verify x --qick')) ?? '', /unknown option '--qick'/);
  assert.match((await parseLine('metasim generate g.yaml --format jpg --out x')) ?? '', /Allowed choices are/);
  assert.match((await parseLine('metasim convert a --to coco')) ?? '', /missing required argument 'out'/);
});

test('wrong usage is one line on standard error, code 2, and writes nothing', async () => {
  const out = join(folder, 'out');
  const cases: [string[], RegExp][] = [
    [['generate', 'g.yaml', '--out', out, '--count', '0'], /--count.*Expected an integer from 1 to/],
    [['generate', 'g.yaml', '--out', out, '--count', '-1'], /--count.*Expected an integer from 1 to/],
    [['generate', 'g.yaml', '--out', out, '--count', 'NaN'], /--count.*Expected an integer/],
    [['generate', 'g.yaml', '--out', out, '--count', '1000000000'], /--count.*to 100000000/],
    [['generate', 'g.yaml', '--out', out, '--seed', '-1'], /--seed.*Expected an integer from 0/],
    [['generate', 'g.yaml', '--out', out, '--colour', 'red'], /unknown option '--colour'/],
    [['generate', 'g.yaml', '--out', out, '--assets', 'mesh:dir'], /--assets.*"mesh" is none of them/],
    [['generate', 'g.yaml', '--out', out], /g\.yaml, which does not exist/],
    [['generate', 'g.yaml'], /'--out <path>' not specified/],
    [['paint'], /unknown command 'paint'/],
  ];
  // Two at a time: each is a process of its own.
  for (let i = 0; i < cases.length; i += 2) {
    await Promise.all(
      cases.slice(i, i + 2).map(async ([args, message]) => {
        const { code, stdout, stderr } = await runCli(args);
        assert.is(code, 2, `${args.join(' ')}: ${stderr}`);
        assert.is(stdout, '');
        assert.match(stderr, message);
        assert.match(stderr, /^error: .+\n$/, 'one line');
      }),
    );
  }
  assert.not.ok(existsSync(out));
});

test('--json prints exactly one object also when the flags or the input are wrong', async () => {
  const bad = join(folder, 'bad.yaml');
  writeFileSync(bad, 'canvas: 7\n');
  const [flags, input] = await Promise.all([
    runCli(['sample', 'x.yaml', '--out', 'y', '--count', 'many', '--json']),
    runCli(['sample', bad, '--out', join(folder, 'scenes.msg'), '--json']),
  ]);
  for (const { code, stdout, stderr } of [flags, input]) {
    assert.is(code, 2);
    assert.equal(Object.keys(JSON.parse(stdout)), ['error']);
    assert.match(stderr, /^error: /);
    assert.not.match(stderr, /\n {4}at /, 'no stack');
  }
  assert.is(JSON.parse(flags.stdout).error.code, 'USAGE');
  assert.is(JSON.parse(input.stdout).error.code, 'GRAMMAR');
  assert.not.ok(existsSync(join(folder, 'scenes.msg')));
});

test('METASIM_DEBUG adds the stack', async () => {
  const { stderr } = await runCli(['render', join(folder, 'none.msg'), '--out', join(folder, 'r')], {
    METASIM_DEBUG: '1',
  });
  assert.match(stderr, /^error: Expected a scene file/);
  assert.match(stderr, /\n {4}at /);
});

test('--version and --help succeed on standard output', async () => {
  const [version, help] = await Promise.all([runCli(['--version']), runCli(['--help'])]);
  assert.is(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.is(help.code, 0);
  assert.match(help.stdout, /Exit codes/);
});

test('whole numbers are plain digits within their range', () => {
  const parse = integerIn(1, 100);
  assert.is(parse('1'), 1);
  assert.is(parse('100'), 100);
  for (const text of ['', ' ', '0', '101', '1e1', '0x10', '1.5', 'NaN', 'Infinity', '9007199254740993', 'ten']) {
    assert.throws(
      () => parse(text),
      (error: unknown) => error instanceof InvalidArgumentError,
    );
  }
});

test('asset sources: kinds, folders with colons, keys, and globs with commas', () => {
  assert.is(parseAssetSource('digits').kind, 'digits');
  assert.equal(
    { ...parseAssetSource('digits,variants=9,seed=2'), to: undefined },
    { ...parseAssetSource('digits'), variants: 9, seed: 2, to: undefined },
  );
  assert.equal(parseAssetSource('aerial,cars=30,size=256,from=0.5'), {
    ...parseAssetSource('aerial'),
    cars: 30,
    size: 256,
    from: 0.5,
  });
  const images = parseAssetSource('images:C:/a, b,glob=**/*.{png,jpg},edge=extend');
  assert.equal(images.kind === 'images' && [images.folder, images.glob, images.edge], [
    'C:/a, b',
    '**/*.{png,jpg}',
    'extend',
  ]);
  for (const text of [
    '',
    'mnist',
    'mnist:',
    'images:x,edge=round',
    'digits,variants=0',
    'digits,colour=1',
    'aerial,size=8',
    'web:x',
  ]) {
    assert.throws(
      () => parseAssetSource(text),
      (error: unknown) => error instanceof InvalidArgumentError,
    );
  }
});

test('variables are names with any text', () => {
  assert.equal(parseVariable('size=48'), { size: '48' });
  assert.equal(parseVariable('path=a=b c'), { path: 'a=b c' });
  for (const text of ['size', '=1', '1x=2', 'a b=3']) {
    assert.throws(
      () => parseVariable(text),
      (error: unknown) => error instanceof InvalidArgumentError,
    );
  }
});

test('away from a terminal progress is a line at every tenth', () => {
  let written = '';
  const stream = { isTTY: false, write: (text: string) => (written += text) } as unknown as NodeJS.WriteStream;
  const progress = startProgress('render', 40, 'text', stream);
  for (let done = 1; done <= 40; done++) progress.update(done);
  progress.stop();
  const shares = written.match(/\d+ %/g);
  assert.equal(
    shares,
    Array.from({ length: 10 }, (_, i) => `${(i + 1) * 10} %`),
  );
});

test('the first signal aborts, its echo is ignored, the next ends the process at once', async () => {
  const script = `
    import { listenForInterrupt } from './src/cli/interrupt.ts';
    const { signal } = listenForInterrupt((line) => process.stderr.write('now ' + line));
    signal.addEventListener('abort', () => process.stderr.write('aborted: ' + signal.reason.name));
    setInterval(() => {}, 1000);
    process.stderr.write('ready ');
  `;
  const sent: string[] = [];
  const { code, stderr } = await runNode(['--input-type=module', '-e', script], {}, (child, text) => {
    for (const word of ['ready', 'aborted']) {
      if (text.includes(word) && !sent.includes(word)) {
        sent.push(word);
        child.kill('SIGINT');
        // The one after `aborted` is taken for an echo; this one is not.
        if (word === 'aborted') setTimeout(() => sent.push(String(child.kill('SIGINT'))), 600);
      }
    }
  });
  assert.is(code, 130);
  assert.match(stderr, /aborted: AbortError/);
  assert.equal(sent, ['ready', 'aborted', 'true'], 'the process lived until the third signal');
});

test.run();
