import { mapscope } from '../support/command.ts';

/** What `mapscope verify --format json` writes, as far as the tests look at it. */
export interface VerifyDocument {
  readonly schema: string;
  readonly target: { readonly exitCode: number | null };
  readonly functions: readonly {
    readonly name: string;
    readonly checked: number;
    readonly agreed: number;
    readonly disagreed: number;
    readonly zeroUnknown: number;
    readonly returns: number;
    readonly notChecked: Readonly<Record<string, number>>;
  }[];
  readonly refusedFunctions: readonly unknown[];
  readonly disagreements: readonly unknown[];
}

/** Verifies a program and reads the result. */
export async function verified(args: readonly string[]): Promise<VerifyDocument> {
  const { status, stdout, stderr } = await mapscope(['verify', '--format', 'json', ...args]);
  if (status !== 0) {
    throw new Error(`mapscope ended with status ${status}: ${stdout}${stderr}`);
  }
  return JSON.parse(stdout.slice(stdout.indexOf('{\n  "schema"')));
}
