import { jsonLineOf, jsonOf, type Replacer, type SafeText } from '../base/terminal.ts';
import type { Target } from '../model/target.ts';
import type { VerifyResult } from '../model/verification.ts';

/** Value of the document's `schema` field. */
const VERIFY_SCHEMA = 'mapscope/verify/v1';

/** The result as one JSON document, with addresses as hexadecimal text. It ends with a newline. */
export function verifyJson(target: Target, result: VerifyResult): SafeText {
  return jsonOf(documentOf(target, result), ADDRESSES_AS_TEXT);
}

/** The same in one line. */
export function verifyLine(target: Target, result: VerifyResult): SafeText {
  return jsonLineOf(documentOf(target, result), ADDRESSES_AS_TEXT);
}

function documentOf(target: Target, result: VerifyResult): unknown {
  const { pid, exe, goVersion, mapImplementation, stripped, exitCode, signal } = target;
  const short = (name: string) => name.replace(/^runtime\./, '');
  return {
    schema: VERIFY_SCHEMA,
    target: { pid, exe, goVersion, mapImplementation, stripped, exitCode, signal },
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
}

const ADDRESSES_AS_TEXT: Replacer = (_key, value) =>
  typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
