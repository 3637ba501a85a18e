import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dynamicTypes, type GoBinary, openGoBinary, typeEquality } from '../../src/gobinary/index.ts';
import { evaluate } from './evaluate.ts';
import { buildVariant, type Facts, type FrameFact, type MapFact, runFacts, variants } from './facts.ts';

/** Compares what is read from an executable with what the same program says about itself when it runs. */
for (const variant of variants) {
  describe(variant.name, () => {
    const path = buildVariant(variant);
    const binary = openGoBinary(path);
    const facts = runFacts(path);
    const bias = facts.main - (binary.functionsNamed('main.main')[0]?.entry ?? 0);

    test('version and kind', () => {
      assert.equal(binary.version.text, facts.version);
      assert.equal(binary.version.minor, variant.minor);
      assert.equal(binary.mapImplementation, variant.slots === 'classic' ? 'classic' : 'swiss');
      assert.equal(binary.pie, variant.pie);
      assert.equal(binary.stripped, variant.stripped);
      assert.equal(bias === 0, !variant.pie);
    });

    test('map types', () => checkMaps(binary, facts, bias, variant.slots));
    test('equality of random values', () => checkPairs(binary, facts, bias));
    test('comparable types', () => checkDynamicTypes(binary, facts, bias));
    test('frames and stack depths', () => {
      for (const stack of facts.stacks) {
        checkStack(binary, stack, bias);
      }
    });
  });
}

function checkMaps(binary: GoBinary, facts: Facts, bias: number, slots: keyof MapFact['Slots']): void {
  const found = new Map(binary.mapTypes().map((type) => [type.address, type]));
  for (const fact of [...facts.maps, ...facts.linkedMaps]) {
    const type = found.get(fact.Address - bias);
    assert.ok(type, `${fact.Name} not found`);
    assert.deepEqual(binary.mapTypeAt(type.address), type);
    const expected = fact.Slots[slots];
    const { hasher, ...rest } = type;
    assert.equal(binary.functionAt(hasher)?.entry, hasher);
    assert.deepEqual(rest, {
      address: fact.Address - bias,
      name: fact.Name,
      isDeclared: !fact.Name.startsWith('map['),
      keyName: fact.Key,
      elemName: fact.Elem,
      keySize: fact.KeySize,
      keysOffset: expected.KeysOffset,
      keyStride: expected.KeyStride,
      elemsOffset: expected.ElemsOffset,
      elemStride: expected.ElemStride,
      groupSize: expected.GroupSize,
      indirectKey: fact.KeySize > 128,
      indirectElem: rest.indirectElem,
      keyType: fact.KeyAddress - bias,
      elemType: fact.ElemAddress - bias,
      keyEquality: equality(fact.Steps),
    });
  }
  // Go lists every unnamed type that is linked in, so there are no others.
  const listed = new Set([...facts.maps, ...facts.linkedMaps].map((fact) => fact.Address - bias));
  for (const { address, name } of found.values()) {
    assert.ok(listed.has(address) || isNamed(name), `${name} is no map type`);
  }
}

/** Whether a type's name is that of a declared type, perhaps with type arguments, or of an interface: those are not listed. */
function isNamed(name: string): boolean {
  return (
    /^interface \{|^go\.shape\.|^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_·]*)?(\[.*\])?$/u.test(name) &&
    !name.startsWith('map[')
  );
}

function equality(steps: MapFact['Steps']): unknown {
  if (steps !== null && steps.length > 64) {
    return { known: false, reason: 'too many fields' };
  }
  return { known: true, steps: steps ?? [] };
}

function checkPairs(binary: GoBinary, facts: Facts, bias: number): void {
  assert.ok(facts.pairs.length > 100);
  const outcomes = new Set<boolean>();
  for (const { Type, A, B, Equal } of facts.pairs) {
    const found = typeEquality(binary, Type - bias);
    assert.ok(found.known);
    outcomes.add(Equal);
    assert.equal(evaluate(found.steps, Buffer.from(A, 'hex'), Buffer.from(B, 'hex')), Equal, `${A} ${B}`);
  }
  assert.equal(outcomes.size, 2);
}

function checkDynamicTypes(binary: GoBinary, facts: Facts, bias: number): void {
  const found = new Map([...dynamicTypes(binary)].map((type) => [type.address, type]));
  const listed = new Set(facts.types.map((fact) => fact.Address - bias));
  for (const fact of facts.types) {
    const expected = {
      address: fact.Address - bias,
      name: fact.Name,
      size: fact.Size,
      direct: fact.Direct,
      equality: equality(fact.Steps),
    };
    assert.deepEqual(found.get(fact.Address - bias), expected);
  }
  // Basic and named types are not in Go's list, but are the usual dynamic types of keys.
  const names = new Set([...found.values()].map((type) => type.name));
  for (const name of ['int', 'string', 'uint8', 'float64', 'main.padded', 'main.mixed', 'error', '*int']) {
    assert.ok(names.has(name), `${name} not found`);
  }
  for (const { address, name } of found.values()) {
    assert.ok(listed.has(address) || isNamed(name), `${name} is no type`);
  }
}

/** Splits a stack at its physical functions: Go gives no Func for an inlined frame. */
function physical(frames: readonly FrameFact[]): FrameFact[][] {
  const groups: FrameFact[][] = [];
  let group: FrameFact[] = [];
  for (const frame of frames) {
    group.push(frame);
    if (frame.Inlined) {
      continue;
    }
    groups.push(group);
    group = [];
  }
  return groups;
}

/** The runtime prints type arguments as "..." (since Go 1.21 it has them in full). */
function shortened(name: string): string {
  return name.replace(/\[.*\]/, '[...]');
}

function checkStack(binary: GoBinary, stack: Facts['stacks'][number], bias: number): void {
  const groups = physical(stack.Frames);
  const returns = groups.map((group) => (group[0]?.PC ?? 0) - bias);
  groups.forEach((group, i) => {
    const frames = binary.frames(returns[i] ?? 0);
    assert.deepEqual(
      frames.map((frame) => ({ ...frame, function: shortened(frame.function) })),
      group.map((frame) => ({
        function: frame.Function,
        file: frame.File,
        line: frame.Line,
        inlined: frame.Inlined,
      })),
    );
  });
  // In the raw words of the stack each return address lies where the frame sizes say, counted from the first one.
  // Frame.PC is the return address minus 1.
  const words = stack.Words.map((word) => Number.parseInt(word, 16) - bias - 1);
  let slot = words.indexOf(returns[1] ?? Number.NaN);
  assert.ok(slot >= 0);
  let checked = 0;
  for (let i = 2; i < returns.length; i++) {
    slot += 1 + (binary.spDelta(returns[i - 1] ?? 0) ?? Number.NaN) / 8;
    if (slot >= words.length) {
      break;
    }
    assert.equal(words[slot], returns[i]);
    checked++;
  }
  assert.ok(checked > 0 || groups[1]?.at(-1)?.Function === 'main.main');
}
