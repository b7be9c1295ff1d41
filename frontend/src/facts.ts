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
  noun: "filter" | "unit"; // what it has many of
  block: string | null;
  kernels?: KernelFacts;
  maps?: TileFacts[];
  filters?: FilterFacts;
}

export interface FilterCard {
  filter: number;
  mean: number;
  maximum: number;
  fires: number;
  in_images: number;
  selectivity?: number | null;
  best?: number | string | null;
  means?: number[]; // for each class
  preferred?: PreferredFacts;
  images: { picture: string; value: number; box: [number, number, number, number] }[];
}

export interface PreferredFacts {
  picture: string;
  value: number;
}

export interface FilterFacts {
  responds: string;
  samples: number;
  total: number;
  remarks: Record<string, string>;
  odd: number; // how many of the cards, the last ones, are there for their remark
  classes?: (number | string)[];
  cards: FilterCard[];
}

export interface CurveFacts {
  fractions: number[];
  values: number[][];
  random: number[][];
  area: number[];
  random_area: number[];
}

export interface ExplanationFacts {
  method: string;
  layer: string | null;
  input?: string; // which one it explains, of several
  score: string;
  tiles: TileFacts;
  positions: number[]; // of the samples that it explains
  targets: (number | [number, number])[] | null; // of two classes their difference
  baseline: number[] | null;
  evidence: { deletion: CurveFacts; insertion: CurveFacts; faithful: boolean[]; completeness: number[] | null } | null;
}

export interface TrainingFacts {
  name: string;
  notes: string[];
  series: Record<string, { epochs: number[]; values: (number | string | null)[] }>;
}

export interface SampleFacts {
  index: number;
  name?: string;
  top?: [number, number | null][]; // a class and its probability
  label?: number;
  label_probability?: number | null;
}

export interface FindingFacts {
  level: "error" | "warning" | "note";
  text: string;
  layers: string[];
  filters: [string, number][]; // an address and an index
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
  view: [number, number, number, number];
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
  open: string[]; // dotted lines into boxes whose input has an unknown source
  heads: string[];
  tags: { at: [number, number]; width: number; text: string }[];
  legend: [string, string][];
  notes: string[];
}

export interface DropFacts {
  height: number | null;
  width: number | null;
  largest: number;
  conversions: string[];
  conversion: string;
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
  predictions?: { classes: number; samples?: number; right?: number; confusions?: [number, number, number][] };
  pictures: Record<string, PictureFacts>;
  explanations?: ExplanationFacts[];
  unexplained?: Record<string, string>;
  history?: TrainingFacts[] | null;
  findings: FindingFacts[];
  drop?: DropFacts | null; // in a notebook: what images the model takes
  is_quick?: boolean; // whether its weights are searched without being asked
}

export function readFacts(): Facts {
  return JSON.parse(document.getElementById("facts")!.textContent!) as Facts;
}

export function className(facts: Facts, index: number): string {
  return facts.class_names?.[index] ?? `class ${index}`;
}
