// Memory of bytes that were used up, given back at once.

/**
 * Nobody may look at the bytes any more. Left to the garbage collector, which sees only the small object that stands for them, many megabytes
 * of them would come together.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  // Of a buffer that others may have a part of nothing is taken away.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
