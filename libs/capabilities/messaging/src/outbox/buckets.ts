/** Events of one key are in one bucket, and a bucket is published by one relay at a time. As many as the migration makes. */
export const BUCKETS = 16;

/** FNV-1a over UTF-16 units: spread evenly enough, and the same in every process. */
export function bucketOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % BUCKETS;
}
