/** Puts a piece at the place that its id names (SECONDS:n, from 1), so that a stream that begins anew repeats nothing. */
export function putPiece(pieces: string[], id: string, piece: string): void {
  const place = Number(/:(\d+)$/.exec(id)?.[1] ?? NaN) - 1;
  pieces[place < pieces.length ? place : pieces.length] = piece;
}
