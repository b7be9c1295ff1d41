// What is looked at, as it is in the address of the page: a layer's address, which `?filter=3` may
// follow, or `?sample=3`.

// A slash and a colon are left as they are, so that an address reads as in Python. A question mark
// is encoded, so that no layer can be taken for a sample.
export function layerHash(address: string): string {
  return `#${encodeURIComponent(address).replaceAll("%2F", "/").replaceAll("%3A", ":")}`;
}

export function filterHash(address: string, index: number): string {
  return `${layerHash(address)}?filter=${index}`;
}

export function sampleHash(index: number): string {
  return `#?sample=${index}`;
}

export type Route = { layer: string; filter?: number } | { sample: number } | null;

export function readRoute(hash: string): Route {
  const sample = /^\?sample=(\d+)$/.exec(hash);
  if (sample) return { sample: Number(sample[1]) };
  if (!hash) return null;
  const [, address, index] = /^([^?]*)(?:\?filter=(\d+))?$/.exec(hash) ?? [null, hash];
  const filter = index === undefined ? {} : { filter: Number(index) };
  try {
    return { layer: decodeURIComponent(address!), ...filter };
  } catch {
    return { layer: hash };
  }
}

// Who knows what is looked at: the address of a document, or the widget of a notebook.
export interface Navigation {
  read(): string; // without the number sign
  go(hash: string): void; // with it
  listen(change: () => void): void;
  toTop(): void;
  takesFocus(): boolean;
}
