/** Caches with a limit: what peers can grow forgets its oldest entry first. */

/** Sets an entry and, above `limit` entries, forgets the one set longest ago. */
export function setBounded<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, limit: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** Adds a member and, above `limit` members, forgets the one added longest ago. */
export function addBounded<Member>(set: Set<Member>, member: Member, limit: number): void {
  set.delete(member);
  set.add(member);
  if (set.size <= limit) return;
  for (const oldest of set) {
    set.delete(oldest);
    return;
  }
}
