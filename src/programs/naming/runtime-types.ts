import { type GoBinary, typeName } from '../../gobinary/index.ts';
import type { ProbeObject } from '../../kernel/addon.ts';
import { RecordReader } from '../../kernel/records.ts';
import type { OwnTypes } from './own-types.ts';

/**
 * Map types that the target made at run time with reflect.MapOf. The program notes their key and element types when it
 * meets them, so that they can be named also when the target has ended.
 */
export class RuntimeTypes {
  readonly #binary: GoBinary;
  readonly #ownTypes: OwnTypes;
  /** Undefined where a part is not known, which stays so. */
  readonly #names = new Map<number, string | undefined>();

  constructor(binary: GoBinary, ownTypes: OwnTypes) {
    this.#binary = binary;
    this.#ownTypes = ownTypes;
  }

  /** Name by the type's run-time address; undefined when a part of it is not known. */
  name(address: number): string | undefined {
    return this.#names.get(address);
  }

  async refresh(program: ProbeObject): Promise<void> {
    const { keys, values, count } = await program.readSharedMap('runtime_types');
    const info = new RecordReader('runtime_type_info');
    for (let i = 0; i < count; i++) {
      const address = Number(keys.readBigUInt64LE(8 * i));
      if (!this.#names.has(address)) {
        const at = i * info.size;
        const type = (field: 'key_type' | 'elem_type') =>
          this.#ownTypes(Number(BigInt.asIntN(64, info.bigint(values, at, field))));
        this.#add(address, type('key_type'), type('elem_type'));
      }
    }
  }

  #add(address: number, keyType: number, elemType: number): void {
    const key = typeName(this.#binary, keyType);
    const elem = typeName(this.#binary, elemType);
    const isKnown = key !== undefined && elem !== undefined;
    this.#names.set(address, isKnown ? `map[${key}]${elem}` : undefined);
  }
}
