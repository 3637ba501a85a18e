import { Argument, type Command, Option } from 'commander';
import type { SelectionOptions } from '../config/criteria.ts';
import { SETTING_NAMES } from '../config/options.ts';
import { example, withoutCriteria, withSelection, withSettings } from './options.ts';

/** `mapscope config`: commands for the configuration file. */
export function addConfig(program: Command): void {
  const config = program
    .command('config')
    .description('check, show, explain and bring up to date the configuration that --config names');
  addValidate(config);
  addPrint(config);
  addExplain(config);
  addMigrate(config);
}

function addValidate(config: Command): void {
  config
    .command('validate')
    .description('check a configuration file: each mistake with line and column; nothing is observed')
    .argument('<file>', 'a configuration file')
    .addHelpText('after', example('config validate mapscope.yaml'))
    .action(async (file: string) => {
      const { validate } = await import('./commands/config.ts');
      await validate(file);
    });
}

/** Its own --format says how to print; a report's may be in the file or the environment. */
const PRINT_SETTINGS = SETTING_NAMES.filter((name) => name !== 'format');

function addPrint(config: Command): void {
  const command = config
    .command('print')
    .description('print the settings that would be in force, without secrets, as a configuration file')
    .option(
      '--origin',
      'say of each where it is from: option, environment variable, line of the file, default',
    )
    .addOption(new Option('--format <format>', 'yaml or json').choices(['yaml', 'json']).default('yaml'));
  withSettings(withSelection(command), PRINT_SETTINGS)
    .addHelpText('after', example('config print --origin --config mapscope.yaml'))
    .action(async ({ origin = false, format, ...options }: PrintOptions) => {
      const { print } = await import('./commands/config.ts');
      await print(withoutCriteria(options), options, { origin, format });
    });
}

type PrintOptions = SelectionOptions & { readonly origin?: boolean; readonly format: 'yaml' | 'json' };

function addExplain(config: Command): void {
  config
    .command('explain')
    .description('say what a setting does, what it may be, its default, its option and its variable')
    .addArgument(new Argument('<key>', 'a key of the file, or a criterion of its rules'))
    .addHelpText('after', example('config explain otlpEndpoint'))
    .action(async (key: string) => {
      const { explainKey } = await import('./commands/config.ts');
      await explainKey(key);
    });
}

function addMigrate(config: Command): void {
  config
    .command('migrate')
    .description('bring a configuration file to the present version; comments stay')
    .argument('<file>', 'a configuration file')
    .option('--write', 'replace the file (default: write the new text to stdout)')
    .addHelpText('after', example('config migrate mapscope.yaml --write'))
    .action(async (file: string, { write = false }: { write?: boolean }) => {
      const { migrateFile } = await import('./commands/config.ts');
      await migrateFile(file, write);
    });
}
