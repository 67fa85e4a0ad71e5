/** The cover of what has none: a pattern that follows from the name alone. */

export const COLUMNS = 8;
export const ROWS = 4;

export interface Tile {
  column: number;
  row: number;
  /** An SVG path within a tile of the size 1. */
  path: string;
  isStrong: boolean;
}

export interface DrawnCover {
  hue: number;
  tiles: Tile[];
}

const CIRCLE = "M0 .5A.5 .5 0 0 1 1 .5A.5 .5 0 0 1 0 .5Z";
const QUARTERS = ["M0 0H1A1 1 0 0 1 0 1Z", "M1 0V1A1 1 0 0 1 0 0Z", "M1 1H0A1 1 0 0 1 1 0Z", "M0 1V0A1 1 0 0 1 1 1Z"];

/** FNV-1a, then mixed, so that names that differ in a letter look different. */
function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Numbers from 0 to 2^32 - 1 that follow from a seed (mulberry32). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

export function drawnCover(name: string): DrawnCover {
  const next = sequence(seedOf(name));
  const hue = next() % 360;
  const tiles: Tile[] = [];
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      const drawn = next() % 16;
      const isStrong = next() % 4 === 0;
      const path = drawn < 10 ? QUARTERS[drawn % 4] : drawn < 12 ? CIRCLE : undefined;
      if (path !== undefined) tiles.push({ column, row, path, isStrong });
    }
  }
  return { hue, tiles };
}
