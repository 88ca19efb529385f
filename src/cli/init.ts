import { type Command, Option } from 'commander';
import { define, type Outcome } from './frame.js';
import { STARTER_TASKS, type StarterTask } from './starter/tasks.js';

interface Flags {
  readonly task: StarterTask;
}

/** `metasim init`: a small domain to begin with. */
export function addInit(program: Command, outcome: Outcome): void {
  const command = program
    .command('init')
    .description('write a small domain that trains at once: grammar, configuration, pictures, labels, an external task')
    .argument('<folder>', 'new or empty folder')
    .addOption(
      new Option('--task <kind>', 'what scores the generated images').choices(STARTER_TASKS).default('classification'),
    );
  const examples = ['metasim init my-domain', 'metasim init my-domain --task command'];
  define<Flags>(outcome, command, examples, async ([folder], { task }) => {
    const { writeStarterDomain } = await import('./starter/starterDomain.js');
    const files = await writeStarterDomain({ folder, task });
    const next = [`cd ${folder}`, 'metasim train config.yaml --out runs/first'];
    return {
      json: { folder, task, files },
      text: `${files.length} files in ${folder}; its README.md says what is what. Next:\n${next.map((line) => `  ${line}`).join('\n')}`,
    };
  });
}
