import type { GoBinary, MapType } from '../../src/gobinary/index.ts';

/** Ways of describing a binary wrongly. */
export const LIES = {
  'keys elsewhere': { types: (type: MapType) => ({ ...type, keysOffset: type.keysOffset + 8 }) },
  'keys further apart': { types: (type: MapType) => ({ ...type, keyStride: type.keyStride + 8 }) },
  'larger groups': { types: (type: MapType) => ({ ...type, groupSize: type.groupSize + 8 }) },
  'elements elsewhere': { types: (type: MapType) => ({ ...type, elemsOffset: type.elemsOffset + 8 }) },
  'elements further apart': { types: (type: MapType) => ({ ...type, elemStride: type.elemStride + 8 }) },
  'direct elements': { types: (type: MapType) => ({ ...type, indirectElem: false }) },
  'string keys elsewhere': {
    types: (type: MapType) =>
      type.keyName === 'string' ? { ...type, keysOffset: type.keysOffset + 8 } : type,
  },
  /** Contradicts what the code says, so that nothing is believed. */
  'another zero value': { zeroValue: 0x1000 },
} as const satisfies Record<string, { types?: (type: MapType) => MapType; zeroValue?: number }>;

export type Lie = keyof typeof LIES;

/** The binary as it is, but for one thing. */
export function falsify(binary: GoBinary, lie: Lie): GoBinary {
  const change: { types?: (type: MapType) => MapType; zeroValue?: number } = LIES[lie];
  const { types, zeroValue } = change;
  const replaced: Partial<GoBinary> = {
    ...(types !== undefined && { mapTypes: () => binary.mapTypes().map(types) }),
    ...(zeroValue !== undefined && { symbol: () => ({ address: zeroValue, size: 1024 }) }),
  };
  return new Proxy(binary, {
    get(target, name) {
      const value = Reflect.get(replaced, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
