import { VARIABLES, type Variable } from '../../src/otel/settings/variables.ts';
import { code, table } from './markdown.ts';

/** docs/otlp-variables.md, from the table of variables. */
export function variablesDocument(): string {
  const row = ({ name, meaning }: Variable): string[] => [code(name), meaning];
  return `${[
    '# OpenTelemetry variables',
    '',
    '<!-- Generated from src/otel/settings/variables.ts by `npm run docs`. Do not edit. -->',
    '',
    "All variables of OpenTelemetry's specification that concern metrics or logs. Options of the command line win over them. An empty",
    'variable counts as not set; one that makes no sense is named in a warning, and ignored.',
    '',
    ...table(['Variable', 'Meaning'], VARIABLES.filter(({ honoured }) => honoured).map(row)),
    '',
    'These do nothing, and are named in a message when they are set:',
    '',
    ...table(['Variable', 'Why'], VARIABLES.filter(({ honoured }) => !honoured).map(row)),
  ].join('\n')}\n`;
}
