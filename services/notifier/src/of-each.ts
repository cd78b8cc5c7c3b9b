/**
 * Rows of each namespace, by a statement of its own: one for all (`= any`) would be planned anew each time, which takes Postgres twenty
 * times as long as to run it, and most batches are of one namespace.
 */
export const ofEach = async <Row>(namespaces: string[], rowsOf: (namespace: string) => Promise<Row[]>): Promise<Row[]> => (await Promise.all(namespaces.map(rowsOf))).flat();
