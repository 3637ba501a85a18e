/** Which type of its file a process means by an address: link-time addresses, also of what it uses from another file instead. */
export type OwnTypes = (address: number) => number;

/** @param elsewhere the address of what the file has, to that of what the process uses instead */
export function ownTypes(elsewhere: ReadonlyMap<number, number>): OwnTypes {
  const own = new Map([...elsewhere].map(([address, used]) => [used, address]));
  return (address) => own.get(address) ?? address;
}
