import type { Command } from 'commander';
import { define, type Outcome } from './frame.js';

interface Flags {
  readonly out?: string;
}

/** `metasim report`: a run folder as one HTML page. */
export function addReport(program: Command, outcome: Outcome): void {
  const command = program
    .command('report')
    .description(
      'one self-contained HTML page of a run: curves, attributes, pictures, times; also of an unfinished run',
    )
    .argument('<run>', 'run folder')
    .option('--out <file>', 'the page (default: report.html in the run folder)');
  const examples = ['metasim report runs/mnist-rotation-0', 'metasim report runs/digits --out digits.html'];
  define<Flags>(outcome, command, examples, async ([run], { out }) => {
    const [{ initBackend }, { writeRunReport }] = await Promise.all([
      import('../learn/backend.js'),
      import('../report/runReport.js'),
    ]);
    await initBackend({ threads: 'all' });
    const { path, bytes, epochs, plannedEpochs = null } = await writeRunReport(run, out);
    const size = `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    return {
      json: { run, page: path, bytes, epochs, plannedEpochs },
      text: `${path}: ${epochs}${plannedEpochs === null ? '' : ` of ${plannedEpochs}`} meta-epochs, ${size}, needs no network`,
    };
  });
}
