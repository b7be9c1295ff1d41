// Values to colours: the palettes of Matplotlib, which Python put into the document.

import type { Facts } from "./facts";
import { valueOf, type Tiles } from "./blocks";

export type Palette = Uint8Array;
export interface Limits {
  low: number;
  high: number;
  signed: boolean;
}

const INVALID = [255, 0, 255];
const POSITIVE = [255, 64, 0];
const NEGATIVE = [30, 123, 255];

export function readPalettes(facts: Facts): { signed: Palette; plain: Palette } {
  const decode = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return { signed: decode(facts.palettes.diverging), plain: decode(facts.palettes.sequential) };
}

// The limits of a tile on a scale of its own: symmetric where it has a sign, else from 0 on.
export function ownLimits(tiles: Tiles, tile: number): Limits {
  const low = tiles.low[tile]!;
  const high = tiles.high[tile]!;
  const signed = tiles.facts.signed;
  if (signed) {
    const reach = Math.max(-low, high) || 1;
    return { low: -reach, high: reach, signed };
  }
  return { low: Math.min(0, low), high: high > 0 ? high : 1, signed };
}

export function paintTile(tiles: Tiles, tile: number, limits: Limits, palettes: { signed: Palette; plain: Palette }): ImageData {
  const { height, width, channels } = tiles.facts;
  const image = new ImageData(width, height);
  const { data } = image;
  const { levels } = tiles;
  const palette = limits.signed ? palettes.signed : palettes.plain;
  // A byte has 256 values: each becomes a colour once, not once for each cell.
  const table = new Uint8Array(256 * 3);
  const span = limits.high - limits.low || 1;
  const low = tiles.low[tile]!;
  const step = (tiles.high[tile]! - low) / 254;
  for (let level = 1; level < 256; level++) {
    const share = (low + step * (level - 1) - limits.low) / span;
    const clipped = Math.max(0, Math.min(1, share));
    if (channels === 3) table[level] = Math.round(255 * clipped);
    else {
      const color = 3 * Math.min(255, Math.floor(256 * clipped));
      for (let c = 0; c < 3; c++) table[3 * level + c] = palette[color + c]!;
    }
  }
  table.set(INVALID, 0);
  const start = tile * height * width * channels;
  for (let i = 0; i < height * width; i++) {
    if (channels === 3) {
      for (let c = 0; c < 3; c++) {
        const level = levels[start + 3 * i + c]!;
        data[4 * i + c] = level ? table[level]! : INVALID[c]!;
      }
    } else {
      const color = 3 * levels[start + i]!;
      data[4 * i] = table[color]!;
      data[4 * i + 1] = table[color + 1]!;
      data[4 * i + 2] = table[color + 2]!;
    }
    data[4 * i + 3] = 255;
  }
  return image;
}

// The colour of a value in a map over its picture, and how little of that is seen through it.
export function overlay(value: number, { low, high }: Limits): number[] {
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return Number.isNaN(value) ? [...INVALID, 255] : [...(value < 0 ? NEGATIVE : POSITIVE), 255 * 0.85 * Math.min(1, Math.abs(value) / reach)];
}

// A map over its picture: the stronger a value, the less of the picture is seen through it.
export function paintOver(tiles: Tiles, tile: number, limits: Limits): ImageData {
  const { height, width } = tiles.facts;
  const image = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) image.data.set(overlay(valueOf(tiles, tile, i), limits), 4 * i);
  return image;
}
