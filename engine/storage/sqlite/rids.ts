// The numbers of resources: a rid tells its type.

/** Rids of one type are the numbers from type number * ridsOfType. */
export const ridsOfType = 2 ** 40;

export const typeOfRid = (rid: number): number => Math.floor(rid / ridsOfType);
