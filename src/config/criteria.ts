import type { Criteria } from '../target/finding/selection.ts';
import type { SettingsFile } from './file/settings-file.ts';

/** How a criterion is given on the command line, and what it asks of a process, in words. */
interface CriterionText {
  /** What stands for the value; undefined where there is none. */
  readonly argument?: string;
  readonly help: string;
}

/** Every criterion, in the order of the help: the command line, the reference and the JSON Schema of the configuration are made of it. */
export const CRITERIA: { readonly [Name in keyof Criteria]-?: CriterionText } = {
  exe: {
    argument: 'glob',
    help: "a glob over the executable's path when it has a slash, else over its name",
  },
  command: {
    argument: 'glob',
    help: 'a glob over the command line: the arguments, the program first, with blanks between them',
  },
  port: {
    argument: 'port',
    help: 'a TCP port that the process listens on, or a range such as 8000-8099',
  },
  container: {
    argument: 'id',
    help: "the beginning of a container's id, or any for every container",
  },
  podLabel: {
    argument: 'label',
    help: "a label of the pod, from the downward API's file /etc/podinfo/labels: app=shop, or app with any value",
  },
  go: { help: 'only Go programs' },
};

/** The criteria, in the order of the help. */
export const CRITERION_NAMES = Object.keys(CRITERIA) as readonly (keyof Criteria)[];

/** What the command line says of which processes to observe: texts, by the names of the criteria. */
export type SelectionOptions = {
  /** A path, or what was read there. */
  readonly config?: string | SettingsFile;
  readonly exe?: string;
  readonly command?: string;
  readonly port?: string;
  readonly container?: string;
  readonly podLabel?: string;
  readonly go?: true;
  /** Names, separated by commas. */
  readonly withoutExclusion?: string;
};
