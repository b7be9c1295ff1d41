// Blocks of values: tiles and pictures in bytes that were read.

import type { PictureFacts, TileFacts } from "./facts";

export type Bytes = Uint8Array<ArrayBuffer>;

export interface Tiles {
  facts: TileFacts;
  low: Float32Array;
  high: Float32Array;
  indices: Uint32Array;
  levels: Uint8Array;
}

export function readTiles(block: Bytes, facts: TileFacts): Tiles {
  const { start, count } = facts;
  const size = count * facts.height * facts.width * facts.channels;
  return {
    facts,
    low: new Float32Array(block.buffer, start, count),
    high: new Float32Array(block.buffer, start + 4 * count, count),
    indices: new Uint32Array(block.buffer, start + 8 * count, count),
    levels: new Uint8Array(block.buffer, start + 12 * count, size),
  };
}

export function valueOf(tiles: Tiles, tile: number, cell: number): number {
  const { height, width, channels } = tiles.facts;
  const level = tiles.levels[tile * height * width * channels + cell]!;
  if (level === 0) return NaN;
  const low = tiles.low[tile]!;
  return low + ((tiles.high[tile]! - low) * (level - 1)) / 254;
}

export function drawPicture(block: Bytes, facts: PictureFacts): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = facts.width;
  canvas.height = facts.height;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(facts.width, facts.height);
  for (let i = 0; i < facts.width * facts.height; i++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = block[facts.start + i * facts.channels + (facts.channels === 3 ? c : 0)]!;
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

export function copyPicture(picture: HTMLCanvasElement): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d")!.drawImage(picture, 0, 0);
  return canvas;
}
