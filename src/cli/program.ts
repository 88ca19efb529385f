import { Command } from 'commander';
import { toolVersion } from '../dataset/toolVersion.js';
import { addAssets } from './assets.js';
import { addAudit } from './audit.js';
import { addAveragePrecision } from './averagePrecision.js';
import { addConvert } from './convert.js';
import { addDemo } from './demo.js';
import { addDiff } from './diff.js';
import { addDistance } from './distance.js';
import { addDoctor } from './doctor.js';
import { addEvaluate } from './evaluate.js';
import { addExperiment } from './experiment.js';
import { addFetch } from './fetch.js';
import type { Outcome } from './frame.js';
import { addGenerate } from './generate.js';
import { addInit } from './init.js';
import { addInspect } from './inspect.js';
import { addMerge } from './merge.js';
import { addQueue } from './queue.js';
import { addRender } from './render.js';
import { addReport } from './report.js';
import { addSample } from './sample.js';
import { addTrain } from './train.js';
import { addVerify } from './verify.js';

/** The commands in the order `--help` lists them. */
const COMMANDS = [
  addDemo,
  addInit,
  addExperiment,
  addTrain,
  addEvaluate,
  addReport,
  addAssets,
  addSample,
  addRender,
  addGenerate,
  addQueue,
  addMerge,
  addVerify,
  addDiff,
  addDistance,
  addAveragePrecision,
  addConvert,
  addInspect,
  addAudit,
  addFetch,
  addDoctor,
];

const HELP = `
Examples:
  $ metasim demo
  $ metasim generate examples/grammars/mnist.yaml --set digits=digits --count 1000 --out data/digits
  $ metasim verify data/digits
  $ metasim experiment mnist-rotation --out runs/rotation
  $ metasim COMMAND --help

Exit codes:
  0 done   1 failed, or something was found (verify, audit, diff)   2 wrong usage or configuration
  3 done, but some scenes could not be made and were replaced
  130 interrupted (143 by SIGTERM)

METASIM_DEBUG=1 adds stack traces to errors. METASIM_DATA is where weights and data sets are looked for.`;

/** The whole command line; what a command returns is put into `outcome`. */
export function buildProgram(outcome: Outcome): Command {
  const program = new Command('metasim')
    .description('Learn to generate synthetic, labelled datasets (Meta-Sim, ICCV 2019)')
    .version(toolVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .addHelpText('after', HELP);
  for (const add of COMMANDS) add(program, outcome);
  return program;
}
