// Where the values of a view come from: the document of a report, or the kernel of a notebook.

import type { Bytes, Tiles } from "./blocks";
import { drawPicture, readTiles } from "./blocks";
import type { ExplanationFacts, Facts, FilterFacts, FindingFacts, KernelFacts, LayerFacts, PictureFacts, PreferredFacts } from "./facts";

export interface Kernels {
  facts: KernelFacts;
  tiles: Tiles;
}

export interface Explanations {
  explanations: { facts: ExplanationFacts; tiles: Tiles }[];
  missing: Record<string, string>;
}

export interface Source {
  readonly patience: number; // for so many milliseconds a view waits for its parts
  kernels(layer: LayerFacts): Promise<Kernels | null>;
  maps(layer: LayerFacts, position: number): Promise<Tiles | null>; // of the sample of a position
  filters(layer: LayerFacts): Promise<FilterFacts | null>;
  explanations(position: number): Promise<Explanations>;
  picture(name: string): Promise<HTMLCanvasElement | null>; // to draw from, not to show
  preferred?(layer: string): Promise<Record<string, PreferredFacts>>; // by filter, where they are not in the facts
  findings?(): Promise<FindingFacts[]>; // all of them, where they are not in the facts
}

// Values are decoded when somebody looks at them, and kept.
export class Cache<T> {
  private readonly values = new Map<string, Promise<T>>();

  get(key: string, make: () => Promise<T>): Promise<T> {
    let value = this.values.get(key);
    if (!value) {
      this.values.set(key, (value = make()));
      // What failed is tried again.
      value.catch(() => this.values.delete(key));
    }
    return value;
  }

  clear(): void {
    this.values.clear();
  }
}

export class DocumentSource implements Source {
  readonly patience = 5000; // all is here, and only has to be unpacked
  private readonly blocks = new Cache<Bytes>();
  private readonly pictures = new Cache<HTMLCanvasElement>();

  constructor(private readonly facts: Facts) {}

  private block(name: string): Promise<Bytes> {
    return this.blocks.get(name, async () => {
      const text = atob(document.getElementById(`block-${name}`)!.textContent!);
      const bytes = new Uint8Array(text.length);
      for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
      const inflater = new DecompressionStream("deflate");
      const writer = inflater.writable.getWriter();
      void writer.write(bytes);
      void writer.close();
      return new Uint8Array(await new Response(inflater.readable).arrayBuffer());
    });
  }

  async kernels(layer: LayerFacts): Promise<Kernels | null> {
    if (!layer.block || !layer.kernels) return null;
    return { facts: layer.kernels, tiles: readTiles(await this.block(layer.block), layer.kernels.tiles) };
  }

  async maps(layer: LayerFacts, position: number): Promise<Tiles | null> {
    if (!layer.block || !layer.maps?.length) return null;
    const facts = layer.maps[Math.min(position, layer.maps.length - 1)]!;
    return readTiles(await this.block(layer.block), facts);
  }

  async filters(layer: LayerFacts): Promise<FilterFacts | null> {
    return layer.filters ?? null;
  }

  async explanations(): Promise<Explanations> {
    const { explanations = [], unexplained = {} } = this.facts;
    if (!explanations.length) return { explanations: [], missing: unexplained };
    const block = await this.block("explanations");
    return { explanations: explanations.map((facts) => ({ facts, tiles: readTiles(block, facts.tiles) })), missing: unexplained };
  }

  async picture(name: string): Promise<HTMLCanvasElement | null> {
    const facts: PictureFacts | undefined = this.facts.pictures[name];
    if (!facts) return null;
    return this.pictures.get(name, async () => drawPicture(await this.block("pictures"), facts));
  }
}
