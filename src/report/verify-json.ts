import { jsonOf, type SafeText } from '../base/terminal.ts';
import type { Target } from '../model/target.ts';
import type { VerifyResult } from '../model/verification.ts';

/** Value of the document's `schema` field. */
const VERIFY_SCHEMA = 'mapscope/verify/v1';

/** The result as one JSON document, with addresses as hexadecimal text. It ends with a newline. */
export function verifyJson(target: Target, result: VerifyResult): SafeText {
  const { pid, exe, goVersion, mapImplementation, stripped, exitCode } = target;
  const short = (name: string) => name.replace(/^runtime\./, '');
  const document = {
    schema: VERIFY_SCHEMA,
    target: { pid, exe, goVersion, mapImplementation, stripped, exitCode },
    wanted: result.wanted,
    seconds: result.seconds,
    functions: result.functions.map(({ name, functionIndex: _, ...counts }) => ({
      name: short(name),
      ...counts,
    })),
    delegates: result.delegates.map(({ name, to }) => ({ name: short(name), to: short(to) })),
    refusedFunctions: result.refused,
    disagreements: result.disagreements.map((disagreement) => ({
      ...disagreement,
      function: short(disagreement.function),
    })),
  };
  const text = (_key: string, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
  return jsonOf(document, text);
}
