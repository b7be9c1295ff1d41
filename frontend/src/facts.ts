// What Python collected, as it is in the document; see `kerasviz.report`.

export interface TileFacts {
  start: number;
  count: number;
  height: number;
  width: number;
  channels: number;
  total: number;
  limits: [number, number];
  signed: boolean;
  title: string;
  rows?: number[];
  columns?: number[];
  axes?: [string, string];
}

export interface PictureFacts {
  start: number;
  height: number;
  width: number;
  channels: number;
}

export interface KernelFacts {
  tiles: TileFacts;
  statistics: Record<string, number | null>;
  not_finite: number;
  histogram: { counts: number[]; low: number; high: number };
}

export interface LayerFacts {
  address: string;
  type: string;
  shape: string;
  kernel: string | null;
  parameters: number;
  depth: number;
  field: string | null;
  trainable: boolean;
  block: string | null;
  kernels?: KernelFacts;
  maps?: TileFacts[];
}

export interface SampleFacts {
  index: number;
  name?: string;
  picture?: PictureFacts;
  top?: [number, number][];
  label?: number;
  label_probability?: number;
}

export interface FindingFacts {
  level: "error" | "warning" | "note";
  text: string;
  layers: string[];
  filters: number[];
  samples: number[];
}

export interface BoxFacts {
  rect: [number, number, number, number];
  color: string;
  address: string;
  addresses: string[];
  rows: { text: string; at: [number, number]; size: number; end: boolean; bold: boolean }[];
  frozen: boolean;
  open: boolean;
  count: number;
  words: string;
}

export interface GraphFacts {
  size: [number, number];
  boxes: BoxFacts[];
  frames: {
    rect: [number, number, number, number];
    lines: string[];
    header: number;
    size: number;
    depth: number;
    frozen: boolean;
    words: string;
  }[];
  lines: { path: string; thin: boolean }[];
  heads: string[];
  tags: { at: [number, number]; width: number; text: string }[];
  legend: [string, string][];
  notes: string[];
}

export interface Facts {
  schema: number;
  version: string;
  model: {
    name: string;
    type: string;
    parameters: number;
    frozen: number;
    layers: number;
    inputs: string[];
    backend: string;
  };
  palettes: { diverging: string; sequential: string };
  graph: GraphFacts;
  layers: LayerFacts[];
  samples: SampleFacts[];
  total?: number;
  class_names: string[] | null;
  predictions?: { classes: number; samples?: number; right?: number };
  findings: FindingFacts[];
}

export function readFacts(): Facts {
  return JSON.parse(document.getElementById("facts")!.textContent!) as Facts;
}

export function className(facts: Facts, index: number): string {
  return facts.class_names?.[index] ?? `class ${index}`;
}
