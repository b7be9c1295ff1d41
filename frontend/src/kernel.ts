// Values from the kernel of a notebook: a message asks for each when somebody looks at it.

import { drawPicture, readTiles, type Bytes, type Tiles } from "./blocks";
import type { ExplanationFacts, Facts, FilterFacts, FindingFacts, KernelFacts, LayerFacts, PictureFacts, PreferredFacts, TileFacts } from "./facts";
import { Cache, type Explanations, type Kernels, type Source } from "./source";

// What anywidget hands to a widget, as far as it is used here.
export interface WidgetModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, listener: (...values: any[]) => void): void;
  off(event: string, listener: (...values: any[]) => void): void;
  send(message: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
}

export interface Reply {
  facts: Record<string, any>;
  block: Bytes;
}

const SILENCE = 60_000;
const GONE = "Nothing comes from the notebook's kernel: it was restarted, or is busy. Run the cell again if this stays.";

// Questions to the kernel and its answers, which need not come in the same order.
export class Connection {
  private readonly waiting = new Map<string, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  private readonly mine = Math.random().toString(36).slice(2); // another view of the widget hears the same answers
  private last = 0;
  isAlive = true;

  constructor(private readonly model: WidgetModel) {
    this.hear = this.hear.bind(this);
    model.on("msg:custom", this.hear);
  }

  ask(kind: string, options: Record<string, unknown> = {}, buffers: ArrayBuffer[] = []): Promise<Reply> {
    const id = `${this.mine}-${++this.last}`;
    return new Promise((resolve, reject) => {
      if (!this.isAlive) return reject(new Error(GONE));
      const timer = setTimeout(() => this.drop(id, GONE), SILENCE);
      const done = <T>(then: (value: T) => void) => (value: T) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        then(value);
      };
      this.waiting.set(id, { resolve: done(resolve), reject: done(reject) });
      this.tell(kind, { ...options, id }, buffers);
    });
  }

  tell(kind: string, options: Record<string, unknown> = {}, buffers: ArrayBuffer[] = []): void {
    try {
      this.model.send({ ...options, kind }, undefined, buffers);
    } catch {
      this.close();
    }
  }

  // The kernel is gone: whoever waits is told so.
  close(): void {
    this.isAlive = false;
    for (const id of [...this.waiting.keys()]) this.drop(id, GONE);
  }

  stop(): void {
    this.model.off("msg:custom", this.hear);
  }

  private drop(id: string, words: string): void {
    this.waiting.get(id)?.reject(new Error(words));
  }

  private hear(message: Record<string, any>, buffers: DataView[] = []): void {
    const wait = this.waiting.get(message["id"]);
    if (!wait) return;
    if (message["error"]) return wait.reject(new Error(message["error"]));
    const [data] = buffers;
    // A copy begins at a multiple of four bytes, as floats that are read in place must.
    const block = data ? new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer) : new Uint8Array(0);
    wait.resolve({ facts: message, block });
  }
}

export class KernelSource implements Source {
  readonly patience = 150; // what is computed takes longer, and words say so
  private readonly parts = new Cache<any>();
  private readonly pictures = new Map<string, { facts: PictureFacts; block: Bytes; canvas?: HTMLCanvasElement }>();

  constructor(private readonly connection: Connection, private readonly facts: Facts) {}

  keep(pictures: Record<string, PictureFacts>, block: Bytes): void {
    for (const [name, facts] of Object.entries(pictures)) if (!this.pictures.has(name)) this.pictures.set(name, { facts, block });
  }

  kernels({ address }: LayerFacts): Promise<Kernels | null> {
    return this.parts.get(`kernels ${address}`, async () => {
      const { facts, block } = await this.connection.ask("kernels", { address });
      const kernels = facts["kernels"] as KernelFacts | null;
      return kernels && { facts: kernels, tiles: readTiles(block, kernels.tiles) };
    });
  }

  maps({ address }: LayerFacts, position: number): Promise<Tiles | null> {
    const sample = this.facts.samples[position]!.index;
    return this.parts.get(`maps ${sample} ${address}`, async () => {
      const { facts, block } = await this.connection.ask("maps", { address, sample });
      const tiles = facts["tiles"] as TileFacts | null;
      return tiles && readTiles(block, tiles);
    });
  }

  filters({ address }: LayerFacts): Promise<FilterFacts | null> {
    return this.parts.get(`filters ${address}`, async () => {
      const { facts, block } = await this.connection.ask("filters", { address });
      if (facts["filters"]) this.keep(facts["pictures"], block);
      return facts["filters"] as FilterFacts | null;
    });
  }

  explanations(position: number): Promise<Explanations> {
    const sample = this.facts.samples[position]!.index;
    return this.parts.get(`explanations ${sample}`, async () => {
      const { facts, block } = await this.connection.ask("explanations", { sample });
      const explanations = (facts["explanations"] as ExplanationFacts[]).map((part) => ({ facts: part, tiles: readTiles(block, part.tiles) }));
      return { explanations, missing: facts["unexplained"] };
    });
  }

  preferred(address: string): Promise<Record<string, PreferredFacts>> {
    return this.parts.get(`preferred ${address}`, async () => {
      const { facts, block } = await this.connection.ask("preferred", { address });
      this.keep(facts["pictures"] ?? {}, block);
      return facts["preferred"] as Record<string, PreferredFacts>;
    });
  }

  findings(): Promise<FindingFacts[]> {
    return this.parts.get("findings", async () => (await this.connection.ask("findings")).facts["findings"] as FindingFacts[]);
  }

  async picture(name: string): Promise<HTMLCanvasElement | null> {
    const entry = this.pictures.get(name);
    if (!entry) return null;
    return (entry.canvas ??= drawPicture(entry.block, entry.facts));
  }
}
