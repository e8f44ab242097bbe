/** Cutting a text where spans begin and end. */

import type { Span } from "./types";

export interface Piece {
  text: string;
  spans: Span[];
}

/** The pieces of a text in order; `spans` count code points, and may overlap. */
export function pieces(text: string, spans: Span[]): Piece[] {
  const points = Array.from(text);
  const inside = spans.filter((span) => span.start < span.end && span.start < points.length);
  const cuts = new Set([0, points.length]);
  for (const span of inside) {
    cuts.add(span.start);
    cuts.add(Math.min(span.end, points.length));
  }
  const sorted = [...cuts].sort((one, other) => one - other);
  return sorted.slice(0, -1).map((from, index) => {
    const to = sorted[index + 1] ?? points.length;
    return {
      text: points.slice(from, to).join(""),
      spans: inside.filter((span) => span.start <= from && to <= span.end),
    };
  });
}

/** How strongly a piece speaks for something, from 0 to 3. */
export function strength(piece: Piece, spans: Span[]): number {
  if (piece.spans.length === 0) return 0;
  const most = Math.max(...spans.map((span) => Math.abs(span.weight ?? 1)), 1e-9);
  const own = Math.max(...piece.spans.map((span) => Math.abs(span.weight ?? most)));
  return own > most * 0.66 ? 3 : own > most * 0.33 ? 2 : 1;
}
