// A QR code as one path: nothing is fetched, and nobody else sees what it says.

import { encode } from 'uqr';

/** White around it, in modules: what the standard wants. */
const BORDER = 4;

export interface QrCode {
  /** Modules from edge to edge. */
  readonly size: number;
  /** The dark ones, each a square of 1. */
  readonly path: string;
}

export function qrCode(text: string): QrCode {
  const { size, data } = encode(text, { ecc: 'M', border: BORDER });
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : []))).join('');
  return { size, path };
}
